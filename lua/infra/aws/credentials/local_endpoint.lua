-- Requests to the endpoints that hand out credentials to whatever runs on a machine: of containers and of instances.
-- Used by their providers.

local answer = require "infra.aws.credentials.answer"
local errors = require "infra.errors"
local json = require "host.json"

local local_endpoint = {}

local MAX_BODY <const> = 64 * 1024

-- What the endpoint says of its refusal, where it says it in the usual members; anything else may be secret.
local function reason(response)
  local given = json.decode(response.body)
  local message = type(given) == "table" and (given.message or given.Message)
  return type(message) == "string" and ": " .. answer.quote(message) or ""
end

--- The response with status 200, or nil and an error that names the URL without its path, which in containers is a
--- secret; err.status is that of any other response. request = { url, method = "GET", headers, timeout = seconds }.
function local_endpoint.send(runtime, request)
  local response, err = runtime.send {
    method = request.method or "GET",
    url = request.url,
    headers = request.headers,
    timeout = request.timeout,
    connect_timeout = request.timeout,
    max_body = MAX_BODY,
    no_proxy = true,
  }
  local at = request.url:match "^%w+://[^/?#]*"
  if not response then
    err.message = ("%s: %s"):format(at, err.message)
    return nil, err
  elseif response.status ~= 200 then
    return errors.fail {
      code = "CredentialEndpoint",
      message = ("%s: HTTP %d%s"):format(at, response.status, reason(response)),
      http_status = response.status,
    }
  end
  return response
end

return local_endpoint
