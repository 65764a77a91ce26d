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

  it("takes keys for secrets only when they are as long as AWS's", function()
    assert.same({}, redact.keys { access_key = "SIMULATED", secret_key = "simulated" })
    assert.equal(2, #redact.keys { secret_key = ("s"):rep(40), session_token = ("t"):rep(400) })
  end)
end)
