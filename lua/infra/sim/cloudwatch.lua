-- The simulated CloudWatch: metric alarms and dashboards. Nothing is measured: alarms stay without data. Behaviour is
-- that of its API reference. Alarms are kept in the region's store, kind "alarm", by name; dashboards in the account's
-- global store, kind "dashboard", by name.

local json = require "host.json"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local set_of = require "infra.set_of"
local tagging = require "infra.sim.tagging"

local cloudwatch = {}

local PAGE <const> = 100
local MAX_ACTIONS <const> = 5

local function fail(ctx, code, message, ...)
  ctx:fail(code, message:format(...), code == "ResourceNotFound" and 404 or 400)
end

-- -- alarms -----------------------------------------------------------------------------------------------------------

-- What a request says about the alarm; everything else goes back to its default.
local MEMBERS = {
  "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
  "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
  "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile",
  "Metrics", "ThresholdMetricId",
}

local function check_metrics(ctx, params)
  local returned = 0
  for _, query in ipairs(params.Metrics or {}) do
    returned = returned + (query.ReturnData ~= false and 1 or 0)
  end
  if params.Metrics and (params.MetricName or params.Namespace or params.Statistic) then
    fail(ctx, "InvalidParameterCombination", "Metrics list cannot be combined with MetricName, Namespace or Statistic")
  elseif params.Metrics and returned ~= 1 then
    fail(ctx, "ValidationError", "Exactly one element of the metrics list should return data.")
  elseif not params.Metrics and not (params.MetricName and params.Namespace and params.Period and
    (params.Statistic or params.ExtendedStatistic)) then
    fail(ctx, "InvalidParameterCombination", "MetricName, Namespace, Period and Statistic must be given")
  end
end

local function check(ctx, params)
  check_metrics(ctx, params)
  local period = params.Period
  if period and not (period == 10 or period == 20 or period == 30 or period % 60 == 0) then
    fail(ctx, "ValidationError", "Period must be 10, 20, 30 or a multiple of 60")
  elseif period and period * params.EvaluationPeriods > (period >= 3600 and 604800 or 86400) then
    fail(ctx, "ValidationError", "Metrics cannot be checked across more than a day")
  elseif params.DatapointsToAlarm and params.DatapointsToAlarm > params.EvaluationPeriods then
    fail(ctx, "ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods")
  end
  for _, name in ipairs { "OKActions", "AlarmActions", "InsufficientDataActions" } do
    local actions = params[name] or {}
    if #actions > MAX_ACTIONS then
      fail(ctx, "ValidationError", "%s has more than five actions", name)
    end
    for _, arn in ipairs(actions) do
      if not arn:find "^arn:" or arn:match "^arn:[^:]+:sns:([^:]+)" ~= (arn:find ":sns:" and ctx.region or nil) then
        fail(ctx, "ValidationError", "Invalid region or ARN %s: only %s is supported.", arn, ctx.region)
      end
    end
  end
end

function cloudwatch.PutMetricAlarm(ctx, params)
  check(ctx, params)
  local existing = ctx.store:get("alarm", params.AlarmName)
  local alarm = {
    AlarmArn = arns.of(ctx, "cloudwatch", "alarm:" .. params.AlarmName),
    AlarmConfigurationUpdatedTimestamp = ctx.now(), StateValue = "INSUFFICIENT_DATA",
    StateReason = "Unchecked: Initial alarm creation", StateUpdatedTimestamp = ctx.now(),
  }
  for _, name in ipairs { "StateValue", "StateReason", "StateUpdatedTimestamp" } do
    alarm[name] = existing and existing.alarm[name] or alarm[name]
  end
  for _, name in ipairs(MEMBERS) do
    alarm[name] = params[name]
  end
  if alarm.ActionsEnabled == nil then
    alarm.ActionsEnabled = true
  end
  -- Tags are taken when an alarm is made, and ignored later.
  local tags = existing and existing.tags or tagging.merge({}, params.Tags)
  ctx.store:put("alarm", params.AlarmName, { alarm = alarm, tags = tags })
  return {}
end

function cloudwatch.DescribeAlarms(ctx, params)
  local wanted = params.AlarmNames and #params.AlarmNames > 0 and set_of(params.AlarmNames)
  local types = params.AlarmTypes and set_of(params.AlarmTypes) or { MetricAlarm = true }
  local items = {}
  for name, stored in ctx.store:each("alarm") do
    local prefix = params.AlarmNamePrefix or ""
    if types.MetricAlarm and (not wanted or wanted[name]) and name:sub(1, #prefix) == prefix
      and (params.StateValue or stored.alarm.StateValue) == stored.alarm.StateValue then
      items[#items + 1] = stored.alarm
    end
  end
  local page, token = paging.page(ctx, items, function(alarm) return alarm.AlarmName end, params.NextToken,
    params.MaxRecords or PAGE)
  if not page then
    fail(ctx, "InvalidNextToken", "The next token specified is invalid.")
  end
  return { MetricAlarms = page, CompositeAlarms = {}, NextToken = token }
end

-- What exists is deleted even when something in the list does not.
function cloudwatch.DeleteAlarms(ctx, params)
  local missing
  for _, name in ipairs(params.AlarmNames) do
    missing = missing or not ctx.store:get("alarm", name)
    ctx.store:delete("alarm", name)
  end
  if missing then
    fail(ctx, "ResourceNotFound", "Could not find an alarm with that name.")
  end
  return {}
end

-- -- dashboards -------------------------------------------------------------------------------------------------------

local function check_body(ctx, text)
  local body, messages = json.decode(text), {}
  if type(body) ~= "table" or type(body.widgets) ~= "table" then
    messages[1] = "The dashboard body is not a JSON object with widgets"
  end
  for i, widget in ipairs(messages[1] and {} or body.widgets) do
    if not widget.type or not widget.properties then
      messages[#messages + 1] = ("/widgets/%d: type and properties are required"):format(i - 1)
    elseif widget.type == "metric" and not widget.properties.region then
      messages[#messages + 1] = ("/widgets/%d/properties: region is required"):format(i - 1)
    end
  end
  if #messages > 0 then
    fail(ctx, "InvalidParameterInput", "The field DashboardBody must be a valid JSON object: %s",
      table.concat(messages, "; "))
  end
end

local function dashboard_arn(ctx, name)
  return arns.global(ctx, "cloudwatch", "dashboard/" .. name)
end

function cloudwatch.PutDashboard(ctx, params)
  check_body(ctx, params.DashboardBody)
  local existing = ctx.global:get("dashboard", params.DashboardName)
  ctx.global:put("dashboard", params.DashboardName, {
    name = params.DashboardName, body = params.DashboardBody, at = ctx.now(),
    tags = existing and existing.tags or tagging.merge({}, params.Tags),
  })
  return { DashboardValidationMessages = {} }
end

function cloudwatch.GetDashboard(ctx, params)
  local stored = ctx.global:get("dashboard", params.DashboardName)
  if not stored then
    fail(ctx, "ResourceNotFound", "Dashboard %s does not exist", params.DashboardName)
  end
  return { DashboardName = params.DashboardName, DashboardBody = stored.body,
    DashboardArn = dashboard_arn(ctx, params.DashboardName) }
end

function cloudwatch.ListDashboards(ctx, params)
  local entries, prefix = {}, params.DashboardNamePrefix or ""
  for name, stored in ctx.global:each("dashboard") do
    if name:sub(1, #prefix) == prefix then
      entries[#entries + 1] = { DashboardName = name, DashboardArn = dashboard_arn(ctx, name), LastModified = stored.at,
        Size = #stored.body }
    end
  end
  return { DashboardEntries = entries }
end

function cloudwatch.DeleteDashboards(ctx, params)
  for _, name in ipairs(params.DashboardNames) do -- all or nothing
    if not ctx.global:get("dashboard", name) then
      fail(ctx, "ResourceNotFound", "Dashboard %s does not exist", name)
    end
  end
  for _, name in ipairs(params.DashboardNames) do
    ctx.global:delete("dashboard", name)
  end
  return {}
end

-- -- tags -------------------------------------------------------------------------------------------------------------

tagging.add_operations(cloudwatch, {
  find = function(ctx, params)
    local arn = params.ResourceARN
    local view, kind, name = ctx.store, "alarm", arn:match ":alarm:(.+)$"
    if not name then
      view, kind, name = ctx.global, "dashboard", arn:match ":dashboard/(.+)$"
    end
    local stored = name and view:get(kind, name)
    if not stored then
      fail(ctx, "ResourceNotFound", "The resource %s does not exist", arn)
    end
    return stored, function() view:put(kind, name, stored) end
  end,
})

cloudwatch.tagged = {
  alarm = function(_, stored) return { arn = stored.alarm.AlarmArn, tags = stored.tags } end,
  dashboard = function(place, stored) return { arn = dashboard_arn(place, stored.name), tags = stored.tags } end,
}

return cloudwatch
