-- The state database: what exists, what was done, what is intended, and who may write. Opened by infra.session for
-- commands that need it; written by engine/apply and engine/journal only.
--
-- Writes are queued and committed together, once per turn of the loop, so that a hundred resources that become ready
-- at the same moment cost one fsync. `sync` makes a task wait for that commit. Each commit first checks that this
-- process still holds the lease: one that lost it (a laptop that slept, say) writes nothing.

local errors = require "infra.errors"
local json = require "host.json"
local crypto = require "host.crypto"
local fs = require "host.fs"
local sqlite = require "host.sqlite"
local migrations = require "infra.state.migrations"

local Store = {}
Store.__index = Store

local function decode_row(row)
  for _, column in ipairs { "identity", "properties", "attributes", "dependencies", "options" } do
    row[column] = row[column] and json.decode(row[column])
  end
  return row
end

local function named(db, key, make)
  local row, err = db:row("SELECT value FROM meta WHERE key = ?", key)
  if row or err then
    return row and row.value, err
  end
  local value = make()
  local ok
  ok, err = db:run("INSERT INTO meta (key, value) VALUES (?, ?)", key, value)
  return ok and value, err
end

-- Journal mode and durability: readers never wait for the writer (WAL), a commit is on the disk when it returns (FULL).
local PRAGMAS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"

--- Opens the state at `path`. options: readonly; stack = name it must belong to; runtime (time, random). Returns a store,
--- or nil and an error. A readonly store of a file that does not exist is empty.
function Store.open(path, options)
  local self = setmetatable({ path = path, runtime = options.runtime, queue = {}, waiting = {} }, Store)
  local exists = fs.stat(path) ~= nil
  if options.readonly and not exists then
    self.empty = true
    return self
  end
  if not exists then
    local ok, err = fs.mkdir(path:match("^(.*)/[^/]*$") or ".")
    if not ok then
      return nil, err
    end
  end
  local err
  self.db, err = sqlite.open(path, { mode = options.readonly and "ro" or "rwc" })
  if not self.db then
    return errors.fail { code = "StateError", message = ("cannot open the state %s: %s"):format(path, err.message) }
  end
  self.db:busy_timeout(5000)
  local ready
  ready, err = migrations.apply(self.db, path, options.readonly)
  if ready == nil then
    self.db:close()
    return nil, err
  elseif ready == false then
    self.empty = true
    return self
  end
  if not options.readonly then
    local ok
    ok, err = self.db:script(PRAGMAS)
    if not ok then
      return nil, err
    end
  end
  return self:check_stack(options)
end

-- A state belongs to one stack, and has a key of its own for digests of secrets.
function Store:check_stack(options)
  local function from_random()
    return crypto.hex(self.runtime.random(16))
  end
  local owner = self.db:row("SELECT value FROM meta WHERE key = 'stack'")
  if owner and options.stack and owner.value ~= options.stack then
    return errors.fail { code = "OtherStack", message = ("%s is the state of the stack '%s', not of '%s'"):format(
      self.path, owner.value, options.stack), hint = "name another file with --state" }
  end
  if options.readonly then
    local key = self.db:row("SELECT value FROM meta WHERE key = 'digest_key'")
    self.digest_key = key and key.value
    return self
  end
  local err
  self.digest_key, err = named(self.db, "digest_key", from_random)
  if not err then
    self.lineage, err = named(self.db, "lineage", from_random)
  end
  if not err and options.stack then
    local _
    _, err = named(self.db, "stack", function() return options.stack end)
  end
  if err then
    return nil, err
  end
  return self
end

local function all(self, sql, ...)
  if self.empty then
    return {}
  end
  return self.db:all(sql, ...)
end

-- -- reading ----------------------------------------------------------------------------------------------------------

--- The name of the stack that the state belongs to, or nil.
function Store:stack()
  local rows = all(self, "SELECT value FROM meta WHERE key = 'stack'")
  return rows[1] and rows[1].value
end

--- Identifies the state and its contents: a saved plan is good for this serial only.
function Store:serial()
  local lineage = all(self, "SELECT value FROM meta WHERE key = 'lineage'")[1]
  local last = all(self, "SELECT max(id) AS id FROM history")[1]
  return (lineage and lineage.value or "new") .. ":" .. tostring(last and last.id or 0)
end

--- All resource rows in order of address, JSON columns decoded; or nil and an error.
function Store:resources()
  local rows, err = all(self, "SELECT * FROM resource ORDER BY address, updated_at")
  if not rows then
    return nil, err
  end
  for _, row in ipairs(rows) do
    decode_row(row)
  end
  return rows
end

--- { name = value } of the stack's outputs.
function Store:outputs()
  local outputs = {}
  for _, row in ipairs(all(self, "SELECT name, value FROM output")) do
    outputs[row.name] = json.decode(row.value)
  end
  return outputs
end

--- Runs, newest first, at most `limit`.
function Store:runs(limit)
  return all(self, "SELECT * FROM run ORDER BY id DESC LIMIT ?", limit or 20)
end

--- History rows, oldest first: of one `address`, of one `run`, or all.
function Store:history(filter)
  if filter.address then
    return all(self, "SELECT * FROM history WHERE address = ? ORDER BY id", filter.address)
  elseif filter.run then
    return all(self, "SELECT * FROM history WHERE run = ? ORDER BY id", filter.run)
  end
  return all(self, "SELECT * FROM history ORDER BY id")
end

--- Usual seconds of `action` on `type`, from this stack's own history, or nil.
function Store:usual_seconds(resource_type, action)
  local rows = all(self, "SELECT avg(seconds) AS seconds FROM (SELECT seconds FROM history WHERE type = ? AND action = ? " ..
    "AND outcome = 'done' ORDER BY id DESC LIMIT 5)", resource_type, action)
  return rows and rows[1] and rows[1].seconds
end

--- Intents without a recorded answer.
function Store:open_intents()
  return all(self, "SELECT * FROM intent WHERE closed_at IS NULL ORDER BY id")
end

--- The id of the newest intent, 0 when there is none.
function Store:last_intent()
  return all(self, "SELECT coalesce(max(id), 0) AS id FROM intent")[1].id
end

-- -- writing ----------------------------------------------------------------------------------------------------------

--- Queues a statement for the commit of this turn.
function Store:write(sql, ...)
  self.queue[#self.queue + 1] = table.pack(sql, ...)
end

--- Commits what is queued, if this process still holds the lease. Returns true, or nil and an error (nothing written).
function Store:commit()
  if #self.queue == 0 then
    return true
  end
  local queue = self.queue
  self.queue = {}
  return self.db:transaction(function()
    local lease = self.db:row("SELECT token FROM lease WHERE id = 1")
    if not (lease and lease.token == self.fencing_token) then
      return errors.fail { code = "LeaseLost", message = "another process has taken over the state " .. self.path,
        hint = "let it finish, then run again" }
    end
    for _, statement in ipairs(queue) do
      local ok, err = self.db:run(table.unpack(statement, 1, statement.n))
      if not ok then
        return nil, err
      end
    end
    return true
  end)
end

--- Commits at the end of every turn of `scheduler` from now on, and wakes the tasks that wait in sync.
function Store:attach(scheduler)
  self.scheduler = scheduler
  scheduler:at_turn_end(function()
    if #self.queue == 0 and #self.waiting == 0 then
      return
    end
    local waiting = self.waiting
    self.waiting = {}
    local ok, err = self:commit()
    self.commit_error = self.commit_error or err
    for _, task in ipairs(waiting) do
      scheduler:wake(task, ok, err)
    end
  end)
end

--- Waits until everything queued so far is on the disk. Yields. Returns true, or nil and an error.
function Store:sync()
  if self.commit_error then
    return nil, self.commit_error
  end
  table.insert(self.waiting, self.scheduler:current())
  return self.scheduler:suspend()
end

--- Queues a resource row, replacing the one of the same generation.
function Store:put_resource(row)
  self:write("REPLACE INTO resource (address, token, type, status, region, account, identity, properties, attributes, " ..
    "dependencies, options, source, run, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    row.address, row.token, row.type, row.status, row.region, row.account, row.identity and json.encode(row.identity),
    json.encode(row.properties), json.encode(row.attributes), json.encode(json.array(row.dependencies)),
    json.encode(row.options), row.source, self.run, self.runtime.time())
end

--- Queues the removal of a resource row.
function Store:delete_resource(row)
  self:write("DELETE FROM resource WHERE address = ? AND token = ?", row.address, row.token)
end

--- Queues a history entry { address, type, action, outcome, seconds, detail = table }.
function Store:add_history(entry)
  self:write("INSERT INTO history (run, address, type, action, outcome, seconds, at, detail) VALUES (?,?,?,?,?,?,?,?)",
    self.run, entry.address, entry.type, entry.action, entry.outcome, entry.seconds, self.runtime.time(),
    json.encode(entry.detail))
end

--- Queues an intent (see engine/journal).
function Store:add_intent(id, intent)
  self:write("INSERT INTO intent (id, run, address, action, service, operation, region, token, digest, opened_at) " ..
    "VALUES (?,?,?,?,?,?,?,?,?,?)", id, self.run, intent.address, intent.action, intent.service, intent.operation,
    intent.region, intent.token, intent.digest, self.runtime.time())
end

--- Queues the answer of an intent: `code` is AWS's error code, nil for success.
function Store:close_intent(id, code)
  self:write("UPDATE intent SET closed_at = ?, error = ? WHERE id = ?", self.runtime.time(), code, id)
end

--- Queues the end of what earlier runs left open: the plan of this run has looked at everything they touched.
function Store:close_abandoned()
  self:write("UPDATE intent SET closed_at = ?, error = 'Abandoned' WHERE closed_at IS NULL AND run < ?",
    self.runtime.time(), self.run)
  self:write("UPDATE run SET finished_at = ?, outcome = 'crashed' WHERE finished_at IS NULL AND id < ?",
    self.runtime.time(), self.run)
end

--- Replaces all outputs.
function Store:put_outputs(outputs)
  self:write("DELETE FROM output")
  for name, value in pairs(outputs) do
    self:write("INSERT INTO output (name, value) VALUES (?, ?)", name, json.encode(value))
  end
end

--- Starts a run: its id is on every row it writes. Needs the lease.
function Store:begin_run(fields)
  local ok, err = self.db:run("INSERT INTO run (command, actor, version, started_at) VALUES (?,?,?,?)", fields.command,
    fields.actor, fields.version, self.runtime.time())
  if not ok then
    return nil, err
  end
  self.run = self.db:last_id()
  return self.run
end

--- Ends the run and commits.
function Store:end_run(outcome, summary)
  self:write("UPDATE run SET finished_at = ?, outcome = ?, summary = ? WHERE id = ?", self.runtime.time(), outcome,
    json.encode(summary), self.run)
  return self:commit()
end

function Store:close()
  if self.db then
    self.db:close()
  end
end

return Store
