-- Versions of functions in the simulated Lambda, $LATEST among them. Operations of infra.sim.lambda, and what the other
-- files of this folder need of them.

local entities = require "infra.sim.lambda.entities"
local image = require "infra.sim.lambda.image"
local json = require "host.json"
local merged = require "infra.merged"
local settings = require "infra.sim.lambda.settings"

local versions = { operations = {} }
local operations = versions.operations
local fail, invalid = entities.fail, entities.invalid

local PUBLISHING <const> = 5 -- seconds until a new version is active

--- A version as lists show it: without what changes by itself.
function versions.listed_view(ctx, fn, version, qualifier)
  qualifier = qualifier or version.Version ~= "$LATEST" and version.Version or nil
  local shown = {
    FunctionName = fn.FunctionName,
    FunctionArn = entities.arn(ctx, fn.FunctionName, qualifier),
    Version = version.Version,
    RevisionId = version.RevisionId,
    LastModified = entities.time(version.modified_at),
  }
  settings.show(shown, version.settings)
  image.show(shown, version.code)
  return shown
end

--- A version as FunctionConfiguration; its ARN has the qualifier that it was asked for by.
function versions.view(ctx, fn, version, qualifier)
  return merged(versions.listed_view(ctx, fn, version, qualifier), entities.state(ctx, version))
end

--- Orders versions (anything with Version) as Lambda lists them.
function versions.sort_key(version)
  return ("%010d"):format(tonumber(version.Version) or 0)
end

-- What makes one version differ from another.
local function content(latest)
  return json.encode { latest.settings, latest.code }
end

--- Makes a version of $LATEST, or returns the last one when nothing has changed since. `description` (or nil) is the
--- version's own.
function versions.publish(ctx, fn, latest, description)
  local kind, text = "version/" .. fn.FunctionName, content(latest)
  local last = fn.published and ctx.store:get(kind, fn.published.Version)
  if last and fn.published.content == text then
    return last
  end
  local version = {
    Version = tostring(fn.numbers + 1),
    settings = {},
    code = latest.code,
    active_at = math.max(latest.active_at, latest.updated_at or 0, ctx.now()) + PUBLISHING,
    failure = latest.failure,
  }
  for member, value in pairs(latest.settings) do
    version.settings[member] = value
  end
  version.settings.Description = description or latest.settings.Description
  entities.revise(ctx, version)
  entities.put_version(ctx, fn, version)
  fn.numbers, fn.published = fn.numbers + 1, { Version = version.Version, content = text }
  entities.put(ctx, fn)
  return version
end

function operations.PublishVersion(ctx, params)
  local fn = entities.find(ctx, params)
  local latest = entities.latest(ctx, fn)
  entities.check_settled(ctx, fn)
  entities.check_revision(ctx, params, latest)
  local digest = latest.code.digest:gsub("^sha256:", "")
  if params.CodeSha256 and params.CodeSha256 ~= digest then
    invalid(ctx, "CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the "
      .. "CodeSHA256 in $LATEST.", params.CodeSha256, digest)
  end
  return versions.view(ctx, fn, versions.publish(ctx, fn, latest, params.Description))
end

function operations.ListVersionsByFunction(ctx, params)
  local fn, found = entities.find(ctx, params), {}
  for _, version in ctx.store:each("version/" .. fn.FunctionName) do
    found[#found + 1] = versions.listed_view(ctx, fn, version, version.Version)
  end
  return entities.listed(ctx, params, "Versions", found, versions.sort_key)
end

--- Deletes one version, to which no alias may point.
function versions.delete(ctx, fn, qualifier)
  local name = fn.FunctionName
  if qualifier == "$LATEST" then
    invalid(ctx, "$LATEST version cannot be deleted without deleting the function.")
  elseif not qualifier:find("^%d+$") then
    invalid(ctx, "Aliases cannot be deleted with DeleteFunction.")
  end
  local version = entities.version(ctx, fn, qualifier)
  local users = {}
  for alias_name, alias in ctx.store:each("alias/" .. name) do
    if alias.FunctionVersion == version.Version or alias.weights[version.Version] then
      users[#users + 1] = alias_name
    end
  end
  if #users > 0 then
    fail(ctx, "ResourceConflictException", "Version %s cannot be deleted because it is referenced by aliases: [%s]",
      version.Version, table.concat(users, ", "))
  end
  ctx.store:delete("version/" .. name, version.Version)
  ctx.store:delete("provisioned/" .. name, version.Version)
  ctx.store:delete("policy", name .. "/" .. version.Version)
end

return versions
