-- Objects for S3 out of files of any size: small ones in one request, large ones in parts, several at a time, as S3's
-- user guide advises ("Uploading and copying objects using multipart upload"). Used by `infra aws s3 PutObject`.

local errors = require "infra.errors"
local fs = require "host.fs"
local merged = require "infra.merged"
local models = require "infra.models"
local shapes = require "infra.aws.protocols.shapes"

local s3_upload = {}

local MIB <const> = 1 << 20
local THRESHOLD <const> = 100 * MIB -- from here on S3 advises parts
local PART <const> = 8 * MIB
local MAX_PARTS <const> = 10000
local AT_A_TIME <const> = 8
local COMPLETE_TIMEOUT <const> = 15 * 60 -- seconds; S3 says "several minutes"

--- The size of the parts of `size` bytes: 8 MiB, or as many as it takes to stay within 10,000 parts.
function s3_upload.part_size(size)
  local least = (size + MAX_PARTS - 1) // MAX_PARTS
  return math.max(PART, (least + MIB - 1) // MIB * MIB)
end

-- The members of `values` that the structure has.
local function fitting(shape, values)
  local result = {}
  for name in shape:present(values) do
    result[name] = values[name]
  end
  return result
end

local function input_of(operation)
  local service = assert(models.service "s3")
  return shapes.of(service, assert(service:operation(operation)).input)
end

-- Whether the parts' operations can say all that `params` say. They cannot take the digest of the whole.
local function fits_parts(params)
  local begin, complete = input_of "CreateMultipartUpload", input_of "CompleteMultipartUpload"
  for name in pairs(params) do
    local is_digest = name:find "^Checksum" and name ~= "ChecksumAlgorithm"
    if is_digest or not (begin:member(name) or complete:member(name)) then
      return false
    end
  end
  return true
end

-- Sends part `number` of `upload` and returns what completing it needs; throws what fails.
local function send_part(upload, number)
  local offset = (number - 1) * upload.part_size
  local params = fitting(input_of "UploadPart", upload.params)
  params.UploadId, params.PartNumber = upload.id, number
  local output, err = upload.client:call("s3", "UploadPart", params, {
    body_from = {
      path = upload.path,
      offset = offset,
      size = math.min(upload.part_size, upload.file.size - offset),
    },
  })
  if not output then
    errors.raise(err)
  end
  local checksum = "Checksum" .. params.ChecksumAlgorithm
  return { PartNumber = number, ETag = output.ETag, [checksum] = output[checksum] }
end

local function send_parts(upload)
  local parts, count, last = {}, 0, (upload.file.size + upload.part_size - 1) // upload.part_size
  local function worker()
    while count < last do
      count = count + 1
      local number = count
      parts[number] = send_part(upload, number)
    end
  end
  local workers = {}
  for i = 1, AT_A_TIME do
    workers[i] = worker
  end
  upload.client.runtime.scheduler:all(workers)
  return parts
end

-- Everything after the beginning: the output; throws what fails.
local function finish(upload)
  local params = fitting(input_of "CompleteMultipartUpload", upload.params)
  params.UploadId = upload.id
  params.MultipartUpload = { Parts = send_parts(upload) }
  local file = fs.stat(upload.path)
  if not file or file.size ~= upload.file.size or file.mtime ~= upload.file.mtime then
    errors.raise { code = "FileChanged", message = upload.path .. ": the file was changed while it was sent" }
  end
  local output, err = upload.client:call("s3", "CompleteMultipartUpload", params, { timeout = COMPLETE_TIMEOUT })
  if not output then
    errors.raise(err)
  end
  return output
end

-- What was sent costs money until it is thrown away.
local function abort(upload, problem)
  local params = fitting(input_of "AbortMultipartUpload", upload.params)
  params.UploadId = upload.id
  local ok, err = upload.client:call("s3", "AbortMultipartUpload", params)
  if not ok and err.code ~= "NoSuchUpload" and errors.is(problem) then
    problem.hint = ("what was sent so far is still there; remove it with\n  infra aws s3 AbortMultipartUpload " ..
      "Bucket=%s Key=%s UploadId=%s"):format(params.Bucket, params.Key, upload.id)
  end
end

local function put_in_parts(client, params, path, file)
  local all = merged({ ChecksumAlgorithm = "CRC32" }, params)
  local begun, err = client:call("s3", "CreateMultipartUpload", fitting(input_of "CreateMultipartUpload", all))
  if not begun then
    return nil, err
  end
  local upload = { client = client, params = all, path = path, file = file, id = begun.UploadId,
    part_size = s3_upload.part_size(file.size) }
  local done, result = pcall(finish, upload)
  if done then
    local service = models.service "s3"
    return fitting(shapes.of(service, service:operation("PutObject").output), result)
  end
  abort(upload, result)
  if errors.is(result) and result.code ~= "Cancelled" then
    return nil, result
  end
  error(result, 0)
end

--- Makes the file at `path` an object. `params` are those of PutObject without Body; the output is PutObject's, or nil
--- and an error. An upload in parts that fails or is cancelled leaves nothing behind. Parameters that parts cannot
--- have, as the digest of the whole, make it one request whatever the size.
function s3_upload.put(client, params, path)
  local file, err = fs.stat(path)
  if not file then
    return nil, err
  elseif file.kind == "file" and file.size >= THRESHOLD and fits_parts(params) then
    return put_in_parts(client, params, path, file)
  end
  return client:call("s3", "PutObject", params, { body_from = { path = path } })
end

return s3_upload
