local world = require "spec.aws.world"

describe("the advice on a call that failed", function()
  local URL <const> = { AWS_ENDPOINT_URL = "http://127.0.0.1:1", AWS_MAX_ATTEMPTS = "1" }

  local function failure(answer, environment)
    local _, err = world.new({ answer, answer }, { environment = environment }).call("logs", "DescribeLogGroups")
    return err
  end

  it("is to renew credentials that AWS refuses, in the middle of a run too", function()
    for _, code in ipairs { "ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException" } do
      assert.matches("^AWS refuses these credentials: renew them", failure(world.json(400, { __type = code })).hint)
    end
    assert.is_nil(failure(world.json(400, { __type = "AccessDeniedException" })).hint)
  end)

  it("is to look at the endpoint, where that is configured and the way there", function()
    for _, code in ipairs { "ConnectionError", "ResolveError", "TlsError" } do
      assert.equal("is there a way to the network, and is the endpoint right (it is from AWS_ENDPOINT_URL)?",
        failure(world.lost(code), URL).hint)
    end
    assert.equal("is there a way to the network, and is the endpoint right?",
      failure(world.lost "TlsError", { AWS_MAX_ATTEMPTS = "1" }).hint)
    assert.matches("^is the endpoint right %(it is from AWS_ENDPOINT_URL%), and is there a proxy",
      failure(world.answer(200, "<html>"), URL).hint)
  end)

  it("names the host that could not be reached, once", function()
    assert.equal("http://127.0.0.1:1: TlsError", failure(world.lost "TlsError", URL).message)
    local lost = world.lost "ConnectionError"
    lost.lost.message = "Failed to connect to 127.0.0.1 port 1"
    assert.equal("Failed to connect to 127.0.0.1 port 1", failure(lost, URL).message)
  end)
end)
