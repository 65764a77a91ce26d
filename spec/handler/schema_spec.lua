local merged = require "infra.merged"
local schema = require "infra.handler.schema"

describe("the check of a handler spec", function()
  local function spec(changes)
    return merged({
      identity = { "Id" }, create = { "CreateThing" }, read = { "DescribeThings" }, delete = { "DeleteThing" },
    }, changes)
  end

  it("lets one pass that keeps to the vocabulary", function()
    assert.is_true(schema.check("My::Type", spec { facets = { { properties = { "Size" }, wait = true } } }))
  end)

  it("names the entry that is wrong, whatever is there instead", function()
    for message, changes in pairs {
      ["My::Type.colour: there is no such entry in a handler spec"] = { colour = "red" },
      ["My::Type.identity: must be a table, is a string"] = { identity = "Id" },
      ["My::Type.create: must be a table"] = { create = "CreateThing" },
      ["My::Type.facets: must be a list"] = { facets = "x" },
      ["My::Type.facets[1]: must be a table"] = { facets = { "x" } },
      ["My::Type.facets[first].wait: must be a boolean, is a string"] = { facets = { first = { wait = "yes" } } },
      ["My::Type.create.instead[2]: must be a table"] = { create = { "Create", instead = { {}, 5 } } },
      ["My::Type.read.1: must be a string, is a boolean"] = { read = { true } },
      ["My::Type.read.first.first: there is no such entry in a handler spec"] = { read = { first = { first = {} } } },
    } do
      assert.same({ nil, message }, { schema.check("My::Type", spec(changes)) })
    end
    assert.same({ nil, "My::Type: must be a table" }, { schema.check("My::Type", "nothing") })
  end)

  it("wants what no type can do without", function()
    for _, name in ipairs { "identity", "create", "delete", "read" } do
      local incomplete = spec {}
      incomplete[name] = nil
      assert.matches("needs '" .. name .. "'", (select(2, schema.check("My::Type", incomplete))))
    end
  end)
end)
