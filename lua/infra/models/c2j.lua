-- Compiles service models in C2J, AWS's own format (operations, shapes, paginators, waiters), into rows. The files are
-- found by infra.models.sources.

local documentation = require "infra.models.documentation"
local errors = require "infra.errors"
local files = require "infra.models.files"
local members = require "infra.models.members"
local set_of = require "infra.set_of"

local c2j = {}

local SECTIONS <const> = { "members" }

-- aws-sdk leaves out what is the same nearly everywhere.
local function complete_operation(name, operation, paginator)
  operation.name = name
  operation.http = operation.http or {}
  operation.http.method = operation.http.method or "POST"
  operation.http.requestUri = operation.http.requestUri or "/"
  -- Without a token it only says where the results are: there is no second page.
  operation.paginator = paginator and paginator.input_token and paginator
end

-- The set of all other names that people and AWS's own protocols use for a service.
local function other_names(service, metadata)
  local names = set_of(service.names)
  names[metadata.endpointPrefix or service.id] = true
  names[metadata.signingName or service.id] = true
  names[(metadata.serviceId or service.id):lower():gsub("%s", "-")] = true
  names[service.id] = nil
  return names
end

local function optional(path)
  if path then
    return files.json(path)
  end
  return {}
end

-- Adds one service's rows; returns the number of its operations | nil, err.
local function compile_service(writer, service)
  local paginators, waiters
  local model, err = files.json(service.model)
  if model then
    paginators, err = optional(service.paginators)
  end
  if paginators then
    waiters, err = optional(service.waiters)
  end
  if not waiters then
    return nil, err
  end

  local id, pagination = service.id, paginators.pagination or {}
  members.complete(id, model)
  writer:put("service", id, "", { api_version = service.api_version, metadata = model.metadata })
  for name in pairs(other_names(service, model.metadata)) do
    writer:put("alias", name, id)
  end
  if waiters.waiters and next(waiters.waiters) then
    writer:put("waiters", id, "", waiters.waiters)
  end
  local count = 0
  for name, operation in pairs(model.operations) do
    count = count + 1
    complete_operation(name, operation, pagination[name])
    documentation.put(writer, "operation", id, name, operation, SECTIONS)
  end
  for name, shape in pairs(model.shapes) do
    documentation.put(writer, "shape", id, name, shape, SECTIONS)
  end
  return count
end

--- Adds all services of `source` (infra.models.sources) to the writer -> true | nil, err.
function c2j.compile(writer, source)
  local operations = 0
  for _, service in ipairs(source.services) do
    local read, count, err = pcall(compile_service, writer, service)
    if not read then -- compiling is what checks that the JSON is a model
      return errors.fail { code = "BadModel", message = ("%s: no service model (%s)"):format(service.model, count) }
    elseif not count then
      return nil, err
    end
    operations = operations + count
  end
  writer:put("vocabulary", "calls", "", {
    source = source.source,
    counts = { services = #source.services, operations = operations },
  })
  return true
end

return c2j
