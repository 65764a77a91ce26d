-- Functions of the simulated CloudFront, with their two stages. Kept in the account's global store, kind "function", by
-- name: { name, arn, etag, development, live = { config, code (base64), at, etag }, created_at, tags }.

local crypto = require "host.crypto"
local merged = require "infra.merged"

local arns = require "infra.sim.arns"
local distributions = require "infra.sim.cloudfront.distributions"
local tagging = require "infra.sim.tagging"
local versions = require "infra.sim.cloudfront.versions"

local functions = { operations = {} }
local operations = functions.operations

local CODE_LIMIT <const> = 10240

local function find(ctx, name)
  local found = ctx.global:get("function", name)
  if not found then
    ctx:fail("NoSuchFunctionExists", "The function does not exist.", 404)
  end
  return found
end

local function stage_of(ctx, found, stage)
  if stage == "LIVE" and not found.live then
    ctx:fail("NoSuchFunctionExists", "The function does not exist in the stage LIVE.", 404)
  end
  return stage == "LIVE" and found.live or found.development
end

local function summary(ctx, found, stage)
  local version = stage == "LIVE" and found.live or found.development
  local associated = distributions.uses(ctx, found.arn)
  return {
    Name = found.name, FunctionConfig = version.config,
    Status = stage == "LIVE" and (associated and "ASSOCIATED" or "UNASSOCIATED") or "UNPUBLISHED",
    FunctionMetadata = { FunctionARN = found.arn, Stage = stage or "DEVELOPMENT", CreatedTime = found.created_at,
      LastModifiedTime = version.at },
  }
end

local function check_code(ctx, code)
  if #code > CODE_LIMIT then
    ctx:fail("FunctionSizeLimitExceeded", "The function is larger than 10 KB.", 413)
  end
end

local function version_of(ctx, params)
  check_code(ctx, params.FunctionCode)
  return { config = params.FunctionConfig, code = crypto.base64(params.FunctionCode), at = ctx.now(),
    etag = versions.id(ctx) }
end

function operations.CreateFunction(ctx, params)
  if ctx.global:get("function", params.Name) then
    ctx:fail("FunctionAlreadyExists", "A function with the same name already exists in this AWS account.", 409)
  end
  local version = version_of(ctx, params)
  local found = {
    name = params.Name, arn = arns.global(ctx, "cloudfront", "function/" .. params.Name),
    etag = version.etag, development = version, created_at = ctx.now(),
    tags = tagging.merge(nil, (params.Tags or {}).Items),
  }
  ctx.global:put("function", params.Name, found)
  return { FunctionSummary = summary(ctx, found), ETag = found.etag }
end

function operations.DescribeFunction(ctx, params)
  local found = find(ctx, params.Name)
  return { FunctionSummary = summary(ctx, found, params.Stage), ETag = stage_of(ctx, found, params.Stage).etag }
end

function operations.GetFunction(ctx, params)
  local version = stage_of(ctx, find(ctx, params.Name), params.Stage)
  return { FunctionCode = crypto.unbase64(version.code), ETag = version.etag, ContentType = "application/octet-stream" }
end

function operations.UpdateFunction(ctx, params)
  local found = find(ctx, params.Name)
  versions.check(ctx, found, params.IfMatch)
  found.development = version_of(ctx, params)
  found.etag = found.development.etag
  ctx.global:put("function", found.name, found)
  return { FunctionSummary = summary(ctx, found), ETag = found.etag }
end

function operations.PublishFunction(ctx, params)
  local found = find(ctx, params.Name)
  versions.check(ctx, found, params.IfMatch)
  found.live = merged(found.development, { etag = versions.id(ctx) })
  ctx.global:put("function", found.name, found)
  return { FunctionSummary = summary(ctx, found, "LIVE") }
end

function operations.DeleteFunction(ctx, params)
  local found = find(ctx, params.Name)
  versions.check(ctx, found, params.IfMatch)
  if distributions.uses(ctx, found.arn) then
    ctx:fail("FunctionInUse", "Cannot delete the function, it's attached to one or more cache behaviors.", 409)
  end
  ctx.global:delete("function", found.name)
  return {}
end

function operations.ListFunctions(ctx, params)
  local items = {}
  for _, found in ctx.global:each("function") do
    if params.Stage ~= "LIVE" or found.live then
      items[#items + 1] = summary(ctx, found, params.Stage)
    end
  end
  return { FunctionList = versions.list(ctx, items, function(item) return item.Name end, params) }
end

return functions
