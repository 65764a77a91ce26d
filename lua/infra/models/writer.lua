-- Collects what the compilers of models produce and writes it as one database (infra.models.database). The same rows
-- give the same bytes, in whatever order they came.

local compress = require "host.compress"
local database = require "infra.models.database"
local errors = require "infra.errors"
local fs = require "host.fs"
local json = require "host.json"
local sqlite = require "host.sqlite"

-- What deflate can look back over, and how much of one row goes into it: many short pieces serve better than a few
-- whole rows (measured on AWS's data: between 200 and 800 bytes makes no great difference).
local DICTIONARY_BYTES <const> = 32000
local PIECE_BYTES <const> = 400

local PAGE_BYTES <const> = 16384 -- a row above a quarter of a page spills into pages of its own

local SCHEMA <const> = [[
  PRAGMA page_size = %d;
  PRAGMA journal_mode = OFF;
  PRAGMA user_version = %d;
  CREATE TABLE node (
    kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, body BLOB, PRIMARY KEY (kind, owner, name)
  ) WITHOUT ROWID;
]]

local Writer = {}
Writer.__index = Writer

local writer = {}

function writer.new()
  return setmetatable({ rows = {} }, Writer)
end

--- Adds the row (kind, owner, name); `value` is what Database:get will return, nil for a row without a body.
function Writer:put(kind, owner, name, value)
  self.rows[kind] = self.rows[kind] or {}
  table.insert(self.rows[kind], { owner = owner, name = name or "", text = value and json.encode(value) })
end

local function by_key(a, b)
  if a.owner ~= b.owner then
    return a.owner < b.owner
  end
  return a.name < b.name
end

-- Pieces of evenly spread rows, from which deflate can copy what the rows of a kind have in common.
local function dictionary(rows)
  local pieces = {}
  for at = 1, #rows, math.max(1, #rows * PIECE_BYTES / DICTIONARY_BYTES) do
    pieces[#pieces + 1] = rows[math.floor(at)].text:sub(1, PIECE_BYTES)
  end
  return table.concat(pieces)
end

local function insert(handle, kind, owner, name, body)
  assert(handle:run("INSERT INTO node VALUES (?, ?, ?, ?)", kind, owner, name, body and sqlite.blob(body)))
end

local function insert_all(handle, kinds)
  for kind, rows in pairs(kinds) do
    table.sort(rows, by_key)
    local shared = rows[1].text and dictionary(rows)
    if shared then
      insert(handle, "dictionary", kind, "", shared)
    end
    for _, row in ipairs(rows) do
      local body = row.text and compress.deflate(row.text, { dictionary = shared, level = 9 })
      insert(handle, kind, row.owner, row.name, body)
    end
  end
  return true
end

local function write(path, kinds)
  local handle <close> = assert(sqlite.open(path))
  assert(handle:script(SCHEMA:format(PAGE_BYTES, database.FORMAT)))
  assert(handle:transaction(insert_all, handle, kinds))
  assert(handle:script "VACUUM") -- rewrites the table in key order, whatever order it was filled in
end

--- Writes the database -> true | nil, err. A reader of `path` sees the old file or the whole new one.
function Writer:save(path)
  local partial = path .. ".partial"
  fs.remove(partial)
  local ok, err = pcall(write, partial, self.rows)
  if not ok then
    fs.remove(partial)
    return nil, errors.from(err)
  end
  return fs.rename(partial, path)
end

return writer
