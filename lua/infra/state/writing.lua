-- What the state database is told: methods of infra.state.store. Except for begin_run and end_run they queue, and what
-- they say is on the disk after the turn's commit. All need the lease.

local json = require "host.json"

local writing = {}

local PUT_RESOURCE <const> = "REPLACE INTO resource (address, token, type, status, region, account, identity, "
  .. "properties, attributes, dependencies, options, source, run, updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
local ADD_HISTORY <const> = "INSERT INTO history (run, address, type, action, outcome, seconds, at, detail) "
  .. "VALUES (?,?,?,?,?,?,?,?)"
local ADD_INTENT <const> = "INSERT INTO intent (id, run, address, action, service, operation, region, token, digest, "
  .. "opened_at) VALUES (?,?,?,?,?,?,?,?,?,?)"

--- A resource row, replacing the one of the same generation.
function writing:put_resource(row)
  self:write(PUT_RESOURCE, row.address, row.token, row.type, row.status, row.region, row.account,
    row.identity and json.encode(row.identity), json.encode(row.properties), json.encode(row.attributes),
    json.encode(json.array(row.dependencies)), json.encode(row.options), row.source, self.run, self.runtime.time())
end

--- The end of a resource row.
function writing:delete_resource(row)
  self:write("DELETE FROM resource WHERE address = ? AND token = ?", row.address, row.token)
end

--- A history entry { address, type, action, outcome, seconds, detail = table }.
function writing:add_history(entry)
  self:write(ADD_HISTORY, self.run, entry.address, entry.type, entry.action, entry.outcome, entry.seconds,
    self.runtime.time(), json.encode(entry.detail))
end

--- An intent (see engine/journal).
function writing:add_intent(id, intent)
  self:write(ADD_INTENT, id, self.run, intent.address, intent.action, intent.service, intent.operation, intent.region,
    intent.token, intent.digest, self.runtime.time())
end

--- The answer of an intent: `code` is AWS's error code, nil for success.
function writing:close_intent(id, code)
  self:write("UPDATE intent SET closed_at = ?, error = ? WHERE id = ?", self.runtime.time(), code, id)
end

--- The end of what was not known of the generation `token`: it was found, or it is gone.
function writing:settle_intents(token)
  self:write("UPDATE intent SET closed_at = ?, error = 'Settled' WHERE closed_at IS NULL AND token = ?",
    self.runtime.time(), token)
end

--- The end of what earlier runs left open: the plan of this run has looked at everything they touched.
function writing:close_abandoned()
  self:write("UPDATE intent SET closed_at = ?, error = 'Abandoned' WHERE closed_at IS NULL AND run < ?",
    self.runtime.time(), self.run)
  self:write("UPDATE run SET finished_at = ?, outcome = 'crashed' WHERE finished_at IS NULL AND id < ?",
    self.runtime.time(), self.run)
end

--- All outputs, in place of those there were.
function writing:put_outputs(outputs)
  self:write("DELETE FROM output")
  for name, value in pairs(outputs) do
    self:write("INSERT INTO output (name, value) VALUES (?, ?)", name, json.encode(value))
  end
end

--- Starts a run { command, actor, version } and commits: its id is on every row that is written from now on. Returns
--- the id, or nil and an error.
function writing:begin_run(fields)
  local err
  self.run, err = self:guarded(function(db)
    local ok, problem = db:run("INSERT INTO run (command, actor, version, started_at) VALUES (?,?,?,?)", fields.command,
      fields.actor, fields.version, self.runtime.time())
    return ok and db:last_id(), problem
  end)
  return self.run, err
end

--- Ends the run and commits. Returns true, or nil and an error.
function writing:end_run(outcome, summary)
  self:write("UPDATE run SET finished_at = ?, outcome = ?, summary = ? WHERE id = ?", self.runtime.time(), outcome,
    json.encode(summary), self.run)
  return self:commit()
end

return writing
