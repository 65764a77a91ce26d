local clock = require "host.clock"

describe("host.clock", function()
  it("measures time that never steps back", function()
    local before = clock.monotonic()
    for _ = 1, 1000 do
      local now = clock.monotonic()
      assert.is_true(now >= before)
      before = now
    end
  end)

  it("agrees with the system on the time of day", function()
    assert.is_true(math.abs(clock.wall() - os.time()) < 2)
    assert.equal("float", math.type(clock.wall()))
  end)

  describe("format_utc", function()
    it("formats in UTC whatever the time zone, cutting fractions off", function()
      assert.equal("20150830T123600Z", clock.format_utc(1440938160.9, "%Y%m%dT%H%M%SZ"))
      assert.equal("1969-12-31T23:59:59Z", clock.format_utc(-0.5, "%Y-%m-%dT%H:%M:%SZ"))
      assert.equal("", clock.format_utc(0, ""))
    end)

    it("refuses what is no time", function()
      for _, seconds in ipairs { 0 / 0, math.huge, -math.huge, 1e300, "x" } do
        assert.has_error(function()
          clock.format_utc(seconds, "%Y")
        end)
      end
      assert.has_error(function()
        clock.format_utc(0, ("x"):rep(1000))
      end)
    end)
  end)

  describe("parse_utc", function()
    it("reads the forms that AWS sends", function()
      for text, seconds in pairs {
        ["1970-01-01T00:00:00Z"] = 0,
        ["2015-08-30T12:36:00Z"] = 1440938160,
        ["2015-08-30T12:36:00.000Z"] = 1440938160,
        ["2015-08-30T12:36:00.25Z"] = 1440938160.25,
        ["2015-08-30T12:36:00+00:00"] = 1440938160,
        ["2015-08-30T14:36:00+02:00"] = 1440938160,
        ["2015-08-30T07:06:00-0530"] = 1440938160,
        ["20150830T123600Z"] = 1440938160,
        ["2015-08-30"] = 1440892800,
        ["2016-02-29T23:59:60Z"] = 1456790400,
        ["1969-12-31T23:59:59Z"] = -1,
        ["9999-12-31T23:59:59Z"] = 253402300799,
      } do
        assert.equal(seconds, clock.parse_utc(text), text)
      end
    end)

    it("keeps nanoseconds as far as a double can", function()
      assert.near(1440938160.123456789, clock.parse_utc "2015-08-30T12:36:00.123456789Z", 1e-6)
    end)

    it("returns nil for everything else", function()
      for _, text in ipairs {
        "", "now", "2015", "2015-08", "2015-13-01", "2015-02-30", "2015-00-10", "2015-08-30T", "2015-08-30T12:36:00",
        "2015-08-30T24:00:00Z", "2015-08-30T12:60:00Z", "2015-08-30T12:36:61Z", "2015-08-30T12:36Z",
        "2015-08-30T12:36:00Z ", " 2015-08-30", "2015-08-30T12:36:00Z\0", "2015-08-30T12:36:00+24:00",
        "2015-8-30", "-2015-08-30", "2015-08-30T12:36:0\xffZ",
      } do
        assert.is_nil(clock.parse_utc(text), text)
      end
    end)

    it("is the inverse of format_utc", function()
      for seconds = -1e9, 4e9, 123456789 do
        assert.equal(seconds, clock.parse_utc(clock.format_utc(seconds, "%Y-%m-%dT%H:%M:%SZ")))
      end
    end)
  end)
end)
