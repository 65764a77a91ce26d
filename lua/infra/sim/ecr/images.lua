-- Pushing and deleting images of the simulated ECR. Operations of infra.sim.ecr.

local crypto = require "host.crypto"
local entities = require "infra.sim.ecr.entities"
local joined = require "infra.joined"
local json = require "host.json"

local images = { operations = {} }
local operations = images.operations
local fail, invalid = entities.fail, entities.invalid

local IDS_LIMIT = 100
local MANIFEST_LIMIT <const> = 4194304
local TAG_LIMIT = 300

-- Media types of manifests that name other manifests instead of layers.
local INDEXES = {
  ["application/vnd.docker.distribution.manifest.list.v2+json"] = true,
  ["application/vnd.oci.image.index.v1+json"] = true,
}

--- Whether an image is none itself but names some, one for each platform.
function images.is_index(image)
  return INDEXES[image.media_type] or false
end

-- -- pushing ----------------------------------------------------------------------------------------------------------

local function is_manifest(document)
  return type(document) == "table" and document.schemaVersion == 2
    and (json.is_array(document.manifests) or type(document.config) == "table" and json.is_array(document.layers))
end

local function media_type_of(ctx, params, document)
  local given, own = params.imageManifestMediaType, document.mediaType
  if given and own and given ~= own then
    invalid(ctx, "ImageManifest", "Manifest media type '%s' does not match the parameter's '%s'", own, given)
  elseif not (given or own) then
    invalid(ctx, "ImageManifest", "Manifest media type must be in the manifest or in the parameter "
      .. "imageManifestMediaType")
  end
  return given or own
end

-- The digests that a manifest names and the repository does not have, and the size of all that it names.
local function missing_of(ctx, kind, descriptors)
  local missing, size = {}, 0
  for _, descriptor in ipairs(descriptors) do
    local found = entities.get(ctx, kind, tostring(descriptor.digest))
    missing[#missing + 1] = not found and tostring(descriptor.digest) or nil
    size = size + (found and found.size or 0)
  end
  return missing, size
end

local function check_references(ctx, repository, document)
  local name = repository.repositoryName
  if document.manifests then
    local missing = missing_of(ctx, "image/" .. name, document.manifests)
    if #missing > 0 then
      fail(ctx, "ReferencedImagesNotFoundException", "The referenced images %s do not exist in the repository '%s'.",
        table.concat(missing, ", "), name)
    end
    return 0
  end
  local descriptors = joined({ document.config }, document.layers)
  local missing, size = missing_of(ctx, "layer/" .. name, descriptors)
  if #missing > 0 then
    fail(ctx, "LayersNotFoundException", "Layers with digests '[%s]' required for pushing image into repository with "
      .. "name '%s' in the registry with id '%s' do not exist", table.concat(missing, ", "), name, ctx.account)
  end
  return size
end

local function position_of(image, tag)
  for position, each in ipairs(image and image.tags or {}) do
    if each == tag then
      return position
    end
  end
end

local function put(ctx, repository, image)
  table.sort(image.tags)
  entities.store(ctx):put("image/" .. repository.repositoryName, image.digest, image)
end

local function check_tag(ctx, repository, tag, digest)
  if #tag > TAG_LIMIT or not tag:find("^[%w_][%w_.-]*$") then
    invalid(ctx, "imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9-_.]*'")
  end
  local holder = entities.image(ctx, repository, { imageTag = tag })
  if holder and holder.digest ~= digest and repository.imageTagMutability == "IMMUTABLE" then
    fail(ctx, "ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository and cannot "
      .. "be overwritten because the repository is immutable.", tag, repository.repositoryName)
  end
  return holder
end

local function parse(ctx, text)
  local document = #text <= MANIFEST_LIMIT and json.decode(text)
  if not is_manifest(document) then
    invalid(ctx, "ImageManifest", "Invalid JSON syntax")
  end
  return document
end

-- A tag that another image has moves; the digest is that of the manifest's text, byte for byte.
function operations.PutImage(ctx, params)
  local repository, tag = entities.named(ctx, params), params.imageTag
  local document = parse(ctx, params.imageManifest)
  local media_type = media_type_of(ctx, params, document)
  local digest = "sha256:" .. crypto.hex(crypto.sha256(params.imageManifest))
  if params.imageDigest and params.imageDigest ~= digest then
    fail(ctx, "ImageDigestDoesNotMatchException", "The digest '%s' does not match the digest '%s' calculated by ECR.",
      params.imageDigest, digest)
  end
  local holder = tag and check_tag(ctx, repository, tag, digest)
  local image = entities.store(ctx):get("image/" .. repository.repositoryName, digest)
  if image and (not tag or position_of(image, tag)) then
    fail(ctx, "ImageAlreadyExistsException", "Image with digest '%s' and tag '%s' already exists in the repository "
      .. "with name '%s' in registry with id '%s'", digest, tag or "null", repository.repositoryName, ctx.account)
  end
  image = image or {
    digest = digest,
    manifest = params.imageManifest,
    media_type = media_type,
    artifact_type = document.config and document.config.mediaType,
    size = check_references(ctx, repository, document),
    pushed_at = ctx.now(),
    tags = {},
  }
  if holder then
    table.remove(holder.tags, position_of(holder, tag))
    put(ctx, repository, holder)
  end
  image.tags[#image.tags + 1] = tag
  put(ctx, repository, image)
  return { image = images.view(ctx, repository, image, tag) }
end

--- An image as BatchGetImage shows it, under the tag that it was asked for by.
function images.view(ctx, repository, image, tag)
  return entities.answer(ctx, repository, {
    imageId = { imageDigest = image.digest, imageTag = tag },
    imageManifest = image.manifest,
    imageManifestMediaType = image.media_type,
  })
end

-- -- several at once --------------------------------------------------------------------------------------------------

--- The image that an identifier means, or nil, and code and reason of the failure.
function images.look_up(ctx, repository, id)
  if not (id.imageDigest or id.imageTag) then
    return nil, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
  elseif id.imageDigest and not id.imageDigest:find("^sha256:%x+$") then
    return nil, "InvalidImageDigest", "Invalid request parameters: image digest should satisfy the regex "
      .. "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
  end
  local image = entities.image(ctx, repository, id)
  if not image then
    return nil, "ImageNotFound", "Requested image not found"
  elseif id.imageDigest and id.imageTag and not position_of(image, id.imageTag) then
    return nil, "ImageTagDoesNotMatchDigest", "Requested image tag does not match the image digest"
  end
  return image
end

--- Calls visit(image, id) for each identifier of a request; it returns nil or code and reason of a failure. Returns the
--- array of failures.
function images.each(ctx, repository, params, visit)
  if #params.imageIds < 1 or #params.imageIds > IDS_LIMIT then
    invalid(ctx, "imageIds", "Member must have length between 1 and %d", IDS_LIMIT)
  end
  local failures = {}
  for _, id in ipairs(params.imageIds) do
    local image, code, reason = images.look_up(ctx, repository, id)
    if image then
      code, reason = visit(image, id)
    end
    failures[#failures + 1] = code and { imageId = id, failureCode = code, failureReason = reason } or nil
  end
  return failures
end

local function index_with(ctx, repository, digest)
  for _, image in entities.store(ctx):each("image/" .. repository.repositoryName) do
    if images.is_index(image) and image.manifest:find(digest, 1, true) then
      return image
    end
  end
end

-- By tag, an image goes with the last of them; by digest, with all of them.
function operations.BatchDeleteImage(ctx, params)
  local repository, deleted = entities.named(ctx, params), {}
  local store, kind = entities.store(ctx), "image/" .. repository.repositoryName
  local left = ctx.partial_batch and params.imageIds[#params.imageIds]
  local failures = images.each(ctx, repository, params, function(image, id)
    local untag_only = not id.imageDigest and #image.tags > 1
    local index = not untag_only and index_with(ctx, repository, image.digest)
    if id == left then
      return "KmsError", "The image could not be deleted"
    elseif index then
      return "ImageReferencedByManifestList", ("Requested image referenced by manifest list: [%s]"):format(index.digest)
    elseif untag_only then
      table.remove(image.tags, position_of(image, id.imageTag))
      put(ctx, repository, image)
      deleted[#deleted + 1] = { imageDigest = image.digest, imageTag = id.imageTag }
      return nil
    end
    store:delete(kind, image.digest)
    for i = 1, math.max(1, #image.tags) do
      deleted[#deleted + 1] = { imageDigest = image.digest, imageTag = image.tags[i] }
    end
  end)
  return { imageIds = deleted, failures = failures }
end

return images
