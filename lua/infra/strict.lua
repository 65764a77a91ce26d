-- Strict globals: reading or writing a global that nobody declared throws, with the position of whoever did it. The
-- command line switches this on before anything else, so that a misspelt or forgotten `local` in infra, a stack or a
-- plugin is found at once. A global is declared by rawset(_G, name, value); rawget asks whether it is there.

local strict = {}

-- A variable by its name, anything else used as a key of _G by its value.
local function refuse(what, name)
  error(("%s undeclared global '%s'"):format(what, tostring(name)), 3)
end

--- Makes `environment` (_G by default) strict. Its present variables stay readable and assignable.
function strict.install(environment)
  setmetatable(environment or _G, {
    __index = function(_, name)
      refuse("reading", name)
    end,
    __newindex = function(_, name)
      refuse("assigning to", name)
    end,
  })
end

return strict
