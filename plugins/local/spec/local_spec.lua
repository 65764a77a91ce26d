local Deployment = require "infra.deployment"
local fs = require "host.fs"
local temporary = require "spec.support.temporary"

describe("Local::File", function()
  local directory, remove = temporary()
  local package_path = package.path
  local stack, file = directory .. "/with_plugin.lua", directory .. "/made/logs.txt"
  assert(fs.mkdir(directory .. "/plugins/local"))
  assert(fs.write(stack, (assert(fs.read "spec/stacks/with_plugin.lua"))))
  assert(fs.write(directory .. "/plugins/local/plugin.lua", (assert(fs.read "plugins/local/plugin.lua"))))
  teardown(remove)

  after_each(function()
    package.path = package_path -- loading a stack sets it
  end)

  -- Runs the stack on the simulated AWS. Returns what was done: address -> action, the result, and the plan's text.
  local function run(set, options)
    options = options or {}
    set.path = set.path or file
    local deployment <close> = assert(Deployment.open {
      path = stack, set = set, sim = true, writable = true, command = "spec", version = "spec",
    })
    return deployment:run(function()
      local plan, actions = assert(deployment:plan { destroy = options.destroy }), {}
      for _, change in ipairs(plan.changes) do
        actions[change.address] = change.action
      end
      local text = require("infra.report.plan").text(plan, { details = true })
      return actions, assert(deployment:apply(plan, function() end)), text
    end)
  end

  local function content_for(days)
    return ("arn:aws:logs:us-east-1:123456789012:log-group:spec-plugin-logs:* is kept for %d days\n"):format(days)
  end

  local function mode_of(path)
    return ("%04o"):format(assert(fs.stat(path)).mode)
  end

  it("is written, with what other resources are called", function()
    local actions, result = run {}
    assert.same({ logs = "create", file = "create" }, actions)
    assert.same({ file = file }, result.outputs)
    assert.equal(content_for(7), fs.read(file))
    assert.equal("0644", mode_of(file))
    assert.same({ logs = "none", file = "none" }, (run {}))
  end)

  it("changes in place when its content or its mode does", function()
    assert.same({ logs = "update", file = "update" }, (run { days = "14" }))
    assert.equal(content_for(14), fs.read(file))
    assert.same({ logs = "none", file = "update" }, (run { days = "14", mode = "600" }))
    assert.equal("0600", mode_of(file))
    assert.same({ logs = "none", file = "none" }, (run { days = "14", mode = "0600" }))
    assert.same({ logs = "none", file = "update" }, (run { days = "14" }))
    assert.equal("0644", mode_of(file))
  end)

  it("is put right when somebody has changed or removed it", function()
    local content = fs.read(file)
    assert(fs.write(file, "tampered"))
    local actions, _, text = run { days = "14" }
    assert.equal("update", actions.file)
    assert.matches("tampered", text, 1, true)
    assert.equal(content, fs.read(file))
    assert(fs.remove(file))
    assert.equal("create", run({ days = "14" }).file)
    assert.equal(content, fs.read(file))
  end)

  it("moves when its path changes", function()
    local other = directory .. "/other.txt"
    assert.equal("replace", run({ days = "14", path = other }).file)
    assert.is_nil(fs.stat(file))
    assert.truthy(fs.stat(other))
    assert.equal("replace", run({ days = "14" }).file)
  end)

  it("keeps a secret out of plans and state, and notices that it changed", function()
    local actions, _, text = run { days = "14", password = "hunter22" }
    assert.equal("create", actions.secret)
    assert.equal("hunter22", fs.read(file .. ".secret"))
    assert.equal("0600", mode_of(file .. ".secret"))
    assert.is_nil(text:find("hunter22", 1, true))
    assert.equal("none", run({ days = "14", password = "hunter22" }).secret)
    actions, _, text = run { days = "14", password = "hunter23" }
    assert.equal("update", actions.secret)
    assert.equal("hunter23", fs.read(file .. ".secret"))
    assert.is_nil(text:find("hunter2", 1, true))
    local state = fs.read(directory .. "/state/sim/spec-plugin.db")
    assert.is_nil(state:find("hunter2", 1, true))
  end)

  it("is deleted with the stack, also when it is gone already", function()
    assert(fs.remove(file .. ".secret"))
    local actions, result = run({}, { destroy = true })
    assert.same({ logs = "delete", file = "delete", secret = "forget" }, actions)
    assert.equal("done", result.outcome)
    assert.is_nil(fs.stat(file))
  end)

  it("does not overwrite a file that is not the stack's", function()
    assert(fs.write(file, "somebody else's"))
    local _, result = run {}
    assert.equal("failed", result.outcome)
    assert.equal("AlreadyExists", result.failures[1].code)
    assert.matches("^" .. stack:gsub("%p", "%%%0") .. ":%d+: file: ", tostring(result.failures[1]))
    assert.equal("somebody else's", fs.read(file))
  end)

  it("takes one with the same content for what an interrupted run has left behind", function()
    assert(fs.write(file, content_for(7)))
    local _, result = run {}
    assert.equal("done", result.outcome)
  end)

  it("says what is wrong with a mode", function()
    local _, result = run { mode = "rw-r--r--" }
    assert.matches('Mode must be an octal number such as "0644", is "rw-r--r--"', tostring(result.failures[1]), 1, true)
  end)

  it("is refused with wrong properties before anything is done", function()
    local text = assert(fs.read(stack))
    assert(fs.write(stack, (text:gsub("Mode = options.mode", "Mdoe = options.mode"))))
    local deployment, err = Deployment.open { path = stack, set = { mode = "0600" }, sim = true }
    assert.is_nil(deployment)
    assert.matches("with_plugin%.lua:%d+: file: Local::File has no property 'Mdoe', did you mean Mode%?", tostring(err))
  end)
end)
