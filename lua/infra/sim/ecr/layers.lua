-- Uploading blobs, layers and image configurations alike, to the simulated ECR. Operations of infra.sim.ecr. Of a blob
-- that is complete only digest and size are kept.

local crypto = require "host.crypto"
local entities = require "infra.sim.ecr.entities"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local MIB <const> = 1024 * 1024
local PART = { usual = 10 * MIB, least = 5 * MIB, most = 20971520 }
local DIGESTS_LIMIT = 100

local function is_digest(text)
  return text:find("^sha256:%x+$") ~= nil and #text == #"sha256:" + 64
end

local function part_key(id, number)
  return ("%s/%05d"):format(id, number)
end

local function upload_of(ctx, repository, id)
  local upload = entities.get(ctx, "upload", id)
  if not upload or upload.repository ~= repository.repositoryName then
    fail(ctx, "UploadNotFoundException", "The upload with id '%s' was not found in the repository with name '%s' in "
      .. "the registry with id '%s'", id, repository.repositoryName, ctx.account)
  end
  return upload
end

function operations.InitiateLayerUpload(ctx, params)
  local repository = entities.named(ctx, params)
  local id = ctx.unique(32):gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
  entities.store(ctx):put("upload", id, { repository = repository.repositoryName, size = 0, parts = 0 })
  return { uploadId = id, partSize = PART.usual }
end

-- Parts come in order; where to go on is said by the refusal. Only the last part may be small, so a small one shows as
-- too small when another follows.
function operations.UploadLayerPart(ctx, params)
  local repository, store = entities.named(ctx, params), entities.store(ctx)
  local upload, data = upload_of(ctx, repository, params.uploadId), params.layerPartBlob
  local first, last = params.partFirstByte, params.partLastByte
  if last - first + 1 ~= #data or #data == 0 or #data > PART.most then
    invalid(ctx, "layerPartBlob", "must have between 1 and %d bytes, as many as partFirstByte and partLastByte say",
      PART.most)
  elseif first ~= upload.size then
    ctx:fail("InvalidLayerPartException", ("The layer part size is not valid, or the first byte specified is not "
      .. "consecutive to the last byte of a previous layer part upload. Last valid byte: %d"):format(upload.size - 1),
      400, {
        registryId = ctx.account,
        repositoryName = repository.repositoryName,
        uploadId = params.uploadId,
        lastValidByteReceived = upload.size - 1,
      })
  end
  upload.size, upload.parts = last + 1, upload.parts + 1
  upload.too_small = upload.too_small or upload.last_size and upload.last_size < PART.least
  upload.last_size = #data
  store:put("part", part_key(params.uploadId, upload.parts), { data = crypto.base64(data) })
  store:put("upload", params.uploadId, upload)
  return entities.answer(ctx, repository, { uploadId = params.uploadId, lastByteReceived = last })
end

local function digest_of(store, id, upload)
  local hasher = crypto.hasher "sha256"
  for number = 1, upload.parts do
    hasher:update(crypto.unbase64(store:get("part", part_key(id, number)).data))
  end
  return "sha256:" .. crypto.hex(hasher:digest())
end

local function forget(store, id, upload)
  for number = 1, upload.parts do
    store:delete("part", part_key(id, number))
  end
  store:delete("upload", id)
end

function operations.CompleteLayerUpload(ctx, params)
  local repository, store = entities.named(ctx, params), entities.store(ctx)
  local id, kind = params.uploadId, "layer/" .. repository.repositoryName
  local upload = upload_of(ctx, repository, id)
  if upload.parts == 0 then
    fail(ctx, "EmptyUploadException", "The upload with id '%s' in the repository with name '%s' has no layer parts.",
      id, repository.repositoryName)
  elseif upload.too_small then
    fail(ctx, "LayerPartTooSmallException", "Layer parts must be at least 5 MiB in size.")
  end
  local digest = digest_of(store, id, upload)
  for _, claimed in ipairs(params.layerDigests) do
    if claimed ~= digest then
      fail(ctx, "InvalidLayerException", "The layer digest '%s' does not match the digest '%s' calculated by ECR.",
        claimed, digest)
    end
  end
  local known = store:get(kind, digest) ~= nil
  forget(store, id, upload)
  if known then
    fail(ctx, "LayerAlreadyExistsException", "The image layer already exists in the associated repository: '%s'",
      digest)
  end
  store:put(kind, digest, { size = upload.size })
  return entities.answer(ctx, repository, { uploadId = id, layerDigest = digest })
end

function operations.BatchCheckLayerAvailability(ctx, params)
  local repository = entities.named(ctx, params)
  if #params.layerDigests < 1 or #params.layerDigests > DIGESTS_LIMIT then
    invalid(ctx, "layerDigests", "Member must have length between 1 and %d", DIGESTS_LIMIT)
  end
  local output = { layers = {}, failures = {} }
  for _, digest in ipairs(params.layerDigests) do
    if is_digest(digest) then
      local layer = entities.get(ctx, "layer/" .. repository.repositoryName, digest)
      table.insert(output.layers, {
        layerDigest = digest,
        layerAvailability = layer and "AVAILABLE" or "UNAVAILABLE",
        layerSize = layer and layer.size,
        mediaType = layer and "application/vnd.docker.image.rootfs.diff.tar.gzip",
      })
    else
      table.insert(output.failures, {
        layerDigest = digest, failureCode = "InvalidLayerDigest",
        failureReason = ("Invalid layer digest '%s'"):format(digest),
      })
    end
  end
  return output
end

function operations.GetDownloadUrlForLayer(ctx, params)
  local repository, digest = entities.named(ctx, params), params.layerDigest
  if not entities.get(ctx, "layer/" .. repository.repositoryName, digest) then
    fail(ctx, "LayersNotFoundException", "The layer with digest '%s' could not be found in the repository with name "
      .. "'%s' in the registry with id '%s'", digest, repository.repositoryName, ctx.account)
  end
  return {
    layerDigest = digest,
    downloadUrl = ("https://prod-%s-starport-layer-bucket.s3.%s.amazonaws.com/%s")
      :format(ctx.region, ctx.region, digest),
  }
end

return { operations = operations }
