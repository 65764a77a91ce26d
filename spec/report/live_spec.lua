-- What a terminal shows of a run: checked on a screen that understands what the report uses of a terminal's language.

local errors = require "infra.errors"
local live = require "infra.report.live"

-- A screen of `columns`: write(text), and shown() is what stands on it.
local function new_screen(columns)
  local rows, row, column = { {} }, 1, 1

  local function put(character)
    if character == "\r" then
      column = 1
    elseif character == "\n" then
      row, column = row + 1, 1
      rows[row] = rows[row] or {}
    else
      assert.truthy(column <= columns, "this line wraps: " .. table.concat(rows[row]))
      rows[row][column] = character
      column = column + 1
    end
  end

  local function control(command, number)
    if command == "A" then
      row = row - tonumber(number)
      assert.truthy(row >= 1, "above the top")
    elseif command == "K" or command == "J" then
      rows[row] = table.move(rows[row], 1, column - 1, 1, {})
    end
    if command == "J" then
      rows = table.move(rows, 1, row, 1, {})
    end
  end

  local screen = {}

  function screen.write(text)
    for plain, number, command in (text .. "\27[m"):gmatch "([^\27]*)\27%[(%d*)(%a)" do
      for character in plain:gmatch(utf8.charpattern) do
        put(character)
      end
      control(command, number)
    end
  end

  function screen.shown()
    local lines = {}
    for i, characters in ipairs(rows) do
      lines[i] = table.concat(characters)
    end
    return table.concat(lines, "\n")
  end

  return screen
end

describe("live progress", function()
  local shown, reporter, time

  local function open(columns, rows)
    time = 0
    local screen = new_screen(columns)
    shown = screen.shown
    reporter = live(screen.write, {
      now = function() return time end,
      size = function() return columns, rows or 24 end,
    })
  end

  local function start(address, expected)
    reporter.emit { kind = "start", address = address, action = "create", expected = expected, total = 3 }
  end

  local function done(address, finished)
    reporter.emit { kind = "done", address = address, action = "create", seconds = time, finished = finished,
      total = 3 }
  end

  it("lists what is under way below what has ended", function()
    open(80)
    start "vpc"
    start "role"
    time = 4
    done("role", 1)
    reporter.emit { kind = "progress", address = "vpc", action = "create", text = "waiting\nfor it" }
    assert.equal("1/3 + role created in 4.0 s\n  vpc creating: waiting for it  4.0 s\n  1 of 3 done\n", shown())
  end)

  it("leaves standing what must not be missed", function()
    open(80)
    start "zone"
    for _, text in ipairs { "waiting", "enter this", "waiting on" } do
      local lasting = text == "enter this"
      reporter.emit { kind = "progress", address = "zone", action = "create", text = text, lasting = lasting }
    end
    assert.equal("  zone creating: enter this\n  zone creating: waiting on  0.0 s\n  0 of 3 done\n", shown())
  end)

  it("lets time go on, and says how long something usually takes", function()
    open(80)
    start("database", 480)
    time = 65
    reporter.tick()
    assert.equal("  database creating  1 min 05 s of about 8 min 00 s\n  0 of 3 done\n", shown())
  end)

  it("says rather what is being waited for than how long it usually takes", function()
    open(64)
    start("data/aurora", 480)
    reporter.emit { kind = "progress", address = "data/aurora", action = "create",
      text = "waiting until it is available" }
    assert.equal("  data/aurora creating: waiting until it is available  0.0 s\n  0 of 3 done\n", shown())
  end)

  it("leaves only what has ended", function()
    open(80)
    start "a"
    done("a", 1)
    start "b"
    reporter.emit { kind = "failed", address = "b", action = "create", seconds = 1, finished = 2, total = 3,
      error = errors.new { code = "Bad", service = "sns", operation = "CreateTopic", message = "it is bad" } }
    reporter.emit { kind = "skipped", address = "c", action = "create", text = "needs b", finished = 3, total = 3 }
    reporter.close()
    assert.equal("1/3 + a created in 0.0 s\n2/3 ✗ b failed: sns CreateTopic: Bad: it is bad\n" ..
      "3/3 · c skipped: needs b\n", shown())
  end)

  it("has room for a note", function()
    open(80)
    start "a"
    reporter.note "stopping"
    reporter.emit { kind = "stopped", address = "a", action = "create", total = 3 }
    assert.equal("stopping\n· a stopped\n  0 of 3 done\n", shown())
  end)

  it("never wraps what it will write over", function()
    open(40)
    for i = 1, 3 do
      start(("ä"):rep(60) .. i, 1000)
    end
    assert.matches("\n  0 of 3 done\n$", shown())
  end)

  it("keeps to the height of the terminal", function()
    open(80, 6)
    for i = 1, 9 do
      start("thing-" .. i)
    end
    assert.matches("^[^\n]*\n[^\n]*\n[^\n]*\n  0 of 3 done, 6 more under way\n$", shown())
    for i = 1, 9 do
      done("thing-" .. i, i)
    end
    reporter.close()
    assert.equal(9, select(2, shown():gsub(" created ", "")))
    assert.is_nil(shown():find("done", 1, true))
  end)
end)
