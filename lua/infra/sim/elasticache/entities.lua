-- What the parts of the simulated ElastiCache share: caches and snapshots, their states, failing, pages. Used by the
-- other files of this folder.
--
-- Kept in the region's store, by lower-case name:
--   cache     the members of the API's ServerlessCache that do not depend on time, and available_at, gone_at, failed
--             (true when creation ends in failure), change = { ends_at, values = { member = value } }, interfaces =
--             array of the network interfaces in EC2, tags = { key = value }
--   snapshot  the same of ServerlessCacheSnapshot: available_at, gone_at, tags

local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"

local entities = {}

local PAGE = 50

-- By kind: what its names are called in ARNs and in the codes of errors, and in messages.
local KINDS = {
  cache = { arn = "serverlesscache", code = "ServerlessCache", text = "Serverless cache" },
  snapshot = { arn = "serverlesscachesnapshot", code = "ServerlessCacheSnapshot", text = "Serverless cache snapshot" },
}

--- Throws ElastiCache's error `code`; further arguments are string.format's.
function entities.fail(ctx, code, message, ...)
  ctx:fail(code, message:format(...), code:find("NotFound") and 404 or 400)
end

local fail = entities.fail

function entities.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameterValue", message, ...)
end

--- The name as it is kept, or the answer that there can be none such. `most`: its greatest length.
function entities.checked_name(ctx, name, most)
  if #name > most or not name:find("^%a[%w-]*$") or name:find("%-%-") or name:find("%-$") then
    entities.invalid(ctx, "The parameter %s is not valid: it must begin with a letter, contain only letters, digits "
      .. "and hyphens, not end with a hyphen or have two in a row, and be at most %d characters long.", name, most)
  end
  return name:lower()
end

function entities.arn(ctx, kind, name)
  return arns.of(ctx, "elasticache", KINDS[kind].arn .. ":" .. name)
end

function entities.put(ctx, kind, object)
  ctx.store:put(kind, kind == "cache" and object.ServerlessCacheName or object.ServerlessCacheSnapshotName, object)
end

--- "creating", "create-failed", "available", "modifying" or "deleting".
function entities.status(ctx, object)
  if object.gone_at then
    return "deleting"
  elseif ctx.now() < object.available_at then
    return "creating"
  elseif object.failed then
    return "create-failed"
  end
  return object.change and "modifying" or "available"
end

-- The object as it is by now, with what has ended in the meantime; nil when it is gone.
local function settled(ctx, kind, name, object)
  if object and object.gone_at and object.gone_at <= ctx.now() then
    ctx.store:delete(kind, name)
    return nil
  elseif object and object.change and object.change.ends_at <= ctx.now() then
    for member, value in pairs(object.change.values) do
      object[member] = value
    end
    object.change = nil
    entities.put(ctx, kind, object)
  end
  return object
end

--- The object called so, or nil.
function entities.get(ctx, kind, name)
  return settled(ctx, kind, name, ctx.store:get(kind, name))
end

--- The same, or ServerlessCacheNotFoundFault or ServerlessCacheSnapshotNotFoundFault.
function entities.find(ctx, kind, name)
  local object = entities.get(ctx, kind, name:lower())
  if not object or ctx:fresh(kind, name:lower()) then
    fail(ctx, KINDS[kind].code .. "NotFoundFault", "%s not found: %s", KINDS[kind].text, name:lower())
  end
  return object
end

--- The same, if it is available.
function entities.find_available(ctx, kind, name)
  local object = entities.find(ctx, kind, name)
  local status = entities.status(ctx, object)
  if status ~= "available" then
    fail(ctx, ("Invalid%sStateFault"):format(KINDS[kind].code), "%s %s is not in the available state. Current state: "
      .. "%s", KINDS[kind].text, name:lower(), status)
  end
  return object
end

--- Fails when there is one called so already, even one that is being deleted.
function entities.check_new(ctx, kind, name)
  if entities.get(ctx, kind, name) then
    fail(ctx, KINDS[kind].code .. "AlreadyExistsFault", "%s already exists: %s", KINDS[kind].text, name)
  end
end

--- The object that an ARN means, available; InvalidARN for other texts.
function entities.by_arn(ctx, arn)
  for kind, known in pairs(KINDS) do
    local name = arn:match("^arn:[%w-]+:elasticache:" .. ctx.region:gsub("%-", "%%-") .. ":" .. ctx.account .. ":"
      .. known.arn .. ":(.+)$")
    if name then
      return entities.find_available(ctx, kind, name), kind
    end
  end
  fail(ctx, "InvalidARN", "%s is not a valid ARN of an ElastiCache resource in this account and region.", arn)
end

--- The answer of a Describe operation: in `member`, a page of the objects that `wanted(object)` (nil: all), shown by
--- `view(ctx, object)`.
function entities.listed(ctx, params, kind, member, view, wanted)
  local limit = params.MaxResults or PAGE
  if limit < 1 or limit > PAGE then
    entities.invalid(ctx, "The parameter MaxResults must be between 1 and %d.", PAGE)
  end
  local found = {}
  for name in ctx.store:each(kind) do
    local object = entities.get(ctx, kind, name)
    if object and not ctx:fresh(kind, name) and (not wanted or wanted(object)) then
      found[#found + 1] = view(ctx, object)
    end
  end
  local page, token = paging.page(ctx, found, function(shown) return shown.ARN end, params.NextToken, limit)
  if not page then
    entities.invalid(ctx, "The parameter NextToken is not valid.")
  end
  return { [member] = page, NextToken = token }
end

return entities
