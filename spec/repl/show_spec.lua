local json = require "host.json"
local reference = require "infra.engine.reference"
local show = require "infra.repl.show"

describe("infra.repl.show", function()
  it("shows plain values as Lua writes them", function()
    for expected, value in pairs {
      ["1"] = 1, ["1.5"] = 1.5, ["true"] = true, ["function"] = print, ['"text"'] = "text", ["null"] = json.null,
      ["{}"] = {}, ["{ 1, 2 }"] = { 1, 2 }, ["{ a = 1, b = { 2 } }"] = { b = { 2 }, a = 1 },
    } do
      assert.equal(expected, show.text(value))
    end
    assert.equal("nil", show.text(nil))
  end)

  it("sorts keys", function()
    assert.equal('{ "x", [true] = 6, [3] = "y", a = 1, ["b-c"] = 2, c = 3 }',
      show.text { "x", [3] = "y", c = 3, a = 1, ["b-c"] = 2, [true] = 6 })
  end)

  it("breaks what does not fit on a line", function()
    local value = { a = "aaaaaaaaaa", b = { 1, 2 } }
    assert.equal('{\n  a = "aaaaaaaaaa",\n  b = { 1, 2 },\n}', show.text(value, { width = 20 }))
    assert.equal("{\n  a = {\n    1,\n    2,\n  },\n}", show.text({ a = { 1, 2 } }, { width = 5 }))
  end)

  it("ends at cycles, at depth and at length", function()
    local value = { name = "x" }
    value.self = value
    assert.equal('{ name = "x", self = (cycle) }', show.text(value))
    local shared = { 1 }
    assert.equal("{ { 1 }, { 1 } }", show.text { shared, shared })
    assert.equal("{ { {...} } }", show.text({ { { 1 } } }, { depth = 2 }))
    local deep = {}
    for _ = 1, 1000 do
      deep = { deep }
    end
    assert.matches("{...}", show.text(deep), 1, true)
    local long = {}
    for i = 1, 1000 do
      long[i] = i
    end
    assert.matches("  200,\n  ... and 800 more,\n}$", show.text(long))
    long.name = 1
    assert.matches("... and 801 more", show.text(long), 1, true)
  end)

  it("lets nothing through that moves a terminal's cursor", function()
    assert.equal([["a\nb\t\"\\\r\x1b[2J\x00\x7f"]], show.text "a\nb\t\"\\\r\27[2J\0\127")
    assert.equal([["\xc2\x9b2J é 😀"]], show.text "\u{9b}2J é 😀")
    assert.equal([["\xff\xc3"]], show.text "\xff\xc3")
    assert.equal([[{ ["\x1b"] = 1 }]], show.text { ["\27"] = 1 })
  end)

  it("shows references, secrets and unknowns as text", function()
    local bucket = reference.new("edge/files", "Arn")
    assert.equal('"${edge/files.Arn}/*"', show.text(bucket .. "/*"))
    assert.equal('"${account.Account}"', show.text(reference.new("", "Account")))
    assert.equal("{ a = (secret), b = (secret), c = (known after network/vpc) }", show.text {
      a = reference.secret "hunter22",
      b = reference.seal(reference.secret "hunter22", "key"),
      c = reference.unknown("network/vpc", "VpcId"),
    })
  end)

  it("asks metatables what a table looks like, but never for its fields", function()
    local lazy = setmetatable({ here = 1 }, { __index = error, __pairs = error, __len = error })
    assert.equal("{ here = 1 }", show.text(lazy))
    local named = setmetatable({}, { __tostring = function() return "a thing" end })
    assert.equal("a thing", show.text(named))
    assert.equal("{ a thing }", show.text { named })
    local brief = setmetatable({ a = 1 }, { __brief = function(value) return "brief " .. value.a end })
    assert.equal("{ a = 1 }", show.text(brief))
    assert.equal("{ brief 1 }", show.text { brief })
    assert.equal("{ 1 }", show.text(setmetatable({ 1 }, { __metatable = "closed" })))
  end)

  it("makes JSON without secrets and with the names of references", function()
    assert.equal('{"a":"(secret)","b":"${network/vpc.VpcId}","c":[],"d":null}', show.json {
      a = reference.secret "hunter22", b = reference.new("network/vpc", "VpcId"), c = json.array {}, d = json.null,
    })
    assert.equal('{\n  "a": 1\n}', show.json({ a = 1 }, { indent = true }))
  end)
end)
