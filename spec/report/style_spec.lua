local columns = require "infra.report.columns"
local style = require "infra.report.style"

describe("infra.report.style", function()
  it("writes durations as people say them, without sixty seconds", function()
    for seconds, text in pairs {
      [0] = "0.0 s", [3.21] = "3.2 s", [9.94] = "9.9 s", [9.96] = "10 s", [59.4] = "59 s", [59.6] = "1 min 00 s",
      [245] = "4 min 05 s", [3599.9] = "60 min 00 s",
    } do
      assert.equal(text, style.duration(seconds))
    end
  end)

  it("counts", function()
    assert.equal("1 step", style.count(1, "step"))
    assert.equal("0 steps", style.count(0, "step"))
    assert.equal("2 entries", style.count(2, "entry", "entries"))
  end)

  it("cuts between characters", function()
    assert.equal("häß", style.cut("häß", 3))
    assert.equal("hä…", style.cut("häßlich", 3))
    assert.equal("…", style.cut("häßlich", 1))
    assert.equal("\xff\xfe…", style.cut("\xff\xfe\xfd\xfc", 3))
    assert.equal("long", style.cut("long"))
  end)

  it("breaks lines between words, and only there", function()
    assert.same({ "- häß lich", "  und sehr", "  verlängert" },
      style.wrap("häß lich und sehr  verlängert", "- ", "  ", 10))
    assert.same({ "a b", "", "c" }, style.wrap("a b\n\nc", "", "", 80))
    assert.same({ ("x "):rep(99) .. "x" }, style.wrap(("x "):rep(99) .. "x", "", ""))
  end)

  it("makes room for a remark", function()
    local text = "AWS::EC2::SubnetRouteTableAssociation"
    assert.equal("AWS::EC2::VPC    (gone)", style.beside("AWS::EC2::VPC", "  (gone)", 40, 15))
    assert.equal("AWS::EC2::VPC", style.beside("AWS::EC2::VPC", "", 40, 15))
    assert.equal("AWS::EC2::Subn…  (gone)", style.beside(text, "  (gone)", 23, 40))
    assert.equal("AWS::EC2::S…  (gone)", style.beside(text, "  (gone)", 5))
    assert.equal(text .. "  (gone)", style.beside(text, "  (gone)"))
  end)

  it("pads and flattens", function()
    assert.equal("ä  ", style.pad("ä", 3))
    assert.equal("äää", style.pad("äää", 2))
    assert.equal("a b c", style.flat "a\r\nb\27c")
  end)

  it("paints only when asked to, and never nothing", function()
    assert.equal("\27[31mx\27[0m", style.painter(true)("red", "x"))
    assert.equal("", style.painter(true)("red", ""))
    assert.equal("x", style.painter(false)("red", "x"))
  end)
end)

describe("infra.report.columns", function()
  it("aligns what it is given and leaves no space at the end", function()
    assert.same({ "ONE   TWO", "ä     x", "long", "b     y" }, columns({ { "ä", "x" }, { "long", nil }, { "b", "y" } },
      { titles = { "ONE", "TWO" } }))
  end)

  it("keeps to the width of a terminal", function()
    assert.same({ "A  B", "a  b…" }, columns({ { "a", "bcd" } }, { titles = { "A", "B" }, width = 5 }))
  end)

  it("cuts off what matters least of a resource that is listed", function()
    local state = require "infra.report.state"
    assert.equal("network/private-a  ready   AWS::EC2::Subn…", state.list({
      { address = "network/private-a", type = "AWS::EC2::Subnet", status = "ready", identity = { SubnetId = "s-1" } },
    }, { width = 42 })[2])
  end)

  it("lets one odd cell stick out", function()
    local odd = ("x"):rep(70)
    assert.same({ "a  b", odd .. "  b" }, columns({ { "a", "b" }, { odd, "b" } }, {}))
  end)

  it("has a line for each row, whatever is in it", function()
    assert.same({ "a b  c" }, columns({ { "a\nb", "c" } }, {}))
  end)
end)
