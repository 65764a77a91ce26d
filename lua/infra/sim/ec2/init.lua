-- The simulated EC2, as far as networks go: operation name -> function(ctx, params) -> output, for infra.sim.
-- Behaviour, error codes and messages follow the EC2 API reference and the VPC user guide.

local parts = require "infra.sim.parts"

local PARTS = {
  "zones", "vpcs", "subnets", "gateways", "interfaces", "addresses", "nat_gateways", "route_tables", "routes",
  "prefix_lists", "security_groups", "security_group_rules", "endpoints", "tags",
}

return parts("infra.sim.ec2", PARTS, function(_, operation)
  return function(ctx, params)
    if params.DryRun then
      ctx:fail("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    end
    return operation(ctx, params)
  end
end)
