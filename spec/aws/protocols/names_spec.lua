local model = require "spec.aws.protocols.model"
local names = require "infra.aws.protocols.names"

describe("infra.aws.protocols.names", function()
  local nodes = {
    Text = { type = "string" },
    Items = { type = "list", member = { shape = "Text", locationName = "item" } },
    FlatItems = { type = "list", flattened = true, member = { shape = "Text", locationName = "item" } },
    Payload = { type = "structure", members = {} },
    Named = { type = "structure", members = {}, locationName = "Hello" },
  }

  local function shape(node)
    return model.shape(node, nodes)
  end

  it("names JSON members by the reference", function()
    assert.equal("tagSet", names.json("Tags", shape { shape = "Text", locationName = "tagSet" }))
    assert.equal("Tags", names.json("Tags", shape { shape = "Text" }))
  end)

  it("names flattened lists by the reference, by the member, or by their items in older models", function()
    assert.equal("given", names.xml("Member", shape { shape = "FlatItems", locationName = "given" }))
    assert.equal("Member", names.xml("Member", shape { shape = "Items", flattened = true }))
    assert.equal("item", names.xml("Member", shape { shape = "FlatItems" }))
    assert.equal("Member", names.xml("Member", shape { shape = "Items" }))
  end)

  it("names items and entries", function()
    assert.equal("item", names.item(shape { shape = "Items" }))
    assert.equal("member", names.item(shape { type = "list", member = {} }))
    assert.same({ "key", "Setting" },
      { names.entry(shape { type = "map", key = {}, value = { locationName = "Setting" } }) })
  end)

  it("capitalises ec2's parameters, unless they have a name of their own", function()
    assert.equal("VpcId", names.ec2("VPC", shape { locationName = "vpcId" }))
    assert.equal("Ipv6Addresses",
      names.ec2("Ipv6Addresses", shape { locationName = "ipv6AddressesSet", queryName = "Ipv6Addresses" }))
    assert.equal("DryRun", names.ec2("dryRun", shape {}))
  end)

  it("names documents by reference, by shape, or by what is left", function()
    local ns = { uri = "http://s3.amazonaws.com/doc/2006-03-01/" }
    assert.equal("Hola", names.root(shape { shape = "Named", locationName = "Hola" }, "nested"))
    assert.equal("Hello", names.root(shape { shape = "Named", locationName = "nested" }, "nested"))
    assert.equal("Payload", names.root(shape { shape = "Payload", locationName = "nested" }, "nested"))
    assert.equal("nested",
      names.root(shape { shape = "Payload", locationName = "nested", xmlNamespace = ns }, "nested"))
    assert.equal("nested", names.root(shape { type = "structure", members = {} }, "nested"))
  end)
end)
