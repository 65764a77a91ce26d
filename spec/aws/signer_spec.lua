local crypto = require "host.crypto"
local fs = require "host.fs"
local signer = require "infra.aws.signer"
local world = require "spec.aws.world"

describe("infra.aws.signer", function()
  local function sign(options)
    return {
      headers = signer.sign({
        method = "POST",
        path = options.path or "/",
        query = {},
        headers = { { "Content-Type", "text/plain" } },
        body = options.body,
      }, "example.amazonaws.com", {
        endpoint = { signing_name = options.service or "ec2", signing_region = "us-east-1" },
        credentials = { access_key = "AKIDEXAMPLE", secret_key = "s", session_token = options.token },
        timestamp = 1440938160.75,
        payload_hash = options.payload_hash,
      }),
    }
  end

  it("dates and signs everything, the host included, which the HTTP client sends itself", function()
    local request = sign {}
    assert.equal("20150830T123600Z", world.header(request, "X-Amz-Date"))
    assert.truthy(world.header(request, "Authorization"):find(
      "^AWS4%-HMAC%-SHA256 Credential=AKIDEXAMPLE/20150830/us%-east%-1/ec2/aws4_request, ?" ..
      "SignedHeaders=content%-type;host;x%-amz%-date, ?Signature=%x+$"))
    assert.is_nil(world.header(request, "Host"))
    assert.is_nil(world.header(request, "X-Amz-Security-Token"))
    assert.is_nil(world.header(request, "x-amz-content-sha256"))
  end)

  it("signs the session token", function()
    local request = sign { token = "the token" }
    assert.equal("the token", world.header(request, "X-Amz-Security-Token"))
    assert.truthy(world.header(request, "Authorization"):find("x-amz-date;x-amz-security-token", 1, true))
  end)

  it("shows S3 the hash of the body, signed", function()
    local request = sign { service = "s3", body = "hello" }
    assert.equal(crypto.hex(crypto.sha256 "hello"), world.header(request, "x-amz-content-sha256"))
    assert.truthy(world.header(request, "Authorization"):find("x-amz-content-sha256;", 1, true))
  end)

  describe("payload_hash", function()
    local path = os.tmpname()
    local FILE, S3, EC2 = { path = path, offset = 1, size = 3 }, { signing_name = "s3", scheme = "https" },
      { signing_name = "ec2", scheme = "https" }
    local HASH = crypto.hex(crypto.sha256 "ell")

    setup(function() assert(fs.write(path, "hello")) end)
    teardown(function() os.remove(path) end)

    local function payload_hash(body, endpoint, options)
      local checksum = not (options and options.bare) and { "x-amz-checksum-crc32", "AAAAAA==" } or nil
      return signer.payload_hash({ body = body, headers = { checksum } }, endpoint, options or {})
    end

    it("is that of the body, of a part of a file as of text", function()
      assert.equal(HASH, payload_hash("ell", S3))
      assert.equal(HASH, payload_hash(FILE, EC2))
      assert.equal(crypto.hex(crypto.sha256 ""), payload_hash(nil, EC2))
    end)

    it("leaves the body out where the model says so", function()
      assert.equal("UNSIGNED-PAYLOAD", payload_hash("ell", EC2, { authtype = "v4-unsigned-body" }))
      assert.equal("UNSIGNED-PAYLOAD", world.header(sign { payload_hash = "UNSIGNED-PAYLOAD" }, "x-amz-content-sha256"))
    end)

    it("leaves a file for S3 out where TLS and a checksum protect it, and only there", function()
      assert.equal("UNSIGNED-PAYLOAD", payload_hash(FILE, S3))
      assert.equal(HASH, payload_hash(FILE, S3, { bare = true }))
      assert.equal(HASH, payload_hash(FILE, { signing_name = "s3", scheme = "http" }))
    end)

    it("says when the file is not what it was", function()
      local _, err = payload_hash({ path = path, offset = 0, size = 100 }, EC2)
      assert.equal("FileChanged", err.code)
      _, err = payload_hash({ path = path .. "-none", offset = 0, size = 1 }, EC2)
      assert.truthy(err.message:find("No such file", 1, true))
    end)
  end)

  it("encodes the path once more, except for S3", function()
    local function signature(options)
      return world.header(sign(options), "Authorization"):match "Signature=(%x+)"
    end
    assert.not_equal(signature { path = "/a%20b" }, signature { path = "/a%2520b" })
    assert.equal(signature { path = "/a/../b" }, signature { path = "/b" })
    assert.not_equal(signature { path = "/a/../b", service = "s3" }, signature { path = "/b", service = "s3" })
  end)
end)
