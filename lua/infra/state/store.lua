-- The state database: what exists, what was done, what is intended, and who may write. Opened by infra.deployment and
-- the verbs that look at it; written by engine/apply and engine/journal only. What it is asked is in state/reading,
-- what it is told in state/writing.
--
-- Writes are queued and committed together, once per turn of the loop, so that a hundred resources that become ready
-- at the same moment cost one fsync. `sync` makes a task wait for that commit. Each commit first checks that this
-- process still holds the lease: one that lost it (a laptop that slept, say) writes nothing. After a commit that failed
-- none is tried again: what is on the disk is always everything up to some moment.

local crypto = require "host.crypto"
local errors = require "infra.errors"
local fs = require "host.fs"
local migrations = require "infra.state.migrations"
local reading = require "infra.state.reading"
local sqlite = require "host.sqlite"
local writing = require "infra.state.writing"

local Store = {}
Store.__index = Store

for _, part in ipairs { reading, writing } do
  for name, method in pairs(part) do
    Store[name] = method
  end
end

-- Journal mode and durability: readers never wait for the writer (WAL), a commit is on the disk when it returns (FULL).
local PRAGMAS <const> = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"

local BUSY_MILLISECONDS <const> = 5000

-- What a reader is told who may not write beside the file, where SQLite has to note that it reads. What has no log
-- there is whole in itself, and can be read all the same.
local NOT_WRITABLE <const> = { SQLITE_CANTOPEN = true, SQLITE_READONLY = true }

-- -- opening ----------------------------------------------------------------------------------------------------------

-- The value of `key` in the table meta, made by make() when there is none. Returns it, or nil and an error.
local function named(db, key, make)
  return db:transaction(function()
    local row, err = db:row("SELECT value FROM meta WHERE key = ?", key)
    if row or err then
      return row and row.value, err
    end
    local value = make()
    local ok
    ok, err = db:run("INSERT INTO meta (key, value) VALUES (?, ?)", key, value)
    return ok and value, err
  end)
end

-- What a state belongs to: options of Store.open, kept under the same names by its first writer.
local OWNERS <const> = {
  { option = "stack", code = "OtherStack", message = "%s is the state of the stack '%s', not of '%s'",
    hint = "name another file with --state" },
  { option = "aws", code = "OtherAWS", message = "%s is the state of what is on %s, not on %s",
    hint = "add --sim or leave it away, or name another file with --state" },
}

-- Checks whose the state is, and makes a new one ours; it has a key of its own for digests of secrets. Returns true, or
-- nil and an error.
local function claim(self, options)
  local function value_of(key, make)
    if options.readonly then
      return self:meta(key)
    end
    return named(self.db, key, make)
  end
  local function from_random()
    return crypto.hex(self.runtime.random(16))
  end
  for _, owner in ipairs(OWNERS) do
    local wanted = options[owner.option]
    local found, err
    if wanted then
      found, err = value_of(owner.option, function() return wanted end)
    end
    if err then
      return nil, err
    elseif found and found ~= wanted then
      return errors.fail { code = owner.code, message = owner.message:format(self.path, found, wanted),
        hint = owner.hint }
    end
  end
  local err
  self.digest_key, err = value_of("digest_key", from_random)
  if not err then
    err = select(2, value_of("lineage", from_random))
  end
  return not err or nil, err
end

-- Brings the open database into shape. Returns true, or nil and an error.
local function prepare(self, options)
  local ready, err = migrations.apply(self.db, self.path, options.readonly)
  if ready == nil then
    return nil, err
  elseif ready == false then
    self.empty = true
    return true
  end
  if not options.readonly then
    local ok
    ok, err = self.db:script(PRAGMAS)
    if not ok then
      return nil, err
    end
  end
  return claim(self, options)
end

--- Opens the state at `path`. options: readonly; stack = name it must belong to; aws = "AWS" or "the simulated AWS",
--- where what it records must be; runtime (time, random). Returns a store, or nil and an error. A readonly store of a
--- file that does not exist is empty.
function Store.open(path, options)
  local self = setmetatable({ path = path, runtime = options.runtime, queue = {}, waiting = {} }, Store)
  local exists = fs.stat(path) ~= nil
  if options.readonly and not exists then
    self.empty = true
    return self
  elseif not exists then
    local ok, err = fs.mkdir(path:match("^(.*/)[^/]*$") or ".")
    if not ok then
      err.message = ("cannot create the state %s: %s"):format(path, err.message)
      return nil, err
    end
  end
  local err
  self.db, err = sqlite.open(path, { mode = options.readonly and "ro" or "rwc" })
  local log = fs.stat(path .. "-wal")
  if err and options.readonly and NOT_WRITABLE[err.code] and (not log or log.size == 0) then
    self.db, err = sqlite.open(path, { mode = "frozen" })
  end
  if not self.db then
    return nil, migrations.refusal(path, err)
  end
  self.db:busy_timeout(BUSY_MILLISECONDS)
  local ok
  ok, err = prepare(self, options)
  if not ok then
    self:close()
    return nil, migrations.refusal(path, err)
  end
  return self
end

--- Copies the state, as of its last commit, to `path`: a new file, or an empty one. Returns true, or nil and an error.
function Store:copy(path)
  return self.db:run("VACUUM INTO ?", path)
end

--- Lets go of the file. May be called twice.
function Store:close()
  if self.db then
    self.db:close()
    self.db = nil
  end
end

-- -- committing -------------------------------------------------------------------------------------------------------

--- Queues a statement for the commit of this turn.
function Store:write(sql, ...)
  self.queue[#self.queue + 1] = table.pack(sql, ...)
end

--- Runs fn in a transaction, if this process still holds the lease. Returns what fn returns, or nil and an error.
function Store:guarded(fn)
  return self.db:transaction(function()
    local lease, err = self.db:row("SELECT token FROM lease WHERE id = 1")
    if err then
      return nil, err
    elseif not (lease and lease.token == self.fencing_token) then
      return errors.fail { code = "LeaseLost", message = "another process has taken over the state " .. self.path,
        hint = "let it finish, then run again" }
    end
    return fn(self.db)
  end)
end

--- Commits what is queued. Returns true, or nil and an error: then nothing of it was written, and never will be.
function Store:commit()
  local queue = self.queue
  self.queue = {}
  if self.failed then
    return nil, self.failed
  elseif #queue == 0 then
    return true
  end
  local ok, err = self:guarded(function(db)
    for _, statement in ipairs(queue) do
      local done, problem = db:run(table.unpack(statement, 1, statement.n))
      if not done then
        return nil, problem
      end
    end
    return true
  end)
  self.failed = err and migrations.refusal(self.path, err)
  return ok, self.failed
end

--- Commits at the end of every turn of `scheduler` from now on, and wakes the tasks that wait in sync.
function Store:attach(scheduler)
  self.scheduler = scheduler
  scheduler:at_turn_end(function()
    if #self.queue == 0 and #self.waiting == 0 then
      return
    end
    local waiting = self.waiting
    self.waiting = {}
    local ok, err = self:commit()
    for _, task in ipairs(waiting) do
      scheduler:wake(task, ok, err)
    end
  end)
end

--- Waits until everything queued so far is on the disk. Yields. Returns true, or nil and an error.
function Store:sync()
  table.insert(self.waiting, self.scheduler:current())
  return self.scheduler:suspend()
end

return Store
