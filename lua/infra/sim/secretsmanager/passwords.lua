-- Random passwords of the simulated Secrets Manager. GetRandomPassword is an operation of infra.sim.secretsmanager;
-- `random` also serves the services that keep secrets of their own.

local entities = require "infra.sim.secretsmanager.entities"

local passwords = { operations = {} }

local LENGTH = { usual = 32, longest = 4096 }

-- Kinds of characters: the parameter that leaves one out.
local KINDS = {
  { exclude = "ExcludeUppercase", characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
  { exclude = "ExcludeLowercase", characters = "abcdefghijklmnopqrstuvwxyz" },
  { exclude = "ExcludeNumbers", characters = "0123456789" },
  { exclude = "ExcludePunctuation", characters = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" },
}

-- `characters` without those in `excluded`.
local function without(characters, excluded)
  return (characters:gsub(".", function(character)
    return excluded:find(character, 1, true) and "" or character
  end))
end

-- The kinds of characters that a request allows, each a string, none empty.
local function allowed(params)
  local found, excluded = {}, params.ExcludeCharacters or ""
  for _, kind in ipairs(KINDS) do
    found[#found + 1] = not params[kind.exclude] and without(kind.characters, excluded) or nil
  end
  found[#found + 1] = params.IncludeSpace and without(" ", excluded) or nil
  local left = {}
  for _, characters in ipairs(found) do
    if characters ~= "" then
      left[#left + 1] = characters
    end
  end
  return left
end

--- A password by the parameters of GetRandomPassword.
function passwords.random(ctx, params)
  local length, kinds = params.PasswordLength or LENGTH.usual, allowed(params)
  local each = params.RequireEachIncludedType ~= false
  if length < 1 or length > LENGTH.longest then
    entities.invalid(ctx, "The password length must be between 1 and %d.", LENGTH.longest)
  elseif #kinds == 0 then
    entities.invalid(ctx, "The password can't be generated: all characters are excluded.")
  elseif each and length < #kinds then
    entities.invalid(ctx, "Password length %d is too short based on the required types.", length)
  end
  local password = ctx.unique(length, table.concat(kinds))
  -- One character of each kind, at places that follow each other from anywhere.
  local start = tonumber(ctx.unique(8), 16)
  for i, characters in ipairs(each and kinds or {}) do
    local place = (start + i) % length + 1
    password = password:sub(1, place - 1) .. ctx.unique(1, characters) .. password:sub(place + 1)
  end
  return password
end

function passwords.operations.GetRandomPassword(ctx, params)
  return { RandomPassword = passwords.random(ctx, params) }
end

return passwords
