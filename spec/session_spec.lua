local Store = require "infra.sim.store"
local session = require "infra.session"

describe("infra.session", function()
  describe("on the simulated AWS", function()
    it("needs no configuration, and calls through the same client", function()
      local opened <close> = assert(session.open { sim = true, sim_store = Store.open() })
      assert.equal("us-east-1", opened.region)
      local output = assert(opened:run(opened.client.call, opened.client, "sts", "GetCallerIdentity"))
      assert.equal("123456789012", output.Account)
    end)

    it("gives clients with the rights of other roles", function()
      local opened <close> = assert(session.open { sim = true, sim_store = Store.open() })
      local trust = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",' ..
        '"Principal":{"AWS":"123456789012"},"Condition":{"StringEquals":{"sts:ExternalId":"e"}}}}'
      local identity = opened:run(function()
        local role = assert(opened.client:call("iam", "CreateRole", { RoleName = "deploy", Path = "/x/",
          AssumeRolePolicyDocument = trust })).Role
        opened.runtime.scheduler:sleep(60) -- IAM is eventually consistent
        local client = assert(opened:client_for { role_arn = role.Arn, session_name = "me", external_id = "e" })
        return client:call("sts", "GetCallerIdentity", {})
      end)
      assert.equal("arn:aws:sts::123456789012:assumed-role/deploy/me", identity.Arn)
    end)

    it("lets virtual time pass only", function()
      local opened <close> = assert(session.open { sim = true, sim_store = Store.open() })
      local elapsed = opened:run(function()
        local started = opened.runtime.now()
        opened.runtime.scheduler:sleep(3600)
        return opened.runtime.now() - started
      end)
      assert.equal(3600, elapsed)
    end)

    it("takes the region that was asked for, and no configured endpoint", function()
      local opened <close> = assert(session.open {
        sim = true, sim_store = Store.open(), region = "eu-west-1", endpoint_url = "http://127.0.0.1:1",
        profile = "nonexistent",
      })
      assert.equal("eu-west-1", opened.region)
      assert(opened:run(opened.client.call, opened.client, "sts", "GetCallerIdentity"))
    end)
  end)

  describe("on the real one", function()
    local FIXED = { AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null",
      AWS_EC2_METADATA_DISABLED = "true" }

    local function open(variables, options)
      options.environment = function(name)
        return variables[name] or FIXED[name]
      end
      return session.open(options)
    end

    it("takes profile and region from the options before the environment", function()
      local opened <close> = assert(open({ AWS_REGION = "us-west-2" }, {}))
      assert.equal("us-west-2", opened.region)
      local other <close> = assert(open({ AWS_REGION = "us-west-2" }, { region = "eu-west-1" }))
      assert.equal("eu-west-1", other.region)
      local none, err = open({}, { profile = "nonexistent" })
      assert.is_nil(none)
      assert.equal("UnknownProfile", err.code)
    end)

    it("opens without credentials and without a region, and fails when they are needed", function()
      local opened <close> = assert(open({ AWS_REGION = "us-west-2" }, {}))
      local output, err = opened:run(opened.client.call, opened.client, "sts", "GetCallerIdentity")
      assert.is_nil(output)
      assert.equal("NoCredentials", err.code)
    end)
  end)
end)
