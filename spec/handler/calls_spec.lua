local check = require "infra.handler.calls"
local merged = require "infra.merged"
local resources = require "infra.resources"

describe("the check of a handler's calls", function()
  it("lets all native handlers pass", function()
    for _, name in ipairs(resources.native()) do
      assert.same({ true }, { check(name, assert(resources.type(name)).spec) })
    end
  end)

  local function spec(changes)
    return merged({
      service = "sqs", identity = { "QueueUrl" }, create = { "CreateQueue", send = { "QueueName" } },
      read = { "GetQueueAttributes", send = { "QueueUrl" }, with = { AttributeNames = { "All" } } },
      delete = { "DeleteQueue", send = { "QueueUrl" } },
    }, changes)
  end

  it("says which call is not AWS's, wherever a handler has one", function()
    for message, changes in pairs {
      ["create: there is no AWS service called sqz"] = { service = "sqz" },
      ["create: the handler needs 'service'"] = { service = false },
      ["delete: sqs has no operation DeleteQueu, did you mean DeleteQueue?"] = { delete = { "DeleteQueu" } },
      ["create: sqs CreateQueue has no member 'QueueNam', did you mean QueueName?"] =
        { create = { "CreateQueue", send = { "Name=QueueNam" } } },
      ["create.instead[1]: sqs has no operation Elsewhere"] =
        { create = { "CreateQueue", instead = { { "Elsewhere", when = "X" } } } },
      ["create.settle: sqs has no operation Elsewhere"] = { create = { "CreateQueue", settle = { "Elsewhere" } } },
      ["read: sqs GetQueueAttributes has no member 'AttributeName', did you mean AttributeNames?"] =
        { read = { "GetQueueAttributes", with = { AttributeName = "All" } } },
      ["read: sqs ListQueues has no member 'Queues', did you mean QueueUrls?"] =
        { read = { "ListQueues", list = "Queues" } },
      ["facets[1].write: logs has no operation Elsewhere"] =
        { facets = { { properties = {}, write = { "Elsewhere", service = "logs" } } } },
      ["find: sqs has no operation Elsewhere"] = { find = { "Elsewhere" } },
      ["tags.set: sqs TagQueue has no member 'Tagz', did you mean Tags?"] =
        { tags = { set = { "TagQueue", tags = "Tagz" } } },
      ["create: ec2 CreateVpcEndpoint has no member 'DnsOptions.Type'"] =
        { service = "ec2", create = { "CreateVpcEndpoint", send = { "X=DnsOptions.Type" } } },
    } do
      assert.same({ nil, "My::Type." .. message }, { check("My::Type", spec(changes)) })
    end
  end)

  it("leaves alone what functions do, keys of maps, and the names that `encode` replaces", function()
    assert.is_true(check("My::Type", spec {
      service = false, create = { run = print }, delete = { run = print }, read = false, observe = print,
    }))
    assert.is_true(check("My::Type", spec {
      create = { "CreateQueue", send = { "DelaySeconds=Attributes.DelaySeconds" } },
      facets = { { properties = {}, write = { "SetQueueAttributes", send = { "DelaySeconds" }, encode = print } } },
    }))
  end)
end)
