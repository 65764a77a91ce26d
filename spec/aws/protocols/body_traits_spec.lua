local body_traits = require "infra.aws.protocols.body_traits"
local compress = require "host.compress"
local fs = require "host.fs"
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
    local input = model.structure { ChecksumAlgorithm = { locationName = "x-amz-sdk-checksum-algorithm" } }
    local chosen = { httpChecksum = { requestAlgorithmMember = "ChecksumAlgorithm", requestChecksumRequired = true } }

    it("adds Content-MD5 where a checksum is required", function()
      assert.is_true(body_traits.checksum(required, input, request, {}))
      assert.equal("hBotaJrYa9FhFEdFPCLG/A==", header "Content-MD5")
      assert.is_true(body_traits.checksum({}, input, { headers = request.headers }, {}))
      assert.equal(1, #request.headers)
    end)

    it("uses the algorithm that the caller chose", function()
      for algorithm, digest in pairs {
        CRC32 = "26gLsg==",
        SHA1 = "Agg/RXngimEkJcDBoX7ket14O5Q=",
        SHA256 = "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=",
      } do
        request.headers = {}
        assert.is_true(body_traits.checksum(chosen, input, request, { ChecksumAlgorithm = algorithm }))
        assert.same({ { "x-amz-checksum-" .. algorithm:lower(), digest } }, request.headers)
      end
    end)

    it("uses CRC32 where the caller may choose and did not, required or not, and says so", function()
      for _, is_required in ipairs { true, false } do
        request.headers = {}
        local trait = { requestAlgorithmMember = "ChecksumAlgorithm", requestChecksumRequired = is_required }
        assert.is_true(body_traits.checksum({ httpChecksum = trait }, input, request, {}))
        assert.same({ { "x-amz-sdk-checksum-algorithm", "CRC32" }, { "x-amz-checksum-crc32", "26gLsg==" } },
          request.headers)
      end
    end)

    it("computes it over a part of a file", function()
      local path = os.tmpname()
      assert(fs.write(path, "some body."))
      request.body = { path = path, offset = 5, size = 4 }
      assert.is_true(body_traits.checksum(chosen, input, request, {}))
      assert.equal("26gLsg==", header "x-amz-checksum-crc32")
      assert(fs.remove(path))
      request.headers = {}
      assert.is_nil((body_traits.checksum(chosen, input, request, {})))
    end)

    it("keeps what the caller computed", function()
      request.headers = { { "x-amz-checksum-crc32c", "AAAAAA==" } }
      assert.is_true(body_traits.checksum(chosen, input, request, {}))
      assert.equal(1, #request.headers)
    end)

    it("refuses algorithms that it does not know", function()
      local ok, err = body_traits.checksum(chosen, input, request, { ChecksumAlgorithm = "CRC64NVME" })
      assert.is_nil(ok)
      assert.equal("ParamValidation", err.code)
    end)
  end)
end)
