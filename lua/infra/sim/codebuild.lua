-- The simulated CodeBuild: projects. Nothing is ever built. Behaviour is that of its API reference. Kept in the
-- region's store, kind "project", by name, as the API shows them.

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local merged = require "infra.merged"
local principals = require "infra.sim.iam.principals"
local tagging = require "infra.sim.tagging"

local codebuild = {}

local DEFAULTS = {
  timeoutInMinutes = 60, queuedTimeoutInMinutes = 480, projectVisibility = "PRIVATE",
  cache = { type = "NO_CACHE" }, badge = { badgeEnabled = false },
}
local MAX_NAMES <const> = 100

local fail = Failure.thrower()

local function check(ctx, project)
  if (project.source.type == "CODEPIPELINE") ~= (project.artifacts.type == "CODEPIPELINE") then
    fail(ctx, "InvalidInputException", "Invalid artifacts: artifact type must be CODEPIPELINE when source type is " ..
      "CODEPIPELINE")
  elseif project.source.type == "CODEPIPELINE" and project.source.location then
    fail(ctx, "InvalidInputException", "Invalid input: source location must not be specified for CODEPIPELINE")
  elseif not principals.assumable_by(ctx, project.serviceRole, "codebuild.amazonaws.com") then
    fail(ctx, "InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on service role. " ..
      "Please verify that: 1) The provided service role exists, 2) The role name is case-sensitive and matches " ..
      "exactly, and 3) The role has the necessary trust policy configured.")
  end
end

local function complete(ctx, project)
  for name, value in pairs(DEFAULTS) do
    if project[name] == nil then
      project[name] = value
    end
  end
  project.encryptionKey = project.encryptionKey or arns.of(ctx, "kms", "alias/aws/s3")
  project.artifacts.packaging = project.artifacts.packaging or "NONE"
  project.artifacts.encryptionDisabled = project.artifacts.encryptionDisabled or false
  project.lastModified = ctx.now()
  return project
end

function codebuild.CreateProject(ctx, params)
  if not params.name:find "^%w[%w_-]+$" or #params.name > 255 then
    fail(ctx, "InvalidInputException", "Invalid project name %s", params.name)
  elseif ctx.store:get("project", params.name) then
    fail(ctx, "ResourceAlreadyExistsException", "Project already exists: arn:%s:codebuild:%s:%s:project/%s",
      ctx.partition, ctx.region, ctx.account, params.name)
  end
  check(ctx, params)
  local project = complete(ctx, params)
  project.created = ctx.now()
  project.arn = arns.of(ctx, "codebuild", "project/" .. params.name)
  ctx.store:put("project", params.name, project)
  return { project = project }
end

-- What is left out stays, except tags: they are replaced, also by nothing.
function codebuild.UpdateProject(ctx, params)
  local existing = ctx.store:get("project", params.name)
  if not existing then
    fail(ctx, "ResourceNotFoundException", "Project cannot be found: %s", params.name)
  end
  local project = merged(existing, params)
  project.tags = params.tags
  check(ctx, project)
  ctx.store:put("project", params.name, complete(ctx, project))
  return { project = project }
end

function codebuild.BatchGetProjects(ctx, params)
  local projects, missing = {}, {}
  if #params.names > MAX_NAMES then
    fail(ctx, "InvalidInputException", "A call takes %d names at most", MAX_NAMES)
  end
  for _, name in ipairs(params.names) do
    local project = ctx.store:get("project", name:match "[^/]+$")
    table.insert(project and projects or missing, project or name)
  end
  return { projects = projects, projectsNotFound = missing }
end

function codebuild.ListProjects(ctx)
  local names = {}
  for name in ctx.store:each("project") do
    names[#names + 1] = name
  end
  return { projects = names }
end

-- Says nothing when there is none.
function codebuild.DeleteProject(ctx, params)
  ctx.store:delete("project", params.name:match "[^/]+$")
  return {}
end

codebuild.tagged = {
  project = function(_, project)
    return { arn = project.arn, tags = tagging.merge(nil, project.tags, "key", "value") }
  end,
}

return codebuild
