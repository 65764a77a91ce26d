-- What docs/ holds of the staging stack is printed by the program, and must be what it prints today.
local fs = require "host.fs"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local function infra(...)
  local directory, remove = temporary()
  local ended = program.run { timeout = 50, argv = { fs.real_path "/proc/self/exe", ... },
    environment = { HOME = directory, INFRA_LUA = os.getenv "INFRA_LUA", PATH = os.getenv "PATH" } }
  remove()
  assert.equal("", ended.stderr)
  return ended.stdout
end

describe("the documents about stacks/staging.lua", function()
  it("COST.md holds today's estimate", function()
    assert.equal(fs.read "docs/COST.md", infra("cost", "stacks/staging.lua", "--markdown"))
  end)

  it("architecture.svg shows every resource", function()
    local drawn = fs.read("docs/architecture.svg"):gsub("&#45;", "-")
    local declared, missing = 0, {}
    for address in infra("graph", "stacks/staging.lua", "--format", "dot"):gmatch '\n +"([%w-]+/[%w/-]+)" %[label' do
      declared = declared + 1
      missing[#missing + 1] = not drawn:find("<title>" .. address .. "</title>", 1, true) and address or nil
    end
    assert.is_true(declared > 100)
    assert.same({}, missing)
  end)
end)
