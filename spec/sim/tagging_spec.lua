local tagging = require "infra.sim.tagging"

-- Answers with its code and the argument of its message.
local RULES = {
  fail = function(_, code, message, argument) error(code .. message:format(argument), 0) end,
  length = { "length", " %s" }, value_length = { "value", " %s" }, reserved = { "reserved", " %s" },
  duplicate = { "duplicate", " %s" }, number = { "number", " %d" },
}

local function merged(given, existing, rules)
  local done, result = pcall(tagging.checked, {}, existing, given, rules or RULES)
  return result, done
end

describe("infra.sim.tagging", function()
  it("puts lists and maps over what there is, and leaves that as it was", function()
    local existing = { a = "1", b = "2" }
    assert.same({ a = "1", b = "3", c = "" }, merged({ { Key = "b", Value = "3" }, { Key = "c" } }, existing))
    assert.same({ a = "1", b = "3" }, merged({ b = "3" }, existing))
    assert.same({ a = "1", b = "2", k = "v" }, tagging.merge(existing, { { key = "k", value = "v" } }, "key", "value"))
    assert.same({ b = "2" }, tagging.without(existing, { "a", "none" }))
    assert.same({ a = "1", b = "2" }, existing)
    assert.same({ { Key = "a", Value = "1" }, { Key = "b", Value = "2" } }, tagging.list(existing))
    assert.same({}, merged(nil, nil))
  end)

  it("holds tags to AWS's rules", function()
    local key, value = ("k"):rep(128), ("v"):rep(256)
    assert.same({ [key] = value }, merged { [key] = value })
    assert.equal("length k" .. key, (merged { { Key = "k" .. key, Value = "" } }))
    assert.equal("length ", (merged { { Value = "v" } }))
    assert.equal("value a", (merged { a = value .. "v" }))
    assert.equal("reserved AWS:x", (merged { { Key = "AWS:x", Value = "" } }))
    assert.equal("duplicate a", (merged { { Key = "a", Value = "1" }, { Key = "a", Value = "2" } }))
    local many = {}
    for i = 1, 50 do
      many["k" .. i] = ""
    end
    assert.is_true(select(2, merged({ { Key = "k1", Value = "1" } }, many)))
    assert.equal("number 50", (merged({ { Key = "k51", Value = "" } }, many)))
  end)

  it("checks only what a service has an answer to, and its own prefixes", function()
    local rules = { fail = RULES.fail, number = RULES.number, reserved = RULES.reserved, prefixes = { "aws:", "rds:" } }
    assert.same({ [""] = "" }, merged({ [""] = "" }, nil, rules))
    assert.equal("reserved rds:x", (merged({ ["rds:x"] = "" }, nil, rules)))
    assert.equal("length a", (merged({ a = ("v"):rep(257) }, nil, { fail = RULES.fail, length = RULES.length })))
  end)
end)
