-- The simulated IAM: operation name -> function(ctx, params) -> output, for infra.sim. Behaviour by the IAM API
-- reference and "IAM and AWS STS quotas". Roles, managed policies and OpenID Connect providers are here; users, groups
-- and instance profiles are not.

local entities = require "infra.sim.iam.entities"
local parts = require "infra.sim.parts"

local NAME = { "^[%w_+=,.@-]+$", "[\\w+=,.@-]+" }

-- What the API reference demands of parameters, wherever they occur. `pattern`: for Lua, and as the reference has it.
local CONSTRAINTS = {
  RoleName = { longest = 64, pattern = NAME },
  PolicyName = { longest = 128, pattern = NAME },
  Path = { longest = 512, pattern = { "^%f[/][!-~]*/$", "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" } },
  Description = { longest = 1000 },
  MaxSessionDuration = { least = 3600, most = 43200 },
  MaxItems = { least = 1, most = 1000 },
  ClientID = { longest = 255 },
  Url = { longest = 255 },
}

local function problem(value, constraint)
  if constraint.longest and #value > constraint.longest then
    return "Member must have length less than or equal to " .. constraint.longest
  elseif constraint.pattern and not value:find(constraint.pattern[1]) then
    return "Member must satisfy regular expression pattern: " .. constraint.pattern[2]
  elseif constraint.least and value < constraint.least then
    return "Member must have value greater than or equal to " .. constraint.least
  elseif constraint.most and value > constraint.most then
    return "Member must have value less than or equal to " .. constraint.most
  end
end

local function checked(_, operation)
  return function(ctx, params)
    for name, constraint in pairs(CONSTRAINTS) do
      local broken = params[name] ~= nil and problem(params[name], constraint)
      if broken then
        entities.fail(ctx, "ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy "
          .. "constraint: %s", params[name], name:gsub("^%u", string.lower), broken)
      end
    end
    return operation(ctx, params)
  end
end

return parts("infra.sim.iam", { "roles", "role_policies", "policies", "providers", "authorization" }, checked)
