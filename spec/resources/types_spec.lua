-- What a change of every property of every native type leads to: an update in place, or another resource because
-- CloudFormation's schema says so, or because of what is written here.

local resources = require "infra.resources"

-- Properties that CloudFormation's schema does not call immutable, and which make another resource all the same.
local ANOTHER = {
  ["AWS::EC2::EIP"] = { PublicIpv4Pool = "an address stays in the pool that it was taken from" },
  ["AWS::EC2::Subnet"] = { Ipv6CidrBlock = "what is in the subnet would lose its addresses" },
  ["AWS::EC2::VPCGatewayAttachment"] = { InternetGatewayId = "no call changes what it consists of" },
  ["AWS::KMS::Key"] = {
    KeySpec = "KMS cannot change it", KeyUsage = "KMS cannot change it", MultiRegion = "KMS cannot change it",
    Origin = "KMS cannot change it",
  },
  ["AWS::Logs::LogGroup"] = { LogGroupClass = "Logs cannot change it" },
  ["AWS::RDS::DBCluster"] = {
    Engine = "RDS cannot change it", MasterUsername = "RDS cannot change it",
    EngineLifecycleSupport = "RDS cannot change it",
  },
  ["AWS::RDS::DBInstance"] = {
    AvailabilityZone = "RDS cannot change it", Engine = "it is its cluster's",
    PerformanceInsightsKMSKeyId = "RDS cannot change it",
  },
  ["AWS::SNS::TopicPolicy"] = { Topics = "it is part of the topic" },
  ["AWS::SSM::Parameter"] = {
    DataType = "Parameter Store cannot change it", Type = "in a hierarchy Parameter Store refuses it",
  },
  ["AWS::WAFv2::IPSet"] = { IPAddressVersion = "WAF cannot change it" },
  ["Infra::HostedZone"] = { DomainName = "it is what is looked up" },
}

describe("every native type", function()
  local function each_property(visit)
    for _, name in ipairs(resources.native()) do
      local resource_type = assert(resources.type(name))
      for property in pairs(resource_type.supported) do
        local declared = resource_type.schema.properties[property]
        if declared and property ~= resource_type.schema.tag_property then
          visit(resource_type, property, declared.replacement == "yes")
        end
      end
    end
  end

  it("changes in place, or is another one because CloudFormation or AWS says so", function()
    local unexplained, explained = {}, {}
    each_property(function(resource_type, property, immutable)
      local reason = (ANOTHER[resource_type.name] or {})[property]
      if not (immutable or resource_type.updatable[property]) then
        local list = reason and explained or unexplained
        list[#list + 1] = resource_type.name .. " " .. property
      end
    end)
    assert.same({}, unexplained)
    local reasons = 0
    for _, properties in pairs(ANOTHER) do
      for _ in pairs(properties) do
        reasons = reasons + 1
      end
    end
    assert.equal(reasons, #explained)
  end)

  it("changes in place what CloudFormation would not only where its handler says so", function()
    local said, found = {}, {}
    each_property(function(resource_type, property, immutable)
      if immutable and resource_type.updatable[property] then
        table.insert(found, resource_type.name .. " " .. property)
      end
    end)
    for _, name in ipairs(resources.native()) do
      for _, property in ipairs(assert(resources.type(name)).spec.in_place or {}) do
        table.insert(said, name .. " " .. property)
      end
    end
    table.sort(said)
    table.sort(found)
    assert.same(said, found)
  end)
end)
