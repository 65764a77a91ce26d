-- Plug-ins: one folder each under plugins/, with a plugin.lua that returns
--
--   {
--     api = 1,                                   the version of this interface that it was written for
--     name = "example", summary = "...",         the name is the folder's
--     types = {                                  resource types: schema (checked like AWS's own) and handler
--       ["Example::Note"] = { schema = { properties, attributes, primary_identifier }, handler = { ... } },
--       ["AWS::SQS::Queue"] = { handler = { ... } },       AWS's schema; only where infra has no handler of its own
--     },
--     layers = { name = { options, build } },    for stack:layer
--   }
--
-- The vocabulary of handlers is in handler/schema.lua; plugins/local is an example. A stack names its plug-ins:
-- plugins = { "example" }. Used by infra.project.

local check_calls = require "infra.handler.calls"
local errors = require "infra.errors"
local fs = require "host.fs"
local handler_schema = require "infra.handler.schema"
local merged = require "infra.merged"
local models = require "infra.models"
local modules = require "host.modules"
local resources = require "infra.resources"
local source = require "infra.engine.source"
local style = require "infra.report.style"
local suggest = require "infra.suggest"

local plugins = {}

--- The version of the interface that this file offers.
plugins.API = 1

-- What a table may have: field -> { Lua type, required }.
local REQUIRED <const> = true
local MANIFEST = {
  api = { "number", REQUIRED }, name = { "string", REQUIRED }, summary = { "string", REQUIRED }, types = { "table" },
  layers = { "table" },
}
local AWS_TYPE = { handler = { "table", REQUIRED } }
local TYPE = merged(AWS_TYPE, { schema = { "table", REQUIRED } })
local SCHEMA = {
  properties = { "table", REQUIRED }, attributes = { "table" }, primary_identifier = { "table", REQUIRED },
  ref_identifier = { "table" }, tag_property = { "string" }, arn_template = { "string" }, documentation = { "string" },
}
local MEMBER = {
  type = { "table", REQUIRED }, required = { "boolean" }, replacement = { "string" }, default = { "any" },
  documentation = { "string" },
}
local REPLACEMENTS = { yes = true, maybe = true, no = true }
local LAYER = { options = { "table", REQUIRED }, build = { "function", REQUIRED } }

-- Types of values, and whether they have an `element`.
local VALUES = {
  string = false, integer = false, number = false, boolean = false, json = false, array = true, map = true,
}

-- A fault; caught where a plug-in is loaded. `where` is the way to it inside plugin.lua's table.
local function fault(where, message, ...)
  error(errors.new { code = "BadPlugin", message = where .. ": " .. message:format(...) }, 0)
end

local function check_fields(where, value, fields)
  if type(value) ~= "table" then
    fault(where, "must be a table, is a %s", type(value))
  end
  for _, name in ipairs(style.names(value)) do
    local kind = fields[name] and fields[name][1]
    if not kind then
      fault(where, "there is no field '%s'%s", name, suggest(name, style.names(fields)))
    elseif kind ~= "any" and type(value[name]) ~= kind then
      fault(where, "'%s' must be a %s, is a %s", name, kind, type(value[name]))
    end
  end
  for _, name in ipairs(style.names(fields)) do
    if fields[name][2] and value[name] == nil then
      fault(where, "'%s' is missing", name)
    end
  end
end

local function check_value_type(where, declared)
  local has_element = type(declared) == "table" and VALUES[declared.type]
  if has_element == nil or type(declared) ~= "table" then
    fault(where, "must be { type = ... } with one of %s", table.concat(style.names(VALUES), ", "))
  elseif has_element then
    check_value_type(where .. ".element", declared.element)
  end
end

-- What the handler sets and what identifies it must be of the schema.
local function check_handler(name, schema, handler)
  for _, check in ipairs { handler_schema.check, check_calls } do
    local called, ok, message = pcall(check, name, handler)
    if not (called and ok) then
      error(errors.new { code = "BadPlugin", message = called and message or name .. ".handler: is malformed" }, 0)
    end
  end
  local attributes = schema.attributes or {}
  for _, list in ipairs { handler.identity, schema.primary_identifier } do
    for _, member in ipairs(list) do
      if not (schema.properties[member] or attributes[member]) then
        fault(name, "what identifies it, '%s', is neither a property nor an attribute", member)
      end
    end
  end
  local known = merged(schema.properties, handler.extends)
  for _, property in ipairs(style.names(handler_schema.supported(handler))) do
    if not (known[property] or property:find "^@") then -- "@token" and the like are the operation's
      fault(name .. ".handler", "there is no property '%s'%s", property, suggest(property, style.names(known)))
    end
  end
end

-- Of AWS's properties a handler may leave some out: stacks are told. One that a plug-in declares itself is a promise.
local function check_promises(name, schema, handler)
  local settable = handler_schema.supported(handler)
  for _, property in ipairs(style.names(schema.properties)) do
    if not settable[property] and property ~= schema.tag_property then
      fault(name .. ".handler", "nothing sets the property '%s': it must be in create or in a facet", property)
    end
  end
end

local function check_aws_type(name, definition)
  local schema, err = models.type(name)
  if not schema then
    fault("types", "%s%s", err.message, suggest(name, resources.names()))
  elseif resources.is_native(name) then
    fault("types", "infra has a handler of its own for %s", name)
  end
  check_fields(name, definition, AWS_TYPE)
  check_handler(name, schema, definition.handler)
end

local function check_type(name, definition)
  if not name:match "^%w+::[%w:]+$" or name:match "^Infra::" then
    fault("types", "'%s' is no name for a plug-in's type: write Something::Name", name)
  elseif name:match "^AWS::" then
    return check_aws_type(name, definition)
  end
  check_fields(name, definition, TYPE)
  check_fields(name .. ".schema", definition.schema, SCHEMA)
  for _, kind in ipairs { "properties", "attributes" } do
    for member, declared in pairs(definition.schema[kind] or {}) do
      local where = ("%s.schema.%s.%s"):format(name, kind, tostring(member))
      check_fields(where, declared, MEMBER)
      check_value_type(where .. ".type", declared.type)
      if not REPLACEMENTS[declared.replacement or "no"] then
        fault(where, "'replacement' must be \"yes\", \"maybe\" or \"no\"")
      end
    end
  end
  check_handler(name, definition.schema, definition.handler)
  check_promises(name, definition.schema, definition.handler)
end

local owners = {} -- "type Example::Note" -> the file that declared it

local function check_owner(path, what)
  if owners[what] and owners[what] ~= path then
    fault(what, "%s declares one too", owners[what])
  end
end

local function check(path, folder, manifest)
  if type(manifest) == "table" and manifest.api ~= plugins.API then -- its fields are then those of another version
    fault("api", "it was written for version %s of the plug-in interface, this is version %d", tostring(manifest.api),
      plugins.API)
  end
  check_fields("plugin.lua", manifest, MANIFEST)
  if manifest.name ~= folder then
    fault("name", "'%s' must be the folder's, '%s'", manifest.name, folder)
  end
  for name, definition in pairs(manifest.types or {}) do
    check_type(name, definition)
    check_owner(path, "type " .. name)
  end
  for name, layer in pairs(manifest.layers or {}) do
    check_fields("layer " .. name, layer, LAYER)
    check_owner(path, "layer " .. name)
    if modules.text("infra.layers." .. name) then
      fault("layer " .. name, "infra has one of that name")
    end
  end
end

local function register(path, manifest)
  for name, definition in pairs(manifest.types or {}) do
    owners["type " .. name] = path
    resources.add(name, definition.schema or models.type(name), definition.handler)
  end
  for name, layer in pairs(manifest.layers or {}) do
    owners["layer " .. name] = path
    package.loaded["infra.layers." .. name] = layer
  end
end

local function unknown(name, root)
  local folders = root and fs.list(root .. "/plugins") or {}
  return errors.fail {
    code = "UnknownPlugin",
    message = ("there is no plug-in '%s'%s"):format(name, suggest(name, folders)),
    hint = root and ("it would be %s/plugins/%s/plugin.lua"):format(root, name) or
      "the stack's project has no folder called plugins",
  }
end

--- Loads plugins/NAME/plugin.lua of the project at `root` (nil: it has no such folder) and registers what it declares,
--- in place of what an earlier load has registered. Returns true, or nil and an error that names the file.
function plugins.load(name, root)
  name = tostring(name)
  local path = root and ("%s/plugins/%s/plugin.lua"):format(root, name)
  if not path or not fs.stat(path) then
    return unknown(name, root)
  end
  local chunk, message = loadfile(path, "t")
  if not chunk then
    return nil, source.fault(message)
  end
  local ok, problem = xpcall(function()
    local manifest = chunk()
    check(path, name, manifest)
    register(path, manifest)
  end, source.caught)
  if not ok then
    problem.source = problem.source or path
    return nil, problem
  end
  return true
end

return plugins
