-- Runs the specs inside the infra binary, from the root of the source tree:
--
--   infra exec spec/run.lua [FILE | DIRECTORY ...]      all of spec/ and plugins/ by default
--
-- Prints a line for each file and failure, each skipped spec with its reason, then the failures in full, and last
-- `N passed, N failed` (and `, N skipped`): who sees only the end of a long log sees what matters. Exit code 1 when
-- anything failed, when nothing ran, or when the specs left something open.

local clock = require "host.clock"
local fs = require "host.fs"
local process = require "host.process"
require "host.loop" -- its descriptor stays open to the end: before the first look at what is open

-- Debian's busted: Lua modules in one place, C modules in the directory of the machine's architecture.
local LUA_PATH = { "./?.lua", "/usr/share/lua/5.4/?.lua", "/usr/share/lua/5.4/?/init.lua" }

local function c_path()
  local path = {}
  for _, name in ipairs(assert(fs.list "/usr/lib")) do
    local directory = "/usr/lib/" .. name .. "/lua/5.4"
    if fs.stat(directory) then
      path[#path + 1] = directory .. "/?.so"
    end
  end
  return path
end

package.path = table.concat(LUA_PATH, ";")
package.cpath = table.concat(c_path(), ";")

-- Globals that busted and its libraries look for in other Luas, or set: infra.strict would refuse.
for _, name in ipairs { "getfenv", "setfenv", "loadstring", "lfs" } do
  rawset(_G, name, false)
end

-- What outlives the Lua objects that should have closed it: files by descriptor, and child processes.
local function open_things()
  local things = {}
  for _, fd in ipairs(assert(fs.list "/proc/self/fd")) do
    things["file " .. (fs.real_path("/proc/self/fd/" .. fd) or "")] = true
  end
  local children = fs.read(("/proc/self/task/%d/children"):format(process.pid())) or ""
  for pid in children:gmatch "%d+" do
    things["process " .. pid] = true
  end
  return things
end

local function left_open(before)
  local left = {}
  for thing in pairs(open_things()) do
    if not before[thing] then
      left[#left + 1] = thing
    end
  end
  table.sort(left)
  return left
end

-- Counts and prints what busted reports; what failed is collected in counts.report, an array of texts.
local function report_to(counts, busted)
  local function full_name(element)
    local names = { element.name or element.descriptor }
    local parent = busted.context.parent(element)
    while parent and parent.name and parent.descriptor ~= "file" do
      table.insert(names, 1, parent.name)
      parent = busted.context.parent(parent)
    end
    return table.concat(names, " ")
  end

  local function on(channel, handle)
    busted.subscribe(channel, function(...)
      handle(...)
      return nil, true -- other subscribers too
    end)
  end

  local function failed(kind)
    return function(element, _, message, trace)
      if element.descriptor ~= "it" then -- "test end" counts the others
        counts.failed = counts.failed + 1
      end
      local title = kind .. " " .. full_name(element)
      local stack = kind == "ERROR" and trace and trace.traceback or ""
      io.write(title, "\n")
      table.insert(counts.report, ("\n%s\n%s%s\n"):format(title, message, (stack:gsub("%s+$", ""))))
    end
  end

  on({ "failure" }, failed "FAILED")
  on({ "error" }, failed "ERROR")

  on({ "pending" }, function(element, _, message)
    element.reason = message
  end)

  local outcomes = { success = "passed", failure = "failed", error = "failed", pending = "skipped" }
  on({ "test", "end" }, function(element, _, status)
    local outcome = outcomes[status]
    counts[outcome] = counts[outcome] + 1
    if outcome == "skipped" then
      io.write("skipped: ", full_name(element), element.reason and ": " .. element.reason or "", "\n")
    end
  end)

  local started
  on({ "file", "start" }, function()
    started = { passed = counts.passed, at = clock.monotonic() }
  end)
  on({ "file", "end" }, function(file)
    local passed, seconds = counts.passed - started.passed, clock.monotonic() - started.at
    io.write(("%5d passed %7.2f s  %s\n"):format(passed, seconds, file.name))
  end)
end

-- busted gives each file its own globals and package.loaded.
local function run(roots)
  local counts = { passed = 0, failed = 0, skipped = 0, report = {} }
  local busted = require "busted.core"()
  require "busted"(busted)
  require "busted.languages.en"
  report_to(counts, busted)
  local load_files = require "busted.modules.test_file_loader"(busted, { "lua" })
  load_files(roots, { "_spec%.lua$" }, { excludes = {}, recursive = true })
  require "busted.execute"(busted)(1, {})
  busted.publish { "exit" }
  busted.context.clear() -- the specs' own variables, which may hold what they opened
  return counts
end

io.stdout:setvbuf "line"
local before = open_things()
local roots = #arg > 0 and arg or { "spec", "plugins" }
local counts = run(roots)
collectgarbage()
collectgarbage() -- what finalisers let go

local left = left_open(before)
for _, thing in ipairs(left) do
  counts.failed = counts.failed + 1
  table.insert(counts.report, "\nFAILED left open by the specs: " .. thing .. "\n")
end
if counts.passed + counts.failed + counts.skipped == 0 then
  counts.failed = 1
  table.insert(counts.report, "FAILED there was no spec to run\n")
end
io.write(table.concat(counts.report))
local skipped = counts.skipped > 0 and (", %d skipped"):format(counts.skipped) or ""
io.write(("%d passed, %d failed%s\n"):format(counts.passed, counts.failed, skipped))
return counts.failed > 0 and 1 or 0
