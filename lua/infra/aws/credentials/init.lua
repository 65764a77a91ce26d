-- Where the credentials of a request come from: AWS's provider chain, and what keeps its result fresh. Used by
-- infra.session, which gives infra.aws.client one credentials object.
--
-- A credentials object has get() -> values = { access_key, secret_key, session_token = text | nil, expires_at = unix
-- seconds | nil, account_id = text | nil, source = text for people } or nil and an error (it may wait, so it runs
-- inside a task), and expire(), which makes the next get() fetch new ones. They are asked for at every attempt: a long
-- apply outlives a one-hour session.
--
-- A provider is a file in this folder that returns
--   title, scope    what errors call it; and where it looks:
--                     "environment"  variables, not when a profile was asked for on the command line
--                     "profile"      settings of one profile, also of one that another profile refers to
--                     "machine"      what the machine offers to everything that runs on it
--   find(chain, wanted) -> { description = text for people, fetch() -> values without source | nil, err }, or nil and
--                   an error: chain.absent(why) lets the search go on, any other one ends it. Both may wait. wanted =
--                   { profile_name, profile = its settings, scopes, referrer = the `wanted` of the profile that refers
--                   to this one | nil }. Its values never leave their fetch in errors.

local Refreshing = require "infra.aws.credentials.refreshing"
local assume_role = require "infra.aws.credentials.assume_role"
local errors = require "infra.errors"
local static = require "infra.aws.credentials.static"

-- The AWS CLI's order, in which keys in the config file alone come after credential_process (see static).
local PROVIDERS = {
  "environment", "assume_role", "web_identity", "sso", "static", "console_login", "process", "container", "instance",
}

local Chain = { ABSENT = "NotConfigured" }
Chain.__index = Chain

local credentials = {}

--- Credentials that never change.
function credentials.fixed(values)
  return {
    get = function()
      return values
    end,
    expire = function() end,
  }
end

-- -- the search -------------------------------------------------------------------------------------------------------

--- The error of a provider that nothing is configured for.
function Chain.absent(why)
  return errors.new { code = Chain.ABSENT, message = why }
end

-- The settings of a profile that have a text.
local function texts(profile)
  local found = {}
  for key, value in pairs(profile or {}) do
    found[key] = type(value) == "string" and value ~= "" and value or nil
  end
  return found
end

-- The first source of credentials, or nil and an error; one that is chain.ABSENT says in its message what each provider
-- said.
local function search(self, wanted)
  local said = {}
  wanted.profile = texts(self.config:profile(wanted.profile_name))
  for _, name in ipairs(PROVIDERS) do
    local provider = require("infra.aws.credentials." .. name)
    if wanted.scopes[provider.scope] then
      local source, err = provider.find(self, wanted)
      if source or err.code ~= Chain.ABSENT then
        return source, err
      end
      said[#said + 1] = ("  %s: %s"):format(provider.title, err.message)
    end
  end
  return nil, Chain.absent(table.concat(said, "\n"))
end

--- The source of the credentials of a profile that the profile of `referrer` (a `wanted`) names, or nil and an error.
function Chain:source_profile(name, referrer)
  local profile = self.config:profile(name)
  if not profile then
    local err = self.config:unknown_profile(name)
    err.message = ("%s, which the AWS profile %q names as its source_profile"):format(err.message,
      referrer.profile_name)
    return nil, err
  end
  local at = referrer
  while at do
    -- Only keys of its own make a profile its own source.
    if at.profile_name == name and not (at == referrer and static.has_keys(profile)) then
      return self.config:refuse_profile(name, "takes its credentials from itself, by source_profile")
    end
    at = at.referrer
  end
  local source, err = search(self, { profile_name = name, scopes = { profile = true }, referrer = referrer })
  if not source and err.code == Chain.ABSENT then
    return errors.fail {
      code = "NoCredentials",
      message = ("the AWS profile %q, a source_profile, has no credentials:\n%s"):format(name, err.message),
    }
  end
  return source, err
end

local function find(self)
  local config = self.config
  local source, err = search(self, {
    profile_name = config.profile_name,
    scopes = { environment = not config.profile_is_explicit, profile = true, machine = true },
  })
  if not source and err.code == Chain.ABSENT then
    return errors.fail {
      code = "NoCredentials",
      message = ("no AWS credentials found. For the profile %q:\n%s"):format(config.profile_name, err.message),
      hint = "configure credentials as for the AWS CLI (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile " ..
        "chosen with AWS_PROFILE or --profile),\n  or add --sim to work on the simulated AWS",
    }
  end
  return source, err
end

-- -- credentials objects ----------------------------------------------------------------------------------------------

--- The credentials object of the provider chain. What the first get() finds stays the source for good. options:
--- runtime, config (infra.aws.config),
--- call = function(credentials object | nil, service, operation, params, region | nil) -> output | nil, err, which
--- providers call AWS with, without credentials where the operation needs none,
--- prompt = function(text) -> line | nil, err, which asks the user for an MFA code (optional).
function credentials.chain(options)
  local chain = setmetatable({
    runtime = assert(options.runtime),
    config = assert(options.config),
    call = assert(options.call),
    prompt = options.prompt or function() end,
  }, Chain)
  return Refreshing.new(chain.runtime, function() return find(chain) end)
end

--- The credentials object of a role = { role_arn, session_name = text | nil, external_id = text | nil, duration_seconds
--- = integer | nil } that the credentials object `source` may assume; runtime and call as for the chain.
function credentials.assume(runtime, call, source, role)
  local fetch = assume_role.opener("AssumeRole", {
    runtime = runtime,
    call = call,
    source = source,
    role_arn = assert(role.role_arn, "a role needs its role_arn"),
    session_name = role.session_name,
    duration_seconds = role.duration_seconds,
    more = function() return { ExternalId = role.external_id } end,
  })
  local found = { description = role.role_arn, fetch = fetch }
  return Refreshing.new(runtime, function() return found end)
end

return credentials
