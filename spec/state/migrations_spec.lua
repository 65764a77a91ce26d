local fs = require "host.fs"
local migrations = require "infra.state.migrations"
local opened = require "spec.state.opened"
local sqlite = require "host.sqlite"

local new

before_each(function() new = opened() end)
after_each(function() new.remove() end)

-- What opening the file of another kind gives, for readers and writers: the error; and the file stays as it is.
local function refused(code)
  local before = fs.read(new.path)
  for _, readonly in ipairs { true, false } do
    local store, err = new.open { readonly = readonly }
    assert.is_nil(store)
    assert.equal(code, err.code)
    assert.matches(new.path, err.message, 1, true)
  end
  assert.equal(before, fs.read(new.path))
end

local function write_database(script)
  local db = assert(sqlite.open(new.path))
  assert(db:script(script))
  db:close()
end

describe("a state database", function()
  it("is made when it does not exist, and empty for readers until then", function()
    local store = assert(new.open { readonly = true })
    assert.is_true(store.empty)
    assert.is_nil(fs.stat(new.path))
    assert.same({}, store:resources())
    assert.same({}, store:outputs())
    assert.equal("new:0", store:serial())
    assert(new.open()):close()
    store = assert(new.open { readonly = true })
    assert.is_nil(store.empty)
    assert.equal("demo", store:stack())
    store:close()
  end)

  it("is empty for readers while it is being made", function()
    write_database ""
    assert.is_true(assert(new.open { readonly = true }).empty)
  end)

  it("of another program is refused and not touched", function()
    write_database "CREATE TABLE theirs (a);"
    refused "ForeignState"
  end)

  it("that is none is refused and not touched", function()
    assert(fs.write(new.path, "a letter to somebody, much longer than any header of a database would be\n"))
    refused "ForeignState"
  end)

  it("of a newer version is refused and not touched", function()
    assert(new.open()):close()
    write_database(("PRAGMA user_version = %d;"):format(#migrations.SCRIPTS + 1))
    refused "NewerState"
  end)

  it("of an older version is brought up to date by a writer, and told to a reader", function()
    assert(new.open()):close()
    local scripts = migrations.SCRIPTS
    migrations.SCRIPTS = { scripts[1], "spec.state.second" }
    local modules = require "host.modules"
    local text = modules.text
    function modules.text(name)
      return name == "spec.state.second" and "CREATE TABLE second (a);" or text(name)
    end
    local _, err = new.open { readonly = true }
    local store = assert(new.open())
    local rows = store.db:all "SELECT * FROM second"
    store:close()
    local reader = assert(new.open { readonly = true })
    reader:close()
    migrations.SCRIPTS, modules.text = scripts, text
    assert.equal("OlderState", err.code)
    assert.same({}, rows)
  end)

  it("is made whole or not at all", function()
    local scripts = migrations.SCRIPTS
    local modules = require "host.modules"
    local text = modules.text
    function modules.text(name)
      return text(name) .. "\nCREATE TABLE meta (again);"
    end
    local store, err = new.open()
    modules.text = text
    assert.is_nil(store)
    assert.is_not_nil(err)
    assert.equal(scripts, migrations.SCRIPTS)
    assert(new.open()):close()
  end)

  it("belongs to one stack", function()
    assert(new.open()):close()
    for _, readonly in ipairs { true, false } do
      local store, err = new.open { stack = "other", readonly = readonly }
      assert.is_nil(store)
      assert.equal("OtherStack", err.code)
      assert.matches("'demo'", err.message)
    end
    assert(new.open { stack = false, readonly = true }):close()
  end)

  it("keeps its own key for digests", function()
    local store = assert(new.open())
    local key, lineage = store.digest_key, store.lineage
    store:close()
    store = assert(new.open())
    assert.equal(key, store.digest_key)
    assert.equal(lineage, store.lineage)
    assert.is_not_equal(key, lineage)
    store:close()
  end)
end)
