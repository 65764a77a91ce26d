-- Temporary directories for specs: one per call, removed with everything in it by the returned function.
--
--   local directory, remove = temporary()      -- in a spec file: teardown(remove)
local fs = require "host.fs"

local function remove_tree(path)
  for _, name in ipairs(fs.list(path) or {}) do
    remove_tree(path .. "/" .. name)
  end
  assert(fs.remove(path))
end

return function()
  local path = os.tmpname()
  assert(fs.remove(path))
  assert(fs.mkdir(path))
  return path, function()
    remove_tree(path)
  end
end
