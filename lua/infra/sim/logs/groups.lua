-- Log groups of the simulated CloudWatch Logs. Used by the other files of this folder.
--
-- Kept in the region's store, kind "group", by name: { logGroupName, creationTime, retentionInDays, kmsKeyId,
-- logGroupClass, deletionProtectionEnabled, storedBytes, tags = { key = value }, sequence = number of the last event }.
-- All times of this service are milliseconds.

local Failure = require "infra.sim.failure"
local arns = require "infra.sim.arns"
local paging = require "infra.sim.paging"
local tagging = require "infra.sim.tagging"

local groups = { operations = {} }
local operations = groups.operations

-- PutRetentionPolicy, API reference.
local RETENTIONS = {
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}
local CLASSES = { STANDARD = true, INFREQUENT_ACCESS = true, DELIVERY = true }
local PAGE = 50
local IDENTIFIERS_LIMIT = 50

--- Throws the service's error `code`; further arguments are string.format's.
groups.fail = Failure.thrower()

local fail = groups.fail

function groups.invalid(ctx, message, ...)
  fail(ctx, "InvalidParameterException", message, ...)
end

local invalid = groups.invalid

function groups.now(ctx)
  return math.floor(ctx.now() * 1000)
end

--- The group of this name, or ResourceNotFoundException.
function groups.find(ctx, name)
  local group = not ctx:fresh("group", name) and ctx.store:get("group", name)
  return group or fail(ctx, "ResourceNotFoundException", "The specified log group does not exist.")
end

--- The group that a request names in one of two ways.
function groups.named(ctx, params)
  local name, identifier = params.logGroupName, params.logGroupIdentifier
  if (name == nil) == (identifier == nil) then
    invalid(ctx, "Exactly one of logGroupName and logGroupIdentifier must be specified.")
  end
  return groups.find(ctx, name or identifier:match("^arn:[%w-]+:logs:[%w-]+:%d+:log%-group:([^:]+)") or identifier)
end

function groups.put(ctx, group)
  ctx.store:put("group", group.logGroupName, group)
end

--- A group's ARN; IAM policies write ":*" behind it, tag operations must not.
function groups.arn(ctx, group)
  return arns.of(ctx, "logs", "log-group:" .. group.logGroupName)
end

--- Fails while the group is protected.
function groups.check_unprotected(ctx, group)
  if group.deletionProtectionEnabled then
    fail(ctx, "ValidationException", "Log group %s has deletion protection enabled and cannot be deleted.",
      group.logGroupName)
  end
end

-- -- the group --------------------------------------------------------------------------------------------------------

local function check_name(ctx, name)
  if #name > 512 or not name:find("^[%w._/#-]+$") then
    invalid(ctx, "1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must "
      .. "satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", name)
  elseif name:find("^aws/") then
    invalid(ctx, "Log groups starting with AWS/ are reserved for AWS.")
  end
end

local TAG_RULES = {
  fail = fail,
  reserved = { "InvalidParameterException", "Tag keys starting with 'aws:' are reserved for system use." },
  number = { "TooManyTagsException", "The maximum number of tags per resource is %d." },
}

function operations.CreateLogGroup(ctx, params)
  local name = params.logGroupName
  check_name(ctx, name)
  if params.logGroupClass and not CLASSES[params.logGroupClass] then
    invalid(ctx, "1 validation error detected: Value '%s' at 'logGroupClass' failed to satisfy constraint: Member must "
      .. "satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]", params.logGroupClass)
  end
  local tags = tagging.checked(ctx, {}, params.tags, TAG_RULES)
  if ctx.store:get("group", name) then
    fail(ctx, "ResourceAlreadyExistsException", "The specified log group already exists")
  end
  groups.put(ctx, {
    logGroupName = name,
    creationTime = groups.now(ctx),
    kmsKeyId = params.kmsKeyId,
    logGroupClass = params.logGroupClass or "STANDARD",
    deletionProtectionEnabled = params.deletionProtectionEnabled or false,
    metricFilterCount = 0,
    storedBytes = 0,
    sequence = 0,
    tags = tags,
  })
end

function operations.DeleteLogGroup(ctx, params)
  local group = groups.find(ctx, params.logGroupName)
  groups.check_unprotected(ctx, group)
  for _, kind in ipairs { "streams of ", "events of " } do
    for key in ctx.store:each(kind .. group.logGroupName) do
      ctx.store:delete(kind .. group.logGroupName, key)
    end
  end
  ctx.store:delete("group", group.logGroupName)
end

-- Sets one member of the group that the request names.
local function set(ctx, name, member, value)
  local group = groups.find(ctx, name)
  group[member] = value
  groups.put(ctx, group)
end

function operations.PutRetentionPolicy(ctx, params)
  for _, days in ipairs(RETENTIONS) do
    if params.retentionInDays == days then
      return set(ctx, params.logGroupName, "retentionInDays", days)
    end
  end
  invalid(ctx, "1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must "
    .. "satisfy enum value set: [%s]", params.retentionInDays, table.concat(RETENTIONS, ", "))
end

function operations.DeleteRetentionPolicy(ctx, params)
  set(ctx, params.logGroupName, "retentionInDays", nil)
end

function operations.PutLogGroupDeletionProtection(ctx, params)
  local group = groups.named(ctx, params)
  set(ctx, group.logGroupName, "deletionProtectionEnabled", params.deletionProtectionEnabled)
end

local function group_of_key(ctx, params)
  if params.logGroupName then
    return params.logGroupName
  end
  return (params.resourceIdentifier or ""):match(":log%-group:([^:]+)")
    or invalid(ctx, "Exactly one of logGroupName and resourceIdentifier must be specified.")
end

function operations.AssociateKmsKey(ctx, params)
  if not params.kmsKeyId:find("^arn:[%w-]+:kms:") then
    invalid(ctx, "The specified KMS key %s is not a valid ARN.", params.kmsKeyId)
  end
  set(ctx, group_of_key(ctx, params), "kmsKeyId", params.kmsKeyId)
end

function operations.DisassociateKmsKey(ctx, params)
  set(ctx, group_of_key(ctx, params), "kmsKeyId", nil)
end

-- -- listing ----------------------------------------------------------------------------------------------------------

local SHOWN = {
  "logGroupName", "creationTime", "retentionInDays", "kmsKeyId", "logGroupClass", "deletionProtectionEnabled",
  "metricFilterCount", "storedBytes",
}
local SHOWN_BY_PATTERN = { "logGroupName", "creationTime" }

local function view(ctx, group, members)
  local shown = { arn = groups.arn(ctx, group) .. ":*" }
  for _, member in ipairs(members) do
    shown[member] = group[member]
  end
  if members == SHOWN then
    shown.logGroupArn = groups.arn(ctx, group)
  end
  return shown
end

-- Which groups a request asks for, as function(group) -> boolean. Prefixes match neighbours as well.
local function selection(ctx, params)
  local prefix, pattern, identifiers = params.logGroupNamePrefix, params.logGroupNamePattern, params.logGroupIdentifiers
  if prefix and pattern then
    invalid(ctx, "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
  elseif identifiers and (prefix or pattern or params.logGroupClass) then
    invalid(ctx, "logGroupIdentifiers cannot be combined with other filters.")
  elseif #(identifiers or {}) > IDENTIFIERS_LIMIT then
    invalid(ctx, "1 validation error detected: Value at 'logGroupIdentifiers' failed to satisfy constraint: Member "
      .. "must have length less than or equal to %d", IDENTIFIERS_LIMIT)
  end
  local named = {}
  for _, identifier in ipairs(identifiers or {}) do
    named[identifier:match(":log%-group:([^:]+)") or identifier] = true
  end
  return function(group)
    local name = group.logGroupName
    return (not prefix or name:sub(1, #prefix) == prefix) and (not pattern or name:find(pattern, 1, true) ~= nil)
      and (not identifiers or named[name] == true)
      and (params.logGroupClass or group.logGroupClass) == group.logGroupClass
  end
end

--- One page of `items` for a request with limit and nextToken.
function groups.page(ctx, params, items, key, limit)
  if (params.limit or 1) < 1 or (params.limit or 1) > limit then
    invalid(ctx, "1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have "
      .. "value between 1 and %d", params.limit, limit)
  end
  local page, token = paging.page(ctx, items, key, params.nextToken, params.limit or limit)
  if not page then
    invalid(ctx, "The specified nextToken is invalid.")
  end
  return page, token
end

function operations.DescribeLogGroups(ctx, params)
  local wanted, found = selection(ctx, params), {}
  for _, group in ctx.store:each("group") do
    if wanted(group) then
      found[#found + 1] = group
    end
  end
  local page, token = groups.page(ctx, params, found, function(group) return group.logGroupName end, PAGE)
  local output = { logGroups = {}, nextToken = token }
  for i, group in ipairs(page) do
    output.logGroups[i] = view(ctx, group, params.logGroupNamePattern and SHOWN_BY_PATTERN or SHOWN)
  end
  return output
end

-- -- tags -------------------------------------------------------------------------------------------------------------

-- The newer operations name the group by its ARN, without ":*"; the older ones by name.
local function by_arn(ctx, params)
  local arn = params.resourceArn
  if not arn:find("^[%w_+=/:,.@#-]+$") then
    invalid(ctx, "1 validation error detected: Value '%s' at 'resourceArn' failed to satisfy constraint: Member must "
      .. "satisfy regular expression pattern: [\\w+=/:,.@-]*", arn)
  end
  return groups.find(ctx, arn:match("^arn:[%w-]+:logs:[%w-]+:%d+:log%-group:([^:]+)$") or "")
end

local function by_name(ctx, params)
  return groups.find(ctx, params.logGroupName)
end

for _, form in ipairs {
  { find = by_arn, keys = "tagKeys" },
  { find = by_name, keys = "tags", names = { "TagLogGroup", "UntagLogGroup", "ListTagsLogGroup" } },
} do
  tagging.add_operations(operations, {
    find = function(ctx, params)
      local group = form.find(ctx, params)
      return group, function() groups.put(ctx, group) end
    end,
    names = form.names, given = "tags", keys = form.keys, rules = TAG_RULES,
    answer = function(map) return { tags = map } end,
  })
end

groups.tagged = {
  group = function(place, group) return { arn = groups.arn(place, group), tags = group.tags } end,
}

return groups
