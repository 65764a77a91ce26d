-- IP address blocks as EC2 reads and writes them. Used by infra.sim.ec2.*.

local joined = require "infra.joined"

local cidr = {}

local function parse_v4(text)
  local a, b, c, d = text:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  local address = 0
  for _, part in ipairs { a, b, c, d } do
    local number = tonumber(part)
    if number > 255 then
      return nil
    end
    address = address << 8 | number
  end
  return a and address
end

--- "10.0.3.7/16" as { address = integer with the host bits cleared, bits = 16 }, or nil.
function cidr.parse(text)
  local address, bits = text:match("^([%d.]+)/(%d%d?)$")
  bits = math.tointeger(tonumber(bits))
  address = address and bits <= 32 and parse_v4(address)
  return address and { address = address & ~((1 << (32 - bits)) - 1), bits = bits }
end

--- An address, integer, as text.
function cidr.address(number)
  return ("%d.%d.%d.%d"):format(number >> 24 & 255, number >> 16 & 255, number >> 8 & 255, number & 255)
end

--- A block as text.
function cidr.format(block)
  return cidr.address(block.address) .. "/" .. block.bits
end

--- Whether all of `inner` lies in `outer`.
function cidr.contains(outer, inner)
  return inner.bits >= outer.bits and inner.address & ~((1 << (32 - outer.bits)) - 1) == outer.address
end

function cidr.overlaps(a, b)
  return cidr.contains(a, b) or cidr.contains(b, a)
end

-- The groups of one side of "::", or nil.
local function groups_of(text)
  local groups = {}
  for part in (text .. ":"):gmatch("([^:]*):") do
    if text ~= "" and not part:find("^%x%x?%x?%x?$") then
      return nil
    end
    groups[#groups + 1] = tonumber(part, 16)
  end
  return groups
end

local function parse_v6(text)
  local left, right = text:match("^(.-)::(.*)$")
  local groups = groups_of(left or text)
  local tail = groups_of(right or "")
  if not groups or not tail then
    return nil
  end
  local missing = 8 - #groups - #tail
  if (left and missing < 1) or (not left and missing ~= 0) then
    return nil
  end
  for _ = 1, missing do
    groups[#groups + 1] = 0
  end
  return joined(groups, tail)
end

-- RFC 5952: lower case, the first longest run of two or more zero groups as "::".
local function format_v6(groups)
  local texts = {}
  for i, group in ipairs(groups) do
    texts[i] = ("%x"):format(group)
  end
  local best, best_length = nil, 1
  local start
  for i = 1, 9 do
    if groups[i] == 0 then
      start = start or i
    elseif start then
      if i - start > best_length then
        best, best_length = start, i - start
      end
      start = nil
    end
  end
  if not best then
    return table.concat(texts, ":")
  end
  return table.concat(texts, ":", 1, best - 1) .. "::" .. table.concat(texts, ":", best + best_length)
end

--- An IPv6 block in its canonical form, host bits cleared, or nil.
function cidr.canonical_v6(text)
  local address, bits = text:match("^([%x:]+)/(%d%d?%d?)$")
  bits = math.tointeger(tonumber(bits))
  local groups = address and bits <= 128 and parse_v6(address)
  if not groups then
    return nil
  end
  for i, group in ipairs(groups) do
    local kept = math.max(0, math.min(16, bits - 16 * (i - 1)))
    groups[i] = group & ~((1 << (16 - kept)) - 1)
  end
  return format_v6(groups) .. "/" .. bits
end

--- An IPv4 block in its canonical form, or nil.
function cidr.canonical_v4(text)
  local block = cidr.parse(text)
  return block and cidr.format(block)
end

return cidr
