local fs = require "host.fs"
local infra = require "spec.cli.infra"
local program = require "spec.support.program"
local terminal = require "spec.support.terminal"
local temporary = require "spec.support.temporary"

describe("the command line", function()
  local directory, remove = temporary()
  teardown(remove)

  local function script(code)
    local path = directory .. "/script.lua"
    assert(fs.write(path, code))
    return path
  end

  local function stack()
    local path = directory .. "/stack.lua"
    assert(fs.write(path, [[return require("infra").stack { project = "p", environment = "e", region = "us-east-1",
      build = function(it) it:output("o", "1") end }]]))
    return path
  end

  local function shell(command)
    local exe = fs.real_path "/proc/self/exe"
    return program.run { argv = { "sh", "-c", (command:gsub("INFRA", exe)) }, timeout = 50 }
  end

  it("lists every verb", function()
    local ended = infra { "--help" }
    assert.equal(0, ended.status)
    assert.equal("", ended.stderr)
    for _, verb in ipairs {
      "run", "plan", "apply", "destroy", "drift", "output", "state", "login", "whoami", "aws", "models", "exec", "repl",
      "version",
    } do
      assert.truthy(ended.stdout:find("\n   " .. verb .. " +%u"), verb)
    end
  end)

  it("describes one verb, even when its arguments are missing", function()
    local ended = infra { "aws", "--help" }
    assert.equal(0, ended.status)
    assert.truthy(ended.stdout:find("Usage: infra aws", 1, true))
  end)

  it("says where JSON comes as lines", function()
    for _, verb in ipairs { "run", "apply", "destroy" } do
      assert.matches("\n   %-%-json +Print JSON lines: ", infra({ verb, "--help" }).stdout)
    end
    assert.matches("\n   %-%-json +Print JSON%.", infra({ "plan", "--help" }).stdout)
  end)

  it("is coloured in a terminal, unless NO_COLOR says something", function()
    for _, value in ipairs { "", "1" } do
      local shown = terminal(([[
        local process = require "host.process"
        process.set_environment("NO_COLOR", "%s")
        require "infra.cli" { [0] = "infra", "run", "%s", "--sim", "--yes", "--state", "%s/state.db" }
      ]]):format(value, stack(), directory), {})
      assert.equal(value == "", shown:find("\27[1m", 1, true) ~= nil, shown)
    end
  end)

  it("takes `help VERB` for `VERB --help`", function()
    assert.equal(infra({ "--help" }).stdout, infra({ "help" }).stdout)
    assert.equal(infra({ "models", "show", "--help" }).stdout, infra({ "help", "models", "show" }).stdout)
    assert.equal(2, infra({ "help", "nonesuch" }).status)
  end)

  it("calls every verb by the name and the summary that the list has", function()
    local help = infra({ "--help" }).stdout
    for _, file in ipairs(assert(fs.list "lua/infra/cli")) do
      local name = file:match "^(%w+)%.lua$"
      if name and help:find("\n   " .. name .. " ") then
        local verb = require("infra.cli." .. name)
        assert.equal(name, verb.name)
        assert.equal(verb.summary, help:match("\n   " .. name .. " +([^\n]+)"))
      end
    end
  end)

  it("answers wrong usage with what is wrong, the usage, and exit code 2", function()
    for wrong, arguments in pairs {
      ["a command is required"] = {},
      ["unknown command 'versoin'. Did you mean 'version'"] = { "versoin" },
      ["unknown option '--nope'"] = { "version", "--nope" },
      ["too many arguments"] = { "version", "x" },
      ["missing argument 'service'"] = { "aws" },
      ["--depth must be a whole number, 1 or more, not '1.5'"] = { "models", "show", "ec2", "--depth", "1.5" },
      ["--usage logs_gb: must be NAME=VALUE"] = { "cost", "x.lua", "--usage", "logs_gb" },
    } do
      local ended = infra(arguments)
      assert.equal(2, ended.status)
      assert.equal("", ended.stdout)
      assert.truthy(ended.stderr:find(wrong, 1, true), ended.stderr)
      assert.truthy(ended.stderr:find("Usage: infra", 1, true))
    end
  end)

  it("loads no verb but the one asked for, and none for --help", function()
    local code = [[
      local loaded = {}
      local main = require "infra.cli"
      main { [0] = "infra", %s }
      for name in pairs(package.loaded) do
        if name:find "^infra%%.cli%%.%%w+$" then loaded[#loaded + 1] = name end
      end
      table.sort(loaded)
      print(table.concat(loaded, " "))
    ]]
    local function loaded(argument)
      return infra({ "exec", script(code:format(argument)) }).stdout:match "\n([^\n]*)\n$"
    end
    assert.equal("infra.cli.exec infra.cli.version", loaded '"version"')
    assert.equal("infra.cli.exec", loaded '"--help"')
  end)

  it("shows errors without a traceback unless asked for it", function()
    local path = script 'error(require "infra.errors".new { code = "Odd", message = "so it goes", exit_code = 7 })'
    local ended = infra { "exec", path }
    assert.equal(7, ended.status)
    assert.equal("infra: so it goes\n", ended.stderr)
  end)

  it("calls its own mistakes by their name", function()
    local code = [[
      package.loaded["infra.cli.version"] = { run = function() local nothing = nil; return nothing.field end }
      return require "infra.cli" { [0] = "infra", %s }
    ]]
    local ended = infra { "exec", script(code:format '"version"') }
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "^infra: internal error: .*nothing")
    assert.is_nil(ended.stderr:find("traceback", 1, true))
    ended = infra { "exec", script(code:format '"--verbose", "version"') }
    assert.truthy(ended.stderr:find("traceback", 1, true))
  end)

  it("says nothing when its reader has gone", function()
    local path = script [[
      package.loaded["infra.cli.version"] = { run = function(_, context)
        for _ = 1, 10000 do context.out(("x"):rep(100) .. "\n") end
        return 5
      end }
      return require "infra.cli" { [0] = "infra", "version" }
    ]]
    local ended = shell(("{ trap '' PIPE; INFRA exec %s; echo $? >&2; } | true"):format(path))
    assert.equal("5\n", ended.stderr)
  end)

  it("does not pass over output that is lost", function()
    local ended = shell "INFRA version >/dev/full"
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "^infra: cannot write output: ")
  end)

  it("refuses undeclared globals everywhere", function()
    local ended = infra { "exec", script "undeclared = 1" }
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "undeclared")
  end)
end)
