-- Where a request goes and what its signature says: host, signing region and name. Used by infra.aws.client; partitions
-- also by whoever writes ARNs.

local errors = require "infra.errors"

local endpoints = {}

-- Regions by name, first match. From botocore's partitions.json.
local PARTITIONS = {
  { id = "aws-cn", region = "^cn%-", suffix = "amazonaws.com.cn" },
  { id = "aws-us-gov", region = "^us%-gov%-", suffix = "amazonaws.com" },
  { id = "aws-iso", region = "^us%-iso%-", suffix = "c2s.ic.gov" },
  { id = "aws-iso-b", region = "^us%-isob%-", suffix = "sc2s.sgov.gov" },
  { id = "aws-iso-e", region = "^eu%-isoe%-", suffix = "cloud.adc-e.uk" },
  { id = "aws-iso-f", region = "^us%-isof%-", suffix = "csp.hci.ic.gov" },
  { id = "aws-eusc", region = "^eusc%-", suffix = "amazonaws.eu" },
  { id = "aws", region = "", suffix = "amazonaws.com" },
}

-- Services with one endpoint in the whole partition, whatever the region: endpoint prefix -> { signing region, host }.
-- From botocore's endpoints.json (partitionEndpoint, not regionalized).
local GLOBAL = {
  ["aws"] = {
    account = { "us-east-1", "account.us-east-1.amazonaws.com" },
    billingconductor = { "us-east-1", "billingconductor.us-east-1.amazonaws.com" },
    budgets = { "us-east-1", "budgets.amazonaws.com" },
    ce = { "us-east-1", "ce.us-east-1.amazonaws.com" },
    chime = { "us-east-1", "chime.us-east-1.amazonaws.com" },
    cloudfront = { "us-east-1", "cloudfront.amazonaws.com" },
    health = { "us-east-1", "global.health.amazonaws.com" },
    iam = { "us-east-1", "iam.amazonaws.com" },
    importexport = { "us-east-1", "importexport.amazonaws.com" },
    networkmanager = { "us-west-2", "networkmanager.us-west-2.amazonaws.com" },
    organizations = { "us-east-1", "organizations.us-east-1.amazonaws.com" },
    route53 = { "us-east-1", "route53.amazonaws.com" },
    savingsplans = { "us-east-1", "savingsplans.amazonaws.com" },
    shield = { "us-east-1", "shield.us-east-1.amazonaws.com" },
    support = { "us-east-1", "support.us-east-1.amazonaws.com" },
    tax = { "us-east-1", "tax.us-east-1.amazonaws.com" },
    waf = { "us-east-1", "waf.amazonaws.com" },
  },
  ["aws-cn"] = {
    account = { "cn-northwest-1", "account.cn-northwest-1.amazonaws.com.cn" },
    budgets = { "cn-northwest-1", "budgets.amazonaws.com.cn" },
    ce = { "cn-northwest-1", "ce.cn-northwest-1.amazonaws.com.cn" },
    cloudfront = { "cn-northwest-1", "cloudfront.cn-northwest-1.amazonaws.com.cn" },
    health = { "cn-northwest-1", "global.health.amazonaws.com.cn" },
    iam = { "cn-north-1", "iam.cn-north-1.amazonaws.com.cn" },
    organizations = { "cn-northwest-1", "organizations.cn-northwest-1.amazonaws.com.cn" },
    route53 = { "cn-northwest-1", "route53.amazonaws.com.cn" },
    support = { "cn-north-1", "support.cn-north-1.amazonaws.com.cn" },
  },
  ["aws-us-gov"] = {
    iam = { "us-gov-west-1", "iam.us-gov.amazonaws.com" },
    networkmanager = { "us-gov-west-1", "networkmanager.us-gov-west-1.amazonaws.com" },
    organizations = { "us-gov-west-1", "organizations.us-gov-west-1.amazonaws.com" },
    route53 = { "us-gov-west-1", "route53.us-gov.amazonaws.com" },
    support = { "us-gov-west-1", "support.us-gov-west-1.amazonaws.com" },
  },
}

local DEFAULT_PORTS = { http = ":80", https = ":443" }

--- The partition of a region: { id = "aws-cn", suffix = "amazonaws.com.cn" }.
function endpoints.partition(region)
  for _, partition in ipairs(PARTITIONS) do
    if region:find(partition.region) then
      return partition
    end
  end
end

-- A URL from the user's configuration as { scheme, host, base_path }.
local function parse_url(url)
  local scheme, host, base_path = (url .. "/"):match "^(https?)://([%w%.%-_:%[%]]+)(/[^?#%s]*)$"
  if not host then
    return errors.fail { code = "ConfigError", message = ("%q is no endpoint URL, like https://host:port"):format(url) }
  end
  local default_port = DEFAULT_PORTS[scheme]
  if host:sub(-#default_port) == default_port then
    host = host:sub(1, -#default_port - 1)
  end
  return { scheme = scheme, host = host:lower(), base_path = base_path:gsub("/+$", ""), custom = true }
end

--- The endpoint of `service` (infra.models) in `region` (nil is enough for global services): { scheme, host, base_path,
--- signing_region, signing_name, custom = true when `url`, the endpoint URL that the user configured, decided }; or nil
--- and an error.
function endpoints.resolve(service, region, url)
  local metadata = service.metadata
  local prefix = metadata.endpointPrefix
  if region and not region:find "^[%w-]+$" then
    return errors.fail { code = "ConfigError", message = ("%q is no AWS region"):format(region) }
  end
  local partition = endpoints.partition(region or "")
  local global = (GLOBAL[partition.id] or {})[prefix]
  if not global and not region then
    return errors.fail {
      code = "NoRegion",
      message = "no AWS region is configured",
      hint = "choose one with --region, AWS_REGION or `region` in the profile",
    }
  end
  local endpoint, err
  if url then
    endpoint, err = parse_url(url)
    if not endpoint then
      return nil, err
    end
  else
    local host = global and global[2] or ("%s.%s.%s"):format(prefix, region, partition.suffix)
    endpoint = { scheme = "https", host = host, base_path = "" }
  end
  endpoint.signing_region = global and global[1] or region
  endpoint.signing_name = metadata.signingName or prefix
  return endpoint
end

--- Host and path (encoded) of `request`, as a protocol encoded it, at `endpoint`. AWS's own hosts take the operation's
--- host prefix and S3's bucket; a configured endpoint is called exactly as configured, and a bucket whose name has dots
--- would not match the certificate.
function endpoints.address(endpoint, request, params)
  local host, path = endpoint.host, request.path
  if not endpoint.custom then
    local bucket = endpoint.signing_name == "s3" and params.Bucket
    if bucket and bucket:find "^[a-z0-9][a-z0-9-]+$" and path:sub(2, #bucket + 1) == bucket then
      host = bucket .. "." .. host
      path = path:sub(#bucket + 2)
    end
    host = (request.host_prefix or "") .. host
  end
  path = endpoint.base_path .. path
  return host, path == "" and "/" or path
end

return endpoints
