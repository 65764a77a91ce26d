-- moto, an emulator of AWS that others wrote: started on a free loopback port, when this machine has it.
--
--   local moto = require "spec.support.moto"
--   if not moto.installed() then pending(moto.MISSING) return end
--   local server = moto.start()      -- { url, environment (for programs), reset(), stop() }
--   local opened = server.session "us-east-1"      -- infra.session, which does not retry; to be closed
--   server.witness { { "ec2", "describe_vpcs", {}, "us-east-1" } }      -- what boto3 says: { { Vpcs = {...} } }

local clock = require "host.clock"
local fs = require "host.fs"
local http = require "host.http"
local json = require "host.json"
local loop = require "host.loop"
local process = require "host.process"
local program = require "spec.support.program"
local server = require "host.server"
local session = require "infra.session"

local moto = {
  MISSING = "moto_server is not in PATH: not checked against an independent emulator",
  NO_WITNESS = "python3 has no boto3: not checked with another client",
}

local PATIENCE <const> = 60 -- seconds for it to start

--- Whether a program is in PATH.
function moto.has(name)
  for directory in (process.environment "PATH" or ""):gmatch "[^:]+" do
    if fs.stat(directory .. "/" .. name) then
      return true
    end
  end
  return false
end

function moto.installed()
  return moto.has "moto_server"
end

local function answers(method, url)
  local handle = http.start { method = method, url = url, headers = {}, timeout = 2 }
  repeat
    for _, event in ipairs(loop.wait(3)) do
      if event.handle == handle then
        return event.response ~= nil
      end
    end
  until false
end

local function free_port()
  local listener = assert(server.listen { address = "127.0.0.1", port = 0 })
  local port = listener:port()
  listener:close()
  return tostring(port)
end

-- Nobody's account, files or settings.
local function environment_of(url)
  return {
    AWS_ENDPOINT_URL = url, AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_CONFIG_FILE = "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_DEFAULT_REGION = "us-east-1",
  }
end

local function open_session(environment, region)
  return assert(session.open {
    region = region, endpoint_url = environment.AWS_ENDPOINT_URL,
    environment = function(name)
      return name == "AWS_MAX_ATTEMPTS" and "1" or environment[name]
    end,
  })
end

local NO_BOTO3 <const> = 3 -- what witness.py ends with

--- The answers of another client to `calls`, arrays of service, operation, parameters and region as boto3 calls them; a
--- refused call answers { error = CODE }. nil where there is no such client. `environment` says whom it calls.
function moto.witness(environment, calls)
  local list = json.array {}
  for i, call in ipairs(calls) do
    list[i] = json.array { call[1], call[2], next(call[3]) and call[3] or json.object {}, call[4] }
  end
  local handle = process.start {
    argv = { "python3", "spec/support/witness.py" }, environment = environment, stdin = json.encode(list),
  }
  local event = handle and program.finish(handle)
  if not event or event.status == NO_BOTO3 then
    return nil
  end
  assert(event.status == 0, event.stderr)
  return json.decode(event.stdout)
end

function moto.start()
  local port = free_port()
  local emulator = assert(process.start {
    argv = { "moto_server", "-H", "127.0.0.1", "-p", port }, environment = { MOTO_ACM_VALIDATION_WAIT = "0" }, -- s
  })
  local url = "http://127.0.0.1:" .. port
  local deadline = clock.monotonic() + PATIENCE
  while not answers("GET", url .. "/moto-api/") do
    assert(clock.monotonic() < deadline, "moto_server does not answer")
    loop.wait(0.1)
  end
  local environment = environment_of(url)
  return {
    url = url, environment = environment,
    reset = function() assert(answers("POST", url .. "/moto-api/reset")) end,
    session = function(region) return open_session(environment, region) end,
    witness = function(calls) return moto.witness(environment, calls) end,
    stop = function() emulator:cancel() end,
  }
end

return moto
