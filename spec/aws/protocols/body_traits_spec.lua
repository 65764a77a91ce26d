local body_traits = require "infra.aws.protocols.body_traits"
local compress = require "host.compress"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.body_traits", function()
  local request

  before_each(function()
    request = { headers = {}, body = "body" }
  end)

  local function header(name)
    return model.header(request, name)
  end

  describe("compress", function()
    local operation = { requestcompression = { encodings = { "br", "gzip" } } }
    local large = ("0123456789"):rep(2000)

    it("compresses large bodies, and says so", function()
      request.body = large
      body_traits.compress(operation, request)
      assert.equal("gzip", header "Content-Encoding")
      assert.equal(large, compress.inflate(request.body, { gzip = true, limit = #large }))
    end)

    it("adds to an encoding that is there already", function()
      request.headers, request.body = { { "content-encoding", "custom" } }, large
      body_traits.compress(operation, request)
      assert.same({ { "content-encoding", "custom, gzip" } }, request.headers)
    end)

    it("leaves the others alone", function()
      body_traits.compress(operation, request)
      body_traits.compress({ requestcompression = { encodings = { "br" } } }, { headers = {}, body = large })
      body_traits.compress({}, request)
      request.body = nil
      body_traits.compress(operation, request)
      assert.same({ headers = {} }, request)
    end)
  end)

  describe("checksum", function()
    local required = { httpChecksumRequired = true }
    local chosen = { httpChecksum = { requestAlgorithmMember = "ChecksumAlgorithm", requestChecksumRequired = true } }

    it("adds Content-MD5 where a checksum is required", function()
      assert.is_true(body_traits.checksum(required, request, {}))
      assert.equal("hBotaJrYa9FhFEdFPCLG/A==", header "Content-MD5")
      assert.is_true(body_traits.checksum({}, { headers = request.headers }, {}))
      assert.equal(1, #request.headers)
    end)

    it("uses the algorithm that the caller chose", function()
      for algorithm, digest in pairs {
        CRC32 = "26gLsg==",
        SHA1 = "Agg/RXngimEkJcDBoX7ket14O5Q=",
        SHA256 = "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=",
      } do
        request.headers = {}
        assert.is_true(body_traits.checksum(chosen, request, { ChecksumAlgorithm = algorithm }))
        assert.same({ { "x-amz-checksum-" .. algorithm:lower(), digest } }, request.headers)
      end
    end)

    it("keeps what the caller computed", function()
      request.headers = { { "x-amz-checksum-crc32c", "AAAAAA==" } }
      assert.is_true(body_traits.checksum(chosen, request, {}))
      assert.equal(1, #request.headers)
    end)

    it("refuses algorithms that it does not know", function()
      local ok, err = body_traits.checksum(chosen, request, { ChecksumAlgorithm = "CRC64NVME" })
      assert.is_nil(ok)
      assert.equal("ParamValidation", err.code)
    end)
  end)
end)
