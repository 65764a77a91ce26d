local crypto = require "host.crypto"
local sigv4 = require "host.sigv4"

local EMPTY = crypto.hex(crypto.sha256 "")

-- A request with whatever the case is about in place of what is usual.
local function request(fields)
  local result = {
    method = "GET", path = "/", payload_hash = EMPTY, service = "service", region = "us-east-1",
    headers = { { "Host", "example.amazonaws.com" }, { "X-Amz-Date", "20150830T123600Z" } },
    access_key = "AKIDEXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", timestamp = 1440938160,
  }
  for name, value in pairs(fields or {}) do
    result[name] = value
  end
  return result
end

local function canonical_line(number, fields)
  local i = 0
  for line in (sigv4.sign(request(fields)).canonical_request .. "\n"):gmatch("(.-)\n") do
    i = i + 1
    if i == number then
      return line
    end
  end
end

local function path_of(path, fields)
  fields = fields or {}
  fields.path = path
  return canonical_line(2, fields)
end

local function query_of(query)
  return canonical_line(3, { query = query })
end

describe("host.sigv4", function()
  it("signs AWS's own example", function()
    -- "get-vanilla" of AWS's Signature Version 4 test suite
    local signed = sigv4.sign(request())
    assert.equal("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", signed.signature)
    assert.equal("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
      .. "SignedHeaders=host;x-amz-date, Signature=" .. signed.signature, signed.authorization)
    assert.equal("GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" .. EMPTY,
      signed.canonical_request)
    assert.equal("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
      .. crypto.hex(crypto.sha256(signed.canonical_request)), signed.string_to_sign)
  end)

  it("hashes a body", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sigv4.payload_hash "")
    assert.equal(crypto.hex(crypto.sha256 "a\0b"), sigv4.payload_hash "a\0b")
    assert.has_error(function() sigv4.payload_hash() end)
  end)

  it("presigns S3's documented example", function()
    -- "Authenticating Requests: Using Query Parameters", Amazon S3 API Reference
    local query, signed = sigv4.presign(request {
      path = "/test.txt", headers = { { "host", "examplebucket.s3.amazonaws.com" } }, service = "s3",
      payload_hash = "UNSIGNED-PAYLOAD", double_encode = false, normalize = false, expires = 86400,
      access_key = "AKIAIOSFODNN7EXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      timestamp = 1369353600,
    })
    assert.equal("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", signed.signature)
    assert.equal("X-Amz-Algorithm=AWS4-HMAC-SHA256"
      .. "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
      .. "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=" .. signed.signature, query)
    assert.is_nil(signed.authorization)
  end)

  describe("paths", function()
    it("are normalized and encoded once more", function()
      for given, expected in pairs {
        [""] = "/", ["/"] = "/", ["//"] = "/", ["/./"] = "/", ["/../.."] = "/", ["/a/../b"] = "/b",
        ["/a//b/"] = "/a/b/", ["/a/b/.."] = "/a", ["/a/b/../"] = "/a/", ["/.a/..b/c..."] = "/.a/..b/c...",
        ["/a b"] = "/a%20b",
        ["/recovery-points/arn%3Aaws"] = "/recovery-points/arn%253Aaws", ["/-_.~AZaz09"] = "/-_.~AZaz09",
        ["/\xE1\x88\xB4"] = "/%E1%88%B4", ["/a:b*c'(d)!"] = "/a%3Ab%2Ac%27%28d%29%21",
      } do
        assert.equal(expected, path_of(given), given)
      end
    end)

    it("are only encoded when normalize is false", function()
      assert.equal("/a//b/../%2525", path_of("/a//b/../%25", { normalize = false }))
    end)

    it("stay as they are for S3", function()
      assert.equal("//a/./b%20c/..", path_of("//a/./b%20c/..", { normalize = false, double_encode = false }))
      assert.equal("/", path_of("", { normalize = false, double_encode = false }))
    end)
  end)

  describe("queries", function()
    it("are encoded, then sorted by name and value", function()
      assert.equal("", query_of(nil))
      assert.equal("", query_of {})
      assert.equal("A=1&a=1&a=2&b=", query_of { { "b", "" }, { "a", "2" }, { "A", "1" }, { "a", "1" } })
      assert.equal("a=1&a%2F=1&a-=1&aa=1", query_of { { "aa", "1" }, { "a-", "1" }, { "a/", "1" }, { "a", "1" } })
      assert.equal("%E1%88%B4=%20%2B%25%26%3D~", query_of { { "\xE1\x88\xB4", " +%&=~" } })
      assert.equal("a%00=b%00", query_of { { "a\0", "b\0" } })
    end)
  end)

  describe("headers", function()
    it("are lower-cased, trimmed, sorted, and joined where they repeat", function()
      local signed = sigv4.sign(request { headers = {
        { "My-Header2", ' "a   b \t c" ' }, { "Host", "h:8443" }, { "my-header1", "  second  first " },
        { "Empty", "  " }, { "MY-HEADER1", "a,b" }, { "My-header1", "" },
      } })
      assert.equal('GET\n/\n\nempty:\nhost:h:8443\nmy-header1:second first,a,b,\nmy-header2:"a b c"\n\n'
        .. "empty;host;my-header1;my-header2\n" .. EMPTY, signed.canonical_request)
      assert.matches("SignedHeaders=empty;host;my%-header1;my%-header2,", signed.authorization)
    end)

    it("keep the order of many that repeat", function()
      local headers, values = { { "host", "h" } }, {}
      for i = 1, 500 do
        headers[#headers + 1] = { "x", tostring(i) }
        values[i] = tostring(i)
      end
      assert.equal("x:" .. table.concat(values, ","), canonical_line(5, { headers = headers }))
    end)
  end)

  it("takes the day from the timestamp and rolls the key at midnight UTC", function()
    local last, first = sigv4.sign(request { timestamp = 1440979199.9 }), sigv4.sign(request { timestamp = 1440979200 })
    assert.matches("\n20150830T235959Z\n", last.string_to_sign)
    assert.matches("\n20150831T000000Z\n", first.string_to_sign)
    assert.matches("/20150831/us%-east%-1/", first.authorization)
    local function by_hand(signed, day)
      local key = "AWS4" .. request().secret_key
      for _, part in ipairs { day, "us-east-1", "service", "aws4_request", signed.string_to_sign } do
        key = crypto.hmac_sha256(key, part)
      end
      return crypto.hex(key)
    end
    assert.equal(by_hand(last, "20150830"), last.signature)
    assert.equal(by_hand(first, "20150831"), first.signature)
  end)

  it("signs the same with a remembered key, and with one forgotten meanwhile", function()
    local expected = sigv4.sign(request()).signature
    local seen = { [expected] = true }
    for i = 1, 200 do
      local signature = sigv4.sign(request { region = "region-" .. i }).signature
      assert.is_nil(seen[signature])
      seen[signature] = true
      if i % 50 == 0 then
        assert.equal(expected, sigv4.sign(request()).signature)
      end
    end
    assert.is_nil(seen[sigv4.sign(request { secret_key = "another" }).signature])
    assert.is_nil(seen[sigv4.sign(request { region = "us-east", service = "1service" }).signature])
  end)

  describe("presign", function()
    local function presign(fields)
      fields.expires = fields.expires or 60
      return sigv4.presign(request(fields))
    end

    it("signs the session token and what the query already holds", function()
      local query, signed = presign {
        query = { { "Z", "1" }, { "Action", "GetCallerIdentity" } }, session_token = "a/b=",
      }
      assert.matches("^Action=GetCallerIdentity&X%-Amz%-Algorithm=", query)
      assert.matches("&X%-Amz%-Security%-Token=a%%2Fb%%3D&X%-Amz%-SignedHeaders=host%%3Bx%-amz%-date&Z=1"
        .. "&X%-Amz%-Signature=" .. signed.signature .. "$", query)
      assert.not_equal(signed.signature, select(2, presign { session_token = "other" }).signature)
    end)

    it("accepts seven days at most", function()
      assert.matches("X%-Amz%-Expires=604800&", (presign { expires = 604800 }))
      for _, expires in ipairs { 604801, 0, -1, 1.5, "soon" } do
        assert.error_matches(function() presign { expires = expires } end, "expires")
      end
    end)
  end)

  it("encodes queries in the order given, and path segments with their slashes", function()
    assert.equal("b=%2F&a=", sigv4.encode_query { { "b", "/" }, { "a", "" } })
    assert.equal("", sigv4.encode_query {})
    assert.equal("arn%3Aaws%3As3%3A%3A%3Ab%2Fk%20%25", sigv4.encode_path_segment "arn:aws:s3:::b/k %")
    assert.equal("", sigv4.encode_path_segment "")
  end)

  it("throws for wrong requests, naming what is wrong", function()
    for _, field in ipairs {
      "method", "path", "payload_hash", "service", "region", "access_key", "secret_key", "timestamp",
    } do
      local incomplete = request()
      incomplete[field] = nil
      assert.error_matches(function() sigv4.sign(incomplete) end, field)
      incomplete[field] = {}
      assert.error_matches(function() sigv4.sign(incomplete) end, field)
    end
    for _, timestamp in ipairs { -1, 1e300, 0 / 0 } do
      assert.error_matches(function() sigv4.sign(request { timestamp = timestamp }) end, "timestamp")
    end
    for _, list in ipairs { "x", { "x" }, { { "name" } }, { { "name", 1 } }, { { 1, "value" } } } do
      assert.error_matches(function() sigv4.sign(request { headers = list }) end, "pair")
      assert.error_matches(function() sigv4.sign(request { query = list }) end, "pair")
    end
    assert.has_error(function() sigv4.sign() end)
    assert.has_error(function() sigv4.encode_query() end)
  end)

  it("never shows the secret", function()
    local ok, message = pcall(sigv4.sign, request { region = false })
    assert.is_false(ok)
    assert.is_nil(message:find("wJalr", 1, true))
    for _, value in pairs(sigv4.sign(request())) do
      assert.is_nil(value:find("wJalr", 1, true))
    end
  end)
end)
