-- A world for specs of the AWS client: virtual time, a scripted AWS, and configuration from a table.

local Client = require "infra.aws.client"
local Config = require "infra.aws.config"
local credentials = require "infra.aws.credentials"
local errors = require "infra.errors"
local json = require "host.json"
local runtimes = require "infra.runtime"

local world = {}

-- AWS's own example.
world.KEYS = { access_key = "AKIDEXAMPLE", secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" }

--- Configuration from environment variables in a table; without AWS_CONFIG_FILE there are no files.
function world.config(variables, options)
  local environment = { AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null" }
  for name, value in pairs(variables or {}) do
    environment[name] = value
  end
  local wanted = { environment = function(name) return environment[name] end }
  for name, value in pairs(options or {}) do
    wanted[name] = value
  end
  return Config.load(wanted)
end

--- A response with a JSON body.
function world.json(status, body, headers)
  local response = { status = status, headers = { ["x-amzn-requestid"] = "req-1" }, body = json.encode(body) }
  for name, value in pairs(headers or {}) do
    response.headers[name] = value
  end
  return response
end

--- A response with any body.
function world.answer(status, body, headers)
  return { status = status, headers = headers or {}, body = body }
end

--- The failure of a request that got no answer.
function world.lost(code, sent)
  return { lost = errors.new { code = code, message = code, sent = sent } }
end

--- A client whose requests are answered one after the other by `script`: responses, world.lost(), or functions of the
--- request that return one of these. Returns { client, runtime, requests, call, pages, all }; the last three run inside
--- the scheduler. `options` goes to the client; options.environment are variables.
function world.new(script, options)
  options = options or {}
  local self = { requests = {} }
  self.runtime = runtimes.simulated {
    send = function(request)
      self.requests[#self.requests + 1] = request
      request.at = self.runtime.time()
      local answer = script[#self.requests]
      assert(answer, "one request more than the script has answers")
      if type(answer) == "function" then
        answer = answer(request)
      end
      if answer.lost then
        return nil, answer.lost
      end
      return answer
    end,
  }
  local settings = {
    runtime = self.runtime,
    config = assert(world.config(options.environment)),
    credentials = credentials.fixed(world.KEYS),
    region = "us-east-1",
  }
  for name, value in pairs(options) do
    settings[name] = value
  end
  self.client = assert(Client.new(settings))
  function self.call(...)
    return self.runtime.scheduler:run(self.client.call, self.client, ...)
  end
  function self.all(...)
    return self.runtime.scheduler:run(self.client.all, self.client, ...)
  end
  return self
end

--- The value of a request's header, nil when it has none.
function world.header(request, wanted)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == wanted:lower() then
      return header[2]
    end
  end
end

return world
