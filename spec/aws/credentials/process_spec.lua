local fs = require "host.fs"
local scripted = require "spec.aws.credentials.scripted"

describe("infra.aws.credentials.process", function()
  local new = scripted(teardown)

  -- The chain of a profile whose process is this shell script.
  local function run(script, more)
    local path = new("").home .. "/credentials of mine.sh"
    assert(fs.write(path, script))
    return new(('[default]\ncredential_process = sh "%s" one \'two words\'\n%s'):format(path, more or ""))
  end

  local function answer(text)
    return ("cat <<'END'\n%s\nEND\n"):format(text)
  end

  it("runs the program without a shell, and takes what it prints", function()
    local it = run(answer('{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t",' ..
      '"Expiration":"2024-01-01T01:00:00Z","AccountId":"123456789012"}'))
    assert.same({
      access_key = "A", secret_key = "s", session_token = "t", expires_at = 1704070800, account_id = "123456789012",
      source = 'credential_process of the profile "default"',
    }, it.get())
  end)

  it("passes arguments on as they are quoted", function()
    local it = run [=[
[ $# = 2 ] && [ "$2" = "two words" ] && printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s"}' "$1"]=]
    assert.equal("one", it.get().access_key)
  end)

  it("runs it again before the credentials end, and never when they do not end", function()
    local counting = 'echo x >>"$0.count"; n=$(wc -l <"$0.count")\n' ..
      'printf \'{"Version":1,"AccessKeyId":"A%d","SecretAccessKey":"s"%s}\' "$n" "$ENDS"'
    for ends, wanted in pairs { [',"Expiration":"2024-01-01T01:00:00Z"'] = "A2", [""] = "A1" } do
      local it = run((counting:gsub('"%$ENDS"', "'" .. ends .. "'")))
      it.run(function()
        assert.equal("A1", it.chain:get().access_key)
        it.runtime.scheduler:sleep(3000)
        assert.equal(wanted, it.chain:get().access_key)
      end)
      assert(fs.remove(it.home .. "/credentials of mine.sh.count"))
    end
  end)

  it("takes the account from the profile when the program does not tell it", function()
    local it = run(answer '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":null}',
      "aws_account_id = 1\n")
    assert.equal("1", it.get().account_id)
  end)

  it("shows what a failing program says, never what it prints", function()
    local found, err = run("echo very-secret; echo 'no smart card' >&2; exit 3").get()
    assert.is_nil(found)
    assert.equal('credential_process of the profile "default" failed with exit code 3: no smart card', err.message)
  end)

  for problem, text in pairs {
    ["something that is no JSON object"] = "very-secret",
    ["without SecretAccessKey"] = '{"Version":1,"AccessKeyId":"very-secret"}',
    ["without AccessKeyId"] = '{"Version":1,"AccessKeyId":["very-secret"],"SecretAccessKey":"s"}',
    ["in a Version other than 1"] = '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"very-secret"}',
    ["an Expiration that is no ISO 8601 time"] =
      '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"very-secret"}',
  } do
    it("refuses an answer " .. problem .. ", without quoting it", function()
      local found, err = run(answer(text)).get()
      assert.is_nil(found)
      assert.truthy(err.message:find(problem, 1, true), err.message)
      assert.is_nil(err.message:find("very-secret", 1, true))
    end)
  end

  it("refuses a command that cannot be read or started", function()
    assert.equal("ConfigError", select(2, new("[default]\ncredential_process = sh 'x\n").get()).code)
    local found, err = new("[default]\ncredential_process = no-such-program-anywhere\n").get()
    assert.is_nil(found)
    assert.equal("ENOENT", err.code)
    assert.truthy(err.message:find('credential_process of the profile "default": ', 1, true))
  end)
end)
