local compress = require "host.compress"
local crypto = require "host.crypto"

describe("host.compress", function()
  local text = ("infrastructure as Lua, "):rep(1000)

  local function refused(problem, ...)
    local result, err = compress.inflate(...)
    assert.is_nil(result)
    assert.equal("BadData", err.code)
    assert.matches(problem, err.message)
  end

  it("gives back what it deflated", function()
    for _, plain in ipairs { "", "x", "a\0b", text, crypto.random(100000) } do
      for _, options in ipairs {
        {}, { level = 0 }, { level = 9 }, { gzip = true }, { dictionary = "infrastructure" },
      } do
        assert.equal(plain, compress.inflate(compress.deflate(plain, options), options))
      end
    end
    assert.is_true(#compress.deflate(text) < #text / 100)
  end)

  it("writes the formats of RFC 1950 and RFC 1952", function()
    assert.equal("\x78\x9c", compress.deflate("x"):sub(1, 2))
    assert.equal("\x1f\x8b", compress.deflate("x", { gzip = true }):sub(1, 2))
    refused("incorrect header", compress.deflate("x", { gzip = true }))
    refused("incorrect header", compress.deflate "x", { gzip = true })
  end)

  it("reads a gzip file of several members", function()
    local function gzip(s)
      return compress.deflate(s, { gzip = true })
    end
    assert.equal("one two", compress.inflate(gzip "one " .. gzip "" .. gzip "two", { gzip = true }))
    refused("header", gzip "one" .. "tail", { gzip = true })
  end)

  it("makes short texts shorter with a dictionary, and needs it again", function()
    local short, dictionary = '{"type":"structure","members":{}}', '{"required":[],"type":"structure","members":{}}'
    local sealed = compress.deflate(short, { dictionary = dictionary })
    assert.is_true(#sealed < #compress.deflate(short))
    assert.equal(short, compress.inflate(sealed, { dictionary = dictionary }))
    refused("dictionary", sealed)
    refused("another dictionary", sealed, { dictionary = "other" })
    assert.equal(short, compress.inflate(compress.deflate(short), { dictionary = "not needed" }))
  end)

  it("limits what a small text may grow to", function()
    local bomb = compress.deflate(("\0"):rep(10000000))
    refused("limit", bomb, { limit = 9999999 })
    assert.equal(10000000, #compress.inflate(bomb, { limit = 10000000 }))
    assert.equal("", compress.inflate(compress.deflate "", { limit = 0 }))
    refused("limit", compress.deflate "x", { limit = 0 })
  end)

  it("refuses what is cut, damaged or followed by something", function()
    local good = compress.deflate(text)
    for length = 0, #good - 1 do
      refused("too early", good:sub(1, length))
    end
    refused("incorrect data check", good:sub(1, -2) .. "\0")
    refused("follows", good .. "x")
    refused("header", "plain text")
    refused("header", "plain text", { gzip = true })
  end)

  it("throws for wrong arguments", function()
    assert.has_error(function() compress.deflate() end)
    assert.has_error(function() compress.deflate("x", 9) end)
    assert.has_error(function() compress.deflate("x", { level = 10 }) end)
    assert.has_error(function() compress.deflate("x", { dictionary = true }) end)
    assert.has_error(function() compress.deflate("x", { dictionary = "x", gzip = true }) end)
    assert.has_error(function() compress.inflate("x", { limit = "much" }) end)
    assert.has_error(function() compress.inflate("x", { limit = -1 }) end)
  end)
end)
