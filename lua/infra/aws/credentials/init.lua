-- Where the credentials of a request come from: AWS's provider chain, and what keeps its result fresh. Used by
-- infra.session, which gives infra.aws.client one credentials object.
--
-- A credentials object has get() -> { access_key, secret_key, session_token = text | nil, expires_at = unix seconds |
-- nil, account_id = text | nil } or nil and an error (it may wait, so it runs inside a task), and expire(), which makes
-- the next get() fetch new ones. They are asked for at every attempt: a long apply outlives a one-hour session.

local errors = require "infra.errors"

-- The chain, in order; each is a file in this folder that returns
--   scope            "environment": looked at once; "profile": looked at for a profile and for those it refers to
--   load(chain, profile_name, visited) -> credentials | nil (not configured) | nil, err (configured, but failing:
--                    ends the search)
local PROVIDERS = { "environment", "assume_role", "static" }

-- Credentials are renewed this long before they end, or after three quarters of their life if that is later.
local RENEW_BEFORE <const> = 15 * 60
-- Between attempts to renew credentials that are still good.
local RENEW_PAUSE <const> = 60

local Chain = {}
Chain.__index = Chain

local credentials = {}

--- Credentials that never change: { access_key, secret_key, session_token }.
function credentials.fixed(values)
  return {
    get = function()
      return values
    end,
    expire = function() end,
  }
end

--- The provider chain. options: runtime, config (infra.aws.config),
--- call = function(credentials object, service, operation, params) -> output | nil, err, which providers call AWS with,
--- prompt = function(text) -> line | nil, which asks the user for an MFA code (optional).
function credentials.chain(options)
  return setmetatable({
    runtime = assert(options.runtime),
    config = assert(options.config),
    call = assert(options.call),
    prompt = options.prompt or function() end,
    renew_at = -math.huge,
  }, Chain)
end

local function search(self, scope, profile_name, visited)
  for _, name in ipairs(PROVIDERS) do
    local provider = require("infra.aws.credentials." .. name)
    if scope[provider.scope] then
      local found, err = provider.load(self, profile_name, visited)
      if found or err then
        return found, err
      end
    end
  end
end

--- The credentials of the profile that another one takes its own from, nil and an error when there are none. `visited`
--- is the set of profiles on the way here. Keys in the profile itself come before its role, so that a profile may name
--- itself as the source of its role.
function Chain:source(profile_name, visited)
  if not self.config:profile(profile_name) then
    return nil, self.config:unknown_profile(profile_name)
  end
  local found, err = require("infra.aws.credentials.static").load(self, profile_name)
  if found or err then
    return found, err
  elseif visited[profile_name] then
    return errors.fail {
      code = "ConfigError",
      message = ("the AWS profile %q takes its credentials from itself"):format(profile_name),
    }
  end
  found, err = search(self, { profile = true }, profile_name, visited)
  if not found and not err then
    return errors.fail {
      code = "NoCredentials",
      message = ("the AWS profile %q has no credentials"):format(profile_name),
    }
  end
  return found, err
end

local function load(self)
  local scope = { profile = true, environment = not self.config.profile_is_explicit }
  local found, err = search(self, scope, self.config.profile_name, {})
  if not found and not err then
    return errors.fail {
      code = "NoCredentials",
      message = "no AWS credentials found",
      hint = "configure credentials as for the AWS CLI (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile " ..
        "chosen with AWS_PROFILE or --profile),\n  or add --sim to work on the simulated AWS",
    }
  end
  return found, err
end

local function renew(self)
  local found, err = load(self)
  local now = self.runtime.time()
  self.loading = nil
  if found then
    local lifetime = found.expires_at and found.expires_at - now or math.huge
    self.current = found
    self.renew_at = now + lifetime - math.min(RENEW_BEFORE, lifetime / 4)
  elseif self.current and self.current.expires_at and now < self.current.expires_at then
    self.renew_at = now + RENEW_PAUSE
  else
    return nil, err
  end
  return self.current
end

--- See the head of this file. Tasks that need new credentials at the same time share one search for them.
function Chain:get()
  if self.runtime.time() < self.renew_at then
    return self.current
  end
  self.loading = self.loading or self.runtime.scheduler:spawn(renew, self)
  local found, err = self.loading:join()
  if found then
    return found
  end
  local own = {} -- each task writes into its error what it was doing
  for name, value in pairs(err) do
    own[name] = value
  end
  return errors.fail(own)
end

--- AWS called the credentials expired, whatever their date says.
function Chain:expire()
  self.current = nil
  self.renew_at = -math.huge
end

return credentials
