local infra = require "spec.cli.infra"

describe("infra presign", function()
  local KEYS = { AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "secret", AWS_REGION = "eu-west-1" }

  local function presign(...)
    return infra({ "presign", ... }, { environment = KEYS })
  end

  it("prints a URL that is signed for as long as it was asked for, without asking AWS", function()
    local ended = presign("s3", "get-object", "Bucket=my-bucket", "Key=a b", "--expires", "600")
    assert.equal("", ended.stderr)
    assert.truthy(ended.stdout:find("^https://my%-bucket%.s3%.eu%-west%-1%.amazonaws%.com/a%%20b%?[^%s]+\n$"))
    assert.truthy(ended.stdout:find("X-Amz-Expires=600&", 1, true))
    assert.truthy(ended.stdout:find("X%-Amz%-Signature=%x+"))
    assert.truthy(presign("sts", "GetCallerIdentity").stdout:find("Action=GetCallerIdentity", 1, true))
  end)

  it("refuses what cannot be a URL, and takes wrong options for wrong usage", function()
    local ended = presign("logs", "describe-log-groups")
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find("a URL has no place for its body", 1, true))
    ended = presign("sts", "GetCallerIdentity", "--expires", "soon")
    assert.equal(2, ended.status)
    for _, words in ipairs { { "wait", "bucket-exists", "Bucket=b" }, { "PutObject", "Bucket=b", "Body=@x" } } do
      ended = presign("s3", table.unpack(words))
      assert.equal(2, ended.status)
      assert.truthy(ended.stderr:find("neither wait nor @FILE", 1, true))
    end
    ended = presign("sts", "GetCallerIdentty")
    assert.equal(2, ended.status)
    assert.truthy(ended.stderr:find("did you mean GetCallerIdentity?", 1, true))
  end)
end)
