local resources = require "infra.resources"
local set_of = require "infra.set_of"

describe("every native handler", function()
  -- Entries of a spec that are lists of properties, and those that have properties as their keys.
  local LISTS = { "sets", "structures", "sticky", "recorded", "required", "secrets", "same" }
  local MAPS = { "defaults", "canonical", "accepts" }

  it("speaks of properties that its type has", function()
    local unknown = {}
    for _, name in ipairs(resources.native()) do
      local resource_type = assert(resources.type(name))
      local function check(entry, property)
        if not (property:find "^@" or resource_type.schema.properties[property]) then
          unknown[#unknown + 1] = ("%s: %s: %s"):format(name, entry, property)
        end
      end
      for property in pairs(resource_type.supported) do
        check("supported", property)
      end
      for _, entry in ipairs(LISTS) do
        for _, property in ipairs(resource_type.spec[entry] or {}) do
          check(entry, property)
        end
      end
      for _, entry in ipairs(MAPS) do
        for property in pairs(resource_type.spec[entry] or {}) do
          check(entry, property)
        end
      end
    end
    assert.same({}, unknown)
  end)

  it("refuses in clear what CloudFormation calls a password", function()
    for _, name in ipairs(resources.native()) do
      local resource_type = assert(resources.type(name))
      local kept = set_of(resource_type.spec.secrets)
      for property in pairs(resource_type.supported) do
        assert.is_true(kept[property] or not (property:find "Password$" and property ~= "ManageMasterUserPassword"),
          name .. ": " .. property)
      end
    end
  end)
end)
