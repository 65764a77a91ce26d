-- What host.http makes of servers that it must not trust, and of servers that are broken.
local fs = require "host.fs"
local loop = require "host.loop"
local LocalHttp = require "spec.support.local_http"
local temporary = require "spec.support.temporary"

-- Runs a shell command in the background that first prints its process id; returns its output, and what ends it.
local function background(command)
  local output = assert(io.popen(("echo $$; exec timeout 30 %s 2>&1 < /dev/null"):format(command)))
  local pid = output:read("n", "l")
  return output, function()
    os.execute("kill " .. pid .. " 2> /dev/null")
    output:close()
  end
end

describe("http", function()
  local here

  before_each(function() here = LocalHttp.new() end)

  after_each(function()
    here:close()
    assert.same({}, loop.wait(0))
  end)

  describe("over TLS", function()
    local folder, remove_folder = temporary()
    local stop, port

    -- A server whose certificate, for `name`, nobody has signed.
    local function serve(name)
      local output
      os.execute(([[cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=spec -addext subjectAltName=%s -keyout key.pem -out cert.pem 2> /dev/null]]):format(folder, name))
      output, stop = background(("openssl s_server -accept 127.0.0.1:0 -www -key %s/key.pem -cert %s/cert.pem")
        :format(folder, folder))
      for line in output:lines() do
        port = line:match("^ACCEPT .*:(%d+)$")
        if port then
          return
        end
      end
    end

    teardown(remove_folder)

    after_each(function() stop() end)

    it("trusts the given certificate, and no other", function()
      serve "IP:127.0.0.1"
      local url = ("https://127.0.0.1:%s/"):format(port)
      local response = assert(here:exchange { url = url, ca_file = folder .. "/cert.pem" })
      assert.equal(200, response.status)
      local _, err = here:exchange { url = url, method = "POST", body = "secret" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
      _, err = here:exchange { url = url, ca_file = folder .. "/none.pem" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)

    it("wants the host's own name in the certificate", function()
      serve "DNS:elsewhere.example"
      local _, err = here:exchange { url = ("https://127.0.0.1:%s/"):format(port), ca_file = folder .. "/cert.pem" }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)

    it("does not speak it with a server that does not", function()
      stop = function() end
      local _, err = here:exchange { url = ("https://127.0.0.1:%d/"):format(here.listener:port()) }
      assert.equal("TlsError", err.code)
      assert.is_false(err.sent)
    end)
  end)

  -- Each answer is written, after the request's head, to a connection of its own, which is closed then.
  describe("with a server that misbehaves", function()
    local misbehave = [[perl -MIO::Socket::INET -e '
      $| = 1; $SIG{PIPE} = "IGNORE";
      $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9) or die;
      print $server->sockport, "\n";
      while ($client = $server->accept) {
        while (<$client>) { last if /^\r?$/ }
        print $client eval shift @ARGV;
        close $client;
      }' ]]

    local function answered(answer, body_to)
      local output, stop = background(misbehave .. "'" .. answer .. "'")
      local port = output:read("n")
      local url = ("http://127.0.0.1:%d/"):format(port)
      local response, err = here:exchange { url = url, timeout = 5, body_to = body_to }
      stop()
      return response, err
    end

    for what, answer in pairs {
      ["no answer"] = [[""]],
      ["no HTTP"] = [["hello\n"]],
      ["binary garbage"] = [["\0\1\2\377" x 5000]],
      ["half a status line"] = [["HTTP/1.1 20"]],
      ["half a head"] = [["HTTP/1.1 200 OK\r\nContent-Le"]],
      ["a truncated body"] = [["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"]],
      ["a truncated chunk"] = [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"]],
      ["a chunk without a size"] = [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n"]],
      ["a chunk that is too big"] =
        [["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n"]],
      ["a negative length"] = [["HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc"]],
      ["one endless header"] = [["HTTP/1.1 200 OK\r\nX: " . "x" x 1000000]],
    } do
      it("reports " .. what, function()
        local response, err = answered(answer)
        assert.is_nil(response)
        assert.equal("ConnectionError", err.code)
        assert.is_true(err.sent)
        assert.is_true(#err.message > 0)
      end)
    end

    it("leaves the file as it was of which only a part came", function()
      local folder, remove_folder = temporary()
      local path = folder .. "/file"
      local PART <const> = [["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"]]
      local _, err = answered(PART, path)
      assert.equal("ConnectionError", err.code)
      assert.same({}, fs.list(folder))
      assert(fs.write(path, "before"))
      assert.is_nil((answered(PART, path)))
      assert.equal("before", fs.read(path))
      assert.same({ "file" }, fs.list(folder))
      remove_folder()
    end)

    it("limits endless headers", function()
      local _, err = answered [["HTTP/1.1 200 OK\r\n" . "X-Y: abcdefgh\r\n" x 100000]]
      assert.equal("HeadersTooLarge", err.code)
    end)

    it("joins repeated headers, and takes interim responses and trailers", function()
      local response = assert(answered([["HTTP/1.1 100 Continue\r\nX-No: 1\r\n\r\n" .]]
        .. [["HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:   2 \r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" .]]
        .. [["3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"]]))
      assert.equal(200, response.status)
      assert.equal("abc", response.body)
      assert.equal("1, 2", response.headers["x-a"])
      assert.equal("9", response.headers["x-sum"])
      assert.is_nil(response.headers["x-no"])
    end)

    it("reads a body without a length up to the end of the connection", function()
      assert.equal("abc", assert(answered [["HTTP/1.0 200 OK\r\n\r\nabc"]]).body)
    end)
  end)
end)
