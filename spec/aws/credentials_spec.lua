local credentials = require "infra.aws.credentials"
local errors = require "infra.errors"
local fs = require "host.fs"
local runtimes = require "infra.runtime"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

describe("infra.aws.credentials", function()
  local directory, remove = temporary()
  teardown(remove)

  local runtime, calls

  before_each(function()
    runtime, calls = runtimes.simulated(), {}
  end)

  -- Answers AssumeRole with a session of an hour, after a second.
  local function assume(source, service, operation, params)
    local keys = source:get()
    calls[#calls + 1] = { keys = keys, params = params, name = service .. " " .. operation }
    runtime.scheduler:sleep(1)
    return {
      Credentials = {
        AccessKeyId = "ASIA" .. #calls,
        SecretAccessKey = "secret",
        SessionToken = "token",
        Expiration = runtime.time() + 3600,
      },
    }
  end

  local function chain(config_text, options)
    options = options or {}
    local path = directory .. "/config"
    assert(fs.write(path, config_text))
    local variables = { AWS_CONFIG_FILE = path }
    for name, value in pairs(options.environment or {}) do
      variables[name] = value
    end
    return credentials.chain {
      runtime = runtime,
      config = assert(world.config(variables, { profile = options.profile })),
      call = options.call or assume,
      prompt = options.prompt,
    }
  end

  local function get(object)
    return runtime.scheduler:run(object.get, object)
  end

  local KEYS = { AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s", AWS_SESSION_TOKEN = "t" }

  it("takes the environment first", function()
    local text = "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\n"
    local found = get(chain(text, { environment = KEYS }))
    assert.equal("AKIAENV", found.access_key)
    assert.equal("t", found.session_token)
  end)

  it("but not when a profile was asked for on the command line", function()
    local text = "[profile p]\naws_access_key_id = AKIAFILE\naws_secret_access_key = s\naws_session_token = t\n"
    local found = get(chain(text, { environment = KEYS, profile = "p" }))
    assert.equal("AKIAFILE", found.access_key)
    assert.equal("t", found.session_token)
  end)

  it("refuses half a pair of keys instead of looking further", function()
    local found, err = get(chain("[default]\naws_access_key_id = A\naws_secret_access_key = s\n",
      { environment = { AWS_ACCESS_KEY_ID = "A" } }))
    assert.is_nil(found)
    assert.equal("IncompleteCredentials", err.code)
    found, err = get(chain "[default]\naws_access_key_id = A\n")
    assert.is_nil(found)
    assert.equal("IncompleteCredentials", err.code)
  end)

  it("says both ways to go on when there are none", function()
    local found, err = get(chain "")
    assert.is_nil(found)
    assert.equal("NoCredentials", err.code)
    assert.truthy(err.hint:find "configure credentials")
    assert.truthy(err.hint:find("--sim", 1, true))
  end)

  it("gives each task that waited an error of its own", function()
    local object = chain ""
    local first, second
    runtime.scheduler:run(function()
      runtime.scheduler:all {
        function() first = select(2, object:get()) end,
        function() second = select(2, object:get()) end,
      }
    end)
    assert.equal(first.message, second.message)
    assert.not_equal(first, second)
  end)

  describe("of a role", function()
    local ROLE = "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n" ..
      "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"

    it("are asked of STS with the keys of the source profile", function()
      local found = get(chain(ROLE .. "external_id = e\nduration_seconds = 900\nrole_session_name = me\n",
        { profile = "role" }))
      assert.equal("ASIA1", found.access_key)
      assert.equal("123456789012", found.account_id)
      assert.equal("sts AssumeRole", calls[1].name)
      assert.equal("AKIABASE", calls[1].keys.access_key)
      assert.same({
        RoleArn = "arn:aws:iam::123456789012:role/r", RoleSessionName = "me", ExternalId = "e", DurationSeconds = 900,
      }, calls[1].params)
    end)

    it("are kept, shared by tasks that wait for them, and renewed before they end", function()
      local object = chain(ROLE, { profile = "role" })
      runtime.scheduler:run(function()
        runtime.scheduler:all { function() object:get() end, function() object:get() end }
        assert.equal(1, #calls)
        runtime.scheduler:sleep(2600)
        object:get()
        assert.equal(1, #calls)
        runtime.scheduler:sleep(200)
        assert.equal("ASIA2", object:get().access_key)
      end)
    end)

    it("stay in use while they are good and cannot be renewed", function()
      local failing = false
      local object = chain(ROLE, { profile = "role", call = function(...)
        if failing then
          calls[#calls + 1] = {}
          return errors.fail { code = "Timeout", message = "no answer" }
        end
        return assume(...)
      end })
      runtime.scheduler:run(function()
        object:get()
        failing = true
        runtime.scheduler:sleep(2800)
        assert.equal("ASIA1", object:get().access_key)
        object:get()
        assert.equal(2, #calls) -- not again at once
        runtime.scheduler:sleep(1000)
        local found, err = object:get()
        assert.is_nil(found)
        assert.equal("Timeout", err.code)
      end)
    end)

    it("are asked for anew after expire()", function()
      local object = chain(ROLE, { profile = "role" })
      get(object)
      object:expire()
      assert.equal("ASIA2", get(object).access_key)
    end)

    it("may come through several roles", function()
      local text = ROLE .. "[profile outer]\nrole_arn = arn:aws:iam::1:role/o\nsource_profile = role\n"
      assert.equal("ASIA2", get(chain(text, { profile = "outer" })).access_key)
      assert.equal("AKIABASE", calls[1].keys.access_key)
      assert.equal("ASIA1", calls[2].keys.access_key)
    end)

    it("may come from a profile that is its own source, with keys of its own", function()
      local text = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = p\n" ..
        "aws_access_key_id = AKIASELF\naws_secret_access_key = s\n"
      assert.equal("ASIA1", get(chain(text, { profile = "p" })).access_key)
      assert.equal("AKIASELF", calls[1].keys.access_key)
    end)

    it("may come from the environment by credential_source, even when a profile was asked for", function()
      local text = "[profile p]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Environment\n"
      get(chain(text, { profile = "p", environment = KEYS }))
      assert.equal("AKIAENV", calls[1].keys.access_key)
    end)

    it("can need an MFA code", function()
      local text = ROLE .. "mfa_serial = arn:aws:iam::1:mfa/me\n"
      get(chain(text, { profile = "role", prompt = function() return "123456" end }))
      assert.equal("123456", calls[1].params.TokenCode)
      assert.equal("arn:aws:iam::1:mfa/me", calls[1].params.SerialNumber)
      local found, err = get(chain(text, { profile = "role" }))
      assert.is_nil(found)
      assert.truthy(err.message:find "MFA")
    end)

    for what, text in pairs {
      ["neither source"] = "role_arn = r\n",
      ["both sources"] = "role_arn = r\nsource_profile = p\ncredential_source = Environment\n",
      ["an unknown source"] = "role_arn = r\ncredential_source = Moon\n",
      ["a source without keys"] = "role_arn = r\ncredential_source = Environment\n",
      ["a source that is itself"] = "role_arn = r\nsource_profile = p\n",
      ["a loop"] = "role_arn = r\nsource_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p\n",
    } do
      it("refuses a profile with " .. what, function()
        local found, err = get(chain("[profile p]\n" .. text, { profile = "p" }))
        assert.is_nil(found)
        assert.equal("ConfigError", err.code)
        assert.equal(0, #calls)
      end)
    end

    it("refuses a source that does not exist or has no credentials", function()
      local text = "[profile p]\nrole_arn = r\nsource_profile = q\n"
      assert.equal("UnknownProfile", select(2, get(chain(text, { profile = "p" }))).code)
      assert.equal("NoCredentials", select(2, get(chain(text .. "[profile q]\nregion = r\n", { profile = "p" }))).code)
    end)
  end)
end)
