-- Every decoder under damaged and oversized input, always the same: it returns or throws a typed error. `make fuzz`
-- looks for more with the same targets (spec/fuzz).

local cbor_codec = require "infra.aws.protocols.cbor_codec"
local errors = require "infra.errors"
local json = require "host.json"
local runtimes = require "infra.runtime"
local targets = require "spec.fuzz.targets"
local xml = require "host.xml"

local ROUNDS <const> = 150 -- damaged texts per seed; of the slow targets fewer
local SLOW <const> = { c2j = 50, models = 5 }

local function new_dice(seed)
  local random = runtimes.simulated({ seed = seed }).random
  return function(sides)
    return string.unpack("<I4", random(4)) % sides + 1
  end
end

-- Each makes another text of one; `roll(n)` gives 1..n.
local DAMAGES <const> = {
  function(text, roll) -- cut off
    return text:sub(1, roll(#text) - 1)
  end,
  function(text, roll) -- one byte is another
    local at = roll(#text)
    return text:sub(1, at - 1) .. string.char(roll(256) - 1) .. text:sub(at + 1)
  end,
  function(text, roll) -- a part is missing
    local from = roll(#text)
    return text:sub(1, from - 1) .. text:sub(from + roll(#text))
  end,
  function(text, roll) -- a part comes again and again: deep nesting, where it opens something
    local from = roll(#text)
    local till = from + roll(8)
    return text:sub(1, till) .. text:sub(from, till):rep(2000) .. text:sub(till + 1)
  end,
  function(text, roll) -- bytes that are not UTF-8
    local at = roll(#text)
    return text:sub(1, at) .. "\xff\xc0\x80\xed\xa0\x80\0" .. text:sub(at + 1)
  end,
  function(text, roll) -- another type, or a number that is too large
    local other = ({ "[]", "{}", "null", "-1", "1e999", ("9"):rep(400), '"x"', "<x/>" })[roll(8)]
    local count = 0
    local wanted = roll(20)
    return (text:gsub("[%w.-]+", function()
      count = count + 1
      return count == wanted and other or nil
    end))
  end,
}

-- What is wrong about how `decode` takes `text`, or nil.
local function finding(decode, text)
  local ok, err = pcall(decode, text)
  if not ok and not errors.is(err) then
    return ("%s\nfor %q"):format(err, text:sub(1, 500))
  end
end

describe("hostile input", function()
  for name, target in pairs(targets) do
    it(("is refused, or read, by the decoder of %s"):format(name), function()
      local roll = new_dice(#name)
      assert.is_nil(finding(target.decode, ""))
      for _, seed in ipairs(target.seeds()) do
        assert.is_nil(finding(target.decode, seed))
        for round = 1, SLOW[name] or ROUNDS do
          local text = seed
          for _ = 1, roll(3) do
            text = text == "" and seed or text
            text = DAMAGES[(round + roll(2)) % #DAMAGES + 1](text, roll)
          end
          assert.is_nil(finding(target.decode, text))
        end
      end
    end)
  end

  it("cannot nest deeper than a decoder's limit", function()
    local deep = 100000
    local nested = {
      [json.decode] = { ("["):rep(deep), ('{"a":'):rep(deep), ("["):rep(600) .. ("]"):rep(600) },
      [xml.parse] = { ("<a>"):rep(deep), ("<a>"):rep(300) .. ("</a>"):rep(300) },
      [cbor_codec.decode] = { ("\x81"):rep(deep), ("\x9f"):rep(deep), ("\xa1\x61a"):rep(deep), ("\xc1"):rep(deep),
        ("\x5f"):rep(deep) },
    }
    for decode, texts in pairs(nested) do
      for _, text in ipairs(texts) do
        local value, err = decode(text)
        assert.is_nil(value)
        assert.is_true(errors.is(err))
      end
    end
  end)

  it("cannot be larger than a decoder's limit", function()
    local large = (" "):rep((64 << 20) + 1)
    for _, decode in ipairs { json.decode, xml.parse, cbor_codec.decode } do
      local value, err = decode(large)
      assert.is_nil(value)
      assert.matches("larger than the limit", err.message)
    end
    local _, err = targets.ini.decode(large)
    assert.equal("config:0: larger than 1 MiB", err.message)
  end)

  it("cannot claim memory that it does not have the bytes for", function()
    local huge = ("\xff"):rep(7)
    local claims = { "\x9b\x00" .. huge, "\x9b\xff" .. huge, "\xbb\x7f" .. huge, "\x5b\x7f" .. huge,
      "\x9a" .. huge, "\xba\x00\x00\xff\xff" .. ("\x60"):rep(1000) }
    for _, claim in ipairs(claims) do
      collectgarbage()
      local before = collectgarbage "count"
      local value, err = cbor_codec.decode(claim)
      assert.is_nil(value)
      assert.equal("BadCbor", err.code)
      assert.is_true(collectgarbage "count" - before < 1024)
    end
  end)

  it("costs time in proportion to its length", function()
    -- So long that what takes their square would not come to an end.
    local long = 1 << 18
    local texts = {
      json = { ("\\"):rep(long), '"' .. ("\\\\"):rep(long) .. '"', '"' .. ("\\u000"):rep(long) },
      xml = { ("<a/>"):rep(long), "<a " .. ("b"):rep(long) .. ("='' "):rep(long) },
      cbor = { "\x7f" .. ("\x60"):rep(long), "\x9f" .. ("\x9f\xff"):rep(long) },
      ini = { "[a]\n" .. (" "):rep(long) .. "x", "[" .. ("'"):rep(long) .. "]", "[a]\nb" .. (" "):rep(long) .. "c" },
      answers = { "\1\2" .. ("<style>"):rep(long), "\3\2" .. ("<"):rep(long), "\6\3" .. (" "):rep(long) },
      sigv4 = { "GET\n" .. ("/.."):rep(long), "GET\n/\na:" .. (" "):rep(long), "GET\n/\n" .. ("a:b\n"):rep(10000) },
    }
    for name, list in pairs(texts) do
      for _, text in ipairs(list) do
        assert.is_nil(finding(targets[name].decode, text))
      end
    end
  end)
end)
