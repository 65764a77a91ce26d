local errors = require "infra.errors"
local json = require "host.json"
local scripted = require "spec.aws.credentials.scripted"
local world = require "spec.aws.world"

describe("infra.aws.credentials.instance", function()
  local new = scripted(teardown)

  local ROLES = "/latest/meta-data/iam/security-credentials/"

  local function document(fields)
    local all = { Code = "Success", AccessKeyId = "A", SecretAccessKey = "s", Token = "t",
      Expiration = "2024-01-01T06:00:00Z" }
    for name, value in pairs(fields or {}) do
      all[name] = value
    end
    return json.encode(all)
  end

  -- An instance whose service answers by path: a body, a status, or the code of an error.
  local function machine(answers, environment, config)
    local all = { ["/latest/api/token"] = "imds-token", [ROLES] = "deploy", [ROLES .. "deploy"] = document() }
    for path, answer in pairs(answers or {}) do
      all[path] = answer
    end
    return new(config or "", { instance = true, environment = environment, send = function(request)
      local answer = all[request.url:match "^%w+://[^/]+(/.*)$"]
      if type(answer) == "number" then
        return world.answer(answer, "")
      elseif answer:find "^%u%l+%u%l+$" or answer == "Timeout" then
        return errors.fail { code = answer, message = answer, sent = answer == "Timeout" }
      end
      return world.answer(200, answer)
    end })
  end

  -- What the chain's error says of instance metadata.
  local function said(it)
    local found, err = it.get()
    assert.is_nil(found)
    assert.equal("NoCredentials", err.code)
    return err.message:match "instance metadata %(IMDS%): ([^\n]*)$"
  end

  it("asks for a token, the role, and its credentials, in that order and briefly", function()
    local it = machine()
    local found = it.get()
    assert.same({ "A", "s", "t", 1704088800, "instance metadata (IMDS), role deploy" },
      { found.access_key, found.secret_key, found.session_token, found.expires_at, found.source })
    assert.equal(3, #it.requests)
    local first = it.requests[1]
    assert.equal("PUT", first.method)
    assert.equal("http://169.254.169.254/latest/api/token", first.url)
    assert.equal("21600", world.header(first, "x-aws-ec2-metadata-token-ttl-seconds"))
    for i, request in ipairs(it.requests) do
      assert.is_true(request.no_proxy)
      assert.equal(1, request.timeout)
      assert.equal(1, request.connect_timeout)
      assert.equal(i > 1 and "imds-token" or "none", world.header(request, "x-aws-ec2-metadata-token") or "none")
    end
  end)

  it("asks again before they end", function()
    local it = machine()
    it.run(function()
      it.chain:get()
      it.runtime.scheduler:sleep(6 * 3600 - 1000)
      it.chain:get()
      assert.equal(3, #it.requests)
      it.runtime.scheduler:sleep(200)
      it.chain:get()
      assert.equal(6, #it.requests)
    end)
  end)

  it("goes on with credentials that AWS does not renew in time", function()
    local it = machine { [ROLES .. "deploy"] = document { Expiration = "2023-12-31T23:00:00Z" } }
    local found = it.get()
    local left = found.expires_at - it.runtime.time()
    assert.is_true(left >= 900 + 120 and left <= 900 + 600)
  end)

  it("gives up at once where nobody answers", function()
    local it = machine { ["/latest/api/token"] = "ConnectionError" }
    assert.equal("http://169.254.169.254: ConnectionError", said(it))
    assert.equal(1, #it.requests)
  end)

  it("falls back to version 1 where tokens are unknown or lost, unless that is switched off", function()
    for _, answer in ipairs { 403, 404, 405, "Timeout" } do
      local it = machine { ["/latest/api/token"] = answer }
      assert.equal("A", it.get().access_key)
      assert.is_nil(world.header(it.requests[2], "x-aws-ec2-metadata-token"))
      it = machine({ ["/latest/api/token"] = answer }, { AWS_EC2_METADATA_V1_DISABLED = "true" })
      assert.truthy(said(it):find("version 1 is switched off", 1, true))
      assert.equal(1, #it.requests)
    end
    assert.equal("http://169.254.169.254: HTTP 400", said(machine { ["/latest/api/token"] = 400 }))
  end)

  it("is left alone when switched off", function()
    local it = machine({}, { AWS_EC2_METADATA_DISABLED = "True" })
    assert.equal("AWS_EC2_METADATA_DISABLED is true", said(it))
    assert.equal(0, #it.requests)
  end)

  it("asks where, how often and how long the configuration says", function()
    local it = machine({}, { AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE = "IPv6" })
    it.get()
    assert.equal("http://[fd00:ec2::254]/latest/api/token", it.requests[1].url)
    it = machine({}, nil, "[default]\nec2_metadata_service_endpoint = http://localhost:1338/\n")
    it.get()
    assert.equal("http://localhost:1338/latest/api/token", it.requests[1].url)
    it = machine({ ["/latest/api/token"] = "ConnectionError" },
      { AWS_METADATA_SERVICE_NUM_ATTEMPTS = "3", AWS_METADATA_SERVICE_TIMEOUT = "5" })
    said(it)
    assert.equal(3, #it.requests)
    assert.equal(5, it.requests[1].timeout)
    for name, value in pairs {
      AWS_EC2_METADATA_SERVICE_ENDPOINT = "not a url", AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE = "IPv5",
    } do
      local found, err = machine({}, { [name] = value }).get()
      assert.is_nil(found)
      assert.equal("ConfigError", err.code)
    end
  end)

  it("says what is wrong with the answers, without quoting them", function()
    for wanted, answers in pairs {
      ["so this instance has no role"] = { [ROLES] = 404 },
      ["no token"] = { ["/latest/api/token"] = "very secret\n" },
      ["no name of a role"] = { [ROLES] = "../../very-secret" },
      ["the role deploy answered something that is no JSON object"] = { [ROLES .. "deploy"] = "very-secret" },
      ["without AccessKeyId"] = { [ROLES .. "deploy"] = '{"Code":"Success","Message":"very-secret"}' },
      ["AssumeRoleUnauthorizedAccess: EC2 cannot assume the role deploy"] = { [ROLES .. "deploy"] =
        '{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role deploy"}' },
      ["HTTP 500"] = { [ROLES .. "deploy"] = 500 },
    } do
      local text = said(machine(answers))
      assert.truthy(text:find(wanted, 1, true), text)
      assert.is_nil(text:find("very", 1, true))
    end
  end)
end)
