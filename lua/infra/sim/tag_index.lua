-- The tags of everything in the account, as the Resource Groups Tagging API knows them: after a while, and under ARNs.
-- Filled by infra.sim after each call, read by infra.sim.resourcegroupstaggingapi.
--
-- A service keeps its tags where it likes. Its module says how to find them, in a member that no operation is called:
--   tagged = { [kind] = function(place, object, owner) -> nil or {
--     arn, tags = { key = value },
--     gone_at   unix seconds from when on the object, although still in the store, does not exist any more; or nil
--     region    for what is kept in the account's global store but has a region
--   } }
-- `place` has partition, region and account and can stand for a handler's context where an ARN is made of them; `owner`
-- is what follows the slash in kinds like "stage/<api>".
--
-- Kept in the account's store of the API, kind "resource", by where the object is kept: { versions = array of
-- { at = when it came to be so, resource = what the service said, with a region; nil when there was none } }.

local json = require "host.json"

local endpoints = require "infra.aws.endpoints"

local tag_index = {}

local SERVICE <const> = "resourcegroupstaggingapi"

-- The region that answers for services without regions.
local GLOBAL <const> = "us-east-1"

-- Seconds until a change shows. AWS says "eventually" and gives no figure.
local LAG <const> = 20

local function place_of(scope)
  local account, region = scope[2], scope[3] or GLOBAL
  return { account = account, region = region, partition = endpoints.partition(region).id }
end

-- The last version that shows by now, and its position.
local function settled(versions, now)
  for i = #versions, 1, -1 do
    if versions[i].at + LAG <= now then
      return versions[i], i
    end
  end
end

-- What never had a tag is not known at all.
local function record(view, key, resource, now)
  local entry = view:get("resource", key) or { versions = {} }
  local versions = entry.versions
  local last = versions[#versions] and versions[#versions].resource
  if not last and not (resource and next(resource.tags))
    or last and resource and json.encode(last) == json.encode(resource) then
    return
  end
  local _, position = settled(versions, now)
  local kept = table.move(versions, position or 1, #versions, 1, {})
  -- A copy: the service may change its own in place.
  kept[#kept + 1] = { at = now, resource = resource and json.decode(json.encode(resource)) }
  view:put("resource", key, { versions = kept })
end

--- Takes note of what changed in `store` (infra.sim.store) since it was last flushed. `module_of(service)` is the
--- service's module.
function tag_index.update(store, module_of)
  for _, change in ipairs(store:changes()) do
    local kind, owner = change.kind:match "^([^/]*)/?(.*)$"
    local publish = (module_of(change.scope[1]).tagged or {})[kind]
    if publish then
      local place = place_of(change.scope)
      local resource = change.object and publish(place, change.object, owner)
      if resource then
        resource.region = resource.region or place.region
      end
      local key = table.concat({ table.concat(change.scope, "/"), change.kind, change.key }, "/")
      record(store:view(SERVICE, place.account), key, resource, store.time)
    end
  end
end

--- The resources of the caller's account and region that show by now, in the order of their ARNs: an array of what the
--- services said.
function tag_index.resources(ctx)
  local found, now = {}, ctx.now()
  for key, entry in ctx.global:each("resource") do
    local version, position = settled(entry.versions, now)
    local resource = version and version.resource
    if version and not resource and position == #entry.versions then
      ctx.global:delete("resource", key)
    elseif resource and resource.region == ctx.region and not (resource.gone_at and resource.gone_at + LAG <= now) then
      found[#found + 1] = resource
    end
  end
  table.sort(found, function(a, b) return a.arn < b.arn end)
  return found
end

return tag_index
