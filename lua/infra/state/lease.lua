-- One writer at a time: a lease in the state database with a fencing token. A holder that died frees itself: at once
-- when it ran on this machine, else when the lease runs out. Readers need no lease. Used by infra.session.

local errors = require "infra.errors"
local process = require "host.process"

local lease = {}

-- A holder renews three times in this time; a machine that vanished blocks others for no longer.
local SECONDS <const> = 60

local function is_dead(row, now)
  if row.holder == nil then
    return true
  elseif row.host == process.hostname() then
    return row.pid == process.pid() or not process.alive(row.pid)
  end
  return row.expires_at < now
end

--- Takes the lease of `store` for `holder` (a name for people). Returns true, or nil and an error that names the holder.
function lease.acquire(store, holder)
  local now = store.runtime.time()
  return store.db:transaction(function()
    local row, err = store.db:row("SELECT * FROM lease WHERE id = 1")
    if not row then
      return nil, err
    elseif not is_dead(row, now) then
      return errors.fail { code = "Locked", message = ("%s is in use by %s (process %d on %s)"):format(store.path,
        row.holder, row.pid, row.host), hint = "wait for it to finish; if that machine is gone, the lock ends by itself " ..
        ("within %d s"):format(SECONDS) }
    end
    local ok
    ok, err = store.db:run("UPDATE lease SET token = token + 1, holder = ?, host = ?, pid = ?, expires_at = ? WHERE id = 1",
      holder, process.hostname(), process.pid(), now + SECONDS)
    if not ok then
      return nil, err
    end
    store.fencing_token = row.token + 1
    return true
  end)
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
    store.db:run("UPDATE lease SET holder = NULL, host = NULL, pid = NULL, expires_at = NULL WHERE id = 1 AND token = ?",
      store.fencing_token)
    store.fencing_token = nil
  end
end

return lease
