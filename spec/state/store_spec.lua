local errors = require "infra.errors"
local lease = require "infra.state.lease"
local merged = require "infra.merged"
local opened = require "spec.state.opened"
local sqlite = require "host.sqlite"

local new, store

before_each(function()
  new = opened()
  store = assert(new.open())
  assert(lease.acquire(store, "infra run"))
  assert(store:begin_run { command = "run", actor = "spec", version = "0" })
end)
after_each(function()
  store:close()
  new.remove()
end)

local function row(fields)
  return merged({
    address = "net/vpc", token = "t1", type = "AWS::EC2::VPC", status = "ready", region = "us-east-1",
    account = "123456789012", identity = { VpcId = "vpc-1" }, properties = { Tags = { a = "b" }, List = {} },
    attributes = {}, dependencies = { "a", "b" }, options = { protect = true }, source = "stack.lua:1",
  }, fields)
end

-- Runs fn with the store attached to a scheduler, and returns how many transactions that took.
local function transactions(fn)
  local scheduler, count = new.runtime.scheduler, 0
  store:attach(scheduler)
  local db = store.db
  local guarded = store.guarded
  function store.guarded(...)
    count = count + 1
    return guarded(...)
  end
  scheduler:run(fn, scheduler, db)
  store.guarded = nil
  return count
end

describe("a full disk", function()
  it("is named with the file and what helps, and nothing more is written", function()
    local db = store.db
    assert(db:script(("PRAGMA max_page_count = %d"):format(db:row("PRAGMA page_count").page_count)))
    for i = 1, 2 do
      store:put_resource(row { address = "net/" .. i, properties = { Text = ("x"):rep(100000) } })
      local ok, err = store:commit()
      assert.is_nil(ok)
      assert.equal("StateError", err.code)
      assert.matches("cannot use the state " .. new.path .. ": database or disk is full", err.message, 1, true)
      assert.matches("make room", err.hint)
    end
    assert.same({}, store:resources())
  end)
end)

describe("a state", function()
  it("belongs to the AWS that its first writer saw", function()
    assert(new.open { aws = "AWS" }):close()
    assert(new.open { aws = "AWS", readonly = true }):close()
    for _, readonly in ipairs { false, true } do
      local _, err = new.open { aws = "the simulated AWS", readonly = readonly }
      assert.equal("OtherAWS", err.code)
      assert.matches("is the state of what is on AWS, not on the simulated AWS", err.message)
    end
    assert(new.open { readonly = true }):close()
  end)
end)

describe("a state that cannot be written", function()
  -- As a user without the rights would see it; the specs may be run by one who has all of them.
  local open = sqlite.open
  before_each(function()
    store:put_resource(row())
    assert(store:commit())
    store:close()
    function sqlite.open(path, options)
      if options.mode == "ro" then
        return nil, errors.new { code = "SQLITE_READONLY", message = "attempt to write a readonly database" }
      end
      return open(path, options)
    end
  end)
  after_each(function()
    sqlite.open = open
  end)

  it("can be read, as long as all of it is in its file", function()
    local reader = assert(new.open { readonly = true })
    assert.equal("net/vpc", reader:resources()[1].address)
    assert.is_nil(reader.db:run "DELETE FROM resource")
    reader:close()
  end)

  it("is refused when a run has more beside it", function()
    local writer <close> = assert(open(new.path, { mode = "rw" }))
    assert(writer:run "UPDATE resource SET status = 'deleting'")
    local _, err = new.open { readonly = true }
    assert.equal("StateError", err.code)
    assert.matches("write access", err.hint)
  end)
end)

describe("a resource row", function()
  it("comes back as it was", function()
    store:put_resource(row())
    local interrupted = row { address = "a", token = "t2", status = "creating" }
    interrupted.identity = nil
    store:put_resource(interrupted)
    assert(store:commit())
    local rows = store:resources()
    assert.same({ "a", "net/vpc" }, { rows[1].address, rows[2].address })
    for name, value in pairs(row()) do
      assert.same(value, rows[2][name])
    end
    assert.is_nil(rows[1].identity)
    assert.equal(store.run, rows[2].run)
  end)

  it("replaces that of the same generation only", function()
    store:put_resource(row { status = "replaced" })
    store:put_resource(row { token = "t2" })
    store:put_resource(row { token = "t2", status = "deleting" })
    assert(store:commit())
    local rows = store:resources()
    assert.equal(2, #rows)
    store:delete_resource(row { token = "t2" })
    assert(store:commit())
    assert.equal("t1", store:resources()[1].token)
  end)

  it("knows when the newest request left of which no answer came", function()
    store:put_resource(row())
    store:add_intent(1, { address = "net/vpc", action = "create", service = "ec2", operation = "CreateVpc",
      region = "us-east-1", token = "t1", digest = "d" })
    assert(store:commit())
    assert.equal(new.runtime.time(), store:resources()[1].intended_at)
    assert.equal(1, store:last_intent())
    store:close_intent(1, "Refused")
    assert(store:commit())
    assert.is_nil(store:resources()[1].intended_at)
  end)
end)

describe("writes", function()
  it("of one turn share one transaction", function()
    local count = transactions(function(scheduler)
      local jobs = {}
      for i = 1, 50 do
        jobs[i] = function()
          store:put_resource(row { address = "r" .. i })
          assert(store:sync())
        end
      end
      scheduler:all(jobs)
    end)
    assert.equal(1, count)
    assert.equal(50, #store:resources())
  end)

  it("are on the disk when sync returns", function()
    transactions(function()
      store:put_resource(row())
      assert.same({}, store:resources())
      assert(store:sync())
      local reader = assert(new.open { readonly = true })
      assert.equal(1, #reader:resources())
      reader:close()
    end)
  end)

  it("after one that failed are not done at all", function()
    transactions(function()
      store:write("INSERT INTO nowhere VALUES (1)")
      store:put_resource(row())
      local ok, err = store:sync()
      assert.is_nil(ok)
      assert.is_not_nil(err.code)
      store:put_resource(row())
      assert.same({ nil, err }, { store:sync() })
    end)
    assert.same({}, store:resources())
    assert.is_nil(store:end_run("done", {}))
  end)
end)

describe("history", function()
  it("is kept, by run and by address, and tells usual durations", function()
    for i = 1, 7 do
      store:add_history { address = "a", type = "T", action = "create", outcome = "done", seconds = i, detail = {} }
    end
    store:add_history { address = "b", type = "T", action = "create", outcome = "failed", seconds = 900, detail = {} }
    assert(store:end_run("done", { done = 7 }))
    assert.equal(7, #store:history { address = "a" })
    assert.equal(8, #store:history { run = store.run })
    assert.equal(8, #store:history {})
    assert.equal(5, store:usual_seconds("T", "create")) -- of the last five that succeeded
    assert.is_nil(store:usual_seconds("T", "delete"))
    assert.equal("done", store:runs()[1].outcome)
  end)

  it("changes the serial", function()
    local before = store:serial()
    store:add_history { address = "a", type = "T", action = "create", outcome = "done", seconds = 1, detail = {} }
    assert(store:commit())
    assert.is_not_equal(before, store:serial())
  end)

  it("says of runs that never ended that they crashed", function()
    store:add_intent(1, { address = "a", action = "create", service = "s", operation = "o", region = "r", token = "t",
      digest = "d" })
    assert(store:commit())
    assert(store:begin_run { command = "run", actor = "spec", version = "0" })
    store:close_abandoned()
    assert(store:commit())
    assert.equal("crashed", store:runs()[2].outcome)
    assert.is_nil(store:runs()[1].outcome)
    assert.same({}, store.db:all "SELECT id FROM intent WHERE closed_at IS NULL")
  end)
end)

describe("outputs", function()
  it("are replaced as a whole", function()
    store:put_outputs { a = { 1, 2 }, b = "x" }
    assert(store:commit())
    assert.same({ a = { 1, 2 }, b = "x" }, store:outputs())
    store:put_outputs { c = true }
    assert(store:commit())
    assert.same({ c = true }, store:outputs())
  end)
end)

describe("readers", function()
  it("do not wait for the writer", function()
    store:put_resource(row())
    assert(store:commit())
    store.db:transaction(function()
      store.db:run "DELETE FROM resource"
      local reader = assert(new.open { readonly = true })
      assert.equal(1, #reader:resources())
      reader:close()
      return true
    end)
  end)
end)
