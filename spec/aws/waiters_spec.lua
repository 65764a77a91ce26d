local models = require "infra.models"
local world = require "spec.aws.world"

describe("infra.aws.waiters", function()
  local answer, json = world.answer, world.json

  -- Waits against an AWS that answers `script`: the output or the error, and the world.
  local function wait(script, ...)
    local aws = world.new(script)
    local output, err = aws.runtime.scheduler:run(aws.client.wait, aws.client, ...)
    return output or err, aws
  end

  local function instances(...)
    local items = {}
    for i, state in ipairs { ... } do
      items[i] = "<item><instancesSet><item><instanceState><name>" .. state ..
        "</name></instanceState></item></instancesSet></item>"
    end
    return answer(200, "<R><reservationSet>" .. table.concat(items) .. "</reservationSet></R>")
  end

  it("wait until every resource is there (pathAll), and return what showed it", function()
    local output, aws = wait({
      instances(), instances("pending", "running"), instances("running", "running"),
    }, "ec2", "InstanceRunning", { InstanceIds = { "i-1", "i-2" } })
    assert.equal(2, #output.Reservations)
    assert.equal(3, #aws.requests)
    assert.truthy(aws.requests[3].body:find("InstanceId.2=i-2", 1, true))
  end)

  it("stop as soon as one of them failed (pathAny)", function()
    local err, aws = wait({ instances("pending", "terminated") }, "ec2", "InstanceRunning", {})
    assert.equal("WaitFailed", err.code)
    assert.equal("InstanceRunning", err.operation)
    assert.equal("Reservations[].Instances[].State.Name is terminated", err.message)
    assert.equal(1, #aws.requests)
  end)

  it("look often at first, and then as rarely as the model says", function()
    local script = {}
    for i = 1, 20 do
      script[i] = instances "pending"
    end
    script[21] = instances "running"
    local _, aws = wait(script, "ec2", "InstanceRunning", {})
    local delay = models.service("ec2"):waiters().InstanceRunning.delay
    local first, last = aws.requests[2].at - aws.requests[1].at, aws.requests[21].at - aws.requests[20].at
    assert.is_true(first < delay / 4)
    assert.is_true(math.abs(last - delay) < 0.001)
  end)

  it("give up after the model's time, however many looks that were", function()
    local err, aws = wait(setmetatable({}, { __index = function() return instances "pending" end }),
      "ec2", "InstanceRunning", {})
    local model = models.service("ec2"):waiters().InstanceRunning
    assert.equal("WaitTimeout", err.code)
    assert.equal(("not reached within %d s"):format(model.delay * model.maxAttempts), err.message)
    assert.is_true(math.abs(aws.runtime.now() - model.delay * model.maxAttempts) < 1)
  end)

  it("understand errors that mean success, and those that mean: not yet", function()
    local gone = answer(404, "<ErrorResponse><Error><Code>DBInstanceNotFound</Code></Error></ErrorResponse>")
    assert.same({}, (wait({ gone }, "rds", "DBInstanceDeleted", { DBInstanceIdentifier = "d" })))
    local missing = answer(404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>")
    local output, aws = wait({ missing, missing, answer(200, "<R><GetUserResult/></R>") }, "iam", "UserExists", {})
    assert.truthy(output)
    assert.equal(3, #aws.requests)
  end)

  it("understand statuses", function()
    local _, aws = wait({ answer(404, ""), answer(200, "") }, "s3", "BucketExists", { Bucket = "my-bucket" })
    assert.equal(2, #aws.requests)
    assert.same({}, (wait({ answer(404, "") }, "s3", "BucketNotExists", { Bucket = "my-bucket" })))
  end)

  local function services(running)
    return json(200, { services = { { deployments = { {} }, runningCount = running, desiredCount = 2 } } })
  end

  it("understand conditions (path)", function()
    local _, aws = wait({ services(1), services(2) }, "ecs", "ServicesStable", { services = { "s" } })
    assert.equal(2, #aws.requests)
  end)

  it("do not take another error for an answer", function()
    local err = wait({ json(400, { __type = "AccessDeniedException", message = "no" }) }, "ecs", "ServicesStable",
      { services = { "s" } })
    assert.equal("AccessDeniedException", err.code)
    assert.equal("DescribeServices", err.operation)
  end)

  it("outlast a service that fails for longer than a call tries", function()
    local failed = json(500, { __type = "ServerException" })
    local output, aws = wait({ failed, failed, failed, failed, services(2) }, "ecs", "ServicesStable",
      { services = { "s" } })
    assert.equal(1, #output.services)
    assert.equal(5, #aws.requests)
  end)

  it("fail at once for what does not exist", function()
    assert.equal("UnknownWaiter", (wait({}, "ec2", "InstanceHappy", {})).code)
    assert.equal("UnknownService", (wait({}, "ecc", "InstanceRunning", {})).code)
  end)

  it("of every service use matchers that are known", function()
    local known = { path = true, pathAll = true, pathAny = true, status = true, error = true }
    for _, listed in ipairs(models.services()) do
      for name, waiter in pairs(models.service(listed.id):waiters()) do
        for _, acceptor in ipairs(waiter.acceptors) do
          assert.truthy(known[acceptor.matcher], listed.id .. " " .. name)
        end
      end
    end
  end)
end)
