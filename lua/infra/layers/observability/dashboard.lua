-- The dashboard NAME-overview: three widgets in a row, one row per tier. Used by layers/observability.lua.

local json = require "host.json"
local measures = require "infra.layers.observability.measures"

-- of: the option with what is shown; metrics: { name, statistic, label }, or computed (observability/measures.lua);
-- line: the option with the figure at which the alarm goes off.
local WIDGETS = {
  { "API: answers by status", of = "api", metrics = {
    { "Count", "Sum", "all" }, { "4xx", "Sum", "4xx" }, { "5xx", "Sum", "5xx" },
  } },
  { "API: latency, ms", of = "api", metrics = { { "Latency", "Average", "average" }, { "Latency", "p99", "p99" } } },
  { "Lambda: invocations", of = "lambda", metrics = {
    { "Invocations", "Sum", "all" }, { "Errors", "Sum", "errors" }, { "Throttles", "Sum", "throttles" },
  } },
  { "Lambda: duration, ms", of = "lambda", metrics = {
    { "Duration", "Average", "average" }, { "Duration", "Maximum", "longest" }, { "Duration", "p99", "p99" },
  } },
  { "Aurora: connections", of = "cluster", metrics = { { "DatabaseConnections", "Average", "connections" } } },
  { "Aurora: CPU, %", of = "cluster", line = "aurora_cpu_percent",
    metrics = { { "CPUUtilization", "Average", "CPU" } } },
  { "Cache: hits and misses", of = "cache", metrics = {
    { "CacheHits", "Sum", "hits" }, { "CacheMisses", "Sum", "misses" },
  } },
  { "Cache: load, % of what it can do", of = "cache", computed = "cache_load" },
  { "Cache: memory, % of its limit", of = "cache", computed = "cache_memory", line = "cache_memory_percent" },
}

local COLUMNS <const>, WIDTH <const>, HEIGHT <const> = 3, 8, 6 -- a dashboard is 24 units wide
local PERIOD <const> = 300

-- A metric as dashboards write it: { namespace, name, dimension, value, ..., { options } }.
local function reading(source, name, options)
  local list = json.array { source.namespace, name }
  for _, pair in ipairs(source.dimensions) do
    list[#list + 1], list[#list + 2] = pair[1], pair[2]
  end
  list[#list + 1] = options
  return list
end

local function readings(row, source, options)
  local list = json.array {}
  for i, metric in ipairs(row.metrics or {}) do
    list[i] = reading(source, metric[1], { stat = metric[2], label = metric[3] })
  end
  if row.computed then
    local computed = measures.computed(row.computed, options)
    list[1] = json.array { { id = "result", expression = computed.expression, label = row[1] } }
    for _, metric in ipairs(computed.metrics) do
      list[#list + 1] = reading(source, metric[2], { id = metric[1], stat = metric[3], visible = false })
    end
  end
  return list
end

local function widget(stack, options, row, source, position)
  local limit = row.line and options[row.line]
  return {
    type = "metric", width = WIDTH, height = HEIGHT,
    x = position % COLUMNS * WIDTH, y = position // COLUMNS * HEIGHT,
    properties = {
      title = row[1], region = stack.region, view = "timeSeries", period = PERIOD,
      metrics = readings(row, source, options),
      annotations = limit and { horizontal = json.array { { value = limit, label = "alarm" } } },
    },
  }
end

--- Declares the dashboard of what `options` give. Returns it, or nil when there is nothing to show.
return function(stack, options)
  local widgets = json.array {}
  for _, row in ipairs(WIDGETS) do
    local source = measures.source(row.of, options)
    if source then
      table.insert(widgets, widget(stack, options, row, source, #widgets))
    end
  end
  return #widgets > 0 and stack:resource("AWS::CloudWatch::Dashboard", "overview", {
    DashboardName = stack.name .. "-overview", DashboardBody = json.encode { widgets = widgets },
  }) or nil
end
