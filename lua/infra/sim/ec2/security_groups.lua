-- Security groups. Operations of infra.sim.ec2; their rules are in security_group_rules.lua.

local arns = require "infra.sim.arns"
local kinds = require "infra.sim.ec2.kinds"
local permissions = require "infra.sim.ec2.permissions"
local rules = require "infra.sim.ec2.security_group_rules"

local security_groups = { operations = {} }
local operations = security_groups.operations

local SecurityGroup = kinds.SecurityGroup

function SecurityGroup.render(ctx, shown, object)
  shown.IpPermissions = permissions.grouped(rules.of_group(ctx, object.GroupId, false))
  shown.IpPermissionsEgress = permissions.grouped(rules.of_group(ctx, object.GroupId, true))
end

-- A group comes with everything allowed to leave.
local function create(ctx, members, params)
  local group = SecurityGroup:create(ctx, members, params)
  group.SecurityGroupArn = arns.of(ctx, "ec2", "security-group/" .. group.GroupId)
  SecurityGroup:put(ctx, group)
  rules.add(ctx, group, true, { IpProtocol = "-1", FromPort = -1, ToPort = -1, CidrIpv4 = "0.0.0.0/0" })
  return group
end

--- Makes the default security group of a new VPC.
function security_groups.create_default(ctx, vpc)
  local group = create(ctx, { VpcId = vpc.VpcId, GroupName = "default", Description = "default VPC security group" })
  rules.add(ctx, group, false, {
    IpProtocol = "-1", FromPort = -1, ToPort = -1,
    ReferencedGroupInfo = { GroupId = group.GroupId, UserId = ctx.account },
  })
end

local NAME_CHARACTERS = "^[%w ._%-:/()#,@%[%]+=&;{}!$*]*$"

local function check_texts(ctx, params)
  for member, what in pairs { GroupName = "groupName", Description = "GroupDescription" } do
    local text = params[member]
    if text == "" or #text > 255 or not text:find(NAME_CHARACTERS) then
      ctx:fail("InvalidParameterValue", ("Value (%s) for parameter %s is invalid. Character sets beyond ASCII are not "
        .. "supported."):format(text, what))
    end
  end
  if params.GroupName:find("^sg%-") then
    ctx:fail("InvalidParameterValue",
      ("invalid value for parameter groupName: %s, group names may not be in the format sg-*"):format(params.GroupName))
  end
end

function operations.CreateSecurityGroup(ctx, params)
  check_texts(ctx, params)
  if not params.VpcId then
    ctx:fail("VPCIdNotSpecified", "No default VPC for this user")
  end
  local vpc = kinds.Vpc:find(ctx, params.VpcId)
  for _, other in SecurityGroup:each(ctx, "VpcId", vpc.VpcId) do
    if other.GroupName == params.GroupName then
      ctx:fail("InvalidGroup.Duplicate", ("The security group '%s' already exists for VPC '%s'")
        :format(params.GroupName, vpc.VpcId))
    end
  end
  local group = create(ctx, {
    VpcId = vpc.VpcId, GroupName = params.GroupName, Description = params.Description,
  }, params)
  return SecurityGroup:show(ctx, group)
end

local describe = SecurityGroup:describe()

-- Groups can be named only in a default VPC, which no simulated account has.
function operations.DescribeSecurityGroups(ctx, params)
  local name = (params.GroupNames or {})[1]
  if name then
    ctx:fail("InvalidGroup.NotFound", ("The security group '%s' does not exist in default VPC"):format(name))
  end
  return describe(ctx, params)
end

function operations.DeleteSecurityGroup(ctx, params)
  if not params.GroupId then
    ctx:fail("MissingParameter", "The request must contain the parameter groupName or groupId")
  end
  local group = SecurityGroup:find(ctx, params.GroupId)
  if group.GroupName == "default" then
    ctx:fail("CannotDelete", ("the specified group: \"%s\" name: \"default\" cannot be deleted by a user")
      :format(group.GroupId))
  end
  local used = rules.refers_to(ctx, group.GroupId)
  for _, interface in kinds.Interface:each(ctx, "VpcId", group.VpcId) do
    for _, member in ipairs(interface.Groups) do
      used = used or member.GroupId == group.GroupId
    end
  end
  if used then
    ctx:fail("DependencyViolation", ("resource %s has a dependent object"):format(group.GroupId))
  end
  rules.remove_all(ctx, group.GroupId)
  SecurityGroup:remove(ctx, group.GroupId)
  return { Return = true, GroupId = group.GroupId }
end

return security_groups
