local caller = require "spec.sim.caller"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local Store = require "infra.sim.store"

local function keys_of(view, kind)
  local keys = {}
  for key in view:each(kind) do
    keys[#keys + 1] = key
  end
  return keys
end

describe("infra.sim.store", function()
  local directory, remove = temporary()
  teardown(remove)

  local function path(name)
    return directory .. "/" .. name
  end

  it("keeps objects by kind and key, apart for each scope", function()
    local store = Store.open()
    local here, there = store:view("ec2", "1", "us-east-1"), store:view("ec2", "1", "us-west-2")
    here:put("vpc", "vpc-1", { CidrBlock = "10.0.0.0/16" })
    assert.equal("10.0.0.0/16", here:get("vpc", "vpc-1").CidrBlock)
    assert.is_nil(there:get("vpc", "vpc-1"))
    assert.is_nil(here:get("subnet", "vpc-1"))
    assert.equal("10.0.0.0/16", store:view("ec2", "1", "us-east-1"):delete("vpc", "vpc-1").CidrBlock)
    assert.is_nil(here:get("vpc", "vpc-1"))
    assert.is_nil(here:delete("vpc", "vpc-1"))
  end)

  it("iterates in the order of keys, whatever happens meanwhile", function()
    local view = Store.open():view("s3", "1")
    for _, key in ipairs { "c", "a", "d", "b" } do
      view:put("bucket", key, { name = key })
    end
    assert.same({ "a", "b", "c", "d" }, keys_of(view, "bucket"))
    local seen = {}
    for key in view:each("bucket") do
      seen[#seen + 1] = key
      view:delete("bucket", "c")
      view:put("bucket", "z", {})
    end
    assert.same({ "a", "b", "d" }, seen)
    assert.same({ "a", "b", "d", "z" }, keys_of(view, "bucket"))
  end)

  it("tells what changed since it was last flushed", function()
    local store = Store.open()
    store:view("ec2", "1", "us-east-1"):put("vpc", "vpc-1", { id = 1 })
    store:view("iam", "1"):put("role", "r", {})
    assert(store:flush())
    assert.same({}, store:changes())
    store:view("ec2", "1", "us-east-1"):put("vpc", "vpc-1", { id = 2 })
    store:view("iam", "1"):delete("role", "r")
    local changes = store:changes()
    table.sort(changes, function(one, other) return one.kind < other.kind end)
    assert.same({
      { scope = { "iam", "1" }, kind = "role", key = "r" },
      { scope = { "ec2", "1", "us-east-1" }, kind = "vpc", key = "vpc-1", object = { id = 2 } },
    }, changes)
  end)

  it("knows how old an object is, through changes of it", function()
    local store = Store.open()
    local view = store:view("iam", "1")
    store.time = 100
    view:put("role", "r", {})
    store.time = 107
    view:put("role", "r", { changed = true })
    assert.equal(7, view:age("role", "r"))
    assert.is_nil(view:age("role", "other"))
    view:delete("role", "r")
    view:put("role", "r", {})
    assert.equal(0, view:age("role", "r"))
  end)

  it("keeps an account in a file from one run to the next", function()
    local store = assert(Store.open { path = path "account" })
    store.time = 1704070000.5
    local view = store:view("ec2", "1", "us-east-1")
    view:put("vpc", "vpc-1", { Tags = { { Key = "Name", Value = "ä" } }, IsDefault = false, list = {} })
    view:put("vpc", "vpc-2", {})
    assert(store:flush())
    view:delete("vpc", "vpc-2")
    view:get("vpc", "vpc-1").IsDefault = true -- not put: may be lost
    local last = store:next()
    store:close()
    store:close()

    local again <close> = assert(Store.open { path = path "account" })
    assert.equal(1704070000.5, again.time)
    assert.equal(last + 1, again:next())
    view = again:view("ec2", "1", "us-east-1")
    assert.same({ "vpc-1" }, keys_of(view, "vpc"))
    assert.same({ { Key = "Name", Value = "ä" } }, view:get("vpc", "vpc-1").Tags)
  end)

  it("belongs to one process at a time", function()
    local store <close> = assert(Store.open { path = path "shared" })
    local ended = program.run {
      argv = { "sqlite3", path "shared", "SELECT time FROM account" },
    }
    assert.matches("locked", ended.stderr)
    local second, err = Store.open { path = path "shared" }
    assert.is_nil(second)
    assert.equal("SimulatorInUse", err.code)
    assert.matches("in use by another process", err.message)
    store:close()
    local third <close> = assert(Store.open { path = path "shared" })
    assert.equal(0, third.time)
  end)

  it("refuses a file that is something else", function()
    local file = assert(io.open(path "text", "w"))
    file:write(("not a database "):rep(100))
    file:close()
    local store, err = Store.open { path = path "text" }
    assert.is_nil(store)
    assert.equal("NoSimulator", err.code)
    assert.matches(path "text" .. ": file is not a database", err.message, 1, true)
    assert.matches("remove the file", err.hint)
  end)

  it("lets a second simulation go on where the first ended", function()
    local created
    local first = assert(Store.open { path = path "simulation" })
    caller.run({ store = first }, function(call, _, world)
      created = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc
      world.scheduler:sleep(3600)
      assert(call("ec2", "DescribeVpcs"))
    end)
    first:close()

    local second <close> = assert(Store.open { path = path "simulation" })
    assert.is_true(second.time > 1704067200 + 3600)
    caller.run({ store = second, time = second.time }, function(call, sim)
      assert.is_true(sim:now() >= second.time)
      local found = assert(call("ec2", "DescribeVpcs", { VpcIds = { created.VpcId } })).Vpcs[1]
      assert.equal("available", found.State)
      assert.not_equal(created.VpcId, assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId)
    end)
  end)

  it("does not let time go back when the next run begins earlier", function()
    local store = Store.open()
    store.time = 1704067200 + 7200
    caller.run({ store = store }, function(call, sim)
      assert.is_true(sim:now() >= 1704067200 + 7200)
      local _, err, response = call("ec2", "DescribeVpcs")
      assert.equal("RequestExpired", err.code)
      assert.matches("02:00:0%d GMT$", response.headers.date)
    end)
  end)
end)
