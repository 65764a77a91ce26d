-- Bodies that host.http takes from files and puts into files.

local fs = require "host.fs"
local http = require "host.http"
local loop = require "host.loop"
local LocalHttp = require "spec.support.local_http"
local temporary = require "spec.support.temporary"

describe("http", function()
  local here, folder, remove_folder, path

  before_each(function()
    here = LocalHttp.new()
    folder, remove_folder = temporary()
    path = folder .. "/file"
  end)

  after_each(function()
    here:close()
    remove_folder()
    collectgarbage()
    assert.same({}, loop.wait(0))
  end)

  local function exchange(...)
    return here:exchange(...)
  end

  describe("puts into a file", function()
    it("the body of a success", function()
      local body = ("0123456789"):rep(100000)
      local response = exchange({ body_to = path, max_body = 10 }, 200, nil, body)
      assert.equal("", response.body)
      assert.is_true(fs.read(path) == body)
      assert.equal(384, fs.stat(path).mode)
      exchange({ body_to = path }, 200)
      assert.equal("", fs.read(path))
      assert.same({ "file" }, fs.list(folder))
    end)

    it("that a link means", function()
      fs.mkdir(folder .. "/far")
      fs.write(folder .. "/far/file", "old")
      assert(os.execute(("ln -s far/file %s"):format(path)))
      exchange({ body_to = path }, 200, nil, "new")
      assert.equal("new", fs.read(folder .. "/far/file"))
      assert.equal(folder .. "/far/file", fs.real_path(path))
      assert.same({ "file" }, fs.list(folder .. "/far"))
    end)

    it("not the body of a failure: what was there stays", function()
      assert.equal("<Error/>", exchange({ body_to = path }, 403, nil, "<Error/>").body)
      assert.same({}, fs.list(folder))
      assert(fs.write(path, "before"))
      assert.equal("<Error/>", exchange({ body_to = path }, 500, nil, "<Error/>").body)
      assert.equal("before", fs.read(path))
    end)

    it("says when it cannot be written", function()
      local _, err = exchange({ body_to = path .. "/none/x" }, 200, nil, "x")
      assert.equal("ENOENT", err.code)
      assert.equal(path .. "/none/x: No such file or directory", err.message)
      assert.is_true(err.sent)
      _, err = exchange({ body_to = folder }, 200, nil, "x")
      assert.equal("EISDIR", err.code)
    end)

    it("and writes to a device without replacing it", function()
      assert.equal(200, exchange({ body_to = "/dev/null" }, 200, nil, "x").status)
      assert.equal("other", fs.stat("/dev/null").kind)
    end)

    it("leaves nothing of a request that was given up", function()
      local handle = here:start { body_to = path }
      here:run(function(received)
        received.respond(200, { ["Content-Length"] = "100000" }, ("x"):rep(100000))
        return true
      end, function() end)
      handle:cancel()
      assert.same({}, fs.list(folder))
    end)
  end)

  describe("sends from a file", function()
    before_each(function() assert(fs.write(path, "0123456789")) end)

    it("all of it, or a part, with any method, and says how long it is", function()
      for _, method in ipairs { "PUT", "POST", "PATCH" } do
        exchange({ method = method, body_from = { path = path } }, 200)
        local received = table.remove(here.requests)
        assert.equal(method, received.method)
        assert.equal("0123456789", received.body)
        assert.equal("10", received.headers["content-length"])
        assert.is_nil(received.headers["transfer-encoding"])
        assert.is_nil(received.headers.expect)
      end
      exchange({ method = "PUT", body_from = { path = path, offset = 3, size = 4 } }, 200)
      assert.equal("3456", table.remove(here.requests).body)
      exchange({ method = "PUT", body_from = { path = path, offset = 8 } }, 200)
      assert.equal("89", table.remove(here.requests).body)
    end)

    it("nothing, when it is empty", function()
      assert(fs.write(path, ""))
      exchange({ method = "PUT", body_from = { path = path } }, 200)
      assert.equal("0", here.requests[1].headers["content-length"])
      assert.equal("", here.requests[1].body)
    end)

    it("10 MB", function()
      local body = ("0123456789abcdef"):rep(10 * 1024 * 1024 // 16)
      assert(fs.write(path, body))
      exchange({ method = "PUT", body_from = { path = path } }, 200)
      assert.is_true(here.requests[1].body == body)
    end)

    it("not what is no file, before anything leaves", function()
      for code, wrong in pairs { ENOENT = path .. "-none", BadFile = "/dev/zero" } do
        local handle, err = http.start(here:request { method = "PUT", body_from = { path = wrong } })
        assert.is_nil(handle)
        assert.equal(code, err.code)
        assert.is_false(err.sent)
      end
    end)

    it("and fails when the file became shorter than it was", function()
      local _, err = exchange({ method = "PUT", body_from = { path = path, size = 100 } }, 200)
      assert.equal("FileChanged", err.code)
    end)

    it("is wrong usage without a path, with a body too, beyond the beginning, and with HEAD", function()
      for _, wrong in ipairs {
        { body_from = {} }, { body_from = path }, { body_from = { path = path, offset = -1 } },
        { body_from = { path = path }, body = "x" }, { body_from = { path = path }, method = "HEAD" },
        { body_from = { path = path .. "\0" } }, { stall_timeout = -1 },
      } do
        assert.has_error(function() here:start(wrong) end)
      end
    end)
  end)

  it("gives up when nothing moves any more, however long the whole may take", function()
    local kept
    local handle = here:start { method = "POST", body = "x", stall_timeout = 1, timeout = 1000 }
    local ended
    here:run(function(received)
      kept = received
    end, function(event)
      ended = event.handle == handle and event
      return ended
    end)
    assert.truthy(kept)
    assert.equal("Timeout", ended.error.code)
    assert.is_true(ended.error.sent)
  end)
end)
