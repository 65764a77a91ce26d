-- The simulated API Gateway, version 2: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by
-- the API Gateway V2 API reference: HTTP and WebSocket APIs with their integrations, routes, stages and deployments.

local parts = require "infra.sim.parts"

return parts("infra.sim.apigatewayv2", { "apis", "integrations", "routes", "stages", "deployments", "tags" })
