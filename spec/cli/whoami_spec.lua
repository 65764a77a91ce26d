local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local process = require "host.process"
local program = require "spec.support.program"
local project = require "spec.cli.project"
local scripted_aws = require "spec.cli.scripted_aws"

describe("infra whoami", function()
  local here = project(teardown)

  -- What STS answers to an operation.
  local function answered(operation, result)
    return ("<%sResponse><%sResult>%s</%sResult></%sResponse>"):format(operation, operation, result, operation,
      operation)
  end

  local IDENTITY = answered("GetCallerIdentity", "<Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>" ..
    "<UserId>AROA:s</UserId><Account>123456789012</Account>")
  local ROLE = answered("AssumeRoleWithWebIdentity", "<Credentials><AccessKeyId>ASIAWEB</AccessKeyId>" ..
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>" ..
    "</Credentials>")
  local DOCUMENT = '{"Code":"Success","AccessKeyId":"ASIAHERE","SecretAccessKey":"secret","Token":"token",' ..
    '"Expiration":"2099-01-01T00:00:00Z"}'

  -- STS, a container endpoint and instance metadata in one.
  local function answer(request)
    if request.method == "POST" then
      return 200, nil, request.body:find "WebIdentity" and ROLE or IDENTITY
    elseif request.method == "PUT" then
      return 200, nil, "imds-token"
    end
    return 200, nil, request.path:find "security%-credentials/$" and "deploy" or DOCUMENT
  end

  local function whoami(variables, arguments)
    return scripted_aws({ "whoami", table.unpack(arguments or {}) }, function(url)
      local all = { AWS_ENDPOINT_URL = url, HOME = here.directory }
      for name, value in pairs(variables) do
        all[name] = type(value) == "string" and value:gsub("URL", url) or value
      end
      return all
    end, answer)
  end

  -- In the project's directory: the simulated account is kept where the program runs.
  local function simulated(options)
    local environment = { EXE = fs.real_path "/proc/self/exe" }
    for _, name in ipairs { "INFRA_LUA", "INFRA_MODELS" } do
      local path = process.environment(name)
      environment[name] = path and fs.real_path(path) or false
    end
    local ended = program.run {
      argv = { "sh", "-c", ('cd %s && "$EXE" whoami --sim %s'):format(here.directory, options) },
      environment = infra.environment(environment),
      timeout = 50,
    }
    assert.equal("", ended.stderr)
    return ended.stdout
  end

  it("shows the simulated AWS", function()
    assert.equal("Account      123456789012\nIdentity     arn:aws:iam::123456789012:user/administrator\n" ..
      "Credentials  the simulated AWS\nExpire       never\nRegion       us-east-1\n", simulated "")
    assert.same({
      account = "123456789012", arn = "arn:aws:iam::123456789012:user/administrator", user_id = "AIDASIMULATEDADMINIST",
      source = "the simulated AWS", expires_at = json.null, region = "eu-west-1",
    }, json.decode(simulated "--json --region eu-west-1"))
  end)

  it("shows whom AWS sees, from where that is and when it ends, without the keys", function()
    local ended, requests = whoami({ AWS_CONTAINER_CREDENTIALS_FULL_URI = "URL/secret-path", AWS_REGION = "eu-west-1" })
    assert.equal("", ended.stderr)
    assert.equal(0, ended.status)
    local shown = ended.stdout:gsub("127%.0%.0%.1:%d+", "HOST"):gsub("%(in [^)]*%)", "(in T)")
    assert.equal("Account      123456789012\nIdentity     arn:aws:sts::123456789012:assumed-role/r/s\n" ..
      "Credentials  container endpoint http://HOST\nExpire       2099-01-01T00:00:00Z (in T)\n" ..
      "Region       eu-west-1\n", shown)
    assert.equal("/secret-path", requests[1].path)
    assert.equal("token", requests[2].headers["x-amz-security-token"])
    assert.truthy(requests[2].headers.authorization:find("Credential=ASIAHERE/%d+/eu%-west%-1/sts/aws4_request"))
  end)

  it("needs no region", function()
    local ended = whoami { AWS_ACCESS_KEY_ID = "A", AWS_SECRET_ACCESS_KEY = "s" }
    assert.equal("", ended.stderr)
    assert.truthy(ended.stdout:find("Credentials  environment variables\n", 1, true))
    assert.truthy(ended.stdout:find("Region       none configured\n", 1, true))
  end)

  it("takes an answer that names nobody for none of AWS's", function()
    local ended = scripted_aws({ "whoami", "--json" }, function(url)
      return { AWS_ENDPOINT_URL = url, HOME = here.directory, AWS_ACCESS_KEY_ID = "A", AWS_SECRET_ACCESS_KEY = "s" }
    end, function()
      return 200, nil, ""
    end)
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.equal("infra: sts GetCallerIdentity: the answer names nobody\n  is the endpoint AWS's?\n", ended.stderr)
  end)

  it("works with instance metadata and with a web identity", function()
    local ended = whoami({ AWS_EC2_METADATA_DISABLED = false, AWS_EC2_METADATA_SERVICE_ENDPOINT = "URL" }, { "--json" })
    assert.equal("", ended.stderr)
    assert.equal("instance metadata (IMDS), role deploy", json.decode(ended.stdout).source)
    local requests
    ended, requests = whoami {
      AWS_WEB_IDENTITY_TOKEN_FILE = here.stack("token", "jwt"), AWS_ROLE_ARN = "arn:aws:iam::1:role/r",
    }
    assert.equal("", ended.stderr)
    assert.truthy(requests[1].body:find("WebIdentityToken=jwt", 1, true))
    assert.is_nil(requests[1].headers.authorization)
    assert.truthy(requests[2].headers.authorization:find("Credential=ASIAWEB/", 1, true))
  end)

  it("asks for credentials past any proxy", function()
    local ended, requests = whoami { AWS_CONTAINER_CREDENTIALS_FULL_URI = "URL/x", http_proxy = "http://127.0.0.1:1",
      AWS_MAX_ATTEMPTS = "1" }
    assert.equal(1, #requests)
    assert.equal("/x", requests[1].path)
    assert.truthy(ended.stderr:find("GetCallerIdentity", 1, true)) -- AWS itself is called through it
  end)

  it("names every place without credentials, and neither hangs on a service that does not answer", function()
    local ended = scripted_aws({ "whoami" }, function(url)
      return { AWS_EC2_METADATA_DISABLED = false, AWS_EC2_METADATA_SERVICE_ENDPOINT = url,
        AWS_METADATA_SERVICE_TIMEOUT = "0.1", HOME = here.directory }
    end, function() end)
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.truthy(ended.stderr:find("^infra: no AWS credentials found%. For the profile \"default\":\n  environment "))
    assert.truthy(ended.stderr:find("\n  instance metadata %(IMDS%): http://127%.0%.0%.1:%d+: [^\n]*timed out"))
  end)
end)
