-- The simulated API Gateway, version 2: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by
-- the API Gateway V2 API reference: HTTP and WebSocket APIs with their integrations, routes, stages and deployments.

local operations = {}
for _, part in ipairs { "apis", "integrations", "routes", "stages", "deployments", "tags" } do
  for name, operation in pairs(require("infra.sim.apigatewayv2." .. part).operations) do
    operations[name] = operation
  end
end
return operations
