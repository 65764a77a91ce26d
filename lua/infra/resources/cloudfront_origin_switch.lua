-- Infra::CloudFront::OriginSwitch: while it exists, what a distribution would ask one of its origins it asks another
-- host, as in a failover to another region. The vocabulary is in handler/schema.lua.
--
-- The distribution is another stack's, and keeps everything else: its names, certificate, firewall and DNS records. So
-- the switch is one call to CloudFront, and needs nothing of the region that is gone. A distribution of its own for the
-- recovery region would need a certificate and a web ACL, which are made in us-east-1, and the name, which CloudFront
-- gives to one distribution only (CNAMEAlreadyExists; AssociateAlias moves it, but only to one that has all that).
--
-- The switch is an origin more in the distribution, called like the one that it stands for and a suffix, to which the
-- behaviours are pointed; the first origin stays. All that is needed to go back is thereby in the distribution itself:
-- deleting the resource points them back, and so does the next run of the stack that the distribution belongs to.

local contains = require "infra.contains"
local errors = require "infra.errors"
local joined = require "infra.joined"
local merged = require "infra.merged"
local wait = require "infra.handler.wait"

local SUFFIX <const> = "-switched"
local LIMIT <const> = 5400 -- seconds
local ATTEMPTS <const> = 3 -- somebody else may change the distribution between the look at it and the change

local GET, UPDATE = { "GetDistribution" }, { "UpdateDistribution" }

-- -- configurations ---------------------------------------------------------------------------------------------------

local function behaviours(config)
  return joined({ config.DefaultCacheBehavior }, (config.CacheBehaviors or {}).Items)
end

-- Index and origin, or nil.
local function origin_of(config, id)
  for i, origin in ipairs(config.Origins.Items) do
    if origin.Id == id then
      return i, origin
    end
  end
end

local function is_used(config, id)
  for _, behaviour in ipairs(behaviours(config)) do
    if behaviour.TargetOriginId == id then
      return true
    end
  end
  return false
end

local function retarget(config, from, to)
  for _, behaviour in ipairs(behaviours(config)) do
    behaviour.TargetOriginId = behaviour.TargetOriginId == from and to or behaviour.TargetOriginId
  end
  config.Origins.Quantity = #config.Origins.Items
end

-- Both change `config` and return whether there is anything to send.
local function switch(config, scope)
  local id, items = scope.OriginId .. SUFFIX, config.Origins.Items
  local _, origin = origin_of(config, scope.OriginId)
  if not origin then
    return false
  end
  items[origin_of(config, id) or #items + 1] = merged(origin, {
    Id = id, DomainName = scope.DomainName, OriginPath = scope.OriginPath or "",
  })
  retarget(config, scope.OriginId, id)
  return true
end

local function switch_back(config, scope)
  local index = origin_of(config, scope.OriginId .. SUFFIX)
  if not index then
    return false
  end
  table.remove(config.Origins.Items, index)
  retarget(config, scope.OriginId .. SUFFIX, scope.OriginId)
  return true
end

-- -- calls ------------------------------------------------------------------------------------------------------------

local function fail(op, code, message, hint)
  return errors.fail { code = code, resource = op.address, source = op.source, service = "cloudfront",
    message = message, hint = hint }
end

-- The id of this account's distribution that answers for the host name, or nil and an error.
local function find(op, alias)
  local output, err = op.context.client:all("cloudfront", "ListDistributions", {}, { region = op.region })
  if not output then
    return nil, err
  end
  for _, distribution in ipairs(output.DistributionList.Items or {}) do
    if contains((distribution.Aliases or {}).Items, alias:lower()) then
      return distribution.Id
    end
  end
  return fail(op, "NoDistribution", "no distribution of this account answers for " .. alias,
    "the stack that has the distribution must have been applied, in this account")
end

-- The distribution's GetDistribution output; nil when there is none; or nil and an error.
local function get(op, id)
  local output, err = op:get(GET, { Id = id })
  if err and err.code == "NoSuchDistribution" then
    return nil
  end
  return output, err
end

local function deployed(op, id)
  op.report "waiting until it is Deployed"
  return wait.poll(op, op.expected_seconds, op.timeout or LIMIT, function()
    local output, err = get(op, id)
    if not output then
      return not err or nil, err
    end
    return output.Distribution.Status == "Deployed" or nil
  end)
end

-- Changes the distribution scope.DistributionId by edit(config, scope), and waits until all edges know. Returns true,
-- false when there was nothing to change, or nil and an error.
local function change(op, scope, edit)
  local id, updated, err = scope.DistributionId, nil, nil
  for _ = 1, ATTEMPTS do
    local current, problem = get(op, id)
    if problem then
      return nil, problem
    end
    local config = current and current.Distribution.DistributionConfig
    if not config or not edit(config, scope) then
      return false
    end
    updated, err = op:mutate(UPDATE, { Id = id, IfMatch = current.ETag, DistributionConfig = config })
    if updated or err.code ~= "PreconditionFailed" then
      break
    end
  end
  if not updated then
    return nil, err
  end
  return deployed(op, id)
end

local function switch_on(op, scope)
  local changed, err = change(op, scope, switch)
  if changed == false then
    return fail(op, "NoOrigin", ("the distribution %s has no origin %s"):format(scope.DistributionId, scope.OriginId))
  end
  return changed, err
end

-- -- the type ---------------------------------------------------------------------------------------------------------

local spec = {
  service = "cloudfront", region = "us-east-1",
  identity = { "DistributionId", "OriginId" },
  typical = { create = 150, update = 150, delete = 150 },
  create = {
    covers = { "Alias", "OriginId", "DomainName", "OriginPath" },
    run = function(op, scope)
      local id, err = find(op, scope.Alias)
      if not id then
        return nil, err
      end
      local values = merged(scope, { DistributionId = id })
      local ok
      ok, err = switch_on(op, values)
      return ok and values, err
    end,
  },
  observe = function(op, scope)
    local output, err = get(op, scope.DistributionId)
    local config = output and output.Distribution.DistributionConfig
    local _, origin = origin_of(config or { Origins = { Items = {} } }, scope.OriginId .. SUFFIX)
    if not origin or is_used(config, scope.OriginId) then -- nobody asks it, or not everybody
      return nil, err
    end
    return {
      values = {
        DistributionId = scope.DistributionId, OriginId = scope.OriginId, Alias = scope.Alias,
        DomainName = origin.DomainName, OriginPath = origin.OriginPath,
      },
    }
  end,
  facets = { { properties = { "DomainName", "OriginPath" }, write = switch_on } },
  delete = {
    run = function(op, known)
      local changed, err = change(op, known, switch_back)
      return changed ~= nil, err
    end,
  },
}

local TEXT = { type = "string" }

return {
  --- Registers the type; called by infra.resources.
  register = function(resources)
    resources.add("Infra::CloudFront::OriginSwitch", {
      properties = {
        Alias = { type = TEXT, required = true, replacement = "yes",
          documentation = "A host name that the distribution answers for." },
        OriginId = { type = TEXT, required = true, replacement = "yes",
          documentation = "The distribution's origin that is not to be asked any more." },
        DomainName = { type = TEXT, required = true, documentation = "The host that is asked instead." },
        OriginPath = { type = TEXT, default = "", documentation = "What that host has before every path." },
      },
      attributes = { DistributionId = { type = TEXT, documentation = "The distribution's id." } },
      primary_identifier = { "DistributionId", "OriginId" },
    }, spec)
  end,
}
