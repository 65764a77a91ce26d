local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local json = require "host.json"
local merged = require "infra.merged"

local world

before_each(function()
  world = World.new()
end)
after_each(function()
  world:close()
end)

local ERRORS = {
  Namespace = "AWS/Lambda", MetricName = "Errors", Dimensions = { { Name = "FunctionName", Value = "api" } },
  Statistic = "Sum", Period = 60, EvaluationPeriods = 2, Threshold = 5, ComparisonOperator = "GreaterThanThreshold",
}

local function alarm(properties, options)
  return World.declare(function(stack)
    stack:resource("AWS::CloudWatch::Alarm", "errors", properties, options)
  end)
end

-- The text of what is wrong with the stack.
local function fault(type_name, properties, options)
  local ok, err = pcall(World.declare, function(stack)
    local cache = stack:resource("AWS::ElastiCache::ServerlessCache", "cache",
      { Engine = "redis", ServerlessCacheName = "c" })
    local declared = type(properties) == "function" and properties(cache) or properties
    stack:resource(type_name, "x", declared, options)
  end)
  assert.is_false(ok)
  return tostring(err)
end

describe("AWS::CloudWatch::Alarm", function()
  it("is created with what is declared, and is the same afterwards", function()
    local run = world:run(alarm(ERRORS))
    assert.same({ "PutMetricAlarm" }, calls.changes(run))
    local sent = calls.params(run, "PutMetricAlarm")[1]
    assert.same({ "demo-test-errors", 5, "Sum" }, { sent.AlarmName, sent.Threshold, sent.Statistic })
    world:unchanged(alarm(ERRORS))
  end)

  it("means the same with its unordered lists in another order and AWS's defaults spelt out", function()
    local dimensions = { { Name = "FunctionName", Value = "api" }, { Name = "Resource", Value = "api:live" } }
    local actions = { "arn:aws:sns:us-east-1:123456789012:a", "arn:aws:sns:us-east-1:123456789012:b" }
    world:run(alarm(merged(ERRORS, { Dimensions = dimensions, AlarmActions = actions })))
    local other = merged(ERRORS, {
      Dimensions = { dimensions[2], dimensions[1] }, AlarmActions = { actions[2], actions[1] }, ActionsEnabled = true,
      TreatMissingData = "missing", DatapointsToAlarm = 2,
    })
    world:unchanged(alarm(other))
  end)

  it("is put as a whole: what is not declared any more is gone", function()
    world:run(alarm(merged(ERRORS, { AlarmDescription = "old", TreatMissingData = "notBreaching" })))
    local p99 = merged(ERRORS, { Namespace = "AWS/Lambda", MetricName = "Duration", ExtendedStatistic = "p99" })
    p99.Statistic = nil
    local run = world:run(alarm(p99))
    local sent = calls.params(run, "PutMetricAlarm")[1]
    assert.same({ nil, nil, "p99" }, { sent.AlarmDescription, sent.Statistic, sent.ExtendedStatistic })
    world:unchanged(alarm(p99))
  end)

  it("loses a description that is not declared any more", function()
    world:run(alarm(merged(ERRORS, { AlarmDescription = "old" })))
    assert.same({ "PutMetricAlarm" }, calls.changes(world:run(alarm(ERRORS))))
    world:unchanged(alarm(ERRORS))
  end)

  it("gets other tags by their own call: a put of an existing alarm ignores them", function()
    world:run(alarm(merged(ERRORS, { Tags = { A = "1", B = "2" } })))
    local tagged = alarm(merged(ERRORS, { Tags = { A = "3" } }))
    assert.same({ "TagResource", "UntagResource" }, calls.changes(world:run(tagged)))
    world:unchanged(tagged)
  end)

  it("does not take over somebody else's of its name, unless it is told to", function()
    world:as_other(function(call)
      assert(call("cloudwatch", "PutMetricAlarm", merged(ERRORS, { AlarmName = "demo-test-errors", Threshold = 1 })))
    end)
    local run = world:apply(alarm(ERRORS))
    assert.equal("AlreadyExists", run.result.failures[1].code)
    assert.same({}, calls.changes(run))

    run = world:run(alarm(ERRORS, { adopt = true }))
    assert.equal(5, calls.params(run, "PutMetricAlarm")[1].Threshold)
    world:unchanged(alarm(ERRORS, { adopt = true }))
  end)

  it("is put again when the answer is lost", function()
    local lost = calls.lose "PutMetricAlarm"
    world:run(alarm(ERRORS), lost)
    world:unchanged(alarm(ERRORS))
  end)

  it("is found again after a crash that forgot what the put had made", function()
    local run = world:apply(alarm(ERRORS), {
      faults = { schedule = { { fault = "crash", operation = "PutMetricAlarm", when = "after" } } },
    })
    assert.is_true(run.crashed)
    assert.same({}, calls.params(world:run(alarm(ERRORS)), "PutMetricAlarm"))
    world:unchanged(alarm(ERRORS))
  end)

  it("is read together with others, whatever their kind", function()
    local function several()
      return World.declare(function(stack)
        for i = 1, 5 do
          stack:resource("AWS::CloudWatch::Alarm", "alarm-" .. i, ERRORS)
        end
      end)
    end
    world:run(several())
    local _, _, process = world:plan(several())
    local reads = calls.params(process, "DescribeAlarms")
    assert.equal(1, #reads)
    assert.equal(5, #reads[1].AlarmNames)
    assert.same({ "MetricAlarm", "CompositeAlarm" }, reads[1].AlarmTypes)
  end)

  it("is gone when somebody else has deleted it before", function()
    world:run(alarm(ERRORS))
    calls.with("cloudwatch", {
      DeleteAlarms = function(original, ctx, params)
        original(ctx, params)
        return original(ctx, params)
      end,
    }, function()
      world:destroy(alarm(ERRORS))
    end)
    assert.same({}, world:rows())
  end)

  it("takes metric math, of which it returns one", function()
    local function rate(expression)
      local function query(id, name)
        return { Id = id, ReturnData = false, MetricStat = { Period = 300, Stat = "Sum", Metric = {
          Namespace = "AWS/ApiGateway", MetricName = name,
          Dimensions = { { Name = "ApiId", Value = "a1" }, { Name = "Stage", Value = "staging" } },
        } } }
      end
      return {
        EvaluationPeriods = 1, Threshold = 5, ComparisonOperator = "GreaterThanThreshold",
        Metrics = {
          { Id = "rate", Expression = expression, ReturnData = true }, query("failed", "5xx"), query("all", "Count"),
        },
      }
    end
    world:run(alarm(rate "100 * failed / all"))
    local reordered = rate "100 * failed / all"
    table.insert(reordered.Metrics, table.remove(reordered.Metrics, 1))
    table.insert(reordered.Metrics[1].MetricStat.Metric.Dimensions,
      table.remove(reordered.Metrics[1].MetricStat.Metric.Dimensions, 1))
    world:unchanged(alarm(reordered))
    assert.same({ errors = "update" }, world:planned(alarm(rate "failed / all")))
  end)
end)

describe("an alarm that cannot ever work is refused before anything is sent", function()
  local function alarm_fault(more, options)
    return fault("AWS::CloudWatch::Alarm", type(more) == "function" and more or merged(ERRORS, more), options)
  end

  it("on a metric that AWS does not publish", function()
    local text = alarm_fault { MetricName = "Erors" }
    assert.matches("spec/resources/cloudwatch_spec.lua:%d+", text)
    assert.matches("no metric 'Erors' in AWS/Lambda, did you mean Errors", text)
  end)

  it("on dimensions that the metric does not have", function()
    local text = alarm_fault { Dimensions = { { Name = "Function", Value = "api" } } }
    assert.matches("'Errors' of AWS/Lambda with the dimensions {FunctionName}.*, not with {Function}", text)
    assert.matches("not with {ApiId, ApiName}", alarm_fault { Namespace = "AWS/ApiGateway", MetricName = "Count",
      Dimensions = { { Name = "ApiName", Value = "a" }, { Name = "ApiId", Value = "b" } } })
  end)

  it("on what a node cluster has and the serverless cache that it names has not", function()
    local function of_cache(name, dimension)
      return function(cache)
        return merged(ERRORS, { Namespace = "AWS/ElastiCache", MetricName = name,
          Dimensions = { { Name = dimension, Value = cache.ServerlessCacheName } } })
      end
    end
    assert.matches("ServerlessCache of AWS/ElastiCache has no metric 'CPUUtilization'",
      alarm_fault(of_cache("CPUUtilization", "CacheClusterId")))
    assert.matches("has the dimensions {clusterId}, not 'CacheClusterId'",
      alarm_fault(of_cache("BytesUsedForCache", "CacheClusterId")))
    assert.matches("with the dimensions .*{clusterId}, not with {ServerlessCacheName}",
      alarm_fault(of_cache("BytesUsedForCache", "ServerlessCacheName")))
    assert.has_no.errors(function()
      World.declare(function(stack)
        local cache = stack:resource("AWS::ElastiCache::ServerlessCache", "cache", { Engine = "redis",
          ServerlessCacheName = "c" })
        stack:resource("AWS::CloudWatch::Alarm", "x", of_cache("BytesUsedForCache", "clusterId")(cache))
      end)
    end)
  end)

  it("within metric math", function()
    local more = { Metrics = { { Id = "m", MetricStat = { Period = 60, Stat = "Sum", Metric = {
      Namespace = "AWS/ApiGateway", MetricName = "5XX", Dimensions = { { Name = "ApiId", Value = "x" } } } } } } }
    for name in pairs(ERRORS) do
      more[name] = ERRORS[name]
    end
    local text = alarm_fault(more)
    assert.matches("Metrics%[1%] cannot be watched: AWS publishes no metric '5XX'", text)
    assert.matches("MetricName has no place beside Metrics", text)
    more.Metrics[2] = { Id = "e", Expression = "m" }
    assert.matches("exactly one with ReturnData, has 2", alarm_fault(more))
  end)

  it("where CloudFront has no metrics", function()
    local requests = { Namespace = "AWS/CloudFront", MetricName = "Requests", Dimensions = {
      { Name = "DistributionId", Value = "E1" }, { Name = "Region", Value = "Global" } } }
    assert.matches("us%-east%-1 only", alarm_fault(requests, { region = "eu-central-1" }))
    world:run(alarm(merged(ERRORS, requests)))
  end)

  it("with more than AWS takes", function()
    assert.matches("EvaluationPeriods of 60 s each look back over 90000 s", alarm_fault { EvaluationPeriods = 1500 })
    local actions = {}
    for i = 1, 6 do
      actions[i] = "arn:aws:sns:us-east-1:123456789012:t" .. i
    end
    assert.matches("OKActions can be 5 at most", alarm_fault { OKActions = actions })
    assert.matches("AlarmActions must be in the alarm's region us%-east%-1, not in eu%-west%-1",
      alarm_fault { AlarmActions = { "arn:aws:sns:eu-west-1:123456789012:t" } })
  end)

  it("but somebody's own metrics, and properties that are known later, pass", function()
    world:run(alarm(merged(ERRORS, { Namespace = "Shop/Orders", MetricName = "Lost" })))
  end)
end)

local function dashboard(body, options)
  return World.declare(function(stack)
    stack:resource("AWS::CloudWatch::Dashboard", "overview", { DashboardBody = body }, options)
  end)
end

local function widget(metrics, region)
  return json.encode { widgets = { {
    type = "metric", x = 0, y = 0, width = 8, height = 6,
    properties = { region = region ~= false and "us-east-1" or nil, metrics = metrics },
  } } }
end

describe("AWS::CloudWatch::Dashboard", function()
  local BODY = widget { { "AWS/Lambda", "Errors", "FunctionName", "api" } }

  it("means the same in another order, with other spaces and forms of numbers", function()
    world:run(dashboard '{"widgets":[{"type":"text","x":0,"width":8,"properties":{"markdown":"hello"}}]}')
    local other = [[{ "widgets": [ { "properties": {"markdown": "hello"}, "width": 8.0, "x": 0e0, "type": "text" } ] }]]
    world:unchanged(dashboard(other))
  end)

  it("is changed when anything in it is, also what somebody added to it", function()
    world:run(dashboard(BODY))
    world:as_other(function(call)
      local body = json.decode(BODY)
      body.widgets[1].properties.period = 60
      assert(call("cloudwatch", "PutDashboard", { DashboardName = "demo-test-overview",
        DashboardBody = json.encode(body) }))
    end)
    assert.same({ overview = "update" }, world:planned(dashboard(BODY)))
    world:run(dashboard(BODY))
    world:unchanged(dashboard(BODY))
  end)

  it("passes on what CloudWatch doubts although it takes it", function()
    calls.with("cloudwatch", {
      PutDashboard = function(original, ctx, params)
        original(ctx, params)
        return { DashboardValidationMessages = { { DataPath = "/widgets/0", Message = "property is deprecated" } } }
      end,
    }, function()
      assert.matches("demo%-test%-overview: property is deprecated", world:run(dashboard(BODY)).result.warnings[1])
      local other = dashboard(widget { { "AWS/Lambda", "Errors", "FunctionName", "web" } })
      assert.matches("property is deprecated", world:run(other).result.warnings[1])
    end)
  end)

  it("does not overwrite somebody else's, is put again when the answer is lost, and is deleted", function()
    world:as_other(function(call)
      assert(call("cloudwatch", "PutDashboard",
        { DashboardName = "demo-test-overview", DashboardBody = '{"widgets":[]}' }))
    end)
    assert.equal("AlreadyExists", world:apply(dashboard(BODY)).result.failures[1].code)
    world:as_other(function(call)
      assert(call("cloudwatch", "DeleteDashboards", { DashboardNames = { "demo-test-overview" } }))
    end)
    world:run(dashboard(BODY), calls.lose("PutDashboard"))
    world:destroy(dashboard(BODY))
    assert.same({}, world:rows())
  end)

  it("is refused when one of its widgets cannot ever show anything", function()
    local function dashboard_fault(body)
      return fault("AWS::CloudWatch::Dashboard", { DashboardBody = body })
    end
    assert.matches("widgets%[1%].metrics%[1%] cannot be shown: AWS publishes no metric 'Mistakes'",
      dashboard_fault(widget { { "AWS/Lambda", "Mistakes", "FunctionName", "api" } }))
    assert.matches("metrics%[2%] .* not with {Name}", dashboard_fault(widget {
      { "AWS/Lambda", "Errors", "FunctionName", "api", { label = "errors" } }, { ".", "Duration", "Name", "." },
    }))
    assert.matches("metrics%[3%] cannot be shown: .*'Gone'", dashboard_fault(widget {
      { "AWS/Lambda", "Errors", "FunctionName", "api" }, { "...", "web", { stat = "p99" } }, { ".", "Gone", ".", "." },
    }))
    assert.matches("needs a region", dashboard_fault(widget({ { "AWS/Lambda", "Errors", "FunctionName", "a" } },
      false)))
    assert.matches("must be a JSON document", dashboard_fault "widgets: none")
  end)

  it("takes expressions and metrics that only resources know", function()
    local declaration = World.declare(function(stack)
      local topic = stack:resource("AWS::SNS::Topic", "alerts", {})
      stack:resource("AWS::CloudWatch::Dashboard", "overview", { DashboardBody = widget {
        { { expression = "100 * m1", label = "percent", id = "e1" } },
        { "AWS/SNS", "NumberOfMessagesPublished", "TopicName", topic.TopicName, { id = "m1", visible = false } },
      } })
    end)
    world:run(declaration)
    world:unchanged(declaration)
  end)
end)
