local Log = require "infra.aws.log"
local world = require "spec.aws.world"

-- A call against a scripted AWS: the lines that were logged of it.
local function logged(full, script, service, operation, params)
  local lines = {}
  local log = Log.new(function(line) lines[#lines + 1] = line end, full)
  local _, err = world.new(script, { trace = log }).call(service, operation, params)
  return table.concat(lines, "\n"), lines, err
end

describe("infra.aws.log", function()
  local ROLE <const> = { RoleArn = "arn:aws:iam::1:role/r", RoleSessionName = "me", SerialNumber = "arn:mfa" }

  it("has a line for every request and every response", function()
    local _, lines = logged(false, {
      world.json(400, { __type = "ThrottlingException", message = "Rate exceeded" }), world.lost("Timeout"),
      world.json(200, {}),
    }, "logs", "DescribeLogGroups", {})
    assert.equal(6, #lines)
    local id = lines[1]:match "^> (%x+) logs DescribeLogGroups, attempt 1: POST https://logs%.us%-east%-1%."
    for i, expected in ipairs {
      "^< %x+ logs DescribeLogGroups, attempt 1: 400 ThrottlingException: Rate exceeded in %d+%.%d%d%d s, %d+ bytes$",
      "^> %x+ logs DescribeLogGroups, attempt 2: POST ",
      "^< %x+ logs DescribeLogGroups, attempt 2: no answer Timeout: Timeout in ",
      "^> %x+ logs DescribeLogGroups, attempt 3: POST ",
      "^< %x+ logs DescribeLogGroups, attempt 3: 200 in ",
    } do
      assert.matches(expected, lines[i + 1])
      assert.equal(id, lines[i + 1]:match "^. (%x+)")
    end
  end)

  it("has headers and bodies when it is full, by the model: no secret, no bytes, times as text", function()
    local text = logged(true, { world.json(200, { ARN = "a", Name = "s", CreatedDate = 1440938160,
      SecretBinary = "AAECAw==", SecretString = "hunter22", VersionStages = { "AWSCURRENT" } }) },
      "secretsmanager", "GetSecretValue", { SecretId = "s" })
    assert.matches('\n> %x+   {"SecretId":"s"}\n', text)
    assert.matches("\n> %x+   X%-Amz%-Target: secretsmanager.GetSecretValue\n", text)
    assert.matches("\n< %x+   x%-amzn%-requestid: req%-1\n", text)
    assert.truthy(text:find('{"ARN":"a","CreatedDate":"2015-08-30T12:36:00Z","Name":"s","SecretBinary":"***",' ..
      '"SecretString":"***","VersionStages":["AWSCURRENT"]}', 1, true))
    assert.is_nil(text:find "hunter22")
    text = logged(true, { world.answer(200, "") }, "lambda", "Invoke", { FunctionName = "f", Payload = "{}" })
    assert.matches('"Payload":"%*%*%*"', text)
  end)

  it("shows neither codes and tokens that the model forgets to call sensitive nor what quotes them", function()
    ROLE.TokenCode = "135791"
    local answer = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAX</AccessKeyId>" ..
      "<SecretAccessKey>key-of-the-session</SecretAccessKey><SessionToken>session-token</SessionToken></Credentials>" ..
      "</AssumeRoleResult></AssumeRoleResponse>"
    local text = logged(true, { world.answer(200, answer, { ["x-quoted"] = "session-token" }) }, "sts", "AssumeRole",
      ROLE)
    assert.matches('"TokenCode":"%*%*%*"', text)
    assert.matches('"AccessKeyId":"ASIAX","SecretAccessKey":"%*%*%*","SessionToken":"%*%*%*"', text)
    assert.is_nil(text:find "135791" or text:find "key%-of%-the" or text:find "session%-token")
    local _, _, err = logged(true, { world.answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>" ..
      "MFA code 135791 was used already</Message></Error></ErrorResponse>") }, "sts", "AssumeRole", ROLE)
    assert.equal("MFA code *** was used already", err.message)
  end)

  it("shows a presigned URL without what makes it work", function()
    local text = logged(true, { world.json(200, { downloadUrl = "https://b.s3.amazonaws.com/l?X-Amz-Algorithm=AWS4" ..
      "&X-Amz-Credential=AKIA%2F1&X-Amz-Security-Token=tok%2Fen&X-Amz-Signature=0a1b2c" }) }, "ecr",
      "GetDownloadUrlForLayer", { repositoryName = "r", layerDigest = "sha256:0" })
    assert.truthy(text:find("?X-Amz-Algorithm=AWS4&X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***\"",
      1, true))
  end)

  it("is one line a piece, whatever comes", function()
    local text, lines = logged(true, { world.answer(400, "a\27[31m\nb", { ["x-odd"] = "c\r\nd\7" }) }, "sns",
      "ListTopics", {})
    assert.is_nil(text:find "[%z\1-\9\11-\31]")
    for _, line in ipairs(lines) do
      assert.matches("^[<>] %x+ ", line)
    end
    text = logged(true, { world.json(200, { Parameters = { { Name = ("x"):rep(200000) } } }) }, "ssm", "GetParameters",
      { Names = { "a" } })
    assert.matches("xxx %.%.%. %(200%d%d%d bytes%)$", text)
  end)

  it("takes values that JSON cannot have", function()
    local text = logged(true, { world.json(200, { results = { { value = { doubleValue = "NaN" } } } }) }, "rds-data",
      "ExecuteStatement", { resourceArn = "a", secretArn = "b", sql = "c", parameters = {
        { name = "d", value = { doubleValue = 0 / 0 } } } })
    assert.matches("%(what JSON has no words for%)", text)
  end)
end)
