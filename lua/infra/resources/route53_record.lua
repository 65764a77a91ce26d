-- Route 53 record sets. Used by resources/route53.lua.
--
-- A record set is a part of its zone: all of a zone are read by one call, and those that change together are changed by
-- one, which is done as a whole or not at all.

local change = require "infra.resources.route53_change"
local dns_name = require "infra.resources.dns_name"
local joined = require "infra.joined"
local json = require "host.json"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local read = require "infra.handler.read"

-- Everything but the name can be changed in place.
local MUTABLE = {
  "Type", "SetIdentifier", "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId", "Failover", "Weight", "Region",
  "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig",
}
local FIELDS = joined({ "Name" }, MUTABLE)

-- A change that does `action` to the record set with the scope's values.
local function change_by(action, more)
  local send = { "HostedZoneId" }
  for _, name in ipairs(FIELDS) do
    table.insert(send, ("%s=ChangeBatch.Changes[].ResourceRecordSet.%s"):format(name, name))
  end
  return merged(change, { send = send, with = { ["ChangeBatch.Changes[].Action"] = action } }, more)
end

-- By what a zone's record sets are told apart.
local function key_of(record)
  return ("%s %s %s"):format(dns_name.normal(record.Name), record.Type, record.SetIdentifier or "")
end

-- A TXT value is one or more quoted texts of at most 255 characters.
local function quoted(value)
  if value:find '^"' then
    return value
  end
  local texts = {}
  for start = 1, math.max(1, #value), 255 do
    texts[#texts + 1] = '"' .. value:sub(start, start + 254):gsub('[\\"]', "\\%0") .. '"'
  end
  return table.concat(texts, " ")
end

-- Route 53 wants values of TXT records quoted. On the way in and in comparisons they are, however they are written.
local function quote_all(values, siblings)
  local is_text = siblings.Type == "TXT" or siblings.Type == "SPF"
  local result = json.array {}
  for i, value in ipairs(values) do
    result[i] = is_text and type(value) == "string" and quoted(value) or value
  end
  table.sort(result)
  return result
end

local function encode(params, scope)
  local record = params.ChangeBatch.Changes[1].ResourceRecordSet
  for i, value in ipairs(scope.ResourceRecords and quote_all(scope.ResourceRecords, scope) or {}) do
    record.ResourceRecords[i] = { Value = value }
  end
end

-- What else takes the place of a record set is what it is told apart by: then the old one goes with the same change.
local function replace_old(params, scope, _, live)
  encode(params, scope)
  if live and live.item and key_of(live.item) ~= key_of(scope) then
    table.insert(params.ChangeBatch.Changes, 1, { Action = "DELETE", ResourceRecordSet = live.item })
  end
end

-- Only what is exactly as it stands there can be deleted.
local function delete(op, known)
  local err
  for _ = 1, 3 do -- it may have been changed meanwhile
    local live, output
    live, err = observe.item(op, known)
    if not live then
      return not err, err
    end
    output, err = op:mutate(change, {
      HostedZoneId = known.HostedZoneId,
      ChangeBatch = { Changes = json.array { { Action = "DELETE", ResourceRecordSet = live.item } } },
    })
    if output then
      return true
    elseif err.code ~= "InvalidChangeBatch" then
      return read.is_gone(op, change, err), err
    end
  end
  return nil, err
end

-- Alias names come back in lower case, with a dot at the end, and those of load balancers as for both IP versions.
local function alias(target)
  return merged(target, { DNSName = (dns_name.normal(target.DNSName):gsub("^dualstack%.", "")) })
end

-- CloudFront's own hosted zone: the health of what is in it cannot be asked for.
local CLOUDFRONT_ZONE <const> = "Z2FDTNDATAQYW2"

local function check_alias(properties, report)
  local target = properties.AliasTarget
  if type(target) == "table" and target.HostedZoneId == CLOUDFRONT_ZONE and target.EvaluateTargetHealth then
    report("AliasTarget", "must have EvaluateTargetHealth = false for CloudFront")
  end
end

return {
  service = "route53", region = "us-east-1",
  identity = { "HostedZoneId", "Name", "Type" },
  typical = { create = 35, update = 35, delete = 2 },
  required = { "HostedZoneId" }, check = check_alias,
  form = { fill = { AliasTarget = { EvaluateTargetHealth = false } } },
  canonical = { Name = dns_name.normal, ResourceRecords = quote_all, AliasTarget = alias },
  retry = { { "NoSuchHostedZone", 60 } }, -- a new zone is not known everywhere
  create = change_by("CREATE", { exists = { "InvalidChangeBatch" }, encode = encode }),
  same = { "TTL", "ResourceRecords", "AliasTarget", "HealthCheckId", "Failover", "Weight" },
  read = {
    "ListResourceRecordSets", send = { "HostedZoneId" }, list = "ResourceRecordSets", key = key_of, by = key_of,
    map = FIELDS, absent = { "NoSuchHostedZone" },
  },
  facets = {
    {
      properties = MUTABLE,
      write = change_by("UPSERT", { encode = replace_old }), clear = change_by("UPSERT", { encode = replace_old }),
    },
  },
  delete = { run = delete },
  gone = { "NoSuchHostedZone" },
}
