-- An image on disk, as a builder leaves it: oci_layout(directory, name, contents) writes one with these contents as an
-- OCI layout and returns its path and the image.

local fs = require "host.fs"
local json = require "host.json"
local oci = require "infra.oci"

return function(directory, name, contents)
  local image = oci.build {
    files = { { name = "app", mode = 0, data = contents } }, entrypoint = { "/app" }, architecture = "amd64",
  }
  local path = directory .. "/" .. name
  assert(fs.mkdir(path .. "/blobs/sha256"))
  for _, blob in ipairs(image.blobs) do
    assert(fs.write(path .. "/blobs/sha256/" .. blob.digest:match ":(.*)", blob.read(0, blob.size)))
  end
  assert(fs.write(path .. "/blobs/sha256/" .. image.digest:match ":(.*)", image.manifest))
  assert(fs.write(path .. "/index.json", json.encode { manifests = {
    { mediaType = image.media_type, digest = image.digest, size = #image.manifest },
  } }))
  return path, image
end
