-- The alarms, all to one topic, when something begins to be wrong and when it is right again. Used by
-- layers/observability.lua.

local measures = require "infra.layers.observability.measures"

-- of: the option with what is watched; metric: { name, statistic }, or computed (layers/observability/measures.lua);
-- above: the option with the threshold; period: seconds (300), times: in a row (1); quiet: no data is no trouble, for
-- where there is none without traffic.
local ALARMS = {
  { "api-5xx", "requests to the API answered with 5xx, %", of = "api", computed = "api_errors",
    above = "api_error_percent", quiet = true },
  { "api-latency", "time until the API answers, ms", of = "api", metric = { "Latency", "Average" },
    above = "api_latency_ms", quiet = true },
  { "lambda-errors", "errors of the function", of = "lambda", metric = { "Errors", "Sum" }, above = "lambda_errors",
    period = 60, times = 2, quiet = true },
  { "lambda-throttles", "invocations refused for want of concurrency", of = "lambda", metric = { "Throttles", "Sum" },
    above = "lambda_throttles", period = 60, quiet = true },
  { "aurora-connections", "connections to the database", of = "cluster", metric = { "DatabaseConnections", "Average" },
    above = "aurora_connections" },
  { "aurora-cpu", "CPU of the database, %", of = "cluster", metric = { "CPUUtilization", "Average" },
    above = "aurora_cpu_percent" },
  { "redis-cpu", "processing units of the cache, % of what it can do", of = "cache", computed = "cache_load",
    above = "cache_load_percent", quiet = true },
  { "redis-memory", "storage of the cache, % of its limit", of = "cache", computed = "cache_memory",
    above = "cache_memory_percent" },
}

local PERIOD <const> = 300

local function dimensions_of(source)
  local dimensions = {}
  for i, pair in ipairs(source.dimensions) do
    dimensions[i] = { Name = pair[1], Value = pair[2] }
  end
  return dimensions
end

local function computed_metrics(computed, source, period)
  local queries = { { Id = "result", Expression = computed.expression, ReturnData = true } }
  for _, metric in ipairs(computed.metrics) do
    local id, name, statistic = table.unpack(metric)
    queries[#queries + 1] = {
      Id = id, ReturnData = false,
      MetricStat = {
        Metric = { Namespace = source.namespace, MetricName = name, Dimensions = dimensions_of(source) },
        Period = period, Stat = statistic,
      },
    }
  end
  return queries
end

local function alarm(stack, options, topic, row, source)
  local period = row.period or PERIOD
  local properties = {
    AlarmName = stack.name .. "-" .. row[1], AlarmDescription = row[2],
    ComparisonOperator = "GreaterThanThreshold", Threshold = options[row.above], EvaluationPeriods = row.times or 1,
    TreatMissingData = row.quiet and "notBreaching" or "missing",
    AlarmActions = { topic.TopicArn }, OKActions = { topic.TopicArn },
  }
  if row.computed then
    properties.Metrics = computed_metrics(measures.computed(row.computed, options), source, period)
  else
    properties.Namespace, properties.Dimensions, properties.Period = source.namespace, dimensions_of(source), period
    properties.MetricName, properties.Statistic = table.unpack(row.metric)
  end
  return stack:resource("AWS::CloudWatch::Alarm", row[1], properties)
end

--- Declares the alarms on what `options` give. Returns them by name.
return function(stack, options, topic)
  local alarms = {}
  for _, row in ipairs(ALARMS) do
    local source = measures.source(row.of, options)
    if source then
      alarms[row[1]] = alarm(stack, options, topic, row, source)
    end
  end
  return alarms
end
