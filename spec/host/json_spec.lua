local json = require "host.json"

describe("host.json", function()
  describe("decode", function()
    local function refused(text)
      local value, err = json.decode(text)
      assert.is_nil(value)
      assert.equal("BadJson", err.code)
      return err
    end

    it("reads every kind of value", function()
      local value = json.decode '{"s":"é\\u00e9\\n","t":true,"f":false,"n":null,"a":[1,2.5],"o":{"k":"v"}}'
      assert.same({ s = "éé\n", t = true, f = false, n = json.null, a = { 1, 2.5 }, o = { k = "v" } }, value)
    end)

    it("accepts any value at the top, with white space around it", function()
      assert.equal("x", json.decode ' \r\n\t"x" ')
      assert.equal(json.null, json.decode "null")
      assert.is_false(json.decode "false")
    end)

    it("keeps an empty array and an empty object apart", function()
      local value = json.decode '{"a":[],"o":{}}'
      assert.is_true(json.is_array(value.a))
      assert.is_false(json.is_array(value.o))
      assert.equal('{"a":[],"o":{}}', json.encode(value))
    end)

    it("makes integers of whole numbers below 2^53 and the nearest floats of all others", function()
      for text, kind in pairs {
        ["9007199254740991"] = "integer", ["-9007199254740991"] = "integer", ["1.0"] = "integer", ["1e3"] = "integer",
        ["-0"] = "integer", ["9007199254740992"] = "float", ["-9007199254740992"] = "float",
        ["9007199254740993"] = "float", ["-9007199254740993"] = "float", ["0.5"] = "float", ["1e300"] = "float",
      } do
        local value = json.decode(text)
        assert.equal(kind, math.type(value), text)
        assert.equal(kind == "integer" and tonumber(text) or tonumber(text) + 0.0, value)
      end
    end)

    it("takes the last of two members of one name", function()
      assert.same({ a = 2 }, json.decode '{"a":1,"a":2}')
    end)

    it("tells names apart by case", function()
      assert.same({ a = 1, A = 2 }, json.decode '{"a":1,"A":2}')
    end)

    it("refuses what is not JSON and says where", function()
      for _, text in ipairs {
        "", " ", "{", "[1,2", '{"a":1,}', "[1,]", "[1] 2", "nul", "'a'", '"a', '{"a"}', "{a:1}", "-", "1e", '"\\x"',
        '"\\ud800"', "NaN", "1,2", "//x\n1",
      } do
        local err = refused(text)
        assert.is_true(err.offset >= 1 and err.offset <= #text + 1, text)
      end
      assert.equal(8, refused("[true, x]").offset)
    end)

    it("refuses NUL characters rather than cutting strings at them", function()
      assert.equal(3, refused('"a\\u0000b"').offset)
      assert.equal(6, refused('{"k\\\\\\u0000":1}').offset)
      assert.equal(2, refused("1\0garbage").offset)
      assert.equal("\\u0000", json.decode '"\\\\u0000"')
    end)

    it("refuses numbers that no double can hold", function()
      refused "1e999"
      refused "[-1e999]"
      refused(("9"):rep(400))
    end)

    it("refuses deep nesting without overflowing a stack", function()
      assert.is_table(json.decode(("["):rep(512) .. ("]"):rep(512)))
      refused(("["):rep(513) .. ("]"):rep(513))
      refused(('{"a":'):rep(513) .. "1" .. ("}"):rep(513))
      refused(("["):rep(1000000))
    end)

    it("passes bytes that are not UTF-8", function()
      assert.equal("a\xFF\xC3", json.decode '"a\xFF\xC3"')
    end)

    it("never repeats the text in its message, which may hold secrets", function()
      assert.is_nil(tostring(refused '{"password":"hunter2",}'):find("hunter2", 1, true))
    end)

    it("throws for anything but a string", function()
      assert.has_error(function() json.decode(nil) end)
      assert.has_error(function() json.decode {} end)
    end)
  end)

  describe("encode", function()
    it("sorts names by their bytes at every level", function()
      assert.equal('{"A":1,"a":{"x":1,"y":2},"b":2,"é":3}',
        json.encode { b = 2, a = { y = 2, x = 1 }, A = 1, ["é"] = 3 })
    end)

    it("takes tables for arrays or objects by mark, then by their keys", function()
      assert.equal("{}", json.encode {})
      assert.equal("[]", json.encode(json.array()))
      assert.equal("[]", json.encode(json.array {}))
      assert.equal("{}", json.encode(json.object(json.array())))
      assert.equal('[1,"a"]', json.encode { 1, "a" })
      assert.equal("[null,null]", json.encode { json.null, json.null })
    end)

    it("writes numbers so that they read back the same", function()
      for text, number in pairs {
        ["9007199254740991"] = 9007199254740991, ["9223372036854775807"] = math.maxinteger,
        ["-9223372036854775808"] = math.mininteger, ["0.30000000000000004"] = 0.1 + 0.2, ["0.1"] = 0.1,
        ["1e+300"] = 1e300, ["-1.5e-07"] = -1.5e-7, ["1.7976931348623157e+308"] = 1.7976931348623157e308,
      } do
        assert.equal(text, json.encode(number))
        assert.equal(number, tonumber(text))
      end
    end)

    it("writes numbers that are equal alike", function()
      assert.equal("1", json.encode(1.0))
      assert.equal("0", json.encode(-0.0))
      assert.equal(json.encode(1 << 60), json.encode(2.0 ^ 60))
    end)

    it("escapes strings", function()
      assert.equal([["\"\\\n\t\u0001/é"]], json.encode '"\\\n\t\1/é')
      assert.equal([[{"\"":1}]], json.encode { ['"'] = 1 })
    end)

    it("indents by two spaces and leaves brackets inside strings alone", function()
      assert.equal([=[
{
  "a": [
    1,
    {
      "b": "x\"},[:"
    }
  ],
  "c": {},
  "d": []
}]=], json.encode({ a = { 1, { b = 'x"},[:' } }, c = {}, d = json.array() }, { indent = true }))
      assert.equal('"a,\\\\"', json.encode("a,\\", { indent = true }))
    end)

    it("throws for what JSON cannot carry", function()
      for _, case in ipairs {
        { { 1, nil, 3 }, "neither a list" }, { { 1, a = 2 }, "neither a list" }, { { [0] = 1 }, "neither a list" },
        { { [1.5] = 1 }, "neither a list" }, { { [true] = 1 }, "neither a list" }, { { f = print }, "function %(f%)" },
        { json.array { a = 1 }, "neither a list" }, { json.object { 1 }, "neither a list" }, { 0 / 0, "nan" },
        { { x = math.huge }, "inf %(x%)" }, { "a\0b", "NUL" }, { { ["a\0b"] = 1 }, "NUL" }, { io.stdout, "userdata" },
        { coroutine.create(print), "thread" },
      } do
        local ok, message = pcall(json.encode, case[1])
        assert.is_false(ok)
        assert.matches(case[2], message)
      end
    end)

    it("throws for cycles and deep nesting", function()
      local cycle = {}
      cycle.a, cycle.b = { cycle }, { cycle }
      assert.error_matches(function() json.encode(cycle) end, "cycle")
      local deep = {}
      for _ = 1, 511 do
        deep = { deep }
      end
      assert.equal(("["):rep(511) .. "{}" .. ("]"):rep(511), json.encode(deep))
      assert.error_matches(function() json.encode { deep } end, "512 levels")
    end)

    it("encodes a table as often as it occurs", function()
      local shared = { 1 }
      assert.equal("[[1],[1]]", json.encode { shared, shared })
    end)

    it("ignores metamethods", function()
      local proxy = setmetatable({ a = 1 }, { __index = { b = 2 }, __len = function() return 5 end })
      assert.equal('{"a":1}', json.encode(proxy))
    end)

    it("throws for options that are no table", function()
      assert.has_error(function() json.encode(1, "indent") end)
    end)
  end)

  it("has a null that is only itself", function()
    assert.equal("null", tostring(json.null))
    assert.is_true(json.decode "null" == json.null)
    assert.is_true(json.null ~= nil and json.null ~= false)
    assert.equal("null", json.encode(json.null))
  end)

  it("marks tables in place", function()
    local list = {}
    assert.equal(list, json.array(list))
    assert.is_true(json.is_array(list))
    assert.is_false(json.is_array { 1 })
    assert.is_false(json.is_array "x")
    assert.has_error(function() json.array "x" end)
  end)

  it("round-trips what it decoded, byte for byte", function()
    local text = '{"Statement":[{"Action":["s3:*"],"Condition":{},"Resource":[]}],"a":"é\\n","n":-1.5e-07,"z":null}'
    assert.equal(text, json.encode(json.decode(text)))
  end)
end)
