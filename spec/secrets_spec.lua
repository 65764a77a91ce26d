-- What is secret stays out of everything that the program prints or writes, whatever form it would have there: planted
-- secrets are looked for in all output, also of --debug-full, and in every file but the simulated AWS's own.

local Session = require "infra.session"
local Store = require "infra.sim.store"
local crypto = require "host.crypto"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local local_aws = require "spec.cli.local_aws"
local project = require "spec.cli.project"
local sigv4 = require "host.sigv4"

-- With signs that every encoding writes in its own way.
local GIVEN <const> = 'p"ss\\w/rd+%=&<\u{e9}> given'
local CHANGED <const> = "correct horse 'battery' staple?"

local STACK <const> = [[
local infra = require "infra"
return infra.stack {
  project = "secrets", environment = "spec", region = "us-east-1",
  options = { password = infra.required "string", broken = infra.default(false), drawn = infra.default(false) },
  build = function(stack, options)
    local secret = infra.secret(options.password)
    stack:resource("AWS::SSM::Parameter", "secure", { Name = "/secure", Type = "SecureString", Value = secret })
    local given = stack:resource("AWS::SecretsManager::Secret", "given", { SecretString = secret })
    local generated = stack:resource("AWS::SecretsManager::Secret", "generated", { Name = "generated",
      GenerateSecretString = { SecretStringTemplate = '{"user":"app"}', GenerateStringKey = "master" } })
    stack:resource("AWS::SNS::Topic", "open", { DisplayName = secret }, { depends_on = given })
    stack:resource("AWS::SSM::Parameter", "drawn", { Type = "SecureString",
      Value = "{{resolve:secretsmanager:" .. generated.Id .. ":SecretString:master}}" })
    if options.drawn then
      stack:resource("AWS::SNS::Topic", "shown", { DisplayName = "{{resolve:secretsmanager:" .. generated.Id ..
        ":SecretString:master}}" })
    end
    stack:resource("AWS::SSM::Parameter", "joined", { Type = "String",
      Value = infra.secret("https://" .. options.password .. "@" .. given.Id) })
    if options.broken then
      stack:resource("AWS::SSM::Parameter", "broken", { Name = "/b", Type = "String", Value = "x", Tier = secret })
    end
    stack:output("url", secret)
  end,
}
]]

-- The part of the base64 of anything with `secret` at an offset of `shift` that depends on nothing else.
local function inside_base64(secret, shift)
  local encoded = crypto.base64(("\0"):rep(shift) .. secret)
  local first = shift == 0 and 1 or shift + 2
  return encoded:sub(first, #encoded - 4)
end

local function forms_of(secret)
  local in_json = json.encode(secret):sub(2, -2)
  local forms = {
    clear = secret, json = in_json, ["json in json"] = json.encode(in_json):sub(2, -2),
    hex = crypto.hex(secret), ["upper hex"] = crypto.hex(secret):upper(), url = sigv4.encode_path_segment(secret),
    form = sigv4.encode_path_segment(secret):gsub("%%20", "+"),
    xml = secret:gsub("[&<>\"']", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
      ["'"] = "&apos;" }),
  }
  for shift = 0, 2 do
    forms["base64 " .. shift] = inside_base64(secret, shift)
  end
  return forms
end

local function assert_hidden(secret, texts)
  assert(#secret >= 6)
  for place, text in pairs(texts) do
    for form, shown in pairs(forms_of(secret)) do
      local at = text:find(shown, 1, true)
      assert(not at, ("%s, in %s: %s"):format(form, place, text:sub((at or 1) - 100, (at or 1) + 100)))
    end
  end
end

-- Every file below `directory` but the simulated account, by path.
local function files(directory, found)
  for _, name in ipairs(fs.list(directory)) do
    local path = directory .. "/" .. name
    if fs.stat(path).kind == "directory" then
      files(path, found)
    elseif not name:find "^aws%.db" then
      found[path] = fs.read(path)
    end
  end
  return found
end

-- What only the simulated AWS knows.
local function generated_secret(path)
  local session <close> = assert(Session.open { sim = true, sim_store = assert(Store.open { path = path }) })
  local secret = session:run(session.client.call, session.client, "secretsmanager", "GetSecretValue",
    { SecretId = "generated" })
  return json.decode(secret.SecretString).master
end

describe("a stack with secrets", function()
  local here = project(teardown)

  it("leaves them at AWS only", function()
    local path, saved, texts = here.stack("secrets", STACK), here.directory .. "/saved", {}
    local function run(expected, ...)
      local ended = here.infra(...)
      local title = table.concat({ ... }, " "):gsub(" %-%-set.*", "")
      assert(ended.status == expected, ended.stderr)
      texts["standard output of " .. title], texts["standard error of " .. title] = ended.stdout, ended.stderr
      texts[#texts + 1] = table.concat(files(here.directory .. "/state", {}))
      return ended
    end
    local given, changed = { "--set", "password=" .. GIVEN }, { "--set", "password=" .. CHANGED }
    local log = run(0, "run", path, "--yes", "--debug-full", table.unpack(given)).stderr
    run(0, "plan", path, "--verbose", "--debug-full", "--out", saved, table.unpack(changed))
    texts["the saved plan"] = fs.read(saved)
    texts.applied = infra({ "apply", saved, "--yes", "--debug-full", table.unpack(changed) }).stderr
    run(1, "run", path, "--yes", "--json", "--debug-full", "--set", "broken=true", table.unpack(changed))
    run(0, "plan", path, "--json", "--debug-full", "--set", "broken=true", table.unpack(given))
    run(0, "drift", path, "--verbose", "--debug")
    for _, arguments in ipairs { { "output", path, "--json" }, { "state", "show", path, "secure" },
      { "state", "history", path, "--json" }, { "state", "list", path, "--json" } } do
      run(0, table.unpack(arguments))
    end

    -- In a member that AWS returns and no model calls sensitive.
    run(0, "run", path, "--yes", "--debug-full", "--set", "drawn=true", table.unpack(changed))
    texts.unchanged = run(0, "plan", path, "--verbose", "--set", "drawn=true", table.unpack(changed)).stdout
    run(0, "drift", path, "--verbose")
    local generated = generated_secret(here.directory .. "/state/sim/aws.db")
    run(0, "destroy", path, "--yes", "--debug", "--verbose")
    for place, text in pairs(files(here.directory .. "/state", {})) do
      texts[place] = text
    end
    for _, secret in ipairs { GIVEN, CHANGED, generated } do
      assert_hidden(secret, texts)
    end
    assert.matches("7 unchanged", texts.unchanged)
    assert.matches('"SecretString":"%*%*%*"', log)
    assert.matches('"Value":"%*%*%*"', log)
    assert.matches("sns CreateTopic, attempt 1: 200", log)
  end)
end)

describe("credentials", function()
  local KEY <const>, TOKEN <const> = ("kE/y+"):rep(8), ("t0Ken/+="):rep(20)

  it("show in no log and no message, also when AWS quotes them", function()
    local texts = {}
    for _, flag in ipairs { "--debug", "--debug-full", "--verbose" } do
      local aws <close> = local_aws()
      local ended = aws:run({ "aws", "ssm", "get-parameters", "Names=a", "--region=us-east-1", flag }, function(call)
        call.respond(400, { ["x-quoted"] = TOKEN }, json.encode { __type = "InvalidClientTokenId",
          message = ("no token %s of %s"):format(TOKEN, KEY) })
        return true
      end, { environment = { AWS_SECRET_ACCESS_KEY = KEY, AWS_SESSION_TOKEN = TOKEN } })
      assert.equal(1, ended.status)
      assert.matches("InvalidClientTokenId: no token %*%*%* of %*%*%*", ended.stderr)
      texts[flag] = ended.stdout .. ended.stderr
    end
    assert_hidden(KEY, texts)
    assert_hidden(TOKEN, texts)
    assert.matches("X%-Amz%-Security%-Token: %*%*%*", texts["--debug-full"])
    assert.matches("SignedHeaders=[%w;-]+, Signature=%*%*%*\n", texts["--debug-full"])
    assert.is_nil(texts["--debug"]:find "SignedHeaders")
  end)
end)
