local cbor_codec = require "infra.aws.protocols.cbor_codec"
local crypto = require "host.crypto"
local json = require "host.json"

describe("infra.aws.protocols.cbor_codec", function()
  local function decode(hex)
    return cbor_codec.decode(crypto.unhex(hex))
  end

  -- From RFC 8949, appendix A.
  local EXAMPLES = {
    ["00"] = 0, ["17"] = 23, ["1818"] = 24, ["1903e8"] = 1000, ["1a000f4240"] = 1000000,
    ["1b000000e8d4a51000"] = 1000000000000, ["1bffffffffffffffff"] = 18446744073709551615.0,
    ["3bffffffffffffffff"] = -18446744073709551616.0, ["20"] = -1, ["3863"] = -100,
    ["f90000"] = 0.0, ["f93c00"] = 1.0, ["f93e00"] = 1.5, ["f97bff"] = 65504.0, ["f90001"] = 5.960464477539063e-8,
    ["f9c400"] = -4.0, ["fa47c35000"] = 100000.0, ["fb3ff199999999999a"] = 1.1, ["f97c00"] = math.huge,
    ["f9fc00"] = -math.huge, ["f4"] = false, ["f5"] = true, ["f6"] = json.null, ["f7"] = json.null,
    ["c11a514b67b0"] = 1363896240, ["40"] = "", ["4401020304"] = "\1\2\3\4", ["62c3bc"] = "ü",
    ["5f42010243030405ff"] = "\1\2\3\4\5", ["7f657374726561646d696e67ff"] = "streaming",
  }

  it("decodes the standard's scalars", function()
    for hex, value in pairs(EXAMPLES) do
      assert.equal(value, decode(hex), hex)
    end
    local nan = decode "f97e00"
    assert.not_equal(nan, nan)
  end)

  it("decodes arrays and maps, of known length or not", function()
    local nested = json.array { 1, json.array { 2, 3 }, json.array { 4, 5 } }
    assert.same(nested, decode "8301820203820405")
    assert.same(nested, decode "9f018202039f0405ffff")
    assert.same({ a = 1, b = json.array { 2, 3 } }, decode "a26161016162820203")
    assert.same({ a = 1, b = json.array { 2, 3 } }, decode "bf61610161629f0203ffff")
    assert.is_true(json.is_array(decode "80"))
    assert.is_false(json.is_array(decode "a0"))
  end)

  it("encodes what it decodes, as short as it can", function()
    for _, number in ipairs { 0, 23, 24, 255, 256, 65535, 65536, 4294967295, 4294967296, math.maxinteger,
      -1, -24, -25, -256, -257, math.mininteger } do
      assert.equal(number, cbor_codec.decode(cbor_codec.integer(number)))
    end
    assert.equal("\x18\x18", cbor_codec.integer(24))
    assert.equal("\x0a", cbor_codec.integer(10.0))
    for _, number in ipairs { 0.5, -1.1, math.huge } do
      assert.equal(number, cbor_codec.decode(cbor_codec.double(number)))
    end
    local text = ("x"):rep(300)
    assert.equal(text, cbor_codec.decode(cbor_codec.text(text)))
    assert.equal(text, cbor_codec.decode(cbor_codec.bytes(text)))
    assert.equal(crypto.unhex "c11a514b67b0", cbor_codec.timestamp(1363896240))
    assert.equal(1.5, cbor_codec.decode(cbor_codec.timestamp(1.5)))
    assert.equal(crypto.unhex "a2616101616281f6",
      cbor_codec.map { b = cbor_codec.array { cbor_codec.null }, a = cbor_codec.integer(1) })
  end)

  it("refuses what is not CBOR, or not from AWS", function()
    for hex, problem in pairs {
      [""] = "too early", ["18"] = "too early", ["1a0000"] = "too early", ["62c3"] = "too early", ["81"] = "too early",
      ["9f"] = "too early", ["9f01"] = "too early", ["a161"] = "too early", ["bf6161ff"] = "unknown kind",
      ["5f4101"] = "too early", ["fb00"] = "too early", ["c1"] = "too early",
      ["1c"] = "unknown size", ["ff"] = "unknown kind", ["f8ff"] = "unknown kind", ["fc"] = "unknown kind",
      ["0000"] = "follows", ["a10102"] = "not a string", ["5f6161ff"] = "another kind", ["5f5fffff"] = "another kind",
      -- lengths that no memory holds
      ["5bffffffffffffffff"] = "too early", ["9bffffffffffffffff"] = "too early", ["9b7fffffffffffffff"] = "too early",
      ["bb7fffffffffffffff"] = "too early", ["7a7fffffff"] = "too early",
    } do
      local value, err = decode(hex)
      assert.is_nil(value, hex)
      assert.equal("BadCbor", err.code)
      assert.matches(problem, err.message, 1, true)
    end
  end)

  it("survives nesting", function()
    for _, opening in ipairs { "\x81", "\x9f", "\xc1", "\xbf\x61a" } do
      local value, err = cbor_codec.decode(opening:rep(100000))
      assert.is_nil(value)
      assert.matches("nested too deeply", err.message)
    end
  end)
end)
