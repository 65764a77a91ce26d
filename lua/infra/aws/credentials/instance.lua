-- Credentials of an EC2 instance's role, from the instance metadata service, version 2 ("IMDS credential provider" in
-- the SDKs and Tools Reference Guide). A provider of infra.aws.credentials, the last one: only asking tells whether
-- this is an instance, so it asks once, and briefly.

local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local local_endpoint = require "infra.aws.credentials.local_endpoint"

local instance = { title = "instance metadata (IMDS)", scope = "machine" }

local ENDPOINTS = { ipv4 = "http://169.254.169.254", ipv6 = "http://[fd00:ec2::254]" }
local TIMEOUT <const>, ATTEMPTS <const> = 1, 1 -- seconds and requests, unless configured
local TOKEN_LIFE <const> = "21600" -- seconds, the most
local ROLES <const> = "/latest/meta-data/iam/security-credentials/"

-- To the request for a token these say that the service knows version 1 only.
local OLD_SERVICE = { [403] = true, [404] = true, [405] = true }

-- When AWS cannot renew an instance's credentials in time, IMDS goes on with the old ones, and the services accept
-- them: they are good for another quarter of an hour and 2 to 10 minutes, different on every instance.
local NEARLY_OVER <const>, EXTENSION <const>, LEAST_JITTER <const>, MOST_JITTER <const> = 600, 900, 120, 600

local function is_true(text)
  return (text or ""):lower() == "true"
end

local function endpoint_of(config)
  local url = config:get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")
  local mode = config:get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode") or "IPv4"
  if url and not url:find "^https?://%g+$" then
    return errors.fail {
      code = "ConfigError",
      message = "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL, like http://host",
    }
  elseif not ENDPOINTS[mode:lower()] then
    return errors.fail {
      code = "ConfigError",
      message = ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is IPv4 or IPv6, not %q"):format(mode),
    }
  end
  return ((url or ENDPOINTS[mode:lower()]):gsub("/+$", ""))
end

-- Asks the service as often as configured; `headers` as host.http takes them.
local function ask(chain, path, headers, method)
  local config = chain.config
  local endpoint, err = endpoint_of(config)
  if not endpoint then
    return nil, err
  end
  local function number(variable, key, least, otherwise)
    return math.max(least, tonumber(config:get(variable, key)) or otherwise)
  end
  local attempts = number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", 1, ATTEMPTS)
  local timeout = number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", 0.1, TIMEOUT)
  local response
  for _ = 1, attempts do
    response, err = local_endpoint.send(chain.runtime, {
      method = method, url = endpoint .. path, headers = headers, timeout = timeout,
    })
    if response or err.http_status and err.http_status < 500 then
      break
    end
  end
  return response, err
end

-- The headers for all other requests; none for a service that has no tokens. Where the answer to PUT gets lost on its
-- way into a container (its hop limit is 1), version 1 still works, unless somebody switched it off.
local function session(chain)
  local response, err = ask(chain, "/latest/api/token",
    { { "x-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIFE } }, "PUT")
  if response then
    local token = response.body
    if not token:find "^%g+$" then
      return errors.fail { code = "BadCredentials", message = "it answered with no token" }
    end
    return { { "x-aws-ec2-metadata-token", token } }
  elseif not OLD_SERVICE[err.http_status] and not (err.code == "Timeout" and err.sent ~= false) then
    return nil, err
  elseif is_true(chain.config:get("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled")) then
    err.message = err.message .. " for a token, and version 1 is switched off (ec2_metadata_v1_disabled)"
    return nil, err
  end
  return {}
end

-- The values and the name of the role, or nil and an error.
local function fetch(chain)
  local headers, err = session(chain)
  local response = headers
  if response then
    response, err = ask(chain, ROLES, headers)
  end
  if not response then
    if err.http_status == 404 then
      err.message = err.message .. ", so this instance has no role"
    end
    return nil, err
  end
  local role = response.body:match "^%s*([%w+=,.@_-]+)%s*$"
  if not role then
    return errors.fail { code = "BadCredentials", message = "it answered with no name of a role" }
  end
  response, err = ask(chain, ROLES .. role, headers)
  local values
  if response then
    values, err = answer.document(response.body, "Token", "the role " .. role)
  end
  if not values then
    return nil, err
  end
  local now = chain.runtime.time()
  if values.expires_at and values.expires_at - now < NEARLY_OVER then
    local jitter = string.unpack("<I4", chain.runtime.random(4)) / 2 ^ 32
    values.expires_at = now + EXTENSION + LEAST_JITTER + jitter * (MOST_JITTER - LEAST_JITTER)
  end
  return values, role
end

function instance.find(chain)
  if is_true(chain.config.environment "AWS_EC2_METADATA_DISABLED") then
    return nil, chain.absent "AWS_EC2_METADATA_DISABLED is true"
  end
  local first, role = fetch(chain)
  if not first then
    return nil, role.code == "ConfigError" and role or chain.absent(role.message)
  end
  return {
    description = ("%s, role %s"):format(instance.title, role),
    fetch = function()
      local values, err = first, nil
      first = nil
      if not values then
        values, err = fetch(chain)
      end
      return values, err
    end,
  }
end

return instance
