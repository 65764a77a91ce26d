-- Our own server, scripted, and our own client, for specs of either and of what uses them.
local clock = require "host.clock"
local http = require "host.http"
local loop = require "host.loop"
local process = require "host.process"
local server = require "host.server"

local PATIENCE <const> = 20

-- This machine's proxies know nothing of its own servers.
for _, name in ipairs { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
  process.set_environment(name, nil)
end

local LocalHttp = {}
LocalHttp.__index = LocalHttp

--- A server on a free port; `options` are server.listen's. `requests` collects what exchange received.
function LocalHttp.new(options)
  return setmetatable({ listener = assert(server.listen(options or {})), requests = {} }, LocalHttp)
end

function LocalHttp:close()
  self.listener:close()
end
LocalHttp.__close = LocalHttp.close

--- Completes a request for http.start: a GET of `path`, "/" if there is none, unless it says otherwise.
function LocalHttp:request(fields)
  fields.method = fields.method or "GET"
  fields.url = fields.url or ("http://127.0.0.1:%d%s"):format(self.listener:port(), fields.path or "/")
  return fields
end

--- Starts such a request.
function LocalHttp:start(fields)
  return assert(http.start(self:request(fields)))
end

--- Calls receive(request) for every request and ended(event) for every one of ours that has ended, until either of them
--- returns something true.
function LocalHttp:run(receive, ended)
  local deadline = clock.monotonic() + PATIENCE
  local finished
  while not finished do
    assert(clock.monotonic() < deadline, "nothing came")
    for _, event in ipairs(loop.wait(deadline - clock.monotonic())) do
      if event.handle == self.listener then
        finished = receive(event.request) or finished
      else
        finished = ended(event) or finished
      end
    end
  end
end

--- Sends one request, which the server answers with respond(...), or with answer(request), and returns the response, or
--- nil and the error.
function LocalHttp:exchange(fields, answer, ...)
  local arguments = table.pack(...)
  local handle = self:start(fields)
  local result
  self:run(function(received)
    table.insert(self.requests, received)
    if type(answer) == "function" then
      answer(received)
    else
      received.respond(answer, table.unpack(arguments, 1, arguments.n))
    end
  end, function(event)
    result = event.handle == handle and event
    return result
  end)
  return result.response, result.error
end

return LocalHttp
