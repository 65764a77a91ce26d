-- Versions of the only engine of the simulated RDS, Aurora PostgreSQL (its release notes; the API's
-- DescribeDBEngineVersions). Used by the other files of this folder.

local entities = require "infra.sim.rds.entities"

local engines = { operations = {} }

engines.NAME = "aurora-postgresql"
engines.PORT = 5432
engines.LOGS = { "iam-db-auth-error", "instance", "postgresql" }

-- Major version = its minor ones, oldest first; the one that it stands for when it is alone; and from which on
-- Serverless v2 can pause (scale to zero).
local MAJORS = {
  [13] = { minors = { 12, 13, 14, 15, 16, 18, 20, 21 }, usual = 20, pauses = 15 },
  [14] = { minors = { 9, 10, 11, 12, 13, 15, 17, 18 }, usual = 17, pauses = 12 },
  [15] = { minors = { 4, 5, 6, 7, 8, 10, 12, 13 }, usual = 12, pauses = 7 },
  [16] = { minors = { 1, 2, 3, 4, 6, 8, 9 }, usual = 8, pauses = 3 },
  [17] = { minors = { 4, 5 }, usual = 4, pauses = 0 },
}
local USUAL = 16

local function parts(version)
  local major, minor = version:match("^(%d+)%.?(%d*)$")
  return tonumber(major), tonumber(minor)
end

--- Fails unless the request means the engine.
function engines.check(ctx, name)
  if name ~= engines.NAME then
    entities.invalid(ctx, "Invalid DB engine: %s", name)
  end
end

--- The whole version that a request means by "16.4", "16" or nothing.
function engines.version(ctx, text)
  local major, minor = parts(text or tostring(USUAL))
  local known = MAJORS[major or 0]
  minor = minor or known and known.usual
  for _, number in ipairs(known and known.minors or {}) do
    if number == minor then
      return ("%d.%d"):format(major, minor)
    end
  end
  entities.refuse(ctx, "Cannot find version %s for %s", text, engines.NAME)
end

function engines.major(version)
  return (parts(version))
end

--- The parameter group family of a version: "aurora-postgresql16".
function engines.family(version)
  return engines.NAME .. engines.major(version)
end

--- The major version of a family, or nil.
function engines.major_of_family(family)
  local major = tonumber(family:match("^" .. engines.NAME:gsub("%-", "%%-") .. "(%d+)$"))
  return MAJORS[major or 0] and major
end

--- Whether Serverless v2 can have a minimum of 0.
function engines.can_pause(version)
  local major, minor = parts(version)
  return minor >= MAJORS[major].pauses
end

--- Negative, 0 or positive: how `a` compares to `b`.
function engines.compare(a, b)
  local major_a, minor_a = parts(a)
  local major_b, minor_b = parts(b)
  return major_a ~= major_b and major_a - major_b or minor_a - minor_b
end

-- -- listing ----------------------------------------------------------------------------------------------------------

local function all_versions()
  local found = {}
  for major, known in pairs(MAJORS) do
    for _, minor in ipairs(known.minors) do
      found[#found + 1] = { text = ("%d.%d"):format(major, minor), usual = minor == known.usual }
    end
  end
  table.sort(found, function(a, b) return engines.compare(a.text, b.text) < 0 end)
  return found
end

local function view(version, all)
  local targets = {}
  for _, other in ipairs(all) do
    if engines.compare(other.text, version.text) > 0 then
      targets[#targets + 1] = {
        Engine = engines.NAME,
        EngineVersion = other.text,
        Description = "Aurora PostgreSQL (Compatible with PostgreSQL " .. other.text .. ")",
        AutoUpgrade = other.usual and engines.major(other.text) == engines.major(version.text),
        IsMajorVersionUpgrade = engines.major(other.text) ~= engines.major(version.text),
      }
    end
  end
  return {
    Engine = engines.NAME,
    EngineVersion = version.text,
    MajorEngineVersion = tostring(engines.major(version.text)),
    DBParameterGroupFamily = engines.family(version.text),
    DBEngineDescription = "Aurora PostgreSQL",
    DBEngineVersionDescription = "Aurora PostgreSQL (Compatible with PostgreSQL " .. version.text .. ")",
    ExportableLogTypes = engines.LOGS,
    SupportsLogExportsToCloudwatchLogs = true,
    SupportedEngineModes = { "provisioned" },
    Status = "available",
    ValidUpgradeTarget = targets,
  }
end

local function begins(text, beginning)
  return text == beginning or text:sub(1, #beginning + 1) == beginning .. "."
end

function engines.operations.DescribeDBEngineVersions(ctx, params)
  local all, found = all_versions(), {}
  for i, version in ipairs(all) do
    if (params.Engine or engines.NAME) == engines.NAME and begins(version.text, params.EngineVersion or version.text)
      and (params.DBParameterGroupFamily or engines.family(version.text)) == engines.family(version.text)
      and (not params.DefaultOnly or version.usual) then
      found[#found + 1] = { position = ("%04d"):format(i), version = version }
    end
  end
  local output = entities.page(ctx, params, "DBEngineVersions", found, function(item) return item.position end)
  for i, item in ipairs(output.DBEngineVersions) do
    output.DBEngineVersions[i] = view(item.version, all)
  end
  return output
end

--- No cluster is a member of a global one.
function engines.operations.DescribeGlobalClusters(ctx, params)
  if params.GlobalClusterIdentifier then
    entities.fail(ctx, "GlobalClusterNotFoundFault", "Global cluster %s not found", params.GlobalClusterIdentifier)
  end
  return { GlobalClusters = {} }
end

return engines
