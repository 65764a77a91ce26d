-- What a plan says about money: the cost of what exists against that of what is declared.

local cost = require "infra.cost"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local project = require "spec.cli.project"

-- A secret costs 0.40 a month.
local COSTLY <const> = [[
    for i = 1, options.size do
      stack:resource("AWS::SecretsManager::Secret", "secret-" .. i, {
        Description = options.kind, GenerateSecretString = { PasswordLength = 20 },
      })
    end
]]

describe("infra plan --cost", function()
  local here = project(teardown)

  local function change(...)
    local text = here.done("plan", ...)
    return (assert(text:match("\n?(Cost: [^\n]*)\n$"), text))
  end

  it("tells what the first run will cost", function()
    assert.equal("Cost: 0.80 USD a month, +0.80 (estimate; see infra cost)",
      change(here.stack_of("first", COSTLY), "--cost", "--set", "size=2"))
  end)

  it("tells what a change does to the cost of what exists", function()
    local path = here.stack_of("second", COSTLY)
    here.done("run", path, "--yes", "--set", "size=2")
    assert.matches(" 0%.80 USD a month, %+0%.00 ", change(path, "--cost", "--set", "size=2"))
    assert.matches(" 1%.20 USD a month, %+0%.40 ", change(path, "--cost", "--set", "size=3"))
    assert.matches(" 0%.40 USD a month, %-0%.40 ", change(path, "--cost"))
    assert.matches(" 0%.80 USD a month, %+0%.00 ", change(path, "--cost", "--set", "size=2", "--set", "kind=b"))
    assert.matches(" 0%.00 USD a month, %-0%.80 ", change(path, "--cost", "--destroy"))
  end)

  it("leaves out what is not among the targets", function()
    local path = here.stack_of("third", COSTLY)
    assert.matches(" 0%.40 USD a month, %+0%.40 ",
      change(path, "--cost", "--set", "size=3", "--target", "secret-2"))
  end)

  it("counts only what exists as what is paid now, and what was replaced until it is deleted", function()
    local function row(size)
      return { type = "AWS::SecretsManager::Secret", properties = { Description = size } }
    end
    local function one(action, size, live, desired)
      return { action = action, type = "AWS::SecretsManager::Secret", row = row(size), live = live, desired = desired }
    end
    local before, after = cost.planned {
      changes = {
        one("create", "deleted by hand", nil, { Description = "new" }),
        one("replace", "old", {}, { Description = "other" }),
        one("forget", "retained", {}),
        one("none", "not among the targets", nil),
      },
      obsolete = { one("delete", "obsolete", {}) },
    }
    local function descriptions(resources)
      local list = {}
      for i, resource in ipairs(resources) do
        list[i] = resource.properties.Description
      end
      return list
    end
    assert.same({ "old", "retained", "obsolete" }, descriptions(before))
    assert.same({ "new", "other" }, descriptions(after))
  end)

  it("is JSON with --json, and no part of a saved plan", function()
    local path, file = here.stack_of("fifth", COSTLY), here.directory .. "/fifth.json"
    local data = here.json("plan", path, "--cost", "--out", file)
    assert.same({ before = 0, after = 0.4, change = 0.4 }, data.cost)
    assert.is_nil(assert(json.decode(fs.read(file))).plan.cost)
    assert.is_nil(here.json("plan", path).cost)
    assert.matches("^fifth%-spec", data.stack)
    assert.equal(0, infra({ "apply", file, "--yes" }).status)
  end)

  it("says nothing about money unasked", function()
    assert.is_nil(here.done("plan", here.stack_of("sixth", COSTLY)):find("USD", 1, true))
  end)
end)
