-- The versions of the state database: applies what is missing, refuses what is foreign or newer. Used by state/store.

local errors = require "infra.errors"
local modules = require "host.modules"

local migrations = {}

-- One entry per version: the script's module (state/*.sql, embedded). Never change one that was released.
local SCRIPTS = { "state.0001_initial" }

-- PRAGMA application_id of a state database ("infr").
local APPLICATION_ID <const> = 0x696e6672

local function number(db, pragma)
  local row, err = db:row("PRAGMA " .. pragma)
  if not row then
    return nil, err
  end
  return select(2, next(row))
end

local function unreadable(path, err)
  if err.code == "SQLITE_NOTADB" or err.code == "SQLITE_CORRUPT" then
    return errors.fail { code = "ForeignState", message = path .. " is not a state database", hint =
      "name another file with --state; infra never changes a file that is not its own" }
  end
  return nil, err
end

--- Brings `db` to the newest version; with `readonly` only checks it. Returns true (false: readonly and still empty),
--- or nil and an error.
function migrations.apply(db, path, readonly)
  local id, err = number(db, "application_id")
  if not id then
    return unreadable(path, err)
  end
  local version = number(db, "user_version")
  local tables = number(db, "schema_version")
  if id ~= APPLICATION_ID and tables ~= 0 then
    return errors.fail { code = "ForeignState", message = path .. " is an SQLite database of another program",
      hint = "name another file with --state; infra never changes a file that is not its own" }
  elseif version > #SCRIPTS then
    return errors.fail { code = "NewerState", message = ("%s was written by a newer infra (state version %d, this one " ..
      "knows %d)"):format(path, version, #SCRIPTS), hint = "use the newer infra; the file was not changed" }
  elseif readonly then
    return version == #SCRIPTS
  end
  for next_version = version + 1, #SCRIPTS do
    local script = modules.text(SCRIPTS[next_version])
    local ok
    ok, err = db:script(("BEGIN IMMEDIATE;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;"):format(
      script, APPLICATION_ID, next_version))
    if not ok then
      return nil, err
    end
  end
  return true
end

return migrations
