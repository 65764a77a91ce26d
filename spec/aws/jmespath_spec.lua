local jmespath = require "infra.aws.jmespath"
local json = require "host.json"
local models = require "infra.models"

describe("infra.aws.jmespath", function()
  local VALUE = {
    name = "abc", count = 2, on = false, empty = "",
    groups = {
      { items = { { id = "x" }, { id = "y" } }, size = 2 }, { items = json.array {} }, { items = { { id = "z" } } },
    },
    map = { b = { v = 2 }, a = { v = 1 } },
    nested = { { 1, { 2 } }, 3 },
  }

  local function found(expression)
    return assert(jmespath.compile(expression))(VALUE)
  end

  it("finds what the standard finds", function()
    for expression, wanted in pairs {
      ["groups[0].items[1].id"] = "y",
      ["groups[-1].items[0].id"] = "z",
      ["groups[].items[].id"] = { "x", "y", "z" },
      ["groups[*].items[].id"] = { "x", "y", "z" },
      ["groups[*].items[0].id"] = { "x", "z" },
      ["groups[?size == `2`].items[].id"] = { "x", "y" },
      ["groups[?items].items[].id"] = { "x", "y", "z" },
      ["map.*.v"] = { 1, 2 },
      ["nested[]"] = { 1, { 2 }, 3 },
      ["nested[][]"] = { 1, 2, 3 },
      ["length(groups[]) > `2`"] = true,
      ["length(name) == `3`"] = true,
      ["length(groups[?!(length(items) == `2` && size == `2`)]) == `2`"] = true,
      ["length(missing || '') == `0`"] = true,
      ["on"] = false,
      ["!on && count >= `2` && count < `3`"] = true,
      ["name != 'abc' || count != `2`"] = false,
      ["\"name\""] = "abc",
      ["@.name"] = "abc",
    } do
      assert.same(wanted, found(expression), expression)
    end
  end)

  it("finds nothing where there is nothing", function()
    for _, expression in ipairs {
      "missing", "missing.x[].y", "name.x", "groups[9]", "missing[]", "count[]", "length(missing)", "name > `1`",
    } do
      assert.is_nil(found(expression), expression)
    end
    assert.is_false(found "length(missing) == `0`")
  end)

  it("refuses what it does not speak", function()
    for _, expression in ipairs { "", "a |", "a ==", "a[?b", "sort(a)", "a b", "a | [0]", "{a: b}", "&a" } do
      local fn, err = jmespath.compile(expression)
      assert.is_nil(fn, expression)
      assert.equal("Unsupported", err.code)
    end
  end)

  it("speaks every waiter of every service", function()
    local count = 0
    for _, listed in ipairs(models.services()) do
      for name, waiter in pairs(models.service(listed.id):waiters()) do
        for _, acceptor in ipairs(waiter.acceptors) do
          assert.truthy(not acceptor.argument or jmespath.compile(acceptor.argument), listed.id .. " " .. name)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 500)
  end)
end)
