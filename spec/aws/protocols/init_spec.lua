local protocols = require "infra.aws.protocols"

describe("infra.aws.protocols", function()
  it("knows each protocol", function()
    for _, name in ipairs { "ec2", "query", "json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor" } do
      assert.equal(name, protocols.name { protocol = name })
      assert.is_function(protocols.of({ protocol = name }).encode)
    end
  end)

  it("prefers JSON, then query, to CBOR", function()
    assert.equal("json", protocols.name {
      protocol = "smithy-rpc-v2-cbor", protocols = { "smithy-rpc-v2-cbor", "json", "query" },
    })
    assert.equal("query", protocols.name {
      protocol = "smithy-rpc-v2-cbor", protocols = { "smithy-rpc-v2-cbor", "query" },
    })
  end)

  it("fails for services that speak something else", function()
    local codec, err = protocols.of { protocol = "mqtt", serviceId = "IoT" }
    assert.is_nil(codec)
    assert.equal("IoT speaks mqtt, which infra does not", tostring(err))
  end)
end)
