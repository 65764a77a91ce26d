-- A visitor of the application: finds by the rules of Route 53, CloudFront and API Gateway where a request ends, as far
-- as the simulated AWS tells. Requests themselves are not simulated.
--
--   local there = visitor(session, "app.example.com", "/api/habits")
--   -> { distribution = id, host = origin's host name, path = what it is asked, region, lambda = ARN of an alias }

-- Whether a behaviour's path pattern ("/api/*") is that of a path.
local function matches(pattern, path)
  return path:find("^" .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$") ~= nil
end

local function resolve(call, name)
  for _, zone in ipairs(call("route53", "ListHostedZones").HostedZones) do
    for _, record in ipairs(call("route53", "ListResourceRecordSets", { HostedZoneId = zone.Id }).ResourceRecordSets) do
      if record.Name == name .. "." and record.Type == "A" then
        return record.AliasTarget.DNSName:gsub("%.$", "")
      end
    end
  end
  error("no record for " .. name)
end

-- All distributions are behind the same addresses: the name that was asked for decides.
local function distribution_for(call, name)
  local all = call("cloudfront", "ListDistributions").DistributionList.Items
  local known = false
  local address = resolve(call, name)
  for _, distribution in ipairs(all) do
    known = known or distribution.DomainName == address
  end
  assert(known, "the record names no distribution")
  for _, distribution in ipairs(all) do
    for _, alias in ipairs(distribution.Aliases.Items or {}) do
      if alias == name then
        return distribution
      end
    end
  end
  error("no distribution answers for " .. name)
end

local function target_of(distribution, path)
  for _, behaviour in ipairs(distribution.CacheBehaviors.Items or {}) do
    if matches(behaviour.PathPattern, path) then
      return behaviour.TargetOriginId
    end
  end
  return distribution.DefaultCacheBehavior.TargetOriginId
end

-- Origins in the order in which they are asked.
local function origins_of(distribution, target)
  local members = { target }
  for _, group in ipairs(distribution.OriginGroups.Items or {}) do
    if group.Id == target then
      members = { group.Members.Items[1].OriginId, group.Members.Items[2].OriginId }
    end
  end
  local found = {}
  for _, origin in ipairs(distribution.Origins.Items) do
    for i, id in ipairs(members) do
      found[i] = origin.Id == id and origin or found[i]
    end
  end
  return found
end

-- What the default route of the API with this host name and stage calls.
local function integration(call, host, stage)
  local id, region = host:match "^(%w+)%.execute%-api%.([%w-]+)%.amazonaws%.com$"
  local where = { region = region }
  call("apigatewayv2", "GetStage", { ApiId = id, StageName = stage }, where)
  for _, route in ipairs(call("apigatewayv2", "GetRoutes", { ApiId = id }, where).Items) do
    if route.RouteKey == "$default" then
      local integration_id = route.Target:match "[^/]+$"
      return call("apigatewayv2", "GetIntegration", { ApiId = id, IntegrationId = integration_id }, where)
        .IntegrationUri, region
    end
  end
end

--- Follows https://NAME/PATH. `down`: { [region] = true } where no origin answers.
return function(session, name, path, down)
  local function call(service, operation, params, options)
    return assert(session.client:call(service, operation, params or {}, options))
  end
  local distribution = distribution_for(call, name)
  for _, origin in ipairs(origins_of(distribution, target_of(distribution, path))) do
    local region = origin.DomainName:match "%.([a-z]+%-[a-z]+%-%d)%.amazonaws%.com$"
    if not (down or {})[region] then
      local found = { distribution = distribution.Id, host = origin.DomainName, region = region,
        path = origin.OriginPath .. path }
      if origin.CustomOriginConfig then
        found.lambda = integration(call, origin.DomainName, origin.OriginPath:match "[^/]+$")
      end
      return found
    end
  end
end
