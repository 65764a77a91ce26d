-- WAFv2: web ACLs and IP sets. The vocabulary is in handler/schema.lua.
--
-- What protects CloudFront (Scope CLOUDFRONT) lives in us-east-1, whatever the stack's region. Everything is changed as
-- a whole, with the lock token of what was read.

local joined = require "infra.joined"
local json = require "host.json"

-- What was made seconds ago is not known to everything that refers to it.
local CONSISTENCY = {
  { "WAFUnavailableEntityException", 300 },
  { "WAFInternalErrorException", 60 },
  { "WAFTagOperationException", 60 },
}

-- A set that a rule refers to may be as new as the web ACL itself.
local NEW_REFERENCES = { { "WAFNonexistentItemException", 60 } }

local function region(properties)
  return properties.Scope == "CLOUDFRONT" and "us-east-1" or nil
end

-- What the types of WAFv2 share: `kind` names their calls and the member of the answers that has the thing; `mutable`
-- are the properties that an update replaces all at once, `fixed` those that only a create can set, `more` is added.
local function waf_type(kind, mutable, fixed, more)
  local identity = { "Name", "Id", "Scope" }
  local map = { ("Arn=%s.ARN"):format(kind), "@lock=LockToken" }
  for _, name in ipairs(joined({ "Name", "Id" }, fixed, mutable, more.gives or {})) do
    map[#map + 1] = ("%s=%s.%s"):format(name, kind, name)
  end
  local update = {
    "Update" .. kind, send = joined(identity, { "@lock=LockToken" }, mutable), encode = more.encode,
    retry = NEW_REFERENCES,
  }
  return {
    service = "wafv2", region = region, identity = identity, name = { property = "Name", limit = 128 },
    typical = { create = 2, update = 1, delete = 2 }, held = true,
    retry = CONSISTENCY, lock = { value = "@lock", stale = { "WAFOptimisticLockException" } },
    form = more.form or {}, defaults = more.defaults, sets = more.sets, canonical = more.canonical,
    check = more.check,
    create = {
      "Create" .. kind, send = joined({ "Name", "Scope" }, fixed, mutable), retry = NEW_REFERENCES,
      map = { "Id=Summary.Id", "Arn=Summary.ARN", "@lock=Summary.LockToken" }, exists = { "WAFDuplicateItemException" },
    },
    find = {
      ("List%ss"):format(kind), list = kind .. "s", next = "NextMarker", send = { "Scope" }, same = { "Name" },
      id = { "Id" },
    },
    read = { "Get" .. kind, send = identity, map = joined(map, more.map or {}), decode = more.decode },
    facets = { { properties = mutable, write = update, clear = update } },
    tags = {
      form = "list", create = "Tags",
      set = { "TagResource", send = { "Arn=ResourceARN" }, tags = "Tags" },
      unset = { "UntagResource", send = { "Arn=ResourceARN" }, keys = "TagKeys" },
      read = { "ListTagsForResource", send = { "Arn=ResourceARN" }, list = "TagInfoForResource.TagList" },
    },
    -- A distribution that lets go of it has done so everywhere only after minutes.
    delete = {
      "Delete" .. kind, send = joined(identity, { "@lock=LockToken" }),
      retry = { { "WAFAssociatedItemException", 1200 } },
    },
    gone = { "WAFNonexistentItemException" },
  }
end

-- Shield Advanced puts a rule of its own into a web ACL. It is nobody's business here, and must stay.
local function split(rules)
  local own, foreign = json.array {}, json.array {}
  for _, rule in ipairs(rules or {}) do
    table.insert(rule.Name:find "^ShieldMitigationRuleGroup_" and foreign or own, rule)
  end
  return own, foreign
end

local function without_foreign(_, values)
  values.Rules = values.Rules and split(values.Rules)
  values["@foreign"] = select(2, split(values["@rules"]))
end

local function with_foreign(params, scope)
  params.Rules = joined(params.Rules or {}, scope["@foreign"] or {})
end

-- Rules are evaluated by priority, wherever they stand in the list.
local function by_priority(rules)
  local sorted = json.array(joined(rules))
  table.sort(sorted, function(a, b)
    return a.Priority < b.Priority
  end)
  return sorted
end

local types = {}

types["AWS::WAFv2::WebACL"] = waf_type("WebACL", {
  "DefaultAction", "Rules", "VisibilityConfig", "Description", "CustomResponseBodies", "TokenDomains",
  "AssociationConfig", "CaptchaConfig", "ChallengeConfig",
}, {}, {
  gives = { "Capacity", "LabelNamespace" },
  map = { "@rules=WebACL.Rules" },
  defaults = { Rules = json.array {} },
  form = { lower = { "SingleHeader.Name", "SingleQueryArgument.Name" } },
  canonical = { Rules = by_priority },
  decode = without_foreign, encode = with_foreign,
})

-- "2001:db8::/32" as "2001:0db8:0000:0000:0000:0000:0000:0000/32", which is how WAF returns it.
local function expanded(address)
  local before, after, length = address:lower():match "^([%x:]-)::([%x:]*)/(%d+)$"
  if not before then
    before, length = address:lower():match "^([%x:]+)/(%d+)$"
  end
  if not (before and address:find(":", 1, true)) then
    return address
  end
  local groups, tail = {}, {}
  for group in before:gmatch "%x+" do
    groups[#groups + 1] = group
  end
  for group in (after or ""):gmatch "%x+" do
    tail[#tail + 1] = group
  end
  while #groups + #tail < 8 do
    groups[#groups + 1] = "0"
  end
  groups = joined(groups, tail)
  for i, group in ipairs(groups) do
    groups[i] = ("%04x"):format(tonumber(group, 16))
  end
  return table.concat(groups, ":") .. "/" .. length
end

local function expand_all(addresses)
  local result = json.array {}
  for i, address in ipairs(addresses) do
    result[i] = type(address) == "string" and expanded(address) or address
  end
  return result
end

local function refuse_everybody(properties, report)
  for _, address in ipairs(properties.Addresses) do
    if address:find "/0$" then
      report("Addresses", ("cannot have %s: write it as its two halves, of length 1"):format(address))
    end
  end
end

types["AWS::WAFv2::IPSet"] = waf_type("IPSet", { "Addresses", "Description" }, { "IPAddressVersion" }, {
  sets = { "Addresses" }, canonical = { Addresses = expand_all }, check = refuse_everybody,
})

return types
