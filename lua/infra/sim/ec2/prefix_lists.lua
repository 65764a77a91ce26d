-- The prefix lists that AWS manages, which name the addresses of a service in a region. Operations of infra.sim.ec2.

local crypto = require "host.crypto"

local Failure = require "infra.sim.failure"
local listing = require "infra.sim.ec2.listing"

local prefix_lists = { operations = {} }
local operations = prefix_lists.operations

-- Services with gateway endpoints, and addresses to show for them.
local SERVICES = { { "dynamodb", "52.94.0.0/22" }, { "s3", "3.5.0.0/19" } }

-- AWS's own identifiers where they are published.
local PUBLISHED = {
  ["us-east-1/s3"] = "pl-63a5400a", ["us-east-1/dynamodb"] = "pl-02cd2c6b",
  ["us-west-2/s3"] = "pl-68a54001", ["us-west-2/dynamodb"] = "pl-00a54069",
}

local function all(region)
  local found = {}
  for i, service in ipairs(SERVICES) do
    local name = region .. "/" .. service[1]
    found[i] = {
      PrefixListId = PUBLISHED[name] or "pl-" .. crypto.hex(crypto.sha256(name)):sub(1, 8),
      PrefixListName = ("com.amazonaws.%s.%s"):format(region, service[1]),
      OwnerId = "AWS",
      AddressFamily = "IPv4",
      State = "create-complete",
      Cidrs = { service[2] },
    }
  end
  table.sort(found, function(a, b) return a.PrefixListId < b.PrefixListId end)
  return found
end

--- The prefix list of an endpoint service's name ("com.amazonaws.us-east-1.s3"), or nil when it has none.
function prefix_lists.of_service(ctx, name)
  for _, list in ipairs(all(ctx.region)) do
    if list.PrefixListName == name then
      return list
    end
  end
end

--- The prefix list with this identifier, or AWS's answer that there is none.
function prefix_lists.find(ctx, id)
  for _, list in ipairs(all(ctx.region)) do
    if list.PrefixListId == id then
      return list
    end
  end
  Failure.raise("InvalidPrefixListID.NotFound", ("The prefix list ID '%s' does not exist"):format(id))
end

-- Both operations list the same, with other members and filters.
local function describe(filters)
  local listed = {
    output = "PrefixLists", key = "PrefixListId", ids = "PrefixListIds", pages = { 1, 1000 }, filters = filters,
  }
  return function(ctx, params)
    local items = all(ctx.region)
    if #(params.PrefixListIds or {}) > 0 then
      items = {}
      for i, id in ipairs(params.PrefixListIds) do
        items[i] = prefix_lists.find(ctx, id)
      end
    end
    return listing.answer(ctx, listed, params, items)
  end
end

operations.DescribePrefixLists = describe {
  ["prefix-list-id"] = "PrefixListId", ["prefix-list-name"] = "PrefixListName",
}

operations.DescribeManagedPrefixLists = describe {
  ["prefix-list-id"] = "PrefixListId", ["prefix-list-name"] = "PrefixListName", ["owner-id"] = "OwnerId",
}

return prefix_lists
