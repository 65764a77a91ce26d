-- Uploads in parts of the simulated S3. Used by infra.sim.s3.
--
-- Kept in the account's global store, kind "uploads of BUCKET", by upload id: { Key, Initiated, attributes, parts = {
-- [number in five digits] = { ETag, Size, LastModified, body = base64 } } }.

local crypto = require "host.crypto"

local buckets = require "infra.sim.s3.buckets"
local objects = require "infra.sim.s3.objects"
local paging = require "infra.sim.paging"

local multipart = { operations = {} }
local operations = multipart.operations
local fail = buckets.fail

-- All parts but the last have at least this many bytes.
local SMALLEST_PART = 5 * 1024 * 1024
local PARTS = 10000

local function kind(bucket)
  return "uploads of " .. bucket.Name
end

local function find(ctx, params)
  local bucket = buckets.find(ctx, params)
  local upload = ctx.global:get(kind(bucket), params.UploadId)
  if not upload or upload.Key ~= params.Key then
    ctx:fail("NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may "
      .. "have been aborted or completed.", 404, { UploadId = params.UploadId })
  end
  return upload, bucket
end

local function part_key(number)
  return ("%05d"):format(number)
end

function operations.CreateMultipartUpload(ctx, params)
  local bucket = buckets.find(ctx, params)
  local id = ctx.unique(64, "0123456789abcdefghijklmnopqrstuvwxyz")
  local attributes = objects.attributes(ctx, bucket, params)
  ctx.global:put(kind(bucket), id, { Key = params.Key, Initiated = ctx.now(), attributes = attributes, parts = {} })
  return {
    Bucket = bucket.Name,
    Key = params.Key,
    UploadId = id,
    ServerSideEncryption = attributes.ServerSideEncryption,
  }
end

function operations.UploadPart(ctx, params)
  local upload, bucket = find(ctx, params)
  local body = params.Body or ""
  if params.PartNumber < 1 or params.PartNumber > PARTS then
    fail(ctx, "InvalidArgument", "Part number must be an integer between 1 and %d, inclusive", PARTS)
  end
  local part = {
    ETag = ('"%s"'):format(crypto.hex(crypto.md5(body))),
    Size = #body,
    LastModified = ctx.now(),
    body = crypto.base64(body),
  }
  upload.parts[part_key(params.PartNumber)] = part
  ctx.global:put(kind(bucket), params.UploadId, upload)
  return { ETag = part.ETag, ServerSideEncryption = upload.attributes.ServerSideEncryption }
end

local function check_order(ctx, listed)
  if #listed == 0 then
    buckets.malformed(ctx)
  end
  for i = 2, #listed do
    if listed[i].PartNumber <= listed[i - 1].PartNumber then
      fail(ctx, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in "
        .. "order by part number.")
    end
  end
end

-- The bodies of the parts that the caller lists, and the tag of the whole: the digest of the parts' digests.
local function assemble(ctx, upload, listed)
  local bodies, digests = {}, {}
  check_order(ctx, listed)
  for i, wanted in ipairs(listed) do
    local part = upload.parts[part_key(wanted.PartNumber)]
    if not part or (wanted.ETag or ""):gsub('"', "") ~= part.ETag:gsub('"', "") then
      fail(ctx, "InvalidPart", "One or more of the specified parts could not be found. The part may not have been "
        .. "uploaded, or the specified entity tag may not match the part's entity tag.")
    elseif i < #listed and part.Size < SMALLEST_PART then
      fail(ctx, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    end
    bodies[i] = crypto.unbase64(part.body)
    digests[i] = crypto.md5(bodies[i])
  end
  return table.concat(bodies), ('"%s-%d"'):format(crypto.hex(crypto.md5(table.concat(digests))), #listed)
end

function operations.CompleteMultipartUpload(ctx, params)
  local upload, bucket = find(ctx, params)
  local body, etag = assemble(ctx, upload, (params.MultipartUpload or {}).Parts or {})
  local output = objects.write(ctx, bucket, params, body, etag, upload.attributes)
  ctx.global:delete(kind(bucket), params.UploadId)
  output.Bucket, output.Key = bucket.Name, params.Key
  output.Location = ("https://%s.s3.%s.amazonaws.com/%s"):format(bucket.Name, bucket.Region, params.Key)
  return output
end

function operations.AbortMultipartUpload(ctx, params)
  local _, bucket = find(ctx, params)
  ctx.global:delete(kind(bucket), params.UploadId)
end

function operations.ListParts(ctx, params)
  local upload, bucket = find(ctx, params)
  local found = {}
  for number, part in pairs(upload.parts) do
    if tonumber(number) > (tonumber(params.PartNumberMarker) or 0) then
      found[#found + 1] = {
        PartNumber = math.tointeger(tonumber(number)), ETag = part.ETag, Size = part.Size,
        LastModified = part.LastModified,
      }
    end
  end
  table.sort(found, function(a, b) return a.PartNumber < b.PartNumber end)
  local page, token = paging.page(ctx, found, function(part)
    return part_key(part.PartNumber)
  end, nil, params.MaxParts or 1000)
  return {
    Bucket = bucket.Name,
    Key = params.Key,
    UploadId = params.UploadId,
    Parts = page,
    IsTruncated = token ~= nil,
    NextPartNumberMarker = token and page[#page].PartNumber,
    MaxParts = params.MaxParts or 1000,
    Owner = buckets.owner(ctx),
    StorageClass = upload.attributes.StorageClass or "STANDARD",
  }
end

function operations.ListMultipartUploads(ctx, params)
  local bucket = buckets.find(ctx, params)
  local found, prefix = {}, params.Prefix or ""
  for id, upload in ctx.global:each(kind(bucket)) do
    if upload.Key:sub(1, #prefix) == prefix then
      found[#found + 1] = {
        Key = upload.Key, UploadId = id, Initiated = upload.Initiated, Owner = buckets.owner(ctx),
        StorageClass = upload.attributes.StorageClass or "STANDARD",
      }
    end
  end
  table.sort(found, function(a, b)
    return a.Key < b.Key or (a.Key == b.Key and a.UploadId < b.UploadId)
  end)
  local function name(upload)
    return upload.Key .. "\0" .. upload.UploadId
  end
  local after = params.KeyMarker and params.KeyMarker .. "\0" .. (params.UploadIdMarker or "\xff") or ""
  local rest = {}
  for _, upload in ipairs(found) do
    if name(upload) > after then
      rest[#rest + 1] = upload
    end
  end
  local page, token = paging.page(ctx, rest, name, nil, params.MaxUploads or 1000)
  local last = token and page[#page] or {}
  return {
    Bucket = bucket.Name,
    Prefix = params.Prefix,
    Uploads = page,
    IsTruncated = token ~= nil,
    NextKeyMarker = last.Key,
    NextUploadIdMarker = last.UploadId,
    MaxUploads = params.MaxUploads or 1000,
  }
end

return multipart
