local fs = require "host.fs"
local s3_upload = require "infra.aws.s3_upload"
local temporary = require "spec.support.temporary"
local world = require "spec.aws.world"

local MIB <const> = 1 << 20
local SIZE <const> = 100 * MIB + 5

describe("infra.aws.s3_upload", function()
  local answer = world.answer
  local folder, remove_folder = temporary()
  local path = folder .. "/file"
  local OBJECT = { Bucket = "my-bucket", Key = "k", ContentType = "text/x" }

  teardown(remove_folder)

  -- Makes the file `size` bytes long, without writing them all.
  local function resize(size)
    local file <close> = assert(io.open(path, "wb"))
    file:seek("set", size - 1)
    file:write "x"
  end

  before_each(function() resize(SIZE) end)

  local ERROR <const> = "<Error><Code>%s</Code><Message>m</Message></Error>"

  -- What the request asks for: "create", "abort", "complete", "put" or the number of a part.
  local function kind_of(request)
    local part = request.url:match "partNumber=(%d+)"
    if part then
      return math.tointeger(tonumber(part))
    elseif request.method == "DELETE" then
      return "abort"
    elseif request.method == "POST" then
      return request.url:find "uploads" and "create" or "complete"
    end
    return "put"
  end

  -- An S3 whose answers take a second each. `special(kind, request)` may answer instead. Returns the world; `aws.kinds`
  -- counts requests by kind, `aws.most` is how many were under way at the same time.
  local function s3(special)
    local aws, running
    running = 0
    aws = world.new(setmetatable({}, { __index = function()
      return function(request)
        local kind = kind_of(request)
        aws.kinds[kind] = (aws.kinds[kind] or 0) + 1
        running = running + 1
        aws.most = math.max(aws.most, running)
        aws.runtime.scheduler:sleep(1)
        running = running - 1
        local answered = special and special(kind, request)
        if answered then
          return answered
        elseif kind == "create" then
          return answer(200, "<R><UploadId>up-1</UploadId></R>")
        elseif kind == "complete" then
          aws.completed = request.body
          return answer(200, '<R><Location>l</Location><ETag>"whole"</ETag></R>')
        end
        return answer(kind == "abort" and 204 or 200, "",
          { etag = ('"%s"'):format(kind), ["x-amz-checksum-crc32"] = ("sum%s"):format(kind) })
      end
    end }))
    aws.kinds, aws.most = {}, 0
    return aws
  end

  local function put(aws, params)
    return aws.runtime.scheduler:run(s3_upload.put, aws.client, params or OBJECT, path)
  end

  it("sends a small file in one request", function()
    resize(1000)
    local aws = s3()
    assert.equal('"put"', assert(put(aws)).ETag)
    assert.same({ put = 1 }, aws.kinds)
  end)

  it("sends a large one in parts, several at a time, each once and all of them", function()
    local aws = s3()
    assert.same({ ETag = '"whole"' }, assert(put(aws)))
    local seen, next_offset = {}, 0
    for _, request in ipairs(aws.requests) do
      local kind = kind_of(request)
      if math.type(kind) then
        seen[kind] = request.body_from
      elseif kind == "create" then
        assert.equal("text/x", world.header(request, "Content-Type"))
        assert.equal("CRC32", world.header(request, "x-amz-checksum-algorithm"))
      end
    end
    assert.equal(13, #seen)
    for _, part in ipairs(seen) do
      assert.equal(next_offset, part.offset)
      next_offset = part.offset + part.size
    end
    assert.equal(SIZE, next_offset)
    assert.equal(8, aws.most)
    local numbers = {}
    for number, tag in aws.completed:gmatch "<PartNumber>(%d+)</PartNumber>" do
      numbers[#numbers + 1] = tonumber(number)
      assert.is_nil(tag)
    end
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 }, numbers)
    assert.truthy(aws.completed:find("<ChecksumCRC32>sum13</ChecksumCRC32>", 1, true))
    assert.truthy(aws.completed:find("&quot;13&quot;", 1, true) or aws.completed:find('"13"', 1, true))
  end)

  it("sends a part again that failed for now, and only that", function()
    local failed = false
    local aws = s3(function(kind)
      if kind == 5 and not failed then
        failed = true
        return answer(500, ERROR:format "InternalError")
      end
    end)
    assert(put(aws))
    assert.equal(2, aws.kinds[5])
    assert.equal(1, aws.kinds[6])
    assert.is_nil(aws.kinds.abort)
  end)

  it("throws away what was sent when a part fails for good", function()
    local aws = s3(function(kind)
      return kind == 2 and answer(403, ERROR:format "AccessDenied")
    end)
    local output, err = put(aws)
    assert.is_nil(output)
    assert.equal("AccessDenied", err.code)
    assert.equal(1, aws.kinds.abort)
    assert.is_nil(aws.kinds.complete)
    assert.is_nil(aws.kinds[13])
    assert.is_nil(err.hint)
  end)

  it("says how to remove what it could not", function()
    local aws = s3(function(kind)
      return (kind == "complete" or kind == "abort") and answer(403, ERROR:format "AccessDenied")
    end)
    local _, err = put(aws)
    assert.truthy(err.hint:find("UploadId=up-1", 1, true))
  end)

  it("throws away what was sent when it is cancelled", function()
    local aws = s3()
    local ok, problem = pcall(aws.runtime.scheduler.run, aws.runtime.scheduler, function()
      local task = aws.runtime.scheduler:spawn(s3_upload.put, aws.client, OBJECT, path)
      aws.runtime.scheduler:sleep(2.5)
      task:cancel()
      task:join()
    end)
    assert.is_false(ok)
    assert.equal("Cancelled", problem.code)
    assert.equal(1, aws.kinds.abort)
    assert.is_nil(aws.kinds.complete)
  end)

  it("makes no object of a file that changed meanwhile", function()
    local aws = s3(function(kind)
      if kind == 3 then
        resize(SIZE + 1)
      end
    end)
    local _, err = put(aws)
    assert.equal("FileChanged", err.code)
    assert.equal(1, aws.kinds.abort)
    assert.is_nil(aws.kinds.complete)
  end)

  it("sends the whole in one request when the caller has its digest", function()
    local aws = s3()
    assert(put(aws, { Bucket = "my-bucket", Key = "k", ChecksumSHA256 = ("A"):rep(43) .. "=" }))
    assert.same({ put = 1 }, aws.kinds)
  end)

  it("chooses parts so large that 10,000 are enough", function()
    for _, size in ipairs { SIZE, 10000 * 8 * MIB, 10000 * 8 * MIB + 1, 5 << 40 } do
      local part = s3_upload.part_size(size)
      assert.equal(0, part % MIB)
      assert.is_true((size + part - 1) // part <= 10000)
    end
    assert.equal(8 * MIB, s3_upload.part_size(SIZE))
    assert.equal(8 * MIB, s3_upload.part_size(10000 * 8 * MIB))
    assert.equal(9 * MIB, s3_upload.part_size(10000 * 8 * MIB + 1))
  end)

  it("fails before it sends anything when there is no such file", function()
    assert(fs.remove(path))
    local _, err = put(s3())
    assert.equal("ENOENT", err.code)
  end)
end)
