-- What infra.secret hides reaches AWS and nothing else: not the state, a plan, an output, an event or an error.

local World = require "spec.engine.world"
local fs = require "host.fs"
local infra = require "infra"
local json = require "host.json"
local reference = require "infra.engine.reference"
local report = require "infra.report.plan"

local SECRET <const> = "correct horse battery staple"
local OTHER <const> = "hunter22hunter22"

local world

before_each(function() world = World.new() end)
after_each(function() world:close() end)

local function declare(secret, more)
  return World.declare(function(stack)
    local password = stack:resource("AWS::SSM::Parameter", "password", { Name = "/demo/password", Type = "SecureString",
      Value = infra.secret(secret) })
    local note = stack:resource("Infra::Value", "note", { Value = { url = "db://app:" .. password.Value .. "@host" } })
    stack:resource("AWS::SNS::Topic", "topic", { DisplayName = infra.secret(secret) }, { depends_on = note })
    stack:output("url", "db://app:" .. password.Value .. "@host")
    if more then
      more(stack)
    end
  end)
end

-- Everything that the tool leaves on the disk.
local function bytes_on_disk()
  local parts = {}
  for _, suffix in ipairs { "", "-wal", "-shm" } do
    parts[#parts + 1] = fs.read(world.path .. suffix)
  end
  assert(#table.concat(parts) > 1000)
  return table.concat(parts)
end

-- Everything that is shown of a run.
local function shown(run)
  local parts = { run.plan and report.text(run.plan, { details = true }), run.plan
    and json.encode(report.data(run.plan)),
    run.err and tostring(run.err) }
  for _, event in ipairs(run.events) do
    parts[#parts + 1] = json.encode { event.text or "", tostring(event.error or "") }
  end
  for _, failure in ipairs(run.result and run.result.failures or {}) do
    parts[#parts + 1] = tostring(failure)
  end
  parts[#parts + 1] = run.result and json.encode(json.object(run.result.outputs))
  return table.concat(parts, "\n")
end

local function assert_hidden(run)
  for _, secret in ipairs { SECRET, OTHER } do
    assert.is_nil(bytes_on_disk():find(secret, 1, true))
    assert.is_nil(shown(run):find(secret, 1, true))
  end
end

local function stored_value()
  return world:as_other(function(call)
    return assert(call("ssm", "GetParameters", { Names = { "/demo/password" }, WithDecryption = true }))
      .Parameters[1].Value
  end)
end

describe("a secret", function()
  it("is nowhere but at AWS, while the run is under way and after it", function()
    local run = world:run(declare(SECRET), { observe = function() assert(#bytes_on_disk() > 0) end })
    assert.equal(SECRET, stored_value())
    assert_hidden(run)
    world:unchanged(declare(SECRET))
  end)

  it("that changes is written, and neither one shows", function()
    world:run(declare(SECRET))
    local run = world:run(declare(OTHER))
    assert.same({ password = "update", note = "update", topic = "update" }, World.actions(run.plan))
    assert.equal(OTHER, stored_value())
    assert_hidden(run)
    world:unchanged(declare(OTHER))
  end)

  it("that was deleted does not show in what deletes it", function()
    world:run(declare(SECRET))
    assert_hidden(world:destroy(declare(SECRET)))
  end)

  it("that AWS quotes is taken out of its message", function()
    local run = world:apply(declare(SECRET, function(stack)
      stack:resource("AWS::SSM::Parameter", "broken", { Name = "/demo/broken", Type = "String", Value = "x",
        Tier = infra.secret(OTHER) })
    end))
    assert.matches("Invalid tier: %*%*%*", run.result.failures[1].message)
    assert_hidden(run)
  end)

  it("survives an interrupted run unseen", function()
    local run = world:apply(declare(SECRET), { faults = { schedule = {
      { fault = "crash", operation = "PutParameter", when = "after" },
    } } })
    assert.is_true(run.crashed)
    assert_hidden(world:run(declare(SECRET)))
    assert.equal(SECRET, stored_value())
  end)
end)

describe("a SecureString", function()
  local function problem(value)
    local ok, err = pcall(World.declare, function(stack)
      stack:resource("AWS::SSM::Parameter", "p", { Type = "SecureString", Value = value })
    end)
    return not ok and err.message or nil
  end

  it("must be given as a secret", function()
    assert.matches("Value must be infra.secret", problem "in clear")
    assert.is_nil(problem(infra.secret "hidden"))
  end)

  it("cannot be given in clear by the detour of a reference either", function()
    local ok, err = pcall(World.declare, function(stack)
      local plain = stack:resource("AWS::SSM::Parameter", "plain", { Type = "String", Value = "in clear" })
      stack:resource("AWS::SSM::Parameter", "p", { Type = "SecureString", Value = plain.Value })
    end)
    assert.is_false(ok)
    assert.matches("Value must be infra.secret", err.message)
  end)
end)

describe("a tag", function()
  it("cannot be a secret, also by reference", function()
    local ok, err = pcall(World.declare, function(stack)
      stack:resource("AWS::SNS::Topic", "t", { Tags = { Token = infra.secret(SECRET) } })
    end)
    assert.is_false(ok)
    assert.matches("Tags%[Token%] cannot be a secret", err.message)
    local run = world:apply(declare(SECRET, function(stack)
      local other = stack:resource("AWS::SSM::Parameter", "other", { Type = "SecureString",
        Value = infra.secret(OTHER) })
      stack:resource("AWS::SNS::Topic", "t", { Tags = { Token = other.Value } })
    end))
    assert.equal("SecretTag", run.result.failures[1].code)
    assert_hidden(run)
  end)
end)

describe("digests of secrets", function()
  it("are of no use in another state", function()
    world:run(declare(SECRET))
    local other = World.new()
    other.processes = 100 -- another seed
    other:run(declare(SECRET))
    local function digest_in(a_world)
      for _, row in ipairs(a_world:rows()) do
        if row.address == "password" then
          assert.is_true(reference.is_digest(row.properties.Value))
          return row.properties.Value["infra:digest"]
        end
      end
    end
    assert.is_not_equal(digest_in(world), digest_in(other))
    other:close()
  end)
end)
