local fs = require "host.fs"
local lease = require "infra.state.lease"
local opened = require "spec.state.opened"
local process = require "host.process"

local new, store

before_each(function()
  new = opened()
  store = assert(new.open())
end)
after_each(function()
  store:close()
  new.remove()
end)

-- As if another process held it.
local function held_by(fields)
  assert(lease.acquire(store, "infra run"))
  for name, value in pairs(fields) do
    assert(store.db:run(("UPDATE lease SET %s = ?"):format(name), value))
  end
  store.fencing_token = nil
end

local function start_of(pid)
  return fs.read(("/proc/%d/stat"):format(pid)):match("^.*%) " .. ("%S+ "):rep(19) .. "(%S+)")
end

describe("the lease", function()
  it("is taken, kept from others, and given back", function()
    assert(lease.acquire(store, "infra run"))
    local row = store.db:row "SELECT * FROM lease"
    assert.equal("infra run", row.holder)
    assert.equal(process.pid(), row.pid)
    assert.equal(store.fencing_token, row.token)
    lease.release(store)
    assert.is_nil(store.db:row("SELECT * FROM lease").holder)
  end)

  it("of a process that lives on this machine is refused, however long ago it was renewed", function()
    held_by { pid = 1, started = start_of(1), expires_at = 0 }
    local ok, err = lease.acquire(store, "infra run")
    assert.is_nil(ok)
    assert.equal("Locked", err.code)
    assert.matches("process 1 on " .. process.hostname(), err.message, 1, true)
  end)

  it("of a process that died on this machine is free at once", function()
    held_by { pid = 2 ^ 22 + 1 } -- more than Linux ever gives
    assert(lease.acquire(store, "infra run"))
  end)

  it("of a process whose number somebody else has now is free", function()
    held_by { pid = 1, started = "12" }
    assert(lease.acquire(store, "infra run"))
  end)

  it("of another machine holds until it runs out", function()
    held_by { host = "elsewhere", expires_at = new.runtime.time() + 5 }
    local _, err = lease.acquire(store, "infra run")
    assert.equal("Locked", err.code)
    new.runtime.scheduler:run(function() new.runtime.scheduler:sleep(6) end)
    assert(lease.acquire(store, "infra run"))
  end)

  it("is renewed while it is kept", function()
    assert(lease.acquire(store, "infra run"))
    local before = store.db:row("SELECT * FROM lease").expires_at
    local scheduler = new.runtime.scheduler
    store:attach(scheduler)
    scheduler:run(function()
      local keeper = scheduler:spawn(lease.keep, store, scheduler)
      scheduler:sleep(100)
      keeper:cancel()
    end)
    assert.is_true(store.db:row("SELECT * FROM lease").expires_at > before + 50)
  end)
end)

describe("who has lost the lease", function()
  it("writes nothing, and hears of it", function()
    assert(lease.acquire(store, "infra run"))
    assert(store:begin_run { command = "run", actor = "spec", version = "0" })
    local other = assert(new.open())
    assert(other.db:run "UPDATE lease SET host = 'elsewhere', expires_at = 0")
    assert(lease.acquire(other, "infra run"))
    store:put_outputs { a = 1 }
    local ok, err = store:commit()
    assert.is_nil(ok)
    assert.equal("LeaseLost", err.code)
    store:put_outputs { b = 2 }
    assert.equal("LeaseLost", select(2, store:commit()).code)
    assert.equal("LeaseLost", select(2, store:begin_run { command = "run", actor = "spec", version = "0" }).code)
    assert.same({}, other:outputs())
    assert.equal(1, #other:runs())
    lease.release(store) -- does not free the other's
    assert.equal("infra run", other.db:row("SELECT * FROM lease").holder)
    other:close()
  end)
end)
