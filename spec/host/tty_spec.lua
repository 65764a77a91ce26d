local fs = require "host.fs"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"
local terminal = require "spec.support.terminal"
local tty = require "host.tty"

local PRELUDE = [[
local tty = require "host.tty"
local function show(result, err)
  io.write("[", tostring(result), "|", tostring(err), "]\n")
  io.flush()
end
]]

-- Runs `code` with `input` as standard input, which is no terminal.
local function piped(code, input)
  local directory, remove = temporary()
  assert(fs.write(directory .. "/program.lua", PRELUDE .. code))
  local event = program.run {
    argv = { fs.real_path "/proc/self/exe", "exec", directory .. "/program.lua" },
    stdin = input,
    timeout = 50,
  }
  remove()
  assert(not event.error, event.stderr)
  return event.stdout .. event.stderr
end

describe("host.tty", function()
  it("tells a terminal from everything else", function()
    assert.matches("[false|80 24]", piped([[show(tty.is_terminal(0), table.concat({ tty.size() }, " "))]], ""), 1, true)
    assert.matches("[true|", terminal(PRELUDE .. [[show(tty.is_terminal(0))]], {}), 1, true)
    assert.is_false(tty.is_terminal(-1))
  end)

  describe("read_line", function()
    it("reads lines without a terminal, without prompts", function()
      assert.equal("[one|nil][|nil][last|nil][nil|nil]", (piped([[
        for _ = 1, 4 do
          show(tty.read_line "prompt> ")
        end
      ]], "one\n\nlast"):gsub("\n", "")))
    end)

    it("edits a line in the terminal", function()
      local output = terminal(PRELUDE .. [[show(tty.read_line "1> ") show(tty.read_line "2> ")]], {
        { "1> ", "helo\27[Dl\r" }, -- cursor left
        { "2> ", "z\u{fc}rich\1>\5<\r" }, -- to the start, to the end
      })
      assert.matches("[hello|nil]", output, 1, true)
      assert.matches("[>z\u{fc}rich<|nil]", output, 1, true)
    end)

    it("gives up a line at Ctrl-C and ends at Ctrl-D", function()
      local output = terminal(PRELUDE .. [[
        local line, err = tty.read_line "1> "
        show(line, err.code)
        show(tty.read_line "2> ")
        show(tty.read_line "3> ")
      ]], { { "1> ", "some" }, { "some", "\3" }, { "2> ", "other\r" }, { "3> ", "\4" } })
      assert.matches("[nil|Interrupted]", output, 1, true)
      assert.matches("[other|nil]", output, 1, true)
      assert.matches("[nil|nil]", output, 1, true)
    end)

    it("remembers lines, also in a file that is private", function()
      local output = terminal(PRELUDE .. [[
        local fs = require "host.fs"
        tty.add_history "first"
        tty.add_history "second"
        local path = os.tmpname()
        show(tty.save_history(path))
        show(("%o"):format(fs.stat(path).mode))
        show(tty.load_history(path))
        os.remove(path)
        show(tty.read_line "1> ")
        local ok, err = tty.load_history(path)
        show(ok, err.code)
      ]], { { "1> ", "\16\16\r" } })
      assert.matches("[true|nil]\n[600|nil]\n[true|nil]", output, 1, true)
      assert.matches("[first|nil]", output, 1, true)
      assert.matches("[nil|ENOENT]", output, 1, true)
    end)
  end)

  describe("completer", function()
    local COMPLETER = PRELUDE .. [[
      tty.set_completer(function(text)
        local start, word = text:match "()(%w*)$"
        local words = {}
        for _, candidate in ipairs { "Subnet", "SubnetGroup", "VPC" } do
          if candidate:sub(1, #word) == word then
            words[#words + 1] = candidate
          end
        end
        return words, start
      end)
      show(tty.read_line "1> ")
    ]]

    it("completes as far as all words agree", function()
      assert.matches("[aws.EC2.VPC|nil]", terminal(COMPLETER, { { "1> ", "aws.EC2.V\t\r" } }), 1, true)
      assert.matches("[Subnet|nil]", terminal(COMPLETER, { { "1> ", "S\t\r" } }), 1, true)
    end)

    it("lists the words when they do not agree", function()
      local output = terminal(COMPLETER, { { "1> ", "Subnet\t" }, { "Subnet       SubnetGroup", "G\t\r" } })
      assert.matches("[SubnetGroup|nil]", output, 1, true)
    end)

    it("lists many words in columns, none of them broken at the end of a line", function()
      local output = terminal(PRELUDE .. [[
        tty.set_completer(function()
          local words = {}
          for i = 1, 9 do
            words[i] = "word-" .. i .. ("x"):rep(i % 3 * 8)
          end
          return words, 1
        end)
        show(tty.read_line "1> ")
      ]], { { "1> ", "word-\t" }, { "word-9", "\r" } })
      local listed = output:match "\n(word%-1.-)\r?\n[^\n]*1> "
      local columns = 0
      for line in listed:gmatch "[^\r\n]+" do
        assert.equal(1, line:find "word%-")
        assert.is_true(#line <= 80, line)
        for place in line:gmatch "()word" do
          assert.equal(0, (place - 1) % (#"word-2" + 16 + 2))
          columns = math.max(columns, place // 24 + 1)
        end
      end
      assert.equal(3, columns)
    end)

    it("leaves the line alone when there is none", function()
      assert.matches("[x|nil]", terminal(COMPLETER, { { "1> ", "x\t\r" } }), 1, true)
    end)

    it("throws through read_line, which works again afterwards", function()
      local output = terminal(PRELUDE .. [[
        tty.set_completer(function() error({ "thrown" }) end)
        local ok, thrown = pcall(tty.read_line, "1> ")
        show(ok, thrown[1])
        tty.set_completer(function() tty.read_line "inner> " end)
        local nested, message = pcall(tty.read_line, "2> ")
        show(nested, message:match "called by a completer")
        tty.set_completer(function() return { {} } end)
        show(pcall(tty.read_line, "3> "))
        tty.set_completer(nil)
        show(tty.read_line "4> ")
      ]], { { "1> ", "x\t" }, { "2> ", "x\t" }, { "3> ", "x\t" }, { "4> ", "fine\t\r" } })
      assert.matches("[false|thrown]", output, 1, true)
      assert.matches("[false|called by a completer]", output, 1, true)
      assert.matches("[false|a completer returned a table", output, 1, true)
      assert.matches("[fine|nil]", output, 1, true)
    end)
  end)

  describe("read_secret", function()
    it("reads from the terminal without showing what is typed", function()
      local output = terminal(PRELUDE .. [[
        local secret, err = tty.read_secret "secret: "
        show(#secret, secret == "pass\u{e9}word")
      ]], { { "secret: ", "wrong\21pass\u{e9}\u{e8}\127wrd\127\127ord\r" } })
      assert.matches("[10|true]", output, 1, true)
      assert.is_nil(output:find("pass", 1, true))
    end)

    it("gives up at Ctrl-C, ends at Ctrl-D and leaves the terminal echoing", function()
      local output = terminal(PRELUDE .. [[
        local secret, err = tty.read_secret "1: "
        show(secret, err.code)
        show(tty.read_secret "2: ")
        io.write "3: "
        io.flush()
        show(io.read())
      ]], { { "1: ", "x\3" }, { "2: ", "\4" }, { "3: ", "seen\r" } })
      assert.matches("[nil|Interrupted]", output, 1, true)
      assert.matches("[nil|nil]", output, 1, true)
      assert.matches("seen\n[seen|nil]", output, 1, true)
    end)

    it("refuses to cut a long one short", function()
      local output = terminal(PRELUDE .. [[
        local secret, err = tty.read_secret "secret: "
        show(secret, err.code)
      ]], { { "secret: ", ("x"):rep(1025) } })
      assert.matches("[nil|EMSGSIZE]", output, 1, true)
    end)

    it("refuses without a terminal", function()
      assert.matches("[nil|ENXIO]", piped([[
        local secret, err = tty.read_secret "secret: "
        show(secret, err.code)
      ]], "secret\n"), 1, true)
    end)
  end)
end)
