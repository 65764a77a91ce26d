-- VPCs, and what each is born with: main route table, default security group, default network ACL. Operations of
-- infra.sim.ec2.

local Resource = require "infra.sim.ec2.resources"
local attributes = require "infra.sim.ec2.attributes"
local cidr = require "infra.sim.ec2.cidr"
local kinds = require "infra.sim.ec2.kinds"
local route_tables = require "infra.sim.ec2.route_tables"
local security_groups = require "infra.sim.ec2.security_groups"

local operations = {}

local Vpc, NetworkAcl = kinds.Vpc, kinds.NetworkAcl

local function acl_entries()
  local entries = {}
  for _, egress in ipairs { true, false } do
    for _, entry in ipairs { { 100, "allow" }, { 32767, "deny" } } do
      entries[#entries + 1] = {
        RuleNumber = entry[1], RuleAction = entry[2], Egress = egress, Protocol = "-1", CidrBlock = "0.0.0.0/0",
      }
    end
  end
  return entries
end

local function block_of(ctx, params)
  if not params.CidrBlock then
    ctx:fail("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' must be provided")
  end
  local block = cidr.parse(params.CidrBlock)
  if not block then
    ctx:fail("InvalidParameterValue", ("Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.")
      :format(params.CidrBlock))
  elseif block.bits < 16 or block.bits > 28 then
    ctx:fail("InvalidVpc.Range", ("The CIDR '%s' is invalid."):format(params.CidrBlock))
  end
  return cidr.format(block)
end

function operations.CreateVpc(ctx, params)
  local block = block_of(ctx, params)
  local vpc = Vpc:create(ctx, {
    CidrBlock = block,
    CidrBlockAssociationSet = {
      { AssociationId = ctx.id "vpc-cidr-assoc", CidrBlock = block, CidrBlockState = { State = "associated" } },
    },
    InstanceTenancy = params.InstanceTenancy or "default",
    DhcpOptionsId = "dopt-0" .. ("%016x"):format(tonumber(ctx.account)),
    IsDefault = false,
    available_at = ctx.now() + 3,
    attributes = { EnableDnsSupport = true, EnableDnsHostnames = false, EnableNetworkAddressUsageMetrics = false },
  }, params)
  NetworkAcl:create(ctx, { VpcId = vpc.VpcId, IsDefault = true, Entries = acl_entries(), Associations = {} })
  route_tables.create_main(ctx, vpc)
  security_groups.create_default(ctx, vpc)
  return { Vpc = Vpc:show(ctx, vpc) }
end

operations.DescribeVpcs = Vpc:describe()
operations.DescribeNetworkAcls = NetworkAcl:describe()

-- As the API calls them -> as objects keep them.
local ATTRIBUTES = {
  enableDnsSupport = "EnableDnsSupport",
  enableDnsHostnames = "EnableDnsHostnames",
  enableNetworkAddressUsageMetrics = "EnableNetworkAddressUsageMetrics",
}

function operations.DescribeVpcAttribute(ctx, params)
  local vpc = Vpc:find(ctx, params.VpcId)
  local name = ATTRIBUTES[params.Attribute]
  if not name then
    ctx:fail("InvalidParameterValue",
      ("Value (%s) for parameter attribute is invalid. Unknown attribute."):format(params.Attribute))
  end
  return { VpcId = vpc.VpcId, [name] = { Value = vpc.attributes[name] } }
end

function operations.ModifyVpcAttribute(ctx, params)
  local vpc = Vpc:find(ctx, params.VpcId)
  local name = attributes.single(ctx, params,
    { "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics" })
  local value = params[name].Value
  if name == "EnableDnsHostnames" and value and not vpc.attributes.EnableDnsSupport then
    ctx:fail("InvalidParameterValue", "DNS hostnames can only be enabled when DNS support is enabled")
  end
  vpc.attributes[name] = value
  Vpc:put(ctx, vpc)
end

function operations.DeleteVpc(ctx, params)
  local vpc = Vpc:find(ctx, params.VpcId)
  local leaving = {}
  for kind in Resource.kinds() do
    if kind ~= Vpc then
      for id, object in kind:each(ctx, "VpcId", vpc.VpcId) do
        if not (kind.goes_with_vpc and kind.goes_with_vpc(object)) then
          ctx:fail("DependencyViolation", ("The vpc '%s' has dependencies and cannot be deleted."):format(vpc.VpcId))
        end
        leaving[#leaving + 1] = { kind, id }
      end
    end
  end
  for _, entry in ipairs(leaving) do
    entry[1]:remove(ctx, entry[2])
  end
  Vpc:remove(ctx, vpc.VpcId)
end

return { operations = operations }
