-- What AWS's answers say of one resource of a native type, in CloudFormation's words, and what identifies it. The calls
-- are made by handler/observe. Used by the other files of this folder, engine/* and the functions in handler specs.

local contains = require "infra.contains"
local form = require "infra.handler.form"
local json = require "host.json"
local merged = require "infra.merged"
local path = require "infra.handler.path"
local reference = require "infra.engine.reference"
local tags = require "infra.handler.tags"

local read = {}

--- The first entry of `entries` (may be nil) that names the error: a code, or { code, message = "Lua pattern" }.
function read.entry(entries, err)
  for _, entry in ipairs(entries or {}) do
    local code, pattern = entry, nil
    if type(entry) == "table" then
      code, pattern = entry[1], entry.message
    end
    if code == err.code and (not pattern or (err.message or ""):find(pattern)) then
      return entry
    end
  end
end

-- CloudFormation types of properties that are documents: text in AWS's calls.
local TEXT_TYPES = { json = true, union = true }

-- 30 for "30", which CloudFormation takes where its schema says text.
local function as_text(value)
  local kind = type(value)
  return (kind == "number" or kind == "boolean") and tostring(math.tointeger(value) or value) or value
end

--- CloudFormation names -> values, for building parameters: what is known of the resource, then what is wanted of it.
--- "@id" is the first of the identity, for specs that many types share; "@token" the generation's nonce.
function read.scope(op, known, desired)
  local scope = merged(known)
  for name, value in pairs(desired and reference.reveal(desired) or {}) do
    local property = op.schema.properties[name]
    local kind = property and property.type.type
    if TEXT_TYPES[kind] and type(value) == "table" and not contains(op.spec.structures, name) then
      value = json.encode(value)
    elseif kind == "string" then
      value = as_text(value)
    end
    scope[name] = value
  end
  scope["@id"], scope["@token"] = scope[op.spec.identity[1]], op.token
  return scope
end

--- Whether the error of the call `spec` means that there is none.
function read.is_gone(op, spec, err)
  return read.entry(spec.absent, err) ~= nil or read.entry(op.spec.gone, err) ~= nil
end

-- Numbers of attributes that CloudFormation's schema calls text: ports, which others join into addresses.
local function numbers_as_text(op, values)
  for name, attribute in pairs(op.schema.attributes) do
    if attribute.type.type == "string" then
      values[name] = as_text(values[name])
    end
  end
end

--- What an entry of a `state` says of an item: by path, or by function(item, op).
function read.part(op, item, where)
  if type(where) == "function" then
    return where(item, op)
  end
  return where and path.get(item, where)
end

--- One item as { values = CloudFormation names -> values, tags, state, failure, leaving = it is being deleted, gone =
--- it is deleted although still listed }.
function read.decode(op, item, scope)
  local spec = op.spec
  local live = { values = path.extract(spec.read.map or {}, item, {}, form.decoder(op)), item = item }
  path.extract(spec.read.sometimes or {}, item, live.values, form.decoder(op))
  if spec.read.decode then
    spec.read.decode(item, live.values, scope, op)
  end
  numbers_as_text(op, live.values)
  if spec.tags and type(spec.tags.read) == "string" then
    live.tags = tags.decode(spec.tags, path.get(item, spec.tags.read))
  end
  if spec.state then
    live.state = read.part(op, item, spec.state.path)
    live.leaving, live.gone = contains(spec.state.leaving, live.state), contains(spec.state.gone, live.state)
    if contains(spec.state.failed, live.state) then
      local reason = read.part(op, item, spec.state.message) or ("it is in state " .. tostring(live.state))
      local explanation = (spec.state.explain or {})[reason]
      live.failure = explanation and ("%s: %s"):format(reason, explanation) or reason
    end
  end
  return live
end

--- { identity names -> values } out of a scope; nil when one is missing.
function read.identity(op, values)
  local identity = {}
  for _, name in ipairs(op.spec.identity) do
    if values[name] == nil then
      return nil
    end
    identity[name] = values[name]
  end
  return identity
end

return read
