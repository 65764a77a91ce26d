local chunk = require "infra.repl.chunk"

describe("infra.repl.chunk", function()
  local environment, keep

  before_each(function()
    environment = setmetatable({}, { __index = _G })
    keep = chunk.keeper(environment)
  end)

  local function run(text)
    return assert(chunk.compile(text, environment))(keep)
  end

  it("gives the values of expressions", function()
    assert.same({ 2, "x", n = 2 }, table.pack(run "1 + 1, 'x'"))
    assert.equal(3, run "-- a comment before\n1 + 2 -- and behind")
    assert.equal(0, select("#", run ""))
    assert.equal(0, select("#", run "-- nothing"))
    assert.equal(1, select("#", run "nil"))
  end)

  it("runs statements, and gives the values of a return", function()
    run "x = 1; function f() return x + 1 end"
    assert.equal(2, environment.f())
    assert.same({ 1, 2, n = 2 }, table.pack(run "local y = 1; return y, y + 1"))
  end)

  it("keeps the local variables of a line", function()
    run "local a, b = 1, 2; local function c() return a end local d; if a then local e = 5 end"
    assert.same({ 1, 2, 1 }, { environment.a, environment.b, environment.c() })
    assert.is_nil(rawget(environment, "d"))
    assert.is_nil(rawget(environment, "e"))
    assert.equal(3, run "a + b")
    run "local a = a + 10 -- a comment at the end"
    assert.equal(11, environment.a)
  end)

  it("keeps nothing of a line that failed", function()
    assert.is_false(pcall(run, "local z = 1; error 'x'"))
    assert.is_nil(rawget(environment, "z"))
  end)

  it("asks for more lines as long as one could mend it", function()
    for _, text in ipairs {
      "for i = 1, 2 do", "x =", "f(", "{ 1,", "{", "1 +", "if x then y = 1", "function f()", "[[text", "--[[ comment",
      "local x <const> =", "aws.", "x = {\n  1,",
    } do
      local code, err, more = chunk.compile(text, environment)
      assert.is_nil(code)
      assert.equal("SyntaxError", err.code)
      assert.is_true(more, text)
    end
    for _, text in ipairs { "x = = 1", "end", "'text", "1 1", "for for", "} {", "local 1", "x = )" } do
      local code, err, more = chunk.compile(text, environment)
      assert.is_nil(code)
      assert.matches("^repl:1: ", err.message)
      assert.is_false(more, text)
    end
  end)

  it("names the line of what fails", function()
    local ok, message = pcall(run, "local x = 1\nerror 'oh'")
    assert.is_false(ok)
    assert.equal("repl:2: oh", message)
  end)

  it("takes no compiled chunks", function()
    assert.is_nil(chunk.compile(string.dump(function() end), environment))
  end)
end)
