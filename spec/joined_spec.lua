local joined = require "infra.joined"

describe("infra.joined", function()
  it("puts one after the other, passes over nil, and leaves what it is given alone", function()
    local first = { "a", false }
    assert.same({ "a", false, "b" }, joined(nil, first, nil, {}, { "b" }, nil))
    assert.same({ "a", false }, first)
    assert.are_not.equal(first, joined(first))
    assert.same({}, joined())
  end)
end)
