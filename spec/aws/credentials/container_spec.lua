local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local scripted = require "spec.aws.credentials.scripted"
local world = require "spec.aws.world"

describe("infra.aws.credentials.container", function()
  local new = scripted(teardown)

  local DOCUMENT = { AccessKeyId = "A", SecretAccessKey = "s", Token = "t", Expiration = "2024-01-01T01:00:00Z",
    RoleArn = "arn:aws:iam::1:role/task" }
  local FULL, RELATIVE = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

  -- A chain whose endpoint answers in turn as `answers` (responses of spec.aws.world, or errors' codes) say.
  local function chain(environment, answers)
    return new("", { environment = environment, send = function(_, number)
      local answer = answers[math.min(number, #answers)]
      if type(answer) == "string" then
        return errors.fail { code = answer, message = answer, sent = true }
      end
      return answer
    end })
  end

  local OK = world.json(200, DOCUMENT)

  it("asks the endpoint of ECS by the relative address, which comes before a full one", function()
    local it = chain({ [RELATIVE] = "/v2/credentials/id?x=1", [FULL] = "http://localhost/" }, { OK })
    local found = it.get()
    assert.same({ "A", "s", "t", 1704070800 },
      { found.access_key, found.secret_key, found.session_token, found.expires_at })
    -- The address is as good as a key.
    assert.equal("container endpoint http://169.254.170.2", found.source)
    assert.equal("http://169.254.170.2/v2/credentials/id?x=1", it.requests[1].url)
    assert.is_true(it.requests[1].no_proxy)
    assert.is_nil(world.header(it.requests[1], "Authorization"))
  end)

  it("asks at any host with TLS, and without at this machine and at AWS's addresses on it", function()
    for url, allowed in pairs {
      ["https://example.com/x"] = true, ["http://localhost:8080/x"] = true, ["http://127.0.0.1"] = true,
      ["http://127.9.9.9:1/x"] = true, ["http://[::1]/x"] = true, ["http://169.254.170.2/x"] = true,
      ["http://169.254.170.23/v1/credentials"] = true, ["http://[fd00:ec2::23]/v1"] = true,
      ["http://example.com/x"] = false, ["http://127.evil.example/x"] = false, ["http://127.0.0.1.example/x"] = false,
      ["http://127.0.0.1@example.com/x"] = false, ["http://localhost:80@example.com/"] = false,
      ["https://user:password@example.com/"] = false, ["http://localhost\\@example.com/"] = false,
      ["http://[::2]/"] = false, ["ftp://localhost/"] = false, ["localhost"] = false, ["http://"] = false,
      ["http://localhost/a b"] = false, ["http://localhost/a\r\nb"] = false, ["http://localhost#@example.com/"] = false,
    } do
      local it = chain({ [FULL] = url }, { OK })
      local found, err = it.get()
      assert.equal(allowed, found ~= nil, url)
      assert.equal(allowed and 1 or 0, #it.requests, url)
      assert.is_true(allowed or err.code == "ConfigError")
    end
    local found, err = chain({ [RELATIVE] = "//example.com\r\n" }, { OK }).get()
    assert.is_nil(found)
    assert.equal("ConfigError", err.code)
  end)

  it("sends the token of the file, read every time, before that of the variable", function()
    local environment = { [FULL] = "http://169.254.170.23/v1", AWS_CONTAINER_AUTHORIZATION_TOKEN = "variable" }
    local it = chain(environment, { OK })
    it.get()
    assert.equal("variable", world.header(it.requests[1], "Authorization"))
    environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = it.home .. "/token"
    it = chain(environment, { OK })
    for i, token in ipairs { "first", "second" } do
      assert(fs.write(environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, token))
      it.get()
      it.chain:expire()
      assert.equal(token, world.header(it.requests[i], "Authorization"))
    end
    assert(fs.write(environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, "very-secret\r\nX-Evil: 1"))
    local found, err = it.get()
    assert.is_nil(found)
    assert.equal(2, #it.requests)
    assert.is_nil(err.message:find("very-secret", 1, true))
    assert(fs.remove(environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE))
    assert.equal("ENOENT", select(2, it.get()).code)
  end)

  it("asks again when the endpoint is not ready, and gives up after three times", function()
    local it = chain({ [RELATIVE] = "/x" }, { "Timeout", world.answer(503, "busy"), OK })
    assert.equal("A", it.get().access_key)
    it = chain({ [RELATIVE] = "/secret-path" }, { "ConnectionError" })
    local found, err = it.get()
    assert.is_nil(found)
    assert.equal("container endpoint at http://169.254.170.2: ConnectionError", err.message)
    assert.equal(3, #it.requests)
  end)

  it("takes no for an answer, with the reason", function()
    local it = chain({ [RELATIVE] = "/x" }, {
      world.json(404, { code = "InvalidIdInRequest", message = "Unable to find credentials\27[2J" }),
    })
    local found, err = it.get()
    assert.is_nil(found)
    assert.equal("container endpoint at http://169.254.170.2: HTTP 404: Unable to find credentials [2J", err.message)
    assert.equal(1, #it.requests)
  end)

  for problem, body in pairs {
    ["no JSON object"] = "<html>very-secret</html>",
    ["without AccessKeyId"] = "{}",
    ["without Token"] = json.encode { AccessKeyId = "A", SecretAccessKey = "very-secret" },
    ["no ISO 8601 time"] =
      json.encode { AccessKeyId = "A", SecretAccessKey = "very-secret", Token = "t", Expiration = 7 },
    ["AccessDenied: no role for you"] = json.encode { Code = "AccessDenied", Message = "no role for you" },
  } do
    it("refuses an answer (" .. problem .. "), without quoting it", function()
      local found, err = chain({ [RELATIVE] = "/x" }, { world.answer(200, body) }).get()
      assert.is_nil(found)
      assert.truthy(err.message:find(problem, 1, true), err.message)
      assert.is_nil(err.message:find("very-secret", 1, true))
    end)
  end
end)
