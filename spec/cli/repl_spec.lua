local fs = require "host.fs"
local infra = require "spec.cli.infra"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"
local terminal = require "spec.support.terminal"

describe("infra repl", function()
  local directory, remove = temporary()
  teardown(remove)
  local stack = directory .. "/stack.lua"
  local STACK = [[
    local infra = require "infra"
    return infra.stack {
      project = "spec", environment = "repl", region = "us-east-1",
      options = { days = infra.default(7, "how long logs are kept") },
      build = function(stack, options)
        local logs = stack:resource("AWS::Logs::LogGroup", "logs", { RetentionInDays = options.days })
        stack:resource("AWS::SSM::Parameter", "password", {
          Name = "/spec/password", Type = "SecureString", Value = infra.secret "hunter22",
        })
        stack:output("logs", logs.Arn)
      end,
    }
  ]]
  assert(fs.write(stack, STACK))
  assert.equal(0, infra({ "run", stack, "--sim", "--yes" }).status)

  -- Runs the lines of `input` with the stack on the simulated AWS, without a terminal.
  local function repl(input, arguments)
    arguments = arguments or { stack, "--sim" }
    local ended = program.run {
      argv = { fs.real_path "/proc/self/exe", "repl", table.unpack(arguments) }, stdin = input, timeout = 50,
      environment = { XDG_STATE_HOME = directory, AWS_PROFILE = false },
    }
    assert.is_nil(ended.error)
    return ended
  end

  -- What the lines print, one after the other; none may fail.
  local function output(...)
    local ended = repl(table.concat({ ... }, "\n"))
    assert.equal("", ended.stderr)
    assert.equal(0, ended.status)
    return ended.stdout
  end

  describe("reading from a pipe", function()
    it("shows the values of expressions and nothing else", function()
      assert.equal('2\n"x"\nnil\n{ 1, 2 }\n',
        output("1 + 1", "local x = 'x'", "x, nil", "", "-- nothing", "{ 1,", "2 }"))
      assert.equal("1\n2\n4\n", output("for i = 1, 2 do", "  print(i)", "end", "y = 4 y, z = y, 5", "return y"))
      assert.equal("3\n4\n", output("1 + 2", "_ + 1"))
      assert.is_nil(fs.stat(directory .. "/infra/history"))
    end)

    it("says in one line what fails, goes on, and ends with 1", function()
      local ended = repl("error 'oh'\nx = = 1\nmisspelt\nlocal t = nil; t.x = 1\nerror(setmetatable({}, {}))\n" ..
        ":unheard\n1 +")
      assert.equal(1, ended.status)
      assert.equal("", ended.stdout)
      assert.matches("^repl:1: oh\nrepl:1: unexpected symbol near '='\nthere is no variable 'misspelt'\n" ..
        "repl:1: attempt to index a nil value[^\n]*\ntable: 0x%x+\nthere is no command :unheard; :help lists them\n" ..
        "repl:1: unexpected symbol near <eof>\n$", ended.stderr)
      assert.is_nil(ended.stderr:find("traceback", 1, true))
      assert.matches("\nstack traceback:\n", repl("error 'oh'", { stack, "--sim", "--verbose" }).stderr)
    end)

    it("ends at :quit", function()
      assert.equal("1\n", output("1", ":quit", "2"))
    end)
  end)

  describe("statements", function()
    it("call AWS, and change something only after :write", function()
      local ended = repl [[
        aws.sts.GetCallerIdentity {}.Account
        aws.logs.CreateLogGroup { logGroupName = "/spec/repl" }
        :write
        aws.logs.CreateLogGroup { logGroupName = "/spec/repl" }
        #aws.logs.all.DescribeLogGroups { logGroupNamePrefix = "/spec/" }.logGroups
        aws.logs.CreateLogGroup { logGroupName = "/spec/repl" }
        aws.logs.DeleteLogGroup { logGroupName = "/spec/repl" }
        :read
        aws.logs.DeleteLogGroup { logGroupName = "/spec/repl" }
      ]]
      assert.equal(1, ended.status)
      assert.equal('"123456789012"\n{}\n1\n{}\n', ended.stdout)
      local lines = {}
      for line in ended.stderr:gmatch "[^\n]+" do
        lines[#lines + 1] = line
      end
      assert.equal("logs CreateLogGroup can change something; type :write to allow that, :read to go back", lines[1])
      assert.matches("^logs CreateLogGroup: ResourceAlreadyExistsException: ", lines[2])
      assert.matches("^logs DeleteLogGroup can change something", lines[3])
      assert.equal(3, #lines)
    end)

    it("see the stack, and use its references", function()
      local text = output("stack", 'stack.resources["logs"]', "stack.resources.logs.Arn")
      assert.matches('name = "spec-repl"', text, 1, true)
      assert.matches("resources = { logs = AWS::Logs::LogGroup, password = AWS::SSM::Parameter }", text, 1, true)
      assert.matches("\n    RetentionInDays = 7,\n", text, 1, true)
      assert.matches('\n"${logs.Arn}"\n$', text)
      assert.equal('"spec-repl-logs"\n', output("local name = stack.resources.logs.LogGroupName",
        "aws.logs.DescribeLogGroups { logGroupNamePrefix = name }.logGroups[1].logGroupName"))
      assert.matches("no attribute 'Arm'", repl("stack.resources.logs.Arm").stderr)
      assert.matches("the state has no gone.Arn", repl(
        "aws.logs.DescribeLogGroups { logGroupNamePrefix = '${infra:gone|Arn}' }").stderr, 1, true)
    end)

    it("see the state", function()
      assert.matches("^[^\n]*spec%-repl%.db: 2 resources; fields: history, outputs, rows, runs\n$", output "state")
      assert.equal('"spec-repl-logs"\n"ready"\n1\n"run"\n"done"\n2\n', output(
        "state.rows.logs.identity.LogGroupName", "state.rows.logs.status", "#state.rows.logs.history",
        "state.runs[1].command", "state.runs[1].outcome", "#state.runs[1].history"))
      assert.matches("logs = AWS::Logs::LogGroup spec-repl-logs (ready)", output "state.rows", 1, true)
      assert.matches('^{ logs = "arn:aws:logs:[^\n]*" }\n"%d%d%d%d%-%d%d%-%d%dT[^\n]*"\ntrue\n$', output(
        "state.outputs", "state.history[1].at", "type(state.history[1].detail) == 'table'"))
    end)

    it("make plans", function()
      assert.matches("^Plan: nothing to do; 2 unchanged\n2\n$", output("plan()", "plan().counts.none"))
      local ended = repl("plan()\nplan { targets = { 'password' } }.counts.update\n",
        { stack, "--sim", "--set", "days=14" })
      assert.matches("~ logs.*RetentionInDays: 7 .* 14\n\nPlan: 1 to update; 1 unchanged\n0\n$", ended.stdout)
    end)

    it("never see a secret by accident", function()
      local text = output('aws.ssm.GetParameter { Name = "/spec/password", WithDecryption = true }',
        "json.encode(_)", "show(_)", "stack.resources.password", "state.rows.password", "plan()", "print(_)",
        'aws.ssm.GetParameter { Name = "/spec/password", WithDecryption = true }.Parameter.Value')
      assert.is_nil(text:find("hunter22", 1, true))
      assert.matches("Value = (secret)", text, 1, true)
      assert.matches('\\"Value\\":\\"(secret)\\"', text, 1, true)
      assert.equal('"hunter22"\n', output('local all = aws.ssm.GetParameters { Names = { "/spec/password" }, ' ..
        "WithDecryption = true }", "all.Parameters[1].Value.reveal()"))
    end)

    it("work without a stack", function()
      local ended = repl("1 + 1\nstack\nplan()\naws.sts.GetCallerIdentity {}\n",
        { "--endpoint-url", "http://127.0.0.1:1", "--region", "eu-west-1" })
      assert.equal("2\n", ended.stdout)
      assert.matches("^'stack' needs a stack; :stack PATH opens one\n'plan' needs a stack[^\n]*\n[^\n]+\n$",
        ended.stderr)
    end)
  end)

  describe("commands", function()
    it("describe what there is", function()
      local text = output(":help", ":type AWS::Logs::LogGroup", ":type Infra::Value")
      assert.matches(":type NAME +Describe a resource type", text)
      assert.matches("\nAWS::Logs::LogGroup\n.*\n  RetentionInDays +integer", text)
      assert.matches("\nInfra::Value\n.*Any value%.\n", text)
    end)

    it("say what is wrong with them", function()
      assert.equal("there is no command :hlep, did you mean help?; :help lists them\nit is :type NAME\nit is :help\n" ..
        "there is no resource type called AWS::EC2::VPX, did you mean AWS::EC2::VPC?\n",
        repl(":hlep\n:type\n:help x\n:type AWS::EC2::VPX").stderr)
    end)

    it("read a changed stack again, with the modules beside it, and keep variables", function()
      local path = directory .. "/changing.lua"
      local code = STACK:gsub("infra.default%(7", "infra.default(require 'days'"):gsub("repl", "changing")
      assert(fs.write(path, code))
      assert(fs.write(directory .. "/days.lua", "return 1"))
      local ended = repl(([[
        mine = stack.options.days
        local fs = require "host.fs"
        fs.write("%s/days.lua", "return 2")
        :reload
        mine, stack.options.days
        fs.write("%s", "return = 1")
        :write
        :reload
        mine, stack.options.days, aws.sts.GetCallerIdentity {}.Account
      ]]):format(directory, path), { path, "--sim" })
      assert.equal('true\n1\n2\ntrue\n1\n2\n"123456789012"\n', ended.stdout)
      assert.matches("^" .. path:gsub("%p", "%%%0") .. ":1: [^\n]+\n$", ended.stderr)
    end)

    it("open another stack", function()
      local path = directory .. "/other.lua"
      assert(fs.write(path, (STACK:gsub("repl", "other"))))
      local ended = repl((":write\n:stack %s\nstack.name, stack.options.days\nstate\n:stack absent.lua\nstack.name\n" ..
        ":stack %s\nstack.name\naws.logs.DeleteLogGroup {}"):format(path, stack),
        { stack, "--sim", "--set", "days=14" })
      assert.matches('^"spec%-other"\n7\n[^\n]*spec%-other.db: 0 resources[^\n]*\n"spec%-other"\n"spec%-repl"\n$',
        ended.stdout)
      assert.matches("^there is no stack file absent.lua\nlogs DeleteLogGroup can change", ended.stderr)
    end)
  end)

  it("does not start with a stack that has faults", function()
    local path = directory .. "/faulty.lua"
    assert(fs.write(path, (STACK:gsub("RetentionInDays", "RetentionInDay"))))
    local ended = repl("1", { path, "--sim" })
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.matches("no property 'RetentionInDay', did you mean RetentionInDays?", ended.stderr, 1, true)
  end)

  describe("in a terminal", function()
    local PROMPT <const> = "spec-repl> "

    -- What the terminal shows of a session with these steps, and the history file that is left.
    local function session(steps)
      return terminal(([[
        local process = require "host.process"
        process.set_environment("XDG_STATE_HOME", nil)
        process.set_environment("NO_COLOR", "1")
        local code = require "infra.cli" { [0] = "infra", "repl", "%s", "--sim" }
        local fs = require "host.fs"
        local path = fs.home() .. "/.local/state/infra/history"
        print(("ended with %%d, mode %%o\n%%s"):format(code, fs.stat(path).mode, fs.read(path)))
      ]]):format(stack), steps)
    end

    it("prompts, goes on over lines, and keeps a history", function()
      local text = session {
        { PROMPT, "for i = 1, 2 do\r" },
        { "| ", "print('m' .. i) end\r" },
        { "m2", PROMPT, " infra.secret 'hunter22'; 'm' .. 3\r" },
        { "repl:1: ", PROMPT, ":write\r" },
        { "spec-repl (write)> ", "'m' .. 4\r" },
        { '"m4"', "(write)> ", "\4" },
      }
      assert.matches("ended with 0, mode 600\n_HiStOrY_V2_\nfor\\040i\\040=\\0401,\\0402\\040do\nprint(", text, 1, true)
      assert.is_nil(text:match("ended with.*"):find("hunter22", 1, true))
    end)

    it("completes names and parameters", function()
      local text = session {
        { PROMPT, "aws.ec2.DescribeVpcP\t\r" },
        { "answers in pages", PROMPT, "'m' .. type(aws.ec2.DescribeVpcs { Fil\t = {} }.Vpcs)\r" },
        { "mtable", PROMPT, "stack.resources[\"lo\t.Ar\t, 'm' .. 1\r" },
        { "m1", PROMPT, ":typ\t AWS::Logs::LogG\t\r" },
        { "holds data", PROMPT, "\4" },
      }
      assert.matches("ec2 DescribeVpcPeeringConnections\n", text, 1, true)
      assert.matches('"${logs.Arn}"\n"m1"', text, 1, true)
    end)

    it("gives up a line, or stops a statement, at Ctrl-C", function()
      local text = session {
        { PROMPT, "for x in y do\r" },
        { "| ", "\3'm' .. 1\r" },
        { '"m1"', PROMPT, "print('m' .. 2) while true do end\r" },
        { "m2", "\3" },
        { "cancelled", PROMPT, "print('m' .. 3) repeat aws.ec2.DescribeVpcs {} until false\r" },
        { "m3", "\3'm' .. 4\r" },
        { '"m4"', PROMPT, "\4" },
      }
      assert.matches("ended with 0", text, 1, true)
    end)
  end)
end)
