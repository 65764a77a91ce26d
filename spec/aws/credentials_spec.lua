local credentials = require "infra.aws.credentials"
local errors = require "infra.errors"
local json = require "host.json"
local scripted = require "spec.aws.credentials.scripted"

describe("infra.aws.credentials", function()
  local new = scripted(teardown)

  local ENV = { AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s", AWS_SESSION_TOKEN = "t" }
  local KEYS = "aws_access_key_id = AKIAFILE\naws_secret_access_key = s\n"

  -- Answers for everything that is asked over HTTP or of AWS, so that each provider would find something.
  local function send(request)
    if request.method == "PUT" then
      return { status = 200, headers = {}, body = "imds-token" }
    elseif request.url:find "security%-credentials/$" then
      return { status = 200, headers = {}, body = "machine" }
    end
    local key = request.url:find "169%.254%.170%.2" and "AKIACONTAINER" or "AKIAINSTANCE"
    return { status = 200, headers = {}, body = json.encode {
      AccessKeyId = key, SecretAccessKey = "s", Token = "t", Expiration = "2099-01-01T00:00:00Z",
    } }
  end

  local function call(it, operation)
    return { Credentials = { AccessKeyId = operation, SecretAccessKey = "s", SessionToken = "t",
      Expiration = it.runtime.time() + 3600 } }
  end

  -- Every source at once: what wins is taken away, then the next, in the AWS CLI's order.
  it("looks at the sources in the AWS CLI's order", function()
    local here = new ""
    local environment = {
      AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "s",
      AWS_WEB_IDENTITY_TOKEN_FILE = here.home .. "/config", AWS_ROLE_ARN = "arn:aws:iam::1:role/web",
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/x",
    }
    local role = "role_arn = r\nsource_profile = base\n"
    local process = "credential_process = printf " ..
      [['{"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"s"}']] .. "\n"
    local base = "[profile base]\n" .. KEYS
    local file_keys = "[default]\naws_access_key_id = AKIAKEYS\naws_secret_access_key = s\n"
    local function first(config, keys)
      local found = assert(new(base .. "[default]\n" .. config,
        { environment = environment, credentials = keys, call = call, send = send, instance = true }).get())
      return found.access_key
    end
    assert.equal("AKIAENV", first(role .. process .. KEYS, file_keys))
    environment.AWS_ACCESS_KEY_ID, environment.AWS_SECRET_ACCESS_KEY = nil, nil
    assert.equal("AssumeRole", first(role .. process .. KEYS, file_keys))
    assert.equal("AssumeRoleWithWebIdentity", first(process .. KEYS, file_keys))
    environment.AWS_WEB_IDENTITY_TOKEN_FILE = nil
    assert.equal("AKIAKEYS", first(process .. KEYS, file_keys))
    assert.equal("AKIAPROC", first(process .. KEYS))
    assert.equal("AKIAFILE", first(KEYS))
    assert.equal("AKIACONTAINER", first "region = r\n")
    environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = nil
    assert.equal("AKIAINSTANCE", first "region = r\n")
  end)

  it("leaves the environment's keys alone when a profile was asked for on the command line", function()
    local found = new("[profile p]\n" .. KEYS .. "aws_session_token = t\n", { environment = ENV, profile = "p" }).get()
    assert.equal("AKIAFILE", found.access_key)
    assert.equal("t", found.session_token)
  end)

  it("keeps to the environment when a variable chose the profile", function()
    local environment = { AWS_PROFILE = "p" }
    for name, value in pairs(ENV) do
      environment[name] = value
    end
    assert.equal("AKIAENV", new("[profile p]\n" .. KEYS, { environment = environment }).get().access_key)
  end)

  it("names the source of what it found", function()
    assert.equal("environment variables", new("", { environment = ENV }).get().source)
    local it = new("[default]\n" .. KEYS)
    assert.equal(('keys of the profile "default" in %s/config'):format(it.home), it.get().source)
  end)

  it("refuses half a pair of keys instead of looking further", function()
    local found, err = new("[default]\n" .. KEYS, { environment = { AWS_ACCESS_KEY_ID = "A" } }).get()
    assert.is_nil(found)
    assert.equal("IncompleteCredentials", err.code)
    local it = new "# first\n[default]\naws_access_key_id = A\n"
    found, err = it.get()
    assert.is_nil(found)
    assert.equal(('%s/config:2: the AWS profile "default" needs both aws_access_key_id and aws_secret_access_key')
      :format(it.home), err.message)
  end)

  it("never completes the keys of one file with parts of the other", function()
    local found = new("[default]\n" .. KEYS .. "aws_session_token = other\n",
      { credentials = "[default]\naws_access_key_id = A\naws_secret_access_key = s\n" }).get()
    assert.equal("A", found.access_key)
    assert.is_nil(found.session_token)
  end)

  it("does not go on to other credentials when a profile is for `aws login`", function()
    local found, err = new("[default]\nlogin_session = arn\n", { instance = true, send = send }).get()
    assert.is_nil(found)
    assert.equal("ConfigError", err.code)
    assert.truthy(err.hint:find("export-credentials", 1, true))
  end)

  it("names every place that it looked at, what each said, and how to go on", function()
    local found, err = new("", { instance = true, send = function()
      return errors.fail { code = "Timeout", message = "no answer within 1 s", sent = false }
    end }).get()
    assert.is_nil(found)
    assert.equal("NoCredentials", err.code)
    for _, part in ipairs {
      "environment variables: AWS_ACCESS_KEY_ID is not set",
      "role of the profile: the profile has no role_arn",
      "web identity token: neither AWS_WEB_IDENTITY_TOKEN_FILE",
      "IAM Identity Center (SSO): the profile has no sso_account_id",
      "keys in the profile: the profile has no aws_access_key_id",
      "credential_process: the profile has no credential_process",
      "container endpoint: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "instance metadata (IMDS): http://169.254.169.254: no answer within 1 s",
    } do
      assert.truthy(err.message:find(part, 1, true), part)
    end
    assert.truthy(err.hint:find "configure credentials")
    assert.truthy(err.hint:find("--sim", 1, true))
  end)

  it("refuses keys that no request could carry, and does not quote them", function()
    for _, bad in ipairs { "two words", "a\nb", "a\r" } do
      local found, err = new("", { environment = { AWS_ACCESS_KEY_ID = "A", AWS_SECRET_ACCESS_KEY = bad } }).get()
      assert.is_nil(found)
      assert.equal("BadCredentials", err.code)
      assert.is_nil(err.message:find(bad, 1, true))
    end
  end)

  it("refuses credentials that have expired, and says from where they are", function()
    local environment = { AWS_CREDENTIAL_EXPIRATION = "2001-01-01T00:00:00Z" }
    for name, value in pairs(ENV) do
      environment[name] = value
    end
    local found, err = new("", { environment = environment }).get()
    assert.is_nil(found)
    assert.equal("environment variables: these credentials expired at 2001-01-01T00:00:00Z", err.message)
    environment.AWS_CREDENTIAL_EXPIRATION = "tomorrow"
    assert.equal("BadCredentials", select(2, new("", { environment = environment }).get()).code)
  end)

  it("gives each task that waited an error of its own", function()
    local it = new ""
    local first, second
    it.run(function()
      it.runtime.scheduler:all {
        function() first = select(2, it.chain:get()) end,
        function() second = select(2, it.chain:get()) end,
      }
    end)
    assert.equal(first.message, second.message)
    assert.not_equal(first, second)
  end)

  describe("that end", function()
    local ROLE = "[profile base]\n" .. KEYS ..
      "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"

    it("are kept, shared by tasks that wait for them, and renewed before they end", function()
      local it = new(ROLE, { profile = "role" })
      local function get() it.chain:get() end
      it.run(function()
        it.runtime.scheduler:all { get, get }
        assert.equal(1, #it.calls)
        it.runtime.scheduler:sleep(2600)
        get()
        assert.equal(1, #it.calls)
        it.runtime.scheduler:sleep(200)
        assert.equal("ASIA2", it.chain:get().access_key)
      end)
    end)

    it("are renewed by one task while others go on with them, until there is little time left", function()
      local it = new(ROLE, { profile = "role" })
      local scheduler = it.runtime.scheduler
      it.run(function()
        it.chain:get()
        for at, others in pairs { [2800] = "ASIA1", [3200] = "ASIA2" } do
          it.chain:expire()
          it.calls = {}
          it.chain:get()
          scheduler:sleep(at)
          local renewing, meanwhile
          scheduler:all {
            function() renewing = it.chain:get().access_key end,
            function() scheduler:sleep(0.5) meanwhile = it.chain:get().access_key end,
          }
          assert.same({ "ASIA2", others, 2 }, { renewing, meanwhile, #it.calls })
        end
      end)
    end)

    it("stay in use while they are good and cannot be renewed", function()
      local failing = false
      local it = new(ROLE, { profile = "role", call = function(here, operation)
        if failing then
          return errors.fail { code = "Timeout", message = "no answer" }
        end
        return call(here, operation)
      end })
      it.run(function()
        it.chain:get()
        failing = true
        it.runtime.scheduler:sleep(2800)
        assert.equal("AssumeRole", it.chain:get().access_key)
        it.chain:get()
        assert.equal(2, #it.calls) -- not again at once
        it.runtime.scheduler:sleep(1000)
        local found, err = it.chain:get()
        assert.is_nil(found)
        assert.equal("Timeout", err.code)
        failing = false
        assert.equal("AssumeRole", it.chain:get().access_key)
      end)
    end)

    it("are asked for anew after expire(), and after a run that was stopped while asking", function()
      local it = new(ROLE, { profile = "role" })
      it.get()
      it.chain:expire()
      assert.equal("ASIA2", it.get().access_key)
      it.chain:expire()
      assert.has_error(function()
        it.run(function()
          it.runtime.scheduler:spawn(function() it.chain:get() end)
          it.runtime.scheduler:sleep(0.5)
          error("stopped", 0)
        end)
      end, "stopped")
      assert.equal("ASIA4", it.get().access_key)
    end)

    it("of a short life are not renewed at every call", function()
      local it = new(ROLE, { profile = "role", call = function(here)
        return { Credentials = { AccessKeyId = "A", SecretAccessKey = "s", SessionToken = "t",
          Expiration = here.runtime.time() + 120 } }
      end })
      it.run(function()
        it.chain:get()
        it.runtime.scheduler:sleep(60)
        it.chain:get()
        assert.equal(1, #it.calls)
      end)
    end)
  end)

  describe("of any role", function()
    it("are opened with another credentials object, and kept fresh", function()
      local it = new("", { environment = ENV })
      local role = credentials.assume(it.runtime, it.call, it.chain, {
        role_arn = "arn:aws:iam::123456789012:role/deploy", external_id = "e", session_name = "me",
        duration_seconds = 900,
      })
      local found = it.run(role.get, role)
      assert.equal("ASIA1", found.access_key)
      assert.equal("123456789012", found.account_id)
      assert.equal("AKIAENV", it.calls[1].keys.access_key)
      assert.same({ RoleArn = "arn:aws:iam::123456789012:role/deploy", ExternalId = "e", RoleSessionName = "me",
        DurationSeconds = 900 }, it.calls[1].params)
      it.run(role.get, role)
      assert.equal(1, #it.calls)
      role:expire()
      assert.equal("ASIA2", it.run(role.get, role).access_key)
    end)
  end)
end)
