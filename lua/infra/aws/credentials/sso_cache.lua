-- Access tokens of IAM Identity Center and the clients that got them, where and as the AWS CLI keeps them: each in a
-- JSON file in ~/.aws/sso/cache, so that a login with either tool serves both. Used by infra.aws.credentials.sso and
-- sso_login. Names and members are those of the AWS CLI, version 2 (botocore's SSOTokenLoader and SSOTokenFetcher).
--
-- A token is { accessToken, expiresAt, startUrl, region, and when it can be renewed: clientId, clientSecret,
-- registrationExpiresAt, refreshToken }; a client { clientId, clientSecret, expiresAt, scopes }. Their times are texts,
-- as answer.time writes them.

local clock = require "host.clock"
local crypto = require "host.crypto"
local fs = require "host.fs"
local json = require "host.json"

local sso_cache = {}

local function path_of(config, key)
  return ("%s/.aws/sso/cache/%s.json"):format(config.home, crypto.hex(crypto.sha1(key)))
end

local function token_key(session)
  return session.name or session.start_url
end

-- The text that Python's json.dumps(sort_keys=True) makes of what the client was registered for.
local function client_key(session)
  local function text(value)
    return value and json.encode(value) or "null"
  end
  local scopes = {}
  for i, scope in ipairs(session.scopes or {}) do
    scopes[i] = json.encode(scope)
  end
  return ('{"region": %s, "scopes": %s, "session_name": %s, "startUrl": %s, "tool": "botocore"}'):format(
    text(session.region), session.scopes and "[" .. table.concat(scopes, ", ") .. "]" or "null", text(session.name),
    text(session.start_url))
end

-- The object in a cache file; nil for a file that is missing or not what it should be: then there is no login.
local function read(config, key, members)
  local text = fs.read(path_of(config, key))
  local entry = text and json.decode(text)
  if type(entry) ~= "table" then
    return nil
  end
  for _, member in ipairs(members) do
    if type(entry[member]) ~= "string" then
      return nil
    end
  end
  return clock.parse_utc(entry.expiresAt) and entry
end

local function write(config, key, entry)
  local path = path_of(config, key)
  local ok, err = fs.mkdir(path:match "^(.*)/")
  if ok then
    ok, err = fs.write(path, json.encode(entry) .. "\n")
  end
  return ok, err
end

--- The token of a session (infra.aws.credentials.sso_session), which may have expired; nil for none.
function sso_cache.token(config, session)
  return read(config, token_key(session), { "accessToken", "expiresAt" })
end

--- Keeps a token: true, or nil and an error.
function sso_cache.keep_token(config, session, token)
  return write(config, token_key(session), token)
end

--- The client that was registered for a session, which may have expired; nil for none.
function sso_cache.client(config, session)
  return read(config, client_key(session), { "clientId", "clientSecret", "expiresAt" })
end

--- Keeps a client: true, or nil and an error.
function sso_cache.keep_client(config, session, client)
  return write(config, client_key(session), client)
end

return sso_cache
