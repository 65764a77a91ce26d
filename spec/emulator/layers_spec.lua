-- Every layer on an emulator that others wrote, with the built program as an operator would use it, and looked at by
-- another client: built, unchanged, changed, drifted, repaired, destroyed. spec/emulator/lacks.lua says what the
-- emulator lacks: each of that is tried here, and skipped only then.

local fs = require "host.fs"
local json = require "host.json"
local declared = require "spec.emulator.declared"
local lacks = require "spec.emulator.lacks"
local moto = require "spec.support.moto"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

local INFRA = fs.real_path "/proc/self/exe"
local STACK <const> = "spec/stacks/emulator.lua"
local LAYERS <const> = { "network", "security", "data", "compute", "edge", "observability", "cicd", "dr" }
local REGION <const> = "eu-west-1"

-- What is changed, not removed: what was made a moment ago and is not there may be there yet, and is waited for.
local function others_changes(outputs)
  local log_group = "/aws/rds/cluster/apprentice-final-staging-aurora/postgresql"
  return {
    { "ec2", "modify_vpc_attribute", { VpcId = outputs.vpc, EnableDnsHostnames = { Value = false } }, REGION },
    { "s3", "delete_public_access_block", { Bucket = "apprentice-final-staging-frontend" }, REGION },
    { "logs", "delete_retention_policy", { logGroupName = log_group }, REGION },
    { "ssm", "put_parameter", { Name = "/apprentice-final/staging/LOG_LEVEL", Value = "DEBUG", Overwrite = true },
      REGION },
  }
end

-- Whether `actual` has everything that `expected` has; the items of an array in any order, among others.
local function contains(actual, expected)
  if type(expected) ~= "table" then
    return actual == expected
  elseif type(actual) ~= "table" then
    return false
  end
  for key, value in pairs(expected) do
    local found = contains(actual[key], value)
    for i = 1, not found and type(key) == "number" and #actual or 0 do
      found = found or contains(actual[i], value)
    end
    if not found then
      return false
    end
  end
  return true
end

-- Whether the call was refused, or the members that `has` names are all without contents.
local function has_nothing(answer, has)
  for member in pairs(answer.error and {} or has) do
    local value = answer[member]
    if value ~= nil and (type(value) ~= "table" or next(value) ~= nil) then
      return false
    end
  end
  return true
end

-- What moto says to the call of `lack`: a text when it lacks that, nil when not. Throws what says neither.
local function tried(opened, lack)
  local params = lack.params
  local function call(service, operation, given)
    return opened:run(opened.client.call, opened.client, service, operation, given)
  end
  for _, needed in ipairs(lack.before or {}) do
    local output = assert(call(table.unpack(needed)))
    params = type(lack.params) == "function" and lack.params(output) or params
  end
  local output, err = call(lack.service, lack.operation, params)
  if output then
    return lack.unlike and lack.unlike(output) or nil
  end
  assert((lack.status and err.status == lack.status) or (lack.code and err.code == lack.code), tostring(err))
  return ("%s (%s)"):format(err.message, err.code)
end

-- What each of `lacks` met: { lack = text }.
local function try_all(server)
  local opened <close> = server.session(REGION)
  local met = {}
  for _, lack in ipairs(lacks) do
    met[lack] = tried(opened, lack)
  end
  server.reset()
  return met
end

describe("every layer on moto", function()
  if not moto.installed() then
    pending(moto.MISSING)
    return
  end

  local server, met
  local directory, remove = temporary()
  local state = directory .. "/state.db"
  local settings, targets, without, drift = {}, {}, {}, {} -- what follows from what is met
  local resources, outputs, rows -- how many, the stack's, and what another client is asked of them

  local function infra(...)
    local event = program.run { argv = { INFRA, ... }, environment = server.environment }
    assert.equal(0, event.status, event.stdout .. event.stderr)
    return event.stdout, event.stderr
  end

  local function with(verb, ...)
    local argv = { verb, STACK, "--state", state }
    for _, more in ipairs { settings, targets, { ... } } do
      table.move(more, 1, #more, #argv + 1, argv)
    end
    return infra(table.unpack(argv))
  end

  -- Runs the stack. Returns what was done, { address = "created" | "updated" | "deleted" }, how many that were, how
  -- many requests that took, and what was printed.
  local function run()
    local out, debug = with("run", "--yes", "--debug")
    local done, count = {}, 0
    for address, what in out:gmatch "\n *%d+/%d+ %S+ (%S+) (%l+) in " do
      done[address], count = what, count + 1
    end
    local _, requests = debug:gsub("%f[^\n\0]> %x+ ", "")
    return done, count, requests, out
  end

  -- `done`, and what moto makes every run do.
  local function and_drift(done)
    for _, address in ipairs(drift) do
      done[address] = "updated"
    end
    return done
  end

  -- The answers of another client.
  local function ask(calls)
    local answers = server.witness(calls)
    if not answers then
      pending(moto.NO_WITNESS)
    end
    return answers
  end

  -- Whole layers, and the single resources of those that are not whole here.
  local function choose_targets()
    local parts, chosen = {}, {}
    for address in pairs(without) do
      parts[address:match "^[^/]+"] = true
    end
    for _, change in ipairs(json.decode((with("plan", "--json"))).changes) do
      local address = change.address
      local layer = address:match "^[^/]+"
      if not without[address] then
        chosen[parts[layer] and address or layer] = true
      end
    end
    for target in pairs(chosen) do
      table.move({ "--target", target }, 1, 2, #targets + 1, targets)
    end
  end

  setup(function()
    server = moto.start()
    met = try_all(server)
    for lack in pairs(met) do
      for _, setting in ipairs(lack.set or {}) do
        table.move({ "--set", setting }, 1, 2, #settings + 1, settings)
      end
      for _, address in ipairs(lack.without or {}) do
        without[address] = true
      end
      drift[#drift + 1] = lack.drift
    end
    choose_targets()
  end)

  teardown(function()
    server.stop()
    remove()
  end)

  for _, lack in ipairs(lacks) do
    it(("answers %s %s like AWS"):format(lack.service, lack.operation), function()
      if met[lack] then
        pending(("%s %s: %s: %s"):format(lack.service, lack.operation, met[lack], lack.so))
      end
    end)
  end

  it("is built in one run", function()
    local done, count, requests = run()
    resources = count
    io.write(("      first run: %d resources, %d requests, %.2f for each\n"):format(count, requests, requests / count))
    local layers = {}
    for address in pairs(done) do
      layers[address:match "^[^/]+"] = true
    end
    for _, layer in ipairs(LAYERS) do
      assert.is_true(layers[layer], layer)
    end
    outputs = json.decode((infra("output", STACK, "--json", "--state", state)))
    rows = declared(outputs)
  end)

  it("is what the layers declare", function()
    for i, answer in ipairs(ask(rows)) do
      assert.is_true(contains(answer, rows[i].has), rows[i][2] .. ": " .. json.encode(answer))
    end
  end)

  it("is the same in a second run", function()
    local done, count, requests, out = run()
    assert.same(and_drift {}, done)
    assert.is_true(count > 0 or out:find("nothing changed", 1, true) ~= nil)
    io.write(("      second run: %d requests, %.2f for each\n"):format(requests, requests / resources))
  end)

  it("keeps the database's password out of its state", function()
    local secret = json.decode((infra("aws", "secretsmanager", "GetSecretValue", "--region", REGION,
      "SecretId=apprentice-final-staging/aurora"))).SecretString
    local password = json.decode(secret).password
    assert.equal(32, #password)
    for _, suffix in ipairs { "", "-wal" } do
      assert.is_nil((fs.read(state .. suffix) or ""):find(password, 1, true))
    end
  end)

  it("changes in place what can be, and replaces a subnet with what hangs on it", function()
    table.move({ "--set", "most=8", "--set", "readers=0", "--set", "rate=500", "--set", "ttl=120", "--set",
      "public_cidr=10.20.9.0/24" }, 1, 10, #settings + 1, settings)
    assert.same(and_drift {
      ["data/aurora"] = "updated", ["data/aurora-2"] = "deleted", ["edge/web-acl"] = "updated", primary = "updated",
      ["network/public-2"] = "created", ["network/public-2-association"] = "created",
    }, (run()))
  end)

  it("is repaired when another client has changed it, and no more than that", function()
    for _, answer in ipairs(ask(others_changes(outputs))) do
      assert.is_nil(answer.error)
    end
    assert.same(and_drift {
      ["network/vpc"] = "updated", ["edge/frontend"] = "updated", ["data/aurora-logs"] = "updated",
      ["data/parameter-log-level"] = "updated",
    }, (run()))
  end)

  it("leaves nothing when it is destroyed", function()
    infra("destroy", STACK, "--yes", "--state", state)
    for i, answer in ipairs(ask(rows)) do
      local row = rows[i]
      assert.is_true(row.left and contains(answer, row.left) or has_nothing(answer, row.has),
        row[2] .. ": " .. json.encode(answer))
    end
  end)
end)
