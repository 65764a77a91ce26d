local caller = require "spec.sim.caller"

local Faults = require "infra.sim.faults"

local VPC = { CidrBlock = "10.0.0.0/16" }

local function count(call)
  return #assert(call("ec2", "DescribeVpcs")).Vpcs
end

-- Runs body with a schedule of one rule, for CreateVpc unless it says otherwise.
local function with_fault(fault, body)
  fault.operation = fault.operation or "CreateVpc"
  caller.run({ faults = { schedule = { fault } } }, body)
end

describe("infra.sim.faults", function()
  it("throttles in each service's own words", function()
    local schedule = { { fault = "throttle", times = 100 } }
    caller.run({ faults = { schedule = schedule } }, function(call)
      local expected = {
        { "ec2", "DescribeVpcs", "RequestLimitExceeded", 503 },
        { "sts", "GetCallerIdentity", "Throttling", 400 },
        { "ssm", "DescribeParameters", "ThrottlingException", 400 },
        { "lambda", "ListFunctions", "TooManyRequestsException", 429 },
        { "s3", "ListBuckets", "SlowDown", 503 },
        { "route53", "ListHostedZones", "Throttling", 400 },
      }
      for _, case in ipairs(expected) do
        local output, err, response = call(case[1], case[2])
        assert.is_nil(output)
        assert.same({ case[3], case[4] }, { err.code, response.status }, case[1])
      end
    end)
  end)

  it("fails without having done anything", function()
    for fault, code in pairs { server_error = "InternalError", unavailable = "Unavailable" } do
      with_fault({ fault = fault }, function(call)
        local output, err, response = call("ec2", "CreateVpc", VPC)
        assert.is_nil(output)
        assert.equal(code, err.code)
        assert.is_true(response.status >= 500)
        assert.equal(0, count(call))
        assert(call("ec2", "CreateVpc", VPC))
      end)
    end
  end)

  it("fails after having done it", function()
    with_fault({ fault = "server_error", executed = true }, function(call)
      local output, err = call("ec2", "CreateVpc", VPC)
      assert.is_nil(output)
      assert.equal("InternalError", err.code)
      assert.equal(1, count(call))
    end)
  end)

  it("loses requests and answers, which look the same", function()
    for fault, done in pairs { lost_request = 0, lost_response = 1 } do
      with_fault({ fault = fault }, function(call)
        local output, err = call("ec2", "CreateVpc", VPC)
        assert.is_nil(output)
        assert.equal("ConnectionError", err.code)
        assert.is_nil(err.sent)
        assert.equal(done, count(call))
      end)
    end
  end)

  it("refuses connections, so that nothing was sent", function()
    with_fault({ fault = "refused" }, function(call)
      local _, err = call("ec2", "CreateVpc", VPC)
      assert.equal("ConnectionError", err.code)
      assert.is_false(err.sent)
      assert.equal(0, count(call))
    end)
  end)

  it("delivers requests twice", function()
    with_fault({ fault = "duplicate" }, function(call)
      local vpc = assert(call("ec2", "CreateVpc", VPC)).Vpc
      assert.equal("10.0.0.0/16", vpc.CidrBlock)
      assert.equal(2, count(call))
    end)
    with_fault({ fault = "duplicate", operation = "CreateSubnet" }, function(call)
      local vpc = assert(call("ec2", "CreateVpc", VPC)).Vpc
      assert(call("ec2", "CreateSubnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })) -- the second one conflicts
      assert.equal(1, #assert(call("ec2", "DescribeSubnets")).Subnets)
    end)
  end)

  it("answers slowly, at times too slowly", function()
    with_fault({ fault = "slow", seconds = 30, times = 2 }, function(call, _, world)
      local before = world.now()
      assert(call("ec2", "CreateVpc", VPC))
      assert.is_true(world.now() - before > 30)
      before = world.now()
      local output, err = call("ec2", "CreateVpc", VPC, { timeout = 10 })
      assert.is_nil(output)
      assert.equal("Timeout", err.code)
      assert.is_true(math.abs(world.now() - before - 10) < 1e-6)
      assert.equal(2, count(call))
    end)
  end)

  it("shortens pages", function()
    with_fault({ fault = "short_page", operation = "DescribeVpcs", times = 2 }, function(call)
      for _ = 1, 3 do
        assert(call("ec2", "CreateVpc", VPC))
      end
      local first = assert(call("ec2", "DescribeVpcs", { MaxResults = 5 }))
      assert.equal(1, #first.Vpcs)
      local second = assert(call("ec2", "DescribeVpcs", { MaxResults = 5, NextToken = first.NextToken }))
      assert.equal(1, #second.Vpcs)
      local third = assert(call("ec2", "DescribeVpcs", { MaxResults = 5, NextToken = second.NextToken }))
      assert.equal(1, #third.Vpcs)
      assert.is_nil(third.NextToken)
    end)
  end)

  it("leaves the last of several undone", function()
    with_fault({ fault = "partial_batch", operation = "DeleteVpcEndpoints" }, function(call)
      local vpc = assert(call("ec2", "CreateVpc", VPC)).Vpc
      local ids = {}
      for i, service in ipairs { "s3", "dynamodb" } do
        local endpoint = assert(call("ec2", "CreateVpcEndpoint", {
          VpcId = vpc.VpcId, ServiceName = "com.amazonaws.us-east-1." .. service,
        })).VpcEndpoint
        ids[i] = endpoint.VpcEndpointId
      end
      local left = assert(call("ec2", "DeleteVpcEndpoints", { VpcEndpointIds = ids })).Unsuccessful
      assert.equal(1, #left)
      assert.equal(ids[2], left[1].ResourceId)
      assert.equal(ids[2], assert(call("ec2", "DescribeVpcEndpoints")).VpcEndpoints[1].VpcEndpointId)
    end)
  end)

  it("crashes the tool before or after the deed", function()
    for when, done in pairs { before = 0, after = 1 } do
      local sim_store
      local ended, problem = pcall(with_fault, { fault = "crash", when = when }, function(call, sim)
        sim_store = sim.store
        call("ec2", "CreateVpc", VPC)
      end)
      assert.is_false(ended)
      assert.matches("simulated crash at ec2 CreateVpc", tostring(problem))
      local found = 0
      for _ in sim_store:view("ec2", "123456789012", "us-east-1"):each "vpc" do
        found = found + 1
      end
      assert.equal(done, found, when)
    end
  end)

  it("calls whatever is to happen at a crash", function()
    local crashed
    caller.run({
      faults = { schedule = { { fault = "crash", kind = "write", nth = 2 } } },
      on_crash = function(call) crashed = call.operation end,
    }, function(call)
      assert(call("ec2", "CreateVpc", VPC))
      assert(call("ec2", "DescribeVpcs"))
      assert.is_nil(crashed)
      assert(call("ec2", "CreateInternetGateway"))
      assert.equal("CreateInternetGateway", crashed)
    end)
  end)

  it("strikes the calls that a rule names, in order", function()
    caller.run({ faults = { schedule = {
      { fault = "throttle", service = "ec2", operation = "DescribeVpcs", nth = 2, times = 2 },
    } } }, function(call)
      local outcomes = {}
      for i = 1, 5 do
        call("sts", "GetCallerIdentity")
        outcomes[i] = call("ec2", "DescribeVpcs") ~= nil
      end
      assert.same({ true, false, false, true, true }, outcomes)
    end)
  end)

  it("strikes at the given rates, and the same calls for the same seed", function()
    local function outcomes(seed)
      local faults, struck = Faults.new(seed, { rates = { throttle = 0.2, lost_response = 0.1 } }), {}
      local counts = { throttle = 0, lost_response = 0, none = 0 }
      for i = 1, 2000 do
        local fault = (faults:strike { service = "ec2", operation = "X", kind = "read" } or {}).fault or "none"
        struck[i] = fault
        counts[fault] = counts[fault] + 1
      end
      return struck, counts
    end
    local struck, counts = outcomes(1)
    assert.is_true(math.abs(counts.throttle - 400) < 80)
    assert.is_true(math.abs(counts.lost_response - 200) < 60)
    assert.same(struck, (outcomes(1)))
    assert.not_same(struck, (outcomes(2)))
  end)

  it("refuses what it does not know", function()
    assert.has_error(function() Faults.new(1, { rates = { gremlins = 1 } }) end)
    assert.has_error(function() Faults.new(1, { schedule = { { fault = "gremlins" } } }) end)
    assert.has_error(function() Faults.new(1, "cheerful") end)
  end)

  it("lets a fresh object be unknown for a while, to some", function()
    caller.run({ faults = { consistency = 30 } }, function(call, _, world)
      local unknown, known = 0, 0
      for i = 1, 4 do
        local id = assert(call("ec2", "CreateVpc", { CidrBlock = ("10.%d.0.0/16"):format(i) })).Vpc.VpcId
        for _ = 1, 100 do
          local found, err = call("ec2", "DescribeVpcs", { VpcIds = { id } })
          unknown, known = unknown + (found and 0 or 1), known + (found and 1 or 0)
          assert.is_true(found ~= nil or err.code == "InvalidVpcID.NotFound")
        end
        world.scheduler:sleep(30)
        for _ = 1, 10 do
          assert(call("ec2", "DescribeVpcs", { VpcIds = { id } }))
        end
      end
      assert.is_true(unknown > 50 and known > 10)
    end)
  end)

  it("lets calls empty the account's token buckets, and fills them again", function()
    local faults = { throttling = true, latency = { read = { 0, 0 }, write = { 0, 0 } } }
    caller.run({ faults = faults }, function(call, _, world)
      local function burst()
        local admitted = 0
        while true do
          local output, err = call("ec2", "DescribeVpcs")
          if not output then
            assert.equal("RequestLimitExceeded", err.code)
            return admitted
          end
          admitted = admitted + 1
        end
      end
      assert.equal(100, burst())
      assert(call("ec2", "DescribeSubnets")) -- a bucket of its own
      assert(call("ec2", "DescribeVpcs", {}, { region = "us-west-2" }))
      world.scheduler:sleep(1)
      assert.equal(20, burst())
    end)
  end)
end)
