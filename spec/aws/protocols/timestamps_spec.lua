local timestamps = require "infra.aws.protocols.timestamps"

describe("infra.aws.protocols.timestamps", function()
  it("reads every format", function()
    for _, text in ipairs {
      "2014-04-29T18:30:38Z", "2014-04-29T19:30:38+01:00", "2014-04-29T17:30:38-01:00",
      "Tue, 29 Apr 2014 18:30:38 GMT", "1398796238", 1398796238, 1398796238.0, "1398796238.0",
    } do
      local seconds = timestamps.parse(text)
      assert.equal(1398796238, seconds)
      assert.equal("integer", math.type(seconds))
    end
  end)

  it("keeps milliseconds and nothing below", function()
    assert.equal(946845296.123, timestamps.parse "2000-01-02T20:34:56.123Z")
    assert.equal(946845296.123, timestamps.parse "2000-01-02T20:34:56.1230004Z")
    assert.equal(946845296.5, timestamps.parse "Sun, 02 Jan 2000 20:34:56.5 GMT")
    assert.equal(-0.5, timestamps.parse(-0.5))
  end)

  it("refuses what is no time", function()
    for _, value in ipairs {
      "", "yesterday", "2014-04-31T00:00:00Z", "Tue, 29 Foo 2014 18:30:38 GMT", "nan", 0 / 0, math.huge, 1e15, {}, true,
    } do
      assert.is_nil(timestamps.parse(value))
    end
  end)

  it("writes every format", function()
    assert.equal("2014-04-29T18:30:38Z", timestamps.format(1398796238, "iso8601"))
    assert.equal("2014-04-29T18:30:38.007Z", timestamps.format(1398796238.0072, "iso8601"))
    assert.equal("2014-04-29T18:30:39Z", timestamps.format(1398796238.9996, "iso8601"))
    assert.equal("1969-12-31T23:59:59.500Z", timestamps.format(-0.5, "iso8601"))
    assert.equal("Tue, 29 Apr 2014 18:30:38 GMT", timestamps.format(1398796238.9, "rfc822"))
    assert.equal(1398796238, timestamps.format("2014-04-29T18:30:38Z", "unixTimestamp"))
    assert.equal(1398796238.5, timestamps.format(1398796238.5, "unixTimestamp"))
  end)
end)
