local infra = require "spec.cli.infra"
local json = require "host.json"
local project = require "spec.cli.project"

describe("infra graph", function()
  local here = project(teardown)
  local path = here.stack "small"

  local function graph(format, environment)
    return infra({ "graph", path, "--format", format }, { environment = environment })
  end

  it("prints the formats that need no other program", function()
    assert.equal("small-spec", json.decode(graph("json").stdout).stack)
    assert.matches("^flowchart LR\n", graph("mermaid").stdout)
    assert.matches('^digraph "small%-spec" {\n', graph("dot").stdout)
  end)

  it("says what to do where Graphviz is missing", function()
    local ended = graph("svg", { PATH = here.directory })
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.matches("^infra: cannot start Graphviz's dot: [^\n]+\n  install the package graphviz, or use %-%-format dot",
      ended.stderr)
  end)
end)
