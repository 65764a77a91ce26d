-- The staging stack on the simulated AWS: what a change of one option of a layer leads to, that the run after it finds
-- nothing to do, and how everything goes.

local World = require "spec.engine.world"
local infra = require "infra"
local json = require "host.json"

-- { layer, option, value = its new one, update | replace | create | delete = addresses }. An option of the whole stack
-- is one of the layer "".
local CHANGES = {
  { "", "nat", value = "per-az",
    create = {
      "network/nat-1", "network/nat-1-address", "network/private-routes-1", "network/private-default-1",
      "network/nat-2", "network/nat-2-address", "network/private-routes-2", "network/private-default-2",
    },
    update = { "network/private-1-association", "network/private-2-association" },
    delete = { "network/nat", "network/nat-address", "network/private-default", "network/private-routes" } },
  { "network", "s3_endpoint", value = true, create = { "network/s3-endpoint" } },
  { "security", "database_port", value = 5433, update = { "security/aurora" } },
  { "security", "operators", value = { "arn:aws:iam::210987654321:root" }, update = { "security/operator-role" } },
  { "data", "log_level", value = "DEBUG", update = { "data/parameter-log-level" } },
  { "data", "acu", value = { 0.5, 8 }, update = { "data/aurora" } },
  { "data", "cache_gigabytes", value = { 1, 20 }, update = { "data/redis" } },
  { "data", "engine_version", value = "17.4", update = { "data/aurora" }, replace = { "data/aurora-parameters" } },
  { "data", "readers", value = 2, create = { "data/aurora-3" } },
  { "data", "log_days", value = 60, update = { "data/aurora-logs" } },
  { "compute", "memory", value = 2048, update = { "compute/alias", "compute/function" },
    replace = { "compute/version" } },
  { "compute", "provisioned_concurrency", value = 1, update = { "compute/alias" } },
  { "compute", "stage", value = "other", replace = { "compute/permission", "compute/stage" },
    update = { "edge/distribution", "observability/api-5xx", "observability/api-latency", "observability/overview" } },
  { "compute", "alias", value = "next", replace = { "compute/alias", "compute/permission" },
    update = { "cicd/backend-build", "compute/integration" } },
  { "edge", "price_class", value = "PriceClass_100", update = { "edge/distribution" } },
  { "edge", "rate_limit", value = 1000, update = { "edge/web-acl" } },
  { "edge", "blocked_addresses", value = { "192.0.2.0/24" }, update = { "edge/blocked-ipv4" } },
  { "edge", "aliases", value = { "www.bardhi.devops.konitron.com" }, replace = { "edge/certificate" },
    create = { "edge/alias-a-2", "edge/alias-aaaa-2" }, update = { "edge/distribution" } },
  { "", "alert_email", value = "ops@example.com", create = { "observability/alerts-email" } },
  { "observability", "lambda_errors", value = 9, update = { "observability/lambda-errors" } },
  { "cicd", "branch", value = "next",
    update = { "cicd/backend-pipeline", "cicd/frontend-pipeline", "cicd/infra-pipeline" } },
  { "cicd", "artifact_days", value = 10, update = { "cicd/artifacts" } },
  { "dr", "hourly_days", value = 9, update = { "dr/backup-plan" } },
  { "dr", "keep", value = false, update = { "dr/recovery-vault", "dr/vault" } },
}

-- What stays in an account: keys until their time is over, what AWS makes by itself, and what the simulated services
-- remember of what is gone.
local REMAINS = {
  " account ", -- everybody's: API Gateway's role, what AWS Backup backs up
  "^kms/%S+ key .*\"DeletionDate\"", "^kms/%S+ key .*Default key", "^kms/%S+ alias .*alias/aws/", "^kms/%S+ change ",
  "^lambda/%S+ interface ", "^rds/%S+ endpoint ", "^route53/%S+ %a*_?reference ", "^route53/%S+ change ",
  "^secretsmanager/%S+ secret .*\"purged_at\"", "^resourcegroupstaggingapi/",
  "^backup/%S+ plan .*\"DeletionDate\"", "^backup/%S+ job ", "^backup/%S+ copy ", "^backup/%S+ region ",
}

-- What goes before what, or AWS would refuse it, or not be able to clean up.
local ORDER = {
  { "compute/function", "security/lambda", "security/lambda-role" },
  { "compute/function", "network/private-1", "network/vpc" },
  { "data/aurora-1", "data/aurora", "data/aurora-subnets", "network/private-1" },
  { "data/aurora", "data/aurora-parameters" }, { "data/aurora", "data/aurora-logs" },
  { "data/redis", "security/redis" },
  { "network/nat", "network/nat-address", "network/internet-attachment", "network/internet-gateway" },
  { "edge/alias-a", "edge/distribution", "edge/web-acl", "edge/blocked-ipv4" },
  { "edge/distribution", "edge/certificate", "edge/zone" },
  { "edge/distribution", "edge/frontend-access" }, { "edge/distribution", "edge/frontend" },
  { "dr/backup-selection", "dr/backup-plan" },
  { "compute/function", "compute/function-logs" }, { "compute/integration", "compute/api" },
}

describe("the staging stack", function()
  local world

  setup(function()
    world = World.new()
  end)
  teardown(function()
    world:close()
  end)

  -- What the stack file says, with these changes.
  local function staging(changes)
    local definition
    local define = infra.stack
    function infra.stack(fields)
      definition = fields
    end
    local loaded, problem = pcall(assert(loadfile "stacks/staging.lua"))
    infra.stack = define
    assert(loaded, problem)
    local overrides = { [""] = {} }
    for _, change in ipairs(changes) do
      overrides[change[1]] = overrides[change[1]] or {}
      overrides[change[1]][change[2]] = change.value
    end
    local build = definition.build
    function definition.build(stack, options)
      local layer = stack.layer
      function stack.layer(self, name, chosen)
        for option, value in pairs(overrides[name] or {}) do
          chosen[option] = value
        end
        return layer(self, name, chosen)
      end
      return build(stack, options)
    end
    return World.declare(nil, definition, overrides[""])
  end

  local function actions(changes)
    return world:planned(staging(changes))
  end

  -- Where among the calls that AWS did not refuse the first one of an operation is.
  local function position(run, operation)
    for i, call in ipairs(run.calls) do
      if call.operation == operation and not call.code then
        return i
      end
    end
  end

  -- AWS does not know everywhere what is seconds old.
  local UNAWARE = { consistency = 20 }

  it("is built in one run, although AWS needs time to notice", function()
    local run = world:run(staging {}, { faults = UNAWARE })
    assert.equal(4, #run.result.outputs.name_servers)
    assert.same({}, actions {})
  end)

  it("is looked at with three requests for four resources, and asks nothing twice", function()
    local _, _, process = world:plan(staging {})
    local asked = {}
    for _, call in ipairs(process.calls) do
      local request = ("%s %s %s %s"):format(call.service, call.operation, call.region, json.encode(call.params))
      assert.is_nil(asked[request], request)
      asked[request] = true
    end
    assert.is_true(#process.calls <= 0.75 * #world:rows(), #process.calls .. " for " .. #world:rows())
  end)

  it("says nothing that AWS's data does not know", function()
    local doubts = {}
    for address, resource in pairs(staging({}).resources) do
      doubts[address] = resource.doubts[1]
    end
    assert.same({}, doubts)
  end)

  for _, change in ipairs(CHANGES) do
    it(("changes no more than it must for %s %s"):format(change[1], change[2]), function()
      local expected = {}
      for _, action in ipairs { "create", "update", "replace", "delete" } do
        for _, address in ipairs(change[action] or {}) do
          expected[address] = action
        end
      end
      assert.same(expected, actions { change })
    end)
  end

  it("changes all of that in one run, while it is in use", function()
    local run = world:run(staging(CHANGES), { faults = UNAWARE })
    assert.same({}, actions(CHANGES))
    -- The private subnets have a way out all the time.
    local moved = position(run, "ReplaceRouteTableAssociation")
    assert.is_true(position(run, "CreateRoute") < moved)
    assert.is_true(moved < position(run, "DeleteRoute"))
    assert.is_nil(position(run, "DisassociateRouteTable"))
    -- The cluster has one of the two groups all the time.
    local upgraded = position(run, "ModifyDBCluster")
    assert.is_true(position(run, "CreateDBClusterParameterGroup") < upgraded)
    assert.is_true(upgraded < position(run, "DeleteDBClusterParameterGroup"))
  end)

  it("moves to another network, its database and its cache with it", function()
    local moved = { { "network", "cidr", value = "10.30.0.0/16" }, table.unpack(CHANGES) }
    local done = World.actions(world:run(staging(moved), { faults = UNAWARE }).plan)
    for _, address in ipairs { "network/vpc", "security/lambda", "data/aurora-subnets", "data/aurora", "data/aurora-1",
      "data/redis" } do
      assert.equal("replace", done[address], address)
    end
    assert.equal("update", done["compute/function"])
    assert.same({}, actions(moved))
  end)

  local last = { { "dr", "keep", value = false } } -- else nobody could delete the backups

  it("becomes again what it was", function()
    world:run(staging(last))
    assert.same({}, actions(last))
  end)

  -- What was said of each resource, and its place among those that are done.
  local function story(run)
    local said, place = {}, {}
    for i, event in ipairs(run.events) do
      said[event.address] = (said[event.address] or "") .. (event.text or "") .. "\n"
      place[event.address] = event.kind == "done" and i or place[event.address]
    end
    return said, place
  end

  it("goes in the order that AWS wants, says what takes so long, and keeps the backups", function()
    world:as_other(function(call, session)
      session.runtime.scheduler:sleep(7200)
      assert.is_table(assert(call("backup", "ListBackupJobs", { ByState = "COMPLETED" })).BackupJobs[1])
    end)
    local run = world:apply(staging(last), { destroy = true })
    local said, place = story(run)
    for _, chain in ipairs(ORDER) do
      for i = 2, #chain do
        assert.is_true(place[chain[i - 1]] < place[chain[i]], chain[i - 1] .. " before " .. chain[i])
      end
    end
    assert.matches("waiting for Lambda's network interface eni%-%x+", said["network/private-1"])
    assert.matches("switching it off.*switched off, not yet everywhere; waiting until it is Deployed",
      said["edge/distribution"])
    for _, err in ipairs(run.result.failures) do
      assert.matches("holds %d+ recovery points: it stays, and so do they", err.message)
    end
    local kept = {}
    for i, row in ipairs(world:rows()) do
      kept[i] = row.address
    end
    table.sort(kept)
    assert.same({ "data/key", "dr/recovery-vault", "dr/recovery-vault-key", "dr/vault", "dr/vault-key" }, kept)
  end)

  it("leaves nothing once the backups are gone", function()
    world:as_other(function(_, session)
      for _, region in ipairs { "us-east-1", "us-west-2" } do
        local function backup(operation, params)
          return assert(session.client:call("backup", operation, params, { region = region }))
        end
        for _, vault in ipairs(backup("ListBackupVaults", {}).BackupVaultList) do
          local name = { BackupVaultName = vault.BackupVaultName }
          for _, point in ipairs(backup("ListRecoveryPointsByBackupVault", name).RecoveryPoints) do
            backup("DeleteRecoveryPoint", { BackupVaultName = name.BackupVaultName,
              RecoveryPointArn = point.RecoveryPointArn })
          end
        end
      end
    end)
    world:destroy(staging(last))
    assert.same({}, world:rows())
    for _, text in ipairs(world:census()) do
      local known = false
      for _, pattern in ipairs(REMAINS) do
        known = known or text:find(pattern)
      end
      assert.is_truthy(known, text)
    end
  end)

  it("is built again at once, under the same names", function()
    world:run(staging {}, { faults = UNAWARE })
    assert.same({}, actions {})
  end)
end)
