-- How a certificate proves whose its domains are: ACM asks for CNAME records, and they are put into the hosted zones
-- that DomainValidationOptions names. They stay, because renewals need them, until the certificate goes. Used by
-- resources/acm.lua and resources/acm_delegation.lua.

local change = require "infra.resources.route53_change"
local dns_name = require "infra.resources.dns_name"
local errors = require "infra.errors"
local json = require "host.json"
local merged = require "infra.merged"
local observe = require "infra.handler.observe"
local wait = require "infra.handler.wait"

local validation = {}

-- A listing says nothing of certificates with other keys than RSA unless it is asked for them.
validation.ALL_KEY_TYPES = {
  Includes = {
    keyTypes = { "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1" },
  },
}

-- Seconds: until ACM says which records it wants, usually and at most; until what uses a certificate lets go of it.
local RECORDS_KNOWN <const>, RECORDS_LIMIT <const> = 5, 300
local RELEASE <const>, RELEASE_LIMIT <const> = 60, 1200

local TTL <const> = 300

-- A domain and everything directly below it are proved by the same record.
local function bare(domain)
  return (dns_name.normal(domain):gsub("^%*%.", ""))
end

--- The hosted zone that `options` (DomainValidationOptions, may be nil) name for a domain, or nil.
function validation.zone_of(options, domain)
  for _, option in ipairs(options or {}) do
    if option.HostedZoneId and option.DomainName and bare(option.DomainName) == bare(domain) then
      return option.HostedZoneId
    end
  end
end

-- The records that a described certificate wants: { { zone = id or nil, Name, Type, Value }, ... }, each once; nil
-- while ACM does not know them all.
local function wanted_records(certificate, options)
  local records, seen = {}, {}
  for _, domain in ipairs(certificate.DomainValidationOptions or {}) do
    local record = domain.ResourceRecord
    if domain.ValidationMethod ~= "EMAIL" then
      if not record then
        return nil
      elseif not seen[record.Name] then
        seen[record.Name] = true
        records[#records + 1] = {
          zone = validation.zone_of(options, domain.DomainName), Name = record.Name, Type = record.Type,
          Value = record.Value,
        }
      end
    end
  end
  return certificate.DomainValidationOptions and records
end

local function change_record(op, action, zone, record_set)
  return op:mutate(change, {
    HostedZoneId = zone, ChangeBatch = { Changes = json.array { { Action = action, ResourceRecordSet = record_set } } },
  })
end

-- Not waited for: ACM looks until it finds the record, and being issued comes after being in sync.
local function put_record(op, record)
  return change_record(op, "UPSERT", record.zone,
    { Name = record.Name, Type = record.Type, TTL = TTL, ResourceRecords = { { Value = record.Value } } })
end

--- What the certificate needs in order to be issued: its records. Called whenever it is waited for.
function validation.prove(op, known)
  local options = op.desired.DomainValidationOptions
  local records
  local live, err = wait.poll(op, RECORDS_KNOWN, RECORDS_LIMIT, function()
    local found, problem = observe.item(op, known)
    if not found then
      return nil, problem
    end
    records = wanted_records(found.item, options)
    return (found.state ~= "PENDING_VALIDATION" or records) and found or nil
  end)
  if not live or live.state ~= "PENDING_VALIDATION" then
    return live, err
  end
  local jobs = {}
  for _, record in ipairs(records) do
    if record.zone then
      jobs[#jobs + 1] = function()
        return put_record(op, record)
      end
    else
      op.report(("waiting for somebody to enter the record %s %s %s"):format(record.Name, record.Type, record.Value),
        true)
    end
  end
  local _, problems = op.context.scheduler:all(jobs)
  local _, problem = next(problems)
  return not problem, problem
end

-- -- when it goes -----------------------------------------------------------------------------------------------------

-- Waits until nothing uses the certificate. Returns true (also when it is gone already), or nil and an error that says
-- what does.
local function unused(op, known)
  local users
  local done, err = wait.poll(op, RELEASE, RELEASE_LIMIT, function()
    local live, problem = observe.item(op, known)
    if not live then
      return not problem or nil, problem
    end
    users = table.concat(live.item.InUseBy or {}, ", ")
    if users ~= "" then
      op.report("waiting until it is released by " .. users)
    end
    return users == "" or nil
  end)
  if err and err.code == "WaitTimeout" then
    return errors.fail { code = "CertificateInUse", resource = op.address, source = op.source, service = "acm",
      message = "it is still used by " .. users, hint = "give them another certificate and run again" }
  end
  return done, err
end

-- The names, without "*.", that other certificates of this region prove by the same records: a record belongs to the
-- account and the domain, not to one certificate. Those that this run deletes too do not count. (Certificates of other
-- regions are not looked at.)
local function names_of_others(op, arn)
  local leaving = op.context.leaving_certificates or {}
  op.context.leaving_certificates, leaving[arn] = leaving, true
  local names, params = {}, merged(validation.ALL_KEY_TYPES)
  repeat
    local output, err = op:get({ "ListCertificates" }, params)
    if not output then
      return nil, err
    end
    for _, summary in ipairs(output.CertificateSummaryList or {}) do
      if not leaving[summary.CertificateArn] then
        for _, name in ipairs { summary.DomainName, table.unpack(summary.SubjectAlternativeNameSummaries or {}) } do
          names[bare(name)] = true
        end
      end
    end
    params.NextToken = output.NextToken
  until not params.NextToken
  return names
end

local LIST = { "ListResourceRecordSets", service = "route53" }

-- Only what is exactly as it stands there can be deleted; what is not there needs no deletion.
local function remove_record(op, record)
  local output, err = op:get(LIST, {
    HostedZoneId = record.zone, StartRecordName = record.Name, StartRecordType = record.Type, MaxItems = "1",
  })
  if not output then
    return err.code == "NoSuchHostedZone", err
  end
  local found = output.ResourceRecordSets[1]
  if not found or found.Type ~= record.Type or dns_name.normal(found.Name) ~= dns_name.normal(record.Name) then
    return true
  end
  local ok
  ok, err = change_record(op, "DELETE", record.zone, found)
  return ok or err.code == "InvalidChangeBatch" or err.code == "NoSuchHostedZone", err
end

--- Before a certificate is deleted: waits until nothing uses it, and removes the records that no other one needs.
function validation.release(op, scope)
  local ok, err = unused(op, scope)
  local live = ok and observe.item(op, scope)
  if not live then
    return ok, err
  end
  local others
  others, err = names_of_others(op, live.values.CertificateArn)
  if not others then
    return nil, err
  end
  local kept = {}
  for _, domain in ipairs(live.item.DomainValidationOptions or {}) do
    if others[bare(domain.DomainName)] and domain.ResourceRecord then
      kept[domain.ResourceRecord.Name] = true
    end
  end
  for _, record in ipairs(wanted_records(live.item, scope.DomainValidationOptions) or {}) do
    if record.zone and not kept[record.Name] then
      ok, err = remove_record(op, record)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

return validation
