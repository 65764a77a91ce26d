-- When a backup rule is due: AWS's cron expressions, six fields in UTC ("Schedule expressions" in the EventBridge
-- Scheduler guide). Used by jobs.lua.

local schedule = {}

local HOUR <const> = 3600
local DAYS = { SUN = 1, MON = 2, TUE = 3, WED = 4, THU = 5, FRI = 6, SAT = 7 }

local function number(text)
  return DAYS[text] or tonumber(text)
end

-- Whether a field has `value`: "*", "?", "7", "1-5", "*/6", "0/6", and lists of them.
local function has(field, value)
  for part in field:gmatch "[^,]+" do
    local range, step = part:match "^(.-)/(%d+)$"
    range = range or part
    local first, last = range:match "^(%w+)-(%w+)$"
    if range == "*" or range == "?" then
      first, last = 0, math.huge
    elseif not first then
      first, last = range, step and math.huge or range
    end
    first, last = number(first) or first, number(last) or last
    if value >= first and value <= last and (value - first) % tonumber(step or 1) == 0 then
      return true
    end
  end
  return false
end

--- The times (unix seconds) after `after`, and not after `until_`, at which "cron(0 5 * * ? *)" is due, in order.
function schedule.due(expression, after, until_)
  local fields, times = {}, {}
  for field in expression:match "^cron%((.*)%)$":gmatch "%S+" do
    fields[#fields + 1] = field
  end
  for hour = after // HOUR * HOUR, until_, HOUR do
    local date = os.date("!*t", math.floor(hour))
    if has(fields[2], date.hour) and has(fields[3], date.day) and has(fields[4], date.month)
      and has(fields[5], date.wday) and has(fields[6], date.year) then
      for minute = 0, 59 do
        local time = hour + 60 * minute
        if time > after and time <= until_ and has(fields[1], minute) then
          times[#times + 1] = time
        end
      end
    end
  end
  return times
end

return schedule
