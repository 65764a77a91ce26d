-- The simulated Systems Manager, of which only Parameter Store is here: operation name -> function(ctx, params) ->
-- output, for infra.sim. Behaviour by the Systems Manager API reference and the User Guide's Parameter Store chapter.

local operations = {}
for _, part in ipairs { "parameters", "reading", "labels" } do
  for name, operation in pairs(require("infra.sim.ssm." .. part).operations) do
    operations[name] = operation
  end
end
return operations
