-- Access tokens from IAM Identity Center: with a person at a browser (the OAuth 2.0 device authorization grant, RFC
-- 8628), and later with a refresh token and nobody. Used by `infra login` and by infra.aws.credentials.sso; `context`
-- is what both have: { runtime, config, call (see infra.aws.credentials) }.

local answer = require "infra.aws.credentials.answer"
local clock = require "host.clock"
local errors = require "infra.errors"
local sso_cache = require "infra.aws.credentials.sso_cache"

local sso_login = {}

local DEVICE_GRANT <const> = "urn:ietf:params:oauth:grant-type:device_code"
local INTERVAL <const>, SLOW_DOWN <const> = 5, 5 -- seconds; RFC 8628, sections 3.2 and 3.5
local LEAST_INTERVAL <const> = 1 -- second, whatever the answer says
local SPARE <const> = 15 * 60 -- seconds that a registered client must still be good for

-- What CreateToken says while the person has not decided yet -> seconds to add to the interval.
local PENDING = { AuthorizationPendingException = 0, SlowDownException = SLOW_DOWN,
  authorization_pending = 0, slow_down = SLOW_DOWN }

-- What it says when there will be no token.
local TOO_LATE <const>, REFUSED <const> = "the code was not confirmed in time", "it was refused in the browser"
local REFUSALS = { ExpiredTokenException = TOO_LATE, expired_token = TOO_LATE,
  AccessDeniedException = REFUSED, access_denied = REFUSED }

-- Whether a time of the cache is at most `spare` seconds away; one that cannot be read has passed.
local function is_near(context, time, spare)
  return (type(time) == "string" and clock.parse_utc(time) or 0) - context.runtime.time() <= spare
end

-- A call without credentials, whose answer has all of `members`.
local function ask(context, session, operation, params, members)
  local output, err = context.call(nil, "sso-oidc", operation, params, session.region)
  if not output then
    local description = (err.fields or {}).error_description
    err.message = type(description) == "string" and answer.quote(description) or err.message
    return nil, err
  end
  for _, member in ipairs(members) do
    if not output[member] then
      return errors.fail {
        code = "BadCredentials",
        message = ("IAM Identity Center answered %s without %s"):format(operation, member),
      }
    end
  end
  return output
end

-- The token in CreateToken's output, as the cache has it now.
local function keep(context, session, client, output)
  local token = {
    startUrl = session.start_url,
    region = session.region,
    accessToken = output.accessToken,
    expiresAt = answer.time(context.runtime.time() + output.expiresIn),
    clientId = client.clientId,
    clientSecret = client.clientSecret,
    registrationExpiresAt = client.expiresAt,
    refreshToken = output.refreshToken,
  }
  local ok, err = sso_cache.keep_token(context.config, session, token)
  return ok and token, err
end

local function register(context, session)
  local output, err = ask(context, session, "RegisterClient", {
    clientName = "infra-" .. (session.name or "legacy"),
    clientType = "public",
    scopes = session.scopes,
  }, { "clientId", "clientSecret", "clientSecretExpiresAt" })
  if not output then
    return nil, err
  end
  local client = {
    clientId = output.clientId,
    clientSecret = output.clientSecret,
    expiresAt = answer.time(output.clientSecretExpiresAt),
    scopes = session.scopes,
  }
  local ok
  ok, err = sso_cache.keep_client(context.config, session, client)
  return ok and client, err
end

-- A client that the AWS CLI registered for its browser login cannot do this one.
local function kept_client(context, session)
  local client = sso_cache.client(context.config, session)
  return client and not client.grantTypes and not is_near(context, client.expiresAt, SPARE) and client or nil
end

local AUTHORIZATION = { "deviceCode", "userCode", "verificationUri", "expiresIn" }

-- The authorization that a person has to confirm, and the client that asked for it.
local function authorize(context, session)
  local client, authorization, err
  local function start()
    return ask(context, session, "StartDeviceAuthorization", {
      clientId = client.clientId, clientSecret = client.clientSecret, startUrl = session.start_url,
    }, AUTHORIZATION)
  end
  client = kept_client(context, session)
  if client then
    authorization, err = start()
    if authorization or err.code ~= "InvalidClientException" then
      return authorization, authorization and client or err
    end
  end
  client, err = register(context, session)
  if not client then
    return nil, err
  end
  authorization, err = start()
  return authorization, authorization and client or err
end

--- Signs a person in and keeps the token: the token, or nil and an error. show { code, url, complete_url = text | nil }
--- is called once, and tells that person what to do.
function sso_login.by_device(context, session, show)
  local authorization, client = authorize(context, session)
  if not authorization then
    return nil, client
  end
  local ends = context.runtime.time() + authorization.expiresIn
  local interval = math.max(LEAST_INTERVAL, authorization.interval or INTERVAL)
  show {
    code = authorization.userCode,
    url = authorization.verificationUri,
    complete_url = authorization.verificationUriComplete,
  }
  local output, err
  repeat
    context.runtime.scheduler:sleep(math.min(interval, ends - context.runtime.time()))
    output, err = ask(context, session, "CreateToken", {
      clientId = client.clientId,
      clientSecret = client.clientSecret,
      deviceCode = authorization.deviceCode,
      grantType = DEVICE_GRANT,
    }, { "accessToken", "expiresIn" })
    local said = err and (PENDING[err.code] and err.code or (err.fields or {}).error or err.code)
    if err and not PENDING[said] then
      err.message = REFUSALS[said] or err.message
      return nil, err
    end
    interval = interval + (PENDING[said] or 0)
  until output or context.runtime.time() >= ends
  if not output then
    return errors.fail { code = "ExpiredTokenException", message = TOO_LATE }
  end
  return keep(context, session, client, output)
end

--- Renews a token and keeps the new one: that, or nil and an error (it cannot be renewed, AWS does not want to).
function sso_login.by_refresh(context, session, token)
  if not token.refreshToken or is_near(context, token.registrationExpiresAt, 0) then
    return errors.fail { code = "NotRenewable", message = "the token cannot be renewed" }
  end
  local client = {
    clientId = token.clientId, clientSecret = token.clientSecret, expiresAt = token.registrationExpiresAt,
  }
  local output, err = ask(context, session, "CreateToken", {
    clientId = client.clientId,
    clientSecret = client.clientSecret,
    refreshToken = token.refreshToken,
    grantType = "refresh_token",
  }, { "accessToken", "expiresIn" })
  if not output then
    return nil, err
  end
  return keep(context, session, client, output)
end

return sso_login
