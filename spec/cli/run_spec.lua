local fs = require "host.fs"
local json = require "host.json"
local local_aws = require "spec.cli.local_aws"
local project = require "spec.cli.project"
local terminal = require "spec.support.terminal"

local REFUSAL = "<ErrorResponse><Error><Type>Sender</Type><Code>TopicLimitExceeded</Code><Message>Topic limit "
  .. "reached</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"

describe("infra run", function()
  local here = project(teardown)

  it("plans, applies, says what it did, and then has nothing left to do", function()
    local path = here.stack "first"
    local text = here.done("run", path, "--yes")
    assert.equal([[
small-spec
  + parameter-1  AWS::SSM::Parameter
  + parameter-2  AWS::SSM::Parameter
  + role         AWS::IAM::Role
  + topic        AWS::SNS::Topic

Plan: 4 to create

]], text:match "^.-to create\n\n")
    assert.matches("\n4/4 %+ [%w-]+ created in %d+%.%d s\n", text)
    assert.matches("\nOutputs\n  numbers = %[1,2%]\n  topic   = arn:aws:sns:us%-east%-1:%d+:small%-spec%-topic\n", text)
    assert.matches("\n4 created in .* %(simulated time%)\n$", text)

    text = here.done("run", path, "--yes")
    assert.matches("^Plan: nothing to do; 4 unchanged\n", text)
    assert.matches("\nnothing changed", text)
  end)

  it("shows what changes, down to the part of a policy", function()
    local path = here.stack "first"
    here.done("run", path, "--yes")
    local text = here.done("run", path, "--yes", "--set", "label=two", "--set", "action=s3:PutObject", "--set",
      "parameters=1")
    assert.equal([[
small-spec
  - parameter-2  AWS::SSM::Parameter
  ~ role         AWS::IAM::Role
      ~ Policies[1].PolicyDocument.Statement[1].Action[*]: "s3:GetObject" → "s3:PutObject"
  ~ topic        AWS::SNS::Topic
      ~ DisplayName: "one" → "two"

Plan: 2 to update, 1 to delete; 1 unchanged
]], (text:match("^.-unchanged\n"):gsub("Action%[%d%]", "Action[*]")))
    assert.matches("\n2 updated, 1 deleted in ", text)
  end)

  it("prints one JSON object per line, and nothing else, with --json", function()
    local path = here.stack "json"
    here.done("run", path, "--yes")
    local kinds, last = {}, nil
    for line in here.done("run", path, "--yes", "--json", "--set", "label=x"):gmatch "[^\n]+" do
      last = assert(json.decode(line))
      kinds[last.event] = (kinds[last.event] or 0) + 1
      if last.event == "plan" then
        assert.equal(1, last.plan.counts.update)
      end
    end
    assert.same({ plan = 1, start = 1, done = 1, summary = 1 }, kinds)
    assert.equal("done", last.summary.outcome)
    assert.same({ update = 1 }, last.summary.done)
    assert.same({ 1, 2 }, { table.unpack(last.summary.outputs.numbers) })
  end)

  it("changes nothing when there is nobody to ask", function()
    for _, flag in ipairs { "--verbose", "--json" } do
      local ended = here.infra("run", here.stack_of("unasked", '    stack:resource("AWS::SNS::Topic", "t", {})'), flag)
      assert.equal(1, ended.status)
      assert.matches("infra: this changes AWS and there is nobody to ask\n  add %-%-yes", ended.stderr)
    end
    assert.matches("Plan: 1 to create", here.done("plan", here.directory .. "/unasked.lua"))
  end)

  it("asks, on a terminal", function()
    local path = here.stack "asked"
    local function answering(answer)
      local code = ('os.exit(require "infra.cli" { [0] = "infra", "run", %q, "--sim", "--set", "parameters=%d" })')
        :format(path, answer == "y\n" and 3 or 4)
      return terminal(code, { { "Apply this plan to small-spec? [y/N] ", answer } })
    end
    here.done("run", path, "--yes")
    assert.matches("infra: nothing was changed\n", answering "\n")
    assert.matches("infra: nothing was changed\n", answering "n\n")
    local shown = answering "y\n"
    assert.matches("1/1 .-%+.- parameter%-3 ", shown)
    assert.matches("1 created", shown)
  end)

  it("does a part of it with --target, and what that needs", function()
    local path = here.stack_of("target", [[
    local t = stack:resource("AWS::SNS::Topic", "t", {})
    stack:resource("AWS::SSM::Parameter", "p", { Type = "String", Value = t.TopicArn })
    stack:resource("AWS::SNS::Topic", "other", {})]])
    local text = here.done("run", path, "--yes", "--target", "p")
    assert.matches("2 created", text)
    assert.matches("Plan: 1 to create; 2 unchanged", here.done("plan", path))
  end)

  it("with --verbose shows what is created, and with --debug every call on standard error", function()
    local ended = here.infra("run", here.stack_of("verbose", [[
    stack:resource("AWS::SNS::Topic", "t", { DisplayName = "shown" })]]), "--yes", "--verbose", "--debug")
    assert.equal(0, ended.status)
    assert.matches('\n      DisplayName: "shown"\n', ended.stdout)
    assert.matches("sns CreateTopic", ended.stderr)
  end)

  it("goes on with what does not need what failed, and the next run does the rest", function()
    local aws <close> = local_aws()
    local path = here.stack "failing"
    local ended = aws:run({ "run", path, "--yes" }, function(call)
      return call.operation == "CreateTopic" and call.respond(400, {}, REFUSAL)
    end)
    assert.equal(1, ended.status)
    assert.matches("\n%d/4 ✗ topic failed: sns CreateTopic: TopicLimitExceeded: Topic limit reached", ended.stdout)
    assert.matches("\n%d/4 · parameter%-1 skipped: needs topic\n%d/4 · parameter%-2 skipped: needs topic\n",
      ended.stdout)
    assert.matches("\n1 created, 1 failed, 2 skipped in ", ended.stdout)
    assert.equal(("infra: %s:20: topic: sns CreateTopic: TopicLimitExceeded: Topic limit reached (request " ..
      "r-1)\n  correct the cause and run again: what is done stays done\n"):format(path),
      ended.stderr)
    ended = aws:run { "run", path, "--yes" }
    assert.equal(0, ended.status)
    assert.matches("\n3 created in ", ended.stdout)
  end)

  it("names everything that failed, and once what failed alike", function()
    local aws <close> = local_aws()
    local count = 0
    local ended = aws:run({ "run", here.stack_of("two", [[
    stack:resource("AWS::SNS::Topic", "a", {})
    stack:resource("AWS::SNS::Topic", "b", {})
    stack:resource("AWS::SNS::Topic", "c", {})]]), "--yes" }, function(call)
      if call.operation == "CreateTopic" then
        count = count + 1
        return call.respond(400, {}, count < 3 and REFUSAL or REFUSAL:gsub("Topic limit reached", "No more"))
      end
    end)
    assert.equal(1, ended.status)
    assert.matches("^infra: 3 steps failed\n", ended.stderr)
    assert.matches("\n  %w, %w: sns CreateTopic: TopicLimitExceeded: Topic limit reached\n", ended.stderr)
    assert.matches("\n  [^\n]+two.lua:%d: %w: sns CreateTopic: TopicLimitExceeded: No more %(", ended.stderr)
    assert.matches("\n  correct the causes and run again", ended.stderr)
  end)

  it("says once that credentials have expired meanwhile, and what to do", function()
    local aws <close> = local_aws()
    local ended = aws:run({ "run", here.stack_of("expired", [[
    stack:resource("AWS::SNS::Topic", "a", {})
    stack:resource("AWS::Logs::LogGroup", "b", {})]]), "--yes" }, function(call)
      if call.operation == "CreateTopic" then
        return call.respond(403, {}, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>It expired</Message>" ..
          "</Error></ErrorResponse>")
      end
      return call.operation == "CreateLogGroup" and call.respond(403, {},
        '{"__type": "ExpiredToken", "message": "It expired"}')
    end)
    assert.equal(1, ended.status)
    assert.matches("^infra: 2 steps failed\n  [ab], [ab]: ExpiredToken: It expired\n" ..
      "  AWS refuses these credentials: renew them, [^\n]+\n" ..
      "  correct the causes and run again: what is done stays done\n$", ended.stderr)
  end)

  it("leaves no secret in what it prints or records", function()
    local path = here.stack "secret"
    local set = "password=correct horse battery"
    local text = ""
    for _, arguments in ipairs {
      { "--set", set }, { "--set", set, "--set", "label=x", "--json" },
      { "--set", "password=another horse battery", "--verbose" }, { "--set", set, "--verbose", "--json" },
    } do
      local ended = here.infra("run", path, "--yes", table.unpack(arguments))
      assert.equal(0, ended.status)
      text = text .. ended.stdout .. ended.stderr
    end
    for _, name in ipairs(fs.list(here.directory .. "/state/sim")) do
      if name:find "^small" then
        text = text .. fs.read(here.directory .. "/state/sim/" .. name)
      end
    end
    assert.is_nil(text:find("horse battery", 1, true))
    assert.matches("%(secret%)", text)
  end)
end)
