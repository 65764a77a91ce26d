-- The source tree as a whole. The specs run with its root as the current directory.
local fs = require "host.fs"
local program = require "spec.support.program"

local function matches(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then
      return true
    end
  end
end

-- Paths of the files below the directories whose names match one of the patterns, in order.
local function files(directories, patterns)
  local found = {}
  local function walk(path)
    for _, name in ipairs(fs.list(path) or {}) do
      local inside = path .. "/" .. name
      if fs.stat(inside).kind == "directory" then
        walk(inside)
      end
      if matches(name, patterns) then
        found[#found + 1] = inside
      end
    end
  end
  for _, directory in ipairs(directories) do
    walk(directory)
  end
  return found
end

local LUA, C = { "%.lua$" }, { "%.[ch]$" }
local LUA_LINES <const>, C_LINES <const> = 400, 500
local SPECS = files({ "spec", "plugins" }, { "_spec%.lua$" })

-- "path:line: text" of every line in the files that one of the patterns matches.
local function offenders(paths, patterns)
  local found = {}
  for _, path in ipairs(paths) do
    local number = 0
    for line in io.lines(path) do
      number = number + 1
      if matches(line, patterns) then
        found[#found + 1] = ("%s:%d: %s"):format(path, number, line)
      end
    end
  end
  return found
end

describe("the source tree", function()
  it("compiles, and uses no globals but Lua's own", function()
    local found = {}
    for _, path in ipairs(files({ "lua", "stacks", "plugins" }, LUA)) do
      local is_spec = path:find "_spec%.lua$" -- busted's globals are its own
      local listing = program.run { argv = { "luac5.4", "-l", "-p", path } }
      found[#found + 1] = listing.stderr:match "[^\n]+"
      for line, operation, name in listing.stdout:gmatch '%[(%d+)%]%s+([GS]ET)TABUP[^\n]*; _ENV "([^"\n]*)"' do
        if operation == "SET" or not is_spec and name ~= "arg" and rawget(_G, name) == nil then
          found[#found + 1] = ("%s:%s: %s"):format(path, line, name)
        end
      end
    end
    assert.same({}, found)
  end)

  it("keeps files short enough to be read", function()
    local found = {}
    local function check(paths, limit)
      for _, path in ipairs(paths) do
        local _, lines = fs.read(path):gsub("\n", "")
        if lines > limit then
          found[#found + 1] = ("%s: %d lines"):format(path, lines)
        end
      end
    end
    check(files({ "lua", "stacks", "plugins", "spec" }, LUA), LUA_LINES)
    check(files({ "host" }, C), C_LINES)
    assert.same({}, found)
  end)

  it("mentions no machine's own paths", function()
    -- In pieces, so that this file does not mention them either.
    local forbidden = { "/wo" .. "rk%f[^%w_]", "/tmp/" .. "b%-", "/ho" .. "me/%w", "/ro" .. "ot/" }
    local paths = files({ "host", "lua", "stacks", "plugins", "spec", "state", "docs", ".ci" },
      { "%.lua$", "%.[chS]$", "%.sh$", "%.sql$", "%.md$", "^run$" })
    for _, name in ipairs(fs.list ".") do
      if name == "Makefile" or name:find "%.md$" then
        paths[#paths + 1] = name
      end
    end
    assert.same({}, offenders(paths, forbidden))
  end)
end)

describe("the specs", function()
  it("are there", function()
    assert.is_true(#SPECS > 0)
  end)

  it("each contain at least one", function()
    local empty = {}
    for _, path in ipairs(SPECS) do
      if not fs.read(path):find "%f[%w_]it%s*%(" then
        empty[#empty + 1] = path
      end
    end
    assert.same({}, empty)
  end)

  it("are never focused", function()
    local forbidden = { "#" .. "only", "%f[%w_]it%." .. "only", "%f[%w_]f" .. "it%s*%(", "%f[%w_]f" .. "describe%s*%(" }
    assert.same({}, offenders(SPECS, forbidden))
  end)
end)
