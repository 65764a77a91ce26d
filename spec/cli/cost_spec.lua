local infra = require "spec.cli.infra"
local json = require "host.json"
local project = require "spec.cli.project"

describe("infra cost", function()
  local here = project(teardown)
  local path = here.stack_of("costly", '    stack:resource("AWS::CloudWatch::Alarm", "alarm", {\n' ..
    '      MetricName = "Errors", Namespace = "AWS/Lambda", ComparisonOperator = "GreaterThanThreshold",\n' ..
    '      EvaluationPeriods = 1, Period = 60, Statistic = "Sum", Threshold = 5,\n    })\n' ..
    '    stack:resource("AWS::Logs::LogGroup", "logs", {})')

  local function cost(...)
    return infra { "cost", path, ... }
  end

  it("prints a table, Markdown and JSON, whose total follows the assumptions", function()
    assert.matches("\nCloudWatch +alarms +1 alarm +0.10 +0.10\n", cost().stdout)
    assert.matches("^# What costly%-spec costs in a month\n", cost("--markdown").stdout)
    local before = json.decode(cost("--json").stdout)
    local after = json.decode(cost("--json", "--usage", "logs_gb=1000").stdout)
    assert.equal("costly-spec", before.stack)
    assert.is_true(after.total > before.total + 100)
  end)

  it("names the assumptions when one is misspelt or is no number", function()
    for message, given in pairs {
      ["^infra: %-%-usage log_gb=1: there is no such assumption, did you mean logs_gb%?\n"] = "log_gb=1",
      ["^infra: %-%-usage logs_gb=much: must be a number, 0 or more\n"] = "logs_gb=much",
      ["^infra: %-%-usage logs_gb=%-5: must be a number, 0 or more\n"] = "logs_gb=-5",
      ["^infra: %-%-usage logs_gb=1e999: must be a number, 0 or more\n"] = "logs_gb=1e999",
    } do
      local ended = cost("--usage", given)
      assert.equal(2, ended.status)
      assert.matches(message .. "  the assumptions: api_requests_per_day, ", ended.stderr)
    end
  end)
end)
