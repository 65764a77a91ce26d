-- Idempotency tokens: what lets AWS recognise a repeated request as the same one.

local json = require "host.json"

local idempotency = {}

--- A version 4 UUID of 16 random bytes.
function idempotency.uuid(bytes)
  local hex = bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  local variant = ("%x"):format(tonumber(hex:sub(17, 17), 16) & 3 | 8)
  return ("%s-%s-4%s-%s%s-%s"):format(
    hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16), variant, hex:sub(18, 20), hex:sub(21, 32))
end

local function copy(params)
  local copied = {}
  for name, value in pairs(params) do
    copied[name] = value
  end
  return copied
end

--- The parameters with their token: the one they have, or `context.token`, or a new one from `context.random(16)`. With
--- neither, a token stays unset. `params` itself is not changed.
function idempotency.fill(input, params, context)
  local filled = copy(params)
  for _, member in ipairs(input:members()) do
    local given = params[member.name]
    if member.shape.traits.idempotencyToken and (given == nil or given == json.null) then
      filled[member.name] = context.token or (context.random and idempotency.uuid(context.random(16)))
    end
  end
  return filled
end

return idempotency
