-- CodeBuild projects. The vocabulary is in handler/schema.lua.
--
-- An update leaves alone what it is not told of, except the tags: without them it removes them. What was declared and
-- is not any more is emptied by its default below.

local json = require "host.json"
local merged = require "infra.merged"

-- A role or a VPC that is seconds old.
local PROPAGATION = { { "InvalidInputException", 120, message = "ot authorized to perform" } }

-- CloudFormation's name of a property is the API's, but for the first letter.
local PROPERTIES = {
  "Description", "Source", "SecondarySources", "SourceVersion", "SecondarySourceVersions", "Artifacts",
  "SecondaryArtifacts", "Cache", "Environment", "ServiceRole", "TimeoutInMinutes", "QueuedTimeoutInMinutes",
  "EncryptionKey", "VpcConfig", "BadgeEnabled", "LogsConfig", "FileSystemLocations", "BuildBatchConfig",
  "ConcurrentBuildLimit", "AutoRetryLimit",
}

local FIELDS, MAP = { "Name=name" }, { "Name=name", "Arn=arn", "Visibility=projectVisibility" }
for _, name in ipairs(PROPERTIES) do
  local field = ("%s=%s"):format(name, name:gsub("^%u", string.lower))
  table.insert(FIELDS, field)
  table.insert(MAP, field)
end

-- "arn:aws:kms:us-east-1:123456789012:alias/aws/s3" as "alias/aws/s3".
local function key_alias(key)
  return key:match "^arn:.*:(alias/.+)$" or key
end

-- "None" is said by an empty structure, which would agree with every other one without this member.
local function distinct_by(member)
  return function(value)
    return merged({ [member] = "" }, value)
  end
end

local PIPELINE <const> = "CODEPIPELINE"

local function check(properties, report)
  local source, artifacts = properties.Source.Type, properties.Artifacts.Type
  if (source == PIPELINE) ~= (artifacts == PIPELINE) then
    report("Artifacts", "and Source are both of the Type CODEPIPELINE, or neither is")
  end
end

return {
  ["AWS::CodeBuild::Project"] = {
    service = "codebuild",
    identity = { "Name" },
    name = { property = "Name", limit = 255 },
    check = check,
    typical = { create = 3, update = 1, delete = 1 },
    retry = PROPAGATION,
    form = {},
    canonical = {
      EncryptionKey = key_alias, VpcConfig = distinct_by "VpcId", BuildBatchConfig = distinct_by "ServiceRole",
    },
    defaults = {
      Description = "", SecondarySources = json.array {}, SourceVersion = "", SecondarySourceVersions = json.array {},
      SecondaryArtifacts = json.array {}, Cache = { Type = "NO_CACHE" }, TimeoutInMinutes = 60,
      QueuedTimeoutInMinutes = 480, EncryptionKey = "alias/aws/s3", VpcConfig = {}, BadgeEnabled = false,
      LogsConfig = { CloudWatchLogs = { Status = "ENABLED" }, S3Logs = { Status = "DISABLED" } },
      FileSystemLocations = json.array {}, BuildBatchConfig = {}, ConcurrentBuildLimit = -1, AutoRetryLimit = 0,
      Visibility = "PRIVATE",
    },
    create = { "CreateProject", send = FIELDS, result = "project", exists = { "ResourceAlreadyExistsException" } },
    read = {
      "BatchGetProjects", list = "projects", key = "name", ids = "names", max = 100, map = MAP,
      gives = { "BadgeEnabled" },
      decode = function(project, values)
        values.Id = values.Arn
        values.BadgeEnabled = (project.badge or {}).badgeEnabled or false
      end,
    },
    facets = {
      { properties = PROPERTIES, partial = true, write = { "UpdateProject", send = FIELDS, tagged = true } },
      {
        properties = { "Visibility", "ResourceAccessRole" },
        write = {
          "UpdateProjectVisibility",
          send = { "Arn=projectArn", "Visibility=projectVisibility", "ResourceAccessRole=resourceAccessRole" },
        },
      },
    },
    tags = { -- the whole set, with an update
      form = "list", key = "key", value = "value", create = "tags", read = "tags", replace = true,
      set = { "UpdateProject", send = { "Name=name" }, tags = "tags" },
    },
    delete = { "DeleteProject", send = { "Name=name" } },
    gone = { "ResourceNotFoundException" },
  },
}
