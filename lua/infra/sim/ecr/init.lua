-- The simulated Elastic Container Registry: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour
-- by the ECR API reference: repositories with their policies and tags, uploads of layers, images.

local parts = require "infra.sim.parts"

return parts("infra.sim.ecr", { "repositories", "policies", "tags", "layers", "images", "image_listing" })
