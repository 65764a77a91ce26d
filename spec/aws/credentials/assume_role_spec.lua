local scripted = require "spec.aws.credentials.scripted"

describe("infra.aws.credentials.assume_role", function()
  local new = scripted(teardown)

  local KEYS = { AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s" }
  local ROLE = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n" ..
    "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"

  it("asks STS with the keys of the source profile", function()
    local it = new(ROLE .. "external_id = e\nduration_seconds = 900\nrole_session_name = me\n", { profile = "role" })
    local found = it.get()
    assert.equal("ASIA1", found.access_key)
    assert.equal("token", found.session_token)
    assert.equal("123456789012", found.account_id)
    assert.equal(('arn:aws:iam::123456789012:role/r, assumed with keys of the profile "base" in %s/config'):format(
      it.home), found.source)
    assert.equal("sts AssumeRole", it.calls[1].name)
    assert.equal("AKIABASE", it.calls[1].keys.access_key)
    assert.same({
      RoleArn = "arn:aws:iam::123456789012:role/r", RoleSessionName = "me", ExternalId = "e", DurationSeconds = 900,
    }, it.calls[1].params)
  end)

  it("names the session after the time when the profile does not name it", function()
    local it = new(ROLE, { profile = "role" })
    it.get()
    assert.equal("infra-1704067200", it.calls[1].params.RoleSessionName)
  end)

  it("goes through several roles, and renews only those that end", function()
    local it = new(ROLE .. "[profile outer]\nrole_arn = arn:aws:iam::1:role/o\nsource_profile = role\n",
      { profile = "outer" })
    assert.equal("ASIA2", it.get().access_key)
    assert.equal("AKIABASE", it.calls[1].keys.access_key)
    assert.equal("ASIA1", it.calls[2].keys.access_key)
    it.chain:expire()
    assert.equal("ASIA3", it.get().access_key)
    assert.equal("ASIA1", it.calls[3].keys.access_key)
  end)

  it("takes keys that stand in the profile itself, or in a source that also has a role", function()
    local text = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = p\n" ..
      "aws_access_key_id = AKIASELF\naws_secret_access_key = s\n" ..
      "[profile q]\nrole_arn = arn:aws:iam::1:role/q\nsource_profile = p\n"
    for _, name in ipairs { "p", "q" } do
      local it = new(text, { profile = name })
      assert.equal("ASIA1", it.get().access_key)
      assert.equal("AKIASELF", it.calls[1].keys.access_key)
    end
  end)

  it("takes the environment by credential_source, even when a profile was asked for", function()
    local it = new("[profile p]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n",
      { profile = "p", environment = KEYS })
    it.get()
    assert.equal("AKIAENV", it.calls[1].keys.access_key)
  end)

  it("takes what the machine offers by credential_source", function()
    local document = '{"AccessKeyId":"AKIAHERE","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}'
    local function send(request)
      local body = request.method == "PUT" and "token" or request.url:find "security%-credentials/$" and "r" or document
      return { status = 200, headers = {}, body = body }
    end
    for _, source in ipairs { "EcsContainer", "Ec2InstanceMetadata" } do
      local it = new("[profile p]\nrole_arn = r\ncredential_source = " .. source .. "\n", {
        profile = "p", send = send, instance = true, environment = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x" },
      })
      assert.equal("ASIA1", it.get().access_key)
      assert.equal("AKIAHERE", it.calls[1].keys.access_key)
      assert.equal(source == "EcsContainer", it.requests[1].url == "http://169.254.170.2/x")
    end
  end)

  describe("with mfa_serial", function()
    local MFA = ROLE .. "mfa_serial = arn:aws:iam::1:mfa/me\nexternal_id = e\n"

    it("asks for a code", function()
      local asked
      local it = new(MFA, { profile = "role", prompt = function(text)
        asked = text
        return "123456"
      end })
      it.get()
      assert.equal("MFA code of arn:aws:iam::1:mfa/me for arn:aws:iam::123456789012:role/r: ", asked)
      assert.equal("123456", it.calls[1].params.TokenCode)
      assert.equal("arn:aws:iam::1:mfa/me", it.calls[1].params.SerialNumber)
      assert.equal("e", it.calls[1].params.ExternalId)
    end)

    it("says so where there is no terminal to ask", function()
      local found, err = new(MFA, { profile = "role" }).get()
      assert.is_nil(found)
      assert.equal("ConfigError", err.code)
      assert.truthy(err.message:find("there is no terminal", 1, true))
    end)

    it("never asks in the middle of a run", function()
      local it = new(MFA, { profile = "role", prompt = function() return "123456" end })
      it.run(function()
        it.chain:get()
        it.runtime.scheduler:sleep(3000)
        assert.equal("ASIA1", it.chain:get().access_key)
        it.runtime.scheduler:sleep(1000)
        local found, err = it.chain:get()
        assert.is_nil(found)
        assert.equal("MfaRequired", err.code)
        assert.equal(1, #it.calls)
      end)
    end)
  end)

  it("refuses an answer without credentials, and does not quote it", function()
    local it = new(ROLE, { profile = "role", call = function()
      return { Credentials = { AccessKeyId = "A", SecretAccessKey = "very-secret" } }
    end })
    local found, err = it.get()
    assert.is_nil(found)
    assert.equal("STS AssumeRole answered without SessionToken", err.message)
  end)

  for what, lines in pairs {
    ["neither source"] = "role_arn = r\n",
    ["both sources"] = "role_arn = r\nsource_profile = p\ncredential_source = Environment\n",
    ["an unknown source"] = "role_arn = r\ncredential_source = Moon\n",
    ["a source without keys"] = "role_arn = r\ncredential_source = Environment\n",
    ["a source that is itself"] = "role_arn = r\nsource_profile = p\n",
    ["a loop"] = "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p\n",
    ["a loop over three"] = "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = s\n" ..
      "[profile s]\nrole_arn = r\nsource_profile = q\n",
    ["a duration that is no number"] = "role_arn = r\ncredential_source = Environment\nduration_seconds = long\n",
  } do
    it("refuses a profile with " .. what .. ", by file and line", function()
      local it = new("[profile p]\n" .. lines, { profile = "p" })
      local found, err = it.get()
      assert.is_nil(found)
      assert.equal("ConfigError", err.code)
      local where = ("^%s/config:%%d: the AWS profile \"%%w\" "):format((it.home:gsub("%p", "%%%0")))
      assert.truthy(err.message:find(where), err.message)
      assert.equal(0, #it.calls)
    end)
  end

  it("refuses a source that does not exist or has no credentials, and says who refers to it", function()
    local text = "[profile p]\nrole_arn = r\nsource_profile = q\n"
    local err = select(2, new(text, { profile = "p" }).get())
    assert.equal("UnknownProfile", err.code)
    assert.truthy(err.message:find('which the AWS profile "p" names', 1, true))
    -- Neither the environment nor the machine stands in for it.
    text = text .. "[profile q]\nregion = r\n"
    err = select(2, new(text, { profile = "p", environment = KEYS, instance = true }).get())
    assert.equal("NoCredentials", err.code)
    assert.truthy(err.message:find("credential_process: the profile has no credential_process", 1, true))
  end)
end)
