-- The same configurations read by this program and by the AWS CLI's own library: both must find the same credentials.

local fs = require "host.fs"
local json = require "host.json"
local moto = require "spec.support.moto"
local process = require "host.process"
local runtimes = require "infra.runtime"
local server = require "host.server"
local session = require "infra.session"
local sso_cache = require "infra.aws.credentials.sso_cache"
local temporary = require "spec.support.temporary"

local MISSING <const> = "no python3 with botocore in PATH: not checked against the AWS CLI's library"

-- Reads { name: { variable: value } } and prints { name: access key id, or the class of what was raised }.
local SCRIPT <const> = [[
import json, os, sys
import botocore.session
found = {}
before = dict(os.environ)
for name, variables in json.load(sys.stdin).items():
    os.environ.clear()
    os.environ.update(before)
    os.environ.update(variables)
    try:
        credentials = botocore.session.Session().get_credentials()
        found[name] = credentials.get_frozen_credentials().access_key if credentials else "none"
    except Exception as problem:
        found[name] = "refused"
json.dump(found, sys.stdout)
]]

local KEYS <const> = "aws_access_key_id = AKIA%s\naws_secret_access_key = s\n"
local SSO <const> = "[sso-session corp]\nsso_start_url = https://corp\nsso_region = us-east-1\n" ..
  "sso_registration_scopes = sso:account:access\n[profile sso]\nsso_session = corp\nsso_account_id = 1\n" ..
  "sso_role_name = r\n[profile old]\nsso_start_url = https://old\nsso_region = us-east-1\nsso_account_id = 1\n" ..
  "sso_role_name = r\n[sso-session ended]\nsso_start_url = https://corp\nsso_region = us-east-1\n" ..
  "sso_registration_scopes = sso:account:access\n[profile ended]\nsso_session = ended\nsso_account_id = 1\n" ..
  "sso_role_name = r\n[profile nobody]\nsso_start_url = https://new\nsso_region = us-east-1\nsso_account_id = 1\n" ..
  "sso_role_name = r\n"
local PROCESS <const> = [[credential_process = printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s"}' "A B"]]
local WEB <const> = { AWS_WEB_IDENTITY_TOKEN_FILE = "HOME/token", AWS_ROLE_ARN = "arn:aws:iam::1:role/w" }

-- name -> { config, credentials = text of the other file, variables with URL and HOME to be filled in }
local CASES = {
  ["environment before a profile"] = { "[default]\n" .. KEYS:format "FILE", nil,
    { AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s" } },
  ["half an environment"] = { "", nil, { AWS_ACCESS_KEY_ID = "AKIAENV" } },
  ["both files"] = { "[default]\n" .. KEYS:format "CONFIG", "[default]\n" .. KEYS:format "CREDENTIALS" },
  ["process before keys in the config file"] = { "[default]\n" .. PROCESS:gsub("A B", "AKIAPROCESS") .. "\n" ..
    KEYS:format "CONFIG" },
  ["keys in the credentials file before process"] = { "[default]\n" .. PROCESS:gsub("A B", "AKIAPROCESS") .. "\n",
    "[default]\n" .. KEYS:format "CREDENTIALS" },
  ["a profile with a quoted name"] = { '[profile "two words"]\n' .. KEYS:format "QUOTED", nil,
    { AWS_PROFILE = "two words" } },
  ["both variables of a profile"] = { "[profile a]\n" .. KEYS:format "A" .. "[profile b]\n" .. KEYS:format "B", nil,
    { AWS_PROFILE = "a", AWS_DEFAULT_PROFILE = "b" } },
  ["a chain of roles"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n[profile b]\n" ..
    "role_arn = arn:aws:iam::1:role/b\nsource_profile = c\n[profile c]\n" .. KEYS:format "BASE" },
  ["a role of its own keys"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = default\n" ..
    KEYS:format "SELF" },
  ["a loop of roles"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n[profile b]\n" ..
    "role_arn = arn:aws:iam::1:role/b\nsource_profile = default\n" },
  ["the environment before its role"] = { "[profile x]\nrole_arn = arn:aws:iam::1:role/a\n" ..
    "credential_source = Environment\n", nil,
    { AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s", AWS_PROFILE = "x" } },
  ["a role by the container"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\n" ..
    "credential_source = EcsContainer\n", nil, { AWS_CONTAINER_CREDENTIALS_FULL_URI = "URL/container" } },
  ["a role by an unknown source"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Moon\n" },
  ["a web identity"] = { "", nil, WEB },
  ["a role before a web identity"] = { "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n" ..
    "[profile b]\n" .. KEYS:format "BASE", nil, WEB },
  ["a container before the machine"] = { "", nil, { AWS_CONTAINER_CREDENTIALS_FULL_URI = "URL/container" } },
  ["the machine"] = { "" },
  ["the machine switched off"] = { "", nil, { AWS_EC2_METADATA_DISABLED = "true" } },
  ["a login with a session"] = { SSO, nil, { AWS_PROFILE = "sso" } },
  ["a login of the legacy form"] = { SSO, nil, { AWS_PROFILE = "old" } },
  ["a login that was renewed"] = { SSO, nil, { AWS_PROFILE = "ended" } },
  ["no login"] = { SSO, nil, { AWS_PROFILE = "nobody" } },
  ["half an SSO profile"] = { "[default]\nsso_account_id = 1\n" },
}

-- STS, IAM Identity Center, a container's and an instance's endpoint. Keys tell by whom they were asked for.
local function answer(request)
  local body, path = request.body, request.path
  local function keys(name)
    return ('{"Code":"Success","AccessKeyId":"%s","SecretAccessKey":"s","Token":"t",' ..
      '"Expiration":"2099-01-01T00:00:00Z"}'):format(name)
  end
  if path == "/container" then
    return 200, nil, keys "AKIACONTAINER"
  elseif path == "/latest/api/token" then
    return 200, nil, "imds"
  elseif path:find "^/latest/" then
    return 200, nil, path:find "/$" and "role" or keys "AKIAINSTANCE"
  elseif path == "/token" then
    return 200, nil, '{"accessToken":"renewed","refreshToken":"next","expiresIn":28800,"tokenType":"Bearer"}'
  elseif path == "/federation/credentials" then
    return 200, nil, ('{"roleCredentials":{"accessKeyId":"SSO-%s","secretAccessKey":"s","sessionToken":"t",' ..
      '"expiration":4070908800000}}'):format(request.headers["x-amz-sso_bearer_token"])
  end
  local operation = body:match "Action=(%w+)"
  local by = (request.headers.authorization or ""):match "Credential=([^/]+)" or body:match "WebIdentityToken=(%w+)"
  return 200, nil, ("<%sResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><%sResult><Credentials>" ..
    "<AccessKeyId>ROLE-%s-%s</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>" ..
    "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></%sResult></%sResponse>"):format(operation, operation,
    body:match "role%%2F(%w+)", by, operation, operation)
end

-- Runs fn in a scheduler beside that server.
local function served(scheduler, listener, fn)
  return scheduler:run(function()
    scheduler:spawn(function()
      while true do
        local request = scheduler:await(listener).request
        request.respond(answer(request))
      end
    end)
    return fn()
  end)
end

describe("infra.aws.credentials and botocore", function()
  local home, remove = temporary()
  local listener = assert(server.listen {})
  teardown(function()
    listener:close()
    remove()
  end)

  -- The environment of a case, with its files written.
  local function environment(index, case)
    local path = ("%s/%d"):format(home, index)
    assert(fs.write(path .. ".config", case[1]))
    assert(fs.write(path .. ".credentials", case[2] or ""))
    local url = "http://127.0.0.1:" .. listener:port()
    local variables = { HOME = home, AWS_CONFIG_FILE = path .. ".config", AWS_ENDPOINT_URL = url,
      AWS_SHARED_CREDENTIALS_FILE = path .. ".credentials", AWS_DEFAULT_REGION = "us-east-1",
      AWS_EC2_METADATA_SERVICE_ENDPOINT = url .. "/", AWS_METADATA_SERVICE_TIMEOUT = "20" }
    for name, value in pairs(case[3] or {}) do
      variables[name] = value:gsub("URL", url):gsub("HOME", home)
    end
    return variables
  end

  local function ours(variables)
    local opened <close> = assert(session.open { environment = function(name) return variables[name] end })
    local values, err = served(opened.runtime.scheduler, listener, function() return opened.credentials:get() end)
    return values and values.access_key or err.code == "NoCredentials" and "none" or "refused"
  end

  local function botocores(environments)
    local clean = { HOME = home }
    for _, name in ipairs { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE" } do
      clean[name] = false
    end
    local scheduler = runtimes.real().scheduler
    local ended = served(scheduler, listener, function()
      return scheduler:await(assert(process.start {
        argv = { "python3", "-c", SCRIPT }, stdin = json.encode(environments), environment = clean, timeout = 60,
      }))
    end)
    if ended.stderr:find "ModuleNotFoundError" then
      return nil
    end
    assert(ended.status == 0, ended.stderr)
    return assert(json.decode(ended.stdout))
  end

  it("find the same credentials", function()
    if not moto.has "python3" then
      pending(MISSING)
      return
    end
    assert(fs.write(home .. "/token", "webtoken"))
    for token, login in pairs {
      first = { name = "corp", start_url = "https://corp", ends = "2098-01-01T00:00:00Z" },
      second = { start_url = "https://old", ends = "2098-01-01T00:00:00Z" },
      third = { name = "ended", start_url = "https://corp", ends = "2001-01-01T00:00:00Z" },
    } do
      assert(sso_cache.keep_token({ home = home }, login, {
        accessToken = token, expiresAt = login.ends, startUrl = login.start_url, region = "us-east-1", clientId = "id",
        clientSecret = "s", registrationExpiresAt = "2098-01-01T00:00:00Z", refreshToken = "refresh",
      }))
    end
    local environments, index, found = {}, 0, {}
    for name, case in pairs(CASES) do
      index = index + 1
      environments[name] = environment(index, case)
      found[name] = ours(environments[name])
    end
    local theirs = botocores(environments)
    if not theirs then
      pending(MISSING)
      return
    end
    assert.same(theirs, found)
    assert.equal("SSO-renewed", found["a login that was renewed"])
  end)
end)
