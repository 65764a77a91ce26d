local endpoints = require "infra.aws.endpoints"

describe("infra.aws.endpoints", function()
  local function service(prefix, signing_name)
    return { id = prefix, metadata = { endpointPrefix = prefix, signingName = signing_name } }
  end

  local function resolve(...)
    return assert(endpoints.resolve(...))
  end

  it("knows the partition of a region", function()
    for region, id in pairs {
      ["us-east-1"] = "aws", ["cn-north-1"] = "aws-cn", ["us-gov-west-1"] = "aws-us-gov",
      ["eusc-de-east-1"] = "aws-eusc",
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
    assert.equal("ec2.cn-north-1.amazonaws.com.cn", resolve(service "ec2", "cn-north-1").host)
    assert.equal("sts.us-west-2.amazonaws.com", resolve(service "sts", "us-west-2").host)
  end)

  it("calls a global service at its one endpoint, signed for that endpoint's region", function()
    local iam = resolve(service "iam", "eu-west-1")
    assert.equal("iam.amazonaws.com", iam.host)
    assert.equal("us-east-1", iam.signing_region)
    assert.equal("us-gov-west-1", resolve(service "route53", "us-gov-east-1").signing_region)
    assert.equal("cn-northwest-1", resolve(service "cloudfront", "cn-north-1").signing_region)
  end)

  it("needs a region for regional services only", function()
    assert.equal("iam.amazonaws.com", resolve(service "iam").host)
    local endpoint, err = endpoints.resolve(service "ec2")
    assert.is_nil(endpoint)
    assert.equal("NoRegion", err.code)
    assert.truthy(err.hint)
  end)

  it("takes a configured URL as it is, and still signs for the service", function()
    assert.same({
      scheme = "http", host = "127.0.0.1:5000", base_path = "/aws", custom = true, signing_region = "us-east-1",
      signing_name = "iam",
    }, resolve(service "iam", "eu-west-1", "http://127.0.0.1:5000/aws/"))
    assert.equal("example.com", resolve(service "ec2", "eu-west-1", "https://Example.com:443").host)
    assert.equal("[::1]:80", resolve(service "ec2", "eu-west-1", "https://[::1]:80").host)
  end)

  it("refuses what is no URL and no region", function()
    for _, url in ipairs { "example.com", "ftp://example.com", "https://", "https://a b", "https://user@host/" } do
      local endpoint, err = endpoints.resolve(service "ec2", "eu-west-1", url)
      assert.is_nil(endpoint)
      assert.equal("ConfigError", err.code)
    end
    for _, region in ipairs { "", "evil.com/", "us east" } do
      assert.is_nil((endpoints.resolve(service "ec2", region)))
    end
  end)

  describe("address", function()
    local function address(endpoint, path, params, host_prefix)
      return table.concat({ endpoints.address(endpoint, { path = path, host_prefix = host_prefix }, params or {}) })
    end

    local s3 = resolve(service "s3", "eu-west-1")
    local custom = resolve(service "s3", "eu-west-1", "http://127.0.0.1:5000/x")

    it("puts a bucket into the host", function()
      assert.equal("my-bucket.s3.eu-west-1.amazonaws.com/a/b", address(s3, "/my-bucket/a/b", { Bucket = "my-bucket" }))
      assert.equal("my-bucket.s3.eu-west-1.amazonaws.com/", address(s3, "/my-bucket", { Bucket = "my-bucket" }))
      assert.equal("s3.eu-west-1.amazonaws.com/", address(s3, "/"))
    end)

    it("but not one with dots or capitals, nor at a configured endpoint", function()
      assert.equal("s3.eu-west-1.amazonaws.com/a.b/k", address(s3, "/a.b/k", { Bucket = "a.b" }))
      assert.equal("s3.eu-west-1.amazonaws.com/Old/k", address(s3, "/Old/k", { Bucket = "Old" }))
      assert.equal("127.0.0.1:5000/x/my-bucket/k", address(custom, "/my-bucket/k", { Bucket = "my-bucket" }))
    end)

    it("puts an operation's host prefix before the host, except at a configured endpoint", function()
      local control = resolve(service("s3-control", "s3"), "eu-west-1")
      assert.equal("1234.s3-control.eu-west-1.amazonaws.com/x", address(control, "/x", {}, "1234."))
      assert.equal("127.0.0.1:5000/x/y", address(custom, "/y", {}, "1234."))
    end)
  end)
end)
