-- What goes wrong outside the tool, one by one: a single message that says where and what, AWS's own words when it was
-- AWS, the right exit code, no traceback, and a state that the next run continues from.

local Store = require "infra.state.store"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local lease = require "infra.state.lease"
local local_aws = require "spec.cli.local_aws"
local project = require "spec.cli.project"
local runtime = require "infra.runtime"
local sqlite = require "host.sqlite"

local TOPIC <const> = '    stack:resource("AWS::SNS::Topic", "t", { DisplayName = "x" })'

-- One message: how it ended, and nothing else on the way.
local function check(ended, code, message)
  assert.equal(code, ended.status, ended.stderr)
  assert.matches("^infra: " .. message, ended.stderr)
  assert.equal(1, select(2, ("\n" .. ended.stderr):gsub("\ninfra: ", "")), ended.stderr)
  assert.is_nil(ended.stderr:find("traceback", 1, true))
  assert.is_nil(ended.stderr:find("internal error", 1, true))
end

describe("a mistake in the stack file", function()
  local here = project(teardown)

  local function mistake(message, lines)
    local path = here.stack_of("bad", lines)
    for _, verb in ipairs { "run", "plan" } do
      local ended = here.infra(verb, path)
      check(ended, 1, path:gsub("%p", "%%%0") .. message)
      assert.equal("", ended.stdout)
    end
  end

  it("of syntax", function()
    mistake(":6: unexpected symbol near '='\n$", "    local x = 1\n    local y = = 1")
  end)

  it("that Lua finds while it runs", function()
    mistake(":6: attempt to index a nil value %(local 'nothing'%)\n$", "    local nothing = nil\n    print(nothing.x)")
    mistake(":5: assigning to undeclared global 'x'\n$", "    x = 1")
    mistake(":5: so it goes\n$", '    error("so it goes", 0)')
    mistake(":5: module 'nothing' not found\n$", '    require "nothing"')
  end)

  it("in a module that it requires", function()
    here.stack("helper", "return {\n  x = = 1,\n}\n")
    local ended = here.infra("plan", here.stack_of("requires", '    require "helper"'))
    check(ended, 1, "[^\n]*helper.lua:2: unexpected symbol near '='\n$")
  end)

  it("an option that is not declared as one", function()
    for given, default in pairs { ["5"] = "5", ["'x'"] = '"x"', ["{ 1 }"] = "{ ... }" } do
      local path = here.stack("undeclared", ([[
local infra = require "infra"
return infra.stack { project = "p", environment = "e", region = "us-east-1", options = { a = %s },
  build = function() end }
]]):format(given))
      check(here.infra("plan", path), 1, ("%s: stack p-e: option 'a' is not declared with infra.optional, " ..
        "infra.required, infra.default or infra.one_of\n  write a = infra.default(%s, \"what it is for\")\n")
        :format(path, default):gsub("%p", "%%%0"))
    end
  end)

  it("an unknown type, layer, option of a layer or of a resource", function()
    mistake(":5: t: there is no resource type called AWS::SNS::Topik, did you mean AWS::SNS::Topic%?\n$",
      '    stack:resource("AWS::SNS::Topik", "t", {})')
    mistake(":5: there is no layer 'netwrk'\n$", '    stack:layer("netwrk", {})')
    mistake(":5: layer network: there is no option 'cdr'; there are: ", '    stack:layer("network", { cdr = 1 })')
    mistake(":5: t: there is no resource option 'depend_on', did you mean depends_on%?\n$",
      '    stack:resource("AWS::SNS::Topic", "t", {}, { depend_on = {} })')
  end)

  it("an unknown, wrong or missing property", function()
    mistake(":5: t: AWS::SNS::Topic has no property 'DisplayNam', did you mean DisplayName%?\n$",
      '    stack:resource("AWS::SNS::Topic", "t", { DisplayNam = "x" })')
    mistake(":5: t: AWS::SNS::Topic: DisplayName must be a string, is a list\n$",
      '    stack:resource("AWS::SNS::Topic", "t", { DisplayName = { 1 } })')
    mistake(":5: t: AWS::EC2::Subnet: property 'VpcId' is required\n$",
      '    stack:resource("AWS::EC2::Subnet", "t", { CidrBlock = "10.0.0.0/24" })')
  end)

  it("a cycle", function()
    mistake(":5: [^\n]*: a %-> b %-> a\n$", [[
    stack:resource("AWS::SNS::Topic", "a", {}, { depends_on = { "b" } })
    stack:resource("AWS::SNS::Topic", "b", {}, { depends_on = { "a" } })]])
  end)

  it("a name that is taken, or that nothing has", function()
    mistake(":6: t: there is already a resource of this name, declared at .*bad.lua:5\n$", TOPIC .. "\n" .. TOPIC)
    mistake(":5: a: depends_on names 'b', which the stack does not declare\n$",
      '    stack:resource("AWS::SNS::Topic", "a", {}, { depends_on = { "b" } })')
    mistake(":6: t: AWS::SNS::Topic has no attribute 'TopicArm', did you mean TopicArn%?\n$",
      '    local t = stack:resource("AWS::SNS::Topic", "t", {})\n    stack:output("x", t.TopicArm)')
  end)

  it("several at once", function()
    local ended = here.infra("plan", here.stack_of("several", '    stack:resource("AWS::SNS::Topic", "a", { X = 1 })\n'
      .. '    stack:resource("AWS::SNS::Topic", "b", { Y = 1 })'))
    check(ended, 1, "2 faults in the stack\n  [^\n]*:5: a: [^\n]*'X'\n  [^\n]*:6: b: [^\n]*'Y'\n$")
  end)

  it("that makes it no stack", function()
    check(here.infra("plan", here.stack("five", "return 5")), 1,
      "[^\n]*five.lua: the file does not return a stack\n  end it with")
    check(here.infra("plan", here.stack("field", 'return require "infra".stack { projekt = "x" }')), 1,
      "[^\n]*field.lua: stack: there is no field 'projekt'\n$")
    check(here.infra("plan", here.directory .. "/absent.lua"), 1, "there is no stack file .*absent.lua\n$")
    check(here.infra("plan", here.directory), 1, "[^\n]*: Is a directory\n$")
  end)

  it("is shown with a traceback only on demand", function()
    local ended = here.infra("plan", here.stack_of("verbose", "    error 'x'"), "--verbose")
    assert.matches("^infra: [^\n]*:5: x\n.*stack traceback", ended.stderr)
  end)
end)

describe("a wrong option", function()
  local here = project(teardown)

  it("is wrong usage", function()
    local path = here.stack_of("options", TOPIC)
    local where = "[^\n]*options.lua: stack options%-spec: "
    for message, arguments in pairs {
      [where .. "there is no option 'siz'; there are: kind, size\n"] = { "--set", "siz=1" },
      [where .. "option 'size' must be a number, got the string x\n"] = { "--set", "size=x" },
      [where .. 'option \'kind\' must be one of "a", "b", got "c"\n'] = { "--set", "kind=c" },
      ["%-%-set size: must be NAME=VALUE\n"] = { "--set", "size" },
      ["%-%-parallel must be a whole number, 1 or more, not '0'\n"] = { "--parallel", "0" },
      ["%-%-parallel must be a whole number, 1 or more, not 'x'\n"] = { "--parallel", "x" },
    } do
      check(here.infra("run", path, table.unpack(arguments)), 2, message)
    end
  end)
end)

describe("a state", function()
  local here = project(teardown)
  local path = here.stack_of("good", "")
  local state = here.directory .. "/given.db"

  local function database(script)
    local db = assert(sqlite.open(state))
    assert(db:script(script))
    db:close()
  end

  local function refused(message)
    local before = fs.stat(state).kind == "file" and fs.read(state)
    for _, arguments in ipairs { { "run", path, "--yes" }, { "plan", path }, { "destroy", path, "--yes" } } do
      local ended = here.infra("--verbose", arguments[1], arguments[2], "--state", state, arguments[3])
      assert.matches(message, ended.stderr)
      ended = here.infra(arguments[1], arguments[2], "--state", state, arguments[3])
      check(ended, 1, message)
      assert.equal("", ended.stdout)
    end
    assert.equal(before, fs.stat(state).kind == "file" and fs.read(state))
  end

  before_each(function()
    for _, suffix in ipairs { "", "-wal", "-shm" } do
      fs.remove(state .. suffix)
    end
  end)

  it("that is no database", function()
    assert(fs.write(state, ("this is a letter to a friend\n"):rep(40)))
    refused "[^\n]*given.db is not a state database\n  name another file with %-%-state"
  end)

  it("that is a directory", function()
    assert(fs.mkdir(state))
    refused "cannot use the state [^\n]*given.db: "
  end)

  it("of another program", function()
    database "CREATE TABLE letters (text)"
    refused "[^\n]*given.db is an SQLite database of another program\n"
  end)

  it("of a newer version", function()
    here.done("run", path, "--yes", "--state", state)
    database "PRAGMA user_version = 99"
    refused "[^\n]*given.db was written by a newer infra %(state version 99, this one knows %d%)\n"
  end)

  it("of another stack", function()
    here.done("run", here.stack_of("other", ""), "--yes", "--state", state)
    refused "[^\n]*given.db is the state of the stack 'other%-spec', not of 'good%-spec'\n"
  end)

  it("that is damaged", function()
    here.done("run", path, "--yes", "--state", state)
    local bytes = fs.read(state)
    assert(fs.write(state, bytes:sub(1, 4096) .. ("\xa5"):rep(#bytes - 4096)))
    refused "[^\n]*given.db is damaged\n"
  end)

  it("that a living process has locked", function()
    local store = assert(Store.open(state, { stack = "good-spec", runtime = runtime.real() }))
    assert(lease.acquire(store, "infra run"))
    for _, verb in ipairs { "run", "destroy" } do
      check(here.infra(verb, path, "--yes", "--state", state), 1,
        "[^\n]*given.db is in use by infra run %(process %d+ on [^\n]+%)\n  wait for it to finish")
    end
    assert.equal(0, here.infra("plan", path, "--state", state).status)
    lease.release(store)
    store:close()
    here.done("run", path, "--yes", "--state", state)
  end)

  it("that cannot be written", function()
    check(here.infra("run", path, "--yes", "--state", "/proc/none/x.db"), 1,
      "cannot create the state /proc/none/x.db: /proc/none: [^\n]+\n$")
  end)
end)

describe("a network", function()
  local here = project(teardown)
  local path = here.stack_of("good", TOPIC)

  it("that is not there", function()
    local ended = infra({ "run", path, "--yes" }, { environment = {
      AWS_ENDPOINT_URL = "http://127.0.0.1:1", AWS_ACCESS_KEY_ID = "x", AWS_SECRET_ACCESS_KEY = "x",
      AWS_MAX_ATTEMPTS = "1",
    } })
    check(ended, 1, "sts GetCallerIdentity: Failed to connect to 127.0.0.1[^\n]+\n  is there a way to the network")
  end)

  it("without credentials: says both ways on", function()
    for _, verb in ipairs { "run", "plan", "drift", "destroy" } do
      check(infra({ verb, path }, { environment = { AWS_EC2_METADATA_DISABLED = "true" } }), 1,
        "[^\n]*no AWS credentials found%. .*\n  configure credentials as for the AWS CLI .*or add %-%-sim")
    end
  end)

  it("where the credentials are refused", function()
    local aws <close> = local_aws()
    check(aws:run({ "run", path, "--yes" }, nil, { access_key = "AKIDUNKNOWN" }), 1, "sts GetCallerIdentity: "
      .. "InvalidClientTokenId: The security token included in the request is invalid. %(request [%x-]+%)\n"
      .. "  AWS refuses these credentials")
  end)

  it("where a web page, or nothing, comes instead of AWS's answer", function()
    local aws <close> = local_aws()
    for body, message in pairs {
      ["<html><body>Please sign in</body></html>"] = "Malformed: this is no answer of AWS: a web page\n" ..
        "  is the endpoint right",
      ["<!doctype html><p>Bad gateway"] = "Malformed: this is no answer of AWS: [^\n]+\n  is the endpoint right",
      [""] = "the answer names nobody\n  is the endpoint AWS's",
    } do
      local ended = aws:run({ "plan", path }, function(call)
        call.respond(200, {}, body)
        return true
      end)
      check(ended, 1, "sts GetCallerIdentity: " .. message)
    end
    -- Only some of the answers: read as AWS's, they would say that all is gone.
    assert.equal(0, aws:run({ "run", path, "--yes" }).status)
    check(aws:run({ "plan", path }, function(call)
      return call.operation ~= "GetCallerIdentity" and (call.respond(200, {}, "<html/>") or true)
    end), 1, "[^\n]*this is no answer of AWS: a web page\n")
    assert.equal(0, aws:run({ "destroy", path, "--yes" }).status)
  end)

  it("where AWS refuses what the stack wants", function()
    local aws <close> = local_aws()
    local ended = aws:run({ "run", path, "--yes" }, function(call)
      return call.operation == "CreateTopic" and call.respond(400, {}, "<ErrorResponse><Error>"
        .. "<Code>TopicLimitExceeded</Code><Message>Topic limit reached</Message></Error><RequestId>r-1</RequestId>"
        .. "</ErrorResponse>")
    end)
    check(ended, 1, path:gsub("%p", "%%%0") .. ":5: t: sns CreateTopic: TopicLimitExceeded: Topic limit reached "
      .. "%(request r%-1%)\n  correct the cause and run again")
    assert.equal(0, aws:run({ "run", path, "--yes" }).status)
    assert.equal(0, aws:run({ "destroy", path, "--yes" }).status)
  end)
end)

describe("an interrupt", function()
  local here = project(teardown)
  local path = here.stack_of("stopped", [[
    local t = stack:resource("AWS::SNS::Topic", "t", {})
    stack:resource("AWS::SSM::Parameter", "p", { Type = "String", Value = t.TopicArn })]])
  local aws

  before_each(function()
    aws = local_aws()
  end)

  after_each(function()
    assert.equal(0, aws:run({ "destroy", path, "--yes" }).status)
    aws:close()
  end)

  -- Runs it, and calls interrupt(call) when the first create is under way.
  local function interrupted(interrupt)
    return aws:run({ "run", path, "--yes" }, function(call)
      if call.operation == "CreateTopic" then
        interrupt(call)
        return true
      end
    end)
  end

  it("lets finish what is under way, and the next run goes on", function()
    local ended = interrupted(function(call)
      call.interrupt(call.answer)
    end)
    check(ended, 3, "stopped; 1 step was not done\n  run again")
    assert.matches("\nstopping; what is under way is finished first", ended.stdout)
    assert.matches("\n1/2 %+ t created in .*\n1 created, 1 not done in ", ended.stdout)
    ended = aws:run { "run", path, "--yes" }
    assert.matches("\nPlan: 1 to create; 1 unchanged\n", ended.stdout)
    assert.equal(0, ended.status)
  end)

  it("stops at once when it comes twice, and the next run finds out what became of it", function()
    local ended = interrupted(function(call)
      call.interrupt(function()
        call.execute()
        call.interrupt(function() end)
      end)
    end)
    check(ended, 3, "stopped at once\n  run again: it finds out what became of what was under way\n$")
    assert.matches("\n%d+ +[^\n]+ run +not ended", aws:run({ "state", "runs", path }).stdout)
    ended = aws:run { "run", path, "--yes" }
    assert.equal(0, ended.status, ended.stderr)
    assert.matches("\nPlan: 1 to create", ended.stdout)
    assert.matches("Plan: nothing to do; 2 unchanged", aws:run({ "plan", path }).stdout)
    assert.matches("\n%d+ +[^\n]+ run +crashed", aws:run({ "state", "runs", path }).stdout)
  end)

  it("of a plan changes nothing", function()
    local ended = aws:run({ "run", path, "--yes" }, function(call)
      call.interrupt(function() end)
      return true
    end)
    check(ended, 3, "stopped; nothing was changed\n$")
    assert.equal("", ended.stdout)
  end)
end)
