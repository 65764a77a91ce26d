-- Where a request goes and what its signature says: host, signing region and name. Used by infra.aws.client; partitions
-- also by whoever writes ARNs. The hosts themselves are in infra.aws.endpoint_data.

local data = require "infra.aws.endpoint_data"
local errors = require "infra.errors"

local endpoints = {}

local DEFAULT_PORTS = { http = ":80", https = ":443" }

-- Endpoint prefix -> where older SDKs look whether the endpoint is the one from before regions had their own.
local LEGACY_SETTINGS = {
  s3 = { "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "s3_us_east_1_regional_endpoint" },
  sts = { "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints" },
}

local ADDRESSING_STYLES = { auto = true, virtual = true, path = true }

-- What has endpoints of a kind that is not supported: signing name -> parameter -> Lua pattern of its values -> what it
-- stands for.
local OTHER_ENDPOINTS = {
  s3 = {
    Bucket = {
      ["^arn:"] = "the ARN of an access point",
      ["%-%-x%-s3$"] = "a directory bucket",
      ["%-%-xa%-s3$"] = "an access point of a directory bucket",
      ["%-%-op%-s3$"] = "an access point of S3 on Outposts",
    },
    RequestRoute = { [""] = "a route of S3 Object Lambda" },
  },
  events = { EndpointId = { [""] = "a global endpoint" } },
  ses = { EndpointId = { [""] = "a multi-region endpoint" } },
}

local function words(text)
  local set = {}
  for word in text:gmatch "%S+" do
    set[word] = true
  end
  return set
end

-- Endpoint prefix -> its rows of endpoint_data.HOSTS: { places, variants = sets, host, home }.
local rows_of = {}
for _, row in ipairs(data.HOSTS) do
  local prefixes, places, variants, host, home = table.unpack(row, 1, 5)
  for prefix in pairs(words(prefixes)) do
    rows_of[prefix] = rows_of[prefix] or {}
    table.insert(rows_of[prefix], { places = words(places), variants = words(variants), host = host, home = home })
  end
end

local function find_row(prefix, partition, region, variant)
  for _, row in ipairs(rows_of[prefix] or {}) do
    local places, variants = row.places, row.variants
    if (places["*"] or places[partition.id] or places[region]) and (variants["*"] or variants[variant]) then
      return row
    end
  end
  return { host = data.HOST }
end

--- The partition of a region: { id = "aws-cn", suffix = "amazonaws.com.cn", ... } (infra.aws.endpoint_data).
function endpoints.partition(region)
  for _, partition in ipairs(data.PARTITIONS) do
    if region:find(partition.region) then
      return partition
    end
  end
end

-- A URL from the user's configuration as { scheme, host, base_path }; `origin` says where it is configured.
local function parse_url(url, origin)
  local scheme, host, base_path = (url .. "/"):match "^(https?)://([%w%.%-_:%[%]]+)(/[^?#%s]*)$"
  if not host then
    return errors.fail { code = "ConfigError", message = ("%s: %q is no endpoint URL, like https://host:port"):format(
      origin, url) }
  end
  local default_port = DEFAULT_PORTS[scheme]
  if host:sub(-#default_port) == default_port then
    host = host:sub(1, -#default_port - 1)
  end
  return { scheme = scheme, host = host:lower(), base_path = base_path:gsub("/+$", ""), custom = true,
    origin = origin }
end

-- Which of AWS's endpoints the configuration asks for.
local function variant_of(config, prefix)
  local fips, fips_err = config:flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
  local dual, dual_err = config:flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
  if fips_err or dual_err then
    return nil, fips_err or dual_err
  end
  local legacy = LEGACY_SETTINGS[prefix]
  legacy = legacy and config:get(table.unpack(legacy)) == "legacy"
  return fips and dual and "both" or fips and "fips" or dual and "dual" or legacy and "legacy" or "plain"
end

--- What the user's configuration (infra.aws.config) says about the endpoint of `service`, for endpoints.resolve:
---   url         the endpoint URL; `url`, when the caller was given one, comes before any that is configured
---   origin      where that is from, in words
---   variant     of AWS's own endpoints: "plain", "legacy", "fips", "dual" or "both" (infra.aws.endpoint_data); a URL
---               leaves nothing to choose
---   addressing  how S3's buckets are named: "virtual" in the host, "path", "auto"
--- or nil and an error. Names and precedence are those of the AWS SDKs and Tools Reference Guide.
function endpoints.settings(config, service, url)
  local metadata = service.metadata
  local settings, err = { url = url, origin = "--endpoint-url", variant = "plain" }
  if not url then
    settings.url, settings.origin = config:endpoint_url(metadata.serviceId or service.id)
    if errors.is(settings.origin) then
      return nil, settings.origin
    end
  end
  if not settings.url then
    settings.variant, err = variant_of(config, metadata.endpointPrefix)
    if not settings.variant then
      return nil, err
    end
  end
  local s3 = (config:profile() or {}).s3
  settings.addressing = type(s3) == "table" and s3.addressing_style or "auto"
  if not ADDRESSING_STYLES[settings.addressing] then
    local problem = ("has the S3 addressing_style %q, not auto, virtual or path"):format(settings.addressing)
    return config:refuse_profile(config.profile_name, problem)
  end
  return settings
end

-- Whether a text can be one label of a host name; any other would send requests to wherever it says.
local function is_label(text)
  return #text <= 63 and text:find "^%w[%w-]*$" and not text:find "-$"
end

-- AWS's own endpoint by a row's template.
local function own_endpoint(service, region, row, variant, partition)
  if not row.host then
    return errors.fail {
      code = "NoEndpoint",
      message = ("%s has no FIPS endpoint in %s"):format(service.id, region),
      hint = "set AWS_USE_FIPS_ENDPOINT, or use_fips_endpoint in the profile, to false",
    }
  end
  local is_fips, is_dual = variant == "fips" or variant == "both", variant == "dual" or variant == "both"
  local address = row.host:gsub("{(%l+)}", {
    service = service.metadata.endpointPrefix,
    region = region,
    home = row.home or partition.home,
    fips = is_fips and "-fips" or "",
    dns = partition.suffix,
    dual = partition.dual,
    suffix = is_dual and partition.dual or partition.suffix,
  })
  local host, base_path = address:match "^([^/]+)(.*)$"
  return { scheme = "https", host = host, base_path = base_path }
end

--- The endpoint of `service` (infra.models) in `region` (nil is enough for global services), with endpoints.settings
--- (default: AWS's plain endpoints): { scheme, host, base_path, signing_region, signing_name, addressing; custom = true
--- and origin, where it is from in words, when a URL decided }; or nil and an error.
function endpoints.resolve(service, region, settings)
  settings = settings or {}
  local metadata, variant = service.metadata, settings.variant or "plain"
  if region and not is_label(region) then
    return errors.fail { code = "ConfigError", message = ("%q is no AWS region"):format(region) }
  end
  local partition = endpoints.partition(region or "")
  local row = find_row(metadata.endpointPrefix, partition, region or "", variant)
  local is_global = row.host and not row.host:find("{region}", 1, true)
  if not is_global and not region then
    return errors.fail {
      code = "NoRegion",
      message = "no AWS region is configured",
      hint = "choose one with --region, AWS_REGION or `region` in the profile",
    }
  end
  local endpoint, err
  if settings.url then
    endpoint, err = parse_url(settings.url, settings.origin)
  else
    endpoint, err = own_endpoint(service, region, row, variant, partition)
  end
  if not endpoint then
    return nil, err
  end
  endpoint.signing_region = row.home or is_global and partition.home or region
  endpoint.signing_name = metadata.signingName or metadata.endpointPrefix
  endpoint.addressing = settings.addressing
  return endpoint
end

-- The bucket, when it belongs into the host: its name is a label, which one with dots is not (it would not match the
-- certificate), the host is no IP address, and it is AWS's host or the configuration says so.
local function virtual_bucket(endpoint, bucket)
  local wanted = endpoint.addressing == "virtual" or not endpoint.custom and endpoint.addressing ~= "path"
  local is_address = not endpoint.host:gsub(":%d+$", ""):find "%a" or endpoint.host:find "^%["
  local fits = #bucket >= 3 and is_label(bucket) and not bucket:find "%u"
  return wanted and fits and not is_address and bucket or nil
end

-- Nil, or the error for parameters that call for another kind of endpoint.
local function refuse(endpoint, params)
  for name, patterns in pairs(OTHER_ENDPOINTS[endpoint.signing_name] or {}) do
    for pattern, what in pairs(patterns) do
      if params[name] and params[name]:find(pattern) then
        return errors.new {
          code = "Unsupported",
          message = ("%s %q is %s, which is not supported"):format(name, params[name], what),
        }
      end
    end
  end
end

-- Nil, or the error for a host of ours that would lead elsewhere: its prefix is made of parameters.
local function refuse_host(host)
  for label in (host .. "."):gmatch "([^.]*)%." do
    if not is_label(label) then
      return errors.new { code = "ParamValidation", message = ("%q cannot be part of a host name"):format(label) }
    end
  end
end

--- Host and path (encoded) of `request`, as a protocol encoded it, at `endpoint`, or nil and an error. AWS's own hosts
--- take the operation's host prefix and S3's bucket; a configured endpoint is called exactly as configured, but for the
--- buckets of one whose addressing is "virtual".
function endpoints.address(endpoint, request, params)
  local err = refuse(endpoint, params)
  if err then
    return nil, err
  end
  local host, path = endpoint.host, request.path
  local bucket = endpoint.signing_name == "s3" and params.Bucket and virtual_bucket(endpoint, params.Bucket)
  if bucket and path:sub(2, #bucket + 1) == bucket then
    host = bucket .. "." .. host
    path = path:sub(#bucket + 2)
  end
  if request.host_prefix and not endpoint.custom then
    host = request.host_prefix .. host
    err = refuse_host(host)
    if err then
      return nil, err
    end
  end
  path = endpoint.base_path .. path
  return host, path == "" and "/" or path
end

return endpoints
