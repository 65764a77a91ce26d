-- The versions of the state database: applies what is missing, refuses what is foreign or newer. Used by state/*.

local errors = require "infra.errors"
local modules = require "host.modules"

local migrations = {}

--- One entry per version: the script's module (state/*.sql, embedded). Never change one that was released.
migrations.SCRIPTS = { "state.0001_initial" }

-- PRAGMA application_id of a state database ("infr").
local APPLICATION_ID <const> = 0x696e6672

local NOT_OURS <const> = "name another file with --state; infra never changes a file that is not its own"

local WRITE_ACCESS <const> = "it takes write access to the file and to its folder, for readers as well"
local ADVICE = {
  SQLITE_FULL = "make room on its disk, then run again: what is done stays done",
  SQLITE_CANTOPEN = WRITE_ACCESS, SQLITE_READONLY = WRITE_ACCESS,
}

local function number(db, pragma)
  local row, err = db:row("PRAGMA " .. pragma)
  if not row then
    return nil, err
  end
  return select(2, next(row))
end

--- What SQLite's refusal to open, read or write `path` means to people; other errors as they are.
function migrations.refusal(path, err)
  if err.code == "SQLITE_NOTADB" then
    return errors.new { code = "ForeignState", message = path .. " is not a state database", hint = NOT_OURS }
  elseif err.code == "SQLITE_CORRUPT" then
    return errors.new { code = "DamagedState", message = path .. " is damaged",
      hint = "put a good copy in its place; nothing was changed" }
  elseif err.code:find "^SQLITE_" then
    return errors.new { code = "StateError", message = ("cannot use the state %s: %s"):format(path, err.message),
      hint = ADVICE[err.code] }
  end
  return err
end

-- The version of an open database, 0 when it is empty; or nil and an error when it is not for this program.
local function version_of(db, path)
  local id, err = number(db, "application_id")
  local version = id and number(db, "user_version")
  local tables = version and number(db, "schema_version")
  if not tables then
    return nil, err or select(2, number(db, "schema_version"))
  elseif id ~= APPLICATION_ID and tables ~= 0 then
    return errors.fail { code = "ForeignState", message = path .. " is an SQLite database of another program",
      hint = NOT_OURS }
  elseif version > #migrations.SCRIPTS then
    return errors.fail { code = "NewerState", message = ("%s was written by a newer infra (state version %d, this one "
      .. "knows %d)"):format(path, version, #migrations.SCRIPTS),
      hint = "use the newer infra; the file was not changed" }
  end
  return version
end

--- Brings `db` to the newest version in one transaction, so that of two processes that open a new state the second
--- finds it made; with `readonly` only checks it. Returns true (false: readonly and still empty), or nil and an error.
function migrations.apply(db, path, readonly)
  local version, err = version_of(db, path)
  if not version then
    return nil, err
  elseif version == #migrations.SCRIPTS then
    return true
  elseif readonly and version == 0 then
    return false
  elseif readonly then
    return errors.fail { code = "OlderState", message = ("%s was written by an older infra (state version %d, this one "
      .. "needs %d)"):format(path, version, #migrations.SCRIPTS), hint = "the next run or apply brings it up to date" }
  end
  return db:transaction(function()
    local current, problem = version_of(db, path)
    for next_version = (current or #migrations.SCRIPTS) + 1, #migrations.SCRIPTS do
      local ok
      ok, problem = db:script(("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;"):format(
        modules.text(migrations.SCRIPTS[next_version]), APPLICATION_ID, next_version))
      if not ok then
        return nil, problem
      end
    end
    return current and true, problem
  end)
end

return migrations
