local fs = require "host.fs"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

describe("infra.aws.config", function()
  local directory, remove = temporary()
  teardown(remove)

  -- The configuration of the given files' texts.
  local function load(config_text, credentials_text, variables, options)
    local all = { AWS_CONFIG_FILE = directory .. "/config", AWS_SHARED_CREDENTIALS_FILE = directory .. "/credentials" }
    assert(fs.write(all.AWS_CONFIG_FILE, config_text))
    assert(fs.write(all.AWS_SHARED_CREDENTIALS_FILE, credentials_text or ""))
    for name, value in pairs(variables or {}) do
      all[name] = value
    end
    return world.config(all, options)
  end

  it("merges both files, the credentials file winning", function()
    local config = load("[profile a]\nregion = r\naws_access_key_id = old\n", "[a]\naws_access_key_id = new\n")
    assert.same({ region = "r", aws_access_key_id = "new" }, config:profile "a")
  end)

  it("takes only [default] and [profile x] of the config file for profiles", function()
    local config = load("[default]\na = 1\n[b]\na = 1\n[profile c]\na = 1\n[preview]\n")
    assert.truthy(config:profile "default")
    assert.is_nil(config:profile "b")
    assert.truthy(config:profile "c")
  end)

  it("works without any file", function()
    local config = world.config { AWS_CONFIG_FILE = "/nonexistent/config" }
    assert.is_nil(config:profile())
    assert.is_nil(config:region())
  end)

  it("chooses the profile by option, then AWS_PROFILE, then default", function()
    local text = "[default]\nregion = d\n[profile a]\nregion = a\n[profile b]\nregion = b\n"
    assert.equal("d", load(text):region())
    assert.equal("a", load(text, "", { AWS_PROFILE = "a" }):region())
    assert.equal("b", load(text, "", { AWS_PROFILE = "a" }, { profile = "b" }):region())
    assert.equal("d", load(text, "", { AWS_PROFILE = "" }):region())
    assert.equal("a", load(text, "", { AWS_PROFILE = "b", AWS_DEFAULT_PROFILE = "a" }):region()) -- as botocore
  end)

  it("refuses a profile that does not exist and names those that do", function()
    local config, err = load("[profile a]\n[profile b]\n", "", { AWS_PROFILE = "c" })
    assert.is_nil(config)
    assert.equal("UnknownProfile", err.code)
    assert.truthy(err.hint:find("a, b", 1, true))
  end)

  it("knows where each setting was made, and says it when something is wrong with a profile", function()
    local config = load("[default]\n[profile a]\nregion = r\noutput = json\n[sso-session s]\nsso_region = r\n",
      "\n[a]\noutput = text\n")
    local profile = config:profile "a"
    assert.same({ path = directory .. "/config", where = directory .. "/config:2" }, config:origin(profile, "region"))
    assert.same({ path = directory .. "/credentials", where = directory .. "/credentials:2" },
      config:origin(profile, "output"))
    assert.equal(directory .. "/credentials:2", config:origin(profile).where)
    assert.is_nil(config:origin(profile, "nothing"))
    assert.equal(directory .. "/config:5", config:origin(config.sso_sessions.s, "sso_region").where)
    local nothing, err = config:refuse_profile("a", "is wrong", "right it")
    assert.is_nil(nothing)
    assert.equal(directory .. '/credentials:2: the AWS profile "a" is wrong', err.message)
    assert.equal("right it", err.hint)
    assert.equal('the AWS profile "none" is wrong', select(2, config:refuse_profile("none", "is wrong")).message)
  end)

  it("passes on what is wrong with a file", function()
    local config, err = load "[default]\nnonsense\n"
    assert.is_nil(config)
    assert.equal("ConfigError", err.code)
  end)

  it("takes the region from the option, AWS_REGION, AWS_DEFAULT_REGION, the profile, in that order", function()
    local text = "[default]\nregion = profile\n"
    local both = { AWS_REGION = "one", AWS_DEFAULT_REGION = "two" }
    assert.equal("option", load(text, "", both):region "option")
    assert.equal("one", load(text, "", both):region())
    assert.equal("two", load(text, "", { AWS_DEFAULT_REGION = "two" }):region())
    assert.equal("profile", load(text):region())
  end)

  describe("endpoint_url", function()
    local text = "[default]\nservices = s\nendpoint_url = http://profile\n" ..
      "[services s]\nsecrets_manager =\n  endpoint_url = http://service\n"

    it("prefers a service's variable to the general one, and both to the profile", function()
      local variables = { AWS_ENDPOINT_URL = "http://all", AWS_ENDPOINT_URL_SECRETS_MANAGER = "http://one" }
      local config = load(text, "", variables)
      assert.same({ "http://one", "AWS_ENDPOINT_URL_SECRETS_MANAGER" }, { config:endpoint_url "Secrets Manager" })
      assert.same({ "http://all", "AWS_ENDPOINT_URL" }, { config:endpoint_url "EC2" })
    end)

    it("prefers the services section to the profile", function()
      local config = load(text)
      assert.same({ "http://service", "[services s]" }, { config:endpoint_url "Secrets Manager" })
      assert.same({ "http://profile", 'the profile "default"' }, { config:endpoint_url "EC2" })
    end)

    it("can be told to ignore all of them", function()
      local variables = { AWS_ENDPOINT_URL = "http://all", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true" }
      assert.is_nil(load(text, "", variables):endpoint_url "EC2")
      assert.is_nil(load("[default]\nignore_configured_endpoint_urls = True\nendpoint_url = x\n"):endpoint_url "EC2")
    end)

    it("fails when the profile names a services section that does not exist", function()
      local url, err = load("[default]\nservices = t\n"):endpoint_url "EC2"
      assert.is_nil(url)
      assert.equal("ConfigError", err.code)
    end)
  end)
end)
