-- Record sets of the simulated Route 53. Kept in the account's global store, kind "record/ZONE", by their place.

local json = require "host.json"
local merged = require "infra.merged"

local names = require "infra.sim.route53.names"
local zones = require "infra.sim.route53.zones"

local records = { operations = {} }
local operations = records.operations

local PAGE <const> = 300
local MAX_CHANGES <const> = 1000

-- CloudFront's and S3's hosted zones are AWS's own; every distribution is in this one.
local CLOUDFRONT_ZONE <const> = "Z2FDTNDATAQYW2"

local function canonical(record)
  local copy = merged(record)
  copy.Name = names.canonical(record.Name)
  if record.AliasTarget then
    copy.TTL = nil
    copy.AliasTarget = {
      HostedZoneId = record.AliasTarget.HostedZoneId, DNSName = names.canonical(record.AliasTarget.DNSName),
      EvaluateTargetHealth = record.AliasTarget.EvaluateTargetHealth,
    }
  end
  return copy
end

-- Comparable: values of a record have no order.
local function contents(record)
  local values = {}
  for i, value in ipairs(record.ResourceRecords or {}) do
    values[i] = value.Value
  end
  table.sort(values)
  return json.encode { json.array(values), record.TTL or json.null, record.AliasTarget or json.null,
    record.HealthCheckId or json.null, record.Failover or json.null, record.Weight or json.null }
end

local function label(record)
  return ("[name='%s', type='%s'%s]"):format(record.Name, record.Type, record.SetIdentifier and
    (", set-identifier='%s'"):format(record.SetIdentifier) or "")
end

local function ends_with(name, suffix)
  return name == suffix or name:sub(-#suffix - 1) == "." .. suffix
end

-- What is wrong with a record by itself, or nil.
local function fault(zone, record)
  local alias = record.AliasTarget
  if not ends_with(record.Name, zone.Name) then
    return ("RRSet with DNS name %s is not permitted in zone %s"):format(record.Name, zone.Name)
  elseif alias and record.ResourceRecords and #record.ResourceRecords > 0 then
    return "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found more"
  elseif not alias and not (record.TTL and record.ResourceRecords and #record.ResourceRecords > 0) then
    return "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or " ..
      "TrafficPolicyInstanceId], but found none in Change with " .. label(record)
  elseif alias and alias.HostedZoneId == CLOUDFRONT_ZONE and alias.EvaluateTargetHealth then
    return "EvaluateTargetHealth cannot be true for CloudFront distributions"
  elseif record.Type == "CNAME" and record.Name == zone.Name then
    return ("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s"):format(record.Name, zone.Name)
  elseif record.Type == "TXT" and not alias then
    for _, value in ipairs(record.ResourceRecords) do
      if not value.Value:find('^".*"$') then
        return ("Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in " ..
          "quotation marks) encountered with '%s''"):format(value.Value)
      end
    end
  end
end

-- What does not go together with the zone's other records, or nil. `state`: sort key -> record.
local function conflict(state, record)
  for _, other in pairs(state) do
    if other.Name == record.Name and names.sort_key(other) ~= names.sort_key(record) then
      if (other.Type == "CNAME") ~= (record.Type == "CNAME") then
        return ("RRSet of type %s with DNS name %s is not permitted as it conflicts with other records with the " ..
          "same DNS name"):format(record.Type, record.Name)
      elseif other.Type == record.Type and (other.SetIdentifier == nil) ~= (record.SetIdentifier == nil) then
        return ("RRSet with DNS name %s, type %s, cannot be created as a non multi-value RRSet exists"):format(
          record.Name, record.Type)
      end
    end
  end
end

-- Carries one change out on `state`; returns what is wrong with it, or nil.
local function apply(zone, state, action, record)
  local key = names.sort_key(record)
  local present = state[key]
  if action == "DELETE" then
    if not present then
      return ("Tried to delete resource record set %s but it was not found"):format(label(record))
    elseif contents(present) ~= contents(record) then
      return ("Tried to delete resource record set %s but the values provided do not match the current values"):format(
        label(record))
    elseif record.Name == zone.Name and (record.Type == "NS" or record.Type == "SOA") then
      return ("A HostedZone must contain exactly one %s record"):format(record.Type)
    end
    state[key] = nil
    return nil
  elseif action == "CREATE" and present then
    return ("Tried to create resource record set %s but it already exists"):format(label(record))
  end
  local problem = fault(zone, record) or conflict(state, record)
  if not problem then
    state[key] = record
  end
  return problem
end

function operations.ChangeResourceRecordSets(ctx, params)
  local zone = zones.find(ctx, params.HostedZoneId)
  local changes, state, before, problems = params.ChangeBatch.Changes, {}, {}, {}
  if #changes == 0 or #changes > MAX_CHANGES then
    ctx:fail("InvalidInput", ("A batch has 1 to %d changes."):format(MAX_CHANGES), 400)
  end
  for _, record in ipairs(zones.records(ctx, zone)) do
    state[names.sort_key(record)], before[names.sort_key(record)] = record, record
  end
  for _, change in ipairs(changes) do
    problems[#problems + 1] = apply(zone, state, change.Action, canonical(change.ResourceRecordSet))
  end
  if #problems > 0 then -- all or nothing
    ctx:fail("InvalidChangeBatch", "[" .. table.concat(problems, ", ") .. "]", 400)
  end
  for key in pairs(before) do
    if not state[key] then
      ctx.global:delete("record/" .. zone.Id, key)
    end
  end
  for key, record in pairs(state) do
    if before[key] ~= record then
      ctx.global:put("record/" .. zone.Id, key, record)
    end
  end
  return { ChangeInfo = zones.change(ctx, params.ChangeBatch.Comment) }
end

local function start_of(params)
  if not params.StartRecordName then
    return ""
  end
  return names.sort_key { Name = names.canonical(params.StartRecordName), Type = params.StartRecordType or "",
    SetIdentifier = params.StartRecordIdentifier }
end

function operations.ListResourceRecordSets(ctx, params)
  local zone = zones.find(ctx, params.HostedZoneId)
  local limit = ctx.short_page and 1 or math.min(tonumber(params.MaxItems) or PAGE, PAGE)
  local output = { ResourceRecordSets = {}, IsTruncated = false, MaxItems = tostring(limit) }
  local start = start_of(params)
  for _, record in ipairs(zones.records(ctx, zone)) do
    if names.sort_key(record) >= start then
      if #output.ResourceRecordSets == limit then
        output.IsTruncated, output.NextRecordName, output.NextRecordType = true, record.Name, record.Type
        output.NextRecordIdentifier = record.SetIdentifier
        break
      end
      table.insert(output.ResourceRecordSets, record)
    end
  end
  return output
end

--- Whether any public zone of the account answers a CNAME query for `name` with `value`.
function records.has_cname(ctx, name, value)
  local store = ctx.sim.store:view("route53", ctx.account)
  name, value = names.canonical(name), names.canonical(value)
  for _, zone in store:each("zone") do
    if not zone.Config.PrivateZone and ends_with(name, zone.Name) then
      local record = store:get("record/" .. zone.Id, names.sort_key { Name = name, Type = "CNAME" })
      if record and names.canonical(record.ResourceRecords[1].Value) == value then
        return true
      end
    end
  end
  return false
end

return records
