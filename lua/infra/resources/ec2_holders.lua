-- What keeps a VPC, a subnet or a security group from being deleted, in words: the network interfaces in it, and in a
-- VPC the security groups that others made. Used by resources/ec2.lua and ec2_security_group.lua, whose deletions wait
-- for it.

local MOST <const> = 3 -- that are named

-- Parameters of the deletions, and how the descriptions filter by them.
local FILTERS = { VpcId = "vpc-id", SubnetId = "subnet-id", GroupId = "group-id" }

local function of_interface(interface)
  local id, purpose = interface.NetworkInterfaceId, interface.Description or ""
  if purpose:find "^AWS Lambda VPC ENI" then
    return ("Lambda's network interface %s (it goes within 45 minutes)"):format(id)
  end
  return ("network interface %s (%s)"):format(id, purpose)
end

local function of_group(group)
  return group.GroupName ~= "default" and ("security group %s (%s)"):format(group.GroupId, group.GroupName) or nil
end

--- The holder (handler/schema, retry) of a deletion with one of these parameters: a text, or nil when nothing is seen.
return function(op, params)
  local filters = {}
  for member, filter in pairs(FILTERS) do
    filters[1] = filters[1] or params[member] and { Name = filter, Values = { params[member] } }
  end
  local texts = {}
  local function add(operation, list, describe)
    local output = op:get({ operation }, { Filters = filters })
    for _, item in ipairs(output and output[list] or {}) do
      texts[#texts + 1] = describe(item)
    end
  end
  add("DescribeNetworkInterfaces", "NetworkInterfaces", of_interface)
  if params.VpcId then
    add("DescribeSecurityGroups", "SecurityGroups", of_group)
  end
  local others = #texts - MOST
  return #texts > 0 and table.concat(texts, ", ", 1, math.min(#texts, MOST))
    .. (others > 0 and (" and %d more"):format(others) or "") or nil
end
