local json = require "host.json"
local sqlite = require "host.sqlite"

describe("host.sqlite", function()
  local db

  before_each(function()
    db = assert(sqlite.open(nil, { memory = true }))
    assert(db:script "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value)")
  end)

  after_each(function()
    db:close()
  end)

  local function round_trip(value)
    return assert(db:row("SELECT ? AS value, typeof(?1) AS kind", value))
  end

  describe("values", function()
    it("keeps every byte of a string, as TEXT", function()
      local bytes = "a\0b\xff\n" .. ("x"):rep(100000)
      assert.same({ value = bytes, kind = "text" }, round_trip(bytes))
      assert.same({ value = "", kind = "text" }, round_trip "")
    end)

    it("stores blobs as BLOB", function()
      assert.same({ value = "a\0b", kind = "blob" }, round_trip(sqlite.blob "a\0b"))
      assert.same({ value = "", kind = "blob" }, round_trip(sqlite.blob ""))
      assert.equal(3, db:row("SELECT length(?) AS n", sqlite.blob "a\0b").n)
    end)

    it("keeps 64-bit integers exact and integers and floats apart", function()
      for _, value in ipairs { math.maxinteger, math.mininteger, 0 } do
        local row = round_trip(value)
        assert.equal(value, row.value)
        assert.equal("integer", math.type(row.value))
      end
      local row = round_trip(2.0)
      assert.equal("float", math.type(row.value))
      assert.equal(math.huge, round_trip(math.huge).value)
    end)

    it("stores nil and json.null as NULL and leaves NULL columns out of rows", function()
      assert.same({ kind = "null" }, round_trip(nil))
      assert.same({ kind = "null" }, round_trip(json.null))
    end)

    it("reads text as UTF-8 whatever the database stores", function()
      local other <close> = assert(sqlite.open(nil, { memory = true }))
      other:script "PRAGMA encoding = 'UTF-16'; CREATE TABLE item (value)"
      other:run("INSERT INTO item VALUES (?)", "z\u{fc}rich")
      assert.same({ value = "z\u{fc}rich" }, other:row "SELECT value FROM item")
    end)

    it("stores booleans as 0 and 1", function()
      assert.same({ value = 1, kind = "integer" }, round_trip(true))
      assert.same({ value = 0, kind = "integer" }, round_trip(false))
    end)

    it("refuses what SQL cannot hold", function()
      for _, value in ipairs { 0 / 0, {}, print, io.stdout, coroutine.create(print) } do
        assert.has_error(function()
          db:row("SELECT ?", value)
        end)
      end
    end)
  end)

  describe("statements", function()
    it("counts the rows that a statement changed", function()
      assert.equal(2, db:run("INSERT INTO item (name) VALUES (?), (?)", "a", "b"))
      assert.equal(2, db:last_id())
      assert.equal(0, db:run "CREATE TABLE other (id)")
      assert.equal(2, db:run "UPDATE item SET value = 1")
      assert.equal(0, db:run("DELETE FROM item WHERE name = ?", "c"))
      assert.equal(0, db:run "SELECT * FROM item")
    end)

    it("returns the first row, or nil without an error", function()
      db:run "INSERT INTO item (name) VALUES ('a'), ('b')"
      assert.same({ id = 1, name = "a" }, db:row "SELECT * FROM item ORDER BY id")
      assert.equal(1, select("#", db:row "SELECT * FROM item WHERE id = 9"))
    end)

    it("returns all rows in order, or an empty array", function()
      assert.same({}, db:all "SELECT * FROM item")
      for i = 1, 300 do
        db:run("INSERT INTO item (id, value) VALUES (?, ?)", i, i * i)
      end
      local rows = db:all "SELECT * FROM item ORDER BY id DESC"
      assert.equal(300, #rows)
      assert.same({ id = 300, value = 90000 }, rows[1])
    end)

    it("takes rows from statements that write and return", function()
      assert.same({ id = 1 }, db:row("INSERT INTO item (name) VALUES (?) RETURNING id", "a"))
      assert.equal(1, #db:all "SELECT * FROM item")
    end)

    it("sees columns that were added after a statement was cached", function()
      local sql = "SELECT * FROM item"
      db:run "INSERT INTO item (name) VALUES ('a')"
      assert.same({ id = 1, name = "a" }, db:row(sql))
      db:script "ALTER TABLE item ADD COLUMN extra DEFAULT 7"
      assert.same({ id = 1, name = "a", extra = 7 }, db:row(sql))
      assert.same({ { id = 1, name = "a", extra = 7 } }, db:all(sql))
    end)

    it("leaves no read open after the first row", function()
      db:run "INSERT INTO item (name) VALUES ('a'), ('b')"
      db:row "SELECT * FROM item"
      assert.is_true(db:script "DROP TABLE item")
    end)

    it("forgets the parameters of the call before", function()
      local sql = "SELECT ? AS value"
      assert.same({ value = "a" }, db:row(sql, "a"))
      assert.has_error(function()
        db:row(sql)
      end)
      assert.same({}, db:row(sql, nil))
    end)

    it("wants exactly one statement and exactly its parameters", function()
      for _, arguments in ipairs {
        { "SELECT ?" }, { "SELECT ?", 1, 2 }, { "" }, { "-- nothing" }, { "SELECT 1; SELECT 2" }, { "SELECT 1\0" }, {},
      } do
        assert.has_error(function()
          db:run(table.unpack(arguments))
        end)
      end
      assert.equal(0, db:run "SELECT 1 ;\n")
    end)

    it("works with more distinct statements than it caches", function()
      for round = 1, 2 do
        for i = 1, 500 do
          assert.equal(i + round, db:row(("SELECT %d + ? AS n"):format(i), round).n)
        end
      end
    end)

    it("survives code that runs in a finaliser while rows are built", function()
      for _ = 1, 50 do
        db:run "INSERT INTO item DEFAULT VALUES"
      end
      local sql, runs = "SELECT * FROM item", 0
      for _ = 1, 200 do
        setmetatable({}, {
          __gc = function()
            runs = runs + #db:all(sql)
            for i = 1, 200 do
              db:row(("SELECT %d"):format(i))
            end
          end,
        })
      end
      collectgarbage "incremental"
      collectgarbage("setpause", 0)
      for _ = 1, 20 do
        assert.equal(50, #db:all(sql))
      end
      collectgarbage("setpause", 200)
      collectgarbage()
      assert.equal(200 * 50, runs)
    end)
  end)

  describe("script", function()
    it("runs many statements", function()
      assert.is_true(db:script "CREATE TABLE a (x); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);")
      assert.equal(2, db:row("SELECT count(*) AS n FROM a").n)
    end)

    it("fails as one", function()
      local ok, err = db:script "INSERT INTO item (id) VALUES (1); nonsense"
      assert.is_nil(ok)
      assert.equal("SQLITE_ERROR", err.code)
    end)
  end)

  describe("errors", function()
    it("carry SQLite's code and the statement's first line", function()
      db:run("INSERT INTO item (name) VALUES (?)", "a")
      local changed, err = db:run("\n  INSERT INTO item (name)\n  VALUES (?)", "a")
      assert.is_nil(changed)
      assert.equal("SQLITE_CONSTRAINT", err.code)
      assert.equal("UNIQUE constraint failed: item.name: INSERT INTO item (name)", err.message)
    end)

    it("come from every way to run a statement", function()
      for _, method in ipairs { "run", "row", "all", "script" } do
        local result, err = db[method](db, "SELECT x FROM nowhere")
        assert.is_nil(result)
        assert.equal("SQLITE_ERROR", err.code)
        assert.matches("no such table: nowhere", err.message, 1, true)
      end
    end)

    it("can come in the middle of the rows", function()
      db:run "INSERT INTO item (value) VALUES (1), (-9223372036854775808)"
      local rows, err = db:all "SELECT abs(value) FROM item"
      assert.is_nil(rows)
      assert.equal("SQLITE_ERROR", err.code)
      assert.matches("integer overflow", err.message, 1, true)
    end)

    it("do not mistake a name for a string", function()
      local _, err = db:row 'SELECT "missing" FROM item'
      assert.matches("no such column", err.message, 1, true)
    end)
  end)

  describe("transaction", function()
    local function names()
      local result = {}
      for i, row in ipairs(db:all "SELECT name FROM item ORDER BY name") do
        result[i] = row.name
      end
      return table.concat(result, " ")
    end

    local function insert(...)
      for _, name in ipairs { ... } do
        assert(db:run("INSERT INTO item (name) VALUES (?)", name))
      end
    end

    it("commits and returns what the function returns", function()
      assert.same({ "x", nil, 3, n = 3 }, table.pack(db:transaction(function(...)
        insert(...)
        return "x", nil, 3
      end, "a", "b")))
      assert.equal("a b", names())
      db:transaction(insert, "c")
      assert.equal("a b c", names())
    end)

    it("undoes everything when the function throws, and throws the same value", function()
      local thrown = setmetatable({}, {})
      local ok, caught = pcall(db.transaction, db, function()
        insert "a"
        error(thrown)
      end)
      assert.is_false(ok)
      assert.equal(thrown, caught)
      assert.equal("", names())
    end)

    it("undoes everything when the function returns nil and an error", function()
      local result, err = db:transaction(function()
        insert "a"
        return db:run "nonsense"
      end)
      assert.is_nil(result)
      assert.equal("SQLITE_ERROR", err.code)
      assert.equal("", names())
    end)

    it("commits when the function returns nil alone", function()
      assert.equal(1, select("#", db:transaction(function()
        insert "a"
        return nil
      end)))
      assert.equal("a", names())
    end)

    it("does not nest, and does not survive a yield", function()
      assert.has_error(function()
        db:transaction(function()
          insert "a"
          db:transaction(insert, "b")
        end)
      end)
      local ok = coroutine.resume(coroutine.create(function()
        db:transaction(function()
          insert "c"
          coroutine.yield()
        end)
      end))
      assert.is_false(ok)
      assert.equal("", names())
    end)

    it("reports a commit that SQLite refuses, and undoes it", function()
      db:script "CREATE TABLE child (item REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)"
      local result, err = db:transaction(function()
        return db:run "INSERT INTO child VALUES (99)"
      end)
      assert.is_nil(result)
      assert.equal("SQLITE_CONSTRAINT", err.code)
      assert.same({}, db:all "SELECT * FROM child")
      assert.is_true(db:transaction(function()
        return true
      end))
    end)

    it("throws when its own function closes the database", function()
      assert.has_error(function()
        db:transaction(db.close, db)
      end)
    end)
  end)
end)
