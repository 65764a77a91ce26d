-- Address ranges as AWS stores them: network addresses, IPv6 in its short form (RFC 5952). Used by resources/ec2*.

local joined = require "infra.joined"

local cidr = {}

local function ipv4(text)
  local bytes = { text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  local number = 0
  for _, byte in ipairs(bytes) do
    if tonumber(byte) > 255 then
      return nil
    end
    number = number << 8 | tonumber(byte)
  end
  return #bytes == 4 and number or nil
end

local function canonical_v4(address, bits)
  local number = ipv4(address)
  if not number or bits > 32 then
    return nil
  end
  number = bits == 0 and 0 or number & ~((1 << (32 - bits)) - 1)
  return ("%d.%d.%d.%d/%d"):format(number >> 24 & 255, number >> 16 & 255, number >> 8 & 255, number & 255, bits)
end

-- "2001:db8" -> { 0x2001, 0xdb8 }; nil for what is no part of an address.
local function groups_of(text)
  local groups = {}
  if text ~= "" then
    for part in (text .. ":"):gmatch "([^:]*):" do
      if not part:find "^%x%x?%x?%x?$" then
        return nil
      end
      groups[#groups + 1] = tonumber(part, 16)
    end
  end
  return groups
end

-- The eight groups of an IPv6 address, or nil.
local function ipv6(text)
  local left, right = text:match "^(.-)::(.*)$"
  local head, tail = groups_of(left or text), groups_of(right or "")
  local missing = head and tail and 8 - #head - #tail
  if not missing or left and missing < 1 or not left and missing ~= 0 then
    return nil
  end
  for _ = 1, missing do
    head[#head + 1] = 0
  end
  return joined(head, tail)
end

-- The longest run of zeros, the first of equals, as its first and last position; nil when none is longer than one.
local function longest_zeros(groups)
  local first, last
  local start
  for i = 1, 9 do
    if groups[i] == 0 then
      start = start or i
    elseif start then
      if i - start > 1 and (not first or i - start > last - first + 1) then
        first, last = start, i - 1
      end
      start = nil
    end
  end
  return first, last
end

local function canonical_v6(address, bits)
  local groups = bits <= 128 and ipv6(address)
  if not groups then
    return nil
  end
  local texts = {}
  for i, group in ipairs(groups) do
    local kept = math.max(0, math.min(16, bits - 16 * (i - 1)))
    groups[i] = group & ~((1 << (16 - kept)) - 1)
    texts[i] = ("%x"):format(groups[i])
  end
  local first, last = longest_zeros(groups)
  local short = first and table.concat(texts, ":", 1, first - 1) .. "::" .. table.concat(texts, ":", last + 1)
    or table.concat(texts, ":")
  return ("%s/%d"):format(short, bits)
end

--- "10.0.3.7/16" -> "10.0.0.0/16"; nil for what is no range.
function cidr.canonical(text)
  local address, bits = tostring(text):match "^([%x.:]+)/(%d%d?%d?)$"
  bits = math.tointeger(tonumber(bits))
  return address and (address:find(":", 1, true) and canonical_v6 or canonical_v4)(address, bits)
end

--- Reports a range that AWS would refuse or store as another one. References and the like are nobody's mistake yet.
function cidr.check(name, text, report)
  if type(text) ~= "string" or text:find("${infra:", 1, true) then
    return
  end
  local canonical = cidr.canonical(text)
  if not canonical then
    report(name, ("must be a range of addresses like 10.0.0.0/16, is %q"):format(text))
  elseif canonical ~= text then
    report(name, ("must be written as AWS stores it: %s, not %s"):format(canonical, text))
  end
end

return cidr
