local pagination = require "infra.aws.pagination"

describe("infra.aws.pagination", function()
  -- A client with one operation, whose call answers with the outputs in turn.
  local function client(paginator, outputs)
    local self = { requests = {} }
    function self.call(_, _, _, params)
      local copy = {}
      for name, value in pairs(params) do
        copy[name] = value
      end
      table.insert(self.requests, copy)
      local output = outputs[#self.requests]
      if output.code then
        return nil, output
      end
      return output
    end
    function self.operation()
      local list = { type = "list", member = {} }
      local output = { type = "structure", members = { A = list, B = list, C = { type = "map" }, Next = {} } }
      return { paginator = paginator, output = output }, {}
    end
    return self
  end

  local SIMPLE = { input_token = "NextToken", output_token = "NextToken", result_key = "Vpcs" }

  it("evaluates paths, last elements and alternatives", function()
    local output = { Marker = "", List = { Next = "n" }, Keys = { { Key = "a" }, { Key = "z" } }, More = false }
    for expression, value in pairs { ["List.Next"] = "n", ["Keys[-1].Key"] = "z", ["Marker || Keys[-1].Key"] = "z" } do
      assert.equal(value, pagination.evaluate(output, expression))
    end
    assert.is_nil(pagination.evaluate(output, "Marker"))
    assert.is_nil(pagination.evaluate(output, "Nothing[-1].Key"))
    assert.is_nil(pagination.evaluate(output, "Marker.Deeper"))
    assert.is_false(pagination.evaluate(output, "More"))
  end)

  it("follows tokens to the end, without changing the caller's parameters", function()
    local params = { Filters = {} }
    local aws = client(SIMPLE, { { NextToken = "a" }, { Vpcs = {}, NextToken = "b" }, { Vpcs = { 2 } } })
    local seen = {}
    for page in pagination.pages(aws, "ec2", "DescribeVpcs", params) do
      seen[#seen + 1] = page
    end
    assert.equal(3, #seen)
    assert.same({ Filters = {} }, params)
    assert.same({
      { Filters = {} }, { Filters = {}, NextToken = "a" }, { Filters = {}, NextToken = "b" },
    }, aws.requests)
  end)

  it("fetches the next page only when asked for it", function()
    local aws = client(SIMPLE, { { NextToken = "a" } })
    local next_page = pagination.pages(aws, "ec2", "DescribeVpcs")
    assert.equal(0, #aws.requests)
    next_page()
    assert.equal(1, #aws.requests)
  end)

  it("calls an operation without pages once", function()
    local aws = client(nil, { { NextToken = "a" } })
    assert.same({ NextToken = "a" }, pagination.all(aws, "ec2", "X"))
  end)

  it("handles several tokens, of which some end before others", function()
    local paginator = { input_token = { "A", "B" }, output_token = { "NextA", "NextB" }, result_key = "X" }
    local aws = client(paginator, { { NextA = 1, NextB = 2 }, { NextA = 3 }, {} })
    pagination.all(aws, "route53", "X")
    assert.same({ {}, { A = 1, B = 2 }, { A = 3 } }, aws.requests)
  end)

  it("stops when there are no more results, whatever the token says", function()
    local paginator = { input_token = "M", output_token = "N", more_results = "L.IsTruncated", result_key = "L.Items" }
    local aws = client(paginator, {
      { N = "a", L = { IsTruncated = true, Items = { 1 } } }, { N = "b", L = { IsTruncated = false, Items = { 2 } } },
    })
    assert.same({ 1, 2 }, pagination.all(aws, "cloudfront", "X").L.Items)
  end)

  it("ends with false and the error when a page fails", function()
    local aws = client(SIMPLE, { { NextToken = "a" }, { code = "Throttling" } })
    local results = {}
    for page, err in pagination.pages(aws, "ec2", "DescribeVpcs") do
      results[#results + 1] = page and "page" or err.code
    end
    assert.same({ "page", "Throttling" }, results)
    local output, err = pagination.all(client(SIMPLE, { { code = "Throttling" } }), "ec2", "DescribeVpcs")
    assert.is_nil(output)
    assert.equal("Throttling", err.code)
  end)

  it("does not go round in circles", function()
    local aws = client(SIMPLE, { { NextToken = "a" }, { NextToken = "a" }, {} })
    local output, err = pagination.all(aws, "ec2", "DescribeVpcs")
    assert.is_nil(output)
    assert.equal("EndlessPages", err.code)
    assert.equal(2, #aws.requests)
  end)

  it("joins every list that the model calls a result, also one that a page lacks", function()
    local paginator = { input_token = "T", output_token = "T", result_key = { "A", "B.C" } }
    local merged = pagination.all(client(paginator, {
      { T = "x", A = { 1 }, B = { Name = "n" } }, { T = "y", A = { 2, 3 }, B = { C = { 4 }, Name = "m" } }, {},
    }), "x", "X")
    assert.same({ A = { 1, 2, 3 }, B = { C = { 4 } } }, merged)
  end)

  it("joins all lists of an output whose model does not say which are results", function()
    local paginator = { input_token = "Next", output_token = "Next" }
    local aws = client(paginator, { { A = { 1 }, B = { 2 }, C = { x = 1 }, Next = "n" }, { A = { 3 } } })
    local merged = pagination.all(aws, "x", "X")
    assert.same({ A = { 1, 3 }, B = { 2 } }, merged)
  end)
end)
