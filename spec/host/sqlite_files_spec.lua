-- Databases as files, as images and as Lua objects; statements and values are in sqlite_spec.lua.
local fs = require "host.fs"
local sqlite = require "host.sqlite"
local temporary = require "spec.support.temporary"

describe("host.sqlite", function()
  local directory, remove = temporary()

  teardown(remove)

  describe("files", function()
    local function path(name)
      return directory .. "/" .. name
    end

    it("creates a file that only its owner can read", function()
      local file = assert(sqlite.open(path "new.db"))
      assert(file:script "PRAGMA journal_mode = WAL; CREATE TABLE a (x)")
      assert.equal(tonumber("600", 8), fs.stat(path "new.db").mode)
      assert.equal(tonumber("600", 8), fs.stat(path "new.db-wal").mode)
      file:close()
      assert.is_nil(fs.stat(path "new.db-wal"))
    end)

    it("enforces foreign keys and trusts no schema", function()
      local db <close> = assert(sqlite.open(nil, { memory = true }))
      assert.equal(1, db:row("PRAGMA foreign_keys").foreign_keys)
      assert.equal(0, db:row("PRAGMA trusted_schema").trusted_schema)
    end)

    it("creates nothing unless asked", function()
      for _, mode in ipairs { "ro", "rw" } do
        local file, err = sqlite.open(path "missing.db", { mode = mode })
        assert.is_nil(file)
        assert.equal("SQLITE_CANTOPEN", err.code)
        assert.matches("missing.db", err.message, 1, true)
      end
      assert.is_nil(fs.stat(path "missing.db"))
    end)

    it("reads only in modes ro and frozen, by any name", function()
      local name = path "a?mode=rw#%20.db"
      assert(sqlite.open(name)):script "CREATE TABLE a (x)"
      for _, mode in ipairs { "ro", "frozen" } do
        local file <close> = assert(sqlite.open(name, { mode = mode }))
        assert.equal(0, #file:all "SELECT * FROM a")
        local _, err = file:run "INSERT INTO a VALUES (1)"
        assert.equal("SQLITE_READONLY", err.code)
      end
    end)

    it("refuses a foreign file at once", function()
      fs.write(path "foreign", ("not a database"):rep(100))
      local file, err = sqlite.open(path "foreign")
      assert.is_nil(file)
      assert.equal("SQLITE_NOTADB", err.code)
      assert.matches("foreign", err.message, 1, true)
    end)

    it("takes a path literally", function()
      local file <close> = assert(sqlite.open(path "file:x?mode=memory"))
      assert.equal("file", fs.stat(path "file:x?mode=memory").kind)
      assert.equal(0, file:run "CREATE TABLE a (x)")
    end)

    it("tells a busy writer from other failures", function()
      local one <close> = assert(sqlite.open(path "busy.db"))
      local two <close> = assert(sqlite.open(path "busy.db"))
      one:script "CREATE TABLE a (x)"
      two:busy_timeout(0)
      one:transaction(function()
        local result, err = two:transaction(function()
          return true
        end)
        assert.is_nil(result)
        assert.equal("SQLITE_BUSY", err.code)
      end)
    end)

    it("checks its arguments", function()
      for _, arguments in ipairs { {}, { "" }, { "x", { mode = "w" } }, { "x", 1 } } do
        assert.has_error(function()
          sqlite.open(table.unpack(arguments))
        end)
      end
    end)
  end)

  describe("close", function()
    it("can come twice, and use afterwards throws", function()
      local db = assert(sqlite.open(nil, { memory = true }))
      db:row "SELECT 1"
      db:close()
      db:close()
      for _, use in ipairs { "run", "row", "all", "script", "transaction", "last_id", "busy_timeout" } do
        assert.has_error(function()
          db[use](db, "SELECT 1")
        end, "bad argument #1 to '?' (the database is closed)")
      end
    end)

    it("comes with collection", function()
      for _ = 1, 20 do
        assert(sqlite.open(nil, { memory = true })):row "SELECT 1"
      end
      collectgarbage()
      collectgarbage()
    end)

    it("refuses other objects", function()
      local db = assert(sqlite.open(nil, { memory = true }))
      assert.has_error(function()
        db.run(sqlite.blob "x", "SELECT 1")
      end)
      assert.has_error(function()
        db.close(io.stdout)
      end)
      db:close()
    end)
  end)
end)
