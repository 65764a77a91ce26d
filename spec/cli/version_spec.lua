local fs = require "host.fs"
local infra = require "spec.cli.infra"
local program = require "spec.support.program"

describe("infra version", function()
  it("prints one line", function()
    local ended = infra { "version" }
    assert.equal(0, ended.status)
    assert.truthy(ended.stdout:find "^infra %S+ %(Lua 5%.4%)\n$")
    assert.equal(ended.stdout, infra({ "--version" }).stdout)
  end)

  -- Loading it takes longer than all the rest; how long that is, the benchmarks tell.
  it("loads no library that only other verbs need", function()
    local ended = program.run {
      argv = { fs.real_path "/proc/self/exe", "version" }, environment = { LD_DEBUG = "libs" }, timeout = 50,
    }
    assert.truthy(ended.stderr:find("libsqlite3", 1, true))
    for _, library in ipairs { "libcurl", "libmicrohttpd", "libedit" } do
      assert.is_nil(ended.stderr:find(library, 1, true))
    end
  end)
end)
