-- CodePipeline pipelines. The vocabulary is in handler/schema.lua.
--
-- An update takes the whole pipeline. What AWS adds by itself (the trigger of a connection's source, versions, empty
-- lists of artifacts) is not compared where it is not declared.

local json = require "host.json"
local merged = require "infra.merged"
local reference = require "infra.engine.reference"

local RETRY = {
  { "ConcurrentModificationException", 60 },
  { "InvalidStructureException", 120, message = "not authorized to perform AssumeRole" }, -- a role that is seconds old
}

-- CloudFormation's name of a property is the API's, but for the first letter.
local PROPERTIES = { "RoleArn", "ArtifactStore", "Stages", "PipelineType", "ExecutionMode", "Triggers", "Variables" }

local FIELDS = { "Name=pipeline.name" }
for _, name in ipairs(PROPERTIES) do
  table.insert(FIELDS, ("%s=pipeline.%s"):format(name, name:gsub("^%u", string.lower)))
end

local CHANGEABLE = { "ArtifactStores", table.unpack(PROPERTIES) }

-- What AWS keeps to itself once it has it.
local HIDDEN = { OAuthToken = true }

-- Every value of an action's configuration is text; tables are JSON in it.
local function as_text(value)
  if type(value) == "table" and not reference.is_deferred(value) then
    return json.encode(value)
  elseif type(value) == "number" or type(value) == "boolean" then
    return tostring(value)
  end
  return value
end

-- A connection's ARN says codeconnections or codestar-connections, by the call that made it or that asks.
local function comparable_configuration(configuration)
  local result = {}
  for name, value in pairs(configuration) do
    local text = as_text(value)
    if name == "ConnectionArn" and type(text) == "string" then
      text = text:gsub(":codestar%-connections:", ":codeconnections:")
    end
    result[name] = not HIDDEN[name] and text or nil
  end
  return result
end

local function comparable(stages)
  return reference.map(stages, function(stage)
    return merged(stage, { Actions = reference.map(stage.Actions, function(action)
      local configuration = action.Configuration
      return merged(action, { Configuration = configuration and comparable_configuration(configuration) })
    end) })
  end)
end

-- CloudFormation has a list of { Region, ArtifactStore }, the API a map of regions.
local function encode(params, scope)
  local stores = scope.ArtifactStores
  if stores then
    params.pipeline.artifactStores = {}
    for _, store in ipairs(stores) do
      local key = store.ArtifactStore.EncryptionKey
      params.pipeline.artifactStores[store.Region] = {
        type = store.ArtifactStore.Type, location = store.ArtifactStore.Location,
        encryptionKey = key and { id = key.Id, type = key.Type },
      }
    end
  end
  for _, stage in ipairs(params.pipeline.stages) do
    for _, action in ipairs(stage.actions) do
      action.configuration = action.configuration and reference.map(action.configuration, as_text)
    end
  end
end

local function decode(item, values, scope, op)
  values.Arn = ("arn:%s:codepipeline:%s:%s:%s"):format(op.context.partition, op.region, op.context.account,
    values.Name or scope.Name)
  values.Version = item.pipeline and item.pipeline.version and tostring(item.pipeline.version)
  local stores = item.pipeline and item.pipeline.artifactStores
  if stores and next(stores) then
    values.ArtifactStores = json.array {}
    for region, store in pairs(stores) do
      local key = store.encryptionKey
      table.insert(values.ArtifactStores, {
        Region = region, ArtifactStore = {
          Type = store.type, Location = store.location, EncryptionKey = key and { Id = key.id, Type = key.type },
        },
      })
    end
  end
end

local function check(properties, report)
  if (properties.ArtifactStore == nil) == (properties.ArtifactStores == nil) then
    report("ArtifactStore", "or ArtifactStores is required, and not both")
  end
  local stages = properties.Stages
  if #stages < 2 then
    report("Stages", ("must be two at least, are %d"):format(#stages))
  end
  for i, stage in ipairs(stages) do
    for _, action in ipairs(stage.Actions) do
      if (action.ActionTypeId.Category == "Source") ~= (i == 1) then
        report(("Stages[%d]"):format(i), i == 1 and "can have actions of the category Source only"
          or "cannot have an action of the category Source: they are in the first stage")
      end
    end
  end
end

return {
  ["AWS::CodePipeline::Pipeline"] = {
    service = "codepipeline",
    identity = { "Name" },
    name = { property = "Name", limit = 100 },
    check = check,
    typical = { create = 3, update = 1, delete = 2 },
    retry = RETRY,
    form = {},
    canonical = { Stages = comparable },
    sets = { "ArtifactStores" },
    defaults = { ExecutionMode = "SUPERSEDED", Triggers = json.array {}, Variables = json.array {} },
    create = {
      "CreatePipeline", send = FIELDS, encode = encode, covers = { "ArtifactStores" },
      exists = { "PipelineNameInUseException" },
    },
    read = {
      "GetPipeline", send = { "Name=name" }, map = FIELDS, gives = { "ArtifactStores" }, decode = decode,
    },
    facets = {
      {
        properties = CHANGEABLE, whole = true,
        write = { "UpdatePipeline", send = FIELDS, encode = encode },
      },
    },
    tags = {
      form = "list", key = "key", value = "value", create = "tags",
      set = { "TagResource", send = { "Arn=resourceArn" }, tags = "tags" },
      unset = { "UntagResource", send = { "Arn=resourceArn" }, keys = "tagKeys" },
      read = { "ListTagsForResource", send = { "Arn=resourceArn" }, list = "tags" },
    },
    delete = { "DeletePipeline", send = { "Name=name" } },
    gone = { "PipelineNotFoundException" },
  },
}
