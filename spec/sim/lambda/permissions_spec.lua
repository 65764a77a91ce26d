-- The simulated Lambda: what its API reference and the known traps of provisioned concurrency, permissions and network
-- interfaces say.

local json = require "host.json"
local lambdas = require "spec.sim.lambda.world"
local merged = require "infra.merged"

local NETWORKING, FUNCTION, simulated, create = lambdas.NETWORKING, lambdas.FUNCTION, lambdas.simulated, lambdas.create
local code, refused, INVALID, BUSY = lambdas.code, lambdas.refused, lambdas.INVALID, lambdas.BUSY
local published = lambdas.published

describe("infra.sim.lambda provisioned concurrency", function()
  it("takes minutes and is neither on $LATEST nor twice on a version", function()
    published(function(lambda, _, sleep)
      local function provision(qualifier, count)
        return lambda("PutProvisionedConcurrencyConfig", {
          Qualifier = qualifier, ProvisionedConcurrentExecutions = count or 2,
        })
      end
      assert.equal("ProvisionedConcurrencyConfigNotFoundException",
        code(lambda("GetProvisionedConcurrencyConfig", { Qualifier = "1" })))
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      refused(INVALID, "unpublished", provision "$LATEST")
      local begun = assert(provision "live")
      assert.same({ "IN_PROGRESS", 2, 0 }, {
        begun.Status, begun.RequestedProvisionedConcurrentExecutions, begun.AllocatedProvisionedConcurrentExecutions,
      })
      assert.equal(BUSY, code(provision("live", 3)))
      assert.equal(INVALID, code(provision "1"))
      sleep(120)
      assert.equal("READY", assert(lambda("GetProvisionedConcurrencyConfig", { Qualifier = "live" })).Status)
      assert.equal(INVALID, code(provision("live", 950)))
      assert.equal(FUNCTION .. ":live",
        assert(lambda "ListProvisionedConcurrencyConfigs").ProvisionedConcurrencyConfigs[1].FunctionArn)
      assert(lambda("DeleteProvisionedConcurrencyConfig", { Qualifier = "live" }))
      assert(provision "1")
    end)
  end)
end)

describe("infra.sim.lambda permissions", function()
  local function add(lambda, sid, params)
    local all = merged({
      StatementId = sid, Action = "lambda:InvokeFunction", Principal = "apigateway.amazonaws.com",
    }, params)
    return lambda("AddPermission", all)
  end

  local function statements(lambda, qualifier)
    return json.decode(assert(lambda("GetPolicy", { Qualifier = qualifier })).Policy).Statement
  end

  it("are those of one qualifier", function()
    published(function(lambda)
      assert(lambda("CreateAlias", { Name = "live", FunctionVersion = "1" }))
      local arn = "arn:aws:execute-api:us-east-1:123456789012:abc/*/*"
      assert(add(lambda, "s", { Qualifier = "live", SourceArn = arn, SourceAccount = "123456789012" }))
      assert.equal("ResourceNotFoundException", code(lambda "GetPolicy"))
      assert.same({
        Sid = "s", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = FUNCTION .. ":live",
        Principal = { Service = "apigateway.amazonaws.com" },
        Condition = {
          ArnLike = { ["AWS:SourceArn"] = arn }, StringEquals = { ["AWS:SourceAccount"] = "123456789012" },
        },
      }, statements(lambda, "live")[1])
      assert.equal(INVALID, code(add(lambda, "s", { Qualifier = "$LATEST" })))
      refused(BUSY, "already exists", add(lambda, "s", { Qualifier = "live" }))
      assert(add(lambda, "s", { Principal = "210987654321" }))
      assert.equal("arn:aws:iam::210987654321:root", statements(lambda)[1].Principal.AWS)
    end)
  end)

  it("are missed when they are gone", function()
    published(function(lambda)
      assert(add(lambda, "s"))
      assert(add(lambda, "t"))
      assert(lambda("RemovePermission", { StatementId = "s" }))
      assert.equal("ResourceNotFoundException", code(lambda("RemovePermission", { StatementId = "s" })))
      assert(lambda("RemovePermission", { StatementId = "t" }))
      assert.equal("ResourceNotFoundException", code(lambda "GetPolicy"))
    end)
  end)

  it("get lost when they are changed at the same time", function()
    local function count_after(change)
      local count
      published(function(lambda, _, sleep, _, world)
        change(lambda, world.scheduler)
        sleep(60)
        count = #statements(lambda)
      end, { patient = true, faults = { consistency = 10 } })
      return count
    end
    assert.equal(5, count_after(function(lambda)
      for i = 1, 5 do
        assert(add(lambda, "s" .. i))
      end
    end))
    assert.truthy(count_after(function(lambda, scheduler)
      local adding = {}
      for i = 1, 20 do
        adding[i] = function() assert(add(lambda, "s" .. i)) end
      end
      scheduler:all(adding)
    end) < 20)
  end)
end)

describe("infra.sim.lambda in a VPC", function()
  -- Runs `body(lambda, call, sleep, env, net)`; net = { subnet, group }.
  local function networked(body)
    simulated(function(lambda, call, sleep, env)
      local vpc = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId
      local net = {
        SubnetIds = { assert(call("ec2", "CreateSubnet", { VpcId = vpc, CidrBlock = "10.0.0.0/28" })).Subnet.SubnetId },
        SecurityGroupIds = { assert(call("ec2", "CreateSecurityGroup", {
          VpcId = vpc, GroupName = "g", Description = "d",
        })).GroupId },
      }
      assert(call("iam", "AttachRolePolicy", { RoleName = "r", PolicyArn = NETWORKING }))
      body(lambda, call, sleep, env, net)
    end)
  end

  local function interfaces(call, net)
    return assert(call("ec2", "DescribeNetworkInterfaces", {
      Filters = { { Name = "group-id", Values = net.SecurityGroupIds } },
    })).NetworkInterfaces
  end

  it("shares an interface that outlives its functions", function()
    networked(function(lambda, call, sleep, env, net)
      local made = assert(create(lambda, env, { VpcConfig = net, Publish = true }))
      assert.truthy(made.VpcConfig.VpcId:find("^vpc%-"))
      assert(create(lambda, env, { FunctionName = "g", VpcConfig = net }))
      local interface = interfaces(call, net)[1]
      assert.equal(1, #interfaces(call, net))
      assert.truthy(interface.Description:find("^AWS Lambda VPC ENI"))
      assert.same({ "lambda", true, "amazon-aws" }, {
        interface.InterfaceType, interface.RequesterManaged, interface.Attachment.InstanceOwnerId,
      })
      assert.equal("InvalidParameterValue",
        code(call("ec2", "DeleteNetworkInterface", { NetworkInterfaceId = interface.NetworkInterfaceId })))
      sleep(20)
      assert.equal("Pending", assert(lambda "GetFunctionConfiguration").State)
      sleep(20)
      assert(lambda "DeleteFunction")
      assert(lambda("DeleteFunction", { FunctionName = "g" }))
      assert.equal("DependencyViolation",
        code(call("ec2", "DeleteSecurityGroup", { GroupId = net.SecurityGroupIds[1] })))
      sleep(600)
      assert.equal("DependencyViolation", code(call("ec2", "DeleteSubnet", { SubnetId = net.SubnetIds[1] })))
      sleep(700)
      assert.equal(0, #interfaces(call, net))
      assert(call("ec2", "DeleteSecurityGroup", { GroupId = net.SecurityGroupIds[1] }))
      assert(call("ec2", "DeleteSubnet", { SubnetId = net.SubnetIds[1] }))
    end)
  end)

  it("keeps the interface for an old version", function()
    networked(function(lambda, call, sleep, env, net)
      assert(create(lambda, env, { VpcConfig = net, Publish = true }))
      sleep(60)
      local changed = assert(lambda("UpdateFunctionConfiguration", {
        VpcConfig = { SubnetIds = {}, SecurityGroupIds = {} },
      }))
      assert.same({}, changed.VpcConfig.SubnetIds)
      sleep(4000)
      assert.equal(1, #interfaces(call, net))
      assert(lambda("DeleteFunction", { Qualifier = "1" }))
      sleep(1500)
      assert.equal(0, #interfaces(call, net))
    end)
  end)

  it("refuses what cannot be connected", function()
    networked(function(lambda, call, _, env, net)
      refused(INVALID, "InvalidSubnetID.NotFound", create(lambda, env, {
        VpcConfig = { SubnetIds = { "subnet-0123" }, SecurityGroupIds = net.SecurityGroupIds },
      }))
      refused(INVALID, "InvalidGroup.NotFound", create(lambda, env, {
        VpcConfig = { SubnetIds = net.SubnetIds, SecurityGroupIds = { "sg-0123" } },
      }))
      refused(INVALID, "must coexist", create(lambda, env, { VpcConfig = { SubnetIds = net.SubnetIds } }))
      assert(call("iam", "DetachRolePolicy", { RoleName = "r", PolicyArn = NETWORKING }))
      refused(INVALID, "does not have permissions to call CreateNetworkInterface",
        create(lambda, env, { VpcConfig = net }))
      assert(call("iam", "PutRolePolicy", {
        RoleName = "r", PolicyName = "p", PolicyDocument = json.encode {
          Version = "2012-10-17", Statement = { { Effect = "Allow", Action = { "ec2:Create*" }, Resource = "*" } },
        },
      }))
      assert(create(lambda, env, { VpcConfig = net }))
    end)
  end)

  it("fails for good in a subnet that is full", function()
    networked(function(lambda, call, sleep, env, net)
      for _ = 1, 11 do
        assert(call("ec2", "CreateNetworkInterface", { SubnetId = net.SubnetIds[1] }))
      end
      assert(create(lambda, env, { VpcConfig = net }))
      sleep(60)
      local found = assert(lambda "GetFunctionConfiguration")
      assert.same({ "Failed", "SubnetOutOfIPAddresses" }, { found.State, found.StateReasonCode })
      assert(lambda "DeleteFunction")
    end)
  end)
end)
