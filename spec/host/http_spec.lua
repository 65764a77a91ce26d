local fs = require "host.fs"
local http = require "host.http"
local loop = require "host.loop"
local process = require "host.process"
local LocalHttp = require "spec.support.local_http"
local program = require "spec.support.program"

describe("http", function()
  local here

  before_each(function() here = LocalHttp.new() end)

  after_each(function()
    here:close()
    collectgarbage()
    assert.same({}, loop.wait(0))
  end)

  local function exchange(...)
    return here:exchange(...)
  end

  describe("sends", function()
    it("the path and the headers exactly as given, and nothing of its own", function()
      exchange({
        path = "/a%20b/../c//d?x=%2F&y",
        headers = { { "X-One", "1" }, { "x-two", "a b" }, { "X-Empty", "" } },
      }, 200)
      local received = here.requests[1]
      assert.equal("GET", received.method)
      assert.equal("/a%20b/../c//d", received.path)
      assert.equal("x=%2F&y", received.query)
      assert.equal("", received.body)
      assert.same({ host = "127.0.0.1:" .. here.listener:port(), ["x-one"] = "1", ["x-two"] = "a b", ["x-empty"] = "" },
        received.headers)
    end)

    it("bodies with any method, binary ones too, and an empty one with POST and PUT", function()
      local binary = "\0\r\n\255"
      for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE", "GET" } do
        local response = exchange({ method = method, body = binary }, 200, nil, binary)
        local received = table.remove(here.requests)
        assert.equal(method, received.method)
        assert.equal(binary, received.body)
        assert.equal(binary, response.body)
        assert.is_nil(received.headers["content-type"])
        assert.is_nil(received.headers.expect)
      end
      for _, method in ipairs { "POST", "PUT" } do
        exchange({ method = method }, 200)
        assert.equal("0", table.remove(here.requests).headers["content-length"])
      end
    end)

    it("10 MB both ways", function()
      local body = ("0123456789abcdef"):rep(10 * 1024 * 1024 // 16)
      local response = exchange({ method = "PUT", body = body }, 200, nil, body)
      assert.is_true(here.requests[1].body == body)
      assert.is_true(response.body == body)
    end)

    it("many requests over few connections", function()
      for _ = 1, 5 do
        assert.equal(200, exchange({}, 200).status)
      end
      local expected, ports, connections, left = {}, {}, 0, 1000
      for i = 1, left do
        expected[here:start { path = "/" .. i }] = "/" .. i
      end
      here:run(function(received)
        if not ports[received.client_port] then
          ports[received.client_port], connections = true, connections + 1
        end
        received.respond(200, nil, received.path)
      end, function(event)
        assert.equal(expected[event.handle], event.response.body)
        left = left - 1
        return left == 0
      end)
      assert.is_true(connections <= 256)
      for i = 2, 5 do
        assert.equal(here.requests[1].client_port, here.requests[i].client_port)
      end
    end)

    it("the next request over the connection of one that was refused or failed", function()
      for _, status in ipairs { 400, 403, 500, 503 } do
        exchange({ method = "POST", body = "x" }, status, nil, "<Error/>")
      end
      for i = 2, 4 do
        assert.equal(here.requests[1].client_port, here.requests[i].client_port)
      end
    end)

    it("through the proxy that the environment names", function()
      process.set_environment("http_proxy", "http://127.0.0.1:" .. here.listener:port())
      local response = exchange({ url = "http://somewhere.invalid/x?y=1" }, 200, nil, "proxied")
      process.set_environment("http_proxy", nil)
      assert.equal("proxied", response.body)
      assert.equal("http://somewhere.invalid/x", here.requests[1].path)
    end)
  end)

  describe("receives", function()
    it("status, headers in lower case, body", function()
      local response, err = exchange({}, 404, { ["X-Some"] = "Thing", ["x-other"] = "1" }, "gone")
      assert.is_nil(err)
      assert.equal(404, response.status)
      assert.equal("gone", response.body)
      assert.equal("Thing", response.headers["x-some"])
      assert.equal("1", response.headers["x-other"])
      assert.equal("4", response.headers["content-length"])
    end)

    it("HEAD's headers without waiting for a body", function()
      local response = exchange({ method = "HEAD" }, 200, { ["Content-Length"] = "123456" })
      assert.equal("123456", response.headers["content-length"])
      assert.equal("", response.body)
    end)

    it("nothing of the request before it, and of what came of that", function()
      for _, before in ipairs { { method = "HEAD" }, { method = "PUT", body = "old", headers = { { "X-Old", "1" } } },
        { method = "POST", body = "old", max_body = 1 } } do
        here:exchange(before, 200, { ["X-Before"] = "1" }, before.body)
        here.requests = {}
        local response = exchange({}, 200, nil, "new")
        assert.equal("new", response.body)
        assert.is_nil(response.headers["x-before"])
        assert.same({ host = "127.0.0.1:" .. here.listener:port() }, here.requests[1].headers)
        assert.equal("GET", here.requests[1].method)
      end
    end)

    it("redirects as they are", function()
      assert.equal(302, exchange({}, 302, { Location = "/elsewhere" }).status)
      assert.equal(1, #here.requests)
    end)

    it("no more than max_body", function()
      assert.equal(1000, #exchange({ max_body = 1000 }, 200, nil, ("x"):rep(1000)).body)
      local response, err = exchange({ max_body = 1000 }, 200, nil, ("x"):rep(1001))
      assert.is_nil(response)
      assert.equal("BodyTooLarge", err.code)
      assert.is_true(err.sent)
    end)
  end)

  describe("fails", function()
    it("when nobody listens: not sent", function()
      local port = here.listener:port()
      here:close()
      local _, err = exchange({ url = "http://127.0.0.1:" .. port .. "/" })
      assert.equal("ConnectionError", err.code)
      assert.is_false(err.sent)
      assert.matches("connect", tostring(err))
    end)

    it("when the name is unknown: not sent", function()
      local _, err = exchange { url = "http://name.invalid./" }
      assert.equal("ResolveError", err.code)
      assert.is_false(err.sent)
    end)

    it("when the server closes without an answer: sent, and not sent again", function()
      for _ = 1, 2 do -- over a new connection, and over a kept one
        local _, err = exchange({ method = "POST", body = "x" }, nil)
        assert.equal("ConnectionError", err.code)
        assert.is_true(err.sent)
        exchange({}, 200)
      end
      assert.equal(4, #here.requests)
    end)

    it("in time when no answer comes: sent", function()
      local _, err = exchange({ timeout = 0.5 }, function() end)
      assert.equal("Timeout", err.code)
      assert.is_true(err.sent)
    end)

    it("for what is not an HTTP URL", function()
      for _, url in ipairs { "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", "http://" } do
        local handle, err = http.start { method = "GET", url = url }
        if handle then
          here:run(error, function(event)
            err = event.error
            return true
          end)
        end
        assert.equal("BadUrl", err.code)
        assert.is_false(err.sent)
      end
    end)

    it("for wrong arguments, with an error", function()
      for _, fields in ipairs {
        { method = 1 },
        { method = "GET /\r\nX: y" },
        { url = "http://127.0.0.1/\0" },
        { method = "HEAD", body = "x" },
        { body = {} },
        { timeout = 0 },
        { timeout = "soon" },
        { max_body = -1 },
        { headers = { "X: y" } },
        { headers = { { "X", "y\r\nZ: 1" } } },
        { headers = { { "X", "y\0" } } },
        { headers = { { "X:", "y" } } },
        { headers = { { "", "y" } } },
        { headers = { { "X" } } },
      } do
        assert.has_error(function() http.start(here:request(fields)) end)
      end
      assert.has_error(function() http.start() end)
    end)
  end)

  describe("a handle", function()
    it("cancelled, at any time and any number of times, brings no event", function()
      local early, late, other = here:start {}, here:start {}, here:start {}
      early:cancel()
      here:run(function(received)
        late:cancel()
        late:cancel()
        received.respond(200)
      end, function(event)
        assert.equal(other, event.handle)
        return true
      end)
      other:cancel()
      other:cancel()
    end)

    it("cancelled while others wait for their turn, lets these through", function()
      local handles, left = {}, 100
      for i = 1, 600 do
        handles[i] = here:start {}
      end
      for i = 1, 500 do
        handles[i]:cancel()
      end
      here:run(function(received) received.respond(200) end, function()
        left = left - 1
        return left == 0
      end)
    end)

    it("lives as long as its request is under way, and no longer", function()
      local weak = setmetatable({}, { __mode = "k" })
      local answer
      local function start()
        weak[here:start {}] = true
      end
      local function collect()
        collectgarbage() -- finalises,
        collectgarbage() -- and removes from weak tables
      end
      start()
      here:run(function(received)
        answer = received.respond
        return true
      end)
      collect()
      assert.is_not_nil(next(weak))
      answer(200)
      here:run(error, function(event) return event.response.status == 200 end)
      collect()
      assert.is_nil(next(weak))
    end)

    it("can be a to-be-closed variable, and left pending when the program ends", function()
      do
        local _ <close> = here:start {}
      end
      local path = os.tmpname()
      assert(fs.write(path, ([[
        local http = require "host.http"
        local leaked = {}
        package.loaded.leaked = leaked
        for i = 1, 3 do
          leaked[i] = assert(http.start { method = "GET", url = "http://127.0.0.1:%d" })
        end
        require("host.loop").wait(0)
        leaked.last = setmetatable({}, { __gc = function() leaked[1]:cancel() end })
      ]]):format(here.listener:port())))
      local event = program.run { argv = { fs.real_path "/proc/self/exe", "exec", path } }
      os.remove(path)
      assert.same({ 0, "", "" }, { event.status, event.stdout, event.stderr })
    end)
  end)
end)
