-- Infra::HostedZone: the public hosted zone that a domain is in, which somebody else made. It is looked up by name,
-- never changed and never deleted; when it is another one later, what refers to it moves there.

local dns_name = require "infra.resources.dns_name"
local errors = require "infra.errors"
local merged = require "infra.merged"

local hosted_zone = {}

-- The zones of the longest name that `domain` is within. Several zones may have the same.
local function candidates(zones, domain)
  local found, longest = {}, 0
  for _, zone in ipairs(zones) do
    local is_public = not (zone.Config and zone.Config.PrivateZone)
    if is_public and dns_name.is_within(domain, zone.Name) and #zone.Name >= longest then
      found = #zone.Name == longest and found or {}
      longest = #zone.Name
      found[#found + 1] = zone
    end
  end
  return found
end

local function look_up(op, scope)
  local output, err = op.context.client:all("route53", "ListHostedZones", {}, { region = op.region })
  if not output then
    return nil, err
  end
  local found = candidates(output.HostedZones, scope.DomainName)
  if #found > 1 then
    local ids = {}
    for i, zone in ipairs(found) do
      ids[i] = zone.Id:match "[^/]+$"
    end
    return errors.fail { code = "SeveralHostedZones", resource = op.address, source = op.source,
      message = ("%d public hosted zones are called %s: %s"):format(#found, found[1].Name, table.concat(ids, ", ")),
      hint = "name one by its id" }
  end
  return found[1] and { Id = found[1].Id:match "[^/]+$", Name = found[1].Name }
end

local spec = {
  service = "route53", region = "us-east-1",
  identity = { "Id" },
  create = {
    covers = { "DomainName" },
    run = function(op, scope)
      local found, err = look_up(op, scope)
      if not found and not err then
        return errors.fail { code = "NoHostedZone", resource = op.address, source = op.source,
          message = "this account has no public hosted zone for " .. scope.DomainName,
          hint = "make one (the edge layer does with zone = \"create\"), or use the account that has it" }
      end
      return found, err
    end,
  },
  observe = function(op, scope)
    local found, err = look_up(op, scope)
    return found and { values = merged(found, { DomainName = scope.DomainName }) }, err
  end,
  delete = {
    run = function()
      return true
    end,
  },
}

--- Registers the type; called by infra.resources.
function hosted_zone.register(resources)
  resources.add("Infra::HostedZone", {
    properties = { DomainName = { type = { type = "string" }, required = true, documentation = "A host name." } },
    attributes = { Id = { type = { type = "string" } }, Name = { type = { type = "string" } } },
    primary_identifier = { "Id" },
  }, spec)
end

return hosted_zone
