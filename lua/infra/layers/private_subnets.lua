-- The subnets of layers that are in the network only where the stack has one. Used by layers/compute and layers/data.

local errors = require "infra.errors"
local source = require "infra.engine.source"

--- Ids of the private subnets of the layer called `name`, by its options `network` and `security`; nil without a
--- network. Throws where the network's security groups are missing.
return function(name, options)
  if not options.network then
    return nil
  elseif not options.security then
    errors.raise { code = "MissingOption", source = source.here(),
      message = ("layer %s: with a network, option 'security' is required"):format(name) }
  end
  local ids = {}
  for i, subnet in ipairs(options.network.private_subnets) do
    ids[i] = subnet.SubnetId
  end
  return ids
end
