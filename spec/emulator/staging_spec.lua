-- The layers of the staging stack on an emulator that others wrote (spec/stacks/emulator.lua says what it lacks), with
-- the built program, as an operator would use it: built, unchanged, changed, drifted by another client, repaired,
-- destroyed.

local fs = require "host.fs"
local json = require "host.json"
local moto = require "spec.support.moto"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local INFRA = fs.real_path "/proc/self/exe"

describe("the layers of the staging stack on moto", function()
  if not moto.installed() then
    pending(moto.MISSING)
    return
  end

  local server, environment
  local directory, remove = temporary()
  local original = assert(fs.read "spec/stacks/emulator.lua")
  local stack, state = directory .. "/staging.lua", directory .. "/staging.db"

  local function infra(...)
    return program.run { argv = { INFRA, ... }, environment = environment }
  end

  -- Runs the stack with one piece of its text replaced.
  local function run(old, new)
    local text, count = original:gsub(old or "", (new or ""):gsub("%%", "%%%%"), old and 1 or 0)
    assert.equal(old and 1 or 0, count)
    assert(fs.write(stack, text))
    local event = infra("run", stack, "--yes", "--state", state)
    assert.equal(0, event.status, event.stdout .. event.stderr)
    return event.stdout
  end

  local function aws(...)
    local event = infra("aws", ...)
    assert.equal(0, event.status, event.stderr)
    return assert(json.decode(event.stdout))
  end

  local function plan()
    local event = infra("plan", stack, "--json", "--state", state)
    assert.equal(0, event.status, event.stderr)
    return assert(json.decode(event.stdout))
  end

  setup(function()
    server = moto.start()
    environment = {
      AWS_ENDPOINT_URL = server.url, AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_CONFIG_FILE =
      "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_DEFAULT_REGION = "us-east-1",
    }
  end)

  teardown(function()
    server.stop()
    remove()
  end)

  it("is built in one run, and a second run changes nothing", function()
    assert.matches("%d+ created in", run())
    assert.matches("nothing changed", run())
  end)

  it("replaces a subnet whose range changes, with what hangs on it", function()
    local range = 'cidr = "10.20.0.0/16"'
    local moved = { range, range .. ', public_cidrs = { "10.20.0.0/24", "10.20.9.0/24" }' }
    local out = run(table.unpack(moved))
    assert.matches("forces replacement", out)
    assert.matches("2 created, 2 deleted", out)
    assert.matches("nothing changed", run(table.unpack(moved)))
    run()
  end)

  it("changes a tag in place", function()
    run('owner = "platform"', 'owner = "somebody"')
    local vpcs = aws("ec2", "DescribeVpcs", "Filters.1.Name=tag:Owner", "Filters.1.Values.1=somebody").Vpcs
    assert.equal(1, #vpcs)
    run()
  end)

  it("sees and repairs what another client changed", function()
    if not moto.has "aws" then
      pending "the AWS CLI is not in PATH: drift by another client is not checked"
      return
    end
    local outputs = json.decode(infra("output", stack, "--json", "--state", state).stdout)
    local cli = { "aws", "--endpoint-url", server.url }
    local function other(...)
      local argv = table.move({ ... }, 1, select("#", ...), #cli + 1, { table.unpack(cli) })
      local event = program.run { argv = argv, environment = environment }
      assert.equal(0, event.status, event.stderr)
    end
    other("ec2", "modify-vpc-attribute", "--vpc-id", outputs.vpc, "--no-enable-dns-hostnames")
    other("s3api", "delete-bucket-policy", "--bucket", outputs.frontend_bucket)
    other("logs", "delete-retention-policy", "--log-group-name",
      "/aws/rds/cluster/apprentice-final-staging-aurora/postgresql")
    other("ssm", "delete-parameter", "--name", "/apprentice-final/staging/LOG_LEVEL")
    local counts = plan().counts
    assert.same({ 2, 2 }, { counts.create, counts.update })
    run()
    assert.equal(0, plan().counts.update + plan().counts.create)
  end)

  it("leaves nothing when it is destroyed", function()
    local event = infra("destroy", stack, "--yes", "--state", state)
    assert.equal(0, event.status, event.stdout .. event.stderr)
    local mine = { "Filters.1.Name=tag:ManagedBy", "Filters.1.Values.1=infra" }
    assert.same({}, aws("ec2", "DescribeVpcs", table.unpack(mine)).Vpcs)
    assert.same({}, aws("ec2", "DescribeAddresses", table.unpack(mine)).Addresses)
    assert.same({}, aws("iam", "ListRoles").Roles)
    assert.same({}, aws("s3", "ListBuckets").Buckets)
    assert.same({}, aws("logs", "DescribeLogGroups").logGroups)
    assert.same({}, aws("sns", "ListTopics").Topics)
  end)
end)
