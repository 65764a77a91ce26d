-- Listing the objects of a bucket in the simulated S3. Used by infra.sim.s3.

local buckets = require "infra.sim.s3.buckets"
local paging = require "infra.sim.paging"

local listing = { operations = {} }
local operations = listing.operations

local PAGE = 1000

-- A key as encoding-type=url has it: as in a form, with slashes.
local function url_encoded(text)
  return (text:gsub("[^%w%-_.~/* ]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end):gsub(" ", "+"))
end

local function plain(text)
  return text
end

local function encoder(ctx, params)
  if params.EncodingType and params.EncodingType ~= "url" then
    buckets.fail(ctx, "InvalidArgument", "Invalid Encoding Method specified in Request")
  end
  return params.EncodingType and url_encoded or plain
end

local function starts_with(text, prefix)
  return text:sub(1, #prefix) == prefix
end

-- What a listing is made of, in the order of `name`: { name =, key =, object = } for each object, and { name =,
-- common = true } once for all keys that go on alike until the delimiter.
local function entries(ctx, bucket, params, after)
  local found, prefix, delimiter = {}, params.Prefix or "", params.Delimiter
  local last
  for key, object in ctx.global:each("objects of " .. bucket.Name) do
    if starts_with(key, prefix) and key > after then
      local _, stop = key:find(delimiter or "", #prefix + 1, true)
      local common = (delimiter or "") ~= "" and stop and key:sub(1, stop)
      if not common then
        found[#found + 1] = { name = key, key = key, object = object }
      elseif common ~= last then
        last = common
        found[#found + 1] = { name = common, common = true }
      end
    end
  end
  return found
end

local function name_of(entry)
  return entry.name
end

-- Members that each listing answers as they were asked.
local function echo(bucket, params, encode)
  return {
    Name = bucket.Name,
    Prefix = encode(params.Prefix or ""),
    Delimiter = params.Delimiter and encode(params.Delimiter),
    MaxKeys = params.MaxKeys or PAGE,
    EncodingType = params.EncodingType,
    CommonPrefixes = {},
  }
end

local function limit_of(params)
  return math.min(params.MaxKeys or PAGE, PAGE)
end

function operations.ListObjectsV2(ctx, params)
  local bucket = buckets.find(ctx, params)
  local encode = encoder(ctx, params)
  local current = {}
  for _, entry in ipairs(entries(ctx, bucket, params, params.StartAfter or "")) do
    if entry.common or not entry.object.versions[1].delete_marker then
      current[#current + 1] = entry
    end
  end
  local page, token = paging.page(ctx, current, name_of, params.ContinuationToken, limit_of(params))
  if not page then
    buckets.fail(ctx, "InvalidArgument", "The continuation token provided is incorrect")
  end
  local output = echo(bucket, params, encode)
  output.Contents = {}
  output.KeyCount, output.IsTruncated, output.NextContinuationToken = #page, token ~= nil, token
  output.ContinuationToken = params.ContinuationToken
  output.StartAfter = params.StartAfter and encode(params.StartAfter)
  for _, entry in ipairs(page) do
    if entry.common then
      table.insert(output.CommonPrefixes, { Prefix = encode(entry.name) })
    else
      local version = entry.object.versions[1]
      table.insert(output.Contents, {
        Key = encode(entry.key),
        LastModified = version.LastModified,
        ETag = version.ETag,
        Size = version.Size,
        StorageClass = version.attributes.StorageClass or "STANDARD",
        Owner = params.FetchOwner and buckets.owner(ctx) or nil,
      })
    end
  end
  return output
end

-- All versions of all entries behind the markers, newest first within a key. A marked version that is gone meanwhile
-- was deleted with what was listed before it: then the rest of its key follows.
local function versions_after(all, key_marker, version_marker)
  local found = {}
  for _, entry in ipairs(all) do
    local versions = entry.object and entry.object.versions or { {} }
    local first = 1
    if entry.name == key_marker then
      first = version_marker and 1 or #versions + 1
      for i, version in ipairs(versions) do
        first = version.VersionId == version_marker and i + 1 or first
      end
    end
    for i = first, entry.name < key_marker and 0 or #versions do
      found[#found + 1] = { name = entry.name, common = entry.common, version = versions[i], latest = i == 1 }
    end
  end
  return found
end

function operations.ListObjectVersions(ctx, params)
  local bucket = buckets.find(ctx, params)
  local encode = encoder(ctx, params)
  local all = versions_after(entries(ctx, bucket, params, ""), params.KeyMarker or "", params.VersionIdMarker)
  local limit = ctx.short_page and 1 or limit_of(params)
  local output = echo(bucket, params, encode)
  output.Versions, output.DeleteMarkers = {}, {}
  output.KeyMarker, output.VersionIdMarker = encode(params.KeyMarker or ""), params.VersionIdMarker
  output.IsTruncated = #all > limit
  for i = 1, math.min(limit, #all) do
    local entry = all[i]
    local version = entry.version
    if entry.common then
      table.insert(output.CommonPrefixes, { Prefix = encode(entry.name) })
    else
      table.insert(version.delete_marker and output.DeleteMarkers or output.Versions, {
        Key = encode(entry.name),
        VersionId = version.VersionId,
        IsLatest = entry.latest,
        LastModified = version.LastModified,
        ETag = version.ETag,
        Size = version.Size,
        StorageClass = version.attributes and (version.attributes.StorageClass or "STANDARD"),
        Owner = buckets.owner(ctx),
      })
    end
    if output.IsTruncated then
      output.NextKeyMarker, output.NextVersionIdMarker = encode(entry.name), version.VersionId
    end
  end
  return output
end

return listing
