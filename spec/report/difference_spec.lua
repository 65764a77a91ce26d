local difference = require "infra.report.difference"
local infra = require "infra"
local json = require "host.json"
local reference = require "infra.engine.reference"
local style = require "infra.report.style"

-- The lines about the differences of two values.
local function lines(before, after, width)
  local found = {}
  difference.lines("P", before, after, { indent = "", paint = style.painter(false), width = width }, function(line)
    found[#found + 1] = line
  end)
  return found
end

describe("infra.report.difference", function()
  it("says nothing about what is equal", function()
    for _, item in ipairs { 1, "x", true, {}, { a = { 1, { b = 2 } } } } do
      assert.same({}, lines(item, item))
    end
    assert.same({}, lines(nil, nil))
  end)

  it("shows values, and what is added or taken away", function()
    assert.same({ '~ P: "a" → "b"' }, lines("a", "b"))
    assert.same({ '~ P: 1 → "1"' }, lines(1, "1"))
    assert.same({ "+ P: true" }, lines(nil, true))
    assert.same({ '- P: {"a":1}' }, lines({ a = 1 }, nil))
  end)

  it("goes down to the smallest part", function()
    assert.same({ "- P.a.gone: 1", "+ P.a.new: 3", "~ P.b: 1 → 2" },
      lines({ a = { same = 1, gone = 1 }, b = 1 }, { a = { same = 1, new = 3 }, b = 2 }))
  end)

  it("finds the item of a list that has changed", function()
    local function policy(...)
      local statements = json.array {}
      for i, action in ipairs { ... } do
        statements[i] = { Effect = "Allow", Action = { "a", action } }
      end
      return { Statement = statements }
    end
    assert.same({ '~ P.Statement[2].Action[2]: "y" → "z"' }, lines(policy("x", "y"), policy("x", "z")))
    assert.same({ '+ P.Statement[2]: {"Action":["a","y"],"Effect":"Allow"}' },
      lines(policy("x", "z"), policy("x", "y", "z")))
    assert.same({ '- P.Statement[1]: {"Action":["a","x"],"Effect":"Allow"}' }, lines(policy("x", "y"), policy("y")))
    assert.same({ '~ P.Statement[1].Action[2]: "x" → "w"', '+ P.Statement[3]: {"Action":["a","z"],"Effect":"Allow"}' },
      lines(policy("x", "y"), policy("w", "y", "z")))
  end)

  it("knows that only the order has changed", function()
    assert.same({ '~ P (order): ["a","b"] → ["b","a"]' }, lines({ "a", "b" }, { "b", "a" }))
  end)

  it("counts equal items", function()
    assert.same({ '- P[2]: "a"' }, lines({ "a", "a" }, { "a" }))
  end)

  it("shows no secret, and says when it is another one", function()
    local function sealed(text)
      return { a = reference.seal(infra.secret(text), "key") }
    end
    assert.same({}, lines(sealed "x", sealed "x"))
    assert.same({ "~ P.a: (secret) → (another secret)" }, lines(sealed "x", sealed "y"))
    assert.same({ "+ P: (secret)" }, lines(nil, infra.secret "x"))
  end)

  it("says what is not known yet", function()
    assert.same({ '~ P: "a" → (known after network/vpc)' }, lines("a", reference.unknown("network/vpc", "VpcId")))
  end)

  it("puts long values on lines of their own, and begins where they differ", function()
    local same = ("ä"):rep(100)
    local found = lines(same .. "one", same .. "two", 40)
    assert.equal(3, #found)
    assert.equal("~ P", found[1])
    assert.matches('^    %- …[^"]+one"$', found[2])
    assert.matches('^    %+ …[^"]+two"$', found[3])
    for _, line in ipairs(found) do
      assert.truthy(utf8.len(line) and utf8.len(line) <= 40)
    end
  end)

  it("keeps to the width", function()
    for _, line in ipairs(lines({ a = ("x"):rep(200) }, { b = ("y"):rep(200), c = { 1 } }, 50)) do
      assert.truthy(utf8.len(line) <= 50)
    end
    assert.equal(1, #lines(nil, ("x"):rep(1000)))
    assert.equal(#'+ P: ""' + 1000, #lines(nil, ("x"):rep(1000))[1])
  end)
end)
