local World = require "spec.engine.world"
local calls = require "spec.resources.calls"
local crypto = require "host.crypto"
local fs = require "host.fs"
local json = require "host.json"
local merged = require "infra.merged"
local oci = require "infra.oci"
local oci_layout = require "spec.support.oci_layout"
local temporary = require "spec.support.temporary"

local REPOSITORY <const> = "demo-test-api"

describe("Infra::ECR::Image", function()
  local directory, remove = temporary()
  local world

  teardown(remove)
  before_each(function()
    world = World.new()
  end)
  after_each(function()
    world:close()
  end)

  local function declare(properties, repository, options)
    return World.declare(function(stack)
      local api = stack:resource("AWS::ECR::Repository", "api", repository or { EmptyOnDelete = true })
      local all = merged({ RepositoryName = api.RepositoryName }, properties)
      local image = stack:resource("Infra::ECR::Image", "image", all, options)
      stack:output("uri", image.ImageUri)
    end)
  end

  local function write_layout(name, contents)
    return oci_layout(directory, name, contents)
  end

  -- What the pipeline does: pushes another image of the same layers, and returns its digest.
  local function push_other(tag)
    return world:as_other(function(call)
      local image = oci.bootstrap()
      local manifest = json.decode(image.manifest)
      manifest.annotations = { tag = tag }
      local output = assert(call("ecr", "PutImage", { repositoryName = REPOSITORY, imageTag = tag,
        imageManifest = json.encode(manifest), imageManifestMediaType = image.media_type }))
      return output.image.imageId.imageDigest
    end)
  end

  local function uri(digest)
    return "123456789012.dkr.ecr.us-east-1.amazonaws.com/" .. REPOSITORY .. "@" .. digest
  end

  it("pushes the built-in image: every blob, then the manifest; and is the same afterwards", function()
    local declaration, image = declare {}, oci.bootstrap()
    local run = world:run(declaration)
    assert.same({ "CreateRepository", "BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart",
      "CompleteLayerUpload", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage" },
      calls.changes(run))
    local part = calls.params(run, "UploadLayerPart")[1]
    assert.same({ 0, image.blobs[1].size - 1 }, { part.partFirstByte, part.partLastByte })
    assert.equal(image.manifest, calls.params(run, "PutImage")[1].imageManifest)
    assert.equal(uri(image.digest), run.result.outputs.uri)
    world:unchanged(declaration)
    world:destroy(declaration)
    assert.same({}, world:census())
  end)

  it("pushes what the repository lacks", function()
    local declaration = declare({}, nil, { retain = true })
    world:run(declaration)
    local run = world:run(declare({ ImageTag = "again" }, nil, { retain = true }))
    assert.same({ "BatchCheckLayerAvailability", "PutImage" }, calls.changes(run))
  end)

  it("pushes large blobs in parts, one after the other and without gaps", function()
    local path, image = write_layout("large", crypto.random(11 << 20)) -- does not compress
    local size = image.blobs[1].size
    assert.is_true(size > 11 << 20)
    calls.with("ecr", {
      InitiateLayerUpload = function(original, ctx, params)
        local output = original(ctx, params)
        output.partSize = 5 << 20
        return output
      end,
    }, function()
      local run = world:run(declare { Source = path })
      local parts = calls.params(run, "UploadLayerPart")
      local expected = 0
      for i = 1, #parts - 1 do -- the last one is the config's
        assert.equal(expected, parts[i].partFirstByte)
        assert.is_true(parts[i].partLastByte - parts[i].partFirstByte < 5 << 20)
        expected = parts[i].partLastByte + 1
      end
      assert.equal(size, expected)
      assert.equal(uri(image.digest), run.result.outputs.uri)
    end)
  end)

  it("goes on where an upload stands, and begins anew when ECR has forgotten it", function()
    local lost, forgotten, exists, late = 0, nil, false, 0
    calls.with("ecr", {
      UploadLayerPart = function(original, ctx, params)
        lost = lost + 1
        if lost == 1 then -- received, but nobody hears of it; the repetition does not fit any more
          original(ctx, params)
          ctx:fail("ServerException", "lost", 500)
        end
        return original(ctx, params)
      end,
      CompleteLayerUpload = function(original, ctx, params)
        forgotten = forgotten or params.uploadId
        if forgotten == params.uploadId then
          ctx:fail("UploadNotFoundException", "The upload was not found.", 400)
        elseif not exists then
          exists = original(ctx, params)
          ctx:fail("LayerAlreadyExistsException", "somebody else was faster", 400)
        end
        return original(ctx, params)
      end,
      PutImage = function(original, ctx, params)
        late = late + 1
        if late < 3 then
          ctx:fail("LayersNotFoundException", "not everywhere yet", 400)
        end
        return original(ctx, params)
      end,
    }, function()
      local run = world:run(declare {})
      assert.equal(3, #calls.params(run, "InitiateLayerUpload"))
      assert.equal(3, late)
    end)
    world:unchanged(declare {})
  end)

  it("waits for a repository and an upload that are too new to be known", function()
    world:run(declare {}, { faults = { consistency = 20 } })
    world:unchanged(declare {})
  end)

  it("does not try for ever", function()
    calls.with("ecr", {
      UploadLayerPart = function(_, ctx)
        ctx:fail("InvalidLayerPartException", "no", 400, { lastValidByteReceived = -1 })
      end,
    }, function()
      local run = world:apply(declare {})
      assert.equal("InvalidLayerPartException", run.result.failures[1].code)
      assert.is_true(#calls.params(run, "UploadLayerPart") < 10)
    end)
  end)

  it("takes its tag only from itself", function()
    local immutable = { EmptyOnDelete = true, ImageTagMutability = "IMMUTABLE" }
    world:run(declare({ ImageTag = "v1" }, immutable, { retain = true }))
    -- The same image under the same tag is as good as pushed.
    local path, image = write_layout("tagged", "another")
    local run = world:apply(declare({ ImageTag = "v1", Source = path }, immutable, { retain = true }))
    assert.equal("ImageTagAlreadyExistsException", run.result.failures[1].code)
    assert.matches("leave out ImageTag", run.result.failures[1].hint)
    assert.equal(uri(image.digest), world:run(declare({ Source = path }, immutable)).result.outputs.uri)
  end)

  it("is pushed once, whatever happens to the answers", function()
    calls.with("ecr", {
      PutImage = function(original, ctx, params)
        original(ctx, params)
        return original(ctx, params)
      end,
    }, function()
      world:run(declare {})
    end)
    world:unchanged(declare {})
  end)

  it("is another one when the file has other contents, made before the old one goes", function()
    local path = write_layout("changing", "one")
    world:run(declare { Source = path })
    world:unchanged(declare { Source = path })
    local _, image = write_layout("changing", "two")
    assert.same({ image = "replace" }, world:planned(declare { Source = path }))
    local run = world:run(declare { Source = path })
    local changes = calls.changes(run)
    assert.same({ "PutImage", "BatchDeleteImage" }, { changes[#changes - 1], changes[#changes] })
    assert.equal(uri(image.digest), run.result.outputs.uri)
  end)

  it("does not need the file once it is pushed", function()
    local path = write_layout("gone", "one")
    world:run(declare { Source = path })
    assert(fs.rename(path, path .. "-elsewhere"))
    world:unchanged(declare { Source = path })
    local run = world:apply(declare { Source = path .. "-nowhere" })
    assert.equal("BadImage", run.result.failures[1].code)
  end)

  it("is pushed again when somebody deletes it", function()
    world:run(declare {})
    world:as_other(function(call)
      assert(call("ecr", "BatchDeleteImage",
        { repositoryName = REPOSITORY, imageIds = { { imageDigest = oci.bootstrap().digest } } }))
    end)
    assert.same({ image = "create" }, world:planned(declare {}))
  end)

  it("refuses an architecture that it has not, before anything is called", function()
    local other = oci.bootstrap().architecture == "amd64" and "arm64" or "x86_64"
    assert.has_error(function()
      declare { Architecture = other }
    end)
    assert.has_error(function()
      declare { Architecture = "sparc" }
    end)
  end)

  describe("with OnlyIfEmpty", function()
    it("is the first image of a repository, and then stands for the newest", function()
      local declaration = declare { OnlyIfEmpty = true }
      local run = world:run(declaration)
      assert.equal(uri(oci.bootstrap().digest), run.result.outputs.uri)
      local pushed = push_other "from-the-pipeline"
      world:unchanged(declaration)
      run = world:run(declaration)
      assert.same({}, calls.changes(run))
      assert.equal(uri(pushed), run.result.outputs.uri)
    end)

    it("is not pushed where there is another", function()
      local declaration = declare { OnlyIfEmpty = true }
      world:run(World.declare(function(stack)
        stack:resource("AWS::ECR::Repository", "api", { EmptyOnDelete = true })
        stack:resource("Infra::ECR::Image", "first", { RepositoryName = REPOSITORY },
          { depends_on = { "api" }, retain = true })
      end))
      local pushed = push_other "newer"
      local run = world:run(declaration)
      assert.same({}, calls.changes(run))
      assert.equal(uri(pushed), run.result.outputs.uri)
      -- Nor does it delete what it has not pushed.
      run = world:run(World.declare(function(stack)
        stack:resource("AWS::ECR::Repository", "api", { EmptyOnDelete = true })
      end))
      assert.same({}, calls.changes(run))
    end)

    it("is pushed again when the repository has become empty", function()
      local declaration = declare { OnlyIfEmpty = true }
      world:run(declaration)
      world:as_other(function(call)
        assert(call("ecr", "BatchDeleteImage",
          { repositoryName = REPOSITORY, imageIds = { { imageDigest = oci.bootstrap().digest } } }))
      end)
      assert.same({ image = "create" }, world:planned(declaration))
      assert.equal(uri(oci.bootstrap().digest), world:run(declaration).result.outputs.uri)
    end)

    it("goes with its repository", function()
      local declaration = declare { OnlyIfEmpty = true }
      world:run(declaration)
      world:as_other(function(call)
        assert(call("ecr", "DeleteRepository", { repositoryName = REPOSITORY, force = true }))
      end)
      assert.same({ api = "create", image = "create" }, world:planned(declaration))
      world:run(declaration)
      world:unchanged(declaration)
    end)
  end)
end)
