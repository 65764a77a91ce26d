-- EC2 security groups with the rules in them (SecurityGroupIngress and -Egress inside AWS::EC2::SecurityGroup). Used by
-- resources/ec2.lua.
--
-- EC2 adds an egress rule for everything to a new group: where a group declares SecurityGroupEgress, also empty, that
-- rule goes.

local json = require "host.json"
local holder = require "infra.resources.ec2_holders"
local observe = require "infra.handler.observe"
local permissions = require "infra.resources.ec2_permission"
local wait = require "infra.handler.wait"

-- Seconds for which a new group may not be listed.
local APPEARS <const> = 120

-- The rules of the group as EC2 has them now: also the ones that it gave to a new group by itself.
local function present_rules(op, scope, property)
  local live, err = wait.shown(op, APPEARS, function()
    return observe.item(op, { GroupId = scope.GroupId })
  end)
  return live and live.values[property] or json.array {}, err
end

-- Permissions of the rules that the others do not have.
local function missing(rules, others, direction)
  local known, list = {}, json.array {}
  for _, rule in ipairs(others) do
    known[json.encode(permissions.normal(rule))] = true
  end
  for _, rule in ipairs(rules) do
    if not known[json.encode(permissions.normal(rule))] then
      list[#list + 1] = permissions.encode(rule, direction)
    end
  end
  return list
end

-- What a call answers when somebody else was faster with one of its permissions: then it has done nothing at all.
local OVERTAKEN = { ["InvalidPermission.NotFound"] = true, ["InvalidPermission.Duplicate"] = true }
local ATTEMPTS <const> = 3

-- Brings the group's rules of one direction from what is live to what is desired: two calls, if nobody interferes.
local function write_rules(property, direction, authorize, revoke)
  return function(op, scope, _, desired)
    local wanted = desired[property] or {}
    local function change(operation, list)
      if #list == 0 then
        return true
      end
      return op:mutate({ operation }, { GroupId = scope.GroupId, IpPermissions = list })
    end
    local ok, err
    for _ = 1, ATTEMPTS do
      local present
      present, err = present_rules(op, scope, property)
      if err then
        return nil, err
      end
      ok, err = change(revoke, missing(present, wanted, direction))
      if ok then
        ok, err = change(authorize, missing(wanted, present, direction))
      end
      if ok or not OVERTAKEN[err.code] then
        break
      end
    end
    return ok, err
  end
end

-- The rule that EC2 gives to every new group.
local DEFAULT_EGRESS = json.array { { IpProtocol = "-1", CidrIp = "0.0.0.0/0" } }

local function check_rules(properties, report)
  for _, property in ipairs { "SecurityGroupIngress", "SecurityGroupEgress" } do
    for i, rule in ipairs(type(properties[property]) == "table" and properties[property] or {}) do
      if type(rule) == "table" then
        permissions.check(rule, ("%s[%d]."):format(property, i), report)
      end
    end
  end
end

local function group_type()
  return {
    tag_type = "security-group",
    identity = { "GroupId" },
    name = { property = "GroupName", limit = 255 },
    held = true,
    create = {
      "CreateSecurityGroup", send = { "GroupName", "GroupDescription=Description", "VpcId" },
      exists = { "InvalidGroup.Duplicate" }, map = { "GroupId" },
    },
    find = { ["vpc-id"] = "VpcId", ["group-name"] = "GroupName" },
    read = {
      "DescribeSecurityGroups",
      list = "SecurityGroups", key = "GroupId", filter = "group-id",
      map = { "GroupId", "GroupName", "GroupDescription=Description", "VpcId" },
      gives = { "SecurityGroupIngress", "SecurityGroupEgress" },
      decode = function(group, values)
        values.Id = group.GroupId
        if group.GroupName then -- the create's answer has id, ARN and tags only
          values.SecurityGroupIngress = permissions.decode(group.IpPermissions, "ingress")
          values.SecurityGroupEgress = permissions.decode(group.IpPermissionsEgress, "egress")
        end
      end,
    },
    canonical = { SecurityGroupIngress = permissions.canonical, SecurityGroupEgress = permissions.canonical },
    sets = { "SecurityGroupIngress", "SecurityGroupEgress" },
    defaults = { SecurityGroupIngress = json.array {}, SecurityGroupEgress = DEFAULT_EGRESS },
    check = check_rules,
    facets = {
      {
        properties = { "SecurityGroupIngress" },
        write = write_rules("SecurityGroupIngress", "ingress", "AuthorizeSecurityGroupIngress",
          "RevokeSecurityGroupIngress"),
      },
      {
        properties = { "SecurityGroupEgress" },
        write = write_rules("SecurityGroupEgress", "egress", "AuthorizeSecurityGroupEgress",
          "RevokeSecurityGroupEgress"),
      },
    },
    -- Interfaces of Lambda, Aurora and caches keep a group in use for up to 45 minutes.
    delete = {
      "DeleteSecurityGroup", send = { "GroupId" },
      retry = {
        { "DependencyViolation", 2700, holder = holder }, { "InvalidGroup.InUse", 2700, holder = holder },
      },
    },
    gone = { "InvalidGroup.NotFound", "InvalidGroupId.Malformed" },
  }
end

--- The type; `ec2_type` completes a spec with what all EC2 types share.
return function(ec2_type)
  return { ["AWS::EC2::SecurityGroup"] = ec2_type(group_type()) }
end
