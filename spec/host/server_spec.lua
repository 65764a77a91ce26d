local server = require "host.server"
local LocalHttp = require "spec.support.local_http"

describe("server", function()
  local here

  before_each(function() here = LocalHttp.new() end)

  after_each(function()
    here:close()
    collectgarbage()
    require("host.loop").wait(0)
  end)

  -- Waits for that many requests, and for that many of ours to end.
  local function wait(requests, ends)
    local received, ended = {}, {}
    local function enough()
      return #received >= requests and #ended >= ends
    end
    here:run(function(request)
      table.insert(received, request)
      return enough()
    end, function(event)
      table.insert(ended, event)
      return enough()
    end)
    return received, ended
  end

  local function one_request(fields)
    local handle = here:start(fields)
    return wait(1, 0)[1], handle
  end

  local function one_end()
    local _, ended = wait(0, 1)
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
      here:start { path = "/" .. i }
    end
    local received = wait(3, 0)
    for i = 3, 1, -1 do
      assert.is_true(received[i].respond(200 + i, { ["X-Path"] = received[i].path }, received[i].path))
    end
    local _, ended = wait(0, 3)
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
    here:close()
    here = LocalHttp.new { max_body = 1000 }
    here:start { method = "POST", body = ("x"):rep(100000) }
    assert.equal(413, one_end().status)
    assert.equal(1000, #one_request({ method = "POST", body = ("x"):rep(1000) }).body)
  end)

  it("says false when the client has gone", function()
    local request, handle = one_request {}
    handle:cancel()
    here:close()
    assert.is_false(request.respond(200))
  end)

  it("closes with requests under way, twice, and is closed by its scope", function()
    local request = one_request {}
    here:start {}
    here:close()
    here:close()
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
    local none, err = server.listen { port = here.listener:port() }
    assert.is_nil(none)
    assert.equal("EADDRINUSE", err.code)
    assert.matches("127.0.0.1 port " .. here.listener:port(), err.message, 1, true)
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
    here:close()
    here.listener = six
    here:start { url = ("http://[::1]:%d/"):format(six:port()) }
    wait(1, 0)[1].respond(200)
    assert.equal(200, one_end().status)
  end)
end)
