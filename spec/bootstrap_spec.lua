-- The program of the bootstrap image, the real one out of this binary, against a scripted runtime interface.

local clock = require "host.clock"
local fs = require "host.fs"
local json = require "host.json"
local loop = require "host.loop"
local process = require "host.process"
local program = require "spec.support.program"
local server = require "host.server"
local temporary = require "spec.support.temporary"

local NEXT <const> = "/2018-06-01/runtime/invocation/next"
local PATIENCE <const> = 20

-- What an HTTP API sends, payload format 2.0.
local function event(method, path, stage, body)
  return json.encode {
    version = "2.0", routeKey = "$default", rawPath = path, rawQueryString = "", body = body,
    headers = { ["x-tricky"] = '{"rawPath":"/health/"}', host = "x" },
    requestContext = { stage = stage or "$default", http = { method = method, path = path, protocol = "HTTP/1.1" } },
  }
end

describe("the bootstrap program", function()
  local directory, remove = temporary()
  local path = directory .. "/bootstrap"
  local listener, running

  setup(function()
    assert(fs.write(path, require("host.modules").text "bootstrap", tonumber("700", 8)))
  end)

  teardown(remove)

  before_each(function()
    listener = assert(server.listen {})
    running = assert(process.start {
      argv = { path }, environment = { AWS_LAMBDA_RUNTIME_API = "127.0.0.1:" .. listener:port() }, timeout = PATIENCE,
    })
  end)

  after_each(function()
    running:cancel()
    listener:close()
    collectgarbage()
    loop.wait(0)
  end)

  local function request()
    local deadline = clock.monotonic() + PATIENCE
    while clock.monotonic() < deadline do
      for _, one in ipairs(loop.wait(deadline - clock.monotonic())) do
        if one.handle == listener then
          return one.request
        end
      end
    end
    error "the program asks for nothing"
  end

  -- Gives it one invocation, and returns what it answers.
  local function invoke(body, id)
    local asked = request()
    assert.same({ "GET", NEXT }, { asked.method, asked.path })
    asked.respond(200, { ["Lambda-Runtime-Aws-Request-Id"] = id or "id-1" }, body)
    local answered = request()
    assert.equal("POST", answered.method)
    assert.equal("/2018-06-01/runtime/invocation/" .. (id or "id-1") .. "/response", answered.path)
    answered.respond(202, nil, "")
    return assert(json.decode(answered.body))
  end

  it("answers the health check, and nothing else, one invocation after the other", function()
    local healthy = invoke(event("GET", "/health/"), "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
    assert.equal(200, healthy.statusCode)
    assert.same({ status = "bootstrap" }, json.decode(healthy.body))
    assert.equal("application/json", healthy.headers["content-type"])
    for _, body in ipairs {
      event("GET", "/"), event("POST", "/health/"), event("GET", "/health/more"), event("GET", "/x/health/"),
      event("GET", "/other/health/", "staging"),
    } do
      assert.equal(503, invoke(body).statusCode)
    end
    assert.equal(200, invoke(event("GET", "/health/")).statusCode)
  end)

  it("knows that the stage is part of the path", function()
    assert.equal(200, invoke(event("GET", "/staging/health/", "staging")).statusCode)
    assert.equal(200, invoke(event("GET", "/health/", "staging")).statusCode)
    assert.equal(503, invoke(event("GET", "/staginghealth/", "staging")).statusCode)
  end)

  it("answers what is no such event", function()
    for _, body in ipairs {
      "", "null", "[]", "{", '{"rawPath":"/health/"}', '{"rawPath":"/health/', '{"rawPath":"/health/\\',
      ("["):rep(100000),
      '{"rawPath":["/health/"],"requestContext":{"http":{"method":"GET"}}}', '{"requestContext":{"http":{', "\0\0",
      '{"version":"1.0","path":"/health/","httpMethod":"GET"}', "no JSON at all",
    } do
      assert.equal(503, invoke(body).statusCode)
    end
    -- The same text, written otherwise.
    assert.equal(200, invoke [[ { "rawPath" : "\/he\u0061lth/" , "requestContext" : {"http": {"method": "GET" } } } ]]
      .statusCode)
  end)

  it("takes events of any size", function()
    local large = event("GET", "/health/", nil, ('"\\'):rep(1600000))
    assert.is_true(#large > 6 << 20)
    assert.equal(200, invoke(large).statusCode)
  end)

  it("goes on when an answer is refused", function()
    request().respond(200, { ["Lambda-Runtime-Aws-Request-Id"] = "late" }, event("GET", "/health/"))
    request().respond(400, nil, '{"errorType":"InvalidStateTransition"}')
    assert.equal(200, invoke(event("GET", "/health/")).statusCode)
  end)

  it("ends when the runtime interface does not work, so that Lambda starts it anew", function()
    request().respond()
    local ended = program.finish(running)
    assert.equal(1, ended.status)
    assert.matches("the runtime interface does not answer", ended.stderr)
  end)

  it("ends when there is no runtime interface", function()
    for _, address in ipairs { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "example.com:80", "::1:80", "x:y" } do
      local ended = program.run { argv = { path }, environment = { AWS_LAMBDA_RUNTIME_API = address } }
      assert.equal(1, ended.status)
      assert.matches("AWS_LAMBDA_RUNTIME_API", ended.stderr)
    end
  end)

  -- A server that answers connections with $ANSWER, a few bytes at a time, and ends when something is posted to it.
  local DRIBBLE <const> = [[
    use IO::Socket::INET; $| = 1;
    my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
    print $listener->sockport, "\n";
    while (my $peer = $listener->accept) {
      my ($got, $head, $body, $length) = ("", "", undef, 0);
      while (!defined $body || length $body < $length) {
        sysread $peer, $got, 65536, length $got or last;
        ($head, $body) = split /\r\n\r\n/, $got, 2;
        $length = $1 if $head =~ /content-length: (\d+)/i;
      }
      print STDERR $got;
      last if $got =~ /^POST/;
      syswrite $peer, $_ and select undef, undef, undef, 0.002 for $ENV{ANSWER} =~ /.{1,7}/gs;
    }]]

  -- Runs the program against it to the end, which comes with an answer that is broken, or when the server is gone.
  -- Returns how it ended, and all that it sent.
  local function against(answer)
    local log = directory .. "/log"
    local output = assert(io.popen(("ANSWER='%s' exec timeout 20 perl -e '%s' 2> %s & echo $!; wait"):format(answer,
      DRIBBLE, log)))
    local pid, port = output:read("n", "n")
    local ended = program.run {
      argv = { path }, environment = { AWS_LAMBDA_RUNTIME_API = "127.0.0.1:" .. port }, timeout = PATIENCE,
    }
    os.execute(("kill %d 2>/dev/null"):format(pid))
    output:close()
    return ended, fs.read(log)
  end

  it("takes answers in pieces, chunked or to the end of the connection", function()
    local body = event("GET", "/health/"):gsub("'", "")
    local head = "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id:  id-9 \r\n"
    local half = #body // 2
    local chunked = ("%x;note=1\r\n%s\r\n%X\r\n%s\r\n0\r\n\r\n"):format(half, body:sub(1, half), #body - half,
      body:sub(half + 1))
    for _, answer in ipairs { head .. "Transfer-Encoding: chunked\r\n\r\n" .. chunked, head .. "\r\n" .. body } do
      local _, posted = against(answer)
      assert.matches("POST /2018-06-01/runtime/invocation/id-9/response HTTP/1.1\r\n", posted, 1, true)
      assert.matches('{"statusCode":200', posted, 1, true)
    end
  end)

  it("takes nothing that is broken for an answer", function()
    local id = "Lambda-Runtime-Aws-Request-Id: x\r\n"
    for _, answer in ipairs {
      "HTTP/1.1 200 OK\r\n", "SMTP\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", "HTTP/1.1 500 No\r\n" .. id .. "\r\n",
      "HTTP/1.1 200 OK\r\n" .. id .. "Content-Length: 9\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\n" .. id .. "Content-Length: -2\r\n\r\n{}",
      "HTTP/1.1 200 OK\r\n" .. id .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n" .. id .. "Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
      "HTTP/1.1 200 OK\r\n" .. id .. "Transfer-Encoding: gzip\r\n\r\n{}",
    } do
      local ended, posted = against(answer)
      assert.equal(1, ended.status, answer)
      assert.is_nil(posted:find("POST", 1, true), answer)
    end
  end)
end)
