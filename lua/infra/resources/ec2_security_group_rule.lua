-- Rules of EC2 security groups as resources of their own. Used by resources/ec2.lua.

local path = require "infra.handler.path"
local permissions = require "infra.resources.ec2_permission"

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

local function canonical_protocol(value)
  return permissions.protocol { IpProtocol = value }
end

-- Every protocol has no ports, whatever is declared.
local function canonical_port(value, siblings)
  return permissions.protocol(siblings) ~= "-1" and value or nil
end

local function rule_matches(rule, scope, direction)
  if rule.IsEgress ~= (direction == "egress") or rule.IpProtocol ~= permissions.protocol(scope) then
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
    check = function(properties, report)
      permissions.check(properties, "", report)
    end,
    create = {
      authorize, send = { "GroupId" }, result = "SecurityGroupRules[1]", exists = { "InvalidPermission.Duplicate" },
      covers = { "IpProtocol", "FromPort", "ToPort", "Description", table.unpack(peers) },
      encode = function(params, scope)
        params.IpPermissions = { permissions.encode(scope, direction) }
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
        values.IpProtocol = rule.IpProtocol and permissions.protocol(rule)
        if values.IpProtocol == "-1" then
          values.FromPort, values.ToPort = nil, nil
        end
      end,
    },
    canonical = { IpProtocol = canonical_protocol, FromPort = canonical_port, ToPort = canonical_port },
    facets = {
      {
        properties = { "Description" },
        -- The call takes the whole rule.
        write = function(op, scope)
          local rule = {
            IpProtocol = permissions.protocol(scope), FromPort = scope.FromPort or -1, ToPort = scope.ToPort or -1,
            Description = scope.Description, CidrIpv4 = scope.CidrIp, CidrIpv6 = scope.CidrIpv6,
            PrefixListId = scope.SourcePrefixListId or scope.DestinationPrefixListId,
            ReferencedGroupId = scope.SourceSecurityGroupId or scope.DestinationSecurityGroupId,
          }
          return op:mutate({ "ModifySecurityGroupRules" },
            {
              GroupId = scope.GroupId,
              SecurityGroupRules = { { SecurityGroupRuleId = scope.Id, SecurityGroupRule = rule } },
            })
        end,
      },
    },
    delete = { revoke, send = { "GroupId", "Id=SecurityGroupRuleIds[]" } },
    gone = { "InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", "InvalidGroup.NotFound" },
  }
end

--- The two types; `ec2_type` completes a spec with what all EC2 types share.
return function(ec2_type)
  return {
    ["AWS::EC2::SecurityGroupIngress"] = ec2_type(rule_type("ingress", "AuthorizeSecurityGroupIngress",
      "RevokeSecurityGroupIngress")),
    ["AWS::EC2::SecurityGroupEgress"] = ec2_type(rule_type("egress", "AuthorizeSecurityGroupEgress",
      "RevokeSecurityGroupEgress")),
  }
end
