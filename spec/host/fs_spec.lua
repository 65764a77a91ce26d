local fs = require "host.fs"
local process = require "host.process"
local program = require "spec.support.program"
local temporary = require "spec.support.temporary"

describe("host.fs", function()
  local directory, remove = temporary()

  teardown(remove)

  local function path(name)
    return directory .. "/" .. name
  end

  local function mode(text)
    return tonumber(text, 8)
  end

  it("reads back what it wrote, byte for byte", function()
    for _, bytes in ipairs { "", "a\0b\r\n\xff", ("x"):rep(3 * 1024 * 1024 + 1) } do
      assert.is_true(fs.write(path "bytes", bytes))
      assert.equal(bytes, fs.read(path "bytes"))
    end
  end)

  it("reads files that do not tell their size", function()
    assert.matches("^Name:", fs.read "/proc/self/status")
  end)

  it("says what went wrong and with which path", function()
    local bytes, err = fs.read(path "missing")
    assert.is_nil(bytes)
    assert.equal("ENOENT", err.code)
    assert.equal(path "missing" .. ": No such file or directory", err.message)
    assert.equal("EISDIR", select(2, fs.read(directory)).code)
    assert.equal("ENOENT", select(2, fs.stat(path "missing")).code)
    assert.equal("ENOENT", select(2, fs.remove(path "missing")).code)
    assert.equal("ENOENT", select(2, fs.rename(path "missing", path "other")).code)
    assert.equal("ENOENT", select(2, fs.real_path(path "missing")).code)
    assert.equal("ENOENT", select(2, fs.list(path "missing")).code)
    assert.equal("ENOENT", select(2, fs.write(path "missing/file", "x")).code)
    assert.equal("ENAMETOOLONG", select(2, fs.write(("x"):rep(5000), "x")).code)
    assert.equal("ENAMETOOLONG", select(2, fs.mkdir(("x"):rep(5000))).code)
  end)

  it("refuses paths that C would cut short", function()
    for _, name in ipairs { "read", "write", "mkdir", "list", "stat", "remove", "rename", "real_path" } do
      local ok, message = pcall(fs[name], path "a\0b", "x")
      assert.is_false(ok)
      assert.matches("NUL byte in a path", message, 1, true)
    end
  end)

  describe("write", function()
    it("keeps files private unless told otherwise", function()
      fs.write(path "private", "x")
      fs.write(path "public", "x", mode "644")
      assert.equal(mode "600", fs.stat(path "private").mode)
      assert.equal(mode "644", fs.stat(path "public").mode)
    end)

    it("replaces a file in one step and leaves nothing else behind", function()
      local inside = path "atomic"
      fs.mkdir(inside)
      fs.write(inside .. "/file", "old")
      local before = io.open(inside .. "/file")
      fs.write(inside .. "/file", "new")
      assert.equal("old", before:read "a")
      before:close()
      assert.same({ "file" }, fs.list(inside))
    end)

    it("leaves no temporary file when it fails", function()
      fs.mkdir(path "taken/full")
      assert.equal("EISDIR", select(2, fs.write(path "taken", "x")).code)
      assert.is_nil(table.concat(fs.list(directory), " "):find("taken.", 1, true))
    end)

    it("goes through a link to the file that it means", function()
      fs.mkdir(path "far")
      fs.write(path "far/file", "old")
      assert(os.execute(("ln -s far/file %s"):format(path "link")))
      assert.is_true(fs.write(path "link", "new"))
      assert.equal("new", fs.read(path "far/file"))
      assert.equal(path "far/file", fs.real_path(path "link"))
      assert.same({ "file" }, fs.list(path "far"))
    end)

    it("writes into a pipe that somebody reads", function()
      assert(os.execute("mkfifo " .. path "pipe"))
      local reader = assert(process.start { argv = { "cat", path "pipe" }, timeout = 50 })
      assert.is_true(fs.write(path "pipe", "through"))
      assert.equal("through", program.finish(reader).stdout)
      assert.equal("other", fs.stat(path "pipe").kind)
    end)

    it("works with a bare name in the current directory", function()
      local name = ("infra-spec-%d"):format(math.random(1 << 30))
      assert.is_true(fs.write(name, "x"))
      assert.equal("x", fs.read(name))
      assert.is_true(fs.remove(name))
    end)
  end)

  it("makes directories with their parents, and again", function()
    for _ = 1, 2 do
      assert.is_true(fs.mkdir(path "a/b//c/"))
    end
    assert.equal("directory", fs.stat(path "a/b/c").kind)
    fs.write(path "plain", "x")
    assert.equal("EEXIST", select(2, fs.mkdir(path "plain")).code)
    assert.equal("EEXIST", select(2, fs.mkdir(path "plain/below")).code)
  end)

  it("lists names in bytewise order, with hidden files and without the directory itself", function()
    fs.mkdir(path "list")
    assert.same({}, fs.list(path "list"))
    for _, name in ipairs { "b", "a", "B", ".hidden", "a b" } do
      fs.write(path("list/" .. name), "")
    end
    assert.same({ ".hidden", "B", "a", "a b", "b" }, fs.list(path "list"))
  end)

  it("tells kind, size, time and mode", function()
    fs.write(path "stat", "12345", mode "640")
    local info = fs.stat(path "stat")
    assert.same({ "file", 5, mode "640" }, { info.kind, info.size, info.mode })
    assert.is_true(math.abs(info.mtime - os.time()) < 10)
    assert.equal("directory", fs.stat(directory).kind)
    assert.equal("other", fs.stat("/dev/null").kind)
  end)

  it("renames over what is there", function()
    fs.write(path "from", "1")
    fs.write(path "to", "2")
    assert.is_true(fs.rename(path "from", path "to"))
    assert.equal("1", fs.read(path "to"))
    assert.is_nil(fs.stat(path "from"))
  end)

  it("removes files and empty directories only", function()
    fs.mkdir(path "remove/full")
    assert.equal("ENOTEMPTY", select(2, fs.remove(path "remove")).code)
    assert.is_true(fs.remove(path "remove/full"))
    assert.is_true(fs.remove(path "remove"))
  end)

  it("resolves paths", function()
    assert.equal(fs.real_path(directory), fs.real_path(directory .. "/./a/.."):gsub("/$", ""))
    assert.equal(fs.cwd(), fs.real_path ".")
    assert.equal("/", fs.home():sub(1, 1))
  end)
end)
