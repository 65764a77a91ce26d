local endpoints = require "infra.aws.endpoints"
local fs = require "host.fs"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

describe("infra.aws.endpoints", function()
  local directory, remove = temporary()
  teardown(remove)

  local function service(prefix, signing_name)
    return { id = prefix, metadata = { endpointPrefix = prefix, signingName = signing_name, serviceId = prefix } }
  end

  local function resolve(...)
    return assert(endpoints.resolve(...))
  end

  -- The configuration of environment variables and of a config file's text.
  local function configure(variables, text)
    local all = { AWS_CONFIG_FILE = directory .. "/config" }
    assert(fs.write(all.AWS_CONFIG_FILE, text or ""))
    for name, value in pairs(variables) do
      all[name] = value
    end
    return assert(world.config(all))
  end

  -- The host of `prefix` in `region` under that configuration.
  local function host(prefix, region, variables, text)
    local called = service(prefix)
    return resolve(called, region, assert(endpoints.settings(configure(variables, text), called))).host
  end

  it("knows the partition of a region", function()
    for region, id in pairs {
      ["us-east-1"] = "aws", ["cn-north-1"] = "aws-cn", ["us-gov-west-1"] = "aws-us-gov",
      ["eusc-de-east-1"] = "aws-eusc", ["eu-isoe-west-1"] = "aws-iso-e",
      ["us-iso-east-1"] = "aws-iso", ["us-isob-east-1"] = "aws-iso-b", ["us-isof-south-1"] = "aws-iso-f",
    } do
      assert.equal(id, endpoints.partition(region).id)
    end
  end)

  it("calls a regional service in its region, under its signing name", function()
    assert.same({
      scheme = "https", host = "email.eu-west-1.amazonaws.com", base_path = "", signing_region = "eu-west-1",
      signing_name = "ses",
    }, resolve(service("email", "ses"), "eu-west-1"))
  end)

  it("splits what an endpoint has for a path from its host", function()
    local endpoint = resolve(service("geo-maps"), "eu-west-1")
    assert.same({ "maps.geo.eu-west-1.amazonaws.com", "/v2" }, { endpoint.host, endpoint.base_path })
  end)

  it("needs a region for regional services only", function()
    assert.equal("iam.amazonaws.com", resolve(service "iam").host)
    for _, settings in ipairs { {}, { url = "http://127.0.0.1:5000" } } do
      local endpoint, err = endpoints.resolve(service "ec2", nil, settings)
      assert.is_nil(endpoint)
      assert.equal("NoRegion", err.code)
      assert.truthy(err.hint)
    end
  end)

  it("takes a configured URL as it is, and still signs for the service", function()
    assert.same({
      scheme = "http", host = "127.0.0.1:5000", base_path = "/aws", custom = true, signing_region = "us-east-1",
      signing_name = "iam",
    }, resolve(service "iam", "eu-west-1", { url = "http://127.0.0.1:5000/aws/" }))
    assert.equal("example.com", resolve(service "ec2", "eu-west-1", { url = "https://Example.com:443" }).host)
    assert.equal("[::1]:80", resolve(service "ec2", "eu-west-1", { url = "https://[::1]:80" }).host)
  end)

  it("refuses what is no URL", function()
    for _, url in ipairs { "example.com", "ftp://example.com", "https://", "https://a b", "https://user@host/" } do
      local endpoint, err = endpoints.resolve(service "ec2", "eu-west-1", { url = url, origin = "the profile" })
      assert.is_nil(endpoint)
      assert.equal("ConfigError", err.code)
      assert.equal(("the profile: %q is no endpoint URL, like https://host:port"):format(url), err.message)
    end
  end)

  it("refuses what is no region, for global services and configured endpoints too", function()
    for _, region in ipairs {
      "", "evil.com/", "evil.com#", "us east", "a@evil.com", "-us-east-1", "us-east-1-", "us-east-1\n", "us.east",
      "evil.com:443", "us-east-1%2f", ("a"):rep(64),
    } do
      for _, prefix in ipairs { "ec2", "iam" } do
        for _, settings in ipairs { {}, { url = "http://127.0.0.1:5000" } } do
          local endpoint, err = endpoints.resolve(service(prefix), region, settings)
          assert.is_nil(endpoint, region)
          assert.equal("ConfigError", err.code)
        end
      end
    end
  end)

  it("has an error where there is no such endpoint", function()
    local endpoint, err = endpoints.resolve(service "s3", "cn-north-1", { variant = "fips" })
    assert.is_nil(endpoint)
    assert.equal("NoEndpoint", err.code)
    assert.truthy(err.message:find("cn-north-1", 1, true))
  end)

  describe("settings", function()
    local fips, dual = { AWS_USE_FIPS_ENDPOINT = "true" }, { AWS_USE_DUALSTACK_ENDPOINT = "True" }

    it("choose FIPS and dual-stack endpoints, from the environment before the profile", function()
      assert.equal("sqs-fips.us-east-1.amazonaws.com", host("sqs", "us-east-1", fips))
      assert.equal("sqs.us-east-1.api.aws", host("sqs", "us-east-1", dual))
      local text = "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n"
      assert.equal("sqs-fips.us-east-1.api.aws", host("sqs", "us-east-1", {}, text))
      assert.equal("sqs.us-east-1.api.aws", host("sqs", "us-east-1", { AWS_USE_FIPS_ENDPOINT = "false" }, text))
      assert.equal("sqs.us-east-1.amazonaws.com", host("sqs", "us-east-1", {}))
    end)

    it("are refused when they are neither true nor false", function()
      for _, name in ipairs {
        "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
      } do
        local settings, err = endpoints.settings(configure { [name] = "yes" }, service "sqs")
        assert.is_nil(settings)
        assert.equal("ConfigError", err.code)
        assert.truthy(err.message:find('"yes"', 1, true))
      end
    end)

    it("bring back the endpoints from before regions had their own", function()
      local legacy = { AWS_STS_REGIONAL_ENDPOINTS = "legacy", AWS_S3_US_EAST_1_REGIONAL_ENDPOINT = "legacy" }
      assert.equal("sts.eu-west-1.amazonaws.com", host("sts", "eu-west-1", {}))
      assert.equal("sts.amazonaws.com", host("sts", "eu-west-1", legacy))
      assert.equal("sts.eu-south-1.amazonaws.com", host("sts", "eu-south-1", legacy)) -- a region that came later
      assert.equal("us-east-1", resolve(service "sts", "eu-west-1", { variant = "legacy" }).signing_region)
      assert.equal("s3.us-east-1.amazonaws.com", host("s3", "us-east-1", {}))
      assert.equal("s3.amazonaws.com", host("s3", "us-east-1", legacy))
      assert.equal("s3.eu-west-1.amazonaws.com", host("s3", "eu-west-1", legacy))
      local text = "[default]\ns3_us_east_1_regional_endpoint = legacy\n"
      assert.equal("s3.amazonaws.com", host("s3", "us-east-1", {}, text))
      assert.equal("sqs.us-east-1.amazonaws.com", host("sqs", "us-east-1", legacy))
    end)

    it("leave nothing to choose when a URL is configured", function()
      local variables = { AWS_ENDPOINT_URL_SQS = "http://sqs.example", AWS_USE_FIPS_ENDPOINT = "true" }
      assert.equal("sqs.example", host("sqs", "us-east-1", variables))
      assert.equal("sns-fips.us-east-1.amazonaws.com", host("sns", "us-east-1", variables))
      assert.equal("asked.for", resolve(service "sqs", "us-east-1",
        assert(endpoints.settings(configure(variables), service "sqs", "http://asked.for"))).host)
      local legacy = configure { AWS_ENDPOINT_URL = "http://all.example", AWS_STS_REGIONAL_ENDPOINTS = "legacy" }
      assert.equal("eu-west-1", resolve(service "sts", "eu-west-1",
        assert(endpoints.settings(legacy, service "sts"))).signing_region)
    end)

    it("refuse an addressing style that does not exist", function()
      local config = configure({}, "[default]\ns3 =\n  addressing_style = dns\n")
      local settings, err = endpoints.settings(config, service "s3")
      assert.is_nil(settings)
      assert.truthy(err.message:find('"dns"', 1, true))
    end)
  end)

  describe("address", function()
    local function address(endpoint, path, params, host_prefix)
      local request = { path = path, host_prefix = host_prefix }
      return table.concat { assert(endpoints.address(endpoint, request, params or {})) }
    end

    -- S3 under an addressing style, at `url` or else at AWS's endpoint.
    local function s3(style, url)
      local config = configure({}, style and ("[default]\ns3 =\n  addressing_style = %s\n"):format(style))
      return resolve(service "s3", "eu-west-1", assert(endpoints.settings(config, service "s3", url)))
    end

    local custom = s3(nil, "http://127.0.0.1:5000/x")

    it("puts a bucket into the host", function()
      for _, style in ipairs { false, "auto", "virtual" } do
        local endpoint = s3(style)
        assert.equal("my-bucket.s3.eu-west-1.amazonaws.com/a/b",
          address(endpoint, "/my-bucket/a/b", { Bucket = "my-bucket" }))
        assert.equal("my-bucket.s3.eu-west-1.amazonaws.com/", address(endpoint, "/my-bucket", { Bucket = "my-bucket" }))
        assert.equal("s3.eu-west-1.amazonaws.com/", address(endpoint, "/"))
      end
      local dual = resolve(service "s3", "eu-west-1", { variant = "dual" })
      assert.equal("my-bucket.s3.dualstack.eu-west-1.amazonaws.com/k",
        address(dual, "/my-bucket/k", { Bucket = "my-bucket" }))
    end)

    it("but not one that is no label of a host name, nor at a configured endpoint, nor against the style", function()
      for _, bucket in ipairs { "a.b", "Old", "ab", "a_b", "my-bucket-", "-my-bucket", ("a"):rep(64) } do
        local path = "/" .. bucket .. "/k"
        assert.equal("s3.eu-west-1.amazonaws.com" .. path, address(s3 "virtual", path, { Bucket = bucket }))
      end
      assert.equal("127.0.0.1:5000/x/my-bucket/k", address(custom, "/my-bucket/k", { Bucket = "my-bucket" }))
      assert.equal("s3.eu-west-1.amazonaws.com/my-bucket/k",
        address(s3 "path", "/my-bucket/k", { Bucket = "my-bucket" }))
    end)

    it("puts it into a configured host when the style says so, unless that is an IP address", function()
      local function bucket_at(url)
        return address(s3("virtual", url), "/my-bucket/k", { Bucket = "my-bucket" })
      end
      assert.equal("my-bucket.minio.example:9000/k", bucket_at "http://minio.example:9000")
      assert.equal("127.0.0.1:9000/my-bucket/k", bucket_at "http://127.0.0.1:9000")
      assert.equal("[::1]:9000/my-bucket/k", bucket_at "http://[::1]:9000")
    end)

    it("says what it cannot call", function()
      for bucket, what in pairs {
        ["arn:aws:s3:eu-west-1:123456789012:accesspoint/mine"] = "the ARN of an access point",
        ["b--euw1-az1--x-s3"] = "a directory bucket",
        ["ap--euw1-az1--xa-s3"] = "an access point of a directory bucket",
        ["ap-abcdef--op-s3"] = "an access point of S3 on Outposts",
      } do
        local found, err = endpoints.address(s3(), { path = "/" .. bucket }, { Bucket = bucket })
        assert.is_nil(found)
        assert.equal("Unsupported", err.code)
        assert.truthy(err.message:find(what, 1, true))
      end
    end)

    it("puts an operation's host prefix before the host, except at a configured endpoint", function()
      local control = resolve(service("s3-control", "s3"), "eu-west-1")
      assert.equal("1234.s3-control.eu-west-1.amazonaws.com/x", address(control, "/x", {}, "1234."))
      assert.equal("data-s3-control.eu-west-1.amazonaws.com/x", address(control, "/x", {}, "data-"))
      assert.equal("127.0.0.1:5000/x/y", address(custom, "/y", {}, "1234."))
    end)

    it("refuses a host prefix that would lead elsewhere", function()
      local control = resolve(service("s3-control", "s3"), "eu-west-1")
      local long = ("a"):rep(64) .. "."
      for _, prefix in ipairs { "evil.com/.", "evil.com#.", "a@evil.", "-a.", "a b.", ".", "a..", long } do
        local found, err = endpoints.address(control, { path = "/", host_prefix = prefix }, {})
        assert.is_nil(found, prefix)
        assert.equal("ParamValidation", err.code)
      end
    end)
  end)

  describe("in the client", function()
    it("a region that is none is an error before anything is sent", function()
      local aws = world.new({}, { region = "evil.com/" })
      for _, operation in ipairs { { "ec2", "DescribeVpcs" }, { "iam", "ListRoles" } } do
        local output, err = aws.call(table.unpack(operation))
        assert.is_nil(output)
        assert.equal("ConfigError", err.code)
      end
      assert.equal(0, #aws.requests)
    end)

    it("so are an ARN for a bucket, a global endpoint, and a setting that is neither true nor false", function()
      local aws = world.new {}
      local _, err = aws.call("s3", "ListObjectsV2", { Bucket = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine" })
      assert.equal("Unsupported", err.code)
      _, err = aws.call("events", "PutEvents", { EndpointId = "abcde.veo", Entries = { { Source = "a" } } })
      assert.equal("Unsupported", err.code)
      aws = world.new({}, { environment = { AWS_USE_FIPS_ENDPOINT = "maybe" } })
      _, err = aws.call("ec2", "DescribeVpcs")
      assert.equal("ConfigError", err.code)
      assert.equal(0, #aws.requests)
    end)

    it("a request goes to the endpoint and is signed for it", function()
      local aws = world.new({ world.json(200, {}) }, { environment = { AWS_USE_FIPS_ENDPOINT = "true" } })
      assert(aws.call("secretsmanager", "ListSecrets"))
      assert.equal("https://secretsmanager-fips.us-east-1.amazonaws.com/", aws.requests[1].url)
      assert.truthy(world.header(aws.requests[1], "Authorization"):find("/us-east-1/secretsmanager/", 1, true))
    end)

    it("a bucket that is elsewhere is found there, however S3 says so", function()
      local body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
      for _, refusal in ipairs {
        world.answer(301, "<Error><Code>PermanentRedirect</Code></Error>", { ["x-amz-bucket-region"] = "eu-west-1" }),
        world.answer(400, body),
        world.answer(301, "", { ["x-amz-bucket-region"] = "eu-west-1" }), -- to HEAD
      } do
        local dual = { environment = { AWS_USE_DUALSTACK_ENDPOINT = "true" } }
        local aws = world.new({ refusal, world.answer(200, "") }, dual)
        assert(aws.call("s3", "HeadBucket", { Bucket = "my-bucket" }))
        assert.equal("https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com/", aws.requests[2].url)
      end
    end)

    it("a bucket's region is believed from AWS only when it is one", function()
      local function elsewhere(region)
        return world.answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code></Error>",
          { ["x-amz-bucket-region"] = region })
      end
      local listing = world.answer(200, "<ListBucketResult/>")
      local aws = world.new { elsewhere "evil.com/", listing, elsewhere "eu-west-1", listing }
      local _, err = aws.call("s3", "ListObjectsV2", { Bucket = "my-bucket" })
      assert.equal("AuthorizationHeaderMalformed", err.code)
      assert(aws.call("s3", "ListObjectsV2", { Bucket = "my-bucket" }))
      assert.equal("https://my-bucket.s3.us-east-1.amazonaws.com/?list-type=2", aws.requests[2].url)
      assert(aws.call("s3", "ListObjectsV2", { Bucket = "my-bucket" }))
      assert.equal("https://my-bucket.s3.eu-west-1.amazonaws.com/?list-type=2", aws.requests[4].url)
      assert.truthy(world.header(aws.requests[4], "Authorization"):find("/eu-west-1/s3/", 1, true))
    end)
  end)
end)
