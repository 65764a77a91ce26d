local errors = require "infra.errors"

describe("a list of errors", function()
  it("has each on lines of its own, and says once what helps several", function()
    local function failure(resource, hint)
      return errors.new { code = "Bad", message = "it is\nbad", resource = resource, hint = hint }
    end
    assert.equal("\n  a: it is\n  bad\n    do this\n  b: it is\n  bad\n  c: it is\n  bad\n    do that\n" ..
      "  d: it is\n  bad",
      errors.list { failure("a", "do this"), failure("b", "do this"), failure("c", "do that"), failure "d" })
    assert.equal("", errors.list {})
  end)
end)
