local errors = require "infra.errors"
local header_values = require "infra.aws.protocols.header_values"
local json = require "host.json"
local model = require "spec.aws.protocols.model"

describe("infra.aws.protocols.header_values", function()
  local function list_of(node)
    return model.shape { type = "list", member = node }
  end

  local function both_ways(shape, value, text)
    assert.equal(text, header_values.write(shape, value))
    assert.same(value, header_values.read(shape, text))
  end

  it("writes and reads scalars", function()
    both_ways(model.shape {}, "a, b", "a, b")
    both_ways(model.shape { type = "boolean" }, false, "false")
    both_ways(model.shape { type = "integer" }, -3, "-3")
    both_ways(model.shape { type = "double" }, -math.huge, "-Infinity")
    both_ways(model.shape { type = "blob" }, "\0\1", "AAE=")
    both_ways(model.shape { type = "timestamp" }, 1576540098, "Mon, 16 Dec 2019 23:48:18 GMT")
    both_ways(model.shape { type = "timestamp", timestampFormat = "unixTimestamp" }, 1576540098, "1576540098")
  end)

  it("puts JSON into base64", function()
    local shape = model.shape { jsonvalue = true }
    both_ways(shape, '{"a":1}', "eyJhIjoxfQ==")
    assert.equal("eyJhIjoxfQ==", header_values.write(shape, { a = 1 }))
  end)

  it("quotes strings in lists where they need it", function()
    both_ways(list_of {}, json.array { "b,c", '"def"', "a", "\\,", "" }, [["b,c", "\"def\"", a, "\\,", ]])
    assert.same({ "", "a" }, header_values.read(list_of {}, '"", a'))
    assert.same({ '"a', "b" }, header_values.read(list_of {}, '"a, b'))
  end)

  it("splits lists of dates at every other comma", function()
    local date = "Mon, 16 Dec 2019 23:48:18 GMT"
    local dates = list_of { type = "timestamp" }
    both_ways(dates, json.array { 1576540098, 1576540098 }, date .. ", " .. date)
    both_ways(dates, json.array { 1576540098 }, date)
    both_ways(list_of { type = "timestamp", timestampFormat = "iso8601" }, json.array { 1, 2 },
      "1970-01-01T00:00:01Z, 1970-01-01T00:00:02Z")
  end)

  it("reads no items from nothing", function()
    both_ways(list_of {}, json.array(), "")
  end)

  it("throws a typed error for what it cannot read", function()
    local ok, err = pcall(header_values.read, list_of { type = "integer" }, "1, x")
    assert.is_false(ok)
    assert.is_true(errors.is(err))
    assert.equal("Malformed", err.code)
  end)
end)
