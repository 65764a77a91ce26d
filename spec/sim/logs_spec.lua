-- The simulated CloudWatch Logs: what its API reference and its known traps say.

local caller = require "spec.sim.caller"
local handlers = require "infra.sim.logs"

local code = caller.code

local NOW = 1767225600 -- when these worlds begin, unix seconds

-- Runs `body(logs)`; logs(operation, params).
local function simulated(body)
  caller.service("logs", { time = NOW }, body)
end

-- The context of a call, for parameters that are newer than the bundled models.
local function context_of(logs)
  local usual, context = handlers.DescribeLogGroups, nil
  handlers.DescribeLogGroups = function(ctx)
    context = ctx
    return { logGroups = {} }
  end
  assert(logs("DescribeLogGroups"))
  handlers.DescribeLogGroups = usual
  return context
end

local function failure_of(handler, ...)
  local done, failure = pcall(handler, ...)
  return not done and failure.code
end

local function names(groups)
  local found = {}
  for i, group in ipairs(groups) do
    found[i] = group.logGroupName
  end
  return found
end

describe("infra.sim.logs groups", function()
  it("has two forms of an ARN, of which tags take one", function()
    simulated(function(logs)
      assert(logs("CreateLogGroup", { logGroupName = "/aws/lambda/api", tags = { Owner = "me" } }))
      local group = assert(logs("DescribeLogGroups")).logGroups[1]
      assert.equal("arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/api", group.logGroupArn)
      assert.equal(group.logGroupArn .. ":*", group.arn)
      assert.same({ "STANDARD", 0, NOW }, { group.logGroupClass, group.storedBytes, group.creationTime // 1000 })
      assert.equal("InvalidParameterException", code(logs("ListTagsForResource", { resourceArn = group.arn })))
      assert(logs("TagResource", { resourceArn = group.logGroupArn, tags = { Stage = "x" } }))
      assert(logs("UntagResource", { resourceArn = group.logGroupArn, tagKeys = { "Owner", "none" } }))
      assert.same({ Stage = "x" }, assert(logs("ListTagsForResource", { resourceArn = group.logGroupArn })).tags)
      assert.same({ Stage = "x" }, assert(logs("ListTagsLogGroup", { logGroupName = "/aws/lambda/api" })).tags)
    end)
  end)

  it("creates once and deletes what is there", function()
    simulated(function(logs)
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
      assert.equal("ResourceAlreadyExistsException", code(logs("CreateLogGroup", { logGroupName = "g" })))
      assert.equal("InvalidParameterException", code(logs("CreateLogGroup", { logGroupName = "a:b" })))
      assert.equal("InvalidParameterException", code(logs("CreateLogGroup", { logGroupName = "aws/x" })))
      assert(logs("DeleteLogGroup", { logGroupName = "g" }))
      assert.equal("ResourceNotFoundException", code(logs("DeleteLogGroup", { logGroupName = "g" })))
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
    end)
  end)

  it("keeps events for a number of days that is on the list", function()
    simulated(function(logs)
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
      for _, days in ipairs { 0, 2, 31, 3654 } do
        assert.equal("InvalidParameterException",
          code(logs("PutRetentionPolicy", { logGroupName = "g", retentionInDays = days })))
      end
      assert(logs("PutRetentionPolicy", { logGroupName = "g", retentionInDays = 30 }))
      assert.equal(30, assert(logs("DescribeLogGroups")).logGroups[1].retentionInDays)
      assert(logs("DeleteRetentionPolicy", { logGroupName = "g" }))
      assert.is_nil(assert(logs("DescribeLogGroups")).logGroups[1].retentionInDays)
    end)
  end)

  it("finds neighbours by prefix, in ASCII order and pages", function()
    simulated(function(logs)
      for _, name in ipairs { "/a/bc", "/a/b", "/a/B", "/z" } do
        assert(logs("CreateLogGroup", { logGroupName = name }))
      end
      local like_it = assert(logs("DescribeLogGroups", { logGroupNamePrefix = "/a/b" })).logGroups
      assert.same({ "/a/b", "/a/bc" }, names(like_it))
      local first = assert(logs("DescribeLogGroups", { limit = 3 }))
      assert.same({ "/a/B", "/a/b", "/a/bc" }, names(first.logGroups))
      local second = assert(logs("DescribeLogGroups", { limit = 3, nextToken = first.nextToken }))
      assert.same({ "/z" }, names(second.logGroups))
      assert.is_nil(second.nextToken)
      local brief = assert(logs("DescribeLogGroups", { logGroupNamePattern = "/b" })).logGroups[1]
      assert.is_nil(brief.logGroupArn)
      assert.equal("InvalidParameterException",
        code(logs("DescribeLogGroups", { logGroupNamePattern = "b", logGroupNamePrefix = "b" })))
      assert.equal("InvalidParameterException", code(logs("DescribeLogGroups", { limit = 51 })))
    end)
  end)

  it("finds up to fifty groups by name at once", function()
    simulated(function(logs)
      local ctx, many = context_of(logs), {}
      for _, name in ipairs { "/a", "/a/b", "/c" } do
        assert(logs("CreateLogGroup", { logGroupName = name }))
      end
      local found = handlers.DescribeLogGroups(ctx, { logGroupIdentifiers = { "/c", "/a", "/none" } })
      assert.same({ "/a", "/c" }, names(found.logGroups))
      for i = 1, 51 do
        many[i] = "/g" .. i
      end
      assert.equal("InvalidParameterException",
        failure_of(handlers.DescribeLogGroups, ctx, { logGroupIdentifiers = many }))
      assert.equal("InvalidParameterException", failure_of(handlers.DescribeLogGroups, ctx, {
        logGroupIdentifiers = { "/a" }, logGroupNamePrefix = "/a",
      }))
    end)
  end)

  it("deletes no group that is protected", function()
    simulated(function(logs)
      local ctx = context_of(logs)
      handlers.CreateLogGroup(ctx, { logGroupName = "g", deletionProtectionEnabled = true })
      assert.equal("ValidationException", code(logs("DeleteLogGroup", { logGroupName = "g" })))
      handlers.PutLogGroupDeletionProtection(ctx, { logGroupIdentifier = "g", deletionProtectionEnabled = false })
      assert(logs("DeleteLogGroup", { logGroupName = "g" }))
    end)
  end)

  it("encrypts with a key that is given by its ARN", function()
    simulated(function(logs)
      local key = "arn:aws:kms:us-east-1:123456789012:key/1"
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
      assert.equal("InvalidParameterException",
        code(logs("AssociateKmsKey", { logGroupName = "g", kmsKeyId = "alias/x" })))
      assert(logs("AssociateKmsKey", { logGroupName = "g", kmsKeyId = key }))
      assert.equal(key, assert(logs("DescribeLogGroups")).logGroups[1].kmsKeyId)
      assert(logs("DisassociateKmsKey", { logGroupName = "g" }))
      assert.is_nil(assert(logs("DescribeLogGroups")).logGroups[1].kmsKeyId)
    end)
  end)
end)

describe("infra.sim.logs events", function()
  local MS = NOW * 1000

  local function with_stream(body)
    simulated(function(logs)
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
      assert(logs("CreateLogStream", { logGroupName = "g", logStreamName = "s" }))
      body(logs, function(messages)
        local events = {}
        for i, event in ipairs(messages) do
          events[i] = { timestamp = MS + event[1], message = event[2] }
        end
        return logs("PutLogEvents", { logGroupName = "g", logStreamName = "s", logEvents = events })
      end)
    end)
  end

  local function messages(events)
    local found = {}
    for i, event in ipairs(events) do
      found[i] = event.message
    end
    return found
  end

  it("takes events in order and says which are too old or too new", function()
    with_stream(function(logs, put)
      assert.equal("InvalidParameterException", code(put { { -1, "b" }, { -2, "a" } }))
      local rejected = assert(put {
        { -20 * 86400000, "old" }, { -2, "a" }, { -1, "b" }, { 3 * 3600000, "new" },
      }).rejectedLogEventsInfo
      assert.same({ 1, 3 }, { rejected.tooOldLogEventEndIndex, rejected.tooNewLogEventStartIndex })
      assert.same({ "a", "b" }, messages(assert(logs("FilterLogEvents", { logGroupName = "g" })).events))
      local stream = assert(logs("DescribeLogStreams", { logGroupName = "g" })).logStreams[1]
      assert.same({ MS - 2, MS - 1 }, { stream.firstEventTimestamp, stream.lastEventTimestamp })
      assert.equal("ResourceNotFoundException", code(logs("PutLogEvents", {
        logGroupName = "g", logStreamName = "none", logEvents = { { timestamp = MS, message = "x" } },
      })))
    end)
  end)

  it("filters by time, stream and terms", function()
    with_stream(function(logs, put)
      assert(put { { -30, "ERROR disk full" }, { -20, "INFO ok" }, { -10, "ERROR net down" } })
      local function filtered(params)
        params.logGroupName = "g"
        return messages(assert(logs("FilterLogEvents", params)).events)
      end
      assert.same({ "ERROR disk full", "ERROR net down" }, filtered { filterPattern = "ERROR" })
      assert.same({ "ERROR net down" }, filtered { filterPattern = "ERROR -disk" })
      assert.same({ "ERROR disk full", "INFO ok" }, filtered { filterPattern = '?INFO ?"disk full"' })
      assert.same({ "INFO ok" }, filtered { startTime = MS - 20, endTime = MS - 11 })
      assert.same({}, filtered { logStreamNames = { "other" } })
      assert.equal("InvalidParameterException", code(logs("FilterLogEvents", {
        logGroupName = "g", logStreamNames = { "s" }, logStreamNamePrefix = "s",
      })))
    end)
  end)

  it("pages without repeating", function()
    with_stream(function(logs, put)
      assert(put { { -3, "a" }, { -3, "b" }, { -3, "c" } })
      local found, token = {}, nil
      repeat
        local page = assert(logs("FilterLogEvents", { logGroupName = "g", limit = 2, nextToken = token }))
        table.move(messages(page.events), 1, #page.events, #found + 1, found)
        token = page.nextToken
      until not token
      assert.same({ "a", "b", "c" }, found)
    end)
  end)

  it("reads a stream to its end, where the token stays the same", function()
    with_stream(function(logs, put)
      assert(put { { -3, "a" }, { -2, "b" }, { -1, "c" } })
      local function read(token, from_head)
        return assert(logs("GetLogEvents", {
          logGroupName = "g", logStreamName = "s", limit = 2, nextToken = token, startFromHead = from_head,
        }))
      end
      assert.same({ "b", "c" }, messages(read().events))
      local first = read(nil, true)
      assert.same({ "a", "b" }, messages(first.events))
      local second = read(first.nextForwardToken, true)
      assert.same({ "c" }, messages(second.events))
      local third = read(second.nextForwardToken, true)
      assert.same({ 0, second.nextForwardToken }, { #third.events, third.nextForwardToken })
      assert.same({ "a", "b" }, messages(read(second.nextBackwardToken).events))
    end)
  end)

  it("forgets events with their stream and group", function()
    with_stream(function(logs, put)
      assert(put { { -3, "a" } })
      local stream = { logGroupName = "g", logStreamName = "s" }
      assert(logs("DeleteLogStream", stream))
      assert.same({}, assert(logs("FilterLogEvents", { logGroupName = "g" })).events)
      assert.equal("ResourceNotFoundException", code(logs("DeleteLogStream", stream)))
      assert(logs("CreateLogStream", stream))
      assert(logs("DeleteLogGroup", { logGroupName = "g" }))
      assert(logs("CreateLogGroup", { logGroupName = "g" }))
      assert.same({}, assert(logs("DescribeLogStreams", { logGroupName = "g" })).logStreams)
    end)
  end)
end)
