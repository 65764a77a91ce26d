local crypto = require "host.crypto"
local fs = require "host.fs"
local infra = require "spec.cli.infra"
local json = require "host.json"
local loop = require "host.loop"
local process = require "host.process"
local program = require "spec.support.program"
local server = require "host.server"
local temporary = require "spec.support.temporary"

describe("infra aws", function()
  local function environment_for(listener)
    return {
      AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "secret", AWS_REGION = "us-east-1",
      AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null",
      AWS_ENDPOINT_URL = ("http://127.0.0.1:%d"):format(listener:port()), AWS_MAX_ATTEMPTS = "1",
      AWS_SESSION_TOKEN = false, AWS_PROFILE = false,
    }
  end

  -- Runs `infra aws ...` against a server that answers every request with `answer` { status, body, headers }. Returns
  -- how it ended, and the last request that it sent.
  local function aws(arguments, answer)
    local listener <close> = assert(server.listen { address = "127.0.0.1", port = 0 })
    local handle = assert(process.start {
      argv = table.move(arguments, 1, #arguments, 3, { fs.real_path "/proc/self/exe", "aws" }),
      environment = environment_for(listener),
      timeout = 50,
    })
    local request
    while true do
      for _, event in ipairs(loop.wait(20)) do
        if event.handle == handle then
          return event, request
        elseif event.handle == listener then
          request = event.request
          request.respond(answer[1], answer[3] or {}, answer[2])
        end
      end
    end
  end

  local GROUPS = { 200, '{"logGroups":[{"logGroupName":"/b","creationTime":1},{"logGroupName":"/a"}]}' }

  it("calls an operation by either of its names and prints the result, sorted and indented", function()
    for _, name in ipairs { "DescribeLogGroups", "describe-log-groups" } do
      local ended, request = aws({ "logs", name, "limit=5" }, GROUPS)
      assert.equal(0, ended.status)
      assert.equal("", ended.stderr)
      assert.equal('{"limit":5}', request.body)
      assert.equal("Logs_20140328.DescribeLogGroups", request.headers["x-amz-target"])
      assert.truthy(ended.stdout:find '^{\n  "logGroups": %[\n    {\n      "creationTime": 1,\n')
      assert.equal("/b", assert(json.decode(ended.stdout)).logGroups[1].logGroupName)
    end
  end)

  it("takes parameters as JSON, as paths, and both", function()
    local arguments = { "logs", "create-log-group", '{"logGroupName": "/x"}', "tags.a=1", "tags.b=2" }
    local _, request = aws(arguments, { 200, "{}" })
    assert.same({ logGroupName = "/x", tags = { a = "1", b = "2" } }, assert(json.decode(request.body)))
  end)

  it("prints times and bytes as text", function()
    local ended = aws({ "lambda", "invoke", "FunctionName=f", "Payload=e30=" }, { 200, "\0\xff" })
    assert.equal("AP8=", assert(json.decode(ended.stdout)).Payload)
    ended = aws({ "ssm", "get-parameter", "Name=/x" }, { 200, '{"Parameter":{"LastModifiedDate":1440938160.5}}' })
    assert.equal("2015-08-30T12:36:00.500Z", assert(json.decode(ended.stdout)).Parameter.LastModifiedDate)
  end)

  it("fails with AWS's own words", function()
    local ended = aws({ "logs", "create-log-group", "logGroupName=/x" }, {
      400, '{"__type":"ResourceAlreadyExistsException","message":"The specified log group already exists"}',
      { ["x-amzn-RequestId"] = "req-1" },
    })
    assert.equal(1, ended.status)
    assert.equal("", ended.stdout)
    assert.equal("infra: logs CreateLogGroup: ResourceAlreadyExistsException: The specified log group already " ..
      "exists (request req-1)\n", ended.stderr)
  end)

  describe("with files", function()
    local directory, remove = temporary()
    local path = directory .. "/file"

    before_each(function() assert(fs.write(path, "\0bytes\xff")) end)
    teardown(remove)

    it("sends NAME=@FILE as it is", function()
      local ended, request = aws({ "s3", "put-object", "Bucket=my-bucket", "Key=k", "Body=@" .. path }, { 200, "" })
      assert.equal("", ended.stderr)
      assert.equal("\0bytes\xff", request.body)
      assert.equal("7", request.headers["content-length"])
      ended, request = aws({ "lambda", "update-function-code", "FunctionName=f", "ZipFile=@" .. path }, { 200, "{}" })
      assert.equal("", ended.stderr)
      assert.same({ ZipFile = crypto.base64 "\0bytes\xff" }, json.decode(request.body))
    end)

    it("puts what comes back into --output, and prints the rest", function()
      local ended = aws({ "s3", "get-object", "Bucket=my-bucket", "Key=k", "--output", path },
        { 200, "new\0", { ["Content-Type"] = "text/x" } })
      assert.equal("", ended.stderr)
      assert.equal("new\0", fs.read(path))
      local shown = assert(json.decode(ended.stdout))
      assert.equal("text/x", shown.ContentType)
      assert.is_nil(shown.Body)
    end)

    it("says what is wrong with a file, and leaves it alone when the call fails", function()
      local ended, request = aws({ "s3", "put-object", "Bucket=my-bucket", "Key=k", "Body=@" .. path .. "-none" },
        { 200, "" })
      assert.equal(1, ended.status)
      assert.truthy(ended.stderr:find(path .. "-none: No such file or directory", 1, true))
      assert.is_nil(request)
      ended = aws({ "s3", "get-object", "Bucket=my-bucket", "Key=k", "--output", path },
        { 404, "<Error><Code>NoSuchKey</Code></Error>" })
      assert.equal(1, ended.status)
      assert.equal("\0bytes\xff", fs.read(path))
      assert.same({ "file" }, fs.list(directory))
    end)
  end)

  it("waits until a resource is there, and says nothing", function()
    local ended, request = aws({ "s3", "wait", "bucket-exists", "Bucket=my-bucket" }, { 200, "" })
    assert.equal(0, ended.status)
    assert.equal("", ended.stdout .. ended.stderr)
    assert.equal("HEAD", request.method)
    ended = aws({ "ecs", "wait", "services-stable", 'services=["s"]' }, { 200, '{"failures":[{"reason":"MISSING"}]}' })
    assert.equal(1, ended.status)
    assert.equal("infra: ecs ServicesStable: failures[].reason is MISSING\n", ended.stderr)
  end)

  it("takes wrong names for wrong usage and says what was meant", function()
    for meant, arguments in pairs {
      ["did you mean logs?"] = { "lgos", "x" },
      ["did you mean DescribeLogGroups?"] = { "logs", "describe-log-group" },
      ["did you mean logGroupName?"] = { "logs", "create-log-group", "logGroupNam=x" },
      ["did you mean BucketExists?"] = { "s3", "wait", "bucket-exist", "Bucket=b" },
      ["wait needs the name of a waiter; s3 has BucketExists"] = { "s3", "wait" },
      ["neither NAME=VALUE nor a JSON object"] = { "logs", "create-log-group", "[]" },
    } do
      local ended, request = aws(arguments, { 500, "" })
      assert.equal(2, ended.status)
      assert.truthy(ended.stderr:find(meant, 1, true), ended.stderr)
      assert.truthy(ended.stderr:find("Usage: infra aws", 1, true))
      assert.is_nil(request)
    end
  end)

  it("names a missing parameter before it sends anything", function()
    local ended, request = aws({ "logs", "create-log-group" }, { 500, "" })
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "logGroupName")
    assert.is_nil(request)
  end)

  it("shows requests with --debug-full, without secrets", function()
    local ended = aws({ "--debug-full", "secretsmanager", "put-secret-value", "SecretId=s", "SecretString=hunter22" },
      { 200, "{}" })
    assert.equal(0, ended.status)
    assert.truthy(ended.stderr:find "secretsmanager PutSecretValue, attempt 1: POST http://127")
    assert.truthy(ended.stderr:find('{"SecretId":"s","SecretString":"***"}', 1, true))
    assert.is_nil(ended.stderr:find("hunter22", 1, true))
  end)

  it("says both ways to go on without credentials", function()
    local ended = infra({ "aws", "logs", "describe-log-groups" }, { environment = { AWS_REGION = "us-east-1" } })
    assert.equal(1, ended.status)
    assert.truthy(ended.stderr:find "configure credentials")
    assert.truthy(ended.stderr:find("--sim", 1, true))
  end)

  it("stops at once when interrupted, with exit code 3", function()
    local directory, remove = temporary()
    local listener <close> = assert(server.listen { address = "127.0.0.1", port = 0 })
    local command = ("%s aws logs describe-log-groups & until [ -e %s ]; do sleep 0.01; done; kill -INT $!; wait $!")
      :format(fs.real_path "/proc/self/exe", directory .. "/sent")
    local shell = assert(process.start {
      argv = { "sh", "-c", command }, environment = environment_for(listener), timeout = 50,
    })
    local ended, request
    repeat
      for _, event in ipairs(loop.wait(20)) do
        if event.handle == shell then
          ended = event
        else
          request = event.request -- kept, so that it stays unanswered
          assert(fs.write(directory .. "/sent", ""))
        end
      end
    until ended
    remove()
    assert.truthy(request)
    assert.equal(3, ended.status)
    assert.equal("infra: cancelled\n", ended.stderr)
  end)

  it("works on the simulated AWS with --sim, without credentials and region", function()
    local directory, remove = temporary()
    local exe = fs.real_path "/proc/self/exe"
    local tree = process.environment "INFRA_LUA"
    local models = process.environment "INFRA_MODELS"
    local ended = program.run {
      argv = { "sh", "-c", ("cd %s && %s aws sts get-caller-identity --sim"):format(directory, exe) },
      environment = {
        AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false, AWS_REGION = false, AWS_PROFILE = "nonexistent",
        AWS_ENDPOINT_URL = "http://127.0.0.1:1", INFRA_LUA = tree and fs.real_path(tree) or false,
        INFRA_MODELS = models and fs.real_path(models) or false,
      },
      timeout = 50,
    }
    local kept = fs.stat(directory .. "/state/sim/aws.db")
    remove()
    assert.equal("", ended.stderr)
    assert.equal("123456789012", assert(json.decode(ended.stdout)).Account)
    assert.truthy(kept)
  end)
end)
