-- Route 53: hosted zones, record sets (route53_record.lua) and health checks. The vocabulary is in handler/schema.lua.

local change = require "infra.resources.route53_change"
local dns_name = require "infra.resources.dns_name"
local errors = require "infra.errors"
local json = require "host.json"
local read = require "infra.handler.read"

local types = { ["AWS::Route53::RecordSet"] = require "infra.resources.route53_record" }

local function tags_of(kind, id)
  return {
    arn = ("arn:${Partition}:route53:::%s/${%s}"):format(kind, id), form = "list",
    set = {
      "ChangeTagsForResource", send = { id .. "=ResourceId" }, with = { ResourceType = kind }, tags = "AddTags",
    },
    unset = {
      "ChangeTagsForResource", send = { id .. "=ResourceId" }, with = { ResourceType = kind }, keys = "RemoveTagKeys",
    },
    read = {
      "ListTagsForResources", list = "ResourceTagSets", key = "ResourceId", ids = "ResourceIds", max = 10, by = id,
      with = { ResourceType = kind }, item = "Tags", absent = { "NoSuchHostedZone", "NoSuchHealthCheck" },
    },
  }
end

-- -- hosted zones -----------------------------------------------------------------------------------------------------

-- A zone can be deleted when it has nothing but what it was born with. What else is in it may be somebody's: it is
-- named, not deleted.
local function refuse_records(op, scope)
  local output, err = op.context.client:all("route53", "ListResourceRecordSets", { HostedZoneId = scope.Id },
    { region = op.region })
  if not output then
    return read.is_gone(op, {}, err), err
  end
  local apex, names = dns_name.normal(scope.Name), {}
  for _, record in ipairs(output.ResourceRecordSets) do
    local own = dns_name.normal(record.Name) == apex and (record.Type == "NS" or record.Type == "SOA")
    names[#names + 1] = not own and ("%s %s"):format(record.Name, record.Type) or nil
  end
  if #names > 0 then
    return errors.fail {
      code = "HostedZoneNotEmpty", resource = op.address, source = op.source, service = "route53",
      message = "it still has records that are not the stack's: " .. table.concat(names, ", "),
      hint = "delete them, or keep the zone: give it { retain = true }",
    }
  end
  return true
end

types["AWS::Route53::HostedZone"] = {
  service = "route53", region = "us-east-1",
  identity = { "Id" },
  typical = { create = 35, delete = 2 },
  retry = change.retry,
  form = {},
  required = { "Name" },
  canonical = { Name = dns_name.normal },
  create = {
    "CreateHostedZone", send = { "Name", "HostedZoneConfig", "@token=CallerReference" },
    idempotent = true, exists = { "HostedZoneAlreadyExists" },
    settle = change.settle,
  },
  -- Several zones may have one name: only the reference of the create tells which is ours.
  find = {
    "ListHostedZones", list = "HostedZones", next = "Marker=NextMarker", same = { "@token=CallerReference" },
    adopt = { "Name" }, id = { "Id" },
  },
  read = {
    "GetHostedZone", send = { "Id" },
    map = { "Name=HostedZone.Name", "HostedZoneConfig=HostedZone.Config", "NameServers=DelegationSet.NameServers" },
    gives = { "Id" },
    decode = function(item, values)
      values.Id = item.HostedZone.Id:gsub("^/hostedzone/", "")
    end,
  },
  facets = {
    {
      properties = { "HostedZoneConfig" },
      write = {
        "UpdateHostedZoneComment", send = { "Id" },
        encode = function(params, scope)
          params.Comment = scope.HostedZoneConfig.Comment or ""
        end,
      },
      clear = { "UpdateHostedZoneComment", send = { "Id" }, with = { Comment = "" } },
    },
  },
  tags = tags_of("hostedzone", "Id"),
  delete = { "DeleteHostedZone", send = { "Id" }, before = refuse_records },
  gone = { "NoSuchHostedZone" },
}

-- -- health checks ----------------------------------------------------------------------------------------------------

-- What an update empties only when it is told so by name.
local RESETTABLE = { "ChildHealthChecks", "FullyQualifiedDomainName", "Regions", "ResourcePath" }

-- The members that an update does not take: changing them makes another health check.
local FIXED = { "Type", "RequestInterval", "MeasureLatency", "RoutingControlArn" }

local function is_another(_, before, after)
  for _, name in ipairs(FIXED) do
    if after[name] ~= nil and after[name] ~= before[name] then
      return true
    end
  end
  return false
end

-- The configuration's members are the update's own.
local function flatten(params, _, _, live)
  local config = params.HealthCheckConfig
  params.HealthCheckConfig = nil
  for name, value in pairs(config) do
    params[name] = value
  end
  for _, name in ipairs(FIXED) do
    params[name] = nil
  end
  for _, name in ipairs(RESETTABLE) do
    local before = live and live.values.HealthCheckConfig[name]
    if params[name] == nil and before ~= nil and before ~= "" and next(type(before) == "table" and before or { 1 }) then
      params.ResetElements = params.ResetElements or json.array {}
      table.insert(params.ResetElements, name)
    end
  end
end

types["AWS::Route53::HealthCheck"] = {
  service = "route53", region = "us-east-1",
  identity = { "HealthCheckId" },
  typical = { create = 2, delete = 2 },
  lock = { value = "@version", stale = { "HealthCheckVersionMismatch" } },
  form = { sets = { "HealthCheckConfig.Regions", "HealthCheckConfig.ChildHealthChecks" } },
  create = {
    "CreateHealthCheck", send = { "HealthCheckConfig", "@token=CallerReference" }, result = "HealthCheck",
    idempotent = true, exists = { "HealthCheckAlreadyExists" },
  },
  find = {
    "ListHealthChecks", list = "HealthChecks", next = "Marker=NextMarker", same = { "@token=CallerReference" },
    id = { "HealthCheckId=Id" },
  },
  read = {
    "ListHealthChecks", list = "HealthChecks", key = "Id", all = true,
    map = { "HealthCheckId=Id", "HealthCheckConfig", "@version=HealthCheckVersion" },
  },
  facets = {
    {
      properties = { "HealthCheckConfig" },
      write = {
        "UpdateHealthCheck", send = { "HealthCheckId", "@version=HealthCheckVersion", "HealthCheckConfig" },
        encode = flatten,
      },
    },
  },
  tags = tags_of("healthcheck", "HealthCheckId"),
  replaces = is_another,
  delete = { "DeleteHealthCheck", send = { "HealthCheckId" } },
  gone = { "NoSuchHealthCheck" },
}

return types
