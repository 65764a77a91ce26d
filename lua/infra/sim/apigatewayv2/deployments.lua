-- Deployments of the simulated API Gateway: what an API was at a time. Operations of infra.sim.apigatewayv2, and what
-- stages.lua, which makes them, needs of them. Kept with `at`, when it is through, and `failed`, why it is not.

local entities = require "infra.sim.apigatewayv2.entities"

local deployments = { operations = {} }
local operations = deployments.operations

local DEPLOYING <const> = 5 -- seconds; "less than ten"

function deployments.view(ctx, _, deployment)
  local deployed = ctx.now() >= deployment.at
  return {
    AutoDeployed = deployment.AutoDeployed,
    CreatedDate = deployment.CreatedDate,
    DeploymentId = deployment.DeploymentId,
    DeploymentStatus = not deployed and "PENDING" or deployment.failed and "FAILED" or "DEPLOYED",
    DeploymentStatusMessage = deployed and deployment.failed or nil,
    Description = deployment.Description,
  }
end

--- Why an API cannot be deployed as it is, or nil.
function deployments.obstacle(ctx, api)
  if not entities.each(ctx, api, "route")() then
    return "Unable to deploy API because no routes exist in this API"
  end
end

--- Begins a deployment; `members` are its own.
function deployments.create(ctx, api, members)
  members.CreatedDate = ctx.now()
  members.at = ctx.now() + DEPLOYING
  members.failed = deployments.obstacle(ctx, api)
  entities.put(ctx, api, "deployment", members)
  return members
end

operations.GetDeployment = entities.getter("deployment", deployments.view)
operations.GetDeployments = entities.lister("deployment", deployments.view)

function operations.DeleteDeployment(ctx, params)
  local api, deployment = entities.named(ctx, params, "deployment")
  for name, stage in entities.each(ctx, api, "stage") do
    local id = deployment.DeploymentId
    if stage.DeploymentId == id or stage.rollout and stage.rollout.id == id then
      entities.bad_request(ctx, "Active stages pointing to this deployment must be moved or deleted: %s", name)
    end
  end
  entities.delete(ctx, api, "deployment", deployment)
end

return deployments
