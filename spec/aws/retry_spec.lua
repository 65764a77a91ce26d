local Retry = require "infra.aws.retry"
local world = require "spec.aws.world"

describe("infra.aws.retry", function()
  local function classified(err, final)
    Retry.classify(err, final)
    return err
  end

  describe("classify", function()
    local function is(err, wanted, final)
      local got = classified(err, final)
      for name, value in pairs(wanted) do
        assert.equal(value, got[name], ("%s of %s %s"):format(name, err.code, err.status))
      end
    end

    it("knows throttling, by code and by status: AWS did nothing", function()
      local throttled = { throttled = true, retryable = true, unknown_outcome = false }
      is({ code = "RequestLimitExceeded", status = 503 }, throttled)
      is({ code = "ThrottlingException", status = 400 }, throttled)
      is({ code = "Whatever", status = 429 }, throttled)
    end)

    it("knows what passes by itself, and that a server's failure leaves the outcome open", function()
      local transient = { throttled = false, retryable = true, unknown_outcome = true }
      for _, status in ipairs { 500, 502, 503, 504 } do
        is({ code = "InternalError", status = status }, transient)
      end
      is({ code = "RequestTimeout", status = 400 }, { retryable = true, unknown_outcome = false })
      is({ code = "NotImplemented", status = 501 }, { retryable = false, unknown_outcome = true })
    end)

    it("knows that a refusal is final", function()
      local final = { throttled = false, retryable = false, unknown_outcome = false }
      is({ code = "AccessDenied", status = 403 }, final)
      is({ code = "LimitExceededException", status = 400 }, final)
    end)

    it("tells lost answers from requests that never left", function()
      is({ code = "Timeout" }, { retryable = true, unknown_outcome = true })
      is({ code = "ConnectionError" }, { retryable = true, unknown_outcome = true })
      is({ code = "ConnectionError", sent = false }, { retryable = true, unknown_outcome = false })
      is({ code = "TlsError", sent = false }, { retryable = false, unknown_outcome = false })
    end)

    it("believes the model, and the caller who knows better", function()
      is({ code = "Odd", status = 400, retryable = true }, { retryable = true, unknown_outcome = false })
      is({ code = "HttpError", status = 500 }, { retryable = false, unknown_outcome = true }, true)
    end)
  end)

  describe("next", function()
    -- A jitter of 1/2 of the whole.
    local function new(max_attempts)
      return Retry.new { random = function(n) return ("\0"):rep(n - 1) .. "\x80" end, max_attempts = max_attempts }
    end

    local timeout, failure = classified { code = "Timeout" }, classified { code = "InternalError", status = 500 }

    it("waits a random part of a doubling time, at most 20 seconds", function()
      local retry, waits = new(9), {}
      for attempt = 1, 8 do
        waits[attempt] = retry:next(attempt, failure)
      end
      assert.same({ 0.5, 1, 2, 4, 8, 10, 10, 10 }, waits)
    end)

    it("stops after three attempts, and at what cannot pass", function()
      local retry = new()
      assert.truthy(retry:next(2, failure))
      assert.is_nil(retry:next(3, failure))
      assert.is_nil(retry:next(1, classified { code = "AccessDenied", status = 403 }))
    end)

    it("waits at least as long as the response asks", function()
      local retry = new()
      assert.equal(7, retry:next(1, failure, { ["retry-after"] = "7" }))
      assert.equal(1.5, retry:next(1, failure, { ["x-amz-retry-after"] = "1500" }))
      assert.equal(300, retry:next(1, failure, { ["retry-after"] = "100000" }))
      assert.equal(0.5, retry:next(1, failure, { ["retry-after"] = "-1" }))
      assert.equal(0.5, retry:next(1, failure, { ["retry-after"] = "Wed, 21 Oct 2015 07:28:00 GMT" }))
    end)

    it("takes a time for what it is by the server's clock, whatever ours says", function()
      local date = "Wed, 21 Oct 2015 07:28:00 GMT"
      assert.equal(9, new():next(1, failure, { ["retry-after"] = "Wed, 21 Oct 2015 07:28:09 GMT", date = date }))
      assert.equal(0.5, new():next(1, failure, { ["retry-after"] = "Wed, 21 Oct 2015 07:27:00 GMT", date = date }))
      assert.equal(0.5, new():next(1, failure, { ["retry-after"] = "soon", date = date }))
    end)

    it("is more patient with throttling, unless the user chose a number of attempts", function()
      local throttled = classified { code = "SlowDown", status = 503 }
      assert.truthy(new():next(9, throttled))
      assert.is_nil(new():next(10, throttled))
      assert.is_nil(new(3):next(3, throttled))
      assert.is_nil(new(1):next(1, throttled))
    end)

    it("gives up when the quota is empty, and takes from it again after successes", function()
      local retry = new()
      for _ = 1, 50 do
        assert.equal(10, select(2, retry:next(1, timeout)))
      end
      assert.is_nil(retry:next(1, timeout))
      assert.is_nil(retry:next(1, failure))
      for _ = 1, 5 do
        retry:succeeded()
      end
      assert.equal(5, select(2, retry:next(1, failure)))
      assert.is_nil(retry:next(1, failure))
      retry:succeeded(10)
      assert.truthy(retry:next(1, timeout))
    end)

    it("never holds more than the quota", function()
      local retry = new()
      for _ = 1, 100 do
        retry:succeeded(10)
      end
      for _ = 1, 100 do
        assert.truthy(retry:next(1, failure))
      end
      assert.is_nil(retry:next(1, failure))
    end)
  end)

  describe("settings", function()
    local function settings(variables)
      return Retry.settings(world.config(variables))
    end

    it("come from the environment; the mode is adaptive unless another is chosen", function()
      assert.same({ adaptive = true }, settings {})
      assert.same({ adaptive = true, max_attempts = 7 },
        settings { AWS_RETRY_MODE = "Adaptive", AWS_MAX_ATTEMPTS = "7" })
      for _, mode in ipairs { "standard", "legacy" } do
        assert.is_false(settings({ AWS_RETRY_MODE = mode }).adaptive)
      end
    end)

    it("that mean nothing are refused, by name", function()
      for variable, value in pairs { AWS_RETRY_MODE = "eager", AWS_MAX_ATTEMPTS = "0" } do
        local found, err = settings { [variable] = value }
        assert.is_nil(found)
        assert.equal("ConfigError", err.code)
        assert.truthy(err.message:find(value, 1, true))
      end
      for _, value in ipairs { "many", "-1", "2.5" } do
        assert.is_nil((settings { AWS_MAX_ATTEMPTS = value }))
      end
    end)
  end)

  describe("of a client", function()
    local FAILED = world.json(500, { __type = "InternalFailure" })
    local answer

    -- A client of an AWS that always answers `answer`; its calls' number of requests.
    local function client(options)
      local aws = world.new(setmetatable({}, { __index = function()
        return function() return answer end
      end }), options)
      return function(...)
        local before = #aws.requests
        aws.call(...)
        return #aws.requests - before
      end, aws
    end

    it("stops all repetitions when the quota is used up, and takes them up again after successes", function()
      local requests = client()
      answer = FAILED
      for _ = 1, 50 do
        assert.equal(3, requests("logs", "DescribeLogGroups"))
      end
      assert.equal(1, requests("logs", "DescribeLogGroups"))
      answer = world.json(200, {})
      for _ = 1, 5 do
        assert.equal(1, requests("logs", "DescribeLogGroups"))
      end
      answer = FAILED
      assert.equal(2, requests("logs", "DescribeLogGroups"))
    end)

    it("does not take from the quota for what may not be repeated", function()
      local requests = client()
      answer = FAILED
      for _ = 1, 200 do
        assert.equal(1, requests("logs", "CreateLogGroup", { logGroupName = "/a" }))
      end
      assert.equal(3, requests("logs", "DescribeLogGroups"))
    end)

    it("holds requests back after a throttling in the adaptive mode, and not in the standard mode", function()
      local function seconds(mode)
        local requests, aws = client { environment = { AWS_RETRY_MODE = mode, AWS_MAX_ATTEMPTS = "1" } }
        answer = world.json(400, { __type = "ThrottlingException" })
        for _ = 1, 4 do
          requests("logs", "DescribeLogGroups")
        end
        return aws.runtime.now()
      end
      assert.is_true(seconds "adaptive" > 1)
      assert.equal(0, seconds "standard")
    end)
  end)
end)
