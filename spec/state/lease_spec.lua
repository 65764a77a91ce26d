local fs = require "host.fs"
local lease = require "infra.state.lease"
local loop = require "host.loop"
local opened = require "spec.state.opened"
local process = require "host.process"
local program = require "spec.support.program"

local new, store, others

before_each(function()
  new, others = opened(), {}
  store = assert(new.open())
end)
after_each(function()
  for _, handle in ipairs(others) do
    handle:cancel()
  end
  store:close()
  new.remove()
end)

local HOLDER <const> = [[
  local loop, runtime = require "host.loop", require("infra.runtime").real()
  local store = assert(require("infra.state.store").open(arg[1], { stack = "demo", runtime = runtime }))
  assert(require("infra.state.lease").acquire(store, "infra run"))
  while true do
    loop.wait(60)
  end
]]

-- Another process takes the lease and stays; `...` is what starts it.
local function hold(...)
  local script = new.path .. ".lua"
  assert(fs.write(script, HOLDER))
  local argv = { ... }
  table.move({ fs.real_path "/proc/self/exe", "exec", script, new.path }, 1, 4, #argv + 1, argv)
  local handle = assert(process.start { argv = argv })
  table.insert(others, handle)
  repeat
    loop.wait(0.01)
  until store.db:row("SELECT holder FROM lease").holder
  return handle
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
    hold()
    assert(store.db:run "UPDATE lease SET expires_at = 0")
    local ok, err = lease.acquire(store, "infra run")
    assert.is_nil(ok)
    assert.equal("Locked", err.code)
    assert.matches(("process %d on %s"):format(store.db:row("SELECT pid FROM lease").pid, process.hostname()),
      err.message, 1, true)
  end)

  it("of a process that died on this machine is free at once", function()
    hold():cancel()
    assert(lease.acquire(store, "infra run"))
  end)

  it("of a process whose number somebody else has now is free", function()
    hold()
    assert(store.db:run "UPDATE lease SET pid = 1")
    assert(lease.acquire(store, "infra run"))
  end)

  it("of another container on this machine holds until it runs out, whatever their processes' numbers", function()
    local enter <const> = { "unshare", "--pid", "--fork", "--kill-child", "--mount-proc" }
    if program.run({ argv = { "sh", "-c", table.concat(enter, " ") .. " true" } }).status ~= 0 then
      pending "no new process namespaces here: unshare(1) refuses"
    end
    hold(table.unpack(enter))
    local pid = store.db:row("SELECT pid FROM lease").pid -- in there
    for _, mine in ipairs { pid, process.pid() } do
      assert(store.db:run("UPDATE lease SET pid = ?", mine))
      local _, err = lease.acquire(store, "infra run")
      assert.equal("Locked", err.code)
    end
  end)

  it("of another machine holds until it runs out", function()
    assert(lease.acquire(store, "infra run"))
    assert(store.db:run("UPDATE lease SET started = 'another boot', expires_at = ?", new.runtime.time() + 5))
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
