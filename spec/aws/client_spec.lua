local world = require "spec.aws.world"

local THROTTLED = { __type = "ThrottlingException", message = "Rate exceeded" }

describe("infra.aws.client", function()
  local answer, json, header = world.answer, world.json, world.header

  it("sends a signed request and returns the decoded output", function()
    local aws = world.new { json(200, { logGroups = { { logGroupName = "/a" } } }) }
    local output = assert(aws.call("logs", "DescribeLogGroups", { limit = 5 }))
    assert.equal("/a", output.logGroups[1].logGroupName)
    local request = aws.requests[1]
    assert.equal("POST", request.method)
    assert.equal("https://logs.us-east-1.amazonaws.com/", request.url)
    assert.equal('{"limit":5}', request.body)
    assert.equal("Logs_20140328.DescribeLogGroups", header(request, "X-Amz-Target"))
    assert.truthy(header(request, "Authorization"):find("/us-east-1/logs/aws4_request", 1, true))
    assert.equal("attempt=1; max=3", header(request, "amz-sdk-request"))
    assert.truthy(request.timeout and request.connect_timeout)
  end)

  it("goes where the call, the client and the configuration say, in that order", function()
    local aws = world.new { json(200, {}), json(200, {}) }
    aws.call("logs", "DescribeLogGroups", {}, { region = "eu-west-1" })
    assert.equal("https://logs.eu-west-1.amazonaws.com/", aws.requests[1].url)
    assert.truthy(header(aws.requests[1], "Authorization"):find("/eu-west-1/logs/", 1, true))

    local environment = { AWS_ENDPOINT_URL = "http://127.0.0.1:1", AWS_CA_BUNDLE = "/ca.pem" }
    aws = world.new({ json(200, {}) }, { environment = environment })
    aws.call("logs", "DescribeLogGroups")
    assert.equal("http://127.0.0.1:1/", aws.requests[1].url)
    assert.equal("/ca.pem", aws.requests[1].ca_file)

    aws = world.new({ json(200, {}) }, { environment = environment, endpoint_url = "http://127.0.0.1:2" })
    aws.call("logs", "DescribeLogGroups")
    assert.equal("http://127.0.0.1:2/", aws.requests[1].url)
  end)

  it("puts the query into the URL as it was signed", function()
    local aws = world.new { json(200, {}) }
    aws.call("lambda", "ListFunctions", { MaxItems = 5, Marker = "a b/=" })
    local query = aws.requests[1].url:match "%?(.*)$"
    assert.truthy(query:find("Marker=a%20b%2F%3D", 1, true))
    assert.truthy(query:find("MaxItems=5", 1, true))
  end)

  it("does not sign calls that need no credentials", function()
    local aws = world.new({ answer(200, "<AssumeRoleWithWebIdentityResponse/>") }, {
      credentials = { get = function() error "asked for credentials" end },
    })
    assert(aws.call("sts", "AssumeRoleWithWebIdentity", {
      RoleArn = "arn:aws:iam::123456789012:role/r", RoleSessionName = "me", WebIdentityToken = "token",
    }))
    assert.is_nil(header(aws.requests[1], "Authorization"))
  end)

  it("fails before it sends anything when something is wrong with the call", function()
    local aws = world.new {}
    for code, call in pairs {
      UnknownService = { "ecc", "X" },
      UnknownOperation = { "ec2", "X" },
      ParamValidation = { "logs", "CreateLogGroup", {} },
    } do
      local output, err = aws.call(table.unpack(call))
      assert.is_nil(output)
      assert.equal(code, err.code)
    end
    local _, err = world.new({}, { region = false }).call("logs", "DescribeLogGroups")
    assert.equal("NoRegion", err.code)
    assert.equal("logs", err.service)
    assert.equal("DescribeLogGroups", err.operation)
  end)

  it("passes on what is wrong with the credentials", function()
    local problem = require("infra.errors").new { code = "NoCredentials", message = "none" }
    local aws = world.new({}, { credentials = { get = function() return nil, problem end } })
    local output, err = aws.call("logs", "DescribeLogGroups")
    assert.is_nil(output)
    assert.equal(problem, err)
    assert.is_false(err.retryable)
    assert.is_false(err.unknown_outcome)
  end)

  describe("errors", function()
    it("carry AWS's own words", function()
      local aws = world.new { json(400, {
        __type = "com.amazonaws.logs#ResourceNotFoundException", message = "The specified log group does not exist.",
      }) }
      local output, err = aws.call("logs", "DescribeLogStreams", { logGroupName = "/a" })
      assert.is_nil(output)
      assert.equal("ResourceNotFoundException", err.code)
      assert.equal("The specified log group does not exist.", err.message)
      assert.equal("logs", err.service)
      assert.equal("DescribeLogStreams", err.operation)
      assert.equal("req-1", err.request_id)
      assert.equal(400, err.status)
      assert.is_false(err.retryable)
      assert.is_false(err.unknown_outcome)
    end)

    it("do not repeat secrets that AWS quotes", function()
      local aws = world.new { json(400, { __type = "ValidationException", message = "Value 'hunter22' is too short" }) }
      local _, err = aws.call("secretsmanager", "CreateSecret", { Name = "n", SecretString = "hunter22" })
      assert.equal("Value '***' is too short", err.message)
      aws = world.new { json(400, { __type = "Odd", message = "key " .. world.KEYS.secret_key }) }
      _, err = aws.call("logs", "DescribeLogGroups")
      assert.equal("key ***", err.message)
    end)

    it("from an emulator that answers with a page are final", function()
      local aws = world.new { answer(500, "<!doctype html>\n<title>500 Internal Server Error</title>",
        { ["content-type"] = "text/html; charset=utf-8" }) }
      local _, err = aws.call("logs", "DescribeLogGroups")
      assert.equal("HttpError", err.code)
      assert.is_false(err.retryable)
      aws = world.new { answer(404, "<html>Not Found</html>") }
      _, err = aws.call("lambda", "GetFunction", { FunctionName = "f" })
      assert.equal("HttpError", err.code)
    end)

    it("say that the outcome is unknown when a success cannot be understood", function()
      local aws = world.new { answer(200, "{") }
      local _, err = aws.call("secretsmanager", "CreateSecret", { Name = "n" })
      assert.equal("Malformed", err.code)
      assert.is_true(err.unknown_outcome)
      assert.is_false(err.retryable)
    end)
  end)

  describe("tries again", function()
    -- How a call ends whose first request gets the answer `first` and the second a success: "ok" or the error, and the
    -- world.
    local function second_chance(first, ...)
      local aws = world.new { first, json(200, {}) }
      local output, err = aws.call(...)
      return output and "ok" or err, aws
    end

    local function succeeds(...)
      local result, aws = second_chance(...)
      assert.equal("ok", result)
      assert.equal(2, #aws.requests)
    end

    local TIMEOUT, REFUSED = world.lost "Timeout", world.lost("ConnectionError", false)
    local FAILED = json(500, { __type = "InternalFailure" })
    local GROUP = { logGroupName = "/a" }

    it("whatever was throttled or never left, reads and writes alike", function()
      for _, first in ipairs { json(400, THROTTLED), json(429, {}), REFUSED } do
        succeeds(first, "logs", "CreateLogGroup", GROUP)
        succeeds(first, "logs", "DescribeLogGroups")
      end
    end)

    it("reads after any lost or failed answer", function()
      for _, first in ipairs { TIMEOUT, FAILED, answer(503, "<html>busy</html>") } do
        succeeds(first, "logs", "DescribeLogGroups")
        succeeds(first, "lambda", "GetFunction", { FunctionName = "f" })
      end
    end)

    it("but not a write of which nobody knows what became", function()
      for _, first in ipairs { world.lost "Timeout", world.lost "ConnectionError", FAILED } do
        local err, aws = second_chance(first, "logs", "CreateLogGroup", GROUP)
        assert.equal(1, #aws.requests)
        assert.is_true(err.unknown_outcome)
        assert.is_true(err.retryable)
        assert.equal("CreateLogGroup", err.operation)
      end
    end)

    it("unless it carries a token that lets AWS recognise it, the same each time", function()
      local result, aws = second_chance(FAILED, "secretsmanager", "CreateSecret", { Name = "n" })
      assert.equal("ok", result)
      assert.truthy(aws.requests[1].body:find '"ClientRequestToken":"%x+%-%x+%-4%x+%-[89ab]%x+%-%x+"')
      assert.equal(aws.requests[1].body, aws.requests[2].body)
      assert.equal(header(aws.requests[1], "amz-sdk-invocation-id"), header(aws.requests[2], "amz-sdk-invocation-id"))
      assert.equal("attempt=2; max=3", header(aws.requests[2], "amz-sdk-request"))
    end)

    it("with the token that the caller chose", function()
      local token = ("t"):rep(32)
      local _, aws = second_chance(FAILED, "secretsmanager", "CreateSecret", { Name = "n" }, { token = token })
      assert.truthy(aws.requests[2].body:find(token, 1, true))
    end)

    it("or the caller says that it does no harm", function()
      succeeds(FAILED, "logs", "CreateLogGroup", GROUP, { retry_unsafe = true })
    end)

    it("never when the caller does not want it", function()
      local err, aws = second_chance(json(400, THROTTLED), "logs", "DescribeLogGroups", {}, { no_retry = true })
      assert.equal(1, #aws.requests)
      assert.is_true(err.throttled)
    end)

    it("as often as configured, waiting in between, and signs anew each time", function()
      local aws = world.new({ FAILED, FAILED, FAILED, FAILED, json(200, {}) },
        { environment = { AWS_MAX_ATTEMPTS = "5" } })
      assert(aws.call("logs", "DescribeLogGroups"))
      assert.equal(5, #aws.requests)
      assert.is_true(aws.requests[5].at > aws.requests[4].at)
      assert.not_equal(header(aws.requests[1], "X-Amz-Date"), header(aws.requests[5], "X-Amz-Date"))
    end)

    it("and remembers an unknown outcome when a later attempt is refused", function()
      local aws = world.new { world.lost "Timeout", json(400, { __type = "AccessDeniedException", message = "no" }) }
      local _, err = aws.call("secretsmanager", "CreateSecret", { Name = "n" })
      assert.equal("AccessDeniedException", err.code)
      assert.is_true(err.unknown_outcome)
    end)

    it("when S3 took a success back", function()
      local late = answer(200, "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code><Message>m</Message></Error>")
      local aws = world.new { late }
      local _, err = aws.call("s3", "CopyObject", { Bucket = "b-1", Key = "k", CopySource = "b-1/l" })
      assert.equal("InternalError", err.code)
      assert.is_true(err.retryable)
      assert.is_true(err.unknown_outcome)
    end)
  end)

  describe("puts right", function()
    local function date(seconds)
      return require("host.clock").format_utc(seconds, "%a, %d %b %Y %H:%M:%S GMT")
    end

    it("a wrong clock, once, and remembers by how much", function()
      local skewed = function(request)
        return json(400, { __type = "InvalidSignatureException" }, { date = date(request.at + 7200) })
      end
      local aws = world.new { skewed, json(200, {}), json(200, {}) }
      assert(aws.call("logs", "CreateLogGroup", { logGroupName = "/a" }))
      assert.equal("20240101T000000Z", header(aws.requests[1], "X-Amz-Date"))
      assert.equal("20240101T020000Z", header(aws.requests[2], "X-Amz-Date"))
      assert.equal(aws.requests[1].at, aws.requests[2].at)
      assert(aws.call("logs", "DescribeLogGroups"))
      assert.equal("20240101T020000Z", header(aws.requests[3], "X-Amz-Date"))

      aws = world.new { skewed, function(request)
        return json(400, { __type = "InvalidSignatureException" }, { date = date(request.at - 7200) })
      end }
      local _, err = aws.call("logs", "DescribeLogGroups")
      assert.equal("InvalidSignatureException", err.code)
    end)

    it("but not a signature that is wrong for another reason", function()
      local aws = world.new { function(request)
        return json(403, { __type = "SignatureDoesNotMatch" }, { date = date(request.at + 60) })
      end }
      local _, err = aws.call("logs", "DescribeLogGroups")
      assert.equal("SignatureDoesNotMatch", err.code)
    end)

    it("expired credentials, once", function()
      local expired = 0
      local provider = {
        get = function() return world.KEYS end,
        expire = function() expired = expired + 1 end,
      }
      local EXPIRED = json(400, { __type = "ExpiredTokenException", message = "expired" })
      local aws = world.new({ EXPIRED, json(200, {}) }, { credentials = provider })
      assert(aws.call("logs", "CreateLogGroup", { logGroupName = "/a" }))
      assert.equal(1, expired)
      local _, err = world.new({ EXPIRED, EXPIRED }, { credentials = provider }).call("logs", "DescribeLogGroups")
      assert.equal("ExpiredTokenException", err.code)
    end)

    it("the region of a bucket, for good", function()
      local aws = world.new {
        answer(301, "<Error><Code>PermanentRedirect</Code></Error>", { ["x-amz-bucket-region"] = "eu-west-1" }),
        answer(200, "<ListBucketResult/>"), answer(200, "<ListBucketResult/>"),
      }
      assert(aws.call("s3", "ListObjectsV2", { Bucket = "my-bucket" }))
      assert(aws.call("s3", "ListObjectsV2", { Bucket = "my-bucket" }))
      assert.equal("https://my-bucket.s3.us-east-1.amazonaws.com/?list-type=2", aws.requests[1].url)
      for i = 2, 3 do
        assert.equal("https://my-bucket.s3.eu-west-1.amazonaws.com/?list-type=2", aws.requests[i].url)
        assert.truthy(header(aws.requests[i], "Authorization"):find("/eu-west-1/s3/", 1, true))
      end
    end)
  end)

  describe("for single services", function()
    it("takes Route 53's ids as Route 53 hands them out", function()
      local aws = world.new { answer(200, "<GetHostedZoneResponse/>") }
      assert(aws.call("route53", "GetHostedZone", { Id = "/hostedzone/Z123" }))
      assert.equal("https://route53.amazonaws.com/2013-04-01/hostedzone/Z123", aws.requests[1].url)
    end)

    it("asks API Gateway for plain JSON", function()
      local aws = world.new { json(200, {}) }
      assert(aws.call("apigateway", "GetRestApis"))
      assert.equal("application/json", header(aws.requests[1], "Accept"))
    end)

    it("adds the checksum that S3 requires", function()
      local aws = world.new { answer(200, "") }
      assert(aws.call("s3", "PutBucketPolicy", { Bucket = "my-bucket", Policy = "{}" }))
      assert.equal("CRC32", header(aws.requests[1], "x-amz-sdk-checksum-algorithm"))
      assert.equal("o6a/Qw==", header(aws.requests[1], "x-amz-checksum-crc32"))
      assert.truthy(header(aws.requests[1], "Authorization"):find("x-amz-checksum-crc32;", 1, true))
    end)
  end)

  it("changes nothing in the caller's parameters", function()
    local params = { Name = "n" }
    world.new({ json(200, {}) }).call("secretsmanager", "CreateSecret", params)
    assert.same({ Name = "n" }, params)
  end)

  it("pages through results by the model", function()
    local aws = world.new {
      json(200, { logGroups = { { logGroupName = "/a" } }, nextToken = "t" }),
      json(200, { logGroups = { { logGroupName = "/b" } } }),
    }
    local output = assert(aws.all("logs", "DescribeLogGroups", {}))
    assert.equal(2, #output.logGroups)
    assert.equal('{"nextToken":"t"}', aws.requests[2].body)
  end)
end)
