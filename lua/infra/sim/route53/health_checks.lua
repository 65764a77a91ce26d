-- Health checks of the simulated Route 53. Kept in the account's global store, kind "check", by id; kind
-- "check_reference" by caller reference, also of deleted ones.

local json = require "host.json"
local merged = require "infra.merged"
local paging = require "infra.sim.paging"

local health_checks = { operations = {} }
local operations = health_checks.operations

local PAGE <const> = 100
local DEFAULT_PORTS = { HTTP = 80, HTTP_STR_MATCH = 80, HTTPS = 443, HTTPS_STR_MATCH = 443 }
local REGIONS = {
  "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1",
}
local IMMUTABLE = { "Type", "RequestInterval", "MeasureLatency" }

--- The health check with this id, or NoSuchHealthCheck.
function health_checks.find(ctx, id)
  local check = ctx.global:get("check", id)
  if not check then
    ctx:fail("NoSuchHealthCheck", ("A health check with id %s does not exist."):format(id), 404)
  end
  return check
end

local find = health_checks.find

local function render(check)
  return { Id = check.Id, CallerReference = check.CallerReference, HealthCheckVersion = check.version,
    HealthCheckConfig = check.config }
end

local function complete(config)
  local full = merged(config)
  full.Port = full.Port or DEFAULT_PORTS[full.Type]
  full.RequestInterval, full.FailureThreshold = full.RequestInterval or 30, full.FailureThreshold or 3
  if full.EnableSNI == nil and full.Type:find "^HTTPS" then
    full.EnableSNI = true
  end
  for _, name in ipairs { "MeasureLatency", "Inverted", "Disabled" } do
    full[name] = full[name] or false
  end
  full.Regions = full.Regions or REGIONS
  return full
end

local function check_config(ctx, config)
  local address = config.IPAddress or ""
  if address:find "^10%." or address:find "^192%.168%." or address:find "^127%." or address:find "^0%." then
    ctx:fail("InvalidInput", ("The IP address %s is not allowed."):format(address), 400)
  elseif #(config.Regions or REGIONS) < 3 then
    ctx:fail("InvalidInput", "You must specify at least three regions.", 400)
  elseif config.Type ~= "CALCULATED" and config.Type ~= "CLOUDWATCH_METRIC" and address == ""
    and not config.FullyQualifiedDomainName then
    ctx:fail("InvalidInput", "Either IPAddress or FullyQualifiedDomainName is required.", 400)
  end
end

function operations.CreateHealthCheck(ctx, params)
  local config = params.HealthCheckConfig
  check_config(ctx, config)
  local known = ctx.global:get("check_reference", params.CallerReference)
  if known then
    local existing = ctx.global:get("check", known.check)
    if not existing or known.config ~= json.encode(config) then
      ctx:fail("HealthCheckAlreadyExists", ("A health check with caller reference %s already exists."):format(
        params.CallerReference), 409)
    end
    return { HealthCheck = render(existing), Location = "/2013-04-01/healthcheck/" .. existing.Id }
  end
  local id = ctx.uuid()
  local check = { Id = id, CallerReference = params.CallerReference, version = 1, config = complete(config), tags = {} }
  ctx.global:put("check", id, check)
  ctx.global:put("check_reference", params.CallerReference, { check = id, config = json.encode(config) })
  return { HealthCheck = render(check), Location = "https://route53.amazonaws.com/2013-04-01/healthcheck/" .. id }
end

function operations.GetHealthCheck(ctx, params)
  return { HealthCheck = render(find(ctx, params.HealthCheckId)) }
end

function operations.ListHealthChecks(ctx, params)
  local list = {}
  for _, check in ctx.global:each("check") do
    list[#list + 1] = check
  end
  local limit = math.min(tonumber(params.MaxItems) or PAGE, PAGE)
  local page, token = paging.page(ctx, list, function(check) return check.Id end, params.Marker, limit)
  if not page then
    ctx:fail("InvalidInput", "The marker is not valid.", 400)
  end
  for i, check in ipairs(page) do
    page[i] = render(check)
  end
  return {
    HealthChecks = page, IsTruncated = token ~= nil, NextMarker = token, Marker = params.Marker or "",
    MaxItems = tostring(limit),
  }
end

function operations.UpdateHealthCheck(ctx, params)
  local check = find(ctx, params.HealthCheckId)
  if params.HealthCheckVersion and params.HealthCheckVersion ~= check.version then
    ctx:fail("HealthCheckVersionMismatch", "The health check has another version.", 409)
  end
  local config = merged(check.config, params)
  config.HealthCheckId, config.HealthCheckVersion, config.ResetElements = nil, nil, nil
  for _, name in ipairs(params.ResetElements or {}) do
    config[name] = nil
  end
  for _, name in ipairs(IMMUTABLE) do
    config[name] = check.config[name]
  end
  check_config(ctx, config)
  check.config, check.version = complete(config), check.version + 1
  ctx.global:put("check", check.Id, check)
  return { HealthCheck = render(check) }
end

-- Records that use it do not hinder this.
function operations.DeleteHealthCheck(ctx, params)
  local check = find(ctx, params.HealthCheckId)
  ctx.global:delete("check", check.Id)
  return {}
end

return health_checks
