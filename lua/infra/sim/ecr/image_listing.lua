-- Reading the images of the simulated ECR. Operations of infra.sim.ecr.

local entities = require "infra.sim.ecr.entities"
local images = require "infra.sim.ecr.images"

local operations = {}

function operations.BatchGetImage(ctx, params)
  local repository, found = entities.named(ctx, params), {}
  local failures = images.each(ctx, repository, params, function(image, id)
    found[#found + 1] = images.view(ctx, repository, image, id.imageTag)
  end)
  return { images = found, failures = failures }
end

local function detail(ctx, repository, image)
  return entities.answer(ctx, repository, {
    imageDigest = image.digest,
    imageTags = #image.tags > 0 and image.tags or nil,
    imageSizeInBytes = image.size,
    imagePushedAt = image.pushed_at,
    imageManifestMediaType = image.media_type,
    artifactMediaType = image.artifact_type,
  })
end

-- The images of a repository that a request's filter lets through.
local function selected(ctx, repository, filter)
  local kind, found = "image/" .. repository.repositoryName, {}
  local status = filter and filter.tagStatus or "ANY"
  for digest, image in entities.store(ctx):each(kind) do
    local tagged = #image.tags > 0
    if entities.get(ctx, kind, digest) and (status == "ANY" or (status == "TAGGED") == tagged) then
      found[#found + 1] = image
    end
  end
  return found
end

function operations.DescribeImages(ctx, params)
  local repository, details = entities.named(ctx, params), {}
  for i, id in ipairs(params.imageIds or {}) do
    local image = images.look_up(ctx, repository, id)
    if not image then
      entities.fail(ctx, "ImageNotFoundException",
        "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' "
        .. "in the registry with id '%s'", id.imageDigest or "null", id.imageTag or "null", repository.repositoryName,
        ctx.account)
    end
    details[i] = detail(ctx, repository, image)
  end
  if params.imageIds then
    return { imageDetails = details }
  end
  for i, image in ipairs(selected(ctx, repository, params.filter)) do
    details[i] = detail(ctx, repository, image)
  end
  return entities.listed(ctx, params, "imageDetails", details, function(shown) return shown.imageDigest end)
end

-- One identifier for each tag, and one for an image without.
function operations.ListImages(ctx, params)
  local repository, ids = entities.named(ctx, params), {}
  for _, image in ipairs(selected(ctx, repository, params.filter)) do
    for i = 1, math.max(1, #image.tags) do
      ids[#ids + 1] = { imageDigest = image.digest, imageTag = image.tags[i] }
    end
  end
  return entities.listed(ctx, params, "imageIds", ids, function(id) return id.imageDigest .. (id.imageTag or "") end)
end

return { operations = operations }
