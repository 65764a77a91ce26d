local members = require "infra.models.members"
local models = require "infra.models"
local shapes = require "infra.aws.protocols.shapes"

describe("what the models of aws-sdk lack", function()
  -- The shape of the member at a path of names below an operation's input or output.
  local function member(service_id, operation_name, side, path)
    local service = assert(models.service(service_id))
    local shape = shapes.of(service, assert(service:operation(operation_name))[side])
    for name in path:gmatch "[^.]+" do
      shape = shape.type == "list" and shape:element() or shape
      shape = assert(shape:member(name), name)
    end
    return shape
  end

  it("is there: members below shared shapes and in lists", function()
    local pause = "ServerlessV2ScalingConfiguration.SecondsUntilAutoPause"
    for _, operation in ipairs { "CreateDBCluster", "ModifyDBCluster", "RestoreDBClusterFromSnapshot" } do
      assert.equal("integer", member("rds", operation, "input", pause).type)
    end
    assert.equal("integer", member("rds", "DescribeDBClusters", "output", "DBClusters." .. pause).type)
    assert.equal("string", member("elasticache", "ModifyServerlessCache", "input", "MajorEngineVersion").type)
    assert.equal("list", member("logs", "DescribeLogGroups", "input", "logGroupIdentifiers").type)
  end)

  it("is said: which members no trace may show", function()
    for _, operation in ipairs { "CreateDBCluster", "ModifyDBCluster", "CreateDBInstance", "ModifyDBInstance" } do
      assert.is_true(member("rds", operation, "input", "MasterUserPassword").traits.sensitive)
    end
  end)

  it("leaves alone what a newer model says, and operations that a model lacks", function()
    local model = {
      operations = {
        ModifyServerlessCache = { input = { type = "structure", members = {
          Engine = { shape = "Engine", documentation = "theirs" },
        } } },
      },
      shapes = { Engine = { type = "string" } },
    }
    members.complete("elasticache", model)
    local found = model.operations.ModifyServerlessCache.input.members
    assert.same({ Engine = { shape = "Engine", documentation = "theirs" }, MajorEngineVersion = {} }, found)
    members.complete("ec2", { operations = {}, shapes = {} })
  end)
end)
