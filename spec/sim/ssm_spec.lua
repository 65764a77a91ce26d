-- The simulated Parameter Store: what its API reference and its known traps say.

local caller = require "spec.sim.caller"

local code = caller.code

-- Runs `body(ssm)`; ssm(operation, params).
local function simulated(body)
  caller.service("ssm", {}, body)
end

local function names(list)
  local found = {}
  for i, parameter in ipairs(list) do
    found[i] = parameter.Name
  end
  return found
end

describe("infra.sim.ssm writing", function()
  it("creates once, then overwrites, and counts versions even for equal values", function()
    simulated(function(ssm)
      local params = { Name = "/app/port", Value = "1", Type = "String", Description = "d" }
      assert.same({ Version = 1, Tier = "Standard" }, assert(ssm("PutParameter", params)))
      assert.equal("ParameterAlreadyExists", code(ssm("PutParameter", params)))
      assert.equal(2, assert(ssm("PutParameter", { Name = "/app/port", Value = "1", Overwrite = true })).Version)
      local described = assert(ssm("DescribeParameters")).Parameters[1]
      assert.same({ 2, "d", "String" }, { described.Version, described.Description, described.Type })
    end)
  end)

  it("takes tags only without overwrite", function()
    simulated(function(ssm)
      local params = { Name = "/a", Value = "1", Type = "String", Tags = { { Key = "k", Value = "v" } } }
      params.Overwrite = true
      assert.equal("ValidationException", code(ssm("PutParameter", params)))
      params.Overwrite = nil
      assert(ssm("PutParameter", params))
      assert(ssm("PutParameter", { Name = "/a", Value = "2", Overwrite = true }))
      local resource = { ResourceType = "Parameter", ResourceId = "/a" }
      assert.same(params.Tags, assert(ssm("ListTagsForResource", resource)).TagList)
    end)
  end)

  it("refuses names, types and values that cannot be", function()
    simulated(function(ssm)
      for name, expected in pairs {
        ["a/b"] = "ValidationException",
        ["/a b"] = "ValidationException",
        ["/ssm/x"] = "ValidationException",
        ["/AWS/x"] = "AccessDeniedException",
        [("/x"):rep(16)] = "HierarchyLevelLimitExceededException",
      } do
        assert.equal(expected, code(ssm("PutParameter", { Name = name, Value = "1", Type = "String" })), name)
      end
      assert.equal("ValidationException", code(ssm("PutParameter", { Name = "/a", Value = "1" })))
      assert.equal("UnsupportedParameterType", code(ssm("PutParameter", { Name = "/a", Value = "1", Type = "Number" })))
      assert.equal("ValidationException", code(ssm("PutParameter", { Name = "/a", Value = "", Type = "String" })))
      assert.equal("ValidationException",
        code(ssm("PutParameter", { Name = "/a", Value = "{{ssm:b}}", Type = "String" })))
      assert(ssm("PutParameter", { Name = ("/x"):rep(15), Value = "1", Type = "String" }))
    end)
  end)

  it("never takes an advanced parameter back to standard", function()
    simulated(function(ssm)
      local function put(size, tier, overwrite)
        return ssm("PutParameter", {
          Name = "/a", Value = ("x"):rep(size), Tier = tier, Overwrite = overwrite, Type = "String",
        })
      end
      assert.equal("ValidationException", code(put(4097)))
      assert.equal("ValidationException", code(put(8193, "Advanced")))
      assert.equal("Advanced", assert(put(4097, "Intelligent-Tiering")).Tier)
      assert.equal("ValidationException", code(put(1, "Standard", true)))
      assert.equal("Advanced", assert(put(1, nil, true)).Tier)
    end)
  end)

  it("keeps the type of what is in a hierarchy", function()
    simulated(function(ssm)
      for _, name in ipairs { "/a", "plain" } do
        assert(ssm("PutParameter", { Name = name, Value = "1", Type = "String" }))
      end
      local function change(name)
        return ssm("PutParameter", { Name = name, Value = "1", Type = "StringList", Overwrite = true })
      end
      assert.equal("HierarchyTypeMismatchException", code(change("/a")))
      assert(change("plain"))
    end)
  end)

  it("keeps a hundred versions, unless the oldest has a label", function()
    simulated(function(ssm)
      assert(ssm("PutParameter", { Name = "/a", Value = "1", Type = "String" }))
      local function overwrite(times)
        for _ = 1, times - 1 do
          assert(ssm("PutParameter", { Name = "/a", Value = "x", Overwrite = true }))
        end
        return ssm("PutParameter", { Name = "/a", Value = "x", Overwrite = true })
      end
      assert.equal(101, assert(overwrite(100)).Version)
      local labelled = assert(ssm("LabelParameterVersion", {
        Name = "/a", ParameterVersion = 2, Labels = { "live", "aws-x" },
      }))
      assert.same({ "aws-x" }, labelled.InvalidLabels)
      assert.equal("ParameterMaxVersionLimitExceeded", code(overwrite(1)))
      assert(ssm("LabelParameterVersion", { Name = "/a", Labels = { "live" } }))
      assert(overwrite(1))
      local history = assert(ssm("GetParameterHistory", { Name = "/a", MaxResults = 2 }))
      assert.same({ 3, 4 }, { history.Parameters[1].Version, history.Parameters[2].Version })
      assert.is_string(history.NextToken)
    end)
  end)
end)

describe("infra.sim.ssm reading", function()
  local function with_parameters(body)
    simulated(function(ssm)
      for name, kind in pairs {
        ["/app/db/host"] = "String", ["/app/db/password"] = "SecureString", ["/app/env"] = "String",
        ["/apple"] = "String", ["plain"] = "String",
      } do
        assert(ssm("PutParameter", { Name = name, Value = "value of " .. name, Type = kind }))
      end
      body(ssm)
    end)
  end

  it("writes one slash into ARNs and reads by them", function()
    with_parameters(function(ssm)
      local nested = assert(ssm("GetParameter", { Name = "/app/env" })).Parameter
      assert.equal("arn:aws:ssm:us-east-1:123456789012:parameter/app/env", nested.ARN)
      local plain = assert(ssm("GetParameter", { Name = "plain" })).Parameter
      assert.equal("arn:aws:ssm:us-east-1:123456789012:parameter/plain", plain.ARN)
      assert.equal("/app/env", assert(ssm("GetParameter", { Name = nested.ARN })).Parameter.Name)
      assert.equal("plain", assert(ssm("GetParameter", { Name = plain.ARN })).Parameter.Name)
    end)
  end)

  it("shows a secret only to who asks for it", function()
    with_parameters(function(ssm)
      local sealed = assert(ssm("GetParameter", { Name = "/app/db/password" })).Parameter.Value
      assert.is_nil(sealed:find("value", 1, true))
      local open = assert(ssm("GetParameter", { Name = "/app/db/password", WithDecryption = true })).Parameter
      assert.equal("value of /app/db/password", open.Value)
      local described = assert(ssm("DescribeParameters", {
        ParameterFilters = { { Key = "Type", Values = { "SecureString" } } },
      })).Parameters[1]
      assert.equal("alias/aws/ssm", described.KeyId)
    end)
  end)

  it("reads ten at a time and names those that are missing", function()
    with_parameters(function(ssm)
      local found = assert(ssm("GetParameters", { Names = { "plain", "/none", "/app/env" } }))
      assert.same({ "/app/env", "plain" }, names(found.Parameters))
      assert.same({ "/none" }, found.InvalidParameters)
      local eleven = {}
      for i = 1, 11 do
        eleven[i] = "/p" .. i
      end
      assert.equal("ValidationException", code(ssm("GetParameters", { Names = eleven })))
      assert.equal("ParameterNotFound", code(ssm("GetParameter", { Name = "/none" })))
    end)
  end)

  it("reads versions and labels", function()
    with_parameters(function(ssm)
      assert(ssm("PutParameter", { Name = "/app/env", Value = "new", Overwrite = true }))
      assert(ssm("LabelParameterVersion", { Name = "/app/env", ParameterVersion = 1, Labels = { "old" } }))
      for _, selector in ipairs { ":1", ":old" } do
        local found = assert(ssm("GetParameter", { Name = "/app/env" .. selector })).Parameter
        assert.same({ "value of /app/env", selector }, { found.Value, found.Selector })
      end
      assert.equal("ParameterVersionNotFound", code(ssm("GetParameter", { Name = "/app/env:3" })))
    end)
  end)

  it("reads a level of a path, or all below it", function()
    with_parameters(function(ssm)
      assert.same({ "/app/env" }, names(assert(ssm("GetParametersByPath", { Path = "/app" })).Parameters))
      local all = assert(ssm("GetParametersByPath", { Path = "/app/", Recursive = true, WithDecryption = true }))
      assert.same({ "/app/db/host", "/app/db/password", "/app/env" }, names(all.Parameters))
      assert.equal("ValidationException", code(ssm("GetParametersByPath", { Path = "app" })))
      assert.equal("ValidationException", code(ssm("GetParametersByPath", { Path = "/", MaxResults = 11 })))
      assert.equal("InvalidFilterKey", code(ssm("GetParametersByPath", {
        Path = "/", ParameterFilters = { { Key = "Name", Values = { "x" } } },
      })))
    end)
  end)

  it("has pages that are empty and not the last", function()
    with_parameters(function(ssm)
      local found, pages, empty, token = {}, 0, 0, nil
      repeat
        local page = assert(ssm("GetParametersByPath", { Path = "/app", MaxResults = 1, NextToken = token }))
        table.move(names(page.Parameters), 1, #page.Parameters, #found + 1, found)
        pages, empty, token = pages + 1, empty + (#page.Parameters == 0 and 1 or 0), page.NextToken
      until not token
      assert.same({ "/app/env" }, found)
      assert.same({ 3, 2 }, { pages, empty })
      assert.equal("InvalidNextToken", code(ssm("GetParametersByPath", { Path = "/app", NextToken = "x" })))
    end)
  end)

  it("filters descriptions", function()
    with_parameters(function(ssm)
      local function described(filter)
        return names(assert(ssm("DescribeParameters", { ParameterFilters = { filter } })).Parameters)
      end
      assert(ssm("AddTagsToResource", {
        ResourceType = "Parameter", ResourceId = "plain", Tags = { { Key = "k", Value = "v" } },
      }))
      assert.same({ "plain" }, described { Key = "tag:k", Values = { "v" } })
      assert.same({ "/app/env", "/apple" },
        described { Key = "Name", Option = "Contains", Values = { "env", "apple" } })
      assert.same({ "/app/db/host", "/app/db/password" }, described { Key = "Path", Values = { "/app/db" } })
      assert.equal("InvalidFilterOption", code(ssm("DescribeParameters", {
        ParameterFilters = { { Key = "Type", Option = "Contains", Values = { "S" } } },
      })))
    end)
  end)

  it("tags by name, not by ARN", function()
    with_parameters(function(ssm)
      local function tags(id, kind)
        return ssm("ListTagsForResource", { ResourceType = kind or "Parameter", ResourceId = id })
      end
      assert.same({}, assert(tags("plain")).TagList)
      assert.equal("InvalidResourceId", code(tags("arn:aws:ssm:us-east-1:123456789012:parameter/plain")))
      assert.equal("InvalidResourceType", code(tags("plain", "Bucket")))
      assert(ssm("RemoveTagsFromResource", { ResourceType = "Parameter", ResourceId = "plain", TagKeys = { "none" } }))
    end)
  end)

  it("deletes one or many", function()
    with_parameters(function(ssm)
      assert(ssm("DeleteParameter", { Name = "plain" }))
      assert.equal("ParameterNotFound", code(ssm("DeleteParameter", { Name = "plain" })))
      local result = assert(ssm("DeleteParameters", { Names = { "/apple", "plain" } }))
      assert.same({ { "/apple" }, { "plain" } }, { result.DeletedParameters, result.InvalidParameters })
    end)
  end)
end)
