-- Pushing an image into an ECR repository with ECR's own calls: the blobs that it lacks, in parts, then the manifest.
-- All of it may be repeated after any interruption. Used by resources/ecr_image; images as in infra.oci.

local json = require "host.json"

local push = {}

local MAX_PART <const> = 10 << 20 -- ECR's quota; its answer may name less
local MAX_DIGESTS <const> = 100 -- in one question

-- A repository and an upload that are seconds old are not known everywhere.
local FRESH = { { "RepositoryNotFoundException", 60 }, { "UploadNotFoundException", 30 } }

-- ECR says where an upload stands when a part does not fit: an answer was lost, or it came twice.
local function resume_at(err)
  return err.code == "InvalidLayerPartException" and tonumber((err.fields or {}).lastValidByteReceived)
end

local function upload_parts(op, repository, blob, upload)
  local size = math.min(upload.partSize or MAX_PART, MAX_PART)
  local offset, patience = 0, 5
  while offset < blob.size do
    local length = math.min(size, blob.size - offset)
    local bytes, failure = blob.read(offset, length)
    if not bytes then
      return nil, failure
    end
    local output, err = op:mutate({ "UploadLayerPart", retry = FRESH }, {
      repositoryName = repository, uploadId = upload.uploadId, partFirstByte = offset,
      partLastByte = offset + length - 1, layerPartBlob = bytes,
    })
    local last = output and offset + length - 1 or resume_at(err)
    patience = patience - (output and 0 or 1)
    if not last or patience == 0 then
      return nil, err
    end
    offset = last + 1
  end
  return true
end

-- An upload that ECR has forgotten begins anew.
local function push_blob(op, repository, blob)
  local err
  for _ = 1, 3 do
    local upload, ok
    upload, err = op:mutate({ "InitiateLayerUpload", retry = FRESH }, { repositoryName = repository })
    if not upload then
      return nil, err
    end
    ok, err = upload_parts(op, repository, blob, upload)
    if ok then
      ok, err = op:mutate({ "CompleteLayerUpload", retry = FRESH },
        { repositoryName = repository, uploadId = upload.uploadId, layerDigests = { blob.digest } })
    end
    if ok or err.code == "LayerAlreadyExistsException" then
      return true
    elseif err.code ~= "UploadNotFoundException" then
      return nil, err
    end
  end
  return nil, err
end

-- digest -> true for the blobs that the repository has; nil and an error.
local function available(op, repository, blobs)
  local found = {}
  for first = 1, #blobs, MAX_DIGESTS do
    local digests = json.array {}
    for i = first, math.min(first + MAX_DIGESTS - 1, #blobs) do
      digests[#digests + 1] = blobs[i].digest
    end
    local output, err = op:get({ "BatchCheckLayerAvailability", retry = FRESH },
      { repositoryName = repository, layerDigests = digests })
    if not output then
      return nil, err
    end
    for _, layer in ipairs(output.layers or {}) do
      found[layer.layerDigest] = layer.layerAvailability == "AVAILABLE" or nil
    end
  end
  return found
end

--- The details of the image that `id` ({ imageDigest } or { imageTag }) names, nil when there is none; or nil and an
--- error.
function push.describe(op, repository, id)
  local output, err = op:get({ "DescribeImages" }, { repositoryName = repository, imageIds = { id } })
  if err and (err.code == "ImageNotFoundException" or err.code == "RepositoryNotFoundException") then
    return nil
  end
  return output and output.imageDetails[1], err
end

local function put_image(op, repository, image, tag)
  local output, err = op:mutate({ "PutImage", retry = { { "LayersNotFoundException", 30 }, FRESH[1] } }, {
    repositoryName = repository, imageTag = tag, imageManifest = image.manifest,
    imageManifestMediaType = image.media_type, imageDigest = image.digest,
  })
  if output or err.code ~= "ImageAlreadyExistsException" and err.code ~= "ImageTagAlreadyExistsException" then
    return output, err
  end
  local existing, problem = push.describe(op, repository, { imageTag = tag })
  if problem then
    return nil, problem
  elseif existing and existing.imageDigest == image.digest then
    return existing
  end
  err.hint = "leave out ImageTag for a tag that follows from the image, or choose another one"
  return nil, err
end

--- Pushes `image`; without `tag` under one that follows from its contents. Returns true, or nil and an error.
function push.image(op, repository, image, tag)
  local present, err = available(op, repository, image.blobs)
  if not present then
    return nil, err
  end
  for i, blob in ipairs(image.blobs) do
    if not present[blob.digest] then
      op.report(("pushing blob %d of %d, %d bytes"):format(i, #image.blobs, blob.size))
      local ok
      ok, err = push_blob(op, repository, blob)
      if not ok then
        return nil, err
      end
    end
  end
  return put_image(op, repository, image, tag or "infra-" .. image.digest:match(":(.*)"):sub(1, 12))
end

return push
