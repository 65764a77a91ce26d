-- What goes wrong between the tool and the simulated AWS, and how long it takes: decided per call from a seed, so that
-- a run that failed can be run again. Used by infra.sim.
--
-- Options, all of them data (`faults` of Sim.new, or one of the profiles below):
--   latency      { read = {shortest, usual}, write = {...} } in seconds; a few calls take much longer
--   consistency  seconds during which a read may not know a fresh object; the chance falls from 1 to 0 meanwhile
--   throttling   true: the token buckets of infra.sim.limits apply
--   rates        { [fault] = probability per call }
--   schedule     array of rules { fault =, service =, operation =, region =, kind = "read"|"write", nth = 1,
--                times = 1, ... }: the fault strikes the nth matching call and the times - 1 following ones; further
--                fields are the fault's own. The first rule that strikes wins, and wins over rates. Services without
--                regions answer in us-east-1.
-- Faults:
--   throttle       refused with the service's throttling error
--   server_error   500 InternalError; `executed = true`: although the call was carried out
--   unavailable    503 ServiceUnavailable, not executed
--   lost_request   no answer, not executed
--   lost_response  no answer, executed
--   refused        no connection, so that the caller knows that nothing was sent
--   slow           the answer takes `seconds` (60) longer
--   duplicate      the network delivers the request twice; the first answer is returned
--   short_page     a paged answer holds a single item (AWS may return fewer than asked)
--   partial_batch  an operation on several items leaves the last one undone, and says so in its answer
--   crash          calls on_crash(call) `when = "before"` the request, or "after" it was carried out (the default)

local contains = require "infra.contains"
local random = require "infra.random"

local Faults = {}
Faults.__index = Faults

local LATENCY = { read = { 0.03, 0.08 }, write = { 0.1, 0.3 } }
local SLOW_SHARE, SLOW_FACTOR = 0.02, 10

--- Ready-made options. "none": latency only, the default. "realistic": what a day with AWS is like. "hostile":
--- everything often, for fault specs.
Faults.profiles = {
  none = {},
  realistic = {
    consistency = 2,
    throttling = true,
    rates = { server_error = 0.001, unavailable = 0.001, throttle = 0.002, slow = 0.001 },
  },
  hostile = {
    consistency = 20,
    throttling = true,
    rates = {
      throttle = 0.05, server_error = 0.03, unavailable = 0.02, lost_request = 0.02, lost_response = 0.03,
      refused = 0.01, slow = 0.01, duplicate = 0.01, short_page = 0.1, partial_batch = 0.05,
    },
  },
}

-- In this order, so that one draw decides.
local KINDS = {
  "throttle", "server_error", "unavailable", "lost_request", "lost_response", "refused", "slow", "duplicate",
  "short_page", "partial_batch", "crash",
}

local function check_fault(name)
  if not contains(KINDS, name) then
    error(("no fault is called %s"):format(name), 0)
  end
end

--- `seed`: integer. `options`: a table as above, a profile's name, or nil.
function Faults.new(seed, options)
  if type(options) == "string" then
    options = Faults.profiles[options] or error(("no profile of faults is called %s"):format(options), 2)
  end
  options = options or Faults.profiles.none
  local schedule = {}
  for i, rule in ipairs(options.schedule or {}) do
    check_fault(rule.fault)
    schedule[i] = { rule = rule, seen = 0 }
  end
  for name in pairs(options.rates or {}) do
    check_fault(name)
  end
  return setmetatable({
    latency = options.latency or LATENCY,
    consistency = options.consistency or 0,
    throttling = options.throttling or false,
    rates = options.rates or {},
    schedule = schedule,
    -- Separate streams: switching faults on does not change the latencies.
    delays = random.fractions(seed),
    draws = random.fractions(~seed),
    readers = random.fractions(seed ~ 0x5DEECE66D),
  }, Faults)
end

local function strikes(entry, call)
  local rule = entry.rule
  if (rule.service and rule.service ~= call.service) or (rule.operation and rule.operation ~= call.operation)
    or (rule.kind and rule.kind ~= call.kind) or (rule.region and rule.region ~= call.region) then
    return false
  end
  entry.seen = entry.seen + 1
  local nth = rule.nth or 1
  return entry.seen >= nth and entry.seen < nth + (rule.times or 1)
end

--- What happens to this call, { service =, operation =, region =, kind = }: a table with `fault` and its fields, or
--- nil. To be asked exactly once per call, because rules count.
function Faults:strike(call)
  local struck
  for _, entry in ipairs(self.schedule) do
    if strikes(entry, call) and not struck then
      struck = entry.rule
    end
  end
  if struck then
    return struck
  end
  local draw = self.draws()
  for _, kind in ipairs(KINDS) do
    local rate = self.rates[kind] or 0
    if draw < rate then
      return { fault = kind, executed = draw < rate / 2 }
    end
    draw = draw - rate
  end
end

--- Seconds that a call of this kind ("read" or "write") takes, both ways together.
function Faults:delay(kind)
  local shortest, usual = table.unpack(self.latency[kind])
  local draw = self.delays()
  if draw < SLOW_SHARE then
    return usual * (1 + SLOW_FACTOR * draw / SLOW_SHARE)
  end
  return shortest + (usual - shortest) * draw
end

--- Whether the part of AWS that answers this call has not heard of an object of this age (seconds) yet.
function Faults:unaware(age)
  return age < self.consistency and self.readers() >= age / self.consistency
end

return Faults
