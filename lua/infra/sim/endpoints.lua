-- Whom a request is for: the services that the simulated AWS has, found by host name or, for a request that came over
-- loopback, by the scope of its signature. Used by infra.sim.

local models = require "infra.models"
local uri = require "infra.aws.protocols.uri"

local endpoints = {}

-- As infra.models names them; the module of "sso-oidc" is infra.sim.sso_oidc.
local SERVICES = {
  "acm", "apigateway", "apigatewayv2", "backup", "cloudcontrol", "cloudfront", "cloudwatch", "codebuild",
  "codeconnections", "codepipeline", "codestar-connections", "ec2", "ecr", "elasticache", "events", "iam", "kms",
  "lambda", "logs", "pricing", "rds", "resourcegroupstaggingapi", "route53", "s3", "secretsmanager", "service-quotas",
  "sns", "ssm", "sso", "sso-oidc", "sts", "wafv2",
}

-- Those with operations that need no signature.
local UNSIGNED = { sts = true, sso = true, ["sso-oidc"] = true }

local DOMAINS = { "%.amazonaws%.com$", "%.amazonaws%.com%.cn$", "%.api%.aws$" }

local by_prefix, by_signing_name, unsigned -- arrays of services; read at first use

local function index()
  if not by_prefix then
    by_prefix, by_signing_name, unsigned = {}, {}, {}
    local function add(map, key, service)
      map[key] = map[key] or {}
      table.insert(map[key], service)
    end
    for _, id in ipairs(SERVICES) do
      local service = assert(models.service(id))
      local prefix = service.metadata.endpointPrefix
      add(by_prefix, prefix, service)
      add(by_signing_name, service.metadata.signingName or prefix, service)
      if UNSIGNED[id] then
        unsigned[#unsigned + 1] = service
      end
    end
  end
end

--- The request that infra.sim.wire and infra.sim.auth read, from host.http's.
function endpoints.parse(request)
  local authority, path, query = request.url:match("^%w+://([^/?]+)([^?]*)%??(.*)$")
  assert(authority, "not a URL")
  path = path == "" and "/" or path
  local parsed = {
    method = request.method,
    host = authority:gsub(":%d+$", ""):lower(),
    wire_path = path, -- as signed
    path = path,
    query_pairs = uri.decode_form(query),
    fields = {},
    headers = { host = authority },
    body = request.body or "",
    arrived = request.arrived,
  }
  for _, field in ipairs(parsed.query_pairs) do
    parsed.fields[field[1]] = parsed.fields[field[1]] or field[2]
  end
  for _, header in ipairs(request.headers or {}) do
    local name = header[1]:lower()
    local before = name ~= "host" and parsed.headers[name]
    parsed.headers[name] = before and before .. "," .. header[2] or header[2]
  end
  return parsed
end

-- "bucket.s3.us-east-1.amazonaws.com" as services, region, "bucket".
local function from_host(host)
  for _, domain in ipairs(DOMAINS) do
    local rest = host:find(domain) and host:gsub(domain, "")
    if rest then
      local before, region = rest:match("^(.*)%.(%l%l%-[%l-]+%-%d)$")
      local name, prefix = before or rest, nil
      repeat
        if by_prefix[name] then
          return by_prefix[name], region or "us-east-1", prefix
        end
        local label
        label, name = name:match("^([^.]+)%.(.+)$")
        prefix = label and (prefix and prefix .. "." .. label or label)
      until not label
    end
  end
end

-- Whether a host is of this machine, not of AWS: it says nothing about the service.
local function is_local(host)
  return not host:find("%a") or host:find("^%[") or host == "localhost"
end

-- Those that sign with this name. One that is not simulated can still be refused in its own words.
local function services_signed_for(name)
  local other = not by_signing_name[name] and models.service(name)
  return by_signing_name[name] or other and { other }
end

--- Adds to the request whom it is for: `services` (candidates that share an endpoint) and `region`; S3's virtual-hosted
--- paths become path-style. `scope` is the signature's { service, region }, or nil. Returns nil when no simulated
--- service has this address.
function endpoints.find(request, scope)
  index()
  local services, region, prefix = from_host(request.host)
  if services and services[1].id == "s3" and prefix then
    request.path = "/" .. prefix .. request.path
  elseif request.arrived or is_local(request.host) then
    services = scope and services_signed_for(scope.service) or unsigned
    region = scope and scope.region or "us-east-1"
  end
  request.services, request.region = services, region
  return services and request
end

return endpoints
