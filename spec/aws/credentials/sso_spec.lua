local crypto = require "host.crypto"
local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local scripted = require "spec.aws.credentials.scripted"

describe("infra.aws.credentials.sso", function()
  local new = scripted(teardown)

  local SESSION = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n" ..
    "sso_registration_scopes = sso:account:access\n"
  local PROFILE = "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n"
  local LEGACY = "[default]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n" ..
    "sso_account_id = 123456789012\nsso_role_name = Admin\n"

  -- The file that the AWS CLI keeps a token in.
  local function path(it, key)
    return ("%s/.aws/sso/cache/%s.json"):format(it.home, crypto.hex(crypto.sha1(key or "corp")))
  end

  local function keep(it, fields, key)
    local token = { accessToken = "access", expiresAt = "2024-01-01T02:00:00Z", region = "eu-west-1",
      startUrl = "https://corp.awsapps.com/start", clientId = "id", clientSecret = "client-secret",
      registrationExpiresAt = "2024-03-01T00:00:00Z", refreshToken = "refresh" }
    for name, value in pairs(fields or {}) do
      token[name] = value or nil
    end
    assert(fs.mkdir(it.home .. "/.aws/sso/cache"))
    assert(fs.write(path(it, key), json.encode(token)))
  end

  before_each(function()
    for _, key in ipairs { "corp", "https://corp.awsapps.com/start" } do
      fs.remove(path(new "", key))
    end
  end)

  -- Answers GetRoleCredentials with an hour, CreateToken with `renewed`, or with what `refuse` has for them.
  local function service(refuse)
    return function(it, operation)
      if refuse and refuse[operation] then
        return errors.fail { code = refuse[operation], message = "no", fields = {} }
      elseif operation == "CreateToken" then
        return { accessToken = "renewed", refreshToken = "refresh-2", expiresIn = 8 * 3600, tokenType = "Bearer" }
      end
      return { roleCredentials = { accessKeyId = "ASIA" .. #it.calls, secretAccessKey = "s", sessionToken = "t",
        expiration = math.tointeger((it.runtime.time() + 3600) * 1000 // 1) } }
    end
  end

  it("exchanges the token of a login for credentials of the role", function()
    local it = new(SESSION .. PROFILE, { call = service() })
    keep(it)
    local found = it.get()
    assert.same({ "ASIA1", "s", "t", 1704070800.0, "123456789012" },
      { found.access_key, found.secret_key, found.session_token, found.expires_at, found.account_id })
    assert.equal("IAM Identity Center (SSO), role Admin in account 123456789012", found.source)
    assert.same({
      name = "sso GetRoleCredentials", region = "eu-west-1",
      params = { accessToken = "access", accountId = "123456789012", roleName = "Admin" },
    }, it.calls[1])
  end)

  it("renews a token that ends soon, and keeps the new one for its owner alone", function()
    local it = new(SESSION .. PROFILE, { call = service() })
    keep(it, { expiresAt = "2024-01-01T00:10:00Z" })
    it.get()
    assert.same({ clientId = "id", clientSecret = "client-secret", grantType = "refresh_token",
      refreshToken = "refresh" }, it.calls[1].params)
    assert.equal("renewed", it.calls[2].params.accessToken)
    assert.same({
      accessToken = "renewed", refreshToken = "refresh-2", expiresAt = "2024-01-01T08:00:00Z", region = "eu-west-1",
      startUrl = "https://corp.awsapps.com/start", clientId = "id", clientSecret = "client-secret",
      registrationExpiresAt = "2024-03-01T00:00:00Z",
    }, assert(json.decode(fs.read(path(it)))))
    assert.equal(384, fs.stat(path(it)).mode) -- 0600
  end)

  it("renews both during a run", function()
    local it = new(SESSION .. PROFILE, { call = service() })
    keep(it)
    it.run(function()
      it.chain:get()
      it.runtime.scheduler:sleep(2 * 3600 - 60)
      assert.equal("ASIA3", it.chain:get().access_key)
      assert.equal("sso-oidc CreateToken", it.calls[2].name)
    end)
  end)

  it("goes on with a token that is still good when it cannot be renewed", function()
    for _, fields in ipairs {
      { expiresAt = "2024-01-01T00:10:00Z" },
      { expiresAt = "2024-01-01T00:10:00Z", refreshToken = false },
      { expiresAt = "2024-01-01T00:10:00Z", registrationExpiresAt = "2023-12-01T00:00:00Z" },
      { expiresAt = "2024-01-01T00:10:00Z", registrationExpiresAt = { 1 } },
    } do
      local it = new(SESSION .. PROFILE, { call = service { CreateToken = "InvalidGrantException" } })
      keep(it, fields)
      assert(it.get())
      assert.equal("access", it.calls[#it.calls].params.accessToken)
    end
  end)

  it("says how to sign in when there is no login, or it has ended", function()
    local cases = {
      ["nobody has signed in to https://corp.awsapps.com/start"] = false,
      ["has expired (no)"] = { expiresAt = "2023-12-31T23:00:00Z" },
      ["has expired (the token cannot be renewed)"] = { expiresAt = "2023-12-31T23:00:00Z", clientId = false,
        refreshToken = false },
      ["is no longer good"] = {},
    }
    for wanted, fields in pairs(cases) do
      local it = new(SESSION .. PROFILE, { call = service { CreateToken = "InvalidGrantException",
        GetRoleCredentials = "UnauthorizedException" } })
      fs.remove(path(it))
      if fields then
        keep(it, fields)
      end
      local found, err = it.get()
      assert.is_nil(found)
      assert.equal("SsoLoginRequired", err.code)
      assert.truthy(err.message:find(wanted, 1, true), err.message)
      assert.equal("sign in with: infra login --sso-session corp", err.hint)
    end
  end)

  it("takes a damaged cache for no login", function()
    local it = new(SESSION .. PROFILE, { call = service() })
    keep(it)
    for _, text in ipairs { "", "[]", '"x"', "not json", '{"accessToken":"a"}', '{"accessToken":1,"expiresAt":"x"}',
      '{"accessToken":"a","expiresAt":"soon"}' } do
      assert(fs.write(path(it), text))
      assert.equal("SsoLoginRequired", select(2, it.get()).code)
    end
  end)

  it("knows the legacy form, whose tokens go by their start URL and are not renewed", function()
    local it = new(LEGACY, { call = service() })
    keep(it, { expiresAt = "2024-01-01T00:10:00Z" }, "https://corp.awsapps.com/start")
    assert.equal("ASIA1", it.get().access_key)
    keep(it, { expiresAt = "2023-12-31T23:00:00Z" }, "https://corp.awsapps.com/start")
    it.chain:expire()
    assert.equal("sign in with: infra login --profile default", select(2, it.get()).hint)
  end)

  it("may be the source of a role", function()
    local it = new(SESSION .. PROFILE .. "[profile role]\nrole_arn = r\nsource_profile = default\n",
      { profile = "role", call = function(it, operation)
        if operation == "AssumeRole" then
          return { Credentials = { AccessKeyId = "ROLE", SecretAccessKey = "s", SessionToken = "t" } }
        end
        return service()(it, operation)
      end })
    keep(it)
    assert.equal("ROLE", it.get().access_key)
    assert.equal("ASIA1", it.calls[2].keys.access_key)
  end)

  it("takes no harm from an absurd expiration", function()
    for number, wanted in pairs { [1e300] = 253402300799, [-1e300] = "ExpiredCredentials" } do
      local it = new(SESSION .. PROFILE, { call = function()
        return { roleCredentials = { accessKeyId = "A", secretAccessKey = "s", sessionToken = "t",
          expiration = number } }
      end })
      keep(it)
      local found, err = it.get()
      assert.equal(wanted, found and found.expires_at or err.code)
    end
  end)

  it("refuses an answer without credentials", function()
    local it = new(SESSION .. PROFILE, { call = function() return {} end })
    keep(it)
    assert.equal("IAM Identity Center answered without accessKeyId", select(2, it.get()).message)
  end)

  for what, text in pairs {
    ["half a role"] = SESSION .. "[default]\nsso_session = corp\nsso_account_id = 1\n",
    ["a session that does not exist"] = SESSION:gsub("corp%]", "other]") .. PROFILE,
    ["a session without a region"] = SESSION:gsub("sso_region[^\n]*\n", "") .. PROFILE,
    ["a session with another region"] = SESSION .. PROFILE .. "sso_region = us-east-1\n",
    ["no session at all"] = "[default]\nsso_account_id = 1\nsso_role_name = r\n",
    ["a legacy form without a region"] = LEGACY:gsub("sso_region[^\n]*\n", ""),
  } do
    it("refuses a profile with " .. what .. ", by file and line", function()
      local it = new(text, { call = service() })
      local found, err = it.get()
      assert.is_nil(found)
      assert.equal("ConfigError", err.code)
      assert.truthy(err.message:find("^" .. it.home:gsub("%p", "%%%0") .. "/config:%d: "), err.message)
    end)
  end
end)
