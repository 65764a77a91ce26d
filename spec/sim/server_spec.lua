-- The simulated AWS over HTTP: what of a request gets through to it, and what a client sees when something is wrong.

local Server = require "infra.sim.server"
local http = require "host.http"
require "spec.support.local_http" -- no proxies

local CHUNKED = {
  { "Content-Encoding", "aws-chunked" }, { "x-amz-decoded-content-length", "5" }, { "X-Amz-Target", "AmazonSSM.X" },
}

local SPEED <const> = 60

-- Runs body(ask, server) while a server serves; ask(fields) is what a client gets back for a POST: response, error.
local function serving(options, body)
  options.speed = SPEED
  local server <close> = assert(Server.open(options))
  server.scheduler:run(function()
    server.scheduler:spawn(server.serve, server)
    body(function(fields)
      local event = server.scheduler:await(assert(http.start {
        method = fields.method or "POST", url = fields.url or server.url .. (fields.path or "/"),
        headers = fields.headers or {}, body = fields.body,
      }))
      return event.response, event.error
    end, server)
  end)
end

local function signed_for(service)
  return { { "Authorization", "AWS4-HMAC-SHA256 Credential=SIMULATED/20260101/us-east-1/" .. service ..
    "/aws4_request, SignedHeaders=host, Signature=00" } }
end

describe("infra.sim.server", function()
  it("refuses in AWS's words what it does not understand, and goes on", function()
    serving({}, function(ask)
      for _, case in ipairs {
        { {}, 403, "MissingAuthenticationToken" },
        { { method = "GET", path = "/%zz%00?%%%=%&&&a" }, 403, "MissingAuthenticationToken" },
        { { headers = { { "Authorization", "nonsense" } } }, 403, "MissingAuthenticationToken" },
        { { headers = { { "X-Amz-Target", "A.B" } }, body = '{"a":' }, 400, "MissingAuthenticationToken" },
        { { headers = CHUNKED, body = "zz" }, 400, "MissingAuthenticationToken" },
        { { headers = signed_for "sqs", body = "Action=ListQueues" }, 400, "InvalidSignature" },
        { { headers = signed_for "ec2", body = "Action=DescribeVpcs" }, 401, "AuthFailure" },
        { { headers = signed_for "nobody" }, 403, "Signature" },
        { { headers = { { "Host", "a host" } } }, 400, "" },
      } do
        local response = assert(ask(case[1]))
        assert.equal(case[2], response.status, response.body)
        assert.truthy(response.body:find(case[3], 1, true), response.body)
      end
    end)
  end)

  it("takes whatever host a client calls it by", function()
    serving({}, function(ask)
      local headers = signed_for "ec2"
      headers[2] = { "Host", "simulator.example:4566" }
      assert.equal(401, assert(ask { headers = headers, body = "Action=DescribeVpcs" }).status)
    end)
  end)

  it("answers 500 to its own mistakes, says so, and goes on", function()
    local reported
    serving({ report = function(err) reported = err.message end }, function(ask, server)
      function server.sim.send()
        error "a mistake"
      end
      assert.equal(500, assert(ask {}).status)
      assert.matches("a mistake", reported)
      server.sim.send = nil
      assert.equal(403, assert(ask {}).status)
    end)
  end)

  it("drops the connection where the network would", function()
    serving({ faults = { schedule = { { fault = "lost_response" } } } }, function(ask)
      local response, err = ask {}
      assert.is_nil(response)
      assert.equal("ConnectionError", err.code)
      assert.equal(403, assert(ask {}).status)
    end)
  end)

  it("answers others while one waits", function()
    local slow_call = { headers = signed_for "ec2", body = "Action=DescribeVpcs" }
    local seen = false
    serving({
      faults = { schedule = { { fault = "slow", service = "ec2", seconds = 3600 * SPEED } } },
      observe = function(call) seen = seen or call.service == "ec2" end,
    }, function(ask, server)
      local slow = server.scheduler:spawn(ask, slow_call)
      repeat
        server.scheduler:sleep(1)
      until seen
      assert.equal(403, assert(ask {}).status)
      assert.is_false(slow.done)
    end)
  end)
end)
