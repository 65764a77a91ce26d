-- Distributions of the simulated CloudFront. Kept in the account's global store: kind "distribution" by id: { id, arn,
-- etag, config, deployed_at, changed_at, domain, tags }; kind "invalidation/ID" by id.

local json = require "host.json"

local arns = require "infra.sim.arns"
local checks = require "infra.sim.cloudfront.checks"
local defaults = require "infra.sim.cloudfront.defaults"
local tagging = require "infra.sim.tagging"
local versions = require "infra.sim.cloudfront.versions"

local distributions = { operations = {} }
local operations = distributions.operations

local DEPLOY_SECONDS <const> = 240
local INVALIDATION_SECONDS <const> = 60
local NOBODY = { Enabled = false, Quantity = 0 }

local function find(ctx, id)
  local found = ctx.global:get("distribution", id)
  if not found then
    ctx:fail("NoSuchDistribution", "The specified distribution does not exist.", 404)
  end
  return found
end

--- Every distribution's id and what its configuration refers to, for checks before something is deleted.
function distributions.uses(ctx, text)
  for _, found in ctx.global:each("distribution") do
    local busy = ctx.now() < found.deployed_at and found.previous or nil -- edges still have the old configuration
    if json.encode(found.config):find(text, 1, true) or busy and json.encode(busy):find(text, 1, true) then
      return true
    end
  end
  return false
end

local function status(ctx, found)
  return ctx.now() < found.deployed_at and "InProgress" or "Deployed"
end

local function render(ctx, found)
  return {
    Id = found.id, ARN = found.arn, Status = status(ctx, found), LastModifiedTime = found.changed_at,
    InProgressInvalidationBatches = 0, DomainName = found.domain, DistributionConfig = found.config,
    ActiveTrustedSigners = NOBODY, ActiveTrustedKeyGroups = NOBODY,
  }
end

local function answer(ctx, found)
  return {
    Distribution = render(ctx, found), ETag = found.etag,
    Location = "https://cloudfront.amazonaws.com/2020-05-31/distribution/" .. found.id,
  }
end

-- -- the operations ---------------------------------------------------------------------------------------------------

local function create(ctx, config, tags)
  for _, other in ctx.global:each("distribution") do
    if other.config.CallerReference == config.CallerReference then
      ctx:fail("DistributionAlreadyExists", "The caller reference that you are using to create a distribution is " ..
        "associated with another distribution. Already exists: " .. other.id, 409)
    end
  end
  checks.configuration(ctx, config)
  local id = versions.id(ctx)
  local found = {
    id = id, arn = arns.global(ctx, "cloudfront", "distribution/" .. id),
    etag = versions.id(ctx), config = defaults.complete(config), changed_at = ctx.now(), tags = tags,
    deployed_at = ctx.now() + DEPLOY_SECONDS, domain = "d" .. ctx.unique(13) .. ".cloudfront.net",
  }
  ctx.global:put("distribution", id, found)
  return answer(ctx, found)
end

function operations.CreateDistribution(ctx, params)
  return create(ctx, params.DistributionConfig, {})
end

function operations.CreateDistributionWithTags(ctx, params)
  local config = params.DistributionConfigWithTags
  return create(ctx, config.DistributionConfig, tagging.merge(nil, config.Tags.Items))
end

function operations.GetDistribution(ctx, params)
  return answer(ctx, find(ctx, params.Id))
end

function operations.GetDistributionConfig(ctx, params)
  local found = find(ctx, params.Id)
  return { DistributionConfig = found.config, ETag = found.etag }
end

function operations.UpdateDistribution(ctx, params)
  local found, config = find(ctx, params.Id), params.DistributionConfig
  versions.check(ctx, found, params.IfMatch)
  if config.CallerReference ~= found.config.CallerReference then
    ctx:fail("IllegalUpdate", "The caller reference cannot be changed.", 400)
  end
  checks.configuration(ctx, config, found.id)
  found.previous, found.config = found.config, defaults.complete(config)
  found.etag, found.changed_at, found.deployed_at = versions.id(ctx), ctx.now(), ctx.now() + DEPLOY_SECONDS
  ctx.global:put("distribution", found.id, found)
  return answer(ctx, found)
end

function operations.DeleteDistribution(ctx, params)
  local found = find(ctx, params.Id)
  versions.check(ctx, found, params.IfMatch)
  if found.config.Enabled or status(ctx, found) ~= "Deployed" then
    ctx:fail("DistributionNotDisabled", "The specified CloudFront distribution is not disabled. You must disable " ..
      "the distribution before you can delete it.", 409)
  end
  ctx.global:delete("distribution", found.id)
  return {}
end

function operations.ListDistributions(ctx, params)
  local items = {}
  for _, found in ctx.global:each("distribution") do
    local item = { Id = found.id, ARN = found.arn, Status = status(ctx, found), DomainName = found.domain,
      LastModifiedTime = found.changed_at }
    for name, value in pairs(found.config) do
      if name ~= "CallerReference" and name ~= "Logging" and name ~= "DefaultRootObject" then
        item[name] = value
      end
    end
    items[#items + 1] = item
  end
  return { DistributionList = versions.list(ctx, items, function(item) return item.Id end, params) }
end

local function render_invalidation(ctx, stored)
  return { Id = stored.Id, CreateTime = stored.at, InvalidationBatch = stored.batch,
    Status = ctx.now() - stored.at < INVALIDATION_SECONDS and "InProgress" or "Completed" }
end

function operations.CreateInvalidation(ctx, params)
  local found, batch = find(ctx, params.DistributionId), params.InvalidationBatch
  local kind = "invalidation/" .. found.id
  checks.quantities(ctx, batch)
  for _, other in ctx.global:each(kind) do
    if other.batch.CallerReference == batch.CallerReference then
      if json.encode(other.batch) ~= json.encode(batch) then
        ctx:fail("InvalidationBatchAlreadyExists", "The caller reference belongs to another batch.", 400)
      end
      return { Invalidation = render_invalidation(ctx, other) }
    end
  end
  local stored = { Id = "I" .. ctx.unique(13), at = ctx.now(), batch = batch }
  ctx.global:put(kind, stored.Id, stored)
  return { Invalidation = render_invalidation(ctx, stored) }
end

function operations.GetInvalidation(ctx, params)
  local stored = ctx.global:get("invalidation/" .. find(ctx, params.DistributionId).id, params.Id)
  if not stored then
    ctx:fail("NoSuchInvalidation", "The specified invalidation does not exist.", 404)
  end
  return { Invalidation = render_invalidation(ctx, stored) }
end

return distributions
