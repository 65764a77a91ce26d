local fs = require "host.fs"
local json = require "host.json"
local project = require "spec.cli.project"
local sqlite = require "host.sqlite"

describe("infra plan", function()
  local here = project(teardown)

  it("shows what a run would do, and leaves no state behind", function()
    local path = here.stack "first"
    assert.matches("\nPlan: 4 to create\n$", here.done("plan", path))
    assert.is_nil(fs.stat(here.directory .. "/state/sim/small-spec.db"))
  end)

  it("with --exit-code says by 4 that there is something to do", function()
    local path = here.stack "codes"
    assert.equal(4, here.infra("plan", path, "--exit-code").status)
    assert.equal(0, here.infra("plan", path).status)
    here.done("run", path, "--yes")
    assert.equal(0, here.infra("plan", path, "--exit-code").status)
    assert.equal(4, here.infra("plan", path, "--exit-code", "--set", "label=x").status)
    here.done("destroy", path, "--yes")
  end)

  it("changes nothing", function()
    local path = here.stack "unchanged"
    here.done("run", path, "--yes")
    local before = here.done("state", "runs", path)
    here.done("plan", path, "--set", "label=x")
    assert.equal(before, here.done("state", "runs", path))
    assert.equal("Plan: nothing to do; 4 unchanged\n", here.done("plan", path))
  end)

  it("gives everything as JSON", function()
    local path = here.stack "json"
    here.done("run", path, "--yes")
    local data = here.json("plan", path, "--set", "label=x", "--set", "password=hush hush", "--set", "parameters=1")
    assert.equal("small-spec", data.stack)
    assert.same({ create = 1, update = 1, replace = 0, delete = 1, forget = 0, none = 2 }, data.counts)
    local changes = {}
    for _, change in ipairs(data.changes) do
      changes[change.address] = change
    end
    assert.same({ name = "DisplayName", before = "one", after = "x" }, changes.topic.differences[1])
    assert.equal("(secret)", changes.password.properties.Value)
    assert.equal("delete", changes["parameter-2"].action)
    assert.matches("json.lua:20$", changes.topic.source)
    assert.is_nil(json.encode(data):find("hush", 1, true))
  end)

  it("plans a destruction with --destroy, of what is recorded", function()
    local path = here.stack "destroy"
    here.done("run", path, "--yes")
    assert.matches("\nPlan: 4 to delete\n$", here.done("plan", path, "--destroy"))
    here.stack("destroy", (assert(fs.read(path)):gsub("broken = infra.default%(false", "broken = infra.default(true")))
    assert.matches("\nPlan: 4 to delete\n$", here.done("plan", path, "--destroy"))
  end)

  it("is where the stack says: there is no --region to be ignored", function()
    local ended = here.infra("plan", here.stack "elsewhere", "--region", "us-west-2")
    assert.equal(2, ended.status)
    assert.matches("unknown option '--region'", ended.stderr, 1, true)
  end)

  it("does not take a misspelt target for a plan with nothing to do", function()
    local ended = here.infra("plan", here.stack "misspelt", "--target", "topik", "--exit-code")
    assert.equal(2, ended.status)
    assert.equal("", ended.stdout)
    assert.matches("^infra: %-%-target topik: there is no such resource or layer, did you mean topic%?\n", ended.stderr)
  end)

  it("looks at a part with --target", function()
    assert.matches("Plan: nothing to do; 4 unchanged", here.done("plan", here.stack "target", "--set", "label=x",
      "--target", "role"))
  end)

  it("does not need the lock that a run holds", function()
    local path = here.stack "locked"
    here.done("run", path, "--yes")
    local db = assert(sqlite.open(here.directory .. "/state/sim/small-spec.db"))
    assert(db:run("UPDATE lease SET holder = 'infra run', host = 'elsewhere', pid = 1, expires_at = 1e12"))
    assert.equal(0, here.infra("plan", path).status)
    assert(db:run("UPDATE lease SET holder = NULL"))
    db:close()
  end)

  it("saves a plan that only its owner can read", function()
    local path, file = here.stack "saved", here.directory .. "/saved.json"
    local text = here.done("plan", path, "--set", "label=saved", "--set", "password=hush hush", "--out", file)
    assert.matches("\nSaved: infra apply " .. file:gsub("%p", "%%%0") .. " ", text)
    assert.equal(tonumber("600", 8), fs.stat(file).mode)
    assert.is_nil(fs.read(file):find("hush", 1, true))
    local saved = assert(json.decode(fs.read(file)))
    assert.same({ label = "saved" }, saved.options.set)
    assert.same({ "password" }, { table.unpack(saved.secret_options) })
    assert.equal(path, saved.options.stack)
    assert.is_true(saved.options.sim)
  end)

  it("saves it in place of another plan, and of nothing else", function()
    local path, file = here.stack "replaced", here.directory .. "/replaced.json"
    here.done("plan", path, "--out", file)
    here.done("plan", path, "--out", file)
    local before = fs.read(path)
    local ended = here.infra("plan", path, "--out", path)
    assert.equal(1, ended.status)
    assert.matches("replaced.lua is there already and is no saved plan\n", ended.stderr)
    assert.equal(before, fs.read(path))
  end)

  it("says where it cannot save", function()
    local ended = here.infra("plan", here.stack "unsaved", "--out", here.directory .. "/none/plan.json")
    assert.equal(1, ended.status)
    assert.matches("none/plan.json: No such file", ended.stderr)
  end)
end)
