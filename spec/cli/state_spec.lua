local fs = require "host.fs"
local infra = require "spec.cli.infra"
local project = require "spec.cli.project"
local sqlite = require "host.sqlite"

describe("infra state", function()
  local here = project(teardown)
  local path = here.stack "small"
  local database = here.directory .. "/state/sim/small-spec.db"

  setup(function()
    here.done("run", path, "--yes", "--set", "password=hush hush")
    here.done("run", path, "--yes", "--set", "parameters=1")
  end)

  it("lists the resources", function()
    assert.equal([[
ADDRESS      STATUS  TYPE                 IDENTITY
parameter-1  ready   AWS::SSM::Parameter  Name=small-spec-parameter-1
role         ready   AWS::IAM::Role       RoleName=small-spec-role
topic        ready   AWS::SNS::Topic      TopicArn=arn:aws:sns:us-east-1:123456789012:small-spec-topic
]], here.done("state", "list", path))
    local rows = here.json("state", "list", path)
    assert.equal(3, #rows)
    assert.same({ Name = "small-spec-parameter-1" }, rows[1].identity)
  end)

  it("shows everything about one", function()
    local text = here.done("state", "show", path, "parameter-1")
    assert.matches("^parameter%-1\n  type      AWS::SSM::Parameter\n  status    ready\n", text)
    assert.matches("\n  needs     topic\n", text)
    assert.matches('\n    Value: "arn:aws:sns:us%-east%-1:123456789012:small%-spec%-topic/1"\n', text)
    local rows = here.json("state", "show", path, "parameter-1")
    assert.equal("String", rows[1].properties.Type)
    local ended = here.infra("state", "show", path, "parameter-2")
    assert.equal(1, ended.status)
    assert.matches("the state has no resource 'parameter%-2', did you mean parameter%-1%?", ended.stderr)
  end)

  it("tells what was done, to all or to one", function()
    local text = here.done("state", "history", path)
    assert.matches("^TIME %(UTC%) +RUN  ACTION  ADDRESS +OUTCOME  TOOK", text)
    assert.equal(8, select(2, text:gsub("\n", "\n")))
    local rows = here.json("state", "history", path, "parameter-2")
    assert.same({ "create", "delete" }, { rows[1].action, rows[2].action })
    local ended = here.infra("state", "history", path, "nothing")
    assert.equal(1, ended.status)
    assert.matches("the state has no resource 'nothing'", ended.stderr)
  end)

  it("tells which runs there were", function()
    local text = here.done("state", "runs", path)
    assert.matches("\n2    [%d-]+ [%d:]+  run      done     delete=2  ", text)
    assert.matches("\n1    [%d-]+ [%d:]+  run      done     create=5  ", text)
    assert.same({ done = { create = 5 }, failed = 0, skipped = 0 }, here.json("state", "runs", path)[2].summary)
  end)

  it("takes a database instead of a stack", function()
    for _, arguments in ipairs { { "list" }, { "show", "topic" }, { "history" }, { "history", "topic" }, { "runs" } } do
      local ended = infra { "state", arguments[1], "--state", database, arguments[2] }
      assert.equal("", ended.stderr)
      assert.matches("topic", ended.stdout .. (arguments[1] == "runs" and "topic" or ""))
    end
  end)

  it("copies all that is committed, also what a run under way or a killed one has", function()
    local copy = here.directory .. "/copy.db"
    local db <close> = assert(sqlite.open(database, { mode = "rw" })) -- what it writes stays beside the file meanwhile
    assert(db:run "INSERT INTO output (name, value) VALUES ('fresh', '1')")
    assert.matches("copy.db: 3 resources", here.done("state", "backup", path, copy))
    assert.equal(tonumber("600", 8), fs.stat(copy).mode)
    assert.equal("1\n", here.done("output", path, "fresh", "--state", copy))
    local ended = infra { "state", "backup", "--state", database, copy }
    assert.equal(1, ended.status)
    assert.matches("copy.db is there already", ended.stderr)
    assert(db:run "DELETE FROM output WHERE name = 'fresh'")
  end)

  it("says what is missing", function()
    for message, arguments in pairs {
      ["to which file%?"] = { "backup", path },
      ["name a stack file or a database with %-%-state, not both"] = { "show", "--state", database, path, "topic" },
      ["a command is required"] = {},
      ["which state%? name a stack file"] = { "list" },
      ["which resource%? name its address"] = { "show", path },
    } do
      local ended = infra { "state", table.unpack(arguments) }
      assert.equal(2, ended.status)
      assert.matches("^infra: " .. message, ended.stderr)
    end
    local ended = infra { "state", "list", "--state", here.directory .. "/none.db" }
    assert.equal(1, ended.status)
    assert.matches("there is no state in .*none.db", ended.stderr)
  end)

  it("has no secret to show", function()
    here.done("run", path, "--yes", "--set", "password=hush hush")
    for _, verb in ipairs { "list", "history", "runs" } do
      assert.is_nil(here.done("state", verb, path):find("hush", 1, true))
    end
    assert.matches("Value: %(secret%)", here.done("state", "show", path, "password"))
  end)
end)
