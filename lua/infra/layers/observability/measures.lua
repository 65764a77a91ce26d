-- What alarms and dashboard measure: where the metrics of each watched thing are, and the percentages that CloudWatch
-- computes from them. Used by layers/observability/alarms.lua and dashboard.lua.

local measures = {}

-- option -> the metrics' namespace and dimensions. HTTP APIs have 5xx where REST APIs have 5XXError; a serverless cache
-- is known by `clusterId`, and a node cluster's CPUUtilization and FreeableMemory do not exist for it.
local SOURCES = {
  api = {
    "AWS/ApiGateway",
    function(api, options)
      return { { "ApiId", api.ApiId }, options.stage and { "Stage", options.stage.StageName } }
    end,
  },
  lambda = { "AWS/Lambda", function(lambda) return { { "FunctionName", lambda.FunctionName } } end },
  cluster = { "AWS/RDS", function(cluster) return { { "DBClusterIdentifier", cluster.DBClusterIdentifier } } end },
  cache = { "AWS/ElastiCache", function(cache) return { { "clusterId", cache.ServerlessCacheName } } end },
}

-- Expressions over metrics: { expression, metrics = id -> { name, statistic } }; %s is a figure from the options.
local COMPUTED = {
  api_errors = {
    "IF(requests > 0, 100 * failed / requests, 0)",
    metrics = { failed = { "5xx", "Sum" }, requests = { "Count", "Sum" } },
  },
  cache_load = {
    "100 * load / (PERIOD(load) * %s)", figure = "cache_ecpu",
    metrics = { load = { "ElastiCacheProcessingUnits", "Sum" } },
  },
  cache_memory = {
    "100 * used / (%s * 1000000000)", figure = "cache_gigabytes",
    metrics = { used = { "BytesUsedForCache", "Average" } },
  },
}

--- Where the metrics of the option `of` are: { namespace, dimensions = { { name, value }, ... } }; nil when the option
--- is not given.
function measures.source(of, options)
  local namespace, dimensions = table.unpack(SOURCES[of])
  return options[of] and { namespace = namespace, dimensions = dimensions(options[of], options) }
end

--- A computed percentage: { expression, metrics = { { id, name, statistic }, ... } in order of their ids }.
function measures.computed(name, options)
  local found = COMPUTED[name]
  local metrics = {}
  for id, metric in pairs(found.metrics) do
    metrics[#metrics + 1] = { id, table.unpack(metric) }
  end
  table.sort(metrics, function(a, b)
    return a[1] < b[1]
  end)
  return { expression = found[1]:format(options[found.figure]), metrics = metrics }
end

return measures
