local merged = require "infra.merged"

describe("infra.merged", function()
  it("lets the last one win, passes over nil, and leaves what it is given alone", function()
    local defaults, given = { a = 1, b = 2 }, { b = false }
    assert.same({ a = 1, b = false, c = 3 }, merged(defaults, nil, given, { c = 3 }, nil))
    assert.same({ { a = 1, b = 2 }, { b = false } }, { defaults, given })
    assert.are_not.equal(defaults, merged(defaults))
    assert.same({}, merged())
  end)
end)
