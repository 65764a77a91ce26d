local errors = require "infra.errors"

describe("a list of errors", function()
  local function failure(resource, message, fields)
    local err = fields or {}
    err.code, err.message, err.resource = "Bad", message, resource
    return errors.new(err)
  end

  it("has each on lines of its own, and what helps once, after all of them", function()
    local list = { failure("a", "it is\nbad", { hint = "do this" }), failure("b", "worse", { hint = "do this" }),
      failure("c", "bad", { hint = "do that" }), failure("d", "good") }
    assert.equal("\n  a: it is\n  bad\n  b: worse\n  c: bad\n  d: good\n  do this\n  do that", errors.list(list))
    assert.equal("a: it is\nbad\n  do this", tostring(list[1])) -- as it was
    assert.equal("", errors.list {})
  end)

  it("says once what is the same for several resources", function()
    local function refused(resource, operation, request_id)
      return failure(resource, "expired", { service = "ec2", operation = operation, status = 400,
        request_id = request_id, source = "stack.lua:1", hint = "renew them" })
    end
    assert.equal("\n  a, c: ec2 CreateVpc: Bad: expired\n  stack.lua:2: b: other\n  renew them", errors.list {
      refused("a", "CreateVpc", "r-1"), failure("b", "other", { source = "stack.lua:2" }),
      refused("c", "CreateVpc", "r-2") })
    assert.equal("\n  a, b: Bad: expired\n  renew them", errors.list {
      refused("a", "CreateVpc", "r-1"), refused("b", "CreateSubnet", "r-2") })
    assert.equal("\n  expired\n  expired", errors.list { failure(nil, "expired"), failure(nil, "expired") })
  end)
end)
