local clock = require "host.clock"
local http = require "host.http"
local loop = require "host.loop"
local server = require "host.server"

describe("server", function()
  local listener

  before_each(function() listener = assert(server.listen {}) end)

  after_each(function()
    listener:close()
    collectgarbage()
    loop.wait(0)
  end)

  local function start(fields)
    fields.method = fields.method or "GET"
    fields.url = ("http://127.0.0.1:%d%s"):format(listener:port(), fields.path or "/")
    return assert(http.start(fields))
  end

  -- Waits until `done` says so; collects received requests and ended ones.
  local function wait(done)
    local received, ended = {}, {}
    local deadline = clock.monotonic() + 10
    while not done(received, ended) do
      assert(clock.monotonic() < deadline, "nothing came")
      for _, event in ipairs(loop.wait(deadline - clock.monotonic())) do
        table.insert(event.request and received or ended, event.request or event)
      end
    end
    return received, ended
  end

  local function one_request(fields)
    local handle = start(fields)
    return wait(function(received) return received[1] end)[1], handle
  end

  local function one_end()
    local _, ended = wait(function(_, ended) return ended[1] end)
    return ended[1].response, ended[1].error
  end

  it("says what came", function()
    local request = one_request { method = "PUT", path = "/a%2Fb/../%C3%A4?q=%20&r", body = "\0body",
      headers = { { "X-Twice", "1" }, { "x-twice", "2" } } }
    assert.equal("PUT", request.method)
    assert.equal("/a%2Fb/../%C3%A4", request.path)
    assert.equal("q=%20&r", request.query)
    assert.equal("\0body", request.body)
    assert.equal("1, 2", request.headers["x-twice"])
    assert.equal("5", request.headers["content-length"])
    assert.equal("integer", math.type(request.client_port))
  end)

  it("keeps requests apart and answers in any order", function()
    for i = 1, 3 do
      start { path = "/" .. i }
    end
    local received = wait(function(received) return #received == 3 end)
    for i = 3, 1, -1 do
      assert.is_true(received[i].respond(200 + i, { ["X-Path"] = received[i].path }, received[i].path))
    end
    local _, ended = wait(function(_, ended) return #ended == 3 end)
    for _, event in ipairs(ended) do
      assert.equal(event.response.body, event.response.headers["x-path"])
    end
  end)

  it("answers statuses without a body, and long bodies", function()
    for _, case in ipairs { { 204, nil }, { 304, nil }, { 200, ("x"):rep(3000000) }, { 999, "?" } } do
      one_request({}).respond(case[1], nil, case[2])
      local response = one_end()
      assert.equal(case[1], response.status)
      assert.is_true(response.body == (case[2] or ""))
    end
  end)

  it("answers HEAD with the length of what there is, or as told", function()
    one_request({ method = "HEAD" }).respond(200, nil, "12345")
    assert.equal("5", one_end().headers["content-length"])
    one_request({ method = "HEAD" }).respond(200, { ["content-length"] = "9000000000" })
    assert.equal("9000000000", one_end().headers["content-length"])
  end)

  it("drops the connection when told", function()
    assert.is_true(one_request({}).respond())
    local _, err = one_end()
    assert.equal("ConnectionError", err.code)
  end)

  it("drops what nobody can answer any more", function()
    one_request {}
    collectgarbage()
    local _, err = one_end()
    assert.equal("ConnectionError", err.code)
  end)

  it("refuses to answer twice, or wrongly", function()
    local request = one_request {}
    for _, arguments in ipairs { { "x" }, { 100 }, { 1000 }, { 200, "x" }, { 200, { "x" } }, { 200, { x = 1 } },
      { 200, { ["x\n"] = "1" } }, { 200, { x = "1\r\ny: 2" } }, { 200, nil, {} } } do
      assert.has_error(function() request.respond(table.unpack(arguments, 1, 3)) end)
    end
    assert.is_true(request.respond(200))
    assert.has_error(function() request.respond(200) end)
    assert.equal(200, one_end().status)
  end)

  it("refuses bodies that are longer than max_body", function()
    listener:close()
    listener = assert(server.listen { max_body = 1000 })
    start { method = "POST", body = ("x"):rep(100000) }
    assert.equal(413, one_end().status)
    assert.equal(1000, #one_request({ method = "POST", body = ("x"):rep(1000) }).body)
  end)

  it("says false when the client has gone", function()
    local request, handle = one_request {}
    handle:cancel()
    listener:close()
    assert.is_false(request.respond(200))
  end)

  it("closes with requests under way, twice, and is closed by its scope", function()
    local request = one_request {}
    start {}
    listener:close()
    listener:close()
    assert.is_false(request.respond(200))
    local port
    do
      local scoped <close> = assert(server.listen {})
      port = scoped:port()
      assert.not_equal(0, port)
    end
    local again <close> = assert(server.listen { port = port })
    assert.equal(port, again:port())
  end)

  it("says why it cannot listen", function()
    local none, err = server.listen { port = listener:port() }
    assert.is_nil(none)
    assert.equal("EADDRINUSE", err.code)
    assert.matches("127.0.0.1 port " .. listener:port(), err.message, 1, true)
    none, err = server.listen { address = "192.0.2.1" }
    assert.is_nil(none)
    assert.equal("EADDRNOTAVAIL", err.code)
    for _, options in ipairs { { address = "localhost" }, { port = -1 }, { port = 65536 }, { max_body = -1 } } do
      assert.has_error(function() server.listen(options) end)
    end
    assert.has_error(function() server.listen() end)
  end)

  it("listens on IPv6 too, where there is any", function()
    local six, err = server.listen { address = "::1" }
    if not six then
      return pending(err.message)
    end
    local handle = assert(http.start { method = "GET", url = ("http://[::1]:%d/"):format(six:port()) })
    wait(function(received, ended)
      if received[1] then
        table.remove(received).respond(200)
      end
      return ended[1] and ended[1].handle == handle
    end)
    six:close()
  end)
end)
