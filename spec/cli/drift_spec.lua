local json = require "host.json"
local local_aws = require "spec.cli.local_aws"
local project = require "spec.cli.project"
local sqlite = require "host.sqlite"

describe("infra drift", function()
  local here = project(teardown)
  local path = here.stack "small"
  local SET = { "--set", "password=hush hush" }
  local aws

  before_each(function()
    aws = local_aws()
    assert.equal(0, aws:run({ "run", path, "--yes", table.unpack(SET) }).status)
  end)

  after_each(function()
    assert.equal(0, aws:run({ "destroy", path, "--yes" }).status)
    aws:close()
  end)

  -- Makes everything recorded a minute older: what is fresh may be there although AWS does not show it yet, so it would
  -- be waited for.
  local function age()
    local db = assert(sqlite.open(here.directory .. "/state/small-spec.db"))
    assert(db:run "UPDATE resource SET updated_at = updated_at - 60")
    assert(db:run "UPDATE intent SET opened_at = opened_at - 60")
    db:close()
  end

  local function change(...)
    local ended = aws:run { "aws", "--region", "us-east-1", ... }
    assert.equal("", ended.stderr)
  end

  it("finds none where nothing has changed, secrets included", function()
    local ended = aws:run { "drift", path, "--exit-code" }
    assert.equal("Drift: none; 5 as recorded\n", ended.stdout)
    assert.equal(0, ended.status)
  end)

  it("does not reassure where nothing is recorded", function()
    assert.equal("Drift: nothing is recorded that could have changed\n", here.done("drift", path, "--exit-code"))
  end)

  it("says what changed and what is gone, without showing secrets", function()
    change("sns", "SetTopicAttributes", "TopicArn=arn:aws:sns:us-east-1:123456789012:small-spec-topic",
      "AttributeName=DisplayName", "AttributeValue=mine")
    change("ssm", "PutParameter", "Name=small-spec-password", "Value=not hush", "Overwrite=true")
    change("ssm", "DeleteParameter", "Name=small-spec-parameter-1")
    age()
    local ended = aws:run { "drift", path, "--exit-code" }
    assert.equal([[
- parameter-1  AWS::SSM::Parameter  (it no longer exists)
~ password     AWS::SSM::Parameter
    ~ Value: (secret) → (another secret)
~ topic        AWS::SNS::Topic
    ~ DisplayName: "one" → "mine"

Drift: 2 changed, 1 gone; 2 as recorded
]], ended.stdout)
    assert.equal(4, ended.status)
    ended = aws:run { "drift", path, "--json" }
    assert.equal(0, ended.status)
    local data = assert(json.decode(ended.stdout))
    assert.same({ changed = 2, gone = 1, same = 2, unfinished = 0 }, data.counts)
    assert.equal("gone", data.drift[1].status)
    assert.same({ name = "DisplayName", recorded = "one", live = "mine" }, data.drift[3].changes[1])
    assert.is_nil(ended.stdout:find("hush", 1, true))
  end)

  it("names what an interrupted run left", function()
    local ended = aws:run({ "run", path, "--yes", "--set", "parameters=3", table.unpack(SET) }, function(call)
      if call.operation == "PutParameter" then
        call.interrupt(function()
          call.interrupt(call.respond)
        end)
        return true
      end
    end)
    assert.equal(3, ended.status)
    age()
    assert.matches("%? parameter%-3  AWS::SSM::Parameter  %(a run did not finish it; the next one settles it%)\n\n"
      .. "Drift: 1 unfinished; 5 as recorded", aws:run({ "drift", path }).stdout)
  end)
end)
