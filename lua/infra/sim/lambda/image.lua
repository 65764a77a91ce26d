-- The code of functions in the simulated Lambda: images in the simulated ECR. Used by functions.lua and updates.lua.
--
-- Code is kept as { uri = as the request has it, digest = "sha256:...", repository = its URI, architectures }.

local ecr = require "infra.sim.ecr.entities"
local ecr_images = require "infra.sim.ecr.images"
local ecr_policies = require "infra.sim.ecr.policies"
local entities = require "infra.sim.lambda.entities"

local image = {}
local invalid = entities.invalid

local ARCHITECTURES = { x86_64 = true, arm64 = true }
local FILES = { "ZipFile", "S3Bucket", "S3Key" }

-- "123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag" as account, name, ECR's image identifier.
local function parse(ctx, uri)
  local account, region, rest = uri:match("^(%d+)%.dkr%.ecr%.([%w-]+)%.amazonaws%.com/(.+)$")
  if not account or region ~= ctx.region then
    invalid(ctx, "Source image %s is not valid. Provide a valid source image.", uri)
  end
  local name, digest = rest:match("^(.-)@(sha256:%x+)$")
  if name then
    return account, name, { imageDigest = digest }
  end
  local tag
  name, tag = rest:match("^(.+):([^:/]+)$")
  return account, name or rest, { imageTag = tag or "latest" }
end

local function architectures(ctx, given)
  if given and (#given ~= 1 or not ARCHITECTURES[given[1]]) then
    invalid(ctx, "Exactly one of the architectures x86_64 and arm64 must be specified.")
  end
  return given
end

--- The code that a request means, checked. `given` has ImageUri; `wanted`: the request's Architectures or nil;
--- `current`: the code so far, if any. A tag is looked up now, once. Changes nothing.
function image.resolved(ctx, given, wanted, current)
  local uri = given.ImageUri
  for _, member in ipairs(FILES) do
    if given[member] or not uri then
      invalid(ctx, "Functions with the PackageType Image need an ImageUri and nothing else as their code.")
    end
  end
  local account, name, id = parse(ctx, uri)
  if account ~= ctx.account then
    entities.fail(ctx, "AccessDeniedException", "Lambda does not have permission to access the ECR image. Check the "
      .. "ECR permissions.")
  end
  local repository = ecr.get(ctx, "repository", name)
  local found = repository and ecr.image(ctx, repository, id)
  if not found then
    invalid(ctx, "Source image %s does not exist. Provide a valid source image.", uri)
  elseif ecr_images.is_index(found) then
    invalid(ctx, "The image manifest, config or layer media type for the source image %s is not supported.", uri)
  end
  return {
    uri = uri,
    digest = found.digest,
    repository = repository.repositoryUri,
    architectures = architectures(ctx, wanted) or current and current.architectures or { "x86_64" },
  }
end

--- Makes sure that Lambda may read the image.
function image.claim(ctx, code, function_arn)
  ecr_policies.allow_lambda(ctx, ecr.find(ctx, code.repository:match("/(.+)$")), function_arn)
end

--- Adds the code to a FunctionConfiguration.
function image.show(shown, code)
  shown.PackageType, shown.CodeSize = "Image", 0
  shown.CodeSha256 = code.digest:gsub("^sha256:", "")
  shown.Architectures = code.architectures
end

--- As GetFunction shows it.
function image.location(code)
  return { RepositoryType = "ECR", ImageUri = code.uri, ResolvedImageUri = code.repository .. "@" .. code.digest }
end

return image
