-- The simulated CodeConnections. A connection stays PENDING: no person completes its handshake here. Behaviour is that
-- of its API reference. Kept in the region's store, kind "connection", by ARN: { connection, tags }.

local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local tagging = require "infra.sim.tagging"

local codeconnections = {}

local function find(ctx, arn)
  local stored = ctx.store:get("connection", arn)
  if not stored then
    ctx:fail("ResourceNotFoundException", ("Connection not found: %s"):format(arn), 400)
  end
  return stored
end

-- Names need not be unique, and there is no token: a second call makes a second connection.
function codeconnections.CreateConnection(ctx, params)
  if (params.ProviderType == nil) == (params.HostArn == nil) then
    ctx:fail("InvalidInputException", "Exactly one of ProviderType and HostArn must be given", 400)
  elseif #params.ConnectionName > 32 then
    ctx:fail("InvalidInputException", "ConnectionName is longer than 32 characters", 400)
  end
  local arn = arns.of(ctx, "codeconnections", "connection/" .. ctx.uuid())
  ctx.store:put("connection", arn, {
    connection = { ConnectionArn = arn, ConnectionName = params.ConnectionName, ProviderType = params.ProviderType,
      HostArn = params.HostArn, OwnerAccountId = ctx.account, ConnectionStatus = "PENDING" },
    tags = tagging.merge({}, params.Tags),
  })
  return { ConnectionArn = arn, Tags = params.Tags }
end

function codeconnections.GetConnection(ctx, params)
  return { Connection = find(ctx, params.ConnectionArn).connection }
end

function codeconnections.ListConnections(ctx, params)
  local items = {}
  for _, stored in ctx.store:each("connection") do
    if not params.ProviderTypeFilter or stored.connection.ProviderType == params.ProviderTypeFilter then
      items[#items + 1] = stored.connection
    end
  end
  local page, token = paging.page(ctx, items, function(item) return item.ConnectionArn end, params.NextToken,
    params.MaxResults or 100)
  return { Connections = page or {}, NextToken = token }
end

function codeconnections.DeleteConnection(ctx, params)
  find(ctx, params.ConnectionArn)
  ctx.store:delete("connection", params.ConnectionArn)
  return {}
end

tagging.add_operations(codeconnections, {
  find = function(ctx, params)
    local stored = find(ctx, params.ResourceArn)
    return stored, function() ctx.store:put("connection", params.ResourceArn, stored) end
  end,
})

codeconnections.tagged = {
  connection = function(_, stored) return { arn = stored.connection.ConnectionArn, tags = stored.tags } end,
}

return codeconnections
