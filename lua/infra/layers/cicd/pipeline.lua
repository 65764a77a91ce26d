-- One pipeline: the source, then a build; where somebody has to approve, a build that plans, the approval, and one that
-- applies. Used by layers/cicd.lua.

local json = require "host.json"

local function action(name, category, provider, configuration, artifacts)
  return {
    Name = name, ActionTypeId = { Category = category, Owner = "AWS", Provider = provider, Version = "1" },
    Configuration = configuration, InputArtifacts = artifacts.input and { { Name = artifacts.input } } or nil,
    OutputArtifacts = artifacts.output and { { Name = artifacts.output } } or nil,
  }
end

local function source(parts)
  return {
    Name = "Source", Actions = { action("Source", "Source", "CodeStarSourceConnection", {
      ConnectionArn = parts.connection_arn, FullRepositoryId = parts.repository, BranchName = parts.branch,
      OutputArtifactFormat = "CODE_ZIP", DetectChanges = "true",
    }, { output = "source" }) },
  }
end

local function build(parts, name, artifacts, step)
  return {
    Name = name, Actions = { action(name, "Build", "CodeBuild", {
      ProjectName = parts.project.Name,
      EnvironmentVariables = step and json.encode(json.array { { name = "STEP", type = "PLAINTEXT", value = step } }),
    }, artifacts) },
  }
end

--- Declares the pipeline `name`. parts = { role, artifacts (bucket), project, connection_arn, repository, branch,
--- approval }. Returns it.
return function(stack, name, parts)
  local stages = { source(parts) }
  if parts.approval then
    stages[2] = build(parts, "Plan", { input = "source", output = "plan" }, "plan")
    stages[3] = { Name = "Approve", Actions = { action("Approve", "Approval", "Manual", {
      CustomData = "Look at the plan in the log of the build before.",
    }, {}) } }
    stages[4] = build(parts, "Apply", { input = "plan" }, "apply")
  else
    stages[2] = build(parts, "Deploy", { input = "source" })
  end
  return stack:resource("AWS::CodePipeline::Pipeline", name .. "-pipeline", {
    Name = ("%s-%s"):format(stack.name, name), RoleArn = parts.role.Arn,
    PipelineType = "V2", ExecutionMode = parts.approval and "QUEUED" or "SUPERSEDED",
    ArtifactStore = { Type = "S3", Location = parts.artifacts.BucketName },
    Stages = stages,
  })
end
