-- What a call puts right by itself after AWS refused it: above all a wrong clock.

local clock = require "host.clock"
local world = require "spec.aws.world"

local function date(seconds)
  return clock.format_utc(seconds, "%a, %d %b %Y %H:%M:%S GMT")
end

-- An AWS whose clock is `ahead` of ours, and that refuses whatever was signed more than five minutes off, in its own
-- words: refuse(headers) -> response.
local function punctual(ahead, refuse)
  local function receive(request)
    local stamp = world.header(request, "X-Amz-Date")
    local signed = clock.parse_utc((stamp:gsub("^(%d%d%d%d)(%d%d)(%d%dT%d%d)(%d%d)(%d%dZ)$", "%1-%2-%3:%4:%5")))
    local headers = { date = date(request.at + ahead) }
    if math.abs(signed - (request.at + ahead)) > 300 then
      return refuse(headers)
    end
    return world.json(200, {}, headers)
  end
  return world.new(setmetatable({}, { __index = function() return receive end }))
end

describe("infra.aws.repairs of the clock", function()
  for _, code in ipairs {
    "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException",
    "SignatureDoesNotMatch", "AuthFailure",
  } do
    it("knows " .. code .. ", of a clock that is fast as of one that is slow", function()
      for _, ahead in ipairs { 7200, -7200 } do
        local aws = punctual(ahead, function(headers)
          return world.json(403, { __type = code }, headers)
        end)
        assert(aws.call("logs", "CreateLogGroup", { logGroupName = "/a" }))
        assert.equal(2, #aws.requests)
        assert.equal(aws.requests[1].at, aws.requests[2].at)
      end
    end)
  end

  it("knows the answer to HEAD, which names no code", function()
    local aws = punctual(7200, function(headers)
      return world.answer(403, "", headers)
    end)
    assert(aws.call("s3", "HeadBucket", { Bucket = "my-bucket" }))
    assert.equal(2, #aws.requests)
  end)

  it("serves every call that was under way with the wrong time, not only the first to come back", function()
    local aws = punctual(7200, function(headers)
      return world.json(400, { __type = "InvalidSignatureException" }, headers)
    end)
    local results = aws.runtime.scheduler:run(function()
      local calls = {}
      for i = 1, 5 do
        calls[i] = function()
          return aws.client:call("logs", "CreateLogGroup", { logGroupName = "/" .. i })
        end
      end
      return (aws.runtime.scheduler:all(calls))
    end)
    assert.equal(5, #results)
    assert.is_true(#aws.requests <= 10)
    assert(aws.call("logs", "DescribeLogGroups"))
    assert.is_true(#aws.requests <= 11) -- the offset is remembered
  end)

  it("leaves alone what a clock does not explain", function()
    for code, ahead in pairs { SignatureDoesNotMatch = 120, AccessDeniedException = 7200 } do
      local aws = world.new { function(request)
        return world.json(403, { __type = code }, { date = date(request.at + ahead) })
      end }
      local _, err = aws.call("logs", "DescribeLogGroups")
      assert.equal(code, err.code)
    end
  end)

  it("leaves alone what was not signed", function()
    local aws = world.new { function(request)
      return world.json(403, { __type = "RequestExpired" }, { date = date(request.at + 7200) })
    end }
    local _, err = aws.call("sso", "GetRoleCredentials", { roleName = "r", accountId = "1", accessToken = "t" },
      { no_retry = true })
    assert.equal("RequestExpired", err.code)
    assert.equal(1, #aws.requests)
  end)

  it("gives up when the server's clock runs wild", function()
    local aws = world.new {
      function(request) return world.json(400, { __type = "RequestExpired" }, { date = date(request.at + 7200) }) end,
      function(request) return world.json(400, { __type = "RequestExpired" }, { date = date(request.at - 7200) }) end,
      function(request) return world.json(400, { __type = "RequestExpired" }, { date = date(request.at + 7200) }) end,
    }
    local _, err = aws.call("logs", "DescribeLogGroups")
    assert.equal("RequestExpired", err.code)
    assert.is_true(#aws.requests <= 3)
  end)
end)

describe("infra.aws.repairs of credentials", function()
  it("renews them once for all the calls that found them expired", function()
    local current, renewed = { access_key = "AKIDOLD", secret_key = "s" }, 0
    local provider = {
      get = function() return current end,
      expire = function()
        renewed = renewed + 1
        current = { access_key = "AKIDNEW", secret_key = "s" }
      end,
    }
    local aws
    aws = world.new(setmetatable({}, { __index = function()
      return function(request)
        local is_old = world.header(request, "Authorization"):find("AKIDOLD", 1, true)
        aws.runtime.scheduler:sleep(1)
        return is_old and world.json(400, { __type = "ExpiredTokenException" }) or world.json(200, {})
      end
    end }), { credentials = provider })
    local outputs = aws.runtime.scheduler:run(function()
      local calls = {}
      for i = 1, 5 do
        calls[i] = function()
          return aws.client:call("logs", "CreateLogGroup", { logGroupName = "/" .. i })
        end
      end
      return (aws.runtime.scheduler:all(calls))
    end)
    assert.equal(5, #outputs)
    assert.equal(1, renewed)
    assert.equal(10, #aws.requests)
  end)
end)
