-- The simulated S3: what its API reference and its known traps say of objects.

local crypto = require "host.crypto"
local chunked = require "infra.sim.s3.chunked"
local bucket = require "spec.sim.s3.bucket"

local code, problem, with_bucket = bucket.code, bucket.problem, bucket.with_bucket

describe("infra.sim.s3 objects", function()
  it("are stored and read as bytes", function()
    with_bucket(function(s3)
      local bytes = "\0\1\255 <é>"
      local put = assert(s3("PutObject", {
        Key = "a b/é+%", Body = bytes, ContentType = "text/html", CacheControl = "no-cache", Metadata = { kind = "x" },
      }))
      assert.equal('"' .. crypto.hex(crypto.md5(bytes)) .. '"', put.ETag)
      assert.is_nil(put.VersionId)
      local read = assert(s3("GetObject", { Key = "a b/é+%" }))
      assert.equal(bytes, read.Body)
      assert.same({ #bytes, "text/html", "no-cache", "x", "AES256" }, {
        read.ContentLength, read.ContentType, read.CacheControl, read.Metadata.kind, read.ServerSideEncryption,
      })
      assert.equal(#bytes, assert(s3("HeadObject", { Key = "a b/é+%" })).ContentLength)
      assert.same({ "NoSuchKey", 404 }, problem(s3("GetObject", { Key = "a b" })))
    end)
  end)

  it("are read in parts by ranges", function()
    with_bucket(function(s3)
      assert(s3("PutObject", { Key = "k", Body = "0123456789" }))
      for range, part in pairs {
        ["bytes=2-4"] = { "234", "bytes 2-4/10" }, ["bytes=7-"] = { "789", "bytes 7-9/10" },
        ["bytes=-3"] = { "789", "bytes 7-9/10" }, ["bytes=8-99"] = { "89", "bytes 8-9/10" },
        ["bytes=-99"] = { "0123456789", "bytes 0-9/10" },
        ["bytes=0-1,4-5"] = { "0123456789" }, ["lines=0-1"] = { "0123456789" }, ["bytes=-"] = { "0123456789" },
        ["bytes=5-4"] = { "0123456789" },
      } do
        local read = assert(s3("GetObject", { Key = "k", Range = range }))
        assert.same({ part[1], part[2], #part[1] }, { read.Body, read.ContentRange, read.ContentLength }, range)
      end
      for _, range in ipairs { "bytes=10-", "bytes=-0" } do
        assert.same({ "InvalidRange", 416 }, problem(s3("GetObject", { Key = "k", Range = range })), range)
      end
    end)
  end)

  it("have tags, from the request that makes them and later ones", function()
    with_bucket(function(s3)
      local function tags()
        return assert(s3("GetObjectTagging", { Key = "k" })).TagSet
      end
      assert(s3("PutObject", { Key = "k", Body = "", Tagging = "a=1&b%20c=2%2F3" }))
      assert.same({ { Key = "a", Value = "1" }, { Key = "b c", Value = "2/3" } }, tags())
      assert.equal(2, assert(s3("GetObject", { Key = "k" })).TagCount)
      assert(s3("PutObjectTagging", { Key = "k", Tagging = { TagSet = { { Key = "d", Value = "" } } } }))
      assert.same({ { Key = "d", Value = "" } }, tags())
      assert(s3("DeleteObjectTagging", { Key = "k" }))
      assert.same({}, tags())
      assert.is_nil(assert(s3("GetObject", { Key = "k" })).TagCount)
      local many = {}
      for i = 1, 11 do
        many[i] = "k" .. i .. "=v"
      end
      assert.equal("BadRequest", code(s3("PutObject", { Key = "k", Tagging = table.concat(many, "&") })))
      assert.equal("InvalidTag", code(s3("PutObject", { Key = "k", Tagging = "a=1&a=2" })))
      assert.same({ "NoSuchKey", 404 }, problem(s3("GetObjectTagging", { Key = "none" })))
    end)
  end)

  it("come out of the chunks in which clients stream them", function()
    local function decoded(body, length)
      return chunked.decode {
        body = body,
        headers = { ["x-amz-decoded-content-length"] = length, ["content-encoding"] = "aws-chunked,gzip" },
      }
    end
    local request = decoded("5\r\nhello\r\n1;chunk-signature=0\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "6")
    assert.same({ "hello!", "AAAA", "gzip" },
      { request.body, request.headers["x-amz-checksum-crc32"], request.headers["content-encoding"] })
    assert.equal("", decoded("0\r\n\r\n", "0").body)
    for _, broken in ipairs { "", "5\r\nhel", "5\r\nhello\r\n", "x\r\n", "0\r\n\r\n", "ffffffffffffffff\r\n" } do
      assert.is_nil(decoded(broken, "5"))
    end
  end)

  it("are written only if the condition holds", function()
    with_bucket(function(s3)
      local params = { Key = "lock", Body = "1", IfNoneMatch = "*" }
      assert(s3("PutObject", params))
      assert.same({ "PreconditionFailed", 412 }, problem(s3("PutObject", params)))
      assert(s3("DeleteObject", { Key = "lock" }))
      assert(s3("PutObject", params))
    end)
  end)

  it("hide behind a marker when they are deleted", function()
    with_bucket(function(s3)
      assert(s3("PutObject", { Key = "k", Body = "before versioning" }))
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Enabled" } }))
      local second = assert(s3("PutObject", { Key = "k", Body = "2" })).VersionId
      local marker = assert(s3("DeleteObject", { Key = "k" })).VersionId
      assert.equal("NoSuchKey", code(s3("GetObject", { Key = "k" })))
      assert.equal("before versioning", assert(s3("GetObject", { Key = "k", VersionId = "null" })).Body)
      assert.same({ "MethodNotAllowed", 405 }, problem(s3("GetObject", { Key = "k", VersionId = marker })))
      assert.same({ "NoSuchVersion", 404 }, problem(s3("GetObject", { Key = "k", VersionId = "0" })))
      assert.equal(0, assert(s3("ListObjectsV2")).KeyCount)
      assert.is_true(assert(s3("DeleteObject", { Key = "k", VersionId = marker })).DeleteMarker)
      assert.equal(second, assert(s3("GetObject", { Key = "k" })).VersionId)
    end)
  end)

  it("go page by page, keys in URL encoding", function()
    with_bucket(function(s3)
      assert(s3("PutBucketVersioning", { VersioningConfiguration = { Status = "Enabled" } }))
      for _, key in ipairs { "a b", "a b", "a b", "c/é", "d" } do
        assert(s3("PutObject", { Key = key, Body = "x" }))
      end
      assert(s3("DeleteObject", { Key = "d" }))
      local pages, marker = 0, {}
      repeat
        local page = assert(s3("ListObjectVersions", {
          MaxKeys = 2, EncodingType = "url", KeyMarker = marker.NextKeyMarker,
          VersionIdMarker = marker.NextVersionIdMarker,
        }))
        local doomed = {}
        for _, list in ipairs { page.Versions or {}, page.DeleteMarkers or {} } do
          for _, version in ipairs(list) do
            local key = version.Key:gsub("%+", " "):gsub("%%(%x%x)", function(hex)
              return string.char(tonumber(hex, 16))
            end)
            doomed[#doomed + 1] = { Key = key, VersionId = version.VersionId }
          end
        end
        local gone = assert(s3("DeleteObjects", { Delete = { Objects = doomed, Quiet = true } }))
        assert.same({}, { gone.Deleted, gone.Errors })
        pages, marker = pages + 1, page
        if marker.NextKeyMarker then
          marker.NextKeyMarker = marker.NextKeyMarker:gsub("%+", " "):gsub("%%C3%%A9", "é")
        end
      until not page.IsTruncated
      assert.equal(3, pages)
      assert(s3("DeleteBucket"))
    end)
  end)

  it("that cannot be deleted are named in an answer that succeeds", function()
    with_bucket(function(s3)
      assert(s3("CreateBucket", { Bucket = "locked-one", ObjectLockEnabledForBucket = true }))
      local version = assert(s3("PutObject", {
        Bucket = "locked-one", Key = "k", Body = "x", ObjectLockMode = "COMPLIANCE",
        ObjectLockRetainUntilDate = 4102444800,
      })).VersionId
      local result = assert(s3("DeleteObjects", {
        Bucket = "locked-one", BypassGovernanceRetention = true,
        Delete = { Objects = { { Key = "k", VersionId = version }, { Key = "missing", VersionId = version } } },
      }))
      assert.same({ "missing", "k", "AccessDenied" },
        { result.Deleted[1].Key, result.Errors[1].Key, result.Errors[1].Code })
      local one_too_many = {}
      for i = 1, 1001 do
        one_too_many[i] = { Key = "k" .. i }
      end
      assert.equal("MalformedXML", code(s3("DeleteObjects", { Delete = { Objects = one_too_many } })))
    end)
  end)

  it("are listed by prefix and delimiter, in pages", function()
    with_bucket(function(s3)
      for _, key in ipairs { "a/1", "a/2", "b", "c/1", "d" } do
        assert(s3("PutObject", { Key = key, Body = key }))
      end
      local first = assert(s3("ListObjectsV2", { Delimiter = "/", MaxKeys = 2 }))
      assert.same({ "a/", "b", 2, true }, {
        first.CommonPrefixes[1].Prefix, first.Contents[1].Key, first.KeyCount, first.IsTruncated,
      })
      local second = assert(s3("ListObjectsV2", { Delimiter = "/", ContinuationToken = first.NextContinuationToken }))
      assert.same({ "c/", "d", false },
        { second.CommonPrefixes[1].Prefix, second.Contents[1].Key, second.IsTruncated })
      assert.equal(2, assert(s3("ListObjectsV2", { Prefix = "a/" })).KeyCount)
      assert.equal("InvalidArgument", code(s3("ListObjectsV2", { ContinuationToken = "x" })))
    end)
  end)

  it("are uploaded in parts", function()
    with_bucket(function(s3)
      local id = assert(s3("CreateMultipartUpload", { Key = "k", ContentType = "text/plain" })).UploadId
      local big = ("x"):rep(5 * 1024 * 1024)
      local parts = {}
      for number, body in ipairs { big, "end" } do
        local etag = assert(s3("UploadPart", { Key = "k", UploadId = id, PartNumber = number, Body = body })).ETag
        parts[number] = { PartNumber = number, ETag = etag }
      end
      assert.equal(2, #assert(s3("ListParts", { Key = "k", UploadId = id })).Parts)
      assert.equal("k", assert(s3("ListMultipartUploads")).Uploads[1].Key)
      local function complete(list)
        return s3("CompleteMultipartUpload", { Key = "k", UploadId = id, MultipartUpload = { Parts = list } })
      end
      assert.equal("InvalidPartOrder", code(complete { parts[2], parts[1] }))
      assert.equal("InvalidPart", code(complete { { PartNumber = 1, ETag = '"0"' } }))
      assert.matches('%-2"$', assert(complete(parts)).ETag)
      assert.equal(big .. "end", assert(s3("GetObject", { Key = "k" })).Body)
      assert.same({ "NoSuchUpload", 404 }, problem(s3("AbortMultipartUpload", { Key = "k", UploadId = id })))
    end)
  end)
end)
