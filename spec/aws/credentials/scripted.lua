-- A provider chain in virtual time, with configuration files of its own, a home directory of its own, and everything
-- outside the program scripted.
--
--   local new = scripted(teardown)
--   local it = new("[default]\n...", { environment, profile, credentials = text of the other file, call, send, prompt,
--     instance = true: with instance metadata })
--   local values, err = it.get()         -- of the chain, as a task
--
-- it = { runtime, config, home, chain, get, calls = what `call` got, requests = what `send` got, run(fn) }. Without a
-- script, calls to STS are answered with a session of an hour, after a second, and instance metadata is switched off.

local credentials = require "infra.aws.credentials"
local fs = require "host.fs"
local runtimes = require "infra.runtime"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

local function open_session(it)
  it.runtime.scheduler:sleep(1)
  return {
    Credentials = {
      AccessKeyId = "ASIA" .. #it.calls,
      SecretAccessKey = "secret",
      SessionToken = "token",
      Expiration = it.runtime.time() + 3600,
    },
  }
end

return function(teardown)
  local directory, remove = temporary()
  teardown(remove)

  return function(config_text, options)
    options = options or {}
    local it = { calls = {}, requests = {}, home = directory }
    local variables = {
      HOME = directory, AWS_CONFIG_FILE = directory .. "/config", AWS_SHARED_CREDENTIALS_FILE = directory .. "/keys",
      AWS_EC2_METADATA_DISABLED = not options.instance and "true" or nil,
    }
    assert(fs.write(variables.AWS_CONFIG_FILE, config_text))
    assert(fs.write(variables.AWS_SHARED_CREDENTIALS_FILE, options.credentials or ""))
    for name, value in pairs(options.environment or {}) do
      variables[name] = value
    end
    it.runtime = runtimes.simulated {
      send = function(request)
        table.insert(it.requests, request)
        return options.send(request, #it.requests)
      end,
    }
    it.config = assert(world.config(variables, { profile = options.profile }))
    function it.call(source, service, operation, params, region)
      local keys, err
      if source then
        keys, err = source:get()
        if not keys then
          return nil, err
        end
      end
      table.insert(it.calls, { keys = keys, name = service .. " " .. operation, params = params, region = region })
      return (options.call or open_session)(it, operation, params)
    end
    it.chain = credentials.chain {
      runtime = it.runtime, config = it.config, call = it.call, prompt = options.prompt,
    }
    function it.run(fn, ...)
      return it.runtime.scheduler:run(fn, ...)
    end
    function it.get()
      return it.run(it.chain.get, it.chain)
    end
    return it
  end
end
