-- The network interfaces that functions of the simulated Lambda have in VPCs: one for each pair of a subnet and a set
-- of security groups, shared by all versions of all functions that have that pair ("Hyperplane ENIs", Lambda Developer
-- Guide). They outlive the last version that needs them. Used by the other files of this folder.
--
-- Kept in the region's store, kind "interface", by "SUBNET GROUP,GROUP": { id = the interface's in EC2 }.

local entities = require "infra.sim.lambda.entities"
local interfaces = require "infra.sim.ec2.interfaces"
local joined = require "infra.joined"
local kinds = require "infra.sim.ec2.kinds"

local network = {}

-- Seconds that an interface stays after nothing needs it any more: "20 to 45 min" until its security group can go.
local LINGERING <const> = 1200

local function ec2_failure(ctx, operation, kind, id)
  entities.invalid(ctx, "Error occurred while %s. EC2 Error Code: %s. EC2 Error Message: %s", operation,
    kind.not_found[1], kind.not_found[2]:format(id))
end

local function known(ctx, kind, id, operation)
  local found = not ctx:fresh(kind.name, id, ctx:of "ec2") and kind:get(ctx, id)
  return found or ec2_failure(ctx, operation, kind, id)
end

--- A request's VpcConfig, checked and with its VpcId; nil when it is empty, which takes a function out of its VPC.
function network.checked(ctx, given)
  local subnets, groups = given.SubnetIds or {}, given.SecurityGroupIds or {}
  if (#subnets == 0) ~= (#groups == 0) then
    entities.invalid(ctx, "SubnetIds and SecurityIds must coexist or be both empty list.")
  elseif #subnets == 0 then
    return nil
  end
  local vpc
  for _, id in ipairs(subnets) do
    local subnet = known(ctx, kinds.Subnet, id, "DescribeSubnets")
    vpc = vpc or subnet.VpcId
    if subnet.VpcId ~= vpc then
      entities.invalid(ctx, "The subnets %s are not all in the same VPC.", table.concat(subnets, ", "))
    end
  end
  for _, id in ipairs(groups) do
    if known(ctx, kinds.SecurityGroup, id, "DescribeSecurityGroups").VpcId ~= vpc then
      entities.invalid(ctx, "Security group %s and subnets are not in the same VPC.", id)
    end
  end
  return {
    SubnetIds = subnets, SecurityGroupIds = groups, VpcId = vpc,
    Ipv6AllowedForDualStack = given.Ipv6AllowedForDualStack or false,
  }
end

local function key_of(subnet_id, group_ids)
  local sorted = joined(group_ids)
  table.sort(sorted)
  return subnet_id .. " " .. table.concat(sorted, ",")
end

local function interface_of(ctx, key)
  local kept = ctx.store:get("interface", key)
  return kept and kinds.Interface:get(ctx, kept.id)
end

--- What keeps Lambda from connecting a function: { code, reason } or nil.
function network.obstacle(ctx, vpc_config)
  for _, id in ipairs(vpc_config and vpc_config.SubnetIds or {}) do
    if not interface_of(ctx, key_of(id, vpc_config.SecurityGroupIds))
      and interfaces.free_addresses(ctx, kinds.Subnet:get(ctx, id)) == 0 then
      return {
        code = "SubnetOutOfIPAddresses",
        reason = ("The function couldn't be connected: subnet %s is out of IP addresses."):format(id),
      }
    end
  end
end

-- { key = { subnet, groups, name } } of all that the versions of all functions need now.
local function needed(ctx)
  local all = {}
  for name in ctx.store:each "function" do
    for _, version in ctx.store:each("version/" .. name) do
      local vpc_config = not (version.failure or version.update_failure) and version.settings.VpcConfig
      for _, id in ipairs(vpc_config and vpc_config.SubnetIds or {}) do
        all[key_of(id, vpc_config.SecurityGroupIds)] = { id, vpc_config.SecurityGroupIds, name }
      end
    end
  end
  return all
end

local function connect(ctx, key, subnet_id, group_ids, name)
  local subnet, groups = kinds.Subnet:get(ctx, subnet_id), {}
  for i, id in ipairs(group_ids) do -- network.checked knew of them
    groups[i] = { GroupId = id, GroupName = kinds.SecurityGroup:get(ctx, id).GroupName }
  end
  local interface = interfaces.create(ctx, subnet, {
    Description = ("AWS Lambda VPC ENI-%s-%s"):format(name, ctx.unique(32)),
    InterfaceType = "lambda",
    RequesterId = "AROASIMULATEDLAMBDA00:" .. ctx.account,
    Groups = groups,
  })
  ctx.store:put("interface", key, { id = interface.NetworkInterfaceId })
end

local function set_end(ctx, interface, gone_at)
  if (interface.gone_at == nil) ~= (gone_at == nil) then
    interface.gone_at = gone_at
    kinds.Interface:put(ctx, interface)
  end
end

--- Makes the interfaces fit the functions as they are now; to be called after each change to one.
function network.settle(ctx)
  local wanted = needed(ctx)
  for key in ctx.store:each "interface" do
    local interface = interface_of(ctx, key)
    if not interface then
      ctx.store:delete("interface", key)
    else
      set_end(ctx, interface, not wanted[key] and (interface.gone_at or ctx.now() + LINGERING) or nil)
    end
  end
  for key, place in pairs(wanted) do
    if not ctx.store:get("interface", key) then
      connect(ctx, key, table.unpack(place))
    end
  end
end

return network
