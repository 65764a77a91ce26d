-- Infra::ECR::Image: an image in an ECR repository, pushed with ECR's own calls: no Docker, no registry protocol. The
-- vocabulary is in handler/schema.lua.
--
-- It comes from an OCI image layout on disk, or is the built-in bootstrap image, which lets a stack create a function
-- before there is an application. With OnlyIfEmpty it is pushed only into a repository without any tagged image; from
-- then on the resource stands for the newest one there is, so that a function that is made anew gets what the pipeline
-- has built. Whether a function that exists follows is its own option: { ignore_drift = { "Code" } } leaves the
-- pipeline's images alone.

local layout = require "infra.oci.layout"
local oci = require "infra.oci"
local push = require "infra.resources.ecr_push"

local BOOTSTRAP <const> = "bootstrap"

-- Lambda's names of architectures -> those of images.
local ARCHITECTURES = { x86_64 = "amd64", arm64 = "arm64" }

local function image_of(scope)
  if (scope.Source or BOOTSTRAP) == BOOTSTRAP then
    return oci.bootstrap()
  end
  return layout.open(scope.Source, ARCHITECTURES[scope.Architecture or "x86_64"])
end

-- What an image index is of no use for: Lambda takes single images only.
local INDEXES = {
  ["application/vnd.oci.image.index.v1+json"] = true,
  ["application/vnd.docker.distribution.manifest.list.v2+json"] = true,
}

-- The newest tagged image of a repository, nil when it has none; or nil and an error. What builders push beside images
-- has no tag.
local function newest(op, repository)
  local output, err = op.context.client:all("ecr", "DescribeImages",
    { repositoryName = repository, filter = { tagStatus = "TAGGED" } }, { region = op.region })
  if err then
    return nil, err.code ~= "RepositoryNotFoundException" and err or nil
  end
  local found
  for _, image in ipairs(output.imageDetails or {}) do
    if not INDEXES[image.imageManifestMediaType] and (not found or image.imagePushedAt > found.imagePushedAt) then
      found = image
    end
  end
  return found
end

local function uri(op, repository, digest)
  local context = op.context
  local domain = context.partition == "aws-cn" and "amazonaws.com.cn" or "amazonaws.com"
  return ("%s.dkr.ecr.%s.%s/%s@%s"):format(context.account, op.region, domain, repository, digest)
end

local function create(op, scope)
  local values = { RepositoryName = scope.RepositoryName, Pushed = false }
  local existing, err
  if scope.OnlyIfEmpty then
    existing, err = newest(op, scope.RepositoryName)
  end
  if existing then
    values.ImageDigest = existing.imageDigest
  elseif not err then
    local image
    image, err = image_of(scope)
    if image then
      values.ImageDigest, values.Pushed = image.digest, true
      local _
      _, err = push.image(op, scope.RepositoryName, image, scope.ImageTag)
    end
  end
  values.ImageUri = values.ImageDigest and uri(op, scope.RepositoryName, values.ImageDigest)
  return not err and values or nil, err
end

local function observe(op, scope)
  local found, err
  if scope.OnlyIfEmpty then
    found, err = newest(op, scope.RepositoryName)
  else
    found, err = push.describe(op, scope.RepositoryName, { imageDigest = scope.ImageDigest })
  end
  if not found then
    return nil, err
  end
  local values = {
    RepositoryName = scope.RepositoryName, ImageDigest = scope.ImageDigest, Pushed = scope.Pushed,
    ImageUri = uri(op, scope.RepositoryName, found.imageDigest),
  }
  local source = not scope.OnlyIfEmpty and image_of(scope)
  if source and source.digest ~= scope.ImageDigest then -- other contents than those that were pushed
    values.Source = ("%s as of %s"):format(scope.Source or BOOTSTRAP, scope.ImageDigest)
  end
  return { values = values }
end

local function check(properties, report)
  local architecture = properties.Architecture or "x86_64"
  if not ARCHITECTURES[architecture] then
    report("Architecture", "must be \"x86_64\" or \"arm64\"")
  elseif (properties.Source or BOOTSTRAP) == BOOTSTRAP then
    local built_in = oci.bootstrap().architecture
    if built_in ~= ARCHITECTURES[architecture] then
      report("Architecture", ("cannot be %s: the built-in bootstrap image is for %s"):format(architecture, built_in))
    end
  end
end

local DELETE = {
  "BatchDeleteImage", send = { "RepositoryName=repositoryName" },
  encode = function(params, scope)
    params.imageIds = { { imageDigest = scope.ImageDigest } }
  end,
  failures = { "failures", code = "failureCode", message = "failureReason" },
}

local spec = {
  service = "ecr",
  identity = { "RepositoryName", "ImageDigest" },
  within = "RepositoryName",
  create_first = true, -- a function may still run the old one
  typical = { create = 3, delete = 1 },
  defaults = { Source = BOOTSTRAP, Architecture = "x86_64", OnlyIfEmpty = false },
  recorded = { "OnlyIfEmpty" },
  check = check,
  create = { covers = { "RepositoryName", "Source", "ImageTag", "Architecture" }, run = create },
  observe = observe,
  delete = {
    run = function(op, known)
      if not known.Pushed then -- it was there before
        return true
      end
      local output, err = op:send(DELETE, known)
      return output ~= nil or err.code == "ImageNotFound" or err.code == "RepositoryNotFoundException", err
    end,
  },
}

local TEXT, FLAG = { type = "string" }, { type = "boolean" }

local definition = {
  properties = {
    RepositoryName = { type = TEXT, required = true, replacement = "yes", documentation = "The repository." },
    Source = { type = TEXT, replacement = "yes", default = BOOTSTRAP,
      documentation = "An OCI image layout on disk, a directory or a tar file; or \"bootstrap\" for the built-in image "
        .. "that answers GET /health/ and nothing else." },
    ImageTag = { type = TEXT, replacement = "yes",
      documentation = "The image's tag; by default one that follows from its contents." },
    Architecture = { type = TEXT, replacement = "yes", default = "x86_64",
      documentation = "x86_64 or arm64: which image of a layout with several is taken." },
    OnlyIfEmpty = { type = FLAG, default = false,
      documentation = "Push it only into a repository that has no tagged image; otherwise the resource stands for the "
        .. "newest one there." },
  },
  attributes = {
    ImageUri = { type = TEXT, documentation = "The image, named by its digest, as AWS::Lambda::Function takes it." },
    ImageDigest = { type = TEXT, documentation = "The digest of its manifest." },
    Pushed = { type = FLAG, documentation = "Whether the resource has pushed it, or found it." },
  },
  primary_identifier = { "ImageUri" },
}

return {
  --- Registers the type; called by infra.resources.
  register = function(resources)
    resources.add("Infra::ECR::Image", definition, spec)
  end,
}
