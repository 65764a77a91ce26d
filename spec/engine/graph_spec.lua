local declared = require "spec.engine.declared"
local graph = require "infra.engine.graph"

local function nodes(dependencies)
  local result = {}
  for address, names in pairs(dependencies) do
    result[address] = { dependencies = {} }
    for _, name in ipairs(names) do
      result[address].dependencies[name] = true
    end
  end
  return result
end

describe("order of resources", function()
  it("puts each after what it needs, otherwise by name", function()
    assert.same({ "vpc", "subnet", "route", "a" }, graph.order(nodes {
      a = { "route" }, route = { "subnet", "vpc" }, subnet = { "vpc" }, vpc = {},
    }))
    assert.same({ "a", "b", "c" }, graph.order(nodes { c = {}, a = {}, b = {} }))
  end)

  it("ignores what is not among the nodes", function()
    assert.same({ "a" }, graph.order(nodes { a = { "elsewhere" } }))
  end)

  it("names a cycle and nothing but it", function()
    local order, cycle = graph.order(nodes { a = { "b" }, b = { "c" }, c = { "d" }, d = { "b" } })
    assert.is_nil(order)
    assert.same({ "b", "c", "d", "b" }, cycle)
    order, cycle = graph.order(nodes { a = { "a" } })
    assert.is_nil(order)
    assert.same({ "a", "a" }, cycle)
  end)

  it("holds for random graphs", function()
    math.randomseed(7)
    for _ = 1, 50 do
      local dependencies, size = {}, math.random(1, 30)
      for i = 1, size do
        dependencies["n" .. i] = {}
        for j = 1, i - 1 do
          if math.random() < 0.2 then
            table.insert(dependencies["n" .. i], "n" .. j)
          end
        end
      end
      local order, position = assert(graph.order(nodes(dependencies))), {}
      for i, name in ipairs(order) do
        position[name] = i
      end
      assert.equal(size, #order)
      for name, needs in pairs(dependencies) do
        for _, needed in ipairs(needs) do
          assert.is_true(position[needed] < position[name])
        end
      end
    end
  end)
end)

describe("dependencies of a declaration", function()
  it("come from references anywhere, and from depends_on as resource, list or address", function()
    local declaration = assert(declared(function(stack)
      local vpc = stack:resource("AWS::EC2::VPC", "vpc", { CidrBlock = "10.0.0.0/16" })
      local gateway = stack:resource("AWS::EC2::InternetGateway", "gateway", nil, { depends_on = { "late" } })
      stack:resource("AWS::IAM::Role", "role", {
        AssumeRolePolicyDocument = { Statement = { { Condition = { StringEquals = { [vpc.VpcId .. "x"] = "y" } } } } },
      }, { depends_on = gateway })
      stack:resource("AWS::EC2::InternetGateway", "late")
      stack:output("vpc", vpc.DefaultSecurityGroup)
    end))
    assert.same({ vpc = true, gateway = true }, declaration.resources.role.dependencies)
    assert.same({ late = true }, declaration.resources.gateway.dependencies)
    assert.same({ VpcId = true, DefaultSecurityGroup = true }, declaration.resources.vpc.referenced)
  end)

  it("on what is not declared are refused", function()
    local _, err = declared(function(stack)
      stack:resource("AWS::EC2::InternetGateway", "gateway", nil, { depends_on = { "nothing" } })
    end)
    assert.equal("UnknownResource", err.code)
    assert.equal("gateway", err.resource)
    assert.matches("graph_spec.lua:%d+", err.source)
  end)

  it("in a circle are refused, with the way round", function()
    local _, err = declared(function(stack)
      stack:resource("AWS::EC2::InternetGateway", "a", nil, { depends_on = { "b" } })
      stack:resource("AWS::EC2::InternetGateway", "b", nil, { depends_on = { "a" } })
    end)
    assert.equal("Cycle", err.code)
    assert.matches("a %-> b %-> a", err.message)
  end)

  it("of the account are none", function()
    local declaration = assert(declared(function(stack)
      stack:resource("AWS::SSM::Parameter", "p", { Type = "String", Value = stack.account })
    end))
    assert.same({}, declaration.resources.p.dependencies)
  end)
end)
