-- The vocabulary of handler specs, as data, and the check that every spec keeps to it. A spec (one per resource type, in
-- resources/*.lua and in plug-ins) may say:
--
--   service     the service whose operations it names
--   identity    names of the values by which a resource is found again; the first is its id for calls ("@id")
--   name        { property, limit, lower }: filled from stack and resource name when the stack leaves it out
--   create      { operation, send = {fields}, with = {constants}, result = path of the item in the answer,
--                 map = {fields of the answer}, token = true when the call takes an idempotency token,
--                 idempotent = true when repeating it is safe, look_first = true when it succeeds on what exists,
--                 exists = {codes for "there is one already"}, covers = {properties that encode sends},
--                 encode = function(params, scope, op) }
--   read        see handler/reader, and: map = {fields}, pick = function(item, scope) for a part of an item,
--               decode = function(item, values, scope, op) with gives = {what it sets}, send/item for calls that read one resource
--   facets      parts with calls of their own, in the order of their writing: { properties, value = only for this value,
--                 write = call or function(op, scope, live, desired), clear = the same for "not set any more",
--                 read = call with map, decode and absent }
--   update      function(op, scope, live, changed) for what facets cannot say
--   delete      { operation, send, retry, absent, wait = true to wait until it is gone,
--                 before = function(op, scope) }
--   find        how a lost create is found: { filter = property or true for the ownership tag } or
--               function(op, scope) -> item; without it, by reading the natural key
--   derive      function(scope, op) -> identity values that follow from the properties
--   state       { path, ready, failed, message, leaving, gone, limit, delete_limit } (seconds)
--   gone        error codes that mean "there is none"
--   retry       { {code, seconds, message = pattern}, ... }: passes by itself within the seconds
--   tags, tag_type, tags_with   see handler/tags
--   defaults    what AWS has when a property is not set: not sent, and what a removed property goes back to
--   sets        properties whose lists have no order; canonical: property -> function(value) -> comparable value
--   structures  JSON properties that are sent as structures, not as text
--   replaces    function(property, before, after) -> boolean, where CloudFormation's schema says "maybe"
--   attributes  attributes that cost a call, made only when something refers to them
--   typical     { create, update, delete }: seconds, until this stack's history knows better
--   secrets     properties that never reach the state or a plan
--   observe     function(op, scope) -> live: for types that are not at AWS, with create.run and delete.run
--   warn        function(values, properties) -> text: what still needs a person
--
-- A field is a path pair, see handler/path. A call is { operation, send, with, encode, retry, service }.

local schema = {}

local CALL = {
  [1] = "string", service = "string", send = "table", with = "table", encode = "function", retry = "table",
  absent = "table", map = "table", decode = "function", token = "boolean",
}

local function extend(base, more)
  local result = {}
  for name, kind in pairs(base) do
    result[name] = kind
  end
  for name, kind in pairs(more) do
    result[name] = kind
  end
  return result
end

local CREATE = extend(CALL, {
  result = "string", exists = "table", covers = "table", run = "function", idempotent = "boolean", look_first = "boolean",
})
local READ = extend(CALL, {
  list = "string", key = "string", filter = "string", filter_member = "string", ids = "string", prefix = "string", all = "boolean",
  max = "number", by = "string", item = "string", pick = "function", gives = "table",
})
local DELETE = extend(CALL, { wait = "boolean", before = "function", run = "function" })
local FACET = { properties = "table", value = "any", write = "any", clear = "any", read = READ }
local TAGS = {
  create = "string", form = "string", key = "string", value = "string", replace = "boolean", read = "any",
  set = extend(CALL, { tags = "string" }), unset = extend(CALL, { keys = "string", form = "string" }),
}
local STATE = {
  path = "string", ready = "table", failed = "table", message = "string", leaving = "table", gone = "table",
  limit = "number", delete_limit = "number",
}
local SPEC = {
  service = "string", identity = "table", name = "table", create = CREATE, read = READ, facets = "list of facets",
  update = "function", delete = DELETE, find = "any", state = STATE, gone = "table", retry = "table", tags = TAGS,
  tag_type = "string", tags_with = "table", defaults = "table", sets = "table", canonical = "table",
  structures = "table", replaces = "function", attributes = "table", typical = "table", secrets = "table",
  observe = "function", warn = "function", derive = "function",
}

local function check(where, value, kinds)
  for name, item in pairs(value) do
    local kind = kinds[name]
    local here = where .. "." .. tostring(name)
    if not kind then
      return nil, here .. ": there is no such entry in a handler spec"
    elseif kind == "list of facets" then
      for i, facet in ipairs(item) do
        local ok, message = check(here .. "[" .. i .. "]", facet, FACET)
        if not ok then
          return nil, message
        end
      end
    elseif type(kind) == "table" then
      if type(item) ~= "table" then
        return nil, here .. ": must be a table"
      end
      local ok, message = check(here, item, kind)
      if not ok then
        return nil, message
      end
    elseif kind ~= "any" and type(item) ~= kind then
      return nil, ("%s: must be a %s, is a %s"):format(here, kind, type(item))
    end
  end
  return true
end

--- Checks one spec. Returns true, or nil and a message that names the type and the entry.
function schema.check(type_name, spec)
  local ok, message = check(type_name, spec, SPEC)
  if not ok then
    return nil, message
  end
  for _, entry in ipairs { "identity", "create", "delete" } do
    if not spec[entry] then
      return nil, ("%s: a handler spec needs '%s'"):format(type_name, entry)
    end
  end
  if not (spec.read or spec.observe) then
    return nil, type_name .. ": a handler spec needs 'read' (or 'observe')"
  end
  return true
end

local path = require "infra.handler.path"

--- The set of properties that a spec can set: anything else that a stack declares is refused when planning.
function schema.supported(spec)
  local names = {}
  local function add(fields)
    for _, field in ipairs(fields or {}) do
      names[path.field(field)] = true
    end
  end
  add(spec.create.send)
  add(spec.create.covers)
  for _, facet in ipairs(spec.facets or {}) do
    add(facet.properties)
  end
  return names
end

--- The set of properties that can change in place.
function schema.updatable(spec)
  local names = {}
  for _, facet in ipairs(spec.facets or {}) do
    for _, name in ipairs(facet.properties) do
      names[name] = true
    end
  end
  return names
end

--- The set of properties that reading can tell; the others are known only by what was recorded.
function schema.readable(spec)
  local names = {}
  local function add(read)
    for _, field in ipairs(read and read.map or {}) do
      names[path.field(field)] = true
    end
    for _, name in ipairs(read and read.gives or {}) do
      names[name] = true
    end
  end
  add(spec.read)
  for _, facet in ipairs(spec.facets or {}) do
    add(facet.read)
  end
  return names
end

return schema
