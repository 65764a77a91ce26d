local World = require "spec.engine.world"
local json = require "host.json"
local merged = require "infra.merged"
local watched = require "spec.layers.watched"

local EVERYTHING = { "api", "stage", "lambda", "cluster", "cache" }

-- The layer watching `names` of spec.layers.watched, with further options.
local function declare(names, more)
  return World.declare(function(stack)
    local parts, options = watched(stack), {}
    for _, name in ipairs(names) do
      options[name] = parts[name]
    end
    stack:layer("observability", merged(options, more))
  end)
end

local function of_type(declaration, type_name)
  local found = {}
  for _, resource in pairs(declaration.resources) do
    if resource.type.name == type_name and resource.address:find "^observability/" then
      found[#found + 1] = resource
      found[resource.name] = resource.properties
    end
  end
  return found
end

-- What is above what, in a row: statistic or expression, metric, threshold, seconds, times.
local function essence(alarm)
  local expression = alarm.Metrics and alarm.Metrics[1].Expression
  local period = alarm.Period or alarm.Metrics[2].MetricStat.Period
  return { expression or alarm.Statistic, alarm.MetricName, alarm.Threshold, period, alarm.EvaluationPeriods }
end

describe("the layer observability", function()
  it("has the eight alarms of the architecture, to the topic, when it is wrong and when it is right again", function()
    local alarms = of_type(declare(EVERYTHING), "AWS::CloudWatch::Alarm")
    assert.equal(8, #alarms)
    assert.same({ "IF(requests > 0, 100 * failed / requests, 0)", nil, 5, 300, 1 }, essence(alarms["api-5xx"]))
    assert.same({ "Average", "Latency", 500, 300, 1 }, essence(alarms["api-latency"]))
    assert.same({ "Sum", "Errors", 5, 60, 2 }, essence(alarms["lambda-errors"]))
    assert.same({ "Sum", "Throttles", 0, 60, 1 }, essence(alarms["lambda-throttles"]))
    assert.same({ "Average", "DatabaseConnections", 80, 300, 1 }, essence(alarms["aurora-connections"]))
    assert.same({ "Average", "CPUUtilization", 80, 300, 1 }, essence(alarms["aurora-cpu"]))
    assert.same({ "100 * load / (PERIOD(load) * 30000)", nil, 80, 300, 1 }, essence(alarms["redis-cpu"]))
    assert.same({ "100 * used / (10 * 1000000000)", nil, 90, 300, 1 }, essence(alarms["redis-memory"]))
    for _, resource in ipairs(alarms) do
      local alarm = resource.properties
      assert.same({ "GreaterThanThreshold", 1 }, { alarm.ComparisonOperator, #alarm.AlarmActions })
      assert.same(alarm.AlarmActions, alarm.OKActions)
    end
  end)

  it("watches the serverless cache by what it really has", function()
    local alarms = of_type(declare(EVERYTHING), "AWS::CloudWatch::Alarm")
    local metrics = { ["redis-cpu"] = "ElastiCacheProcessingUnits", ["redis-memory"] = "BytesUsedForCache" }
    for name, metric in pairs(metrics) do
      local stat = alarms[name].Metrics[2].MetricStat.Metric
      assert.same({ "AWS/ElastiCache", metric, "clusterId" }, { stat.Namespace, stat.MetricName,
        stat.Dimensions[1].Name })
    end
  end)

  it("has nine widgets in three rows, with a line where an alarm goes off", function()
    local dashboard = of_type(declare(EVERYTHING), "AWS::CloudWatch::Dashboard").overview
    assert.equal("demo-test-overview", dashboard.DashboardName)
    local widgets = json.decode(dashboard.DashboardBody).widgets
    local places, lines = {}, {}
    for i, widget in ipairs(widgets) do
      places[i] = { widget.x, widget.y, widget.width }
      local annotations = widget.properties.annotations
      lines[widget.properties.title] = annotations and annotations.horizontal[1].value
      assert.equal("us-east-1", widget.properties.region)
    end
    assert.same({ { 0, 0, 8 }, { 8, 0, 8 }, { 16, 0, 8 }, { 0, 6, 8 }, { 8, 6, 8 }, { 16, 6, 8 }, { 0, 12, 8 },
      { 8, 12, 8 }, { 16, 12, 8 } }, places)
    assert.same({ ["Aurora: CPU, %"] = 80, ["Cache: memory, % of its limit"] = 90 }, lines)
  end)

  it("watches what it is given and nothing else", function()
    assert.equal(0, #of_type(declare({}), "AWS::CloudWatch::Alarm"))
    assert.equal(0, #of_type(declare({}), "AWS::CloudWatch::Dashboard"))
    local declaration = declare({ "api" }, { api_error_percent = 1 })
    local alarms = of_type(declaration, "AWS::CloudWatch::Alarm")
    assert.same({ 2, 1 }, { #alarms, alarms["api-5xx"].Threshold })
    assert.equal(1, #alarms["api-5xx"].Metrics[2].MetricStat.Metric.Dimensions) -- all stages
    local body = of_type(declaration, "AWS::CloudWatch::Dashboard").overview.DashboardBody
    assert.equal(2, #json.decode(body).widgets)
  end)

  it("lets CloudWatch, for this account only, and EventBridge publish to the topic, and subscribes the address",
    function()
      local declaration = declare({}, { alert_email = "ops@example.com" })
      local statements = of_type(declaration, "AWS::SNS::TopicPolicy")["alerts-policy"].PolicyDocument.Statement
      local services = {}
      for i, statement in ipairs(statements) do
        services[i] = statement.Principal.Service
        assert.same({ "sns:Publish" }, statement.Action)
      end
      assert.same({ "cloudwatch.amazonaws.com", "events.amazonaws.com" }, services)
      assert.is_table(statements[1].Condition.StringEquals)
      local subscription = of_type(declaration, "AWS::SNS::Subscription")["alerts-email"]
      assert.same({ "email", "ops@example.com" }, { subscription.Protocol, subscription.Endpoint })
    end)
end)
