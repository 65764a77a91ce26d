-- Empties a bucket: every version of every object, and delete markers. A bucket that is not empty cannot be deleted.
-- Used by resources/s3.lua.

local errors = require "infra.errors"
local json = require "host.json"

-- What fails for single objects and passes by itself; each is tried so many times.
local PASSING = { InternalError = true, ServiceUnavailable = true, SlowDown = true, OperationAborted = true }
local PASSES <const> = 5

-- Keys are listed as in a form: nearly any byte may be in them, and not all can be in XML.
local function decoded(key)
  return (key:gsub("+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- Characters that XML 1.0 has no way to write: such objects cannot be named in a request for many.
local function is_unspeakable(key)
  return key:find "[%z\1-\8\11\12\14-\31]" ~= nil
end

local function refused(op, failure)
  return errors.new { code = failure.Code, service = "s3", operation = "DeleteObjects", resource = op.address,
    message = ("%s: %s"):format(failure.Key, failure.Message),
    hint = failure.Code == "AccessDenied" and "a policy or Object Lock keeps it" or nil }
end

-- Deletes what one page lists. Returns how many objects are left to be tried again, or nil and an error.
local function delete_page(op, bucket, page)
  local batch, left = json.array {}, 0
  for _, list in ipairs { page.Versions or {}, page.DeleteMarkers or {} } do
    for _, object in ipairs(list) do
      local key = decoded(object.Key)
      if is_unspeakable(key) then
        local ok, err = op:mutate({ "DeleteObject" }, { Bucket = bucket, Key = key, VersionId = object.VersionId })
        if not ok then
          return nil, err
        end
      else
        batch[#batch + 1] = { Key = key, VersionId = object.VersionId }
      end
    end
  end
  if #batch == 0 then
    return 0
  end
  op.report(("deleting %d objects"):format(#batch))
  local output, err = op:mutate({ "DeleteObjects" }, { Bucket = bucket, Delete = { Objects = batch, Quiet = true } })
  if not output then
    return nil, err
  end
  for _, failure in ipairs(output.Errors or {}) do
    if not PASSING[failure.Code] then
      return nil, refused(op, failure)
    end
    left = left + 1
  end
  return left
end

local function sweep(op, bucket)
  local left = 0
  for page, err in op.context.client:pages("s3", "ListObjectVersions", { Bucket = bucket, EncodingType = "url" },
    { region = op.region }) do
    if not page then
      return err.code == "NoSuchBucket" and 0 or nil, err
    end
    local more, problem = delete_page(op, bucket, page)
    if not more then
      return nil, problem
    end
    left = left + more
  end
  return left
end

--- Empties the bucket in `scope`. Returns true, or nil and an error.
return function(op, scope)
  for _ = 1, PASSES do
    local left, err = sweep(op, scope.BucketName)
    if not left then
      return nil, err
    elseif left == 0 then
      return true
    end
  end
  return errors.fail { code = "NotEmptied", service = "s3", resource = op.address, hint = "run again",
    message = "S3 failed to delete some objects again and again" }
end
