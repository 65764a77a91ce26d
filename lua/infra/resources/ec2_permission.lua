-- Rules of security groups in CloudFormation's form <-> EC2's permissions. Used by resources/ec2_security_group*.lua.
--
-- EC2 stores one source per rule, reports protocol -1 without ports, and numbers of protocols as names (6 -> tcp).

local cidr = require "infra.resources.cidr"
local json = require "host.json"
local merged = require "infra.merged"

local permissions = {}

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

local PROTOCOL_NAMES = { ["6"] = "tcp", ["17"] = "udp", ["1"] = "icmp", ["58"] = "icmpv6" }

--- The protocol of a rule as EC2 reports it.
function permissions.protocol(rule)
  local protocol = tostring(rule.IpProtocol):lower()
  return PROTOCOL_NAMES[protocol] or protocol
end

--- A CloudFormation rule as EC2 reports it, so that equal rules are equal tables.
function permissions.normal(rule)
  local result = merged(rule)
  result.IpProtocol = permissions.protocol(rule)
  if result.IpProtocol == "-1" then
    result.FromPort, result.ToPort = nil, nil
  end
  if result.Description == "" then
    result.Description = nil
  end
  result.SourceSecurityGroupOwnerId, result.GroupId = nil, nil
  return result
end

--- CloudFormation rule -> one IpPermission.
function permissions.encode(rule, direction)
  local result = { IpProtocol = permissions.protocol(rule), FromPort = rule.FromPort, ToPort = rule.ToPort }
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

--- EC2's IpPermissions -> CloudFormation rules, one per source.
function permissions.decode(list, direction)
  local rules = json.array {}
  for _, item in ipairs(list or {}) do
    for name, place in pairs(PEERS[direction]) do
      for _, peer in ipairs(item[place[1]] or {}) do
        rules[#rules + 1] = permissions.normal {
          IpProtocol = item.IpProtocol, FromPort = item.FromPort, ToPort = item.ToPort,
          [name] = peer[place[2]], Description = peer.Description,
        }
      end
    end
  end
  return rules
end

--- A list of CloudFormation rules, comparable.
function permissions.canonical(rules)
  local result = json.array {}
  for i, rule in ipairs(rules) do
    result[i] = permissions.normal(rule)
  end
  return result
end

--- Reports ranges of addresses that EC2 would store as others.
function permissions.check(rule, where, report)
  for _, name in ipairs { "CidrIp", "CidrIpv6" } do
    cidr.check(where .. name, rule[name], report)
  end
end

return permissions
