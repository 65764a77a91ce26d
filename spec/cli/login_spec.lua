local clock = require "host.clock"
local fs = require "host.fs"
local json = require "host.json"
local project = require "spec.cli.project"
local scripted_aws = require "spec.cli.scripted_aws"

describe("infra login", function()
  local here = project(teardown)

  local CONFIG = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n" ..
    "sso_registration_scopes = sso:account:access\n[profile p]\nsso_session = corp\nsso_account_id = 123456789012\n" ..
    "sso_role_name = Admin\n[default]\nregion = eu-west-1\n"
  local CACHE <const> = "/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json" -- sha1 of "corp"

  local pending

  -- IAM Identity Center and STS, of which a person confirms the code after `pending` questions.
  local function answer(request)
    if request.path == "/client/register" then
      return 200, nil, '{"clientId":"id","clientSecret":"client-secret","clientSecretExpiresAt":4070908800}'
    elseif request.path == "/device_authorization" then
      return 200, nil, '{"deviceCode":"device","userCode":"ABCD-EFGH","expiresIn":600,"interval":1,' ..
        '"verificationUri":"https://device.example/",' ..
        '"verificationUriComplete":"https://device.example/?user_code=ABCD-EFGH"}'
    elseif request.path == "/token" then
      pending = pending - 1
      if pending >= 0 then
        return 400, { ["x-amzn-ErrorType"] = "AuthorizationPendingException" },
          '{"error":"authorization_pending","error_description":"not yet"}'
      end
      return 200, nil, '{"accessToken":"access-token","refreshToken":"refresh","expiresIn":28800,"tokenType":"Bearer"}'
    elseif request.path == "/federation/credentials" then
      return 200, nil, '{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t",' ..
        '"expiration":4070908800000}}'
    end
    return 200, nil, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn</Arn><UserId>u</UserId><Account>1" ..
      "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
  end

  local function run(arguments, path)
    return scripted_aws(arguments, function(url)
      return { AWS_ENDPOINT_URL = url, HOME = here.directory, PATH = path,
        AWS_CONFIG_FILE = here.stack("config", CONFIG) }
    end, answer)
  end

  it("prints address and code, waits, keeps the token, and serves the profile from then on", function()
    pending = 1
    local ended, requests = run { "login", "--profile", "p", "--no-browser" }
    assert.equal("", ended.stderr)
    assert.equal(0, ended.status)
    assert.truthy(ended.stdout:find("^To sign in, open\n  https://device%.example/%?user_code=ABCD%-EFGH\n" ..
      "and confirm the code ABCD%-EFGH\nSigned in to https://corp%.awsapps%.com/start until 2[%d:T-]+Z\n$"))
    assert.equal(4, #requests)
    assert.same({ clientName = "infra-corp", clientType = "public", scopes = { "sso:account:access" } },
      json.decode(requests[1].body))
    for _, request in ipairs(requests) do
      assert.is_nil(request.headers.authorization)
    end
    local path = here.directory .. CACHE
    assert.equal(384, fs.stat(path).mode) -- 0600
    local token = json.decode(fs.read(path))
    assert.equal("access-token", token.accessToken)
    assert.truthy(clock.parse_utc(token.expiresAt))

    ended, requests = run { "whoami", "--profile", "p", "--json" }
    assert.equal("", ended.stderr)
    assert.equal("IAM Identity Center (SSO), role Admin in account 123456789012", json.decode(ended.stdout).source)
    assert.equal("access-token", requests[1].headers["x-amz-sso_bearer_token"])
    assert.equal("account_id=123456789012&role_name=Admin", requests[1].query)
  end)

  it("opens a browser that outlives it", function()
    pending = 0
    local bin = here.directory .. "/bin"
    assert(fs.mkdir(bin))
    assert(fs.write(bin .. "/xdg-open", ('#!/bin/sh\nprintf %%s "$1" >%q.part && mv %q.part %q\n'):format(bin .. "/url",
      bin .. "/url", bin .. "/url"), 448)) -- 0700
    local ended = run({ "login", "--sso-session", "corp" }, bin .. ":" .. os.getenv "PATH")
    assert.equal(0, ended.status)
    local deadline = clock.monotonic() + 20
    while not fs.stat(bin .. "/url") do
      assert(clock.monotonic() < deadline, "no browser was opened")
      require("host.loop").wait(0.01)
    end
    assert.equal("https://device.example/?user_code=ABCD-EFGH", fs.read(bin .. "/url"))
  end)

  it("says which profile or session it does not know", function()
    for wanted, arguments in pairs {
      ['config.lua:9: the AWS profile "default" has neither sso_session nor sso_start_url'] = { "login" },
      ["your AWS configuration has no section [sso-session nope]\n  sections that it has: corp"] =
        { "login", "--sso-session", "nope" },
      ['there is no AWS profile "nope"'] = { "login", "--profile", "nope" },
    } do
      local ended, requests = run(arguments)
      assert.equal(1, ended.status)
      assert.truthy(ended.stderr:find(wanted, 1, true), ended.stderr)
      assert.equal(0, #requests)
    end
    assert.equal(2, run({ "login", "--profile", "p", "--sso-session", "corp" }).status)
  end)
end)
