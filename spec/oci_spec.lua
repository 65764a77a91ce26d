-- Images made of files, and images read from disk.

local compress = require "host.compress"
local crypto = require "host.crypto"
local fs = require "host.fs"
local json = require "host.json"
local layout = require "infra.oci.layout"
local oci = require "infra.oci"
local program = require "spec.support.program"
local tar = require "infra.oci.tar"
local temporary = require "spec.support.temporary"

local INDEX <const> = "application/vnd.oci.image.index.v1+json"

local function digest_of(bytes)
  return "sha256:" .. crypto.hex(crypto.sha256(bytes))
end

local function all(blob)
  return assert(blob.read(0, blob.size))
end

local FILES <const> = {
  { name = "bootstrap", mode = tonumber("755", 8), data = "\127ELF" .. ("x"):rep(1000) },
  { name = "etc/a", mode = tonumber("644", 8), data = ("y"):rep(512) }, { name = "etc/empty", mode = 0, data = "" },
}

local function build(architecture)
  return oci.build { files = FILES, entrypoint = { "/bootstrap" }, architecture = architecture or "amd64" }
end

describe("an image of files", function()
  local directory, remove = temporary()
  teardown(remove)

  it("has a plain manifest, the config and one layer, all by their digests", function()
    local image = build()
    local layer, config = image.blobs[1], image.blobs[2]
    local manifest = json.decode(image.manifest)
    assert.equal(digest_of(image.manifest), image.digest)
    assert.same({ image.media_type, "application/vnd.oci.image.manifest.v1+json" },
      { manifest.mediaType, image.media_type })
    assert.same({ digest = config.digest, size = config.size, mediaType = "application/vnd.oci.image.config.v1+json" },
      manifest.config)
    assert.same({ { digest = layer.digest, size = layer.size,
      mediaType = "application/vnd.oci.image.layer.v1.tar+gzip" } }, manifest.layers)
    for _, blob in ipairs(image.blobs) do
      assert.equal(blob.digest, digest_of(all(blob)))
    end
    local about = json.decode(all(config))
    assert.same({ "amd64", "linux", { "/bootstrap" } }, { about.architecture, about.os, about.config.Entrypoint })
    -- diff_ids name the archives before they are compressed.
    assert.equal(digest_of(compress.inflate(all(layer), { gzip = true })), about.rootfs.diff_ids[1])
  end)

  it("is the same whenever it is made", function()
    assert.equal(build().digest, build().digest)
    assert.not_equal(build().digest, build("arm64").digest)
  end)

  it("has an archive that tar reads", function()
    local path = directory .. "/layer.tar.gz"
    assert(fs.write(path, all(build().blobs[1])))
    local listed = program.run { argv = { "tar", "--utc", "-tvzf", path } }
    assert.equal("", listed.stderr)
    assert.matches("^-rwxr%-xr%-x root/root%s+1004 1970%-01%-01 00:00 bootstrap\n", listed.stdout)
    assert.matches("-rw%-r%-%-r%-%- root/root%s+512 1970%-01%-01 00:00 etc/a\n", listed.stdout)
    local extracted = program.run { argv = { "tar", "-xOzf", path, "bootstrap" } }
    assert.equal(FILES[1].data, extracted.stdout)
  end)

  it("has parts of its blobs", function()
    local blob = build().blobs[2]
    assert.equal(all(blob), blob.read(0, 10) .. blob.read(10, blob.size - 10))
  end)

  it("of the bootstrap program is small, and for the architecture that the program is for", function()
    local image = oci.bootstrap()
    assert.is_true(image.blobs[1].size < 1 << 20)
    local elf = { amd64 = 62, arm64 = 183 }
    assert.equal(string.unpack("<I2", require("host.modules").text "bootstrap", 19), elf[image.architecture])
    assert.equal(image.digest, oci.bootstrap().digest)
  end)
end)

describe("an image on disk", function()
  local directory, remove = temporary()
  teardown(remove)
  local counter = 0

  -- The descriptors of images, whose blobs go to `blobs` (digest -> bytes).
  local function add(blobs, ...)
    local manifests = json.array {}
    for i, image in ipairs { ... } do
      for _, blob in ipairs(image.blobs) do
        blobs[blob.digest] = all(blob)
      end
      blobs[image.digest] = image.manifest
      manifests[i] = { mediaType = image.media_type, digest = image.digest, size = #image.manifest }
    end
    return { schemaVersion = 2, mediaType = INDEX, manifests = manifests }
  end

  -- Writes a layout; returns its path, and those of its files by name.
  local function write(index, blobs)
    counter = counter + 1
    local path = ("%s/layout-%d"):format(directory, counter)
    assert(fs.mkdir(path .. "/blobs/sha256"))
    assert(fs.write(path .. "/index.json", type(index) == "string" and index or json.encode(index)))
    for digest, bytes in pairs(blobs) do
      assert(fs.write(path .. "/blobs/sha256/" .. digest:match ":(.*)", bytes))
    end
    return path
  end

  local function check(image)
    local expected = build()
    assert.same({ expected.digest, expected.media_type, expected.manifest, "amd64" },
      { image.digest, image.media_type, image.manifest, image.architecture })
    for i, blob in ipairs(expected.blobs) do
      assert.same({ blob.digest, blob.size }, { image.blobs[i].digest, image.blobs[i].size })
      assert.equal(all(blob), image.blobs[i].read(0, 7) .. image.blobs[i].read(7, blob.size - 7))
    end
  end

  it("is read from a directory", function()
    local blobs = {}
    check(assert(layout.open(write(add(blobs, build()), blobs), "amd64")))
  end)

  it("is read from a tar file, ours and that of tar", function()
    local blobs = {}
    local index = add(blobs, build())
    local path = write(index, blobs)
    for i, names in ipairs { "index.json blobs", "." } do
      local archive = ("%s-%d.tar"):format(path, i)
      program.run { argv = { "sh", "-c", ("tar -cf %s -C %s %s"):format(archive, path, names) } }
      check(assert(layout.open(archive, "amd64")))
    end
    local files = { { name = "index.json", mode = 0, data = json.encode(index) } }
    for digest, bytes in pairs(blobs) do
      files[#files + 1] = { name = "blobs/sha256/" .. digest:match ":(.*)", mode = 0, data = bytes }
    end
    assert(fs.write(path .. "-3.tar", tar.write(files)))
    check(assert(layout.open(path .. "-3.tar", "amd64")))
  end)

  it("is the one for the wanted architecture, without what builders add", function()
    local blobs = {}
    local provenance = build "unknown"
    local inner = json.encode(add(blobs, build "arm64", build(), provenance))
    local digest = digest_of(inner)
    blobs[digest] = inner
    local artifact = json.encode { config = { mediaType = "application/vnd.oci.empty.v1+json", digest = "sha256:00" } }
    blobs[digest_of(artifact)] = artifact
    local index = { schemaVersion = 2, manifests = {
      { mediaType = INDEX, digest = digest, size = #inner },
      { mediaType = "application/vnd.oci.image.manifest.v1+json", digest = digest_of(artifact), size = #artifact },
    } }
    check(assert(layout.open(write(index, blobs), "amd64")))
  end)

  it("must be the only one", function()
    local blobs = {}
    local other = oci.build { files = {}, entrypoint = {}, architecture = "amd64" }
    local path = write(add(blobs, build(), other), blobs)
    local none, err = layout.open(path, "amd64")
    assert.is_nil(none)
    assert.equal("BadImage", err.code)
    assert.matches("more than one image for amd64", err.message)
    none, err = layout.open(path, "arm64")
    assert.is_nil(none)
    assert.matches("no image for arm64; architectures in it: amd64, amd64", err.message)
  end)

  it("is refused when it is broken, with the reason", function()
    local function refused(index, blobs, reason)
      local none, err = layout.open(write(index, blobs), "amd64")
      assert.is_nil(none)
      assert.equal("BadImage", err.code)
      assert.matches(reason, err.message)
    end
    local blobs = {}
    local index = add(blobs, build())
    refused(index, {}, "there is no blob sha256:")
    refused("{", {}, "index.json is damaged")
    refused("[1]", {}, "no image")
    refused('{"manifests":"x"}', {}, "no image")
    refused({ manifests = { { mediaType = INDEX, digest = "../../secret" } } }, {}, "no blob")
    refused({ manifests = { { mediaType = INDEX } } }, {}, "no blob")
    for digest in pairs(blobs) do
      local damaged = setmetatable({}, { __index = blobs })
      for name, bytes in pairs(blobs) do
        damaged[name] = name == digest and "{}" or bytes
      end
      if digest ~= build().blobs[1].digest then -- ECR itself compares the layer with its digest
        refused(index, damaged, "damaged")
      end
    end
    local loop = json.encode { manifests = { { mediaType = INDEX, digest = "sha256:00" } } }
    local digest = digest_of(loop)
    refused({ manifests = { { mediaType = INDEX, digest = digest } } }, { [digest] = loop }, "no blob")
  end)

  it("is refused when there is none", function()
    local file = directory .. "/file"
    for text, reason in pairs {
      ["no archive"] = "no index.json", [("x"):rep(2000)] = "no tar archive", [""] = "no index.json",
      [tar.write { { name = "a", mode = 0, data = "b" } }] = "no index.json",
      [tar.write({ { name = "a", mode = 0, data = ("b"):rep(5000) } }):sub(1, 3000)] = "no index.json",
    } do
      assert(fs.write(file, text))
      local none, err = layout.open(file, "amd64")
      assert.is_nil(none)
      assert.matches(reason, err.message)
    end
    local none, err = layout.open(directory .. "/none", "amd64")
    assert.is_nil(none)
    assert.matches("there is no such file", err.message)
  end)

  it("says when a blob has become shorter", function()
    local blobs = {}
    local path = write(add(blobs, build()), blobs)
    local image = assert(layout.open(path, "amd64"))
    assert(fs.write(path .. "/blobs/sha256/" .. image.blobs[1].digest:match ":(.*)", "x"))
    local none, err = image.blobs[1].read(0, image.blobs[1].size)
    assert.is_nil(none)
    assert.equal("BadImage", err.code)
  end)
end)
