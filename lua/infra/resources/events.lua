-- EventBridge rules and their targets. The vocabulary is in handler/schema.lua.
--
-- A rule is put, which makes one or overwrites what has its name: the name is looked up first. What a put leaves out is
-- gone. Targets are the rule's, with calls that answer "200" and list what they did not do.

local joined = require "infra.joined"
local json = require "host.json"

local CONSISTENCY = {
  { "ConcurrentModificationException", 60 },
  { "ValidationException", 120, message = "cannot be assumed by principal" }, -- a role that is seconds old
  { "InternalException", 60 },
}

local FAILED_ENTRIES = { "FailedEntries", code = "ErrorCode", message = "ErrorMessage" }

local BATCH <const> = 10 -- targets in one call

local RULE = { "Name", "EventBusName", "Description", "EventPattern", "RoleArn", "ScheduleExpression", "State" }
local KEY = { "Name", "EventBusName" }
local OF_RULE = { "Name=Rule", "EventBusName" }

-- Calls the operation with `items` as `member`, in batches.
local function in_batches(op, scope, operation, member, items)
  for first = 1, #items, BATCH do
    local ok, err = op:send({ operation, send = OF_RULE, failures = FAILED_ENTRIES, encode = function(params)
      params[member] = json.array(table.move(items, first, math.min(first + BATCH - 1, #items), 1, {}))
    end }, scope)
    if not ok then
      return nil, err
    end
  end
  return true
end

local function ids_of(targets)
  local ids = {}
  for i, target in ipairs(targets or {}) do
    ids[i], ids[target.Id] = target.Id, true
  end
  return ids
end

local function remove(op, scope, targets)
  return in_batches(op, scope, "RemoveTargets", "Ids", targets)
end

-- Targets are put by their ids: what is not declared any more has to be taken away.
local function write_targets(op, scope, live)
  local wanted, left = ids_of(scope.Targets), {}
  for _, id in ipairs(ids_of(live.values.Targets)) do
    left[#left + 1] = not wanted[id] and id or nil
  end
  local ok, err = remove(op, scope, left)
  if not ok then
    return nil, err
  end
  return in_batches(op, scope, "PutTargets", "Targets", scope.Targets or {})
end

local LIST_TARGETS = { "ListTargetsByRule", send = OF_RULE, map = { "Targets" } }

-- A rule can go only when its targets have gone, whoever put them there.
local function remove_all_targets(op, scope)
  local params = op:parameters(LIST_TARGETS, scope)
  repeat
    local output, err = op:get(LIST_TARGETS, params)
    if not output then
      return err.code == "ResourceNotFoundException", err
    end
    local ok
    ok, err = remove(op, scope, ids_of(output.Targets))
    if not ok then
      return nil, err
    end
    params.NextToken = output.NextToken
  until not params.NextToken
  return true
end

local function by_id(targets)
  local sorted = json.array(joined(targets))
  table.sort(sorted, function(a, b)
    return tostring(a.Id) < tostring(b.Id)
  end)
  return sorted
end

local function name_of_bus(name)
  return name:match "^arn:.*:event%-bus/(.+)$" or name
end

local MAX_PATTERN <const> = 4096

local function check(properties, report)
  local pattern = properties.EventPattern
  if not (pattern or properties.ScheduleExpression) then
    report("EventPattern", "or ScheduleExpression is required")
  end
  local text = type(pattern) == "table" and json.encode(pattern) or pattern or ""
  if #text > MAX_PATTERN then
    report("EventPattern", ("can have %d characters at most, has %d"):format(MAX_PATTERN, #text))
  elseif type(pattern) == "string" and type(json.decode(pattern)) ~= "table" then
    report("EventPattern", "must be a JSON document")
  end
end

return {
  ["AWS::Events::Rule"] = {
    service = "events",
    identity = KEY,
    name = { property = "Name", limit = 64 },
    check = check,
    typical = { create = 1, update = 1, delete = 2 },
    retry = CONSISTENCY,
    defaults = { State = "ENABLED", Description = "", Targets = json.array {} },
    canonical = { Targets = by_id, EventBusName = name_of_bus },
    derive = function(scope)
      return { EventBusName = scope.EventBusName or "default" }
    end,
    create = { "PutRule", send = RULE, look_first = true, idempotent = true, map = { "Arn=RuleArn" } },
    read = {
      "ListRules", send = { "EventBusName" }, list = "Rules", key = "Name", by = "Name", prefix = "NamePrefix",
      map = { "Arn", table.unpack(RULE) }, gives = { "EventBusName" },
      decode = function(rule, values, scope)
        values.EventBusName = rule.EventBusName or scope.EventBusName or "default"
        values.RuleName = rule.Name or scope.Name
      end,
    },
    facets = {
      { properties = { table.unpack(RULE, 3) }, whole = true, write = { "PutRule", send = RULE } },
      { properties = { "Targets" }, write = write_targets, read = LIST_TARGETS },
    },
    tags = {
      form = "list", create = "Tags",
      set = { "TagResource", send = { "Arn=ResourceARN" }, tags = "Tags" },
      unset = { "UntagResource", send = { "Arn=ResourceARN" }, keys = "TagKeys" },
      read = { "ListTagsForResource", send = { "Arn=ResourceARN" }, list = "Tags" },
    },
    delete = {
      "DeleteRule", send = KEY, before = remove_all_targets,
      retry = { { "ValidationException", 300, message = "has targets" } }, -- their removal is noticed later
    },
    gone = { "ResourceNotFoundException" },
  },
}
