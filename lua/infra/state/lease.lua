-- One writer at a time: a lease in the state database with a fencing token. A holder that died frees itself: at once
-- when it ran on this machine and in this container, else when the lease runs out. Readers need no lease. Used by
-- infra.deployment and infra.interruptible.

local errors = require "infra.errors"
local fs = require "host.fs"
local migrations = require "infra.state.migrations"
local process = require "host.process"

local lease = {}

-- A holder renews three times in this time; a machine that vanished blocks others for no longer.
local SECONDS <const> = 60

-- When the process started, as text that no later process with its number has: proc(5), field 22 of stat. Nil when
-- there is no such process.
local function start_of(pid)
  local stat = fs.read(("/proc/%d/stat"):format(pid))
  local after_name = stat and stat:match("^.*%) (.*)$")
  return after_name and after_name:match("^" .. ("%S+ "):rep(19) .. "(%S+)")
end

-- Where numbers of processes mean what they mean here: this boot of the kernel, and this container, as far as its first
-- process tells. Host names do not: containers share them.
local function here()
  local boot = fs.read "/proc/sys/kernel/random/boot_id" or ""
  return ("%s %s "):format(boot:gsub("%s", ""), start_of(1))
end

local function is_free(row, now)
  local place = here()
  if row.holder == nil then
    return true
  elseif row.started and row.started:sub(1, #place) == place then
    return row.pid == process.pid() or start_of(row.pid) ~= row.started:sub(#place + 1)
  end
  return row.expires_at < now
end

--- Takes the lease of `store` for `holder` (a name for people). Returns true, or nil and an error that names the
--- holder.
function lease.acquire(store, holder)
  local now = store.runtime.time()
  local taken, refused = store.db:transaction(function()
    local row, err = store.db:row("SELECT * FROM lease WHERE id = 1")
    if not row then
      return nil, err
    elseif not is_free(row, now) then
      return errors.fail { code = "Locked", message = ("%s is in use by %s (process %d on %s)"):format(store.path,
        row.holder, row.pid, row.host), hint = ("wait for it to finish; if that process is gone, the lock ends by "
        .. "itself within %d s"):format(SECONDS) }
    end
    local ok
    local pid = process.pid()
    ok, err = store.db:run("UPDATE lease SET token = token + 1, holder = ?, host = ?, pid = ?, started = ?, "
      .. "expires_at = ? WHERE id = 1", holder, process.hostname(), pid, here() .. start_of(pid), now + SECONDS)
    if not ok then
      return nil, err
    end
    store.fencing_token = row.token + 1
    return true
  end)
  return taken, refused and migrations.refusal(store.path, refused)
end

--- Renews the lease until the task that runs this is cancelled.
function lease.keep(store, scheduler)
  while true do
    scheduler:sleep(SECONDS / 3)
    store:write("UPDATE lease SET expires_at = ? WHERE id = 1", store.runtime.time() + SECONDS)
  end
end

--- Gives the lease back.
function lease.release(store)
  if store.fencing_token then
    store.db:run("UPDATE lease SET holder = NULL, host = NULL, pid = NULL, started = NULL, expires_at = NULL "
      .. "WHERE id = 1 AND token = ?", store.fencing_token)
    store.fencing_token = nil
  end
end

return lease
