local fs = require "host.fs"
local scripted = require "spec.aws.credentials.scripted"

describe("infra.aws.credentials.web_identity", function()
  local new = scripted(teardown)
  local path

  before_each(function()
    path = new("").home .. "/token"
    assert(fs.write(path, "first\n"))
  end)

  local function variables()
    return { AWS_WEB_IDENTITY_TOKEN_FILE = path, AWS_ROLE_ARN = "arn:aws:iam::123456789012:role/web",
      AWS_ROLE_SESSION_NAME = "pod" }
  end

  it("opens a role with the token file that the environment names, without credentials", function()
    local it = new("", { environment = variables() })
    local found = it.get()
    assert.equal("ASIA1", found.access_key)
    assert.equal("123456789012", found.account_id)
    assert.is_nil(it.calls[1].keys)
    assert.equal("sts AssumeRoleWithWebIdentity", it.calls[1].name)
    assert.same({ RoleArn = "arn:aws:iam::123456789012:role/web", RoleSessionName = "pod", WebIdentityToken = "first" },
      it.calls[1].params)
  end)

  it("reads the token anew for every session", function()
    local it = new("", { environment = variables() })
    it.get()
    assert(fs.write(path, "second"))
    it.chain:expire()
    it.get()
    assert.equal("second", it.calls[2].params.WebIdentityToken)
  end)

  it("takes file and role from a profile, which a role may have as its source", function()
    local text = ("[profile web]\nweb_identity_token_file = %s\nrole_arn = arn:aws:iam::1:role/web\n" ..
      "duration_seconds = 1800\n[profile outer]\nrole_arn = arn:aws:iam::1:role/o\nsource_profile = web\n"):format(path)
    local it = new(text, { profile = "outer" })
    it.get()
    assert.equal("sts AssumeRoleWithWebIdentity", it.calls[1].name)
    assert.equal(1800, it.calls[1].params.DurationSeconds)
    assert.equal("sts AssumeRole", it.calls[2].name)
    assert.equal("ASIA1", it.calls[2].keys.access_key)
  end)

  it("leaves the environment alone when a profile was asked for on the command line", function()
    local it = new("[profile p]\naws_access_key_id = A\naws_secret_access_key = s\n",
      { environment = variables(), profile = "p" })
    assert.equal("A", it.get().access_key)
  end)

  it("says which file cannot be read, and that a role is missing", function()
    local environment = variables()
    assert(fs.write(path, " \n"))
    local found, err = new("", { environment = environment }).get()
    assert.is_nil(found)
    assert.equal(("web identity token: %s is empty"):format(path), err.message)
    assert(fs.remove(path))
    found, err = new("", { environment = environment }).get()
    assert.is_nil(found)
    assert.truthy(err.message:find("web identity token: " .. path, 1, true))
    environment.AWS_ROLE_ARN = nil
    found, err = new("", { environment = environment }).get()
    assert.is_nil(found)
    assert.equal("ConfigError", err.code)
    assert.truthy(err.message:find("AWS_ROLE_ARN", 1, true))
  end)
end)
