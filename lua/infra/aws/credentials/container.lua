-- Credentials from the endpoint that ECS, EKS Pod Identity and CodeBuild give to a container ("Container credential
-- provider" in the SDKs and Tools Reference Guide). A provider of infra.aws.credentials.

local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local fs = require "host.fs"
local local_endpoint = require "infra.aws.credentials.local_endpoint"

local container = { title = "container endpoint", scope = "machine" }

local ECS <const> = "http://169.254.170.2"
local TIMEOUT <const>, ATTEMPTS <const>, PAUSE <const> = 2, 3, 1 -- seconds, requests, seconds between them

-- Without TLS the request may go to this machine and to AWS's own endpoints on it: ECS, and EKS Pod Identity twice.
local PLAIN_HOSTS = {
  ["localhost"] = true, ["[::1]"] = true,
  ["169.254.170.2"] = true, ["169.254.170.23"] = true, ["[fd00:ec2::23]"] = true,
}

local function refuse(problem)
  return errors.fail { code = "ConfigError", message = problem }
end

local function url_of(config)
  local relative = config.environment "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  if relative then
    if not relative:find "^/%g*$" then
      return refuse "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must be a path, beginning with /"
    end
    return ECS .. relative
  end
  local full = config.environment "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  local scheme, authority, rest = full:match "^(https?)://([^/?]+)(%g*)$"
  local host = (authority or ""):gsub(":%d+$", "")
  -- Another reader of the URL must not find another host in it, so there is nothing in it but a host.
  if not rest or not (host:find "^[%w.-]+$" or host:find "^%[[%x:.]+%]$") then
    return refuse "AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL, like https://host/path"
  elseif scheme == "http" and not PLAIN_HOSTS[host:lower()] and not host:find "^127%.%d+%.%d+%.%d+$" then
    return refuse(("AWS_CONTAINER_CREDENTIALS_FULL_URI: %s is allowed with https only"):format(host))
  end
  return full
end

-- The file comes first, and is read every time: whoever writes it replaces the token before it ends.
local function authorization(config)
  local token = config.environment "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  local path = config.environment "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
  if path then
    local text, err = fs.read(path)
    if not text then
      return errors.fail { code = err.code, message = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " .. err.message }
    end
    token = text
  end
  if token and token:find "%c" then
    return refuse(("the token of %s has a line break or another control character in it"):format(
      path and "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" or "AWS_CONTAINER_AUTHORIZATION_TOKEN"))
  end
  return { { "Accept", "application/json" }, token and { "Authorization", token } }
end

local function fetch(chain, url)
  local headers, err = authorization(chain.config)
  if not headers then
    return nil, err
  end
  local response
  for attempt = 1, ATTEMPTS do
    response, err = local_endpoint.send(chain.runtime, { url = url, headers = headers, timeout = TIMEOUT })
    if response then
      return answer.document(response.body, "Token", container.title)
    elseif attempt == ATTEMPTS or (err.http_status or 500) < 500 then
      break
    end
    chain.runtime.scheduler:sleep(PAUSE)
  end
  err.message = ("%s at %s"):format(container.title, err.message)
  return nil, err
end

function container.find(chain)
  local variable = chain.config.environment
  if not variable "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" and not variable "AWS_CONTAINER_CREDENTIALS_FULL_URI" then
    return nil, chain.absent("neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI " ..
      "is set")
  end
  local url, err = url_of(chain.config)
  if not url then
    return nil, err
  end
  return {
    description = container.title .. " " .. url:match "^%w+://[^/?#]*",
    fetch = function() return fetch(chain, url) end,
  }
end

return container
