-- One run against one AWS, the real one or the simulated one: the runtime and the client, built from the user's options
-- and configuration. Used by every command that talks to AWS, and the only place that knows which AWS it is.

local crypto = require "host.crypto"
local fs = require "host.fs"
local loop = require "host.loop"
local tty = require "host.tty"

local Client = require "infra.aws.client"
local Config = require "infra.aws.config"
local Runtime = require "infra.runtime"
local credentials = require "infra.aws.credentials"
local errors = require "infra.errors"

local session = {}

local Session = {}
Session.__index = Session

-- The simulated account outlives the run, in a file of the project that runs it.
local SIMULATED_ACCOUNT <const> = "state/sim/aws.db"
local SIMULATED_CREDENTIALS <const> = { access_key = "SIMULATED", secret_key = "simulated",
  source = "the simulated AWS" }
local SIMULATED_REGION <const> = "us-east-1"
local ANY_REGION <const> = "us-east-1" -- of STS, where none is configured: every region's answers the same

-- Only the region of the user's AWS configuration means anything to the simulated AWS.
local function simulated_config()
  return Config.load {
    environment = function(name)
      if name == "AWS_REGION" or name == "AWS_DEFAULT_REGION" then
        return os.getenv(name)
      end
      return (name == "AWS_CONFIG_FILE" or name == "AWS_SHARED_CREDENTIALS_FILE") and "/dev/null" or nil
    end,
  }
end

local function open_simulated(self, options)
  local Sim = require "infra.sim"
  local Store = require "infra.sim.store"
  local config, err = simulated_config()
  if not config then
    return nil, err
  end
  local store = options.sim_store
  if not store then
    local ok
    ok, err = fs.mkdir(SIMULATED_ACCOUNT:match "^(.*)/")
    if ok then
      store, err = Store.open { path = SIMULATED_ACCOUNT }
    end
    if not store then
      return nil, err
    end
  end
  self.config, self.store = config, store
  self.region = config:region(options.region) or SIMULATED_REGION
  local seed = options.seed or string.unpack("<i8", crypto.random(8))
  self.runtime = Runtime.simulated { time = store.time > 0 and store.time or nil, seed = seed }
  self.sim = Sim.new { runtime = self.runtime, store = store, seed = seed, faults = options.faults }
  function self.runtime.send(request)
    return self.sim:send(request)
  end
  return credentials.fixed(SIMULATED_CREDENTIALS)
end

local function open_real(self, options)
  local config, err = Config.load { profile = options.profile, environment = options.environment }
  if not config then
    return nil, err
  end
  self.config = config
  self.region = config:region(options.region)
  self.runtime = Runtime.real()
  return credentials.chain { runtime = self.runtime, config = config, call = self.call, prompt = tty.read_secret }
end

-- Makes clients of the session's configuration: function(credentials, region or nil) -> client | nil, err.
local function client_maker(self, options)
  return function(provider, region)
    return Client.new {
      runtime = self.runtime,
      credentials = provider,
      config = self.config,
      region = region or self.region,
      endpoint_url = not options.sim and options.endpoint_url or nil,
      max_attempts = options.max_attempts,
      trace = options.trace,
    }
  end
end

-- What providers of credentials call AWS with (infra.aws.credentials).
local function caller(self)
  return function(source, service, operation, params, region)
    -- session.open makes one of the same configuration
    local client = assert(self.new_client(source or credentials.fixed {}, region or self.region or ANY_REGION))
    return client:call(service, operation, params)
  end
end

--- A session { runtime, client, config, region = text | nil, sim = infra.sim | nil, credentials = the credentials of
--- the client, call = what infra.aws.credentials takes }, or nil and an error. options:
---   sim           true for the simulated AWS: virtual time, and an account kept in state/sim/
---   sim_store     an infra.sim.store instead of that account
---   seed, faults  of the simulated AWS (infra.sim); without a seed every run is another one
---   region, profile, endpoint_url   before the user's configuration
---   max_attempts, trace             see infra.aws.client
---   environment   function(name) -> text | nil instead of the process's environment
function session.open(options)
  local self = setmetatable({}, Session)
  self.new_client, self.call = client_maker(self, options), caller(self)
  local provider, err
  if options.sim then
    provider, err = open_simulated(self, options)
  else
    provider, err = open_real(self, options)
  end
  if not provider then
    return nil, err
  end
  self.credentials = provider
  self.client, err = self.new_client(provider)
  if not self.client then
    self:close()
    return nil, err
  end
  return self
end

--- As whom AWS knows the session's credentials: { Account, Arn, UserId }, or nil and an error. Yields.
function Session:identity()
  local identity, err = self.client:call("sts", "GetCallerIdentity", {}, { region = self.region or ANY_REGION })
  if identity and not (identity.Account and identity.Arn) then
    return errors.fail { code = "Malformed", service = "sts", operation = "GetCallerIdentity",
      message = "the answer names nobody", hint = "is the endpoint AWS's?" }
  end
  return identity, err
end

--- A client with the rights of a role that the session's own credentials may assume: role = { role_arn, session_name,
--- external_id, duration_seconds } as in infra.aws.credentials.assume. Or nil and an error.
function Session:client_for(role)
  return self.new_client(credentials.assume(self.runtime, self.call, self.credentials, role))
end

--- Runs fn(...) as the main task of the session's scheduler and returns its results. An interrupt cancels it: unless
--- scheduler:on_signal says otherwise, this throws the error "Cancelled".
function Session:run(fn, ...)
  loop.catch_signals()
  return self.runtime.scheduler:run(fn, ...)
end

--- Lets go of what the session holds. May be called twice; serves `local session <close>`.
function Session:close()
  if self.store then
    self.store:close()
    self.store = nil
  end
end

Session.__close = Session.close

return session
