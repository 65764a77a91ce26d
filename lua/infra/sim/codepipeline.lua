-- The simulated CodePipeline: pipelines. Nothing ever runs. Behaviour is that of its API reference. Kept in the
-- region's store, kind "pipeline", by name: { pipeline, arn, created_at, updated_at, tags }.

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local principals = require "infra.sim.iam.principals"
local tagging = require "infra.sim.tagging"

local codepipeline = {}

local fail = Failure.thrower()

local function invalid(ctx, message, ...)
  fail(ctx, "InvalidStructureException", message, ...)
end

local function find(ctx, name)
  local stored = ctx.store:get("pipeline", name)
  if not stored then
    fail(ctx, "PipelineNotFoundException", "Account '%s' does not have a pipeline with name '%s'", ctx.account, name)
  end
  return stored
end

local function check_stages(ctx, stages)
  local seen = {}
  if #stages < 2 then
    invalid(ctx, "Pipeline has only %d stage(s). There should be a minimum of 2 stages in a pipeline", #stages)
  end
  for i, stage in ipairs(stages) do
    if seen[stage.name] or #(stage.actions or {}) == 0 then
      invalid(ctx, "Stage %s is empty or not unique", stage.name)
    end
    seen[stage.name] = true
    for _, action in ipairs(stage.actions) do
      if (action.actionTypeId.category == "Source") ~= (i == 1) then
        invalid(ctx, "Pipeline should start with a stage that only contains source actions, and no other may have any")
      end
    end
  end
end

local function check(ctx, pipeline)
  check_stages(ctx, pipeline.stages)
  if (pipeline.artifactStore == nil) == (pipeline.artifactStores == nil) then
    invalid(ctx, "Exactly one of artifactStore and artifactStores must be given")
  elseif pipeline.artifactStore then
    if not ctx.sim.store:view("s3", ctx.account):get("bucket", pipeline.artifactStore.location) then
      invalid(ctx, "The artifact bucket %s does not exist", pipeline.artifactStore.location)
    end
  end
  if not principals.assumable_by(ctx, pipeline.roleArn, "codepipeline.amazonaws.com") then
    invalid(ctx, "CodePipeline is not authorized to perform AssumeRole on role %s", pipeline.roleArn)
  end
end

-- What the service writes into a structure by itself.
local function complete(pipeline, version)
  for _, stage in ipairs(pipeline.stages) do
    for _, action in ipairs(stage.actions) do
      action.runOrder = action.runOrder or 1
      action.inputArtifacts, action.outputArtifacts = action.inputArtifacts or {}, action.outputArtifacts or {}
      local provider = action.actionTypeId.provider
      if provider == "CodeStarSourceConnection" and pipeline.pipelineType == "V2" and not pipeline.triggers then
        pipeline.triggers = { { providerType = provider, gitConfiguration = { sourceActionName = action.name } } }
      end
    end
  end
  pipeline.pipelineType, pipeline.executionMode = pipeline.pipelineType or "V1", pipeline.executionMode or "SUPERSEDED"
  pipeline.version = version
  return pipeline
end

function codepipeline.CreatePipeline(ctx, params)
  local name = params.pipeline.name
  if ctx.store:get("pipeline", name) then
    fail(ctx, "PipelineNameInUseException", "A pipeline with the name '%s' already exists in account '%s'", name,
      ctx.account)
  end
  check(ctx, params.pipeline)
  local stored = {
    pipeline = complete(params.pipeline, 1), created_at = ctx.now(), updated_at = ctx.now(),
    arn = arns.of(ctx, "codepipeline", name),
    tags = tagging.merge({}, params.tags, "key", "value"),
  }
  ctx.store:put("pipeline", name, stored)
  return { pipeline = stored.pipeline, tags = tagging.list(stored.tags, "key", "value") }
end

function codepipeline.GetPipeline(ctx, params)
  local stored = find(ctx, params.name)
  return { pipeline = stored.pipeline, metadata = { pipelineArn = stored.arn, created = stored.created_at,
    updated = stored.updated_at } }
end

function codepipeline.UpdatePipeline(ctx, params)
  local stored = find(ctx, params.pipeline.name)
  check(ctx, params.pipeline)
  stored.pipeline, stored.updated_at = complete(params.pipeline, stored.pipeline.version + 1), ctx.now()
  ctx.store:put("pipeline", params.pipeline.name, stored)
  return { pipeline = stored.pipeline }
end

function codepipeline.ListPipelines(ctx)
  local pipelines = {}
  for name, stored in ctx.store:each("pipeline") do
    pipelines[#pipelines + 1] = { name = name, version = stored.pipeline.version, created = stored.created_at,
      updated = stored.updated_at, pipelineType = stored.pipeline.pipelineType }
  end
  return { pipelines = pipelines }
end

-- Says nothing when there is none.
function codepipeline.DeletePipeline(ctx, params)
  ctx.store:delete("pipeline", params.name)
  return {}
end

tagging.add_operations(codepipeline, {
  find = function(ctx, params)
    for name, stored in ctx.store:each("pipeline") do
      if stored.arn == params.resourceArn then
        return stored, function() ctx.store:put("pipeline", name, stored) end
      end
    end
    fail(ctx, "ResourceNotFoundException", "The resource %s was not found", params.resourceArn)
  end,
  given = "tags", keys = "tagKeys", key = "key", value = "value",
  answer = function(map) return { tags = tagging.list(map, "key", "value") } end,
})

codepipeline.tagged = { pipeline = tagging.with_arn "arn" }

return codepipeline
