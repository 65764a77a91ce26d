-- Functions of the simulated Lambda: making, showing, deleting. Operations of infra.sim.lambda.

local entities = require "infra.sim.lambda.entities"
local image = require "infra.sim.lambda.image"
local network = require "infra.sim.lambda.network"
local settings = require "infra.sim.lambda.settings"
local tags = require "infra.sim.lambda.tags"
local versions = require "infra.sim.lambda.versions"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

-- Seconds until a new function is active, on its own and in a VPC.
local CREATING, CONNECTING = 10, 30

function operations.CreateFunction(ctx, params)
  local name, qualifier = entities.reference(ctx, params)
  if qualifier then
    invalid(ctx, "A function's name cannot have a qualifier when it is created.")
  elseif params.PackageType ~= "Image" then
    invalid(ctx, "The simulated Lambda has functions with the PackageType Image only.")
  elseif ctx.store:get("function", name) then
    fail(ctx, "ResourceConflictException", "Function already exist: %s", name)
  end
  local arn = entities.arn(ctx, name)
  local fn = { FunctionName = name, arn = arn, numbers = 0, tags = tags.merged(ctx, {}, params.Tags) }
  local kept = settings.merged(ctx, params, name)
  local latest = {
    Version = "$LATEST",
    settings = kept,
    code = image.resolved(ctx, params.Code, params.Architectures),
    active_at = ctx.now() + (kept.VpcConfig and CONNECTING or CREATING),
    failure = network.obstacle(ctx, kept.VpcConfig),
  }
  entities.revise(ctx, latest)
  image.claim(ctx, latest.code, arn)
  entities.put(ctx, fn)
  entities.put_version(ctx, fn, latest)
  network.settle(ctx)
  return versions.view(ctx, fn, params.Publish and versions.publish(ctx, fn, latest) or latest)
end

-- Tags and concurrency belong to the function as a whole.
function operations.GetFunction(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  local version = entities.version(ctx, fn, qualifier)
  return {
    Configuration = versions.view(ctx, fn, version, qualifier),
    Code = image.location(version.code),
    Tags = not qualifier and next(fn.tags) and fn.tags or nil,
    Concurrency = not qualifier and fn.reserved and { ReservedConcurrentExecutions = fn.reserved } or nil,
  }
end

function operations.GetFunctionConfiguration(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  return versions.view(ctx, fn, entities.version(ctx, fn, qualifier), qualifier)
end

function operations.ListFunctions(ctx, params)
  local found = {}
  for name, fn in ctx.store:each "function" do
    for _, version in ctx.store:each("version/" .. name) do
      if entities.get(ctx, "function", name) and (params.FunctionVersion == "ALL" or version.Version == "$LATEST") then
        found[#found + 1] = versions.listed_view(ctx, fn, version)
      end
    end
  end
  return entities.listed(ctx, params, "Functions", found, function(shown)
    return shown.FunctionName .. ":" .. versions.sort_key(shown)
  end)
end

local function delete_all(ctx, fn)
  local name = fn.FunctionName
  for _, prefix in ipairs(entities.parts) do
    for key in ctx.store:each(prefix .. name) do
      ctx.store:delete(prefix .. name, key)
    end
  end
  for key in ctx.store:each "policy" do
    if key:sub(1, #name + 1) == name .. "/" then
      ctx.store:delete("policy", key)
    end
  end
  ctx.store:delete("function", name)
end

-- Without a qualifier everything goes: versions, aliases, permissions. The network interfaces stay for a while.
function operations.DeleteFunction(ctx, params)
  local fn, qualifier = entities.find(ctx, params)
  if qualifier then
    versions.delete(ctx, fn, qualifier)
  else
    delete_all(ctx, fn)
  end
  network.settle(ctx)
end

return { operations = operations }
