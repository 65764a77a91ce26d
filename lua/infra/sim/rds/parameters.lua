-- Cluster parameters of Aurora PostgreSQL, of which this is a selection ("Aurora PostgreSQL cluster-level parameters",
-- Aurora User Guide): what a parameter group starts with. Used by infra.sim.rds.parameter_groups.

local entities = require "infra.sim.rds.entities"
local merged = require "infra.merged"

local parameters = {}

-- Name, apply type, data type, allowed values, and the value that RDS itself sets (source "system"), if any. Those
-- without allowed values cannot be modified.
local ROWS = {
  { "apg_plan_mgmt.capture_plan_baselines", "dynamic", "string", "automatic,manual,off" },
  { "autovacuum", "dynamic", "boolean", "0,1" },
  { "autovacuum_analyze_scale_factor", "dynamic", "float", "0-100" },
  { "autovacuum_max_workers", "static", "integer", "1-262143", "GREATEST({DBInstanceClassMemory/64371566592},3)" },
  { "autovacuum_naptime", "dynamic", "integer", "1-2147483", "5" },
  { "autovacuum_vacuum_cost_limit", "dynamic", "integer", "-1-10000" },
  { "autovacuum_vacuum_scale_factor", "dynamic", "float", "0-100", "0.1" },
  { "client_encoding", "dynamic", "string", "*", "UTF8" },
  { "data_directory", "static", "string", nil, "/rdsdbdata/db" },
  { "deadlock_timeout", "dynamic", "integer", "1-2147483647" },
  { "default_statistics_target", "dynamic", "integer", "1-10000" },
  { "idle_in_transaction_session_timeout", "dynamic", "integer", "0-2147483647", "86400000" },
  { "lock_timeout", "dynamic", "integer", "0-2147483647" },
  { "log_autovacuum_min_duration", "dynamic", "integer", "-1-2147483647", "10000" },
  { "log_connections", "dynamic", "boolean", "0,1" },
  { "log_disconnections", "dynamic", "boolean", "0,1" },
  { "log_error_verbosity", "dynamic", "string", "terse,default,verbose" },
  { "log_lock_waits", "dynamic", "boolean", "0,1" },
  { "log_min_duration_statement", "dynamic", "integer", "-1-2147483647" },
  { "log_min_error_statement", "dynamic", "string", "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,"
    .. "fatal,panic" },
  { "log_rotation_age", "dynamic", "integer", "1-1440", "60" },
  { "log_statement", "dynamic", "string", "none,ddl,mod,all" },
  { "log_temp_files", "dynamic", "integer", "-1-2147483647" },
  { "maintenance_work_mem", "dynamic", "integer", "1024-2147483647",
    "GREATEST({DBInstanceClassMemory/63963136*1024},65536)" },
  { "max_connections", "static", "integer", "6-262143", "LEAST({DBInstanceClassMemory/9531392},5000)" },
  { "max_logical_replication_workers", "static", "integer", "0-262143" },
  { "max_parallel_workers_per_gather", "dynamic", "integer", "0-1024" },
  { "max_replication_slots", "static", "integer", "5-8388607", "20" },
  { "max_wal_senders", "static", "integer", "5-8388607", "20" },
  { "max_worker_processes", "static", "integer", "1-262143", "GREATEST(${DBInstanceVCPU*2},8)" },
  { "password_encryption", "dynamic", "string", "md5,scram-sha-256" },
  { "pg_stat_statements.max", "static", "integer", "100-2147483647" },
  { "pg_stat_statements.track", "dynamic", "string", "none,top,all", "ALL" },
  { "pgaudit.log", "dynamic", "list", "ddl,function,misc,read,role,write,none,all,-ddl,-function,-misc,-read,-role,"
    .. "-write" },
  { "pgaudit.role", "dynamic", "string", "rds_pgaudit" },
  { "random_page_cost", "dynamic", "float", "0-1.79769e+308" },
  { "rds.enable_plan_management", "static", "boolean", "0,1" },
  { "rds.force_admin_logging_level", "dynamic", "string", "disabled,debug5,debug4,debug3,debug2,debug1,info,notice,"
    .. "warning,error,log,fatal,panic" },
  { "rds.force_autovacuum_logging_level", "dynamic", "string", "disabled,debug5,debug4,debug3,debug2,debug1,info,"
    .. "notice,warning,error,log,fatal,panic", "WARNING" },
  { "rds.force_ssl", "dynamic", "boolean", "0,1", "0" },
  { "rds.log_retention_period", "dynamic", "integer", "1440-10080", "4320" },
  { "rds.logical_replication", "static", "boolean", "0,1", "0" },
  { "rds.restrict_password_commands", "static", "boolean", "0,1" },
  { "search_path", "dynamic", "string", "*" },
  { "server_encoding", "static", "string" },
  { "shared_buffers", "static", "integer", "16-1073741823", "SUM({DBInstanceClassMemory/12038},-50003)" },
  { "shared_preload_libraries", "static", "list", "auto_explain,orafce,pgaudit,pglogical,pg_ad_mapping,pg_cron,"
    .. "pg_hint_plan,pg_prewarm,pg_similarity,pg_stat_statements,pg_tle,pg_transport,plprofiler,plrust",
    "pg_stat_statements" },
  { "ssl", "static", "boolean", "0,1", "1" },
  { "ssl_max_protocol_version", "dynamic", "string", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3" },
  { "ssl_min_protocol_version", "dynamic", "string", "TLSv1,TLSv1.1,TLSv1.2,TLSv1.3", "TLSv1.2" },
  { "statement_timeout", "dynamic", "integer", "0-2147483647" },
  { "synchronous_commit", "dynamic", "string", "local,on,off,remote_write" },
  { "tcp_keepalives_idle", "dynamic", "integer", "0-2147483647", "300" },
  { "temp_buffers", "dynamic", "integer", "100-1073741823" },
  { "timezone", "dynamic", "string", "*", "UTC" },
  { "track_activity_query_size", "static", "integer", "100-1048576", "4096" },
  { "track_functions", "dynamic", "string", "none,pl,all" },
  { "track_io_timing", "dynamic", "boolean", "0,1", "1" },
  { "wal_sender_timeout", "dynamic", "integer", "0-3600000" },
  { "work_mem", "dynamic", "integer", "64-2147483647" },
}

-- What differs in a family, by major version.
local FROM_17 = { ["rds.force_ssl"] = "1" }

local by_name = {}
for _, row in ipairs(ROWS) do
  local name, apply_type, data_type, allowed, value = table.unpack(row, 1, 5)
  by_name[name] = {
    ParameterName = name,
    ApplyType = apply_type,
    DataType = data_type,
    AllowedValues = allowed ~= "*" and allowed or nil,
    IsModifiable = allowed ~= nil,
    ParameterValue = value,
    Source = value and "system" or "engine-default",
  }
end

--- The parameters of a family in order of their names, as DescribeDBClusterParameters shows them when nobody has
--- changed them. `major`: the family's major version.
function parameters.defaults(major)
  local found = {}
  for i, row in ipairs(ROWS) do
    local copy = merged(by_name[row[1]])
    copy.ParameterValue = major >= 17 and FROM_17[row[1]] or copy.ParameterValue
    copy.ApplyMethod = "pending-reboot"
    found[i] = copy
  end
  return found
end

--- The parameter of this name, in any case.
function parameters.find(ctx, name)
  return by_name[(name or ""):lower()] or entities.invalid(ctx, "Could not find parameter with name: %s", name or "")
end

local function one_of(value, allowed)
  for choice in allowed:gmatch("[^,]+") do
    if value:lower() == choice:lower() then
      return true
    end
  end
  return false
end

local function all_of(value, allowed)
  for item in value:gmatch("[^,]+") do
    if not one_of(item, allowed) then
      return false
    end
  end
  return true
end

local function in_range(value, allowed)
  local least, most = allowed:match("^(-?[%d.]+)-(.+)$")
  local number = tonumber(value)
  -- Formulas of the instance's size are for RDS to work out.
  return value:find("{", 1, true) ~= nil or number ~= nil and number >= tonumber(least) and number <= tonumber(most)
end

local CHECKS = { string = one_of, boolean = one_of, list = all_of, integer = in_range, float = in_range }

--- The value as it is kept, or the answer that the parameter cannot have it. Lists lose their blanks.
function parameters.checked(ctx, parameter, value)
  if not parameter.IsModifiable then
    entities.invalid(ctx, "The parameter %s cannot be modified.", parameter.ParameterName)
  end
  value = parameter.DataType == "list" and value:gsub("%s", "") or value
  if parameter.AllowedValues and not CHECKS[parameter.DataType](value, parameter.AllowedValues) then
    entities.invalid(ctx, "Invalid parameter value: %s for: %s allowed values are: %s", value, parameter.ParameterName,
      parameter.AllowedValues)
  end
  return value
end

return parameters
