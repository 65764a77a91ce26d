-- One AWS service as infra.models.service returns it; rows are read when they are first asked for and then kept.

local documentation = require "infra.models.documentation"
local errors = require "infra.errors"

local service = {}

local Service = {}
Service.__index = Service

--- The service `id` of an open database; nil when it has none of that id.
function service.open(database, id)
  local row = database:get("service", id)
  return row and setmetatable({
    id = id,
    api_version = row.api_version,
    metadata = row.metadata,
    database = database,
    known = { operation = {}, shape = {}, waiters = {} },
  }, Service)
end

local function lookup(self, kind, name)
  local known = self.known[kind]
  if known[name] == nil then
    known[name] = self.database:get(kind, self.id, name) or false
  end
  return known[name] or nil
end

--- An operation as infra.models describes it -> operation | nil, err.
function Service:operation(name)
  local found = lookup(self, "operation", name)
  if not found then
    return errors.fail { code = "UnknownOperation", message = ("%s has no operation %s"):format(self.id, name) }
  end
  return found
end

--- The names of all operations, sorted.
function Service:operations()
  return self.database:names("operation", self.id)
end

--- The shape that a node { shape = name } refers to; nil when there is none.
function Service:shape(name)
  return lookup(self, "shape", name)
end

--- All waiters by name, in C2J's form: { operation, delay (seconds), maxAttempts, acceptors }.
function Service:waiters()
  return lookup(self, "waiters", "") or {}
end

--- What AWS says of the operation or shape `name`: { description = HTML, members = { [name] = HTML } }, either of them
--- absent where nothing is said. The models inside the binary have no such texts; botocore's have.
function Service:documentation(kind, name)
  return self.database:get(documentation.kind(kind), self.id, name) or {}
end

return service
