-- Timestamps, on this side always unix seconds: an integer, or a float when there is a fraction. AWS keeps
-- milliseconds. Formats are named as C2J's timestampFormat does: iso8601, rfc822, unixTimestamp.

local clock = require "host.clock"

local timestamps = {}

local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

-- Sun, 02 Jan 2000 20:34:56 GMT, with or without a fraction.
local function parse_rfc822(text)
  local day, name, year, time = text:match("^%a%a%a, (%d%d?) (%a%a%a) (%d%d%d%d) (%d%d:%d%d:%d%d%.?%d*) GMT$")
  local month = MONTHS[name]
  return month and clock.parse_utc(("%s-%02d-%02dT%sZ"):format(year, month, tonumber(day), time))
end

--- Seconds, to the millisecond, from a number or from text in any of the formats; nil when it is none. The format is
--- not asked for: services are known to answer in another one than their model says.
function timestamps.parse(value)
  local seconds = tonumber(value)
  if not seconds and type(value) == "string" then
    seconds = clock.parse_utc(value) or parse_rfc822(value)
  end
  if not seconds or seconds ~= seconds or math.abs(seconds) >= 1e12 then
    return nil
  end
  local milliseconds = math.floor(seconds * 1000 + 0.5)
  return milliseconds % 1000 == 0 and milliseconds // 1000 or milliseconds / 1000
end

local writers = {}

function writers.unixTimestamp(seconds)
  return seconds
end

function writers.iso8601(seconds)
  local text = clock.format_utc(seconds, "%Y-%m-%dT%H:%M:%S")
  local milliseconds = math.floor(seconds * 1000 + 0.5) % 1000
  return text .. (milliseconds == 0 and "Z" or (".%03dZ"):format(milliseconds))
end

function writers.rfc822(seconds)
  return clock.format_utc(seconds, "%a, %d %b %Y %H:%M:%S GMT")
end

--- `value` (anything that parse takes) in the given format: text, or a number for unixTimestamp.
function timestamps.format(value, format)
  return writers[format](assert(timestamps.parse(value), "not a timestamp"))
end

return timestamps
