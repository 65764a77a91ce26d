-- Pictures of a stack: what is in them, and that the languages they are written in are kept.

local graph = require "infra.report.graph"
local infra = require "infra"
local json = require "host.json"

local function declaration()
  return assert(infra.stack {
    project = "p", environment = "e", region = "us-east-1",
    build = function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      local subnet = stack:resource("AWS::EC2::Subnet", "subnet", { VpcId = vpc.VpcId, CidrBlock = "10.0.0.0/24" })
      stack:resource("AWS::EC2::NatGateway", "nat", { SubnetId = subnet.SubnetId }, { depends_on = { vpc } })
      stack:layer("network", { nat = "none" })
    end,
  }:evaluate {})
end

describe("infra.report.graph", function()
  it("shows layers, resources and what needs what", function()
    local data = graph.data(declaration())
    assert.equal("p-e", data.stack)
    local names = {}
    for _, layer in ipairs(data.layers) do
      names[layer.name] = #layer.resources
    end
    assert.equal(3, names.stack)
    assert.is_true(names.network > 5)
  end)

  it("leaves out what follows from other edges", function()
    local from_nat = {}
    for _, edge in ipairs(graph.data(declaration()).edges) do
      if edge.from == "nat" then
        from_nat[#from_nat + 1] = edge.to
      end
    end
    assert.same({ "subnet" }, from_nat)
  end)

  it("draws edges in the colour of the layer that they leave", function()
    local text, colours = graph.dot(declaration()), {}
    for layer, colour in text:gmatch 'label="(%w+)"; style="rounded,filled"; color="(#%x+)"' do
      colours[layer] = colour
    end
    assert.not_equal(colours.stack, colours.network)
    assert.equal(colours.stack, text:match '"nat" %-> "subnet" %[color="(#%x+)"%]')
    assert.equal(colours.network, text:match '"network/[%w-]+" %-> "network/vpc" %[color="(#%x+)"%]')
  end)

  it("writes Graphviz's language, Mermaid's and JSON", function()
    local declared = declaration()
    assert.matches('^digraph "p%-e" {', graph.dot(declared))
    assert.matches('\n  "nat" %-> "subnet" ', graph.dot(declared))
    assert.matches("^flowchart LR\n", graph.mermaid(declared))
    assert.equal("p-e", json.decode(graph.json(declared)).stack)
  end)
end)
