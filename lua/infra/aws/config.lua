-- The user's AWS configuration as one object: shared files, environment variables and the profile in force. Used by
-- infra.session, and by credentials, endpoints and retry, which read their settings from it.
--
-- Precedence and names are those of the AWS SDKs and Tools Reference Guide: what was asked for on the command line,
-- then the environment, then the profile.

local errors = require "infra.errors"
local fs = require "host.fs"
local ini = require "infra.aws.ini"
local sorted_keys = require "infra.sorted_keys"

local Config = {}
Config.__index = Config

local FLAGS = { ["true"] = true, ["false"] = false }

local function read_sections(path)
  local text, err = fs.read(path)
  if not text then
    if err.code == "ENOENT" or err.code == "ENOTDIR" then
      return {}
    end
    return nil, err
  end
  return ini.parse(text, path)
end

-- Adds a section of the file `path` to what is known of its name.
local function merge(self, known, section, path)
  local settings = known[section.name] or {}
  local origins = self.origins[settings] or {}
  known[section.name], self.origins[settings] = settings, origins
  local origin = { path = path, where = ("%s:%d"):format(path, section.line) }
  origins[1] = origin
  for key, value in pairs(section.settings) do
    settings[key], origins[key] = value, origin
  end
end

-- Which table of the configuration a section belongs to; nil for one that is not ours to understand.
local function collection(self, section, is_credentials)
  if is_credentials then
    return section.kind == nil and self.profiles
  elseif section.kind == "profile" or (section.kind == nil and section.name == "default") then
    return self.profiles
  end
  return section.kind == "sso-session" and self.sso_sessions or section.kind == "services" and self.services
end

--- The configuration, or nil and an error (a file that cannot be understood, a profile that does not exist).
--- options: profile (from the command line), environment = function(name) -> text | nil (os.getenv).
function Config.load(options)
  options = options or {}
  local read_variable = options.environment or os.getenv
  local function environment(name) -- a variable set to nothing is as good as none
    local value = read_variable(name)
    return value ~= "" and value or nil
  end
  local home = environment "HOME" or fs.home()
  local self = setmetatable({
    environment = environment,
    home = home,
    profiles = {}, -- name -> settings, both files merged: the credentials file wins
    sso_sessions = {},
    services = {},
    origins = {}, -- settings -> where each of their keys, by name, and the last section of all, as 1, come from
    profile_is_explicit = options.profile ~= nil,
    profile_name = options.profile or environment "AWS_DEFAULT_PROFILE" or environment "AWS_PROFILE" or "default",
  }, Config)
  local function expand(path)
    return (path:gsub("^~", function()
      return home
    end))
  end
  self.files = {
    config = expand(environment "AWS_CONFIG_FILE" or "~/.aws/config"),
    credentials = expand(environment "AWS_SHARED_CREDENTIALS_FILE" or "~/.aws/credentials"),
  }
  for _, kind in ipairs { "config", "credentials" } do
    local path = self.files[kind]
    local sections, err = read_sections(path)
    if not sections then
      return nil, err
    end
    for _, section in ipairs(sections) do
      local into = collection(self, section, kind == "credentials")
      if into then
        merge(self, into, section, path)
      end
    end
  end
  if self.profile_name ~= "default" and not self.profiles[self.profile_name] then
    return nil, self:unknown_profile(self.profile_name)
  end
  return self
end

--- Where a setting of `settings` (a profile, an SSO session or a services section of this configuration) was made, or
--- without `key` the whole: { path = the file, where = "path:line" of its section }; nil for none.
function Config:origin(settings, key)
  return (self.origins[settings] or {})[key or 1]
end

--- The error for something wrong in the profile `name`: nil and "PATH:LINE: the profile ... `problem`".
function Config:refuse_profile(name, problem, hint)
  local origin = self:origin(self:profile(name))
  return errors.fail {
    code = "ConfigError",
    message = ("%sthe AWS profile %q %s"):format(origin and origin.where .. ": " or "", name, problem),
    hint = hint,
  }
end

--- The error for a profile that no file has.
function Config:unknown_profile(name)
  local names = sorted_keys(self.profiles)
  return errors.new {
    code = "UnknownProfile",
    message = ("there is no AWS profile %q"):format(name),
    hint = #names > 0 and "profiles in your AWS configuration: " .. table.concat(names, ", ")
      or "your AWS configuration has no profiles",
  }
end

--- The settings of profile `name` (the one in force by default), or nil.
function Config:profile(name)
  return self.profiles[name or self.profile_name]
end

--- A setting that the environment may give as `variable` and the profile in force as `key`; nil for none.
function Config:get(variable, key)
  local profile = self:profile()
  return self.environment(variable) or profile and profile[key] or nil
end

--- A setting as Config:get, that is true or false (without one: false); or nil and an error.
function Config:flag(variable, key)
  local text = self:get(variable, key)
  local value = FLAGS[(text or "false"):lower()]
  if value == nil then
    return errors.fail { code = "ConfigError", message = ("%s is %q, not true or false"):format(key, text) }
  end
  return value
end

--- The region in force: the one asked for, AWS_REGION, AWS_DEFAULT_REGION, the profile's; nil for none.
function Config:region(asked_for)
  return asked_for or self:get("AWS_REGION") or self:get("AWS_DEFAULT_REGION", "region")
end

--- The endpoint URL configured for the service whose C2J serviceId is `service_id` ("Secrets Manager"), and in words
--- where; nil for none, or nil and an error when the profile names a services section that does not exist.
function Config:endpoint_url(service_id)
  local ignore, err = self:flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
  if ignore ~= false then
    return nil, err
  end
  local name = service_id:gsub("[ -]", "_")
  for _, variable in ipairs { "AWS_ENDPOINT_URL_" .. name:upper(), "AWS_ENDPOINT_URL" } do
    local url = self:get(variable)
    if url then
      return url, variable
    end
  end
  local profile = self:profile()
  if not profile then
    return nil
  end
  if profile.services then
    local services = self.services[profile.services]
    if not services then
      return self:refuse_profile(self.profile_name, ("names the section [services %s], which does not exist"):format(
        profile.services))
    end
    local settings = services[name:lower()]
    if type(settings) == "table" and settings.endpoint_url then
      return settings.endpoint_url, ("[services %s]"):format(profile.services)
    end
  end
  return profile.endpoint_url, profile.endpoint_url and ("the profile %q"):format(self.profile_name)
end

return Config
