local infra = require "spec.cli.infra"
local json = require "host.json"
local project = require "spec.cli.project"

describe("infra output", function()
  local here = project(teardown)
  local path = here.stack "small"
  local TOPIC <const> = "arn:aws:sns:us-east-1:123456789012:small-spec-topic"

  setup(function()
    here.done("run", path, "--yes", "--set", "password=hush hush")
  end)

  it("lists all of them", function()
    assert.equal("numbers  = [1,2]\npassword = (secret)\ntopic    = " .. TOPIC .. "\n", here.done("output", path))
    local outputs = here.json("output", path)
    assert.equal(TOPIC, outputs.topic)
    assert.equal(2, #outputs.numbers)
  end)

  it("prints one as it is, for scripts, or as JSON", function()
    assert.equal(TOPIC .. "\n", here.done("output", path, "topic"))
    assert.equal("[1,2]\n", here.done("output", path, "numbers"))
    assert.equal(('"%s"\n'):format(TOPIC), here.done("output", path, "topic", "--json"))
  end)

  it("gives no secret, not even something that could be taken for one", function()
    local ended = here.infra("output", path, "password")
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.matches("the output 'password' is secret", ended.stderr)
  end)

  it("fails on one that is not there", function()
    local ended = here.infra("output", path, "topik")
    assert.equal(1, ended.status)
    assert.equal("infra: there is no output 'topik', did you mean topic?\n", ended.stderr)
  end)

  it("fails where nothing was built yet, and needs no credentials to find out", function()
    local ended = infra { "output", path }
    assert.equal(1, ended.status)
    assert.matches("^infra: there is no state in .*/state/small%-spec.db\n  run the stack first; .*%-%-sim",
      ended.stderr)
    assert.equal("", ended.stdout)
  end)

  it("reads another state with --state", function()
    local ended = infra { "output", path, "topic", "--state", here.directory .. "/state/sim/small-spec.db" }
    assert.equal(TOPIC .. "\n", ended.stdout)
  end)

  it("prints an empty object for a stack without outputs", function()
    local bare = here.stack_of("bare", "")
    here.done("run", bare, "--yes")
    assert.equal("{}\n", json.encode(here.json("output", bare)) .. "\n")
    assert.equal("", here.done("output", bare))
  end)
end)
