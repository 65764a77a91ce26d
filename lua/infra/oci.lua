-- Container images made without Docker: of files, and of the built-in bootstrap program. Used by resources/ecr_image,
-- which pushes them.
--
--   image = {
--     digest, media_type, manifest = text,   the manifest, exactly as it is to be pushed
--     architecture = "amd64" | "arm64",
--     blobs = { { digest, size, read = function(offset, length) -> bytes | nil, err }, ... },   layers, then the config
--   }
--
-- Images from disk (oci/layout) have the same form. Format: the OCI image specification 1.1.

local compress = require "host.compress"
local crypto = require "host.crypto"
local json = require "host.json"
local tar = require "infra.oci.tar"

local oci = {}

local MANIFEST <const> = "application/vnd.oci.image.manifest.v1+json"
local CONFIG <const> = "application/vnd.oci.image.config.v1+json"
local LAYER <const> = "application/vnd.oci.image.layer.v1.tar+gzip"

local function digest_of(bytes)
  return "sha256:" .. crypto.hex(crypto.sha256(bytes))
end

local function blob(bytes)
  return {
    digest = digest_of(bytes), size = #bytes,
    read = function(offset, length)
      return bytes:sub(offset + 1, offset + length)
    end,
  }
end

local function descriptor(media_type, one)
  return { mediaType = media_type, digest = one.digest, size = one.size }
end

--- An image with one layer. fields: files = { { name, mode, data }, ... } (paths without the first slash), entrypoint =
--- list, architecture. Equal fields give an equal image.
function oci.build(fields)
  local archive = tar.write(fields.files)
  local layer = blob(compress.deflate(archive, { gzip = true, level = 9 }))
  local config = blob(json.encode {
    architecture = fields.architecture, os = "linux", history = json.array {},
    config = { Entrypoint = json.array(fields.entrypoint), WorkingDir = "/" },
    rootfs = { type = "layers", diff_ids = { digest_of(archive) } },
  })
  local manifest = json.encode {
    schemaVersion = 2, mediaType = MANIFEST, config = descriptor(CONFIG, config), layers = { descriptor(LAYER, layer) },
  }
  return {
    digest = digest_of(manifest), media_type = MANIFEST, manifest = manifest, architecture = fields.architecture,
    blobs = { layer, config },
  }
end

-- What a program in ELF format was built for (e_machine).
local MACHINES = { [62] = "amd64", [183] = "arm64" }

local bootstrap

--- The image of the built-in bootstrap program (bootstrap/main.c). The same table at every call.
function oci.bootstrap()
  if not bootstrap then
    local program = require("host.modules").text "bootstrap"
    bootstrap = oci.build {
      files = { { name = "bootstrap", mode = tonumber("755", 8), data = program } }, entrypoint = { "/bootstrap" },
      architecture = MACHINES[string.unpack("<I2", program, 19)],
    }
  end
  return bootstrap
end

return oci
