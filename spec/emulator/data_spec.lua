-- The layer data on an emulator that others wrote, with the built program: built, unchanged, changed, destroyed. moto
-- has no serverless caches: the layer is without its cache here.

local fs = require "host.fs"
local json = require "host.json"
local moto = require "spec.support.moto"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local INFRA = fs.real_path "/proc/self/exe"

local STACK <const> = [[
local infra = require "infra"
return infra.stack {
  project = "demo", environment = "test", region = "us-east-1",
  options = { most = infra.default(4, "ACU"), readers = infra.default(1, "instances beside the writer") },
  build = function(stack, options)
    local network = stack:layer("network", { nat = "none" })
    local security = stack:layer("security", { vpc = network.vpc })
    local data = stack:layer("data", {
      domain = "example.com", network = network, security = security, cache = false, acu = { 0.5, options.most },
      readers = options.readers,
    })
    stack:output("host", data.cluster.Endpoint.Address)
  end,
}
]]

describe("the layer data on moto", function()
  if not moto.installed() then
    pending(moto.MISSING)
    return
  end

  local server, environment
  local directory, remove = temporary()
  local stack, state = directory .. "/stack.lua", directory .. "/stack.db"
  assert(fs.write(stack, STACK))

  local function infra(...)
    local event = program.run { argv = { INFRA, ... }, environment = environment }
    assert.equal(0, event.status, event.stdout .. event.stderr)
    return event.stdout
  end

  local function run(...)
    return infra("run", stack, "--yes", "--state", state, ...)
  end

  local function aws(...)
    return assert(json.decode(infra("aws", ...)))
  end

  setup(function()
    server = moto.start()
    environment = {
      AWS_ENDPOINT_URL = server.url, AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test",
      AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_DEFAULT_REGION = "us-east-1",
    }
  end)

  teardown(function()
    server.stop()
    remove()
  end)

  it("is built in one run, without its password in the state, and a second run changes nothing", function()
    assert.matches("%d+ created in", run())
    assert.matches("nothing changed", run())
    local secret = aws("secretsmanager", "GetSecretValue", "SecretId=demo-test/aurora").SecretString
    local password = json.decode(secret).password
    assert.equal(32, #password)
    for _, suffix in ipairs { "", "-wal" } do
      assert.is_nil((fs.read(state .. suffix) or ""):find(password, 1, true))
    end
  end)

  it("is changed in place, and loses a reader", function()
    assert.matches("1 updated, 1 deleted", run("--set", "most=8", "--set", "readers=0"))
    local cluster = aws("rds", "DescribeDBClusters").DBClusters[1]
    assert.equal(8, cluster.ServerlessV2ScalingConfiguration.MaxCapacity)
    assert.equal(1, #cluster.DBClusterMembers)
  end)

  it("leaves nothing when it is destroyed", function()
    infra("destroy", stack, "--yes", "--state", state)
    assert.same({}, aws("rds", "DescribeDBClusters").DBClusters)
    assert.same({}, aws("rds", "DescribeDBInstances").DBInstances)
    assert.same({}, aws("secretsmanager", "ListSecrets").SecretList)
    assert.same({}, aws("ssm", "DescribeParameters").Parameters)
  end)
end)
