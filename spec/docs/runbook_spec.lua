-- docs/RUNBOOK.md is typed by somebody at night: every command in it must at least be one that this program takes.
local argparse = require "argparse"
local call = require "infra.cli.call"
local fs = require "host.fs"
local json = require "host.json"
local program = require "spec.support.program"

-- The shell itself takes the commands apart; in place of the programs it runs this, which writes down their arguments,
-- NUL after each and \1 after the last, and answers what is asked for what a command goes on with.
local PRELUDE = [[
  exec 3>&1 1>/dev/null
  infra() { for word; do printf '%s\0' "$word"; done >&3; printf '\1' >&3; echo answer; }
  aws() { :; }; cd() { :; }; curl() { :; }; docker() { :; }; mv() { :; }; ps() { :; }; rm() { :; }
]]

-- The commands as text, one after the other: the indented lines, without what the program says ("infra: ... in use"),
-- and what the rows of tables have between backquotes.
local function commands(text)
  local lines = {}
  for line in text:gsub("\n +infra: [^\n]*\n[^\n]*", "\n"):gmatch "[^\n]+" do
    lines[#lines + 1] = line:match "^    +(.+)$"
    for command in (line:match "^|.*" or ""):gmatch "`(infra [^`]+)`" do
      lines[#lines + 1] = command
    end
  end
  return table.concat(lines, "\n")
end

-- The arguments of every call of this program in the RUNBOOK.
local function calls_of(text)
  local ended = program.run { argv = { "sh", "-c", PRELUDE .. commands(text) }, timeout = 50 }
  local found = {}
  for words in ended.stdout:gmatch "([^\1]*)\1" do
    local argv = {}
    for word in words:gmatch "([^\0]*)\0" do
      argv[#argv + 1] = word
    end
    found[#found + 1] = argv
  end
  return found, ended.stderr
end

local function parser()
  local made = argparse "infra"
  function made.error(_, message)
    error(message, 0)
  end
  for _, file in ipairs(assert(fs.list "lua/infra/cli")) do
    local name = file:match "^[^.]+"
    local verb = name ~= "init" and require("infra.cli." .. name)
    if type(verb) == "table" and verb.name and verb.run then
      local command = made:command(verb.name)
      if verb.arguments then
        verb.arguments(command)
      end
    end
  end
  return made
end

describe("the RUNBOOK", function()
  local found, complaints = calls_of(assert(fs.read "docs/RUNBOOK.md"))

  it("is something that a shell understands", function()
    assert.equal("", complaints)
    assert.is_true(#found > 80)
  end)

  it("has only commands that this program takes", function()
    local faults = {}
    for _, argv in ipairs(found) do
      local ok, problem = pcall(parser().parse, parser(), argv)
      faults[#faults + 1] = not ok and ("%s: %s"):format(table.concat(argv, " "), problem) or nil
    end
    assert.same({}, faults)
  end)

  it("has only calls that AWS has, with the parameters that they take and need", function()
    local faults, count = {}, 0
    for _, argv in ipairs(found) do
      if argv[1] == "aws" then
        count = count + 1
        local options = parser():parse(argv)
        local meant, err = call.read(options)
        faults[#faults + 1] = not meant and ("%s: %s"):format(table.concat(argv, " "), err.message) or nil
        for _, member in ipairs(meant and (meant.operation.input or {}).required or {}) do
          if meant.params[member] == nil then
            faults[#faults + 1] = ("%s: %s is missing"):format(table.concat(argv, " "), member)
          end
        end
      end
    end
    assert.same({}, faults)
    assert.is_true(count > 60, json.encode(count))
  end)

  it("hands over no secret where the list of processes shows it", function()
    for _, argv in ipairs(found) do
      assert.is_nil(table.concat(argv, " "):find "Password")
    end
  end)

  it("uploads a copy of the state, never the file that has changes in the log beside it", function()
    local uploads = 0
    for _, argv in ipairs(found) do
      if argv[3] == "PutObject" then
        uploads = uploads + 1
        assert.is_nil(table.concat(argv, " "):find "Body=@state/")
      end
    end
    assert.equal(1, uploads)
  end)

  it("gives restored clusters and snapshots names with a time: those of the last restore may be there still", function()
    local count = 0
    for _, argv in ipairs(found) do
      local operation = argv[1] == "aws" and argv[3] or ""
      if operation:find "^RestoreDBCluster" or operation:find "^C%a+DBClusterSnapshot$" then
        count = count + 1
        assert.is_truthy(table.concat(argv, " "):find "Identifier=[%w-]+%-%d%d%d%d%d%d%d%d%-%d%d%d%d")
      end
    end
    assert.equal(6, count)
  end)

  it("names stacks that there are, and options that they have", function()
    local project = require "infra.project"
    for _, argv in ipairs(found) do
      local options = parser():parse(argv)
      if options.stack then
        local definition = assert(project.load(options.stack))
        for _, setting in ipairs(options.set or {}) do
          assert.is_table((definition.options or {})[setting:match "^[^=]+"], setting)
        end
      end
    end
  end)
end)
