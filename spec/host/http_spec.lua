local clock = require "host.clock"
local fs = require "host.fs"
local http = require "host.http"
local loop = require "host.loop"
local process = require "host.process"
local server = require "host.server"

local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

-- Answers requests with `answer(request)` until `count` of our own have ended; returns their events by handle.
local function run(listener, answer, count)
  local events, deadline = {}, clock.monotonic() + 20
  while count > 0 do
    for _, event in ipairs(loop.wait(deadline - clock.monotonic())) do
      if event.handle == listener then
        answer(event.request)
      else
        events[event.handle] = event
        count = count - 1
      end
    end
    assert(clock.monotonic() < deadline, "no answer")
  end
  return events
end

-- Runs a shell command in the background that first prints its process id; returns its output, and what ends it.
local function background(command)
  local output = assert(io.popen(("echo $$; exec timeout 30 %s 2>&1 < /dev/null"):format(command)))
  local pid = output:read("n", "l")
  return output, function()
    os.execute("kill " .. pid .. " 2> /dev/null")
    output:close()
  end
end

describe("http", function()
  local listener, requests

  before_each(function()
    listener, requests = assert(server.listen {}), {}
  end)

  after_each(function()
    listener:close()
    collectgarbage()
    assert.same({}, loop.wait(0))
  end)

  local function request(fields)
    fields.method = fields.method or "GET"
    fields.url = fields.url or ("http://127.0.0.1:%d%s"):format(listener:port(), fields.path or "/")
    return fields
  end

  -- One request, answered by respond(...) unless `answer` is a function.
  local function exchange(fields, answer, ...)
    local arguments = table.pack(...)
    local handle = assert(http.start(request(fields)))
    local event = run(listener, function(received)
      requests[#requests + 1] = received
      if type(answer) == "function" then
        answer(received)
      else
        received.respond(answer, table.unpack(arguments, 1, arguments.n))
      end
    end, 1)[handle]
    return event.response, event.error
  end

  describe("sends", function()
    it("the path and the headers exactly as given, and nothing of its own", function()
      exchange({
        path = "/a%20b/../c//d?x=%2F&y",
        headers = { { "X-One", "1" }, { "x-two", "a b" }, { "X-Empty", "" } },
      }, 200)
      local received = requests[1]
      assert.equal("GET", received.method)
      assert.equal("/a%20b/../c//d", received.path)
      assert.equal("x=%2F&y", received.query)
      assert.equal("", received.body)
      assert.same({ host = "127.0.0.1:" .. listener:port(), ["x-one"] = "1", ["x-two"] = "a b", ["x-empty"] = "" },
        received.headers)
    end)

    it("bodies with any method, binary ones too, and an empty one with POST and PUT", function()
      local binary = "\0\r\n\255"
      for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE", "GET" } do
        local response = exchange({ method = method, body = binary }, 200, nil, binary)
        local received = table.remove(requests)
        assert.equal(method, received.method)
        assert.equal(binary, received.body)
        assert.equal(binary, response.body)
        assert.is_nil(received.headers["content-type"])
        assert.is_nil(received.headers.expect)
      end
      for _, method in ipairs { "POST", "PUT" } do
        exchange({ method = method }, 200)
        assert.equal("0", table.remove(requests).headers["content-length"])
      end
    end)

    it("10 MB both ways", function()
      local body = ("0123456789abcdef"):rep(10 * 1024 * 1024 // 16)
      local response = exchange({ method = "PUT", body = body }, 200, nil, body)
      assert.is_true(requests[1].body == body)
      assert.is_true(response.body == body)
    end)

    it("many requests over few connections", function()
      for _ = 1, 5 do
        assert.equal(200, exchange({}, 200).status)
      end
      local handles, ports, connections = {}, {}, 0
      for i = 1, 1000 do
        handles[i] = assert(http.start(request { path = "/" .. i }))
      end
      local events = run(listener, function(received)
        if not ports[received.client_port] then
          ports[received.client_port], connections = true, connections + 1
        end
        received.respond(200, nil, received.path)
      end, #handles)
      for i, handle in ipairs(handles) do
        assert.equal("/" .. i, events[handle].response.body)
      end
      assert.is_true(connections <= 64)
      for i = 2, 5 do
        assert.equal(requests[1].client_port, requests[i].client_port)
      end
    end)

    it("through the proxy that the environment names", function()
      process.set_environment("http_proxy", "http://127.0.0.1:" .. listener:port())
      local response = exchange({ url = "http://somewhere.invalid/x?y=1" }, 200, nil, "proxied")
      process.set_environment("http_proxy", nil)
      assert.equal("proxied", response.body)
      assert.equal("http://somewhere.invalid/x", requests[1].path)
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

    it("redirects as they are", function()
      assert.equal(302, exchange({}, 302, { Location = "/elsewhere" }).status)
      assert.equal(1, #requests)
    end)

    it("no more than max_body", function()
      assert.equal(1000, #exchange({ max_body = 1000 }, 200, nil, ("x"):rep(1000)).body)
      local response, err = exchange({ max_body = 1000 }, 200, nil, ("x"):rep(1001))
      assert.is_nil(response)
      assert.equal("BodyTooLarge", err.code)
      assert.is_true(err.sent)
    end)

    describe("into a file", function()
      local path

      before_each(function()
        path = os.tmpname()
        os.remove(path)
      end)

      after_each(function() os.remove(path) end)

      it("the body of a success", function()
        local body = ("0123456789"):rep(100000)
        local response = exchange({ body_to = path, max_body = 10 }, 200, nil, body)
        assert.equal("", response.body)
        assert.is_true(fs.read(path) == body)
        assert.equal(384, fs.stat(path).mode & 511)
        exchange({ body_to = path }, 200)
        assert.equal("", fs.read(path))
      end)

      it("not the body of a failure", function()
        assert.equal("<Error/>", exchange({ body_to = path }, 403, nil, "<Error/>").body)
        assert.is_nil(fs.stat(path))
      end)

      it("says when it cannot be written", function()
        local _, err = exchange({ body_to = path .. "/none/x" }, 200, nil, "x")
        assert.equal("ENOENT", err.code)
        assert.is_true(err.sent)
      end)
    end)
  end)

  describe("fails", function()
    it("when nobody listens: not sent", function()
      local port = listener:port()
      listener:close()
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
      assert.equal(4, #requests)
    end)

    it("in time when no answer comes: sent", function()
      local begun = clock.monotonic()
      local _, err = exchange({ timeout = 0.1 }, function() end)
      assert.equal("Timeout", err.code)
      assert.is_true(err.sent)
      assert.is_true(clock.monotonic() - begun < 2)
    end)

    it("for what is not an HTTP URL", function()
      for _, url in ipairs { "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", "http://" } do
        local handle, err = http.start(request { url = url })
        if handle then
          err = run(listener, error, 1)[handle].error
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
        assert.has_error(function() http.start(request(fields)) end)
      end
      assert.has_error(function() http.start() end)
    end)
  end)

  describe("a handle", function()
    it("cancelled, at any time and any number of times, brings no event", function()
      local early = assert(http.start(request {}))
      early:cancel()
      local late = assert(http.start(request {}))
      local other = assert(http.start(request {}))
      local held
      local events = run(listener, function(received)
        if held then
          received.respond(200)
        else
          held = received
          late:cancel()
          late:cancel()
        end
      end, 1)
      assert.equal(200, events[other].response.status)
      other:cancel()
      other:cancel()
    end)

    it("lives as long as its request is under way, and no longer", function()
      local weak = setmetatable({}, { __mode = "k" })
      local answer
      local function start()
        local handle = assert(http.start(request {}))
        weak[handle] = true
      end
      start()
      local count = 0
      local function wait_for(what)
        local deadline = clock.monotonic() + 5
        repeat
          collectgarbage()
          for _, event in ipairs(loop.wait(1)) do
            if event.request then
              answer = event.request.respond
            else
              count = count + event.response.status
            end
          end
        until what() or clock.monotonic() > deadline
      end
      wait_for(function() return answer end)
      assert.is_not_nil(next(weak))
      answer(200)
      wait_for(function() return count > 0 end)
      collectgarbage() -- finalises it,
      collectgarbage() -- and removes it from weak tables
      assert.equal(200, count)
      assert.is_nil(next(weak))
    end)

    it("can be a to-be-closed variable, and left pending when the program ends", function()
      do
        local _ <close> = http.start(request {})
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
      ]]):format(listener:port())))
      local event = program.run { argv = { fs.real_path "/proc/self/exe", "exec", path } }
      os.remove(path)
      assert.same({ 0, "", "" }, { event.status, event.stdout, event.stderr })
    end)
  end)

  describe("over TLS", function()
    local folder, remove_folder = temporary()
    local stop, port

    -- A server whose certificate, for `name`, nobody has signed.
    local function serve(name)
      local output
      os.execute(([[cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=spec -addext subjectAltName=%s -keyout key.pem -out cert.pem 2> /dev/null]]):format(folder, name))
      output, stop = background(("openssl s_server -accept 127.0.0.1:0 -www -key %s/key.pem -cert %s/cert.pem")
        :format(folder, folder))
      for line in output:lines() do
        port = line:match("^ACCEPT .*:(%d+)$")
        if port then
          return
        end
      end
    end

    teardown(remove_folder)

    after_each(function() stop() end)

    it("trusts the given certificate, and no other", function()
      serve "IP:127.0.0.1"
      local url = ("https://127.0.0.1:%s/"):format(port)
      local response = assert(exchange { url = url, ca_file = folder .. "/cert.pem" })
      assert.equal(200, response.status)
      local _, err = exchange { url = url, method = "POST", body = "secret" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
      _, err = exchange { url = url, ca_file = folder .. "/none.pem" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)

    it("wants the host's own name in the certificate", function()
      serve "DNS:elsewhere.example"
      local _, err = exchange { url = ("https://127.0.0.1:%s/"):format(port), ca_file = folder .. "/cert.pem" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)

    it("does not speak it with a server that does not", function()
      stop = function() end
      local _, err = exchange { url = ("https://127.0.0.1:%d/"):format(listener:port()) }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)
  end)

  -- Each answer is written, after the request's head, to a connection of its own, which is closed then.
  describe("with a server that misbehaves", function()
    local misbehave = [[perl -MIO::Socket::INET -e '
      $| = 1; $SIG{PIPE} = "IGNORE";
      $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9) or die;
      print $server->sockport, "\n";
      while ($client = $server->accept) {
        while (<$client>) { last if /^\r?$/ }
        print $client eval shift @ARGV;
        close $client;
      }' ]]

    local function answered(answer)
      local output, stop = background(misbehave .. "'" .. answer .. "'")
      local port = output:read("n")
      local response, err = exchange { url = ("http://127.0.0.1:%d/"):format(port), timeout = 5 }
      stop()
      return response, err
    end

    for what, answer in pairs {
      ["no answer"] = [[""]],
      ["no HTTP"] = [["hello\n"]],
      ["binary garbage"] = [["\0\1\2\377" x 5000]],
      ["half a status line"] = [["HTTP/1.1 20"]],
      ["half a head"] = [["HTTP/1.1 200 OK\r\nContent-Le"]],
      ["a truncated body"] = [["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"]],
      ["a truncated chunk"] = [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"]],
      ["a chunk without a size"] = [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n"]],
      ["a chunk that is too big"] =
        [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n"]],
      ["a negative length"] = [["HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"]],
      ["one endless header"] = [["HTTP/1.1 200 OK\r\nX: " . "x" x 1000000]],
    } do
      it("reports " .. what, function()
        local response, err = answered(answer)
        assert.is_nil(response)
        assert.equal("ConnectionError", err.code)
        assert.is_true(err.sent)
        assert.is_true(#err.message > 0)
      end)
    end

    it("limits endless headers", function()
      local _, err = answered [["HTTP/1.1 200 OK\r\n" . "X-Y: abcdefgh\r\n" x 100000]]
      assert.equal("HeadersTooLarge", err.code)
    end)

    it("joins repeated headers, and takes interim responses and trailers", function()
      local response = assert(answered([["HTTP/1.1 100 Continue\r\nX-No: 1\r\n\r\n" .]]
        .. [["HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:   2 \r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" .]]
        .. [["3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"]]))
      assert.equal(200, response.status)
      assert.equal("abc", response.body)
      assert.equal("1, 2", response.headers["x-a"])
      assert.equal("9", response.headers["x-sum"])
      assert.is_nil(response.headers["x-no"])
    end)

    it("reads a body without a length up to the end of the connection", function()
      assert.equal("abc", assert(answered [["HTTP/1.0 200 OK\r\n\r\nabc"]]).body)
    end)
  end)
end)
