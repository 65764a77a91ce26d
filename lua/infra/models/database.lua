-- The file that compiled models live in, for infra.models (reading) and infra.models.writer (making one): an SQLite
-- database with a single table, in which everything that is looked up by itself is a row of its own.
--
--   kind            owner                       name            body
--   vocabulary      "calls", "resources"                        { source = "aws-sdk 2.1693.0", counts = { ... } }
--   service         "ec2"                                       { api_version, metadata }
--   alias           "monitoring"                "cloudwatch"    none: the owner is another name of that service
--   operation       "ec2"                       "CreateVpc"     see infra.models
--   shape           "ec2"                       "Tag"           see infra.models
--   waiters         "ec2"                                       { VpcAvailable = { delay, maxAttempts, ... }, ... }
--   type            "AWS::EC2::VPC"                             see infra.models
--   definition      "AWS::RDS::DBCluster"       "Endpoint"      { properties }, as a type's
--   metrics         "AWS/Lambda", "AWS::Lambda",                [ { namespace, name, statistic, dimensions }, ... ]
--                   "AWS::Lambda::Function"
--   dictionary      "shape"                                     the zlib dictionary of that kind's bodies
--   "type documentation" and the like           as the type     see infra.models.documentation
--
-- A body is JSON, deflated with the dictionary of its kind: rows are small and alike, so that this halves what deflate
-- alone would make of them. Only a dictionary is stored as it is.

local compress = require "host.compress"
local errors = require "infra.errors"
local json = require "host.json"
local sqlite = require "host.sqlite"

--- The file format, kept as SQLite's user_version.
local FORMAT <const> = 1

local database = { FORMAT = FORMAT }

local Database = {}
Database.__index = Database

-- The file was checked when it was opened; if it cannot be read after that, nothing sensible can follow.
local function checked(result, err)
  if err then
    error(err, 0)
  end
  return result
end

local function open_handle(path)
  if path then
    return sqlite.open(path, { mode = "ro" })
  end
  return sqlite.open_models()
end

--- Opens the models at `path`, or those inside the binary when `path` is nil -> database | nil, err.
function database.open(path)
  local where, row = "AWS models in " .. (path or "this program"), nil
  local handle, err = open_handle(path)
  if handle then
    row, err = handle:row("PRAGMA user_version")
  end
  if not row then
    return errors.fail { code = "ModelsUnreadable", message = ("%s: %s"):format(where, err.message) }
  elseif row.user_version ~= FORMAT then
    return errors.fail {
      code = "ModelsFormat",
      message = where .. ": made by another version of infra",
      hint = "infra models update --from DIR makes them again; without that file, infra uses those inside it",
    }
  end
  return setmetatable({ handle = handle, dictionaries = {} }, Database)
end

function Database:body(kind, owner, name)
  local row = checked(self.handle:row("SELECT body FROM node WHERE kind = ? AND owner = ? AND name = ?", kind, owner,
    name or ""))
  return row and row.body
end

function Database:dictionary(kind)
  local dictionary = self.dictionaries[kind]
  if not dictionary then
    dictionary = self:body("dictionary", kind)
    self.dictionaries[kind] = dictionary
  end
  return dictionary
end

--- The decoded body of one row, a new table at each call; nil when there is no such row.
function Database:get(kind, owner, name)
  local body = self:body(kind, owner, name)
  return body and checked(json.decode(checked(compress.inflate(body, { dictionary = self:dictionary(kind) }))))
end

--- The names that `owner` has of a kind, sorted.
function Database:names(kind, owner)
  local names = {}
  for i, row in ipairs(checked(self.handle:all("SELECT name FROM node WHERE kind = ? AND owner = ?", kind, owner))) do
    names[i] = row.name
  end
  return names
end

--- All owners of a kind, sorted.
function Database:owners(kind)
  local owners = {}
  for i, row in ipairs(checked(self.handle:all("SELECT DISTINCT owner FROM node WHERE kind = ?", kind))) do
    owners[i] = row.owner
  end
  return owners
end

return database
