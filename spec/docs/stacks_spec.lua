-- docs/STACKS.md is what somebody has open who writes a stack: it has all that a stack can say and nothing else, and
-- its examples run.
local fs = require "host.fs"
local infra = require "infra"
local set_of = require "infra.set_of"
local project = require "spec.cli.project"

local TEXT = assert(fs.read "docs/STACKS.md")

-- The part under a heading.
local function section(title)
  return assert(("\n" .. TEXT .. "\n## "):match("\n## " .. title .. "\n(.-)\n## "), title)
end

-- The names in the first column of the section's table: what `pattern` finds in each of its code spans.
local function named(title, pattern)
  local names = {}
  for cell in section(title):gmatch "\n| ([^|]*) |" do
    for span in cell:gmatch "`([^`]*)`" do
      names[#names + 1] = span:match(pattern)
    end
  end
  return set_of(names)
end

-- The keys of a constant in a source file: what nobody but its file sees.
local function keys_of(path, constant)
  local literal = assert(fs.read(path):match("\nlocal " .. constant .. " = (%b{})"), constant)
  local keys = {}
  for name in pairs(assert(load("return " .. literal))()) do
    keys[name] = true
  end
  return keys
end

describe("STACKS.md", function()
  it("has every field of a stack, and no other", function()
    assert.same(keys_of("lua/infra/engine/stack.lua", "FIELDS"), named("Fields of infra.stack", "^[%w_]+$"))
  end)

  it("has every option of a resource, and no other", function()
    assert.same(keys_of("lua/infra/engine/resource.lua", "OPTIONS"), named("Resource options", "^([%w_]+) = "))
    local timeouts = section("Resource options"):match "seconds that ([^\n]*)"
    for name in pairs(keys_of("lua/infra/engine/resource.lua", "TIMEOUTS")) do
      assert.truthy(timeouts:find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("has every kind of option, and no other", function()
    local offered = { stack = true }
    for name in pairs(infra) do
      offered[name] = true
    end
    local documented = named("Options", "^infra%.([%w_]+)%(")
    documented.stack = true
    assert.same(offered, documented)
  end)

  it("has everything that build can use, and nothing else", function()
    local offered = {}
    require("spec.engine.declared")(function(stack)
      for _, part in ipairs { stack, getmetatable(stack).__index } do
        for name in pairs(part) do
          offered[name] = not name:find "^_" or nil
        end
      end
    end)
    assert.same(offered, named("What build works with", "^stack[.:]([%w_]+)"))
  end)

  it("has every option of every layer with its default, and no other", function()
    local documented, actual = {}, {}
    for layer, cell in section("Layers"):gmatch "\n| (%l+) | (`[^|]*) |" do
      documented[layer] = documented[layer] or {}
      for span in cell:gmatch "`([^`]*)`" do
        local name, default = span:match "^([%w_]+) = (.*)$"
        documented[layer][name or span] = default and { assert(load("return " .. default))() } or {}
      end
    end
    for _, file in ipairs(assert(fs.list "lua/infra/layers")) do
      local name = file:match "^(%w+)%.lua$"
      local layer = name and require("infra.layers." .. name)
      if type(layer) == "table" and layer.build then
        actual[name] = {}
        for option, declared in pairs(layer.options) do
          actual[name][option] = { declared.default }
        end
      end
    end
    assert.same(actual, documented)
  end)

  describe("has an example", function()
    local here = project(teardown)
    local count = 0
    for code in TEXT:gmatch "\n```lua\n(.-)```" do
      count = count + 1
      local name = "example" .. count
      it(count .. " that runs, and changes nothing when it runs again", function()
        local path = code:find "return infra.stack" and here.stack(name, code) or here.stack_of(name, code)
        here.done("run", path, "--yes")
        assert.matches("\nPlan: nothing to do; ", "\n" .. here.done("plan", path))
      end)
    end
    assert(count >= 4, "where are they?")
  end)
end)
