local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local project = require "spec.cli.project"

describe("infra apply", function()
  local here = project(teardown)
  local count = 0

  -- A stack of its own with a saved plan; further arguments are those of `infra plan`. Returns the paths of both.
  local function saved(...)
    count = count + 1
    local name = "saved-" .. count
    local text = assert(fs.read "spec/stacks/small.lua"):gsub('project = "small"', ('project = %q'):format(name))
    local path, file = here.stack(name, text), ("%s/%s.json"):format(here.directory, name)
    here.done("plan", path, "--out", file, ...)
    return file, path
  end

  -- Changes the saved plan with edit(table).
  local function edit(file, change)
    local data = assert(json.decode(fs.read(file)))
    change(data)
    assert(fs.write(file, json.encode(data)))
  end

  local function refused(file, message, ...)
    local ended = infra { "apply", file, "--yes", ... }
    assert.equal("", ended.stdout)
    assert.equal(1, ended.status)
    assert.matches(message, ended.stderr)
  end

  it("carries out exactly the saved plan, once", function()
    local file, path = saved("--set", "label=saved")
    local ended = infra { "apply", file, "--yes" }
    assert.equal("", ended.stderr)
    assert.equal(0, ended.status)
    assert.matches("\nPlan: 4 to create\n.*\n4 created in ", ended.stdout)
    assert.matches("Plan: nothing to do", here.done("plan", path, "--set", "label=saved"))
    refused(file, "^infra: the state has changed since this plan was made: something else was applied\n  plan again")
  end)

  it("carries out updates, parts and destructions", function()
    local file, path = saved()
    assert.equal(0, infra({ "apply", file, "--yes" }).status)
    here.done("plan", path, "--out", file, "--set", "label=x", "--set", "action=s3:*", "--target", "topic")
    assert.matches("\n1 updated in ", infra({ "apply", file, "--yes", "--json" }).stdout:gsub('"text":"', "\n"))
    here.done("plan", path, "--out", file, "--destroy")
    assert.matches("\n4 deleted in ", infra({ "apply", file, "--yes" }).stdout)
  end)

  it("asks before it does", function()
    local ended = infra { "apply", (saved()) }
    assert.equal(1, ended.status)
    assert.matches("there is nobody to ask", ended.stderr)
  end)

  it("refuses when the stack says something else by now, and names what", function()
    local file, path = saved()
    here.stack(path:match "([^/]+)%.lua$", (fs.read(path):gsub('default%("one"', 'default("three"'):gsub(
      "default%(2", "default(3")))
    refused(file, "^infra: the stack or AWS has changed since this plan was made\n"
      .. "  parameter%-3: it was to leave it, now create\n  topic: other values of DisplayName\n"
      .. "  plan again: nothing was changed\n$")
  end)

  it("refuses when AWS has changed", function()
    local file, path = saved()
    assert.equal(0, infra({ "apply", file, "--yes" }).status)
    here.done("plan", path, "--out", file, "--set", "label=x")
    local name = path:match "([^/]+)%.lua$"
    local other = here.stack(name .. "-other", [[
      local infra = require "infra"
      return infra.stack { project = "other", environment = "spec", region = "us-east-1", build = function(stack)
        stack:resource("AWS::SSM::Parameter", "p", { Name = "]] .. name .. [[-spec-parameter-1", Type = "String",
          Value = "mine" }, { adopt = true })
      end }]])
    assert.equal(0, here.infra("run", other, "--yes").status)
    here.done("destroy", other, "--yes")
    refused(file, "parameter%-1: it was to leave it, now create\n")
  end)

  it("refuses another state, and another account", function()
    local file, path = saved()
    edit(file, function(data)
      data.account = "999999999999"
    end)
    refused(file, "the plan was made for account 999999999999, these credentials are for 123456789012")
    here.done("run", path, "--yes")
    here.done("plan", path, "--out", file)
    edit(file, function(data)
      data.options.state = here.directory .. "/other.db"
    end)
    refused(file, "this plan was made from another state than .*other.db\n")
  end)

  it("refuses what was changed by hand", function()
    local file = saved()
    edit(file, function(data)
      data.plan.changes[1].properties.Value = "mine"
    end)
    refused(file, "parameter%-1: other values of Value\n")
  end)

  it("wants secret options again, and takes no others", function()
    local file = saved("--set", "password=hush hush")
    local ended = infra { "apply", file, "--yes" }
    assert.equal(2, ended.status)
    assert.matches("was made with a value of 'password' that is secret and not in it\n"
      .. "  give it again: %-%-set password=", ended.stderr)
    ended = infra { "apply", file, "--yes", "--set", "password=hush hush", "--set", "label=x" }
    assert.equal(2, ended.status)
    assert.matches("has its options already, 'label' cannot be set", ended.stderr)
    ended = infra { "apply", file, "--yes", "--set", "password=hush hush" }
    assert.equal(0, ended.status)
    assert.is_nil(ended.stdout:find("hush", 1, true))
  end)

  it("refuses files that are no plan, damaged, newer, or made elsewhere", function()
    local file = here.directory .. "/bad.json"
    for text, message in pairs {
      [""] = "is not a plan that `infra plan %-%-out` has written, or it is damaged",
      ["\0\1"] = "is not a plan",
      ["[]"] = "is not a plan",
      ['{"format":"terraform"}'] = "is not a plan",
      ['{"format":"infra plan","version":1}'] = "bad.json is damaged\n  plan again",
      ['{"format":"infra plan","version":2}'] = "was written by a newer infra %(version 2 of the format",
    } do
      assert(fs.write(file, text))
      refused(file, message)
    end
    refused(here.directory .. "/absent.json", "absent.json: No such file")
    local whole = fs.read((saved()))
    assert(fs.write(file, whole:sub(1, #whole // 2)))
    refused(file, "is not a plan")
    assert(fs.write(file, whole))
    for _, break_it in ipairs {
      function(data) data.plan = "x" end,
      function(data) data.plan.serial = nil end,
      function(data) data.plan.changes = { 1 } end,
      function(data) data.options = { set = 1 } end,
      function(data) data.options.target = "x" end,
      function(data) data.secret_options = nil end,
    } do
      assert(fs.write(file, whole))
      edit(file, break_it)
      refused(file, "is damaged\n  plan again")
    end
    assert(fs.write(file, whole))
    edit(file, function(data)
      data.options.stack, data.directory = "nowhere.lua", "/some/where"
    end)
    refused(file, "is a plan for nowhere.lua, which is not here\n  the plan was made in /some/where")
  end)
end)
