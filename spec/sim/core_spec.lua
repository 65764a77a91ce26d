-- The front door of the simulated AWS: who is asked for what, by whom, in which protocol.

local caller = require "spec.sim.caller"

-- Runs `body(call, sim, world)`.
local function simulated(body, options)
  caller.run(options or {}, body)
end

local function refused(output, err, response)
  assert.is_nil(output)
  return err.code, response and response.status, err.message
end

-- One service for each protocol, and an operation that every account may call.
local QUESTIONS = {
  ec2 = { "ec2", "DescribeVpcs" },
  query = { "sts", "GetCallerIdentity" },
  json = { "ssm", "DescribeParameters" },
  ["rest-json"] = { "lambda", "ListFunctions" },
  ["rest-xml"] = { "route53", "ListHostedZones" },
  s3 = { "s3", "ListBuckets" },
}

local function each_protocol(expected, how)
  simulated(function(call)
    for protocol, codes in pairs(expected) do
      local service, operation = table.unpack(QUESTIONS[protocol])
      local code, status = refused(call(service, operation, {}, how))
      assert.same(codes, { code, status }, protocol)
    end
  end)
end

describe("infra.sim", function()
  it("knows the caller by the signature", function()
    simulated(function(call)
      local identity = assert(call("sts", "GetCallerIdentity"))
      assert.equal("123456789012", identity.Account)
      assert.equal("arn:aws:iam::123456789012:user/administrator", identity.Arn)
    end)
  end)

  it("refuses a wrong secret key in each protocol's own words", function()
    each_protocol({
      ec2 = { "AuthFailure", 401 },
      query = { "SignatureDoesNotMatch", 403 },
      json = { "InvalidSignatureException", 400 },
      ["rest-json"] = { "InvalidSignatureException", 403 },
      ["rest-xml"] = { "SignatureDoesNotMatch", 403 },
      s3 = { "SignatureDoesNotMatch", 403 },
    }, { credentials = { access_key = "SIMULATED", secret_key = "another" } })
  end)

  it("refuses an unknown access key", function()
    each_protocol({
      ec2 = { "AuthFailure", 401 },
      query = { "InvalidClientTokenId", 403 },
      json = { "UnrecognizedClientException", 400 },
      ["rest-json"] = { "UnrecognizedClientException", 403 },
      ["rest-xml"] = { "InvalidClientTokenId", 403 },
      s3 = { "InvalidAccessKeyId", 403 },
    }, { credentials = { access_key = "AKIASTRANGER", secret_key = "simulated" } })
  end)

  it("refuses a session token that it did not hand out", function()
    simulated(function(call)
      local how = { credentials = { access_key = "SIMULATED", secret_key = "simulated", session_token = "made up" } }
      assert.equal("InvalidClientTokenId", (refused(call("sts", "GetCallerIdentity", {}, how))))
    end)
  end)

  it("refuses requests without a signature", function()
    local function unsign(request)
      for i, header in ipairs(request.headers) do
        if header[1] == "Authorization" then
          table.remove(request.headers, i)
          break
        end
      end
    end
    each_protocol({
      ec2 = { "MissingParameter", 400 },
      query = { "MissingAuthenticationToken", 403 },
      json = { "MissingAuthenticationTokenException", 400 },
      ["rest-json"] = { "MissingAuthenticationTokenException", 403 },
      ["rest-xml"] = { "MissingAuthenticationToken", 403 },
      s3 = { "AccessDenied", 403 },
    }, { change = unsign })
  end)

  it("refuses a clock that is off by more than AWS tolerates, either way", function()
    each_protocol({
      ec2 = { "RequestExpired", 400 },
      query = { "SignatureDoesNotMatch", 403 },
      json = { "InvalidSignatureException", 400 },
      ["rest-json"] = { "InvalidSignatureException", 403 },
      ["rest-xml"] = { "SignatureDoesNotMatch", 403 },
      s3 = { "RequestTimeTooSkewed", 403 },
    }, { clock = -1000 })
    simulated(function(call)
      assert.equal("RequestExpired", (refused(call("ec2", "DescribeVpcs", {}, { clock = 400 }))))
      assert.truthy(call("ec2", "DescribeVpcs", {}, { clock = 200 }))
    end)
  end)

  it("notices a body that was changed after signing", function()
    simulated(function(call)
      local function change(request)
        request.body = request.body:gsub("10%.0", "10.1")
      end
      local code = refused(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" }, { change = change }))
      assert.equal("AuthFailure", code)
    end)
  end)

  it("wants AWS's own headers signed", function()
    simulated(function(call)
      local function add(request)
        table.insert(request.headers, { "x-amz-tagging", "a=b" })
      end
      local code, _, message = refused(call("s3", "ListBuckets", {}, { change = add }))
      assert.equal("SignatureDoesNotMatch", code)
      assert.matches("not signed: x%-amz%-tagging", message)
    end)
  end)

  it("notices a signature for another region or service", function()
    simulated(function(call)
      local function redirect(host)
        return function(request)
          request.url = request.url:gsub("//[^/]+", "//" .. host)
        end
      end
      local code, _, message = refused(call("sts", "GetCallerIdentity", {},
        { change = redirect "sts.eu-west-1.amazonaws.com" }))
      assert.equal("SignatureDoesNotMatch", code)
      assert.matches("valid region: 'eu%-west%-1'", message)
      code, _, message = refused(call("sns", "ListTopics", {}, { change = redirect "iam.amazonaws.com" }))
      assert.equal("SignatureDoesNotMatch", code)
      assert.matches("correct service: 'iam'", message)
    end)
  end)

  it("goes by the signature where the host says nothing", function()
    simulated(function(call)
      local seen
      local function to_loopback(request)
        request.url = request.url:gsub("https://[^/]+", "http://127.0.0.1:4566")
        seen = request.url
      end
      local code = refused(call("ec2", "DescribeVpcs", {}, { change = to_loopback }))
      assert.matches("127.0.0.1", seen)
      assert.equal("AuthFailure", code) -- understood as EC2's; the signed host was another
    end)
  end)

  it("has no such host as AWS has not", function()
    simulated(function(call)
      local function astray(request)
        request.url = "https://ec2.example.com/"
        request.headers = {}
      end
      local output, err = call("ec2", "DescribeVpcs", {}, { change = astray })
      assert.is_nil(output)
      assert.equal("ConnectionError", err.code)
      assert.is_false(err.sent)
    end)
  end)

  it("says which services it lacks", function()
    simulated(function(call)
      local _, err = call("sqs", "ListQueues", {})
      assert.equal("NotSimulated", err.code)
      assert.matches("sqs.us-east-1.amazonaws.com is not simulated", err.message, 1, true)
    end)
  end)

  it("knows which operations a service has, and which of them are simulated", function()
    simulated(function(call)
      local function rename(request)
        request.body = request.body:gsub("Action=DescribeVpcs", "Action=DescribeCastles")
      end
      assert.equal("AuthFailure", (refused(call("ec2", "DescribeVpcs", {}, { change = rename }))))
      local code, _, message = refused(call("ec2", "DescribeFleets"))
      assert.equal("InvalidAction", code)
      assert.matches("not simulated", message)
      assert.equal("UnknownOperationException", (refused(call("ssm", "DescribeSessions", { State = "Active" }))))
    end)
  end)

  describe("input", function()
    -- Sends a form body as it stands.
    local function form(text)
      return function(request)
        request.body = text
      end
    end

    -- The same, signed.
    local function raw(call, service, operation, body)
      local signer = require "infra.aws.signer"
      return refused(call(service, operation, {}, {
        change = function(request)
          request.body = body
          local host = request.url:match "//([^/]+)"
          local headers = {}
          for _, header in ipairs(request.headers) do
            if header[1]:lower() == "content-type" or header[1]:lower() == "x-amz-target" then
              headers[#headers + 1] = header
            end
          end
          local unsigned = { method = "POST", path = "/", query = {}, headers = headers, body = body }
          request.headers = signer.sign(unsigned, host, {
            endpoint = { signing_name = service, signing_region = "us-east-1" },
            credentials = caller.CREDENTIALS,
            timestamp = 1704067200,
          })
        end,
      }))
    end

    it("must have what the model requires", function()
      simulated(function(call)
        local code, status, message = raw(call, "ec2", "DescribeVpcs", "Action=CreateSubnet&Version=2016-11-15")
        assert.same({ "MissingParameter", 400 }, { code, status })
        assert.equal("The request must contain the parameter VpcId", message)
        code, status, message = raw(call, "sts", "GetCallerIdentity", "Action=AssumeRole&Version=2011-06-15&RoleArn=x")
        assert.same({ "ValidationError", 400 }, { code, status })
        assert.matches("RoleSessionName", message)
      end)
    end)

    it("must have values of the right type", function()
      simulated(function(call)
        assert.equal("InvalidParameterValue", (raw(call, "ec2", "DescribeVpcs",
          "Action=DescribeVpcs&Version=2016-11-15&MaxResults=many")))
        assert.equal("InvalidParameterValue", (raw(call, "ec2", "DescribeVpcs",
          "Action=DescribeVpcs&Version=2016-11-15&DryRun=perhaps")))
        assert.equal("SerializationException", (raw(call, "ssm", "DescribeParameters", '{"MaxResults":"ten"}')))
        assert.equal("SerializationException", (raw(call, "ssm", "DescribeParameters", '{"Filters":{}}')))
        assert.equal("SerializationException", (raw(call, "ssm", "DescribeParameters", "not JSON")))
      end)
    end)

    it("must not have parameters that EC2 does not know", function()
      simulated(function(call)
        local code, _, message = raw(call, "ec2", "DescribeVpcs",
          "Action=DescribeVpcs&Version=2016-11-15&Filters.1.Name=state")
        assert.equal("UnknownParameter", code)
        assert.equal("The parameter Filters.1.Name is not recognized", message)
      end)
    end)

    it("is checked after the signature", function()
      simulated(function(call)
        assert.equal("AuthFailure", (refused(call("ec2", "DescribeVpcs", {},
          { change = form "Action=CreateSubnet&Version=2016-11-15" }))))
      end)
    end)
  end)

  it("answers DryRun without doing anything", function()
    simulated(function(call)
      local code, status = refused(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16", DryRun = true }))
      assert.same({ "DryRunOperation", 412 }, { code, status })
      assert.same({}, assert(call("ec2", "DescribeVpcs")).Vpcs)
    end)
  end)

  it("keeps regions and accounts apart", function()
    simulated(function(call, sim)
      sim.store:view("sts"):put("session", "ASIAOTHER", {
        secret_key = "other", session_token = "token", account = "210987654321", user_id = "AROAX:s",
        arn = "arn:aws:sts::210987654321:assumed-role/x/s",
      })
      local other = { credentials = { access_key = "ASIAOTHER", secret_key = "other", session_token = "token" } }
      assert.equal("210987654321", assert(call("sts", "GetCallerIdentity", {}, other)).Account)
      assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" }))
      assert.equal(1, #assert(call("ec2", "DescribeVpcs")).Vpcs)
      assert.equal(0, #assert(call("ec2", "DescribeVpcs", {}, { region = "eu-west-1" })).Vpcs)
      assert.equal(0, #assert(call("ec2", "DescribeVpcs", {}, other)).Vpcs)
    end)
  end)

  it("refuses a session that has ended", function()
    simulated(function(call, sim, world)
      sim.store:view("sts"):put("session", "ASIAOLD", {
        secret_key = "s", session_token = "t", expires_at = sim:now() + 60, account = "123456789012",
        arn = "arn:aws:sts::123456789012:assumed-role/x/s", user_id = "AROAX:s",
      })
      local how = { credentials = { access_key = "ASIAOLD", secret_key = "s", session_token = "t" } }
      assert.truthy(call("sts", "GetCallerIdentity", {}, how))
      world.scheduler:sleep(61)
      assert.equal("ExpiredToken", (refused(call("sts", "GetCallerIdentity", {}, how))))
      assert.equal("RequestExpired", (refused(call("ec2", "DescribeVpcs", {}, how))))
    end)
  end)

  it("takes its time, but none of ours", function()
    simulated(function(call, _, world)
      local before = world.now()
      assert(call("ec2", "DescribeVpcs"))
      local read = world.now() - before
      assert.is_true(read > 0.02 and read < 2)
    end)
  end)

  it("does the same again for the same seed", function()
    local function history(seed)
      local seen = {}
      simulated(function(call, _, world)
        for _ = 1, 3 do
          seen[#seen + 1] = assert(call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/16" })).Vpc.VpcId
          seen[#seen + 1] = world.now()
        end
      end, { seed = seed })
      return seen
    end
    assert.same(history(7), history(7))
    assert.not_same(history(7), history(8))
  end)

  it("tells observers of every call", function()
    local seen = {}
    simulated(function(call)
      call("ec2", "CreateVpc", { CidrBlock = "10.0.0.0/8" })
    end, {
      observe = function(event)
        seen[#seen + 1] = {
          event.service, event.operation, event.kind, event.status, event.code, event.params.CidrBlock,
        }
      end,
    })
    assert.same({ { "ec2", "CreateVpc", "write", 400, "InvalidVpc.Range", "10.0.0.0/8" } }, seen)
  end)

  it("sends request ids and its date", function()
    simulated(function(call)
      local _, err, response = call("ec2", "DescribeVpcs", { VpcIds = { "vpc-1" } })
      assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", err.request_id)
      assert.matches("^Mon, 01 Jan 2024 00:00:0%d GMT$", response.headers.date)
      _, err, response = call("s3", "ListBuckets", {}, { credentials = { access_key = "x", secret_key = "y" } })
      assert.equal(response.headers["x-amz-request-id"], err.request_id)
    end)
  end)
end)
