-- The simulated S3: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the S3 API reference
-- and the User Guide: buckets and their configurations, objects with versions, uploads in parts.

local buckets = require "infra.sim.s3.buckets"
local checksums = require "infra.sim.s3.checksums"
local chunked = require "infra.sim.s3.chunked"
local objects = require "infra.sim.s3.objects"
local parts = require "infra.sim.parts"

-- What every operation does first: takes the body out of its chunks, and looks at its digests.
local function receive(ctx, name, params)
  local request = ctx.request
  if chunked.is(request) then
    request = chunked.decode(request)
      or buckets.fail(ctx, "IncompleteBody", "The request body terminated unexpectedly")
    params.Body, params.ContentEncoding = request.body, request.headers["content-encoding"]
  end
  checksums.check(ctx, name, request)
end

local PARTS = { "buckets", "facets", "acl", "objects", "object_tags", "listing", "multipart" }

return parts("infra.sim.s3", PARTS, function(name, operation)
  return function(ctx, params)
    receive(ctx, name, params)
    objects.replicate(ctx)
    return operation(ctx, params)
  end
end)
