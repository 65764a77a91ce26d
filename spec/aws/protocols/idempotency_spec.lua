local idempotency = require "infra.aws.protocols.idempotency"
local json = require "host.json"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.idempotency", function()
  local input = model.structure { ClientToken = { idempotencyToken = true }, Name = {} }

  local function random(count)
    return ("\xff"):rep(count)
  end

  it("makes version 4 UUIDs of random bytes", function()
    assert.equal("00000000-0000-4000-8000-000000000000", idempotency.uuid(("\0"):rep(16)))
    assert.equal("ffffffff-ffff-4fff-bfff-ffffffffffff", idempotency.uuid(("\xff"):rep(16)))
    assert.equal("00010203-0405-4607-8809-0a0b0c0d0e0f",
      idempotency.uuid("\0\1\2\3\4\5\6\7\8\9\10\11\12\13\14\15"))
  end)

  it("fills in the token, leaving the caller's table alone", function()
    local params = { Name = "n" }
    assert.same({ Name = "n", ClientToken = "ffffffff-ffff-4fff-bfff-ffffffffffff" },
      idempotency.fill(input, params, { random = random }))
    assert.same({ Name = "n" }, params)
  end)

  it("prefers the caller's token to the context's, and that to a new one", function()
    local context = { token = "context", random = random }
    assert.equal("mine", idempotency.fill(input, { ClientToken = "mine" }, context).ClientToken)
    assert.equal("context", idempotency.fill(input, {}, context).ClientToken)
    assert.equal("context", idempotency.fill(input, { ClientToken = json.null }, context).ClientToken)
    assert.is_nil(idempotency.fill(input, {}, {}).ClientToken)
  end)
end)
