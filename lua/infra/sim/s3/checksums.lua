-- The digests that a request to the simulated S3 carries of its own body: some operations demand one, and one that is
-- there has to be right. Used by infra.sim.s3.

local crypto = require "host.crypto"
local models = require "infra.models"

local buckets = require "infra.sim.s3.buckets"

local checksums = {}

local function crc32(body)
  return string.pack(">I4", crypto.crc32(body))
end

-- Header -> what it is a digest by; false: known to S3, but not computed here.
local HEADERS = {
  ["content-md5"] = crypto.md5,
  ["x-amz-checksum-crc32"] = crc32,
  ["x-amz-checksum-sha1"] = crypto.sha1,
  ["x-amz-checksum-sha256"] = crypto.sha256,
  ["x-amz-checksum-crc32c"] = false,
  ["x-amz-checksum-crc64nvme"] = false,
}

-- Whether the model says that S3 refuses the operation without a digest.
local function is_required(operation)
  local model = models.service("s3"):operation(operation)
  return model ~= nil and model.httpChecksum ~= nil and model.httpChecksum.requestChecksumRequired == true
end

--- Fails unless `request`, { headers, body }, has the digest that the operation demands, and those it has are right.
function checksums.check(ctx, operation, request)
  local given = false
  for name, digest in pairs(HEADERS) do
    local value = request.headers[name]
    given = given or value ~= nil
    if value and digest and crypto.base64(digest(request.body)) ~= value then
      local decoded = crypto.unbase64(value)
      if name == "content-md5" and #(decoded or "") ~= 16 then
        buckets.fail(ctx, "InvalidDigest", "The Content-MD5 you specified was invalid.")
      end
      buckets.fail(ctx, "BadDigest", "The %s you specified did not match what we received.", name)
    end
  end
  if not given and is_required(operation) then
    buckets.fail(ctx, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
  end
end

return checksums
