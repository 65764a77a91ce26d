-- Before a certificate is asked for: can the records that will prove its domains ever be seen? Used by
-- resources/acm.lua.
--
-- ACM looks the records up in the public DNS, and waits for three days when they are not to be found. The DNS itself
-- cannot be asked from here; what Route 53 and its domain registration say can. Refused is
--
--   a zone that does not exist, is private, or is not the domain's
--   a zone of which this account's zone above it has no NS record, or one with other name servers
--   a zone whose domain is registered in this account with other name servers
--   a domain that the zone delegates further, to a zone where the records would be missing
--   a domain whose CAA record in the zone leaves Amazon out
--
-- What is delegated or registered elsewhere cannot be seen; then nothing is refused, and a person is told what must be
-- entered there: a zone that the same run has made is known to nobody yet.

local dns_name = require "infra.resources.dns_name"
local errors = require "infra.errors"
local validation = require "infra.resources.acm_validation"

local delegation = {}

local AMAZON = { ["amazon.com"] = true, ["amazontrust.com"] = true, ["awstrust.com"] = true, ["amazonaws.com"] = true }

local function refuse(op, code, hint, message, ...)
  return errors.fail { code = code, resource = op.address, source = op.source, message = message:format(...),
    hint = hint }
end

local function set_of_names(list)
  local set = {}
  for _, name in ipairs(list) do
    set[dns_name.normal(name)] = true
  end
  return set
end

local function share(a, b)
  local set = set_of_names(a)
  for name in pairs(set_of_names(b)) do
    if set[name] then
      return true
    end
  end
  return false
end

local function values_of(record)
  local values = {}
  for i, item in ipairs(record.ResourceRecords or {}) do
    values[i] = item.Value
  end
  return values
end

local function not_delegated(op, zone, authority, servers)
  return refuse(op, "ZoneNotDelegated", "enter the zone's name servers there: " .. table.concat(zone.servers, ", "),
    "nobody would find the certificate's records: %s says that %s is served by %s, which the hosted zone %s is not",
    authority, zone.name, #servers > 0 and table.concat(servers, ", ") or "nobody", zone.id)
end

-- This account's public zones directly above `zone`: there may be several of one name, of which one is the real one.
local function parents_of(op, zone)
  local output, err = op.context.client:all("route53", "ListHostedZones", {}, { region = op.region })
  if not output then
    return nil, err
  end
  local parents, name = {}, ""
  for _, other in ipairs(output.HostedZones) do
    local other_name = dns_name.normal(other.Name)
    local above = other_name ~= zone.name and dns_name.is_within(zone.name, other_name)
    if above and not (other.Config and other.Config.PrivateZone) and #other_name >= #name then
      parents, name = #other_name == #name and parents or {}, other_name
      parents[#parents + 1] = other
    end
  end
  return parents
end

-- Like check_registration: whether it is seen that the zone is delegated to, or nil and an error when it is not.
local function check_parents(op, zone, parents)
  local found = {}
  for _, parent in ipairs(parents) do
    local output, err = op:get({ "ListResourceRecordSets", service = "route53" },
      { HostedZoneId = parent.Id, StartRecordName = zone.name, StartRecordType = "NS", MaxItems = "1" })
    if not output then
      return nil, err
    end
    local record = output.ResourceRecordSets[1]
    if record and record.Type == "NS" and dns_name.normal(record.Name) == zone.name then
      found = values_of(record)
      if share(found, zone.servers) then
        return true
      end
    end
  end
  return not_delegated(op, zone, "the zone " .. parents[1].Name, found)
end

-- A domain that is registered elsewhere gives an error, and so does a missing permission: both say nothing.
local function check_registration(op, zone)
  local output = op.context.client:call("route53domains", "GetDomainDetail", { DomainName = zone.name:sub(1, -2) },
    { region = "us-east-1", no_retry = true })
  local servers = {}
  for i, server in ipairs(output and output.Nameservers or {}) do
    servers[i] = server.Name
  end
  if #servers > 0 and not share(servers, zone.servers) then
    return not_delegated(op, zone, "the registration of the domain", servers)
  end
  return #servers > 0
end

-- The CAA record that counts for a domain is the one nearest to it on the way up. Without a property that it is about,
-- it allows everybody.
local function forbids_amazon(record, wildcard)
  local issuers, wild = {}, {}
  for _, value in ipairs(values_of(record)) do
    local tag, issuer = value:match '^%d+%s+(%w+)%s+"?%s*([^;"%s]*)'
    if tag == "issue" or tag == "issuewild" then
      table.insert(tag == "issue" and issuers or wild, issuer)
    end
  end
  issuers = wildcard and #wild > 0 and wild or issuers
  for _, issuer in ipairs(issuers) do
    if AMAZON[issuer:lower()] then
      return false
    end
  end
  return #issuers > 0
end

local function check_records(op, zone, records, domain)
  local wildcard = domain:find "^%*%." ~= nil
  local name = dns_name.normal(domain):gsub("^%*%.", "")
  local nearest
  for _, record in ipairs(records) do
    local owner = dns_name.normal(record.Name)
    if record.Type == "NS" and owner ~= zone.name and dns_name.is_within(name, owner) then
      return refuse(op, "ZoneNotDelegated", "give the hosted zone of " .. owner .. " in DomainValidationOptions",
        "nobody would find the records of %s: the zone %s delegates %s to %s", domain, zone.name, owner,
        table.concat(values_of(record), ", "))
    elseif record.Type == "CAA" and dns_name.is_within(name, owner)
      and (not nearest or #owner > #dns_name.normal(nearest.Name)) then
      nearest = record
    end
  end
  if nearest and forbids_amazon(nearest, wildcard) then
    return refuse(op, "CertificateForbidden", 'add 0 issue "amazon.com" to it',
      "the CAA record of %s does not let Amazon issue a certificate for %s", nearest.Name, domain)
  end
  return true
end

-- { id, name, servers, records } of a hosted zone, or nil and an error.
local function examine(op, id)
  local output, err = op:get({ "GetHostedZone", service = "route53" }, { Id = id })
  if not output then
    return nil, err
  end
  local zone = {
    id = id, name = dns_name.normal(output.HostedZone.Name), servers = (output.DelegationSet or {}).NameServers or {},
  }
  if output.HostedZone.Config and output.HostedZone.Config.PrivateZone then
    return refuse(op, "PrivateZone", "use the public zone of that name",
      "nobody would find the certificate's records: the hosted zone %s (%s) is private", id, zone.name)
  end
  local listed
  listed, err = op.context.client:all("route53", "ListResourceRecordSets", { HostedZoneId = id },
    { region = op.region })
  if not listed then
    return nil, err
  end
  zone.records = listed.ResourceRecordSets
  local parents, seen
  parents, err = parents_of(op, zone)
  if not parents then
    return nil, err
  elseif #parents > 0 then
    seen, err = check_parents(op, zone, parents)
  else
    seen, err = check_registration(op, zone)
  end
  if seen == false then
    op.report(("%s must be delegated to %s: from here it cannot be seen whether it is"):format(zone.name,
      table.concat(zone.servers, ", ")), true)
  end
  return not err and zone or nil, err
end

local function check_domain(op, zone, domain)
  if not dns_name.is_within(domain:gsub("^%*%.", ""), zone.name) then
    return refuse(op, "WrongZone", "give the hosted zone of the domain in DomainValidationOptions",
      "%s is not in the hosted zone %s (%s)", domain, zone.id, zone.name)
  end
  return check_records(op, zone, zone.records, domain)
end

--- Whether the certificate with the properties in `scope` can be issued, as far as AWS knows: true, or nil and an error
--- that says what to do.
function delegation.check(op, scope)
  local zones = {}
  for _, domain in ipairs { scope.DomainName, table.unpack(scope.SubjectAlternativeNames or {}) } do
    local id = validation.zone_of(scope.DomainValidationOptions, domain)
    local ok, err = true, nil
    if id and not zones[id] then
      zones[id], err = examine(op, id)
    end
    if zones[id or ""] then
      ok, err = check_domain(op, zones[id], domain)
    end
    if not ok or err then
      return nil, err
    end
  end
  return true
end

return delegation
