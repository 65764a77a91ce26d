-- EC2 security groups and their rules, as rules of the group (SecurityGroupIngress inside AWS::EC2::SecurityGroup) and
-- as resources of their own. Used by resources/ec2.lua.
--
-- EC2 stores one source per rule, reports protocol -1 with ports -1, numbers as names (6 -> tcp), and adds an egress
-- rule for everything to a new group: where a group declares SecurityGroupEgress, also empty, that rule goes.

local json = require "host.json"
local path = require "infra.handler.path"

-- Where the source (or destination) of a rule stands: CloudFormation's name -> its place in an EC2 IpPermission.
local PEERS = {
  ingress = {
    CidrIp = { "IpRanges", "CidrIp" },
    CidrIpv6 = { "Ipv6Ranges", "CidrIpv6" },
    SourcePrefixListId = { "PrefixListIds", "PrefixListId" },
    SourceSecurityGroupId = { "UserIdGroupPairs", "GroupId" },
  },
  egress = {
    CidrIp = { "IpRanges", "CidrIp" },
    CidrIpv6 = { "Ipv6Ranges", "CidrIpv6" },
    DestinationPrefixListId = { "PrefixListIds", "PrefixListId" },
    DestinationSecurityGroupId = { "UserIdGroupPairs", "GroupId" },
  },
}

-- Member names in a SecurityGroupRule, EC2's rule-by-id form, for the same.
local RULE_PEERS = {
  ingress = {
    CidrIp = "CidrIpv4", CidrIpv6 = "CidrIpv6", SourcePrefixListId = "PrefixListId",
    SourceSecurityGroupId = "ReferencedGroupInfo.GroupId",
  },
  egress = {
    CidrIp = "CidrIpv4", CidrIpv6 = "CidrIpv6", DestinationPrefixListId = "PrefixListId",
    DestinationSecurityGroupId = "ReferencedGroupInfo.GroupId",
  },
}

local PROTOCOL_NAMES = { ["6"] = "tcp", ["17"] = "udp", ["1"] = "icmp", ["58"] = "icmpv6" }

local function protocol_of(rule)
  local protocol = tostring(rule.IpProtocol):lower()
  return PROTOCOL_NAMES[protocol] or protocol
end

-- A CloudFormation rule as EC2 reports it, so that equal rules are equal tables.
local function normalise(rule)
  local result = {}
  for name, value in pairs(rule) do
    result[name] = value
  end
  result.IpProtocol = protocol_of(rule)
  if result.IpProtocol == "-1" then
    result.FromPort, result.ToPort = nil, nil
  end
  if result.Description == "" then
    result.Description = nil
  end
  result.SourceSecurityGroupOwnerId, result.GroupId = nil, nil
  return result
end

-- CloudFormation rule -> one IpPermission.
local function permission(rule, direction)
  local result = { IpProtocol = protocol_of(rule), FromPort = rule.FromPort, ToPort = rule.ToPort }
  if result.IpProtocol == "-1" then
    result.FromPort, result.ToPort = nil, nil
  end
  for name, place in pairs(PEERS[direction]) do
    if rule[name] then
      result[place[1]] = { { [place[2]] = rule[name], Description = rule.Description } }
    end
  end
  return result
end

-- EC2's IpPermissions -> CloudFormation rules, one per source.
local function rules_of(permissions, direction)
  local rules = json.array {}
  for _, item in ipairs(permissions or {}) do
    for name, place in pairs(PEERS[direction]) do
      for _, peer in ipairs(item[place[1]] or {}) do
        rules[#rules + 1] = normalise {
          IpProtocol = item.IpProtocol, FromPort = item.FromPort, ToPort = item.ToPort,
          [name] = peer[place[2]], Description = peer.Description,
        }
      end
    end
  end
  return rules
end

local function canonical_rules(rules)
  local result = json.array {}
  for i, rule in ipairs(rules) do
    result[i] = normalise(rule)
  end
  return result
end

-- Brings the group's rules of one direction from what is live to what is desired: two calls at most.
local function write_rules(property, direction, authorize, revoke)
  return function(op, scope, live, desired)
    local wanted, present = {}, {}
    for _, rule in ipairs(desired[property] or {}) do
      wanted[json.encode(normalise(rule))] = permission(rule, direction)
    end
    for _, rule in ipairs(live.values[property] or {}) do
      present[json.encode(normalise(rule))] = permission(rule, direction)
    end
    local function change(operation, from, except)
      local permissions = json.array {}
      for key, item in pairs(from) do
        if not except[key] then
          permissions[#permissions + 1] = item
        end
      end
      if #permissions == 0 then
        return true
      end
      return op:mutate({ operation }, { GroupId = scope.GroupId, IpPermissions = permissions })
    end
    local ok, err = change(revoke, present, wanted)
    if not ok and err.code ~= "InvalidPermission.NotFound" then
      return nil, err
    end
    ok, err = change(authorize, wanted, present)
    if not ok and err.code ~= "InvalidPermission.Duplicate" then
      return nil, err
    end
    return true
  end
end

-- The rule that EC2 gives to every new group; the answer of the create does not show it.
local DEFAULT_EGRESS = { { IpProtocol = "-1", CidrIp = "0.0.0.0/0" } }

local function group_type()
  return {
    tag_type = "security-group",
    identity = { "GroupId" },
    name = { property = "GroupName", limit = 255 },
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
        if group.GroupName == nil then -- the create's answer: id, ARN and tags only
          values.SecurityGroupIngress, values.SecurityGroupEgress = json.array {}, canonical_rules(DEFAULT_EGRESS)
        else
          values.SecurityGroupIngress = rules_of(group.IpPermissions, "ingress")
          values.SecurityGroupEgress = rules_of(group.IpPermissionsEgress, "egress")
        end
      end,
    },
    canonical = { SecurityGroupIngress = canonical_rules, SecurityGroupEgress = canonical_rules },
    sets = { "SecurityGroupIngress", "SecurityGroupEgress" },
    defaults = { SecurityGroupIngress = json.array {} },
    facets = {
      {
        properties = { "SecurityGroupIngress" },
        write = write_rules("SecurityGroupIngress", "ingress", "AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"),
      },
      {
        properties = { "SecurityGroupEgress" },
        write = write_rules("SecurityGroupEgress", "egress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"),
      },
    },
    -- Interfaces of Lambda, Aurora and caches keep a group in use for up to 45 minutes.
    delete = {
      "DeleteSecurityGroup", send = { "GroupId" },
      retry = { { "DependencyViolation", 2700 }, { "InvalidGroup.InUse", 2700 } },
    },
    gone = { "InvalidGroup.NotFound", "InvalidGroupId.Malformed" },
  }
end

local function rule_matches(rule, scope, direction)
  if rule.IsEgress ~= (direction == "egress") or rule.IpProtocol ~= protocol_of(scope) then
    return false
  end
  if rule.IpProtocol ~= "-1" and (rule.FromPort ~= scope.FromPort or rule.ToPort ~= scope.ToPort) then
    return false
  end
  for name, place in pairs(RULE_PEERS[direction]) do
    if path.get(rule, place) ~= scope[name] then
      return false
    end
  end
  return true
end

local function rule_type(direction, authorize, revoke)
  local map = { "Id=SecurityGroupRuleId", "GroupId", "IpProtocol", "FromPort", "ToPort", "Description" }
  local peers = {}
  for name, place in pairs(RULE_PEERS[direction]) do
    map[#map + 1] = name .. "=" .. place
    peers[#peers + 1] = name
  end
  return {
    identity = { "Id" },
    create = {
      authorize, send = { "GroupId" }, result = "SecurityGroupRules[1]", exists = { "InvalidPermission.Duplicate" },
      covers = { "IpProtocol", "FromPort", "ToPort", "Description", table.unpack(peers) },
      encode = function(params, scope)
        params.IpPermissions = { permission(scope, direction) }
      end,
    },
    find = function(op, scope)
      local output, err = op.context.client:all("ec2", "DescribeSecurityGroupRules",
        { Filters = { { Name = "group-id", Values = { scope.GroupId } } } }, { region = op.region })
      for _, rule in ipairs(output and output.SecurityGroupRules or {}) do
        if rule_matches(rule, scope, direction) then
          return rule
        end
      end
      return nil, err
    end,
    read = {
      "DescribeSecurityGroupRules",
      list = "SecurityGroupRules", key = "SecurityGroupRuleId", filter = "security-group-rule-id", map = map,
      decode = function(rule, values)
        values.IpProtocol = rule.IpProtocol and protocol_of(rule)
        if values.IpProtocol == "-1" then
          values.FromPort, values.ToPort = nil, nil
        end
      end,
    },
    canonical = { IpProtocol = function(value) return protocol_of { IpProtocol = value } end },
    facets = {
      {
        properties = { "Description" },
        -- The call takes the whole rule.
        write = function(op, scope)
          local rule = {
            IpProtocol = protocol_of(scope), FromPort = scope.FromPort or -1, ToPort = scope.ToPort or -1,
            Description = scope.Description, CidrIpv4 = scope.CidrIp, CidrIpv6 = scope.CidrIpv6,
            PrefixListId = scope.SourcePrefixListId or scope.DestinationPrefixListId,
            ReferencedGroupId = scope.SourceSecurityGroupId or scope.DestinationSecurityGroupId,
          }
          return op:mutate({ "ModifySecurityGroupRules" },
            { GroupId = scope.GroupId, SecurityGroupRules = { { SecurityGroupRuleId = scope.Id, SecurityGroupRule = rule } } })
        end,
      },
    },
    delete = { revoke, send = { "GroupId", "Id=SecurityGroupRuleIds[]" } },
    gone = { "InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidGroup.NotFound" },
  }
end

--- The three types; `ec2_type` completes a spec with what all EC2 types share.
return function(ec2_type)
  return {
    ["AWS::EC2::SecurityGroup"] = ec2_type(group_type()),
    ["AWS::EC2::SecurityGroupIngress"] = ec2_type(rule_type("ingress", "AuthorizeSecurityGroupIngress",
      "RevokeSecurityGroupIngress")),
    ["AWS::EC2::SecurityGroupEgress"] = ec2_type(rule_type("egress", "AuthorizeSecurityGroupEgress",
      "RevokeSecurityGroupEgress")),
  }
end
