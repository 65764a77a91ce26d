-- Repositories of the simulated ECR, and the way in for docker. Operations of infra.sim.ecr.

local crypto = require "host.crypto"
local arns = require "infra.sim.arns"
local entities = require "infra.sim.ecr.entities"
local kms = require "infra.sim.kms.entities"
local structures = require "infra.sim.structures"
local tags = require "infra.sim.ecr.tags"

local operations = {}
local fail, invalid = entities.fail, entities.invalid

local MUTABILITIES = { MUTABLE = true, IMMUTABLE = true }
local ENCRYPTIONS = { AES256 = true, KMS = true, KMS_DSSE = true }
local NAMES_LIMIT = 100
local TOKEN_LIFE <const> = 12 * 3600

local SHOWN = {
  "repositoryArn", "registryId", "repositoryName", "repositoryUri", "createdAt", "imageTagMutability",
  "imageScanningConfiguration", "encryptionConfiguration",
}

local function view(repository)
  return structures.pick(repository, SHOWN)
end

-- Path components of lower-case letters and digits, with single separators inside.
local function is_name(name)
  for component in (name .. "/"):gmatch("([^/]*)/") do
    if not component:find("^[%l%d][%l%d._-]*$") or component:find("[._-]$") or component:find("%.[._-]")
      or component:find("[_-]%.") then
      return false
    end
  end
  return #name >= 2 and #name <= 256
end

local function mutability(ctx, given)
  if given and not MUTABILITIES[given] then
    invalid(ctx, "imageTagMutability", "Member must satisfy enum value set: [IMMUTABLE, MUTABLE]")
  end
  return given or "MUTABLE"
end

local function encryption(ctx, given)
  local kind = given and given.encryptionType or "AES256"
  if not ENCRYPTIONS[kind] then
    invalid(ctx, "encryptionType", "Member must satisfy enum value set: [AES256, KMS, KMS_DSSE]")
  end
  local key = given and given.kmsKey
  local found = key and kms.usable(ctx, key)
  if key and (kind == "AES256" or not found) then
    fail(ctx, "KmsException", "The KMS key %s cannot be used.", key)
  end
  return { encryptionType = kind, kmsKey = found and found.Arn }
end

function operations.CreateRepository(ctx, params)
  local name = params.repositoryName
  if not is_name(name) then
    invalid(ctx, "repositoryName", "must satisfy regular expression "
      .. "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'")
  end
  local repository = {
    repositoryName = name,
    registryId = ctx.account,
    repositoryArn = arns.of(ctx, "ecr", "repository/" .. name),
    repositoryUri = ("%s.dkr.ecr.%s.amazonaws.com/%s"):format(ctx.account, ctx.region, name),
    createdAt = ctx.now(),
    imageTagMutability = mutability(ctx, params.imageTagMutability),
    imageScanningConfiguration = params.imageScanningConfiguration or { scanOnPush = false },
    encryptionConfiguration = encryption(ctx, params.encryptionConfiguration),
    tags = tags.merged(ctx, {}, params.tags),
  }
  if entities.store(ctx):get("repository", name) then
    fail(ctx, "RepositoryAlreadyExistsException",
      "The repository with name '%s' already exists in the registry with id '%s'", name, ctx.account)
  end
  entities.put(ctx, repository)
  return { repository = view(repository) }
end

function operations.DescribeRepositories(ctx, params)
  local found = {}
  if params.repositoryNames then
    if #params.repositoryNames > NAMES_LIMIT then
      invalid(ctx, "repositoryNames", "Member must have length less than or equal to %d", NAMES_LIMIT)
    end
    for i, name in ipairs(params.repositoryNames) do
      found[i] = view(entities.find(ctx, name, params.registryId))
    end
    return { repositories = found }
  end
  for name, repository in entities.store(ctx):each "repository" do
    found[#found + 1] = entities.get(ctx, "repository", name) and view(repository)
  end
  return entities.listed(ctx, params, "repositories", found, function(shown) return shown.repositoryName end)
end

function operations.DeleteRepository(ctx, params)
  local repository, store = entities.named(ctx, params), entities.store(ctx)
  local name = repository.repositoryName
  if not params.force and store:each("image/" .. name)() then
    fail(ctx, "RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted "
      .. "because it still contains images", name, ctx.account)
  end
  for _, prefix in ipairs(entities.contents) do
    for key in store:each(prefix .. name) do
      store:delete(prefix .. name, key)
    end
  end
  store:delete("repository", name)
  return { repository = view(repository) }
end

function operations.PutImageTagMutability(ctx, params)
  local repository = entities.named(ctx, params)
  repository.imageTagMutability = mutability(ctx, params.imageTagMutability)
  entities.put(ctx, repository)
  return entities.answer(ctx, repository, { imageTagMutability = repository.imageTagMutability })
end

function operations.PutImageScanningConfiguration(ctx, params)
  local repository = entities.named(ctx, params)
  repository.imageScanningConfiguration = { scanOnPush = params.imageScanningConfiguration.scanOnPush or false }
  entities.put(ctx, repository)
  return entities.answer(ctx, repository, { imageScanningConfiguration = repository.imageScanningConfiguration })
end

function operations.GetAuthorizationToken(ctx)
  return {
    authorizationData = { {
      authorizationToken = crypto.base64("AWS:" .. ctx.unique(64)),
      expiresAt = ctx.now() + TOKEN_LIFE,
      proxyEndpoint = ("https://%s.dkr.ecr.%s.amazonaws.com"):format(ctx.account, ctx.region),
    } },
  }
end

return { operations = operations }
