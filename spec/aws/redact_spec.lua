local crypto = require "host.crypto"
local redact = require "infra.aws.redact"
local shapes = require "infra.aws.protocols.shapes"

describe("infra.aws.redact", function()
  local shape = shapes.of({ shape = function() return { type = "string", sensitive = true } end }, {
    type = "structure",
    members = {
      Name = {},
      Password = { shape = "Secret" },
      List = { type = "list", member = { type = "structure", members = { Key = {}, Value = { shape = "Secret" } } } },
      Map = { type = "map", key = {}, value = { shape = "Secret" } },
      Group = { type = "structure", sensitive = true, members = { Inner = {} } },
    },
  })
  local value = {
    Name = "db", Password = "hunter22", List = { { Key = "k", Value = "swordfish" } },
    Map = { a = "open sesame", b = "x" }, Group = { Inner = "inside" },
  }

  it("puts *** in place of what the model calls sensitive, at any depth", function()
    assert.same({
      Name = "db", Password = "***", List = { { Key = "k", Value = "***" } }, Map = { a = "***", b = "***" },
      Group = "***",
    }, redact.value(shape, value))
    assert.equal("hunter22", value.Password)
  end)

  it("finds the secrets, those too short to be told apart from innocent text excepted", function()
    local secrets = redact.secrets(shape, value)
    table.sort(secrets)
    assert.same({ "hunter22", "inside", "open sesame", "swordfish" }, secrets)
  end)

  it("takes secrets out of text, whatever signs they consist of", function()
    assert.equal("bad '***' and ***.", redact.text("bad 'a.b%+[c' and hunter22.", { "hunter22", "a.b%+[c" }))
    assert.equal("axb", redact.text("axb", { "a.b" }))
  end)

  it("takes out of every text what was declared, also encoded, the longest first", function()
    redact.declare 'a "b" %c'
    redact.declare 'a "b" %c and more'
    redact.declare "short"
    assert.equal("*** *** *** *** *** ***", redact.text([[a "b" %c a \"b\" %c a \\\"b\\\" %c ]] ..
      "a%20%22b%22%20%25c YSAiYiIgJWM= 6120226222202563", {}))
    assert.equal("***!", redact.text 'a "b" %c and more!')
    assert.equal("short", redact.text "short")
  end)

  it("recognises what earlier runs declared by its digest", function()
    redact.recognise("key", { [crypto.hex(crypto.hmac_sha256("key", "db of old"))] = true })
    assert.equal("***", redact.value(shape, { Name = "db of old" }).Name)
    assert.equal("db of new", redact.value(shape, { Name = "db of new" }).Name)
    assert.equal("it was ***", redact.text "it was db of old")
  end)

  it("leaves of a signature all but itself, and of cookies and tokens nothing", function()
    assert.equal("AWS4-HMAC-SHA256 Credential=AKID/x, Signature=***", redact.header("Authorization",
      "AWS4-HMAC-SHA256 Credential=AKID/x, Signature=0a1b"))
    assert.equal("***", redact.header("authorization", "Bearer abc"))
    assert.equal("***", redact.header("X-Amz-Security-Token", "abc"))
    assert.equal("***", redact.header("Set-Cookie", "abc"))
    assert.equal("https://b/?X-Amz-Signature=***&a=b", redact.header("Location", "https://b/?X-Amz-Signature=0a&a=b"))
  end)

  it("takes keys for secrets only when they are as long as AWS's", function()
    assert.same({}, redact.keys { access_key = "SIMULATED", secret_key = "simulated" })
    assert.same({}, redact.keys(nil))
    assert.equal(2, #redact.keys { secret_key = ("s"):rep(40), session_token = ("t"):rep(400) })
  end)
end)
