-- ETags and lists, the same for everything in the simulated CloudFront. Used by the other files of this folder.

local paging = require "infra.sim.paging"

local versions = {}

local PAGE <const> = 100
local ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

--- A fresh id or ETag in CloudFront's form.
function versions.id(ctx)
  return "E" .. ctx.unique(13, ID_LETTERS)
end

--- Fails unless the request's If-Match is the object's ETag.
function versions.check(ctx, object, if_match)
  if not if_match then
    ctx:fail("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.", 400)
  elseif if_match ~= object.etag then
    ctx:fail("PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more " ..
      "request-header fields.", 412)
  end
end

--- A page of rendered items as CloudFront's lists are: { Items, Quantity, MaxItems, Marker, NextMarker, IsTruncated }.
function versions.list(ctx, items, key, params)
  local limit = math.min(tonumber(params.MaxItems) or PAGE, PAGE)
  local page, token = paging.page(ctx, items, key, params.Marker, limit)
  if not page then
    ctx:fail("InvalidArgument", "The marker is not valid.", 400)
  end
  return {
    Items = page, Quantity = #page, MaxItems = limit, Marker = params.Marker or "", NextMarker = token,
    IsTruncated = token ~= nil,
  }
end

return versions
