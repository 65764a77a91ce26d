-- Parameters of the simulated Parameter Store: finding them and writing them. Used by the other files of this folder.
--
-- Kept in the region's store, kind "parameter", by name: { Name, Type, KeyId, Tier, DataType, AllowedPattern,
-- Description, Policies, tags = { key = value }, versions = array, oldest first, of { Version, Value, LastModifiedDate,
-- labels = array, and the members above as they were } }. AllowedPattern is kept and shown; values are not held
-- against it.

local joined = require "infra.joined"
local json = require "host.json"

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"

local parameters = { operations = {} }
local operations = parameters.operations

-- "Managing parameter tiers" and the quotas of Parameter Store.
local TIERS = {
  Standard = { limit = 4096, hint = " To create a larger parameter value, upgrade the parameter to use the "
    .. "advanced-parameter tier." },
  Advanced = { limit = 8192, hint = "" },
}
local VERSIONS_LIMIT = 100
local LEVELS_LIMIT = 15
local TYPES = { String = true, StringList = true, SecureString = true }
local DATA_TYPES = { ["text"] = true, ["aws:ec2:image"] = true, ["aws:ssm:integration"] = true }

-- What an overwrite that does not mention it leaves as it was.
local LASTING = { "Type", "KeyId", "DataType", "AllowedPattern", "Description" }

local POLICY_TYPES = { Expiration = true, ExpirationNotification = true, NoChangeNotification = true }

--- Throws SSM's error `code`; further arguments are string.format's.
parameters.fail = Failure.thrower()

local fail = parameters.fail

function parameters.invalid(ctx, message, ...)
  fail(ctx, "ValidationException", message, ...)
end

local invalid = parameters.invalid

--- A path has one slash behind "parameter", and a plain name gets one.
function parameters.arn(ctx, name)
  return arns.of(ctx, "ssm", "parameter/" .. (name:gsub("^/", "")))
end

--- Fails when a list in the request is longer than the API lets it be.
function parameters.check_length(ctx, list, member, limit)
  if #list > limit then
    invalid(ctx, "1 validation error detected: Value '[%s]' at '%s' failed to satisfy constraint: Member must have "
      .. "length less than or equal to %d", table.concat(list, ", "), member, limit)
  end
end

function parameters.put(ctx, parameter)
  ctx.store:put("parameter", parameter.Name, parameter)
end

--- The parameter with exactly this name, or nil.
function parameters.get(ctx, name)
  return not ctx:fresh("parameter", name) and ctx.store:get("parameter", name) or nil
end

--- The same, or ParameterNotFound.
function parameters.find(ctx, name)
  return parameters.get(ctx, name) or fail(ctx, "ParameterNotFound", "Parameter %s not found.", name)
end

--- The error of every list call that gets a token it did not hand out.
function parameters.bad_token(ctx)
  fail(ctx, "InvalidNextToken", "The specified token isn't valid.")
end

--- The newest version.
function parameters.latest(parameter)
  return parameter.versions[#parameter.versions]
end

-- -- writing ----------------------------------------------------------------------------------------------------------

local function check_name(ctx, name)
  local plain = name:lower():gsub("^/", "")
  local _, slashes = name:gsub("/", "")
  if plain:find("^aws") then
    fail(ctx, "AccessDeniedException", "No access to reserved parameter name: %s.", name)
  elseif plain:find("^ssm") then
    invalid(ctx, 'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can '
      .. "consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and "
      .. "the following 3 symbols .-_")
  elseif slashes > 0 and name:sub(1, 1) ~= "/" then
    invalid(ctx, "Parameter name must be a fully qualified name.")
  elseif not name:find("^[%w_./-]+$") or name:find("//", 1, true) or name:find("/$") or #name > 1011 then
    invalid(ctx, "Parameter name can only include the following symbols and letters: a-zA-Z0-9_.-/")
  elseif slashes > LEVELS_LIMIT then
    fail(ctx, "HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels.", LEVELS_LIMIT)
  end
end

-- The tier that the request, the parameter so far and the value ask for.
local function tier_of(ctx, params, parameter)
  local current = parameter and parameter.Tier
  local needs_advanced = #params.Value > TIERS.Standard.limit or params.Policies ~= nil
  local tier = params.Tier
  if tier == "Intelligent-Tiering" then
    tier = (needs_advanced or current == "Advanced") and "Advanced" or "Standard"
  end
  tier = tier or current or "Standard"
  if not TIERS[tier] then
    invalid(ctx, "Invalid tier: %s", tier)
  elseif tier == "Standard" and current == "Advanced" then
    invalid(ctx, "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
      .. "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter "
      .. "and recreate it as a standard parameter.")
  elseif #params.Value > TIERS[tier].limit then
    invalid(ctx, "%s tier parameters support a maximum parameter value of %d characters.%s", tier, TIERS[tier].limit,
      TIERS[tier].hint)
  end
  return tier
end

local function check_value(ctx, params, fields)
  if params.Value == "" then
    invalid(ctx, "1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have "
      .. "length greater than or equal to 1")
  elseif params.Value:find("{{.-}}") then
    invalid(ctx, "Parameter value can't nest another parameter. Do not use \"{{}}\" in parameter value.")
  elseif not DATA_TYPES[fields.DataType] then
    invalid(ctx, "The following data type is not supported: %s", fields.DataType)
  elseif fields.DataType == "aws:ec2:image" and not params.Value:find("^ami%-%x+$") then
    invalid(ctx, "Parameter value is not a valid AMI id: %s", params.Value)
  end
end

-- A parameter in a hierarchy has its type for good.
local function check_type(ctx, params, parameter)
  local type_name = params.Type or parameter and parameter.Type
  if not type_name then
    invalid(ctx, "A parameter type is required when you create a parameter.")
  elseif not TYPES[type_name] then
    fail(ctx, "UnsupportedParameterType", "The parameter type %s is not supported.", type_name)
  elseif params.KeyId and type_name ~= "SecureString" then
    invalid(ctx, "KeyId is required for SecureString type parameter only.")
  elseif parameter and parameter.Type ~= type_name and parameter.Name:find("^/") then
    fail(ctx, "HierarchyTypeMismatchException", "Parameter Store does not support changing a parameter type in a "
      .. "hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must "
      .. "create a new, unique parameter.")
  end
  return type_name
end

-- The policies of an advanced parameter as they are listed, from the JSON array that the request has.
local function policies_of(ctx, text)
  local given, listed = json.decode(text), {}
  if type(given) ~= "table" or not json.is_array(given) then
    fail(ctx, "InvalidPolicyAttributeException", "The policies are not a JSON array.")
  end
  for i, policy in ipairs(given) do
    if type(policy) ~= "table" or not POLICY_TYPES[policy.Type] then
      fail(ctx, "InvalidPolicyTypeException", "Parameter Store supports the policy types Expiration, "
        .. "ExpirationNotification, and NoChangeNotification.")
    end
    listed[i] = { PolicyText = json.encode(policy), PolicyType = policy.Type, PolicyStatus = "Pending" }
  end
  return listed
end

-- Room for one more version: the oldest one goes, unless it has a label.
local function make_room(ctx, versions)
  local kept = joined(versions)
  if #kept >= VERSIONS_LIMIT then
    if #kept[1].labels > 0 then
      fail(ctx, "ParameterMaxVersionLimitExceeded", "You attempted to create a new version of a parameter by calling "
        .. "the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it "
        .. "has a label associated with it. Move the label to another version of the parameter, and try again.",
        kept[1].Version)
    end
    table.remove(kept, 1)
  end
  return kept
end

function operations.PutParameter(ctx, params)
  local name = params.Name:match("^%s*(.-)%s*$")
  check_name(ctx, name)
  local parameter = ctx.store:get("parameter", name)
  if params.Overwrite and params.Tags and #params.Tags > 0 then
    invalid(ctx, "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
      .. "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
      .. "RemoveTagsFromResource.")
  elseif parameter and not params.Overwrite then
    fail(ctx, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite "
      .. "option in the request to true.")
  end
  local fields = {}
  for _, member in ipairs(LASTING) do
    fields[member] = params[member] or parameter and parameter[member]
  end
  fields.Type = check_type(ctx, params, parameter)
  fields.DataType = fields.DataType or "text"
  fields.KeyId = fields.Type == "SecureString" and (fields.KeyId or "alias/aws/ssm") or nil
  fields.Tier = tier_of(ctx, params, parameter)
  fields.Policies = params.Policies and policies_of(ctx, params.Policies) or parameter and parameter.Policies
  check_value(ctx, params, fields)
  local versions = make_room(ctx, parameter and parameter.versions or {})
  local version = {
    Version = parameter and parameters.latest(parameter).Version + 1 or 1,
    Value = params.Value,
    LastModifiedDate = ctx.now(),
    LastModifiedUser = ctx.caller.arn,
    labels = {},
  }
  local changed = { Name = name, versions = versions, tags = parameter and parameter.tags or {} }
  for member, value in pairs(fields) do
    version[member], changed[member] = value, value
  end
  versions[#versions + 1] = version
  for _, tag in ipairs(params.Tags or {}) do
    changed.tags[tag.Key] = tag.Value
  end
  parameters.put(ctx, changed)
  return { Version = version.Version, Tier = fields.Tier }
end

function operations.DeleteParameter(ctx, params)
  parameters.find(ctx, params.Name)
  ctx.store:delete("parameter", params.Name)
end

function operations.DeleteParameters(ctx, params)
  parameters.check_length(ctx, params.Names, "names", 10)
  local output = { DeletedParameters = {}, InvalidParameters = {} }
  for _, name in ipairs(params.Names) do
    table.insert(ctx.store:delete("parameter", name) and output.DeletedParameters or output.InvalidParameters, name)
  end
  return output
end

return parameters
