local fs = require "host.fs"
local project = require "spec.cli.project"

describe("infra destroy", function()
  local here = project(teardown)

  it("deletes everything, and the next run builds it again", function()
    local path = here.stack "small"
    here.done("run", path, "--yes")
    local text = here.done("destroy", path, "--yes")
    assert.matches("\n  %- topic        AWS::SNS::Topic\n.*\nPlan: 4 to delete\n", text)
    assert.matches("\n4 deleted in ", text)
    assert.matches("^Plan: nothing to do\n", here.done("destroy", path, "--yes"))
    assert.matches("\n4 created in ", here.done("run", path, "--yes"))
    here.done("destroy", path, "--yes")
  end)

  it("deletes what the stack does not declare any more", function()
    local path = here.stack "undeclared"
    here.done("run", path, "--yes", "--set", "parameters=3")
    here.stack_of("undeclared", "")
    here.stack("undeclared", (fs.read(path):gsub('"undeclared"', '"small"')))
    assert.matches("\n5 deleted in ", here.done("destroy", path, "--yes"))
  end)

  it("does not need the stack to be buildable", function()
    local path = here.stack "broken"
    here.done("run", path, "--yes")
    here.stack("broken", (fs.read(path):gsub("if options.broken then", "if true then")))
    assert.matches("this stack is broken", here.infra("run", path, "--yes").stderr)
    assert.matches("\n4 deleted in ", here.done("destroy", path, "--yes"))
  end)

  it("asks first", function()
    local path = here.stack "asking"
    here.done("run", path, "--yes")
    local ended = here.infra("destroy", path)
    assert.equal(1, ended.status)
    assert.matches("nobody to ask", ended.stderr)
    assert.matches("nothing to do; 4 unchanged", here.done("plan", path))
    here.done("destroy", path, "--yes")
  end)

  it("leaves what is protected, until it is not any more", function()
    local path = here.stack "protected"
    here.done("run", path, "--yes", "--set", "protect=true")
    local ended = here.infra("destroy", path, "--yes")
    assert.equal(1, ended.status)
    assert.matches("protected.lua:20: topic: it is protected and this would delete it\n", ended.stderr)
    here.done("run", path, "--yes")
    assert.matches("\n4 deleted in ", here.done("destroy", path, "--yes"))
  end)

  it("deletes a part with --target, and what needs that", function()
    local path = here.stack "target"
    here.done("run", path, "--yes")
    assert.matches("\n3 deleted in ", here.done("destroy", path, "--yes", "--target", "topic"))
    assert.matches("Plan: 3 to create; 1 unchanged", here.done("plan", path))
    here.done("destroy", path, "--yes")
  end)
end)
