-- CloudWatch alarms and dashboards. The vocabulary is in handler/schema.lua.
--
-- Both are put, which makes one or overwrites what has its name, whoever's that is: so the name is looked up first. And
-- both are checked against the metrics that AWS publishes before anything is sent (cloudwatch_metric.lua).

local json = require "host.json"
local metric = require "infra.resources.cloudwatch_metric"
local reference = require "infra.engine.reference"

local types = {}

-- -- alarms -----------------------------------------------------------------------------------------------------------

local ALARM = {
  "AlarmName", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions", "InsufficientDataActions",
  "Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
  "DatapointsToAlarm", "Threshold", "ThresholdMetricId", "ComparisonOperator", "TreatMissingData", "Metrics",
  "EvaluateLowSampleCountPercentile",
}

-- What describes a single metric, and has no place beside Metrics.
local SINGLE = {
  "MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit",
}

local ACTIONS = { "AlarmActions", "OKActions", "InsufficientDataActions" }
local MAX_ACTIONS <const> = 5

local DAY <const>, HOUR <const> = 86400, 3600

local function dimensions_of(list)
  local dimensions = {}
  for _, dimension in ipairs(list or {}) do
    dimensions[dimension.Name or ""] = dimension.Value
  end
  return dimensions
end

local function check_metric(where, namespace, name, dimensions, report, facts)
  local fault = namespace and name and metric.fault(namespace, name, dimensions_of(dimensions), facts.type_of)
  if fault then
    report(where, "cannot be watched: " .. fault)
  end
end

-- A metric of CloudFront is in one region only, and an alarm sees the metrics of its own.
local function check_region(namespace, report, facts)
  if namespace == "AWS/CloudFront" and facts.region ~= "us-east-1" then
    report("Namespace", "AWS/CloudFront has metrics in us-east-1 only: give the alarm { region = \"us-east-1\" }")
  end
end

local function check_metrics(properties, report, facts)
  local returned = 0
  for i, query in ipairs(properties.Metrics) do
    local stat = query.MetricStat
    if stat and stat.Metric then
      local where = ("Metrics[%d]"):format(i)
      check_metric(where, stat.Metric.Namespace, stat.Metric.MetricName, stat.Metric.Dimensions, report, facts)
      check_region(stat.Metric.Namespace, report, facts)
    end
    returned = returned + (query.ReturnData == false and 0 or 1)
  end
  if returned ~= 1 and not properties.ThresholdMetricId then
    report("Metrics", ("must have exactly one with ReturnData, has %d"):format(returned))
  end
  for _, name in ipairs(SINGLE) do
    if properties[name] ~= nil then
      report(name, "has no place beside Metrics")
    end
  end
end

local function check_actions(name, arns, report, facts)
  if #arns > MAX_ACTIONS then
    report(name, ("can be %d at most"):format(MAX_ACTIONS))
  end
  for _, arn in ipairs(arns) do
    local region = type(arn) == "string" and arn:match "^arn:[%w-]+:sns:([%w-]+):"
    if region and region ~= facts.region then
      report(name, ("must be in the alarm's region %s, not in %s"):format(facts.region, region))
    end
  end
end

local function check_alarm(properties, report, facts)
  if properties.Metrics then
    check_metrics(properties, report, facts)
  elseif not (properties.MetricName and properties.Namespace) then
    report("MetricName", "and Namespace are required, or Metrics")
  else
    check_metric("MetricName", properties.Namespace, properties.MetricName, properties.Dimensions, report, facts)
    check_region(properties.Namespace, report, facts)
  end
  for _, name in ipairs(ACTIONS) do
    check_actions(name, properties[name] or {}, report, facts)
  end
  local period, times = properties.Period, properties.EvaluationPeriods
  if math.type(period) == "integer" and math.type(times) == "integer" then
    local limit = period >= HOUR and 7 * DAY or DAY
    if period * times > limit then
      report("EvaluationPeriods", ("of %d s each look back over %d s, at most %d s are possible"):format(period,
        period * times, limit))
    end
  end
end

types["AWS::CloudWatch::Alarm"] = {
  service = "cloudwatch",
  identity = { "AlarmName" },
  name = { property = "AlarmName", limit = 255 },
  required = { "ComparisonOperator", "EvaluationPeriods" },
  check = check_alarm,
  typical = { create = 1, update = 1, delete = 1 },
  defaults = { ActionsEnabled = true, TreatMissingData = "missing" },
  sets = ACTIONS,
  form = { sets = { "Dimensions", "Metrics", "Metric.Dimensions" } },
  create = { "PutMetricAlarm", send = ALARM, look_first = true, idempotent = true },
  -- Metric and composite alarms share their names.
  read = {
    "DescribeAlarms", list = "MetricAlarms", key = "AlarmName", ids = "AlarmNames", max = 100,
    with = { AlarmTypes = { "MetricAlarm", "CompositeAlarm" } }, map = { "Arn=AlarmArn", table.unpack(ALARM) },
    decode = function(_, values) -- AWS leaves it out when it is all of them
      values.DatapointsToAlarm = values.DatapointsToAlarm or values.EvaluationPeriods
    end,
  },
  facets = {
    { properties = { table.unpack(ALARM, 2) }, whole = true, write = { "PutMetricAlarm", send = ALARM } },
  },
  tags = {
    arn = "arn:${Partition}:cloudwatch:${Region}:${Account}:alarm:${AlarmName}",
    form = "list", create = "Tags",
    set = { "TagResource", send = { "Arn=ResourceARN" }, tags = "Tags" },
    unset = { "UntagResource", send = { "Arn=ResourceARN" }, keys = "TagKeys" },
    read = { "ListTagsForResource", send = { "Arn=ResourceARN" }, list = "Tags" },
  },
  delete = { "DeleteAlarms", send = { "AlarmName=AlarmNames[]" } },
  gone = { "ResourceNotFound", "ResourceNotFoundException" },
}

-- -- dashboards -------------------------------------------------------------------------------------------------------

-- A widget's metric without its options, and with what it leaves out: "." is what the metric above it has there, "..."
-- all that it has there.
local function expanded(row, above)
  local words, list = {}, {}
  for _, item in ipairs(row) do
    words[#words + 1] = type(item) ~= "table" and item or nil
  end
  for _, word in ipairs(words) do
    if word == "..." then
      for i = #list + 1, #list + #above - #words + 1 do
        list[i] = above[i]
      end
    else
      list[#list + 1] = word == "." and above[#list + 1] or word
    end
  end
  return list
end

local function check_widget(where, widget, report, facts)
  local properties = widget.properties or {}
  if not properties.region then
    report(where, "needs a region: dashboards belong to none")
  end
  local above = {}
  for i, row in ipairs(properties.metrics or {}) do
    local list = expanded(row, above)
    if #list > 1 then -- not an expression
      local dimensions = {}
      for j = 3, #list - 1, 2 do
        dimensions[list[j]] = list[j + 1]
      end
      local fault = metric.fault(list[1], list[2], dimensions, facts.type_of)
      if fault then
        report(("%s.metrics[%d]"):format(where, i), "cannot be shown: " .. fault)
      end
      above = list
    end
  end
end

local function check_dashboard(properties, report, facts)
  local text = properties.DashboardBody
  if type(text) ~= "string" or reference.is_reference(text) and not text:find "^%s*{" then
    return
  end
  local body, err = json.decode(text)
  if type(body) ~= "table" then
    report("DashboardBody", "must be a JSON document: " .. (err and err.message or "it is none"))
    return
  end
  for i, widget in ipairs(body.widgets or {}) do
    if widget.type == "metric" then
      check_widget(("DashboardBody.widgets[%d]"):format(i), widget, report, facts)
    end
  end
end

-- CloudWatch keeps the text as it was written; it means the same in any order of its members.
local function parsed(text)
  local body = json.decode(text)
  return body == nil and text or body
end

local DASHBOARD = { "DashboardName", "DashboardBody" }

-- A put that CloudWatch has its doubts about succeeds, and says so.
local DOUBTS = { "@doubts=DashboardValidationMessages" }

-- Dashboards take no tags in the API's models: one that says the same is as good as ours.
types["AWS::CloudWatch::Dashboard"] = {
  service = "cloudwatch",
  identity = { "DashboardName" },
  name = { property = "DashboardName", limit = 255 },
  check = check_dashboard,
  typical = { create = 1, update = 1, delete = 1 },
  same = { "DashboardBody" },
  canonical = { DashboardBody = parsed },
  create = { "PutDashboard", send = DASHBOARD, look_first = true, idempotent = true, map = DOUBTS },
  read = {
    "GetDashboard", send = { "DashboardName" }, map = { "Arn=DashboardArn", table.unpack(DASHBOARD) },
  },
  facets = { { properties = { "DashboardBody" }, write = { "PutDashboard", send = DASHBOARD, map = DOUBTS } } },
  delete = { "DeleteDashboards", send = { "DashboardName=DashboardNames[]" } },
  gone = { "ResourceNotFound", "DashboardNotFoundError" },
  warn = function(values, properties)
    local doubt = (values["@doubts"] or {})[1]
    return doubt and ("CloudWatch says of the dashboard %s: %s"):format(properties.DashboardName, doubt.Message)
  end,
}

return types
