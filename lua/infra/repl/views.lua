-- What the REPL shows of a stack and of its state: tables made for reading. `stack` is the declaration; `state` is read
-- from the store when it is looked at, and so shows what other processes write meanwhile.
--
-- Metatables: __brief as in repl/show, __names lists fields that are not in the table itself, for completion.

local errors = require "infra.errors"
local json = require "host.json"
local merged = require "infra.merged"
local reference = require "infra.engine.reference"
local refresh = require "infra.engine.refresh"
local sorted_keys = require "infra.sorted_keys"
local timestamps = require "infra.aws.protocols.timestamps"

local views = {}

-- -- the declaration ------------------------------------------------------------------------------------------------

-- A declared resource; an attribute or property asked of it is a reference, as in the stack file.
local function resource_view(resource)
  local schema = resource.type.schema
  return setmetatable({
    address = resource.address, type = resource.type.name, properties = resource.properties,
    options = resource.options, dependencies = sorted_keys(resource.dependencies), region = resource.region,
    source = resource.source,
  }, {
    __index = resource.proxy,
    __names = function()
      return sorted_keys(merged(schema.attributes, schema.properties))
    end,
    __brief = function()
      return resource.type.name
    end,
  })
end

--- A declaration (engine/stack) as { name, project, environment, region, options, resources = address -> resource,
--- outputs = name -> value }.
function views.stack(declaration)
  local resources, outputs = {}, {}
  for address, resource in pairs(declaration.resources) do
    resources[address] = resource_view(resource)
  end
  for name, output in pairs(declaration.outputs) do
    outputs[name] = output.value
  end
  return {
    name = declaration.name, project = declaration.project, environment = declaration.environment,
    region = declaration.region, options = declaration.options, resources = resources, outputs = outputs,
  }
end

-- -- the state ------------------------------------------------------------------------------------------------------

local TIMES = { "at", "started_at", "finished_at", "updated_at" }
local DOCUMENTS = { "detail", "summary" }

local function readable(row)
  for _, name in ipairs(TIMES) do
    row[name] = row[name] and timestamps.format(row[name], "iso8601")
  end
  for _, name in ipairs(DOCUMENTS) do
    row[name] = row[name] and json.decode(row[name])
  end
  return row
end

local function checked(rows, err)
  return rows or errors.raise(err)
end

local function history(store, filter)
  local entries = checked(store:history(filter))
  for _, entry in ipairs(entries) do
    readable(entry)
  end
  return entries
end

-- A row whose field `history` is read when it is asked for.
local function with_history(row, store, filter, brief)
  return setmetatable(readable(row), {
    __index = function(_, name)
      return name == "history" and history(store, filter) or nil
    end,
    __names = function()
      return { "history" }
    end,
    __brief = function()
      return brief
    end,
  })
end

-- "AWS::EC2::VPC vpc-1 (ready)"
local function brief_of(row)
  local texts = { row.type }
  for _, name in ipairs(sorted_keys(row.identity or {})) do
    texts[#texts + 1] = tostring(row.identity[name])
  end
  texts[#texts + 1] = "(" .. row.status .. ")"
  return table.concat(texts, " ")
end

local FIELDS = {}

-- By address; generations that were replaced and still exist have theirs marked.
function FIELDS.rows(store)
  local rows = {}
  for _, row in ipairs(checked(store:resources())) do
    local key = row.address
    if row.status == "replaced" then
      key = ("%s (replaced, %s)"):format(key, row.token:sub(1, 8))
    end
    rows[key] = with_history(row, store, { address = row.address }, brief_of(row))
  end
  return rows
end

-- Newest first.
function FIELDS.runs(store)
  local runs = checked(store:runs())
  for _, run in ipairs(runs) do
    with_history(run, store, { run = run.id }, ("%s %d: %s"):format(run.command, run.id, run.outcome or "not finished"))
  end
  return runs
end

-- Oldest first.
function FIELDS.history(store)
  return history(store, {})
end

function FIELDS.outputs(store)
  return store:outputs()
end

--- A read-only store (state/store) as { rows = address -> row, outputs = name -> value, runs, history }; rows and runs
--- have a `history` of their own.
function views.state(store)
  return setmetatable({}, {
    __index = function(_, name)
      return FIELDS[name] and FIELDS[name](store)
    end,
    __names = function()
      return sorted_keys(FIELDS)
    end,
    __tostring = function()
      return ("%s: %d resources; fields: %s"):format(store.path, #checked(store:resources()),
        table.concat(sorted_keys(FIELDS), ", "))
    end,
  })
end

--- `value` with the stack's references replaced by what the state has for them. Throws where it has nothing.
function views.resolve(value, store)
  local rows
  return reference.resolve(value, function(address, attribute)
    rows = rows or FIELDS.rows(store)
    local known = rows[address] and refresh.known(rows[address])[attribute]
    if known == nil then
      local name = address == "" and "account" or address
      errors.raise { code = "NoValue", message = ("the state has no %s.%s"):format(name, attribute) }
    end
    return known
  end)
end

return views
