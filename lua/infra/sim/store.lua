-- What the simulated AWS knows: every object of every service, account and region. Used by infra.sim alone, which hands
-- each call a view of its own service, account and region.
--
-- The tables live in memory. With a path they are also kept in an SQLite file, one row per object, so that several runs
-- one after another see one account, at a time that never goes back. The file is locked for as long as it is open.
--
-- An object is a plain Lua table of JSON values (bytes as base64: JSON holds text). `get` and `each` return the object
-- itself; whoever changes it must `put` it again, or the change is not kept.

local errors = require "infra.errors"
local json = require "host.json"
local sorted_keys = require "infra.sorted_keys"
local sqlite = require "host.sqlite"

local Store, View = {}, {}
Store.__index, View.__index = Store, View

local SCHEMA = [[
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA synchronous = OFF;
  BEGIN EXCLUSIVE;
  CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), time REAL NOT NULL,
    sequence INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS objects (scope TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, born REAL NOT NULL,
    object TEXT NOT NULL, PRIMARY KEY (scope, kind, key)) WITHOUT ROWID;
  INSERT OR IGNORE INTO account (id, time, sequence) VALUES (1, 0, 0);
  COMMIT;
]]

-- The open file and its row of `account`, or nil and an error.
local function open_file(path)
  local db, err = sqlite.open(path)
  if not db then
    return nil, err
  end
  local done, row
  done, err = db:script(SCHEMA)
  if done then
    row, err = db:row("SELECT time, sequence FROM account")
  end
  if err then
    db:close()
    return nil, err
  end
  return db, row
end

local WRITE_ACCESS <const> = "it takes write access to the file and to its folder"
local NO_ACCOUNT <const> = "if it may be forgotten, remove the file"
local ADVICE <const> = {
  SQLITE_READONLY = WRITE_ACCESS, SQLITE_CANTOPEN = WRITE_ACCESS,
  SQLITE_NOTADB = NO_ACCOUNT, SQLITE_CORRUPT = NO_ACCOUNT,
}

-- SQLite's refusal to open `path`, for people.
local function refusal(path, err)
  if err.code == "SQLITE_BUSY" then
    return errors.new { code = "SimulatorInUse",
      message = "the simulated account in " .. path .. " is in use by another process",
      hint = "wait until that run has ended, or name another file" }
  end
  return errors.new { code = "NoSimulator", hint = ADVICE[err.code],
    message = ("cannot use the simulated account in %s: %s"):format(path, err.message) }
end

--- Opens the account in the file `options.path`, or an empty one in memory. When another process has the file open and
--- keeps it for some seconds, fails with "SimulatorInUse".
function Store.open(options)
  local self = setmetatable({ time = 0, sequence = 0, tables = {}, dirty = {} }, Store)
  if not (options and options.path) then
    return self
  end
  local db, row = open_file(options.path)
  if not db then
    return nil, refusal(options.path, row)
  end
  self.db, self.time, self.sequence = db, row.time, row.sequence
  return self
end

-- One kind of object in one scope: objects and birth times by key, the sorted keys when they are known. Read from the
-- file at first use.
local function table_of(view, kind)
  local self, scope = view.owner, view.scope
  local name = scope .. "\0" .. kind
  local found = self.tables[name]
  if not found then
    found = { strings = view.strings, scope = scope, kind = kind, objects = {}, born = {} }
    for _, row in ipairs(self.db and assert(self.db:all(
      "SELECT key, born, object FROM objects WHERE scope = ? AND kind = ?", scope, kind)) or {}) do
      found.objects[row.key], found.born[row.key] = assert(json.decode(row.object)), row.born
    end
    self.tables[name] = found
  end
  return found
end

local function touch(self, where, key)
  local keys = self.dirty[where]
  if not keys then
    keys = {}
    self.dirty[where] = keys
  end
  keys[key] = true
end

--- The objects of one scope, given by any strings (service, account, region).
function Store:view(...)
  return setmetatable({ owner = self, strings = { ... }, scope = table.concat({ ... }, "/") }, View)
end

--- The next number of a sequence that never repeats in this account; identifiers are made of it.
function Store:next()
  self.sequence = self.sequence + 1
  return self.sequence
end

--- What was put or deleted since the last flush: an array of { scope = the strings that Store:view was given, kind,
--- key, object = nil when it is gone }.
function Store:changes()
  local changes = {}
  for where, keys in pairs(self.dirty) do
    for key in pairs(keys) do
      changes[#changes + 1] = { scope = where.strings, kind = where.kind, key = key, object = where.objects[key] }
    end
  end
  return changes
end

--- Writes what changed to the file, in one transaction. Called after each executed call.
function Store:flush()
  local dirty, db = self.dirty, self.db
  self.dirty = {}
  if not db then
    return true
  end
  return db:transaction(function()
    for where, keys in pairs(dirty) do
      for key in pairs(keys) do
        local object = where.objects[key]
        if object == nil then
          assert(db:run("DELETE FROM objects WHERE scope = ? AND kind = ? AND key = ?", where.scope, where.kind, key))
        else
          assert(db:run("INSERT OR REPLACE INTO objects (scope, kind, key, born, object) VALUES (?, ?, ?, ?, ?)",
            where.scope, where.kind, key, where.born[key], json.encode(object)))
        end
      end
    end
    assert(db:run("INSERT OR REPLACE INTO account (id, time, sequence) VALUES (1, ?, ?)", self.time, self.sequence))
    return true
  end)
end

--- Writes the rest and lets go of the file. May be called twice.
function Store:close()
  local db = self.db
  if db then
    self:flush()
    self.db = nil
    db:close()
  end
end

Store.__close = Store.close

--- The object, or nil.
function View:get(kind, key)
  return table_of(self, kind).objects[key]
end

--- Keeps `object` under `key` (a string), new or changed. Returns the object.
function View:put(kind, key, object)
  local where = table_of(self, kind)
  if where.objects[key] == nil then
    where.keys = nil
    where.born[key] = self.owner.time
  end
  where.objects[key] = object
  touch(self.owner, where, key)
  return object
end

--- Forgets the object. Returns it, or nil when there was none.
function View:delete(kind, key)
  local where = table_of(self, kind)
  local object = where.objects[key]
  if object ~= nil then
    where.objects[key], where.born[key], where.keys = nil, nil, nil
    touch(self.owner, where, key)
  end
  return object
end

--- Iterates over key, object in key order. Objects may be put and deleted meanwhile; new ones are not visited.
function View:each(kind)
  local where = table_of(self, kind)
  where.keys = where.keys or sorted_keys(where.objects)
  local keys, position = where.keys, 0
  return function()
    local key
    repeat
      position = position + 1
      key = keys[position]
    until key == nil or where.objects[key] ~= nil
    return key, where.objects[key]
  end
end

--- Seconds since the object was first put, or nil when there is none.
function View:age(kind, key)
  local born = table_of(self, kind).born[key]
  return born and self.owner.time - born
end

return Store
