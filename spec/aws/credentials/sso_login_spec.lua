local errors = require "infra.errors"
local fs = require "host.fs"
local scripted = require "spec.aws.credentials.scripted"
local sso_cache = require "infra.aws.credentials.sso_cache"
local sso_login = require "infra.aws.credentials.sso_login"

describe("infra.aws.credentials.sso_login", function()
  local new = scripted(teardown)

  local SESSION = { name = "corp", start_url = "https://corp.awsapps.com/start", region = "eu-west-1",
    scopes = { "sso:account:access" } }

  -- A world in which the person confirms after CreateToken was answered with all of `answers`, codes of errors.
  local function service(answers, changes)
    local asked = 0
    return function(it, operation)
      local change = (changes or {})[operation]
      if change then
        return change(it)
      elseif operation == "RegisterClient" then
        return { clientId = "id", clientSecret = "client-secret", clientSecretExpiresAt = 1711929600 }
      elseif operation == "StartDeviceAuthorization" then
        return { deviceCode = "device", userCode = "ABCD-EFGH", expiresIn = 600, interval = 2,
          verificationUri = "https://device", verificationUriComplete = "https://device?code" }
      end
      asked = asked + 1
      it.asked_at = it.asked_at or {}
      it.asked_at[asked] = it.runtime.time() - 1704067200
      if answers[asked] then
        return errors.fail { code = answers[asked], message = "HTTP 400", fields = { error = answers[asked] } }
      end
      return { accessToken = "access", refreshToken = "refresh", expiresIn = 3600 }
    end
  end

  local shown

  local function sign_in(it, session)
    shown = {}
    return it.run(sso_login.by_device, it, session or SESSION, function(authorization)
      table.insert(shown, authorization)
    end)
  end

  local function forget()
    local cache = new("").home .. "/.aws/sso/cache"
    for _, name in ipairs(fs.list(cache) or {}) do
      assert(fs.remove(cache .. "/" .. name))
    end
  end
  before_each(forget)

  it("registers, shows the code, asks until it is confirmed, and keeps the token", function()
    local it = new("", { call = service { "AuthorizationPendingException", "AuthorizationPendingException" } })
    local token = assert(sign_in(it))
    assert.same({ { code = "ABCD-EFGH", url = "https://device", complete_url = "https://device?code" } }, shown)
    assert.same({ 2.0, 4.0, 6.0 }, it.asked_at)
    for i, name in ipairs { "RegisterClient", "StartDeviceAuthorization", "CreateToken" } do
      assert.equal("sso-oidc " .. name, it.calls[i].name)
      assert.equal("eu-west-1", it.calls[i].region)
      assert.is_nil(it.calls[i].keys)
    end
    assert.same({ clientName = "infra-corp", clientType = "public", scopes = { "sso:account:access" } },
      it.calls[1].params)
    assert.same({ clientId = "id", clientSecret = "client-secret", startUrl = "https://corp.awsapps.com/start" },
      it.calls[2].params)
    assert.same({ clientId = "id", clientSecret = "client-secret", deviceCode = "device",
      grantType = "urn:ietf:params:oauth:grant-type:device_code" }, it.calls[3].params)
    assert.same({
      accessToken = "access", refreshToken = "refresh", expiresAt = "2024-01-01T01:00:06Z", region = "eu-west-1",
      startUrl = "https://corp.awsapps.com/start", clientId = "id", clientSecret = "client-secret",
      registrationExpiresAt = "2024-04-01T00:00:00Z",
    }, token)
    assert.same(token, sso_cache.token(it.config, SESSION))
  end)

  it("keeps everything in files that nobody else can read", function()
    local it = new("", { call = service {} })
    assert(sign_in(it))
    local cache = it.home .. "/.aws/sso/cache"
    local names = fs.list(cache)
    assert.equal(2, #names)
    for _, name in ipairs(names) do
      assert.equal(384, fs.stat(cache .. "/" .. name).mode) -- 0600
    end
  end)

  it("slows down when it is told to, by either of the names for that", function()
    local it = new("", { call = service { "SlowDownException", "authorization_pending", "slow_down" } })
    assert(sign_in(it))
    assert.same({ 2.0, 9.0, 16.0, 28.0 }, it.asked_at)
  end)

  it("ends when the code was refused or has expired, says AWS or the clock", function()
    for answer, wanted in pairs {
      AccessDeniedException = "it was refused in the browser", expired_token = "the code was not confirmed in time",
      InvalidGrantException = "HTTP 400",
    } do
      local token, err = sign_in(new("", { call = service { answer } }))
      assert.is_nil(token)
      assert.equal(wanted, err.message)
    end
    local never = setmetatable({}, { __index = function() return "AuthorizationPendingException" end })
    local it = new("", { call = service(never) })
    local token, err = sign_in(it)
    assert.is_nil(token)
    assert.equal("ExpiredTokenException", err.code)
    assert.equal(600.0, it.asked_at[#it.asked_at])
    assert.is_nil(sso_cache.token(it.config, SESSION))
  end)

  it("takes no harm from absurd times", function()
    for _, number in ipairs { 1e300, -1e300 } do
      local it = new("", { call = service({ "AuthorizationPendingException" }, {
        RegisterClient = function() return { clientId = "id", clientSecret = "s", clientSecretExpiresAt = number } end,
        StartDeviceAuthorization = function()
          return { deviceCode = "device", userCode = "A", expiresIn = 600, interval = number, verificationUri = "x" }
        end,
      }) })
      local token, err = sign_in(it)
      assert.is_true(token ~= nil or err.code == "ExpiredTokenException")
      assert.same(number > 0 and { 600.0 } or { 1.0, 2.0 }, it.asked_at)
      forget()
      it = new("", { call = service({}, { CreateToken = function()
        return { accessToken = "access", expiresIn = number }
      end }) })
      assert.equal(number > 0 and "9999-12-31T23:59:59Z" or "1970-01-01T00:00:00Z", assert(sign_in(it)).expiresAt)
      forget()
    end
  end)

  it("uses its client again, until that ends, for the same scopes only", function()
    local function registrations(session, call)
      local it, count = new("", { call = call or service {} }), 0
      assert(sign_in(it, session))
      for _, made in ipairs(it.calls) do
        count = count + (made.name == "sso-oidc RegisterClient" and 1 or 0)
      end
      return count
    end
    assert.equal(1, registrations())
    assert.equal(0, registrations())
    local wider = { name = "corp", start_url = SESSION.start_url, region = "eu-west-1", scopes = { "a", "b" } }
    assert.equal(1, registrations(wider))
    local config = new("").config
    local client = sso_cache.client(config, SESSION)
    client.expiresAt = "2024-01-01T00:10:00Z"
    assert(sso_cache.keep_client(config, SESSION, client))
    assert.equal(1, registrations())
    -- The AWS CLI's own, for its login through a redirect.
    client.expiresAt, client.grantTypes = "2024-04-01T00:00:00Z", { "authorization_code", "refresh_token" }
    assert(sso_cache.keep_client(config, SESSION, client))
    assert.equal(1, registrations())
  end)

  it("registers anew when its client is no longer known", function()
    assert(sign_in(new("", { call = service {} })))
    local tries = 0
    local it = new("", { call = service({}, { StartDeviceAuthorization = function()
      tries = tries + 1
      if tries == 1 then
        return errors.fail { code = "InvalidClientException", message = "no", fields = {} }
      end
      return { deviceCode = "device", userCode = "A", expiresIn = 600, verificationUri = "https://device" }
    end }) })
    assert(sign_in(it))
    assert.equal("sso-oidc RegisterClient", it.calls[2].name)
    assert.same({ 5.0 }, it.asked_at) -- the interval where AWS gives none
  end)

  it("passes on what AWS says, and refuses answers that lack something", function()
    local it = new("", { call = service({}, { RegisterClient = function()
      return errors.fail { code = "InvalidRequestException", message = "HTTP 400", fields = {
        error_description = "Invalid\nscope" } }
    end }) })
    assert.equal("Invalid scope", select(2, sign_in(it)).message)
    for operation, lacking in pairs { RegisterClient = "clientId", StartDeviceAuthorization = "deviceCode",
      CreateToken = "accessToken" } do
      it = new("", { call = service({}, { [operation] = function() return {} end }) })
      assert.equal(("IAM Identity Center answered %s without %s"):format(operation, lacking),
        select(2, sign_in(it)).message)
      forget()
    end
  end)

  it("names its files as the AWS CLI does, those of the legacy form after the start URL", function()
    local it = new("", { call = service {} })
    local legacy = { start_url = "https://legacy/start", region = "us-east-1" }
    assert(sign_in(it, legacy))
    assert.equal("infra-legacy", it.calls[1].params.clientName)
    assert.is_nil(it.calls[1].params.scopes)
    -- Computed with Python, as the AWS CLI does.
    assert.same({ "26a39feefa4a05680f52140ee427b91950bb24f5.json", "9dcfb43993462a0ec7aa11a3b406b3ade7ba4d03.json" },
      fs.list(it.home .. "/.aws/sso/cache"))
    forget()
    assert(sign_in(it, { name = "corp", start_url = SESSION.start_url, region = "eu-west-1", scopes = { "a:b", "c" } }))
    assert.same({ "ee0bfd2552fbd840c02cc48b6e823320543c450f.json", "ef5a55746c6c39580a610db215086c23d9fa7d19.json" },
      fs.list(it.home .. "/.aws/sso/cache"))
  end)
end)
