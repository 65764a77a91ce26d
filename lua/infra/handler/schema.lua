-- The vocabulary of handler specs, as data, and the check that every spec keeps to it. A spec (one per resource type,
-- in resources/*.lua and in plug-ins) may say:
--
--   service     the service whose operations it names
--   region      where all of them are, whatever the stack's region; or function(properties) -> region or nil
--   identity    names of the values by which a resource is found again; the first is its id for calls ("@id")
--   name        { property, limit, lower }: filled from stack and resource name when the stack leaves it out; with
--               folded = true AWS stores every name in lower case, also a given one
--   create      { operation, send = {fields}, with = {constants}, result = path of the item in the answer,
--                 map = {fields of the answer}, token = true when the call takes an idempotency token,
--                 idempotent = true when repeating it is safe, look_first = true when it succeeds on what exists,
--                 exists = {codes for "there is one already"}, covers = {properties that encode sends},
--                 before = function(op, scope) -> true | nil, err: whether it makes sense,
--                 appears = seconds until a new one is surely listed, instead = {calls that replace this one when the
--                 property `when` is set, what they do not say being as here} }
--   read        see handler/reader, and: map = {fields}, pick = function(item, scope) for a part of an item,
--               decode = function(item, values, scope, op) with gives = {what it sets}, send/item for calls that read
--               one resource, sometimes = {fields that AWS may leave out: then what was recorded holds},
--               complete = function(values): after the facets' reads; key and by may be functions of an item and a
--               scope; first = another read, of what the property `by` names: where it was when it was recorded, which
--               others read too; what is not there any more is looked for
--   facets      parts with calls of their own, in the order of their writing: { properties, value = only for this
--                 value, write = call or function(op, scope, live, desired), clear = the same for "not set any more",
--                 read = call with map, decode and absent (or one to be shared, see handler/reader, whose answer is
--                 { items = those whose key is the value `by` }), partial = true: only what changes is sent,
--                 wait = true: the resource must be ready again before the next call,
--                 whole = true: it replaces everything, so what is sent is what is declared and nothing else,
--                 erase = {properties that are maps whose members go by being sent as ""} }
--   update      function(op, scope, live, changed) for what facets cannot say
--   delete      { operation, send, retry, absent = {errors as good as success}, wait = true to wait until it is gone,
--                 before = function(op, scope) -> true or the changed live resource | nil, err,
--                 again = {errors after which `before` and the call are repeated} }
--   find        how a lost create is found: { filter = property or true for the ownership tag }, a listing (see
--               handler/listing) or function(op, scope) -> item; without it, by reading the natural key
--   derive      function(scope, op) -> identity values that follow from the properties
--   same        where nothing can be tagged: properties in which an existing one must agree to be ours
--   state       { path, ready, failed, message, leaving, gone, limit, delete_limit } (seconds), pending = path of what
--               is empty when it is ready, flip = for how long after a change the state may still be the old one,
--               steady = path of what must be the same in two looks, again = true when a failed one is repaired by
--               writing what is declared once more; path and message may be function(item, op) too
--               prepare = function(op, known) -> true | nil, err: what it needs to get ready, before every wait,
--               explain = what the messages mean: message -> text
--   lock        { value, stale }: see handler/lock
--   form        where the API's structures are not CloudFormation's: see handler/form
--   gone        error codes that mean "there is none"
--   retry       { {code, seconds, message = pattern, holder = function(op, params) -> text or nil}, ... }: passes by
--               itself within the seconds; holder tells what it waits for
--   exclusive   parameter of the calls that change something: those with the same value are made one by one
--   within      property that names what contains it: when that is replaced, this goes with it; within_by = attribute
--               of what it names that must become another one for that
--   create_first  true: a replacement is made before the old one goes; false: it cannot be, even where others wait for
--               it; create_before_delete says otherwise
--   held        true: AWS refuses to delete it while something uses it
--   irreplaceable  why it is replaced only where its options say protect = false
--   tags, tag_type, tags_with   see handler/tags
--   defaults    what AWS has when a property is not set: not sent, and what a removed property goes back to
--   sets        properties whose lists have no order; canonical: property -> function(value) -> comparable value
--   structures  JSON properties that are sent as structures, not as text
--   accepts     property -> function(wanted, live) -> boolean: texts that mean the same although they differ
--   sticky      properties that stay as they are when they are not declared any more
--   anew        properties that make another resource also when they are not declared any more: the keys that AWS lets
--               somebody delete under what is encrypted with them
--   recorded    properties that no call writes: later calls, deletions mostly, take them from the state
--   replaces    function(property, before, after) -> boolean, where CloudFormation's schema says "maybe"
--   in_place    properties that AWS can change although CloudFormation's schema says that they make another resource
--   attributes  attributes that cost a call, made only when something refers to them
--   typical     { create, update, delete }: seconds, until this stack's history knows better
--   secrets     properties that are refused in clear: they take infra.secret or a dynamic reference
--   hints       { {code, message = pattern, hint = text}, ... }: what a person can do about an error of AWS's
--   required    properties that the handler needs beyond those of the schema
--   check       function(properties, report, facts) -> calls report(property, message) for what AWS would refuse, once
--               the properties fit the schema; facts as in engine/validate
--   extends     properties that the API has otherwise than CloudFormation's schema: name -> property as in infra.models
--   observe     function(op, scope) -> live: for types that are not at AWS, with create.run and delete.run
--   warn        function(values, properties) -> text: what still needs a person
--
-- A field is a path pair, see handler/path. A call is { operation, send, with, encode, retry, service, reveal,
-- failures, tagged }:
-- encode(params, scope, op, live) completes the parameters; reveal(params, scope, op) -> params | nil, err puts in what
-- nobody but the request may see, or what AWS has to be asked for.
-- batch = path of a list in the parameters: changes of one turn that differ only in it share a call (handler/batch).
-- settle = { operation, send, encode, id = field of the answer, state = path, ready, failed, message, absent, typical,
-- limit } says what to ask until it is done.
-- failures = { path of a list, code, message } where the answer may list what was not done, the others being paths in
-- its items; tagged: it carries all tags, for without them it would remove them.

local merged = require "infra.merged"
local path = require "infra.handler.path"

local schema = {}

local CALL = {
  [1] = "string", service = "string", send = "table", with = "table", encode = "function", retry = "table",
  absent = "table", map = "table", decode = "function", token = "boolean", reveal = "function",
  tagged = "boolean", failures = { [1] = "string", code = "string", message = "string" },
  batch = "string", settle = {
    [1] = "string", service = "string", id = "string", state = "string", ready = "table", absent = "table",
    typical = "number", limit = "number", send = "table", encode = "function", failed = "table", message = "string",
  },
}

local CREATE = merged(CALL, {
  result = "string", exists = "table", covers = "table", run = "function", idempotent = "boolean",
  look_first = "boolean",
  appears = "number", before = "function", instead = { each = merged(CALL, { when = "string" }) },
})
local READ = merged(CALL, {
  list = "string", key = "any", filter = "string", filter_member = "string", ids = "string", prefix = "string",
  all = "boolean",
  max = "number", by = "any", item = "string", pick = "function", gives = "table", sometimes = "table",
  complete = "function",
})
local DELETE = merged(CALL, { wait = "boolean", before = "function", again = "table", run = "function" })
local FACET = {
  properties = "table", value = "any", write = "any", clear = "any", read = READ, partial = "boolean", wait = "boolean",
  erase = "table", whole = "boolean",
}
local TAGS = {
  arn = "any", create = "string", form = "string", key = "string", value = "string", replace = "boolean", read = "any",
  set = merged(CALL, { tags = "string" }), unset = merged(CALL, { keys = "string", form = "string" }),
}
local STATE = {
  path = "any", ready = "table", failed = "table", message = "any", leaving = "table", gone = "table",
  limit = "number", delete_limit = "number", pending = "string", flip = "number", steady = "string", again = "boolean",
  prepare = "function", explain = "table",
}
local SPEC = {
  service = "string", region = "any", identity = "table", name = "table", lock = { value = "string", stale = "table" },
  form = {
    names = "table", fill = "table", ordered = "table", sets = "table", lower = "table", complete = "boolean",
  },
  create = CREATE, read = merged(READ, { first = merged(READ, { by = "string" }) }), facets = { each = FACET },
  update = "function", delete = DELETE, find = "any", state = STATE, gone = "table", retry = "table", tags = TAGS,
  tag_type = "string", tags_with = "table", defaults = "table", sets = "table", canonical = "table",
  structures = "table", replaces = "function", attributes = "table", typical = "table", secrets = "table",
  observe = "function", warn = "function", derive = "function", same = "table", accepts = "table", sticky = "table",
  recorded = "table", irreplaceable = "string", hints = "table", required = "table", check = "function",
  in_place = "table", anew = "table", extends = "table", exclusive = "string", within = "string", within_by = "string",
  create_first = "boolean", held = "boolean",
}

local check

local function check_list(where, list, kinds)
  if type(list) ~= "table" then
    return nil, where .. ": must be a list"
  end
  for i, item in pairs(list) do
    local ok, message = check(("%s[%s]"):format(where, i), item, kinds)
    if not ok then
      return nil, message
    end
  end
  return true
end

function check(where, value, kinds)
  if type(value) ~= "table" then
    return nil, where .. ": must be a table"
  end
  for name, item in pairs(value) do
    local kind, here = kinds[name], where .. "." .. tostring(name)
    local ok, message = true, nil
    if not kind then
      ok, message = false, here .. ": there is no such entry in a handler spec"
    elseif type(kind) == "table" and kind.each then
      ok, message = check_list(here, item, kind.each)
    elseif type(kind) == "table" then
      ok, message = check(here, item, kind)
    elseif kind ~= "any" and type(item) ~= kind then
      ok, message = false, ("%s: must be a %s, is a %s"):format(here, kind, type(item))
    end
    if not ok then
      return nil, message
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

-- Adds the properties of `fields` (may be nil) to the set `names`.
local function add(names, fields)
  for _, field in ipairs(fields or {}) do
    names[path.field(field)] = true
  end
end

--- The set of properties that can change in place.
function schema.updatable(spec)
  local names = {}
  add(names, spec.recorded)
  for _, facet in ipairs(spec.facets or {}) do
    add(names, facet.properties)
  end
  return names
end

--- The set of properties that a spec can set: anything else that a stack declares is refused when planning.
function schema.supported(spec)
  local names = schema.updatable(spec)
  add(names, spec.create.send)
  add(names, spec.create.covers)
  for _, call in ipairs(spec.create.instead or {}) do
    add(names, call.send)
  end
  return names
end

--- The set of properties that reading can tell; the others are known only by what was recorded.
function schema.readable(spec)
  local names = {}
  local function add_read(read)
    add(names, read and read.map)
    add(names, read and read.gives)
  end
  add_read(spec.read)
  for _, facet in ipairs(spec.facets or {}) do
    add_read(facet.read)
  end
  return names
end

return schema
