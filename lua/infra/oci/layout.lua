-- OCI image layouts on disk: a directory, or a tar file of one as `docker save` and `buildah push oci-archive:` write
-- it. Used by resources/ecr_image. Format: "Image Layout" and "Image Index" of the OCI image specification 1.1.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local tar = require "infra.oci.tar"

local layouts = {}

local KINDS = {
  ["application/vnd.oci.image.manifest.v1+json"] = "image",
  ["application/vnd.docker.distribution.manifest.v2+json"] = "image",
  ["application/vnd.oci.image.index.v1+json"] = "index",
  ["application/vnd.docker.distribution.manifest.list.v2+json"] = "index",
  ["application/vnd.oci.image.config.v1+json"] = "config",
  ["application/vnd.docker.container.image.v1+json"] = "config",
}

local function bad(path, message)
  return errors.fail { code = "BadImage", message = ("%s: %s"):format(path, message) }
end

-- A function(name) -> { path, offset, size } | nil for the files of a layout, or nil and an error.
local function open_files(path)
  local found = fs.stat(path)
  if not found then
    return bad(path, "there is no such file")
  elseif found.kind == "directory" then
    return function(name)
      local file = fs.stat(path .. "/" .. name)
      return file and { path = path .. "/" .. name, offset = 0, size = file.size }
    end
  end
  local members, err = tar.members(path, found.size)
  return members and function(name)
    return members[name]
  end, err
end

local MAX_DOCUMENT <const> = 4 << 20 -- ECR's limit for a manifest

local Layout = {}
Layout.__index = Layout

-- The file with a digest as a blob, or nil and an error.
function Layout:blob(digest)
  local hex = tostring(digest):match "^sha256:(%x+)$"
  local file = hex and self.file("blobs/sha256/" .. hex)
  if not file then
    return bad(self.path, ("there is no blob %s in it"):format(digest))
  end
  return {
    digest = digest, size = file.size,
    read = function(offset, length)
      return tar.read(file.path, file.offset + offset, length)
    end,
  }
end

-- A JSON document and its text, checked against its digest.
function Layout:document(digest)
  local one, err = self:blob(digest)
  if not one then
    return nil, err
  elseif one.size > MAX_DOCUMENT then
    return bad(self.path, digest .. " is too large")
  end
  local text
  text, err = one.read(0, one.size)
  local document = text and "sha256:" .. crypto.hex(crypto.sha256(text)) == digest and json.decode(text)
  if type(document) ~= "table" then
    return bad(self.path, text and digest .. " is damaged" or err.message)
  end
  return document, text
end

-- The image of a manifest, without its blobs; `architecture` is nil where the manifest is of something else than an
-- image: builders add provenance and signatures in this form.
local function read_image(layout, entry)
  local manifest, text = layout:document(entry.digest)
  if not manifest then
    return nil, text
  end
  local image = { digest = entry.digest, media_type = entry.mediaType, manifest = text, parts = {}, blobs = {} }
  local config, layers = manifest.config, manifest.layers
  if type(config) == "table" and KINDS[config.mediaType] == "config" and type(layers) == "table" then
    local about, err = layout:document(config.digest)
    if not about then
      return nil, err
    end
    image.architecture = about.architecture
    table.move(layers, 1, #layers, 1, image.parts)
    table.insert(image.parts, config)
  end
  return image
end

-- Adds the images that `index` lists, also in indexes inside it, to `images`. Returns true, or nil and an error.
local function collect(layout, index, images, depth)
  for _, entry in ipairs(type(index.manifests) == "table" and index.manifests or {}) do
    local kind = KINDS[entry.mediaType]
    local found, err = true, nil
    if kind == "index" and depth > 0 then
      found, err = layout:document(entry.digest)
      if found then
        found, err = collect(layout, found, images, depth - 1)
      end
    elseif kind == "image" then
      found, err = read_image(layout, entry)
      images[#images + 1] = found
    end
    if not found then
      return nil, err
    end
  end
  return true
end

local function read_index(layout)
  local file = layout.file "index.json"
  if not file then
    return bad(layout.path, "it has no index.json: it is not an OCI image layout")
  end
  local text, err = tar.read(file.path, file.offset, math.min(file.size, MAX_DOCUMENT))
  local index = text and json.decode(text)
  if type(index) ~= "table" then
    return bad(layout.path, text and "its index.json is damaged" or err.message)
  end
  return index
end

-- The only one of the images that is for `architecture`.
local function choose(layout, images, architecture)
  local fitting, found = {}, {}
  for i, image in ipairs(images) do
    found[i] = image.architecture or "none"
    fitting[#fitting + 1] = image.architecture == architecture and image or nil
  end
  if #fitting ~= 1 then
    return bad(layout.path, ("it has %s image for %s; architectures in it: %s"):format(#fitting == 0 and "no"
      or "more than one", architecture, #found > 0 and table.concat(found, ", ") or "none"))
  end
  return fitting[1]
end

--- The image for `architecture` in the layout at `path`, or nil and an error.
function layouts.open(path, architecture)
  local file, err = open_files(path)
  if not file then
    return nil, err
  end
  local layout = setmetatable({ path = path, file = file }, Layout)
  local index, image
  index, err = read_index(layout)
  local images = {}
  local ok = index
  if index then
    ok, err = collect(layout, index, images, 2)
  end
  if ok then
    image, err = choose(layout, images, architecture)
  end
  for i, part in ipairs(image and image.parts or {}) do
    image.blobs[i], err = layout:blob(part.digest)
    if err then
      return nil, err
    end
  end
  return image, err
end

return layouts
