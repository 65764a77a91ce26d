-- The simulated Elastic Container Registry: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour
-- by the ECR API reference: repositories with their policies and tags, uploads of layers, images.

local operations = {}
for _, part in ipairs { "repositories", "policies", "tags", "layers", "images", "image_listing" } do
  for name, operation in pairs(require("infra.sim.ecr." .. part).operations) do
    operations[name] = operation
  end
end
return operations
