-- Payloads that a call takes from a file and puts into one.

local Store = require "infra.sim.store"
local crypto = require "host.crypto"
local fs = require "host.fs"
local session = require "infra.session"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

describe("a call of the AWS client", function()
  local answer, header = world.answer, world.header
  local folder, remove_folder = temporary()
  local path = folder .. "/file"
  local OBJECT = { Bucket = "my-bucket", Key = "k" }

  before_each(function() assert(fs.write(path, "0123456789")) end)
  teardown(remove_folder)

  describe("from a file", function()
    it("sends the file itself, with its checksum, and without hashing it where TLS protects it", function()
      local aws = world.new { answer(200, "") }
      assert(aws.call("s3", "PutObject", OBJECT, { body_from = { path = path } }))
      local request = aws.requests[1]
      assert.is_nil(request.body)
      assert.same({ path = path, offset = 0, size = 10 }, request.body_from)
      assert.equal("poTHxg==", header(request, "x-amz-checksum-crc32"))
      assert.equal("UNSIGNED-PAYLOAD", header(request, "x-amz-content-sha256"))
      assert.equal("application/octet-stream", header(request, "Content-Type"))
      assert.is_true(request.timeout > 3600 and request.stall_timeout <= 60)
    end)

    it("sends a part of it, hashed where nothing else protects it", function()
      local aws = world.new({ answer(200, "") }, { endpoint_url = "http://127.0.0.1:1" })
      assert(aws.call("s3", "PutObject", OBJECT, { body_from = { path = path, offset = 2, size = 3 } }))
      assert.same({ path = path, offset = 2, size = 3 }, aws.requests[1].body_from)
      assert.equal(crypto.hex(crypto.sha256 "234"), header(aws.requests[1], "x-amz-content-sha256"))
    end)

    it("sends it again, from its beginning, when the answer was lost", function()
      local aws = world.new { world.lost "ConnectionError", answer(200, "") }
      assert(aws.call("s3", "PutObject", OBJECT, { body_from = { path = path } }))
      assert.same(aws.requests[1].body_from, aws.requests[2].body_from)
    end)

    it("is refused before anything is sent when there is no such file, or nothing that takes it", function()
      local function refused(...)
        local _, err = world.new({}).call(...)
        return err.code
      end
      assert.equal("ENOENT", refused("s3", "PutObject", OBJECT, { body_from = { path = path .. "-none" } }))
      assert.equal("BadFile", refused("s3", "PutObject", OBJECT, { body_from = { path = folder } }))
      assert.equal("ParamValidation", refused("logs", "DescribeLogGroups", {}, { body_from = { path = path } }))
      assert.equal("ParamValidation", refused("s3", "PutObject", { Bucket = "b-1", Key = "k", Body = "x" },
        { body_from = { path = path } }))
    end)
  end)

  describe("into a file", function()
    it("leaves the bytes to the file", function()
      local aws = world.new { answer(200, "", { ["content-type"] = "text/plain" }) }
      local output = assert(aws.call("s3", "GetObject", OBJECT, { body_to = path }))
      assert.equal(path, aws.requests[1].body_to)
      assert.equal("text/plain", output.ContentType)
      assert.is_nil(output.Body)
    end)

    it("is refused when the operation returns no bytes", function()
      local _, err = world.new({}).call("s3", "ListBuckets", {}, { body_to = path })
      assert.equal("ParamValidation", err.code)
    end)
  end)

  it("does both with the simulated AWS too", function()
    local opened <close> = assert(session.open { sim = true, sim_store = assert(Store.open {}) })
    local function call(...)
      return opened:run(opened.client.call, opened.client, ...)
    end
    assert(call("s3", "CreateBucket", { Bucket = "my-bucket" }))
    assert(call("s3", "PutObject", OBJECT, { body_from = { path = path, offset = 1, size = 8 } }))
    assert(call("s3", "GetObject", OBJECT, { body_to = folder .. "/copy" }))
    assert.equal("12345678", fs.read(folder .. "/copy"))
    local _, err = call("s3", "GetObject", { Bucket = "my-bucket", Key = "none" }, { body_to = folder .. "/none" })
    assert.equal("NoSuchKey", err.code)
    assert.is_nil(fs.stat(folder .. "/none"))
  end)
end)
