-- moto, an emulator of AWS that others wrote: started on a free loopback port, when this machine has it.
--
--   local moto = require "spec.support.moto"
--   if not moto.installed() then pending(moto.MISSING) return end
--   local server = moto.start()      -- { url, stop() }

local clock = require "host.clock"
local fs = require "host.fs"
local http = require "host.http"
local loop = require "host.loop"
local process = require "host.process"
local server = require "host.server"

local moto = { MISSING = "moto_server is not in PATH: not checked against an independent emulator" }

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

local function answers(url)
  local handle = http.start { method = "GET", url = url .. "/moto-api/", headers = {}, timeout = 2 }
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

function moto.start()
  local port = free_port()
  local emulator = assert(process.start { argv = { "moto_server", "-H", "127.0.0.1", "-p", port } })
  local url = "http://127.0.0.1:" .. port
  local deadline = clock.monotonic() + PATIENCE
  while not answers(url) do
    assert(clock.monotonic() < deadline, "moto_server does not answer")
    loop.wait(0.1)
  end
  return { url = url, stop = function() emulator:cancel() end }
end

return moto
