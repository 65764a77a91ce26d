-- What the parts of the simulated Lambda share: references, finding things, failing, states, pages. Used by the other
-- files of this folder.
--
-- Kept in the region's store:
--   function      by name: { FunctionName, arn, tags = { key = value }, reserved = concurrency or nil, numbers = last
--                 version's, published = { Version, content } }
--   version/NAME  by "$LATEST" or number: { Version, RevisionId, modified_at, settings (see settings.lua), code (see
--                 image.lua), active_at, failure = { code, reason } or nil, updated_at = when the last update is
--                 through, update_failure }
--   alias/NAME    by name: the members of the API's AliasConfiguration, and moving = { from = version, ends_at }
--   policy        by "NAME/QUALIFIER", see permissions.lua
--   provisioned/NAME  by qualifier, see provisioned.lua
--   interface     see network.lua

local clock = require "host.clock"

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"

local entities = {}

local STATUS = { PreconditionFailedException = 412 }
local PAGE = 50
local NAME = "[%w_-]+"

--- The kinds whose objects belong to one function.
entities.parts = { "version/", "alias/", "provisioned/" }

--- Throws Lambda's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower(STATUS)

local fail = entities.fail

function entities.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameterValueException", message, ...)
end

function entities.validation(ctx, value, member, constraint, ...)
  fail(ctx, "ValidationException", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s",
    tostring(value), member, constraint:format(...))
end

-- -- names ------------------------------------------------------------------------------------------------------------

function entities.arn(ctx, name, qualifier)
  return arns.of(ctx, "lambda", ("function:%s%s"):format(name, qualifier and ":" .. qualifier or ""))
end

--- Name and qualifier (or nil) that a request's FunctionName, a name, a partial or a full ARN, and Qualifier mean.
function entities.reference(ctx, params)
  local text = params.FunctionName
  local region, rest = text:match("^arn:[%w-]+:lambda:([%w-]+):%d+:function:(.+)$")
  if region and region ~= ctx.region then
    fail(ctx, "ResourceNotFoundException", "Functions from '%s' are not reachable in this region ('%s')", region,
      ctx.region)
  end
  rest = rest or text:match("^%d+:function:(.+)$") or text
  local name, qualifier = rest:match("^(" .. NAME .. "):([%w$_-]+)$")
  name = name or rest:match("^" .. NAME .. "$")
  if not name or #name > 64 then
    entities.validation(ctx, text, "functionName", "Member must satisfy regular expression pattern: "
      .. "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)"
      .. "(:(\\$LATEST|[a-zA-Z0-9-_]+))?")
  elseif qualifier and params.Qualifier and qualifier ~= params.Qualifier then
    entities.invalid(ctx, "The derived qualifier from the function name does not match the specified qualifier.")
  end
  return name, qualifier or params.Qualifier
end

-- -- finding ----------------------------------------------------------------------------------------------------------

local function not_found(ctx, name, qualifier)
  fail(ctx, "ResourceNotFoundException", "Function not found: %s", entities.arn(ctx, name, qualifier))
end

local function visible(ctx, kind, key)
  return not ctx:fresh(kind, key) and ctx.store:get(kind, key) or nil
end

entities.get = visible

--- The function that a request means, and the qualifier it names or nil.
function entities.find(ctx, params)
  local name, qualifier = entities.reference(ctx, params)
  return visible(ctx, "function", name) or not_found(ctx, name, qualifier), qualifier
end

--- The version that a qualifier (nil: $LATEST) means, directly or as an alias's; then the alias is returned too.
function entities.version(ctx, fn, qualifier)
  local name = fn.FunctionName
  local alias = qualifier and visible(ctx, "alias/" .. name, qualifier)
  local version = ctx.store:get("version/" .. name, alias and alias.FunctionVersion or qualifier or "$LATEST")
  return version or not_found(ctx, name, qualifier), alias
end

function entities.latest(ctx, fn)
  return entities.version(ctx, fn)
end

function entities.put(ctx, fn)
  ctx.store:put("function", fn.FunctionName, fn)
end

function entities.put_version(ctx, fn, version)
  ctx.store:put("version/" .. fn.FunctionName, version.Version, version)
end

-- -- changing ---------------------------------------------------------------------------------------------------------

--- Gives a version, an alias or a policy its next revision.
function entities.revise(ctx, object)
  object.RevisionId = ctx.unique(32):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
  object.modified_at = ctx.now()
end

--- Fails when a request is made for another revision than there is.
function entities.check_revision(ctx, params, object)
  if params.RevisionId and params.RevisionId ~= object.RevisionId then
    fail(ctx, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the "
      .. "GetFunction/GetAlias API to retrieve the latest Revision Id")
  end
end

--- The state of a version: State, its reason, LastUpdateStatus, its reason; each as the API calls it.
function entities.state(ctx, version)
  local now = ctx.now()
  if now < version.active_at then
    return { State = "Pending", StateReason = "The function is being created.", StateReasonCode = "Creating" }
  elseif version.failure then
    return { State = "Failed", StateReason = version.failure.reason, StateReasonCode = version.failure.code }
  elseif version.updated_at and now < version.updated_at then
    return {
      State = "Active", LastUpdateStatus = "InProgress", LastUpdateStatusReasonCode = "Creating",
      LastUpdateStatusReason = "The function is being created.",
    }
  elseif version.update_failure then
    return {
      State = "Active", LastUpdateStatus = "Failed", LastUpdateStatusReason = version.update_failure.reason,
      LastUpdateStatusReasonCode = version.update_failure.code,
    }
  end
  return { State = "Active", LastUpdateStatus = "Successful" }
end

--- Fails while $LATEST is being made or changed, and for good when making it failed.
function entities.check_settled(ctx, fn)
  local state = entities.state(ctx, entities.latest(ctx, fn))
  if state.State ~= "Active" then
    fail(ctx, "ResourceConflictException", "The operation cannot be performed at this time. The function is currently "
      .. "in the following state: %s", state.State)
  elseif state.LastUpdateStatus == "InProgress" then
    fail(ctx, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress "
      .. "for resource: %s", fn.arn)
  end
end

-- -- answering --------------------------------------------------------------------------------------------------------

--- A time as Lambda writes it.
function entities.time(seconds)
  return clock.format_utc(seconds, "%Y-%m-%dT%H:%M:%S") .. (".%03d+0000"):format(seconds % 1 * 1000 // 1)
end

--- The answer of a list operation: in `member`, a page of `items`, ordered by `key(item)`.
function entities.listed(ctx, params, member, items, key)
  table.sort(items, function(a, b) return key(a) < key(b) end)
  local page, marker = paging.page(ctx, items, key, params.Marker, math.min(params.MaxItems or PAGE, PAGE))
  if not page then
    entities.invalid(ctx, "The provided marker is invalid.")
  end
  return { [member] = page, NextMarker = marker }
end

return entities
