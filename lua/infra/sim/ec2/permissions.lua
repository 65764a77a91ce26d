-- Security group rules as EC2 takes them (IpPermissions), keeps them (one source each) and compares them. Used by
-- infra.sim.ec2.security_groups and .security_group_rules.
--
-- A rule here is { IpProtocol, FromPort, ToPort, Description } and one source: CidrIpv4, CidrIpv6, PrefixListId or
-- ReferencedGroupInfo { GroupId, UserId }.

local cidr = require "infra.sim.ec2.cidr"
local kinds = require "infra.sim.ec2.kinds"
local prefix_lists = require "infra.sim.ec2.prefix_lists"

local permissions = {}

local NUMBERED = { ["6"] = "tcp", ["17"] = "udp", ["1"] = "icmp", ["58"] = "icmpv6" }
local WITH_PORTS = { tcp = true, udp = true }
local WITH_TYPES = { icmp = true, icmpv6 = true }

local function refuse(ctx, message, ...)
  ctx:fail("InvalidParameterValue", message:format(...))
end

local function protocol_of(ctx, given)
  local name = (given or ""):lower()
  name = name == "all" and "-1" or NUMBERED[name] or name
  local number = math.tointeger(tonumber(name))
  if not WITH_PORTS[name] and not WITH_TYPES[name] and not (number and number >= -1 and number <= 255) then
    refuse(ctx, "Invalid value '%s' for IP protocol. Unknown protocol.", given or "")
  end
  return name
end

-- Protocol and ports as AWS keeps them: all ports as -1 where the protocol has none.
local function ports_of(ctx, given)
  local protocol, from, to = protocol_of(ctx, given.IpProtocol), given.FromPort, given.ToPort
  if WITH_PORTS[protocol] then
    if not from or not to then
      refuse(ctx, "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    elseif from < 0 or to > 65535 or from > to then
      refuse(ctx, "Invalid value '%d-%d' for portRange. Ports must be between 0 and 65535, and the 'from' port must "
        .. "not be greater than the 'to' port.", from, to)
    end
    return protocol, from, to
  elseif WITH_TYPES[protocol] then
    return protocol, from or -1, to or -1
  end
  return protocol, -1, -1
end

local function checked_group(ctx, id, group)
  local referenced = kinds.SecurityGroup:find(ctx, id)
  if referenced.VpcId ~= group.VpcId then
    ctx:fail("InvalidGroup.NotFound",
      ("You have specified two resources that belong to different networks: %s, %s"):format(group.GroupId, id))
  end
  return { GroupId = id, UserId = ctx.account }
end

-- The sources of a permission: input member -> the items' member, and the rule's member with its canonical value.
local SOURCES = {
  { "IpRanges", "CidrIp", "CidrIpv4", function(ctx, text)
    return cidr.canonical_v4(text) or refuse(ctx, "CIDR block %s is malformed", text)
  end },
  { "Ipv6Ranges", "CidrIpv6", "CidrIpv6", function(ctx, text)
    return cidr.canonical_v6(text) or refuse(ctx, "CIDR block %s is malformed", text)
  end },
  { "PrefixListIds", "PrefixListId", "PrefixListId", function(ctx, id)
    return prefix_lists.find(ctx, id).PrefixListId
  end },
  { "UserIdGroupPairs", "GroupId", "ReferencedGroupInfo", checked_group },
}

local function check_description(ctx, description)
  if #(description or "") > 255 then
    refuse(ctx, "Invalid rule description. Valid descriptions are strings less than 256 characters.")
  end
  return description ~= "" and description or nil
end

-- The older form, a single permission in the parameters themselves.
local function from_parameters(params)
  if not params.IpProtocol and not params.CidrIp then
    return nil
  end
  return { {
    IpProtocol = params.IpProtocol, FromPort = params.FromPort, ToPort = params.ToPort,
    IpRanges = { { CidrIp = params.CidrIp } },
  } }
end

--- The rules of an Authorize or Revoke call on `group`, each with one source.
function permissions.rules(ctx, params, group)
  local rules = {}
  for _, permission in ipairs(params.IpPermissions or from_parameters(params) or {}) do
    local protocol, from, to = ports_of(ctx, permission)
    for _, source in ipairs(SOURCES) do
      local list, item_member, member, canonical = table.unpack(source)
      for _, item in ipairs(permission[list] or {}) do
        if not item[item_member] then
          ctx:fail("MissingParameter", ("The request must contain the parameter %s.%s"):format(list, item_member))
        end
        rules[#rules + 1] = {
          IpProtocol = protocol, FromPort = from, ToPort = to,
          [member] = canonical(ctx, item[item_member], group),
          Description = check_description(ctx, item.Description),
        }
      end
    end
  end
  if #rules == 0 then
    ctx:fail("MissingParameter", "Either 'ipPermissions' with at least one source or 'securityGroupRuleIds' must be "
      .. "provided")
  end
  return rules
end

--- The rule of a ModifySecurityGroupRules request on `group`.
function permissions.modified(ctx, given, group)
  local protocol, from, to = ports_of(ctx, given)
  local rule = {
    IpProtocol = protocol, FromPort = from, ToPort = to, Description = check_description(ctx, given.Description),
  }
  for _, source in ipairs(SOURCES) do
    local member, canonical = source[3], source[4]
    local value = given[member == "ReferencedGroupInfo" and "ReferencedGroupId" or member]
    if value then
      rule[member] = canonical(ctx, value, group)
    end
  end
  return rule
end

--- The member that holds a rule's source.
function permissions.source(rule)
  for _, source in ipairs(SOURCES) do
    if rule[source[3]] then
      return source[3]
    end
  end
end

--- What makes two rules of one direction the same: all but the description.
function permissions.identity(rule)
  local member = permissions.source(rule)
  local value = rule[member]
  return table.concat({ rule.IpProtocol, rule.FromPort, rule.ToPort, member, type(value) == "table" and value.GroupId
    or value }, "/")
end

--- A rule as AWS names it in messages.
function permissions.describe(rule)
  local value = rule[permissions.source(rule)]
  local protocol = rule.IpProtocol == "-1" and "ALL" or rule.IpProtocol:upper()
  local ports = WITH_PORTS[rule.IpProtocol]
    and (", from port: %d, to port: %d"):format(rule.FromPort, rule.ToPort) or ""
  return ("peer: %s, %s%s, ALLOW"):format(type(value) == "table" and value.GroupId or value, protocol, ports)
end

--- Rules as DescribeSecurityGroups shows them: one permission for each protocol and port range.
function permissions.grouped(rules)
  local found, by_ports = {}, {}
  for _, rule in ipairs(rules) do
    local key = ("%s/%d/%d"):format(rule.IpProtocol, rule.FromPort, rule.ToPort)
    local permission = by_ports[key]
    if not permission then
      permission = {
        IpProtocol = rule.IpProtocol, IpRanges = {}, Ipv6Ranges = {}, PrefixListIds = {}, UserIdGroupPairs = {},
        FromPort = rule.IpProtocol ~= "-1" and rule.FromPort or nil,
        ToPort = rule.IpProtocol ~= "-1" and rule.ToPort or nil,
      }
      by_ports[key] = permission
      found[#found + 1] = permission
    end
    for _, source in ipairs(SOURCES) do
      local list, item_member, member = table.unpack(source)
      local value = rule[member]
      if value then
        table.insert(permission[list], {
          [item_member] = type(value) == "table" and value.GroupId or value,
          UserId = type(value) == "table" and value.UserId or nil,
          Description = rule.Description,
        })
      end
    end
  end
  return found
end

return permissions
