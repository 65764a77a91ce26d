local infra = require "spec.cli.infra"
local json = require "host.json"
local start_simulator = require "spec.support.simulator"
local temporary = require "spec.support.temporary"

local FAST <const> = "1000000"
local TEN_MINUTES <const> = #"2026-01-01T00:0" -- how much of a date says so

-- What the verb prints to a client of the simulator.
local function done(simulator, ...)
  local ended = infra({ ... }, { environment = simulator.environment })
  assert.equal(0, ended.status, ended.stderr)
  return ended.stdout
end

describe("infra sim", function()
  local directory, remove = temporary()
  teardown(remove)

  it("prints one line, serves whom that configures, and ends with 3 at Ctrl-C", function()
    local simulator <close> = start_simulator "--verbose"
    assert.matches("^export AWS_ENDPOINT_URL=http://127%.0%.0%.1:%d+ AWS_ACCESS_KEY_ID=SIMULATED " ..
      "AWS_SECRET_ACCESS_KEY=simulated AWS_DEFAULT_REGION=us%-east%-1\n$", simulator.line)
    assert.matches("123456789012", done(simulator, "whoami"))
    assert.equal(1, infra({ "aws", "sns", "GetTopicAttributes", "TopicArn=arn:aws:sns:us-east-1:123456789012:no" },
      { environment = simulator.environment }).status)
    local ended = simulator:interrupt()
    assert.equal(3, ended.status)
    assert.truthy(ended.stderr:find("200 sts GetCallerIdentity \n404 sns GetTopicAttributes NotFound\n", 1, true),
      ended.stderr)
  end)

  it("keeps its account in the file of --state, at a time that never goes back", function()
    local state = directory .. "/aws.db"
    local function modified(simulator)
      local output = json.decode(done(simulator, "aws", "ssm", "GetParameter", "Name=/spec"))
      return output.Parameter.LastModifiedDate
    end
    local first
    do
      local simulator <close> = start_simulator("--state", state, "--speed", FAST)
      done(simulator, "aws", "ssm", "PutParameter", "Name=/spec", "Value=1", "Type=String")
      first = modified(simulator)
      simulator:interrupt()
    end
    local simulator <close> = start_simulator("--state", state)
    assert.equal(first, modified(simulator))
    done(simulator, "aws", "ssm", "PutParameter", "Name=/spec", "Value=2", "Type=String", "Overwrite=true")
    assert.is_true(modified(simulator) > first)
  end)

  it("lets its time run faster, but goes by the callers' clocks where they sign", function()
    local simulator <close> = start_simulator("--speed", FAST)
    local dates = {}
    for i = 1, 2 do
      done(simulator, "aws", "ssm", "PutParameter", "Name=/spec" .. i, "Value=1", "Type=String")
      dates[i] = json.decode(done(simulator, "aws", "ssm", "GetParameter", "Name=/spec" .. i)).Parameter
        .LastModifiedDate
    end
    assert.not_equal(dates[1]:sub(1, TEN_MINUTES), dates[2]:sub(1, TEN_MINUTES))
  end)

  it("refuses options that mean nothing", function()
    for _, arguments in ipairs {
      { "--port", "65536" }, { "--port", "x" }, { "--speed", "0" }, { "--seed", "1.5" }, { "--faults", "many" },
      { "further" },
    } do
      assert.equal(2, infra({ "sim", table.unpack(arguments) }).status, arguments[2])
    end
  end)

  it("says what to do when the port is taken", function()
    local simulator <close> = start_simulator()
    local ended = infra { "sim", "--port", simulator.line:match ":(%d+) " }
    assert.equal(1, ended.status)
    assert.matches("name another port", ended.stderr)
  end)
end)
