-- Log streams and events of the simulated CloudWatch Logs. Used by infra.sim.logs.
--
-- Kept in the region's store: "streams of GROUP" by name, { logStreamName, creationTime, firstEventTimestamp,
-- lastEventTimestamp, lastIngestionTime }; "events of GROUP" in the order of time, { eventId, logStreamName, timestamp,
-- message, ingestionTime }.

local groups = require "infra.sim.logs.groups"
local merged = require "infra.merged"
local set_of = require "infra.set_of"

local operations = {}
local fail, invalid = groups.fail, groups.invalid

local DAY = 86400 * 1000
-- Milliseconds before and after now within which events are taken.
local OLDEST, NEWEST = 14 * DAY, 2 * 3600 * 1000
local EVENTS_LIMIT = 10000
local EVENT_OVERHEAD = 26 -- bytes that each event counts beside its message

local function streams(group)
  return "streams of " .. group.logGroupName
end

local function events(group)
  return "events of " .. group.logGroupName
end

local function event_key(event)
  return ("%013d %s"):format(event.timestamp, event.eventId)
end

local function find_stream(ctx, group, name)
  return ctx.store:get(streams(group), name)
    or fail(ctx, "ResourceNotFoundException", "The specified log stream does not exist.")
end

function operations.CreateLogStream(ctx, params)
  local group, name = groups.find(ctx, params.logGroupName), params.logStreamName
  if #name > 512 or not name:find("^[^:*]+$") then
    invalid(ctx, "1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must "
      .. "satisfy regular expression pattern: [^:*]*", name)
  elseif ctx.store:get(streams(group), name) then
    fail(ctx, "ResourceAlreadyExistsException", "The specified log stream already exists")
  end
  ctx.store:put(streams(group), name, { logStreamName = name, creationTime = groups.now(ctx) })
end

function operations.DeleteLogStream(ctx, params)
  local group = groups.find(ctx, params.logGroupName)
  groups.check_unprotected(ctx, group)
  local stream = find_stream(ctx, group, params.logStreamName)
  for key, event in ctx.store:each(events(group)) do
    if event.logStreamName == stream.logStreamName then
      ctx.store:delete(events(group), key)
    end
  end
  ctx.store:delete(streams(group), stream.logStreamName)
end

function operations.DescribeLogStreams(ctx, params)
  local group = groups.named(ctx, params)
  local prefix, by_time = params.logStreamNamePrefix, params.orderBy == "LastEventTime"
  if prefix and by_time then
    invalid(ctx, "Cannot order by LastEventTime with a logStreamNamePrefix.")
  end
  local function order(stream)
    return (by_time and ("%013d "):format(stream.lastEventTimestamp or 0) or "") .. stream.logStreamName
  end
  local found = {}
  for name, stream in ctx.store:each(streams(group)) do
    if not prefix or name:sub(1, #prefix) == prefix then
      found[#found + 1] = { stream = stream, order = order(stream) }
    end
  end
  table.sort(found, function(a, b)
    if params.descending then
      return a.order > b.order
    end
    return a.order < b.order
  end)
  for i, item in ipairs(found) do
    item.position = ("%09d"):format(i)
  end
  local page, token = groups.page(ctx, params, found, function(item) return item.position end, 50)
  local output = { logStreams = {}, nextToken = token }
  for i, item in ipairs(page) do
    local shown = merged({ storedBytes = 0, uploadSequenceToken = ("%056d"):format(group.sequence) }, item.stream)
    shown.arn = ("%s:log-stream:%s"):format(groups.arn(ctx, group), shown.logStreamName)
    output.logStreams[i] = shown
  end
  return output
end

-- -- writing ----------------------------------------------------------------------------------------------------------

-- Which of the events, ordered by time, are taken: first and last index, and what is said of the others.
local function accepted(ctx, group, list)
  local now, rejected = groups.now(ctx), {}
  local first, last = 1, #list
  local oldest = now - math.min(OLDEST, (group.retentionInDays or 3653) * DAY)
  while first <= last and list[first].timestamp < oldest do
    first = first + 1
  end
  while last >= first and list[last].timestamp > now + NEWEST do
    last = last - 1
  end
  if first > 1 then
    local expired = list[first - 1].timestamp >= now - OLDEST
    rejected[expired and "expiredLogEventEndIndex" or "tooOldLogEventEndIndex"] = first - 1
  end
  if last < #list then
    rejected.tooNewLogEventStartIndex = last
  end
  return first, last, next(rejected) and rejected
end

function operations.PutLogEvents(ctx, params)
  local group = groups.find(ctx, params.logGroupName)
  local stream = find_stream(ctx, group, params.logStreamName)
  local list = params.logEvents
  if #list == 0 or #list > EVENTS_LIMIT then
    invalid(ctx, "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have "
      .. "length between 1 and %d", EVENTS_LIMIT)
  end
  for i = 2, #list do
    if list[i].timestamp < list[i - 1].timestamp then
      invalid(ctx, "Log events in a single PutLogEvents request must be in chronological order.")
    end
  end
  local now = groups.now(ctx)
  local first, last, rejected = accepted(ctx, group, list)
  for i = first, last do
    local timestamp, message = list[i].timestamp, list[i].message
    group.sequence = group.sequence + 1
    group.storedBytes = group.storedBytes + #message + EVENT_OVERHEAD
    local event = {
      eventId = ("%038d%018d"):format(timestamp, group.sequence), logStreamName = stream.logStreamName,
      timestamp = timestamp, message = message, ingestionTime = now,
    }
    ctx.store:put(events(group), event_key(event), event)
    stream.firstEventTimestamp = math.min(stream.firstEventTimestamp or timestamp, timestamp)
    stream.lastEventTimestamp = math.max(stream.lastEventTimestamp or timestamp, timestamp)
    stream.lastIngestionTime = now
  end
  ctx.store:put(streams(group), stream.logStreamName, stream)
  groups.put(ctx, group)
  return { nextSequenceToken = ("%056d"):format(group.sequence), rejectedLogEventsInfo = rejected or nil }
end

-- -- reading ----------------------------------------------------------------------------------------------------------

-- The events of a group that have not expired and pass `wanted`, by time.
local function read(ctx, group, wanted)
  local found = {}
  local oldest = group.retentionInDays and groups.now(ctx) - group.retentionInDays * DAY or 0
  for _, event in ctx.store:each(events(group)) do
    if event.timestamp >= oldest and wanted(event) then
      found[#found + 1] = event
    end
  end
  return found
end

-- Filter patterns of terms: "a b" has both, "?a ?b" one of them, "-a" has it not; quoted terms may have spaces.
-- Patterns for JSON and for columns are refused.
local function pattern_of(ctx, text)
  if text:find("^%s*[{%[]") then
    invalid(ctx, "Invalid filter pattern: only patterns of terms are simulated.")
  end
  local all, optional, none = {}, {}, {}
  for sign, term in text:gsub('([-?]?)"([^"]*)"', function(sign, quoted)
    return sign .. quoted:gsub(" ", "\0")
  end):gmatch("([-?]?)(%S+)") do
    local list = sign == "-" and none or sign == "?" and optional or all
    list[#list + 1] = term:gsub("\0", " ")
  end
  local function count(terms, message)
    local matched = 0
    for _, term in ipairs(terms) do
      matched = matched + (message:find(term, 1, true) and 1 or 0)
    end
    return matched
  end
  return function(message)
    return count(all, message) == #all and count(none, message) == 0
      and (#optional == 0 or count(optional, message) > 0)
  end
end

local function stream_filter(ctx, params)
  local prefix, named = params.logStreamNamePrefix, params.logStreamNames and set_of(params.logStreamNames)
  if named and prefix then
    invalid(ctx, "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
  end
  return function(name)
    return (not named or named[name]) and (not prefix or name:sub(1, #prefix) == prefix)
  end
end

function operations.FilterLogEvents(ctx, params)
  local group = groups.named(ctx, params)
  local in_streams, matches = stream_filter(ctx, params), pattern_of(ctx, params.filterPattern or "")
  local found = read(ctx, group, function(event)
    return event.timestamp >= (params.startTime or 0) and event.timestamp <= (params.endTime or math.huge)
      and in_streams(event.logStreamName) and matches(event.message)
  end)
  local page, token = groups.page(ctx, params, found, event_key, EVENTS_LIMIT)
  return { events = page, searchedLogStreams = {}, nextToken = token }
end

-- A token says up to which event, counted from the oldest, the caller has read, and in which direction.
function operations.GetLogEvents(ctx, params)
  local group = groups.named(ctx, params)
  local stream = find_stream(ctx, group, params.logStreamName)
  local found = read(ctx, group, function(event)
    return event.logStreamName == stream.logStreamName and event.timestamp >= (params.startTime or 0)
      and event.timestamp < (params.endTime or math.huge)
  end)
  local limit = math.min(params.limit or EVENTS_LIMIT, EVENTS_LIMIT)
  local direction, position = (params.nextToken or ""):match("^([fb])/(%d+)$")
  if params.nextToken and not direction then
    invalid(ctx, "The specified nextToken is invalid.")
  end
  position = math.tointeger(tonumber(position)) or (params.startFromHead and 0 or #found)
  local forward = direction == "f" or (not direction and params.startFromHead)
  local first = forward and position + 1 or math.max(1, position - limit + 1)
  local last = forward and math.min(#found, position + limit) or math.min(position, #found)
  return {
    events = table.move(found, first, last, 1, {}),
    nextForwardToken = ("f/%056d"):format(math.max(last, first - 1)),
    nextBackwardToken = ("b/%056d"):format(first - 1),
  }
end

return { operations = operations }
