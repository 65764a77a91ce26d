-- The simulated S3: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the S3 API reference
-- and the User Guide: buckets and their configurations, objects with versions, uploads in parts.

local checksums = require "infra.sim.s3.checksums"

local operations = {}
for _, part in ipairs { "buckets", "facets", "acl", "objects", "listing", "multipart" } do
  for name, operation in pairs(require("infra.sim.s3." .. part).operations) do
    operations[name] = function(ctx, params)
      checksums.check(ctx, name)
      return operation(ctx, params)
    end
  end
end
return operations
