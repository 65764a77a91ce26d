-- Hosted zones and changes of the simulated Route 53. Used by the other files of this folder, and by the simulated ACM,
-- which looks for its validation records.
--
-- Kept in the account's global store: kind "zone" by id: { Id, Name, CallerReference, Config, NameServers, tags };
-- kind "reference" by caller reference, also of deleted zones; kind "change" by id: { Id, at }.

local names = require "infra.sim.route53.names"
local paging = require "infra.sim.paging"

local zones = { operations = {} }
local operations = zones.operations

local INSYNC_SECONDS <const> = 35 -- until all name servers know of a change
local PAGE <const> = 100

--- The zone that a request names, with or without "/hostedzone/", or NoSuchHostedZone.
function zones.find(ctx, id)
  local plain = id:gsub("^/?hostedzone/", "")
  local zone = ctx.global:get("zone", plain)
  if not zone or ctx:fresh("zone", plain, ctx.global) then
    ctx:fail("NoSuchHostedZone", ("No hosted zone found with ID: %s"):format(plain), 404)
  end
  return zone
end

--- A new change, for an answer.
function zones.change(ctx, comment)
  local id = "C" .. ctx.unique(20, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
  local change = { Id = id, at = ctx.now(), Comment = comment }
  ctx.global:put("change", id, change)
  return zones.change_info(ctx, change)
end

function zones.change_info(ctx, change)
  return {
    Id = "/change/" .. change.Id, SubmittedAt = change.at, Comment = change.Comment,
    Status = ctx.now() - change.at < INSYNC_SECONDS and "PENDING" or "INSYNC",
  }
end

--- All record sets of a zone, in Route 53's order: labels from the right, then type, then set identifier.
function zones.records(ctx, zone)
  local list = {}
  for _, record in ctx.global:each("record/" .. zone.Id) do
    list[#list + 1] = record
  end
  table.sort(list, function(a, b)
    return names.sort_key(a) < names.sort_key(b)
  end)
  return list
end

local function render(ctx, zone)
  return {
    Id = "/hostedzone/" .. zone.Id, Name = zone.Name, CallerReference = zone.CallerReference, Config = zone.Config,
    ResourceRecordSetCount = #zones.records(ctx, zone),
  }
end

local function delegation_set(zone)
  return { NameServers = zone.NameServers }
end

local function add_apex_records(ctx, zone)
  local servers, first = {}, zone.NameServers[1] .. "."
  for i, server in ipairs(zone.NameServers) do
    servers[i] = { Value = server .. "." }
  end
  local soa = first .. " awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
  for _, record in ipairs {
    { Name = zone.Name, Type = "NS", TTL = 172800, ResourceRecords = servers },
    { Name = zone.Name, Type = "SOA", TTL = 900, ResourceRecords = { { Value = soa } } },
  } do
    ctx.global:put("record/" .. zone.Id, names.sort_key(record), record)
  end
end

function operations.CreateHostedZone(ctx, params)
  local name = names.canonical(params.Name)
  if not name:find("^[%w*_\\-][%w*_\\.-]*%.$") then
    ctx:fail("InvalidDomainName", ("The domain name %s is not valid."):format(params.Name), 400)
  elseif ctx.global:get("reference", params.CallerReference) then
    ctx:fail("HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference: "
      .. params.CallerReference, 409)
  end
  local config = params.HostedZoneConfig or {}
  local zone = {
    Id = "Z" .. ctx.unique(20, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), Name = name,
    CallerReference = params.CallerReference,
    Config = { Comment = config.Comment, PrivateZone = params.VPC ~= nil }, NameServers = {}, tags = {},
  }
  for i, domain in ipairs { "com", "net", "org", "co.uk" } do
    zone.NameServers[i] = ("ns-%d.awsdns-%s.%s"):format(i * 512 - 1, ctx.unique(2, "0123456789"), domain)
  end
  ctx.global:put("zone", zone.Id, zone)
  ctx.global:put("reference", params.CallerReference, { zone = zone.Id })
  add_apex_records(ctx, zone)
  return {
    HostedZone = render(ctx, zone), ChangeInfo = zones.change(ctx), DelegationSet = delegation_set(zone),
    Location = "https://route53.amazonaws.com/2013-04-01/hostedzone/" .. zone.Id,
  }
end

function operations.GetHostedZone(ctx, params)
  local zone = zones.find(ctx, params.Id)
  return { HostedZone = render(ctx, zone), DelegationSet = delegation_set(zone) }
end

local function all(ctx)
  local list = {}
  for _, zone in ctx.global:each("zone") do
    list[#list + 1] = zone
  end
  return list
end

function operations.ListHostedZones(ctx, params)
  local limit = math.min(tonumber(params.MaxItems) or PAGE, PAGE)
  local page, token = paging.page(ctx, all(ctx), function(zone) return zone.Id end, params.Marker, limit)
  if not page then
    ctx:fail("InvalidInput", "The marker is not valid.", 400)
  end
  local rendered = {}
  for i, zone in ipairs(page) do
    rendered[i] = render(ctx, zone)
  end
  return {
    HostedZones = rendered, IsTruncated = token ~= nil, NextMarker = token, Marker = params.Marker,
    MaxItems = tostring(limit),
  }
end

-- From a name on, in the order of reversed labels.
function operations.ListHostedZonesByName(ctx, params)
  local list = all(ctx)
  table.sort(list, function(a, b)
    return names.reversed(a.Name) .. "\0" .. a.Id < names.reversed(b.Name) .. "\0" .. b.Id
  end)
  local limit = math.min(tonumber(params.MaxItems) or PAGE, PAGE)
  local start = params.DNSName and names.reversed(names.canonical(params.DNSName))
    .. "\0" .. (params.HostedZoneId or ""):gsub("^/?hostedzone/", "")
  local output = { HostedZones = {}, IsTruncated = false, MaxItems = tostring(limit), DNSName = params.DNSName }
  for _, zone in ipairs(list) do
    if not start or names.reversed(zone.Name) .. "\0" .. zone.Id >= start then
      if #output.HostedZones == limit then
        output.IsTruncated, output.NextDNSName, output.NextHostedZoneId = true, zone.Name, zone.Id
        break
      end
      table.insert(output.HostedZones, render(ctx, zone))
    end
  end
  return output
end

function operations.UpdateHostedZoneComment(ctx, params)
  local zone = zones.find(ctx, params.Id)
  zone.Config.Comment = params.Comment
  ctx.global:put("zone", zone.Id, zone)
  return { HostedZone = render(ctx, zone) }
end

function operations.DeleteHostedZone(ctx, params)
  local zone = zones.find(ctx, params.Id)
  local records = zones.records(ctx, zone)
  if #records > 2 then
    ctx:fail("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so " ..
      "cannot be deleted.", 400)
  end
  for _, record in ipairs(records) do
    ctx.global:delete("record/" .. zone.Id, names.sort_key(record))
  end
  ctx.global:delete("zone", zone.Id)
  return { ChangeInfo = zones.change(ctx) }
end

function operations.GetChange(ctx, params)
  local change = ctx.global:get("change", (params.Id:gsub("^/?change/", "")))
  if not change then
    ctx:fail("NoSuchChange", "A change with the specified change ID does not exist.", 404)
  end
  return { ChangeInfo = zones.change_info(ctx, change) }
end

return zones
