-- How clusters, instances and snapshots of the simulated RDS change by themselves: what is started now ends later. Used
-- by the other files of this folder.
--
-- An object has
--   available_at  when its creation ends
--   gone_at       once it is being deleted: when that ends
--   changes       array of { starts_at, ends_at, status = what the object is called meanwhile, values = { member =
--                 value that it has afterwards }, pending = what PendingModifiedValues shows until then, waiting = true
--                 when it waits for the maintenance window }; nil when there are none

local merged = require "infra.merged"

local timeline = {}

--- Carries out the changes that have ended. Returns whether there were any.
function timeline.settle(ctx, object)
  local left, ended = {}, false
  for _, change in ipairs(object.changes or {}) do
    if change.ends_at <= ctx.now() then
      ended = true
      for member, value in pairs(change.values or {}) do
        object[member] = value
      end
    else
      left[#left + 1] = change
    end
  end
  if ended then
    object.changes = #left > 0 and left or nil
  end
  return ended
end

--- "creating", "deleting", "available", or what a change says.
function timeline.status(ctx, object)
  if object.gone_at then
    return "deleting"
  elseif ctx.now() < object.available_at then
    return "creating"
  end
  for _, change in ipairs(object.changes or {}) do
    if change.starts_at <= ctx.now() then
      return change.status
    end
  end
  return "available"
end

--- What PendingModifiedValues shows, or nil when nothing is pending.
function timeline.pending(object)
  local pending = {}
  for _, change in ipairs(object.changes or {}) do
    pending = merged(pending, change.pending)
  end
  return next(pending) and pending or nil
end

--- Adds a change; the caller keeps the object.
function timeline.add(object, change)
  object.changes = object.changes or {}
  table.insert(object.changes, change)
end

--- Takes the changes that wait for the maintenance window out of `object` and puts what they want into `change`, unless
--- that wants something else. An upgrade among them makes it one.
function timeline.absorb_waiting(object, change)
  local left = {}
  for _, other in ipairs(object.changes or {}) do
    if other.waiting then
      change.status = other.status ~= "modifying" and other.status or change.status
      for _, part in ipairs { "values", "pending" } do
        for member, value in pairs(other[part]) do
          change[part][member] = change[part][member] == nil and value or change[part][member]
        end
      end
    else
      left[#left + 1] = other
    end
  end
  object.changes = #left > 0 and left or nil
end

local DAYS = { thu = 0, fri = 1, sat = 2, sun = 3, mon = 4, tue = 5, wed = 6 } -- 1 January 1970 was a Thursday
local DAY, WEEK = 86400, 7 * 86400

--- When the weekly window "sun:05:00-sun:05:30" next begins.
function timeline.next_window(ctx, window)
  local day, hour, minute = window:match("^(%a+):(%d+):(%d+)")
  local start = DAYS[day] * DAY + tonumber(hour) * 3600 + tonumber(minute) * 60
  return ctx.now() + (start - ctx.now()) % WEEK
end

return timeline
