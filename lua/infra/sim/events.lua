-- The simulated EventBridge: rules of the default and other buses, and their targets. No event ever comes. Behaviour is
-- that of its API reference. Kept in the region's store, kind "rule", by "BUS/NAME": { rule, targets by id, tags }.

local json = require "host.json"
local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local principals = require "infra.sim.iam.principals"
local tagging = require "infra.sim.tagging"

local events = {}

local MAX_TARGETS <const> = 5

local fail = Failure.thrower()

local function bus_of(params)
  return (params.EventBusName or "default"):match "[^/]*$"
end

local function find(ctx, params, name)
  local key = bus_of(params) .. "/" .. name
  local stored = ctx.store:get("rule", key)
  if not stored then
    fail(ctx, "ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, bus_of(params))
  end
  return stored, key
end

local function arn_of(ctx, params)
  local bus = bus_of(params)
  return arns.of(ctx, "events", ("rule/%s%s"):format(bus == "default" and "" or bus .. "/", params.Name))
end

function events.PutRule(ctx, params)
  if not params.EventPattern and not params.ScheduleExpression then
    fail(ctx, "ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
  elseif params.EventPattern and type(json.decode(params.EventPattern)) ~= "table" then
    fail(ctx, "InvalidEventPatternException", "Event pattern is not valid. Reason: Filter is not an object")
  elseif params.RoleArn and not principals.assumable_by(ctx, params.RoleArn, "events.amazonaws.com") then
    fail(ctx, "ValidationException", "Provided role '%s' cannot be assumed by principal 'events.amazonaws.com'.",
      params.RoleArn)
  end
  local key = bus_of(params) .. "/" .. params.Name
  local existing = ctx.store:get("rule", key)
  ctx.store:put("rule", key, {
    rule = {
      Name = params.Name, Arn = arn_of(ctx, params), EventPattern = params.EventPattern, State = params.State or
        "ENABLED", Description = params.Description, ScheduleExpression = params.ScheduleExpression,
      RoleArn = params.RoleArn, EventBusName = bus_of(params), CreatedBy = ctx.account,
    },
    targets = existing and existing.targets or {},
    tags = existing and existing.tags or tagging.merge({}, params.Tags), -- later tags are ignored
  })
  return { RuleArn = arn_of(ctx, params) }
end

function events.DescribeRule(ctx, params)
  return (find(ctx, params, params.Name)).rule
end

function events.ListRules(ctx, params)
  local items, prefix = {}, params.NamePrefix or ""
  for _, stored in ctx.store:each("rule") do
    local rule = stored.rule
    if rule.EventBusName == bus_of(params) and rule.Name:sub(1, #prefix) == prefix then
      items[#items + 1] = rule
    end
  end
  local limit = params.Limit or 100
  local page, token = paging.page(ctx, items, function(rule) return rule.Name end, params.NextToken, limit)
  if not page then
    fail(ctx, "ValidationException", "The token is not valid.")
  end
  return { Rules = page, NextToken = token }
end

function events.PutTargets(ctx, params)
  local stored, key = find(ctx, params, params.Rule)
  local failed, count = {}, 0
  for _ in pairs(stored.targets) do
    count = count + 1
  end
  for _, target in ipairs(params.Targets) do
    if not stored.targets[target.Id] and count >= MAX_TARGETS then
      fail(ctx, "LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    elseif not target.Arn:find "^arn:" then -- told in an answer that succeeds
      failed[#failed + 1] = { TargetId = target.Id, ErrorCode = "ValidationException",
        ErrorMessage = "Parameter " .. target.Arn .. " is not valid. Reason: Provided Arn is not in correct format." }
    else
      count = count + (stored.targets[target.Id] and 0 or 1)
      stored.targets[target.Id] = target
    end
  end
  ctx.store:put("rule", key, stored)
  return { FailedEntryCount = #failed, FailedEntries = failed }
end

function events.ListTargetsByRule(ctx, params)
  local stored, targets = find(ctx, params, params.Rule), {}
  for _, target in pairs(stored.targets) do
    targets[#targets + 1] = target
  end
  table.sort(targets, function(a, b) return a.Id < b.Id end)
  return { Targets = targets }
end

function events.RemoveTargets(ctx, params)
  local stored, key = find(ctx, params, params.Rule)
  for _, id in ipairs(params.Ids) do
    stored.targets[id] = nil
  end
  ctx.store:put("rule", key, stored)
  return { FailedEntryCount = 0, FailedEntries = {} }
end

function events.DeleteRule(ctx, params)
  local key = bus_of(params) .. "/" .. params.Name
  local stored = ctx.store:get("rule", key)
  if stored and next(stored.targets) then
    fail(ctx, "ValidationException", "Rule can't be deleted since it has targets.")
  end
  ctx.store:delete("rule", key)
  return {}
end

tagging.add_operations(events, {
  find = function(ctx, params)
    for key, stored in ctx.store:each("rule") do
      if stored.rule.Arn == params.ResourceARN then
        return stored, function() ctx.store:put("rule", key, stored) end
      end
    end
    fail(ctx, "ResourceNotFoundException", "Rule %s does not exist.", params.ResourceARN)
  end,
})

events.tagged = {
  rule = function(_, stored) return { arn = stored.rule.Arn, tags = stored.tags } end,
}

return events
