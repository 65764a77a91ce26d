-- What the state database is asked: methods of infra.state.store. All work on a state that is empty as well; those that
-- return nil and an error do so when the file cannot be read.

local json = require "host.json"
local migrations = require "infra.state.migrations"

local reading = {}

-- The rows of a query, none in an empty state; or nil and an error.
local function all(self, sql, ...)
  if self.empty then
    return {}
  end
  local rows, err = self.db:all(sql, ...)
  return rows, err and migrations.refusal(self.path, err)
end

-- The first row of a query, or nil. A state that cannot be read any more is not to be gone on with.
local function first(self, sql, ...)
  return assert(all(self, sql, ...))[1]
end

--- The value of `key` in the table meta, or nil.
function reading:meta(key)
  local row = first(self, "SELECT value FROM meta WHERE key = ?", key)
  return row and row.value
end

--- The name of the stack that the state belongs to, or nil.
function reading:stack()
  return self:meta "stack"
end

--- Identifies the state and what has been done so far: a saved plan is good for this serial only. Rows written without
--- a history entry (a run was cut off, attributes were read anew) leave it as it is: what they mean for a saved plan
--- shows when that is made again (engine/saved_plan).
function reading:serial()
  local last = first(self, "SELECT max(id) AS id FROM history")
  return (self:meta "lineage" or "new") .. ":" .. tostring(last and last.id or 0)
end

local JSON_COLUMNS = { "identity", "properties", "attributes", "dependencies", "options" }

local RESOURCES <const> = "SELECT resource.*, (SELECT max(opened_at) FROM intent WHERE intent.token = resource.token "
  .. "AND closed_at IS NULL) AS intended_at FROM resource ORDER BY address, updated_at"

--- All resource rows in order of address, JSON columns decoded; or nil and an error. `intended_at` of a row is when its
--- newest request left of which no answer was recorded (unix seconds), or nil.
function reading:resources()
  local rows, err = all(self, RESOURCES)
  for _, row in ipairs(rows or {}) do
    for _, column in ipairs(JSON_COLUMNS) do
      row[column] = row[column] and assert(json.decode(row[column]))
    end
  end
  return rows, err
end

--- { name = value } of the stack's outputs.
function reading:outputs()
  local outputs = {}
  for _, row in ipairs(assert(all(self, "SELECT name, value FROM output"))) do
    outputs[row.name] = assert(json.decode(row.value))
  end
  return outputs
end

--- Runs, newest first, at most `limit` (20).
function reading:runs(limit)
  return all(self, "SELECT * FROM run ORDER BY id DESC LIMIT ?", limit or 20)
end

--- History rows, oldest first: of one `address`, of one `run`, or all.
function reading:history(filter)
  if filter.address then
    return all(self, "SELECT * FROM history WHERE address = ? ORDER BY id", filter.address)
  elseif filter.run then
    return all(self, "SELECT * FROM history WHERE run = ? ORDER BY id", filter.run)
  end
  return all(self, "SELECT * FROM history ORDER BY id")
end

--- Usual seconds of `action` on `resource_type`, from the last five in this stack's own history, or nil.
function reading:usual_seconds(resource_type, action)
  local row = first(self, "SELECT avg(seconds) AS seconds FROM (SELECT seconds FROM history WHERE type = ? AND "
    .. "action = ? AND outcome = 'done' ORDER BY id DESC LIMIT 5)", resource_type, action)
  return row and row.seconds
end

--- The id of the newest intent, 0 when there is none.
function reading:last_intent()
  local row = first(self, "SELECT max(id) AS id FROM intent")
  return row and row.id or 0
end

return reading
