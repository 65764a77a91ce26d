-- Idempotency tokens: what lets AWS recognise a repeated request as the same one.

local json = require "host.json"
local merged = require "infra.merged"

local idempotency = {}

--- A version 4 UUID of 16 random bytes.
function idempotency.uuid(bytes)
  local first, second, third, fourth, fifth, rest = string.unpack(">I4I2I2I2I2I4", bytes)
  return ("%08x-%04x-4%03x-%04x-%04x%08x"):format(first, second, third & 0xFFF, fourth & 0x3FFF | 0x8000, fifth, rest)
end

--- The parameters with their token: the one they have, or `context.token`, or a new one from `context.random(16)`. With
--- neither, a token stays unset. `params` itself is not changed.
function idempotency.fill(input, params, context)
  local tokens = input:tokens()
  if #tokens == 0 then
    return params
  end
  local filled = merged(params)
  for _, name in ipairs(tokens) do
    if filled[name] == nil or filled[name] == json.null then
      filled[name] = context.token or (context.random and idempotency.uuid(context.random(16)))
    end
  end
  return filled
end

return idempotency
