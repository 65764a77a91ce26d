-- The wire protocol of a service. Each protocol has encode, decode and decode_error (protocol.lua).
--
--   local codec = protocols.of(service.metadata)
--   local request, err = codec.encode(service, operation, params, { random = runtime.random })
--   ... send it ...
--   local output, err = codec.decode(service, operation, response)        for 2xx
--   local err = codec.decode_error(service, operation, response)          for all others

local contains = require "infra.contains"
local errors = require "infra.errors"

local protocols = {}

-- In order of preference, for the services whose models list several. Only the last three ever meet: JSON, because AWS
-- and every emulator answer it; then query; CBOR last, because emulators do not route its path (/service/...).
local ORDER = { "ec2", "rest-json", "rest-xml", "json", "query", "smithy-rpc-v2-cbor" }

local MODULES = {
  ["ec2"] = "ec2",
  ["rest-json"] = "rest_json",
  ["rest-xml"] = "rest_xml",
  ["json"] = "json",
  ["query"] = "query",
  ["smithy-rpc-v2-cbor"] = "cbor",
}

--- The name of the protocol to speak to a service with this metadata, nil when there is none.
function protocols.name(metadata)
  for _, name in ipairs(ORDER) do
    if name == metadata.protocol or contains(metadata.protocols, name) then
      return name
    end
  end
end

--- The protocol itself; nil and an error for a service that speaks none of them.
function protocols.of(metadata)
  local name = protocols.name(metadata)
  if not name then
    return errors.fail {
      code = "UnknownProtocol",
      message = ("%s speaks %s, which infra does not"):format(metadata.serviceId or "the service", metadata.protocol),
    }
  end
  return require("infra.aws.protocols." .. MODULES[name])
end

return protocols
