-- What the parts of the simulated API Gateway share: finding things, failing, changing an API, pages. Used by the other
-- files of this folder.
--
-- Kept in the region's store:
--   api            by id: the members of the API's GetApi, and changed_at
--   integration/ID, route/ID, stage/ID, deployment/ID   what belongs to the API with that id, by its own id or, stages,
--                  by name: the members that the API shows; what else there is, is said in the files

local merged = require "infra.merged"
local Failure = require "infra.sim.failure"
local paging = require "infra.sim.paging"
local structures = require "infra.sim.structures"

local entities = {}

local ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
local PAGES = { usual = 100, most = 500 }

-- Two changes closer together than any caller can make them that waits for an answer.
local OVERLAP <const> = 0.05

-- By kind of what belongs to an API: the member with its id, and how it is called in messages.
local PARTS = {
  integration = { id = "IntegrationId", text = "Integration", length = 7 },
  route = { id = "RouteId", text = "Route", length = 7 },
  stage = { id = "StageName", text = "stage" },
  deployment = { id = "DeploymentId", text = "Deployment", length = 6 },
}

--- The kinds of what goes with an API.
entities.kinds = { "integration", "route", "stage", "deployment" }

--- Throws the service's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower()

local fail = entities.fail

function entities.bad_request(ctx, message, ...)
  fail(ctx, "BadRequestException", message, ...)
end

function entities.arn(ctx, api_id, stage_name)
  return ("arn:%s:apigateway:%s::/apis/%s%s"):format(ctx.partition, ctx.region, api_id,
    stage_name and "/stages/" .. stage_name or "")
end

-- -- finding ----------------------------------------------------------------------------------------------------------

--- The API with this id, or NotFoundException.
function entities.api(ctx, id)
  local found = not ctx:fresh("api", id) and ctx.store:get("api", id)
  return found or fail(ctx, "NotFoundException", "Invalid API identifier specified %s:%s", ctx.account, id)
end

local function kind_of(api, kind)
  return kind .. "/" .. api.ApiId
end

--- What belongs to an API, by its id (stages: by name), or nil.
function entities.get(ctx, api, kind, id)
  return not ctx:fresh(kind_of(api, kind), id) and ctx.store:get(kind_of(api, kind), id) or nil
end

--- The same, or NotFoundException.
function entities.find(ctx, api, kind, id)
  return entities.get(ctx, api, kind, id)
    or fail(ctx, "NotFoundException", "Invalid %s identifier specified %s", PARTS[kind].text, id)
end

--- API and part that a request names.
function entities.named(ctx, params, kind)
  local api = entities.api(ctx, params.ApiId)
  return api, entities.find(ctx, api, kind, params[PARTS[kind].id])
end

--- Iterates over id, object of what belongs to an API.
function entities.each(ctx, api, kind)
  return ctx.store:each(kind_of(api, kind))
end

-- -- changing ---------------------------------------------------------------------------------------------------------

--- A fresh id.
function entities.id(ctx, length)
  return ctx.unique(length, ALPHABET)
end

--- To be called before a change to an API: changes at the same time get in each other's way.
function entities.claim(ctx, api)
  local age = api.changed_at and ctx.now() - api.changed_at
  if age and age > 0 and age < OVERLAP and ctx.sim.faults:unaware(age) then
    fail(ctx, "ConflictException",
      "Unable to complete operation due to concurrent modification. Please try again later.")
  end
  api.changed_at = ctx.now()
  ctx.store:put("api", api.ApiId, api)
end

--- Keeps a part of an API, new ones under a fresh id.
function entities.put(ctx, api, kind, object)
  local part = PARTS[kind]
  object[part.id] = object[part.id] or entities.id(ctx, part.length)
  ctx.store:put(kind_of(api, kind), object[part.id], object)
end

function entities.delete(ctx, api, kind, object)
  ctx.store:delete(kind_of(api, kind), object[PARTS[kind].id])
end

--- `current` (nil: nothing yet) with those of `members` (an array of names) that a request mentions.
function entities.merged(params, members, current)
  return merged(current, structures.pick(params, members))
end

--- `current` ({ key = value } or nil) with the entries of a request; those that are the empty text go. nil when nothing
--- is left.
function entities.merged_map(current, given)
  local result = {}
  for key, value in pairs(merged(current, given)) do
    result[key] = value ~= "" and value or nil
  end
  return next(result) and result or nil
end

-- -- answering --------------------------------------------------------------------------------------------------------

--- The answer of a list operation: a page of `items`, ordered by `key(item)`.
function entities.listed(ctx, params, items, key)
  local limit = params.MaxResults and tonumber(params.MaxResults) or PAGES.usual
  if not limit or limit < 1 or limit > PAGES.most then
    entities.bad_request(ctx, "Invalid value for maxResults: it must be between 1 and %d.", PAGES.most)
  end
  local page, token = paging.page(ctx, items, key, params.NextToken, limit)
  if not page then
    entities.bad_request(ctx, "Invalid nextToken specified.")
  end
  return { Items = page, NextToken = token }
end

local function itself(_, _, object)
  return object
end

--- The operation that lists the parts of an API; `view(ctx, api, object)` shows one, by default as it is kept.
function entities.lister(kind, view)
  view = view or itself
  return function(ctx, params)
    local api, items = entities.api(ctx, params.ApiId), {}
    for id, object in entities.each(ctx, api, kind) do
      items[#items + 1] = entities.get(ctx, api, kind, id) and view(ctx, api, object)
    end
    return entities.listed(ctx, params, items, function(shown) return shown[PARTS[kind].id] end)
  end
end

--- The operation that shows one part of an API; `view` as above.
function entities.getter(kind, view)
  view = view or itself
  return function(ctx, params)
    local api, object = entities.named(ctx, params, kind)
    return view(ctx, api, object)
  end
end

return entities
