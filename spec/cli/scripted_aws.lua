-- This very program as a program of its own, and a server on loopback that a spec scripts for all that it asks.
--
--   local ended, requests = scripted_aws({ "whoami" }, environment, function(request) return status, headers, body end)
--
-- A request without a status for it is never answered. `environment` is a function of the server's URL that returns
-- variables (false removes one), on top of spec.cli.infra's. `ended` is { status, stdout, stderr }.

local LocalHttp = require "spec.support.local_http"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local process = require "host.process"

local PATIENCE <const> = 20 -- seconds

return function(arguments, environment, answer)
  local here <close> = LocalHttp.new()
  local url = "http://127.0.0.1:" .. here.listener:port()
  local handle = assert(process.start {
    argv = table.move(arguments, 1, #arguments, 2, { fs.real_path "/proc/self/exe" }),
    environment = infra.environment(environment(url)),
    timeout = PATIENCE,
  })
  local requests, ended = {}, nil
  here:run(function(request)
    table.insert(requests, request)
    local status, headers, body = answer(request)
    if status then
      request.respond(status, headers, body)
    end
  end, function(event)
    ended = event.handle == handle and event
    return ended
  end)
  assert(not ended.error, "it did not end in time")
  return ended, requests
end
