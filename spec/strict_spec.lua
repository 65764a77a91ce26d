local strict = require "infra.strict"

describe("infra.strict", function()
  local environment

  before_each(function()
    environment = { known = 1, print = print }
    strict.install(environment)
  end)

  local function run(code)
    local ok, message = pcall(assert(load(code, "@stack.lua", "t", environment)))
    return ok or message
  end

  it("refuses to read an undeclared global, with the reader's position", function()
    assert.equal("stack.lua:2: reading undeclared global 'unknwon'", run "\nlocal x = unknwon")
  end)

  it("refuses to create a global, with the writer's position", function()
    assert.equal("stack.lua:1: assigning to undeclared global 'leak'", run "leak = 1")
    assert.is_nil(rawget(environment, "leak"))
  end)

  it("names the position inside a function called from elsewhere", function()
    assert.equal("stack.lua:2: reading undeclared global 'a'", run "local function f()\nreturn a\nend\nlocal x = f()")
  end)

  it("leaves what exists alone", function()
    assert.is_true(run "known = known + 1")
    assert.equal(2, environment.known)
  end)

  it("accepts what is declared with rawset", function()
    rawset(environment, "declared", 1)
    assert.is_true(run "declared = declared + 1")
    assert.equal(2, environment.declared)
  end)

  it("does not stumble over keys that are no names", function()
    assert.has_error(function()
      return environment[environment]
    end)
    assert.has_error(function()
      return environment[1]
    end)
  end)

  it("is on for everything that the command line runs", function()
    assert.has_error(function()
      return _G.surely_undeclared
    end)
  end)
end)
