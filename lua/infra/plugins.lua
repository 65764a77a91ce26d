-- Plug-ins: one folder each under plugins/, with a plugin.lua that returns
--
--   {
--     api = 1,                                   the version of this interface that it was written for
--     name = "example", summary = "...",
--     types = {                                  resource types: schema (checked like AWS's own) and handler
--       ["Example::Note"] = { schema = { properties, attributes, primary_identifier }, handler = { ... } },
--     },
--     layers = { name = layer },                 optional, for stack:layer
--   }
--
-- The vocabulary of handlers is in handler/schema.lua. A stack names its plug-ins: plugins = { "example" }.

local errors = require "infra.errors"
local fs = require "host.fs"
local handler_schema = require "infra.handler.schema"
local resources = require "infra.resources"

local plugins = {}

--- The version of the interface that this file offers.
plugins.API = 1

local MANIFEST = { api = "number", name = "string", summary = "string", types = "table", layers = "table" }
local KINDS = {
  string = true, integer = true, number = true, boolean = true, json = true, array = true, map = true,
}

local function bad(path, message, ...)
  return errors.fail { code = "BadPlugin", source = path, message = message:format(...) }
end

local function check_type(path, name, definition)
  if not name:match("^%w+::[%w:]+$") or name:match("^AWS::") then
    return bad(path, "'%s' is no name for a plug-in's type: write Something::Name", name)
  elseif type(definition.schema) ~= "table" or type(definition.schema.properties) ~= "table" then
    return bad(path, "%s: schema.properties is missing", name)
  elseif type(definition.schema.primary_identifier) ~= "table" then
    return bad(path, "%s: schema.primary_identifier is missing", name)
  end
  for property, declared in pairs(definition.schema.properties) do
    if type(declared) ~= "table" or type(declared.type) ~= "table" or not KINDS[declared.type.type] then
      return bad(path, "%s: property '%s' needs type = { type = \"string\" } or the like", name, property)
    end
  end
  local ok, message = handler_schema.check(name, definition.handler or {})
  if not ok then
    return bad(path, "%s", message)
  end
  return true
end

local function check(path, manifest)
  if type(manifest) ~= "table" then
    return bad(path, "a plug-in returns a table")
  elseif manifest.api ~= plugins.API then
    return bad(path, "it was written for version %s of the plug-in interface, this is version %d", tostring(manifest.api),
      plugins.API)
  end
  for field, value in pairs(manifest) do
    if type(value) ~= MANIFEST[field] then
      return bad(path, MANIFEST[field] and "'%s' must be a %s" or "there is no field '%s'", field, MANIFEST[field])
    end
  end
  for name, definition in pairs(manifest.types or {}) do
    local ok, err = check_type(path, name, definition)
    if not ok then
      return nil, err
    end
  end
  return true
end

local loaded = {}

--- Loads plugins/NAME/plugin.lua of the project at `root` and registers what it declares. Returns true, or nil and an
--- error that names the file.
function plugins.load(name, root)
  if loaded[name] then
    return true
  end
  local path = root and ("%s/plugins/%s/plugin.lua"):format(root, name)
  if not path or not fs.stat(path) then
    return errors.fail { code = "UnknownPlugin", message = ("there is no plug-in '%s' (no %s)"):format(name,
      path or "plugins folder") }
  end
  local chunk, message = loadfile(path, "t")
  local ok, manifest
  if chunk then
    ok, manifest = pcall(chunk)
    message = manifest
  end
  if not ok then
    return bad(path, "%s", tostring(message))
  end
  local err
  ok, err = check(path, manifest)
  if not ok then
    return nil, err
  end
  for type_name, definition in pairs(manifest.types or {}) do
    resources.add(type_name, definition.schema, definition.handler)
  end
  for layer_name, layer in pairs(manifest.layers or {}) do
    package.loaded["infra.layers." .. layer_name] = layer
  end
  loaded[name] = manifest
  return true
end

return plugins
