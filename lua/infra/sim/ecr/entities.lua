-- What the parts of the simulated ECR share: finding repositories and what is in them, failing, pages. Used by the
-- other files of this folder, and by the simulated Lambda, whose functions are images; the objects are always those of
-- ECR in the caller's account and region.
--
-- Kept in the region's store:
--   repository     by name: the members of the API's Repository, and lifecycle, policy = text or nil, bindings (of
--                  iam/principals.lua), tags = { key = value }
--   layer/NAME     the blobs of a repository by digest: { size }
--   image/NAME     its images by digest: { digest, manifest, media_type, artifact_type, tags = sorted array, size,
--                  pushed_at }
--   upload         by id: { repository, size, parts = how many }
--   part           by upload id and number: { data = base64 }

local Failure = require "infra.sim.failure"
local paging = require "infra.sim.paging"

local entities = {}

local PAGES = { usual = 100, most = 1000 }

--- The kinds whose objects belong to one repository.
entities.contents = { "layer/", "image/" }

--- Throws ECR's error `code`; further arguments are string.format's.
entities.fail = Failure.thrower()

local fail = entities.fail

--- The answer to a parameter that cannot be.
function entities.invalid(ctx, name, constraint, ...)
  fail(ctx, "InvalidParameterException", "Invalid parameter at '%s' failed to satisfy constraint: '%s'", name,
    constraint:format(...))
end

--- The store of ECR, whoever asks.
function entities.store(ctx)
  return ctx:of "ecr"
end

function entities.put(ctx, repository)
  entities.store(ctx):put("repository", repository.repositoryName, repository)
end

--- The object of a kind, if ECR's part that answers has heard of it; else nil.
function entities.get(ctx, kind, key)
  local store = entities.store(ctx)
  return not ctx:fresh(kind, key, store) and store:get(kind, key) or nil
end

--- The repository called so, or RepositoryNotFoundException. `registry`: whose it is; only the caller's is simulated.
function entities.find(ctx, name, registry)
  local found = (registry or ctx.account) == ctx.account and entities.get(ctx, "repository", name)
  return found or fail(ctx, "RepositoryNotFoundException",
    "The repository with name '%s' does not exist in the registry with id '%s'", name, registry or ctx.account)
end

--- The repository that the request means.
function entities.named(ctx, params)
  return entities.find(ctx, params.repositoryName, params.registryId)
end

--- The members that nearly every answer begins with.
function entities.answer(ctx, repository, members)
  members.repositoryName, members.registryId = repository.repositoryName, ctx.account
  return members
end

--- The image with a digest, or the one that a tag means now; nil when there is none.
function entities.image(ctx, repository, id)
  local kind = "image/" .. repository.repositoryName
  if id.imageDigest then
    return entities.get(ctx, kind, id.imageDigest)
  end
  for digest, image in entities.store(ctx):each(kind) do
    for _, tag in ipairs(image.tags) do
      if tag == id.imageTag then
        return entities.get(ctx, kind, digest)
      end
    end
  end
end

--- The answer of a list operation: in `member`, a page of `items`, ordered by `key(item)`.
function entities.listed(ctx, params, member, items, key)
  local limit = params.maxResults or PAGES.usual
  if limit < 1 or limit > PAGES.most then
    entities.invalid(ctx, "maxResults", "must be between 1 and %d", PAGES.most)
  end
  table.sort(items, function(a, b) return key(a) < key(b) end)
  local page, token = paging.page(ctx, items, key, params.nextToken, limit)
  if not page then
    entities.invalid(ctx, "nextToken", "must be a token of an earlier answer")
  end
  return { [member] = page, nextToken = token }
end

return entities
