-- Availability zones and what an account is by default. Operations of infra.sim.ec2.

local listing = require "infra.sim.ec2.listing"
local set_of = require "infra.set_of"

local zones = { operations = {} }

-- The zones' letters by region; most regions have three.
local LETTERS = {
  ["us-east-1"] = "abcdef", ["us-west-2"] = "abcd", ["us-west-1"] = "ac", ["ap-northeast-1"] = "acd",
  ["ap-northeast-2"] = "abcd", ["ca-central-1"] = "abd",
}

-- A local zone, which has to be opted into before it can be used.
local LOCAL_ZONES = {
  ["us-east-1"] = { "us-east-1-bos-1a", "use1-bos1-az1" },
  ["us-west-2"] = { "us-west-2-lax-1a", "usw2-lax1-az1" },
}

-- "us-east-1" is "use1" in zone identifiers, "ap-southeast-2" is "apse2".
local function short_region(region)
  local area, direction, number = region:match("^(.*)%-(%l+)%-(%d)$")
  direction = direction:gsub("north", "n"):gsub("south", "s"):gsub("east", "e"):gsub("west", "w"):gsub("central", "c")
  return area .. direction .. number
end

local function zone(region, name, id, kind, opted)
  return {
    ZoneName = name,
    ZoneId = id,
    RegionName = region,
    State = "available",
    ZoneType = kind,
    OptInStatus = opted,
    GroupName = kind == "availability-zone" and region or name:sub(1, -2),
    NetworkBorderGroup = kind == "availability-zone" and region or name:sub(1, -2),
    Messages = {},
  }
end

--- The region's zones that can be used, as DescribeAvailabilityZones shows them.
function zones.usable(region)
  local found = {}
  for letter in (LETTERS[region] or "abc"):gmatch(".") do
    local number = #found + 1
    found[number] = zone(region, region .. letter, ("%s-az%d"):format(short_region(region), number),
      "availability-zone", "opt-in-not-required")
  end
  return found
end

local LISTING = {
  output = "AvailabilityZones",
  key = "ZoneName",
  filters = {
    ["group-name"] = "GroupName", ["opt-in-status"] = "OptInStatus", ["region-name"] = "RegionName", state = "State",
    ["zone-id"] = "ZoneId", ["zone-name"] = "ZoneName", ["zone-type"] = "ZoneType",
  },
}

local function named(ctx, all, member, names)
  if not names or #names == 0 then
    return all
  end
  local by_name, found = {}, {}
  for _, item in ipairs(all) do
    by_name[item[member]] = item
  end
  for i, name in ipairs(names) do
    found[i] = by_name[name] or ctx:fail("InvalidParameterValue", ("Invalid availability zone: [%s]"):format(name))
  end
  return found
end

function zones.operations.DescribeAvailabilityZones(ctx, params)
  local all, extra = zones.usable(ctx.region), LOCAL_ZONES[ctx.region]
  if params.AllAvailabilityZones and extra then
    all[#all + 1] = zone(ctx.region, extra[1], extra[2], "local-zone", "not-opted-in")
  end
  all = named(ctx, all, "ZoneName", params.ZoneNames)
  return listing.answer(ctx, LISTING, params, named(ctx, all, "ZoneId", params.ZoneIds))
end

local ATTRIBUTES = {
  { "default-vpc", "none" }, { "max-elastic-ips", "5" }, { "max-instances", "20" }, { "supported-platforms", "VPC" },
  { "vpc-max-elastic-ips", "5" }, { "vpc-max-security-groups-per-interface", "5" },
}

function zones.operations.DescribeAccountAttributes(_, params)
  local wanted, found = set_of(params.AttributeNames), {}
  for _, attribute in ipairs(ATTRIBUTES) do
    if next(wanted) == nil or wanted[attribute[1]] then
      found[#found + 1] = { AttributeName = attribute[1], AttributeValues = { { AttributeValue = attribute[2] } } }
    end
  end
  return { AccountAttributes = found }
end

return zones
