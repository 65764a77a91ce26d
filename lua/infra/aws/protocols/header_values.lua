-- Values of HTTP headers as the REST protocols bind them: scalars, and lists of them with commas between.

local crypto = require "host.crypto"
local json = require "host.json"
local scalars = require "infra.aws.protocols.scalars"

local header_values = {}

local TIMESTAMP_FORMAT = "rfc822"

-- Strings in a list are quoted when they would be misread otherwise.
local function quote(text)
  if text:find('[",]') then
    return '"' .. text:gsub('["\\]', "\\%0") .. '"'
  end
  return text
end

--- The header's text for a value of this shape.
function header_values.write(shape, value)
  if shape.type == "jsonvalue" then -- JSON may hold what a header may not
    return crypto.base64(scalars.json_text(value))
  elseif shape.type ~= "list" then
    return scalars.write(shape, value, TIMESTAMP_FORMAT)
  end
  local items, element = {}, shape:element()
  for _, item in ipairs(value) do
    if item ~= json.null then
      local text = header_values.write(element, item)
      items[#items + 1] = element.type == "string" and quote(text) or text
    end
  end
  return table.concat(items, ", ")
end

-- The quoted string that begins at `position`, and where the next item begins; nil when there is none.
local function quoted(text, position)
  local start = text:match('^%s*"()', position)
  if not start then
    return nil
  end
  local stop = start
  while stop <= #text and text:sub(stop, stop) ~= '"' do
    stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
  end
  if stop > #text then
    return nil
  end
  return text:sub(start, stop - 1):gsub("\\(.)", "%1"), text:match("^%s*,?()", stop + 1)
end

-- Splits at commas outside quotes. An RFC 822 date has a comma of its own, after the day's name.
local function split(text, element)
  local items, position = {}, 1
  local dates = element.type == "timestamp" and (element.traits.timestampFormat or TIMESTAMP_FORMAT) == "rfc822"
  local plain = dates and "^%s*([^,]*,?[^,]-)%s*,()" or "^%s*([^,]-)%s*,()"
  text = text .. ","
  while position < #text do
    local item, next_position = quoted(text, position)
    if not item then
      item, next_position = text:match(plain, position)
    end
    items[#items + 1] = item
    position = next_position
  end
  return items
end

--- The value of a header's text; throws a typed error when it has none.
function header_values.read(shape, text)
  if shape.type == "jsonvalue" then
    return crypto.unbase64(text) or scalars.malformed(shape, "base64")
  elseif shape.type ~= "list" then
    return scalars.read(shape, text)
  end
  local value, element = json.array(), shape:element()
  for i, item in ipairs(split(text, element)) do
    value[i] = header_values.read(element, item)
  end
  return value
end

return header_values
