-- Reading the parameters of the simulated Parameter Store. Used by infra.sim.ssm.

local contains = require "infra.contains"
local crypto = require "host.crypto"

local paging = require "infra.sim.paging"
local parameters = require "infra.sim.ssm.parameters"

local operations = {}
local fail, invalid = parameters.fail, parameters.invalid

-- What is read of a secret that the caller does not want decrypted.
local function ciphertext(parameter, version)
  return "AQICAH" .. crypto.base64(crypto.sha256(parameter.Name .. version.Version .. version.Value):rep(4))
end

local function view(ctx, parameter, version, params, selector)
  local secret = version.Type == "SecureString" and not params.WithDecryption
  return {
    Name = parameter.Name,
    ARN = parameters.arn(ctx, parameter.Name),
    Type = version.Type,
    Value = secret and ciphertext(parameter, version) or version.Value,
    Version = version.Version,
    Selector = selector,
    LastModifiedDate = version.LastModifiedDate,
    DataType = version.DataType,
  }
end

-- -- by name ----------------------------------------------------------------------------------------------------------

-- The parameter that a reader's name or ARN means.
local function lookup(ctx, name)
  local path = name:match("^arn:[%w-]+:ssm:[%w-]+:%d+:parameter/(.+)$")
  if path then
    return parameters.get(ctx, "/" .. path) or parameters.get(ctx, path)
  end
  return parameters.get(ctx, name)
end

-- `text` is a name or an ARN, perhaps with a version or a label behind it. Returns what is shown of the parameter; or
-- nil, and the parameter if only the version is missing.
local function read(ctx, text, params)
  local whole = text:match("^%s*(.-)%s*$")
  local parameter = lookup(ctx, whole)
  if parameter then
    return view(ctx, parameter, parameters.latest(parameter), params)
  end
  local name, selector = whole:match("^(.+):([^:/]+)$")
  parameter = name and lookup(ctx, name)
  for _, version in ipairs(parameter and parameter.versions or {}) do
    if tostring(version.Version) == selector or contains(version.labels, selector) then
      return view(ctx, parameter, version, params, ":" .. selector)
    end
  end
  return nil, parameter
end

function operations.GetParameter(ctx, params)
  local found, parameter = read(ctx, params.Name, params)
  if not found then
    fail(ctx, parameter and "ParameterVersionNotFound" or "ParameterNotFound",
      "Systems Manager could not find %s. Verify the name and the version and try again.", params.Name)
  end
  return { Parameter = found }
end

function operations.GetParameters(ctx, params)
  parameters.check_length(ctx, params.Names, "names", 10)
  local output = { Parameters = {}, InvalidParameters = {} }
  for _, name in ipairs(params.Names) do
    local found = read(ctx, name, params)
    table.insert(found and output.Parameters or output.InvalidParameters, found or name)
  end
  table.sort(output.Parameters, function(a, b) return a.Name < b.Name end)
  return output
end

-- -- by filter --------------------------------------------------------------------------------------------------------

local function under(path, recursive)
  local prefix = path:gsub("/?$", "/")
  return function(name)
    return name:sub(1, #prefix) == prefix and (recursive or not name:find("/", #prefix + 1, true))
  end
end

local OPTIONS = {
  Equals = function(value, wanted) return value == wanted end,
  BeginsWith = function(value, wanted) return value:sub(1, #wanted) == wanted end,
  Contains = function(value, wanted) return value:find(wanted, 1, true) ~= nil end,
  OneLevel = function(value, wanted) return under(wanted, false)(value) end,
  Recursive = function(value, wanted) return under(wanted, true)(value) end,
}

-- The values of a filter's key in a parameter, and the options that it allows, the first being the default.
local TEXT = { "Equals", "BeginsWith" }
local FILTERS = {
  Name = { values = function(p) return { p.Name } end, options = { "Equals", "BeginsWith", "Contains" } },
  Path = { values = function(p) return { p.Name } end, options = { "OneLevel", "Recursive" } },
  Type = { values = function(p) return { p.Type } end, options = TEXT },
  KeyId = { values = function(p) return { p.KeyId } end, options = TEXT },
  Tier = { values = function(p) return { p.Tier } end, options = TEXT },
  DataType = { values = function(p) return { p.DataType } end, options = TEXT },
  Label = { values = function(p) return parameters.latest(p).labels end, options = { "Equals" } },
}

local function filter_of(key)
  local tag = key:match("^tag:(.+)$")
  if tag then
    return { values = function(p) return { p.tags[tag] } end, options = TEXT }
  end
  return FILTERS[key]
end

-- One filter of a request as function(parameter) -> whether it passes. `allowed`: its key, or nil for all keys.
local function compile(ctx, filter, allowed)
  local known = filter_of(filter.Key)
  if not known or (allowed and not allowed[filter.Key]) then
    fail(ctx, "InvalidFilterKey", "The specified key isn't valid: %s", filter.Key)
  end
  local option = filter.Option or known.options[1]
  if not contains(known.options, option) then
    fail(ctx, "InvalidFilterOption", "The specified filter option isn't valid: %s", option)
  end
  return function(parameter)
    for _, value in ipairs(known.values(parameter)) do
      for _, wanted in ipairs(filter.Values or { value }) do
        if OPTIONS[option](value, wanted) then
          return true
        end
      end
    end
    return false
  end
end

local function compile_all(ctx, filters, allowed)
  local compiled = {}
  for i, filter in ipairs(filters or {}) do
    compiled[i] = compile(ctx, filter, allowed)
  end
  return function(parameter)
    for _, passes in ipairs(compiled) do
      if not passes(parameter) then
        return false
      end
    end
    return true
  end
end

-- One page of the parameters that pass. The service looks at one page of `all` at a time and drops what does not pass,
-- so a page can be short, even empty, and still have a successor.
local function scan(ctx, params, all, limit, passes, shown)
  if (params.MaxResults or 1) > limit or (params.MaxResults or 1) < 1 then
    invalid(ctx, "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must "
      .. "have value between 1 and %d", params.MaxResults, limit)
  end
  local page, token = paging.page(ctx, all, function(parameter)
    return parameter.Name
  end, params.NextToken, params.MaxResults or limit)
  if not page then
    parameters.bad_token(ctx)
  end
  local output = { Parameters = {}, NextToken = token }
  for _, parameter in ipairs(page) do
    if passes(parameter) then
      table.insert(output.Parameters, shown(parameter))
    end
  end
  return output
end

local function all_where(ctx, wanted)
  local found = {}
  for name, parameter in ctx.store:each("parameter") do
    if wanted(name) then
      found[#found + 1] = parameter
    end
  end
  return found
end

local PATH_FILTERS = { Type = true, KeyId = true, Label = true }

function operations.GetParametersByPath(ctx, params)
  if not params.Path:find("^/[%w_./-]*$") or params.Path:find("//", 1, true) then
    invalid(ctx, "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a "
      .. 'forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, '
      .. "numbers, or the following symbols: . (period), - (hyphen), _ (underscore). All sub-paths, if specified, must "
      .. 'use the forward slash symbol "/".')
  end
  local passes = compile_all(ctx, params.ParameterFilters, PATH_FILTERS)
  local directly = under(params.Path, params.Recursive)
  return scan(ctx, params, all_where(ctx, under(params.Path, true)), 10, function(parameter)
    return directly(parameter.Name) and passes(parameter)
  end, function(parameter)
    return view(ctx, parameter, parameters.latest(parameter), params)
  end)
end

-- What is known of a parameter besides its value.
local METADATA = {
  "Type", "KeyId", "Description", "AllowedPattern", "Tier", "DataType", "Policies", "Version", "LastModifiedDate",
  "LastModifiedUser",
}

local function metadata(parameter, version)
  local shown = { Name = parameter.Name }
  for _, member in ipairs(METADATA) do
    shown[member] = version[member]
  end
  return shown
end

function operations.DescribeParameters(ctx, params)
  local filters = {}
  for i, filter in ipairs(params.ParameterFilters or {}) do
    filters[i] = filter
  end
  -- The old form of filters: all compare beginnings.
  for _, filter in ipairs(params.Filters or {}) do
    filters[#filters + 1] = { Key = filter.Key, Option = "BeginsWith", Values = filter.Values }
  end
  local everything = all_where(ctx, function() return true end)
  return scan(ctx, params, everything, 50, compile_all(ctx, filters), function(parameter)
    local shown = metadata(parameter, parameters.latest(parameter))
    shown.ARN = parameters.arn(ctx, parameter.Name)
    return shown
  end)
end

function operations.GetParameterHistory(ctx, params)
  local parameter = parameters.find(ctx, params.Name)
  local page, token = paging.page(ctx, parameter.versions, function(version)
    return ("%09d"):format(version.Version)
  end, params.NextToken, params.MaxResults or 50)
  if not page then
    parameters.bad_token(ctx)
  end
  local output = { Parameters = {}, NextToken = token }
  for i, version in ipairs(page) do
    local shown = metadata(parameter, version)
    shown.Value = view(ctx, parameter, version, params).Value
    shown.Labels = version.labels
    output.Parameters[i] = shown
  end
  return output
end

return { operations = operations }
