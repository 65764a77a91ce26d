-- The disaster drill, with the real stacks: staging runs in us-east-1 and is backed up, the region fails, us-west-2
-- takes over, and everything goes back.
local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local oci_layout = require "spec.support.oci_layout"
local project = require "infra.project"
local temporary = require "spec.support.temporary"
local visitor = require "spec.stacks.visitor"

local DOMAIN <const> = "bardhi.devops.konitron.com"
local VAULT <const> = "apprentice-final-staging-backup"

-- What does not answer when us-east-1 is down. Of the services without regions IAM takes no changes, because those are
-- made in us-east-1; CloudFront and Route 53 are spared.
local REGIONAL = {
  "acm", "apigateway", "apigatewayv2", "backup", "cloudwatch", "ec2", "ecr", "elasticache", "events", "kms", "lambda",
  "logs", "rds", "secretsmanager", "sns", "ssm", "wafv2",
}

local function region_down()
  local rules = { { fault = "refused", service = "iam", kind = "write", times = math.huge } }
  for _, service in ipairs(REGIONAL) do
    rules[#rules + 1] = { fault = "refused", service = service, region = "us-east-1", times = math.huge }
  end
  return { faults = { schedule = rules } }
end

describe("a drill", function()
  local staging, dr
  local search_path = package.path

  before_each(function()
    staging, dr = World.new(), World.new()
    dr.aws, dr.processes = staging.aws, 1000 -- the same account, other random numbers
  end)
  after_each(function()
    staging:close()
    dr:close()
    package.path = search_path -- the stacks' own
  end)

  local function declare(name, given)
    return assert(assert(project.load("stacks/" .. name .. ".lua")):evaluate(given))
  end

  local function primary()
    return declare("staging", { zone = "create" })
  end

  -- fn(call, session) as somebody else, at AWS's time; call takes options as the client does.
  local function other(fn)
    return staging:as_other(function(_, session)
      return fn(function(service, operation, params, options)
        return assert(session.client:call(service, operation, params, options))
      end, session)
    end)
  end

  local function pass(seconds)
    other(function(call, session)
      session.runtime.scheduler:sleep(seconds)
      call("sts", "GetCallerIdentity", {})
    end)
  end

  local function visit(path, down)
    return staging:as_other(function(_, session)
      return visitor(session, DOMAIN, path, down)
    end)
  end

  -- The newest point in the recovery vault that can be used.
  local function newest()
    return other(function(call)
      local found
      for _, point in ipairs(call("backup", "ListRecoveryPointsByBackupVault",
        { BackupVaultName = VAULT, ByResourceType = "Aurora" }, { region = "us-west-2" }).RecoveryPoints) do
        if point.Status == "COMPLETED" and (not found or point.CreationDate > found.CreationDate) then
          found = point
        end
      end
      return found
    end)
  end

  local function now()
    return staging.aws.time
  end

  it("moves the application to the other region without the first one, and back", function()
    staging:run(primary())
    dr:run(declare "dr", { targets = { "security" } }) -- what IAM would refuse later
    local before = visit "/api/habits"
    assert.equal("us-east-1", before.region)
    other(function(call)
      call("s3", "PutObject", { Bucket = "apprentice-final-staging-frontend", Key = "index.html", Body = "<html>" })
    end)
    pass(3 * 3600)

    local point = newest()
    assert.is_true(now() - point.CreationDate < 3600 + 1800, "older than the RPO and the time of a copy")
    assert.matches("^arn:aws:rds:us%-west%-2:%d+:cluster%-snapshot:awsbackup:copyjob%-", point.RecoveryPointArn)

    local started = now()
    local run = dr:run(declare("dr", { snapshot = point.RecoveryPointArn }), region_down())
    assert.same({ point.RecoveryPointArn }, (function()
      local restored = {}
      for i, params in ipairs(calls.params(run, "RestoreDBClusterFromSnapshot")) do
        restored[i] = params.SnapshotIdentifier
      end
      return restored
    end)())
    assert.equal("us-east-1", visit("/api/habits").region) -- nobody is sent there yet

    local switched = declare("dr", { snapshot = point.RecoveryPointArn, switch = true })
    assert.same({ "UpdateDistribution" }, calls.changes(dr:run(switched, region_down())))
    assert.is_true(now() - started < 4 * 3600, "longer than the RTO")
    local after = visit("/api/habits", { ["us-east-1"] = true })
    assert.same({ "us-west-2", "/dr/api/habits", before.distribution },
      { after.region, after.path, after.distribution })
    assert.matches(":us%-west%-2:.*:function:apprentice%-final%-dr%-api:live$", after.lambda)
    local files = visit("/index.html", { ["us-east-1"] = true })
    assert.equal("apprentice-final-staging-frontend-replica.s3.us-west-2.amazonaws.com", files.host)
    assert.equal("<html>", other(function(call)
      return call("s3", "GetObject", { Bucket = files.host:match "^[^.]+", Key = "index.html" },
        { region = files.region })
    end).Body)

    assert.same({ "UpdateDistribution" }, calls.changes(dr:run(declare "dr")))
    assert.same(before, visit "/api/habits")
    assert.same({}, World.actions(assert(staging:plan(primary()))))
  end)

  it("ends, too, when the first region's stack takes its distribution back by itself", function()
    staging:run(primary())
    local before = visit "/api/habits"
    dr:run(declare("dr", { switch = true }))
    assert.equal("us-west-2", visit("/api/habits").region)
    assert.same({ ["edge/distribution"] = "update" }, World.actions(assert(staging:plan(primary()))))
    staging:run(primary())
    assert.same(before, visit "/api/habits")
    assert.same({ switch = "create" }, World.actions(assert(dr:plan(declare("dr", { switch = true })))))
    assert.same({}, calls.changes(dr:run(declare "dr")))
  end)

  it("changes nothing when it is run again, whether or not the snapshot is named again, and leaves nothing", function()
    staging:run(primary())
    pass(2 * 3600)
    local given = { snapshot = newest().RecoveryPointArn, switch = true }
    dr:run(declare("dr", given))
    assert.same({}, World.actions(assert(dr:plan(declare("dr", given)))))
    assert.same({}, World.actions(assert(dr:plan(declare("dr", { switch = true })))))
    local plan = assert(dr:plan(declare("dr", { snapshot = given.snapshot .. "-2", switch = true })))
    assert.same({}, World.actions(plan))
    assert.same({ "SnapshotIdentifier" }, plan.by_address["data/aurora"].ineffective) -- nobody shall think it restored
    dr:destroy(declare("dr", given))
    assert.same({}, dr:rows())
    local left = {}
    for _, line in ipairs(dr:census()) do
      left[#left + 1] = line:find("apprentice-final-dr", 1, true) and line:match "^(%w+)/[^ ]+ " or nil
    end
    -- The setting of the account, a key that AWS keeps for 30 days, the memory of a secret's name.
    assert.same({ "apigateway", "kms", "secretsmanager" }, left)
    assert.same({}, World.actions(assert(staging:plan(primary()))))
  end)

  it("brings the application's image to the other region by itself", function()
    local directory, remove = temporary()
    local path, image = oci_layout(directory, "app", "the application")
    local given = { image = path }
    dr:run(declare("dr", given))
    local configuration = other(function(call)
      return call("lambda", "GetFunction", { FunctionName = "apprentice-final-dr-api", Qualifier = "live" },
        { region = "us-west-2" })
    end)
    assert.equal("123456789012.dkr.ecr.us-west-2.amazonaws.com/apprentice-final-dr@" .. image.digest,
      configuration.Code.ImageUri)
    assert.same({}, World.actions(assert(dr:plan(declare("dr", given)))))
    remove()
  end)
end)
