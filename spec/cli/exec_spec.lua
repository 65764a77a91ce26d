local fs = require "host.fs"
local infra = require "spec.cli.infra"
local temporary = require "spec.support.temporary"

describe("infra exec", function()
  local directory, remove = temporary()
  teardown(remove)

  local path = directory .. "/script.lua"

  local function exec(code, ...)
    assert(fs.write(path, code))
    return infra { "exec", path, ... }
  end

  it("runs a file with the host's primitives and infra's modules", function()
    local ended = exec 'print(require "host.json".encode { a = 1 }, require "infra.errors".is(nil))'
    assert.equal('{"a":1}\tfalse\n', ended.stdout)
    assert.equal(0, ended.status)
  end)

  it("gives it its arguments untouched, in `arg` and in `...`", function()
    local code = 'print(arg[0], #arg, table.concat(arg, " "), ...)'
    assert.equal(("%s\t4\t--help -v -- x\t--help\t-v\t--\tx\n"):format(path),
      exec(code, "--help", "-v", "--", "x").stdout)
    assert.equal(path .. "\t0\t\n", exec(code).stdout)
  end)

  it("takes options before the file for its own", function()
    assert(fs.write(path, "print(#arg)"))
    assert.equal("1\n", infra({ "exec", "-v", path, "-v" }).stdout)
    assert.equal("1\n", infra({ "exec", "--", path, "-v" }).stdout)
    assert.truthy(infra({ "exec", "--help" }).stdout:find("Usage: infra exec", 1, true))
  end)

  it("leaves package.path alone", function()
    assert.equal("true\n", exec('print(package.path == "")').stdout)
  end)

  it("ends with the integer that the file returns", function()
    assert.equal(7, exec("return 7").status)
    for _, value in ipairs { "nil", "true", "1.5", '"7"', "{}" } do
      assert.equal(0, exec("return " .. value).status)
    end
  end)

  it("reports a file that is not there or not Lua", function()
    local ended = infra { "exec", directory .. "/nothing.lua" }
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "^infra: cannot open .*nothing.lua")
    ended = exec "this is not Lua"
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "script.lua:1:")
  end)

  it("reports what the file throws, with its traceback", function()
    local ended = exec 'local function f() error "boom" end\nf()'
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "script.lua:1: boom")
    assert.truthy(ended.stderr:find("stack traceback", 1, true))
  end)
end)
