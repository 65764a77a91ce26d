local cidr = require "infra.resources.cidr"

describe("ranges of addresses", function()
  it("have one form each", function()
    for text, canonical in pairs {
      ["10.0.0.0/16"] = "10.0.0.0/16", ["10.0.3.7/16"] = "10.0.0.0/16", ["100.68.0.18/18"] = "100.68.0.0/18",
      ["1.2.3.4/32"] = "1.2.3.4/32", ["1.2.3.4/0"] = "0.0.0.0/0", ["255.255.255.255/1"] = "128.0.0.0/1",
      ["::/0"] = "::/0", ["2001:DB8::/32"] = "2001:db8::/32", ["2001:0db8:0:0::1/64"] = "2001:db8::/64",
      ["fe80:0:0:1:0:0:0:1/128"] = "fe80:0:0:1::1/128", ["1:0:0:2:0:0:0:0/128"] = "1:0:0:2::/128",
      ["::1/128"] = "::1/128", ["1:2:3:4:5:6:7:8/128"] = "1:2:3:4:5:6:7:8/128", ["1:0:2:3:4:5:6:7/128"] =
      "1:0:2:3:4:5:6:7/128",
    } do
      assert.equal(canonical, cidr.canonical(text))
    end
  end)

  it("are told from other texts", function()
    for _, text in ipairs { "", "10.0.0.0", "10.0.0/16", "256.0.0.0/8", "10.0.0.0/33", "1::2::3/64", "1:2:3/64",
      "::/129", "12345::/64", "x/8", "1.2.3.4.5/8", "/8", ":::/8" } do
      assert.is_nil(cidr.canonical(text), text)
    end
  end)

  it("are reported when AWS would store them otherwise, and left alone when they are not known yet", function()
    local reports = {}
    local function report(name, message)
      reports[#reports + 1] = name .. " " .. message
    end
    cidr.check("CidrBlock", "10.0.0.5/16", report)
    cidr.check("CidrBlock", "ten", report)
    cidr.check("CidrBlock", "10.0.0.0/16", report)
    cidr.check("CidrBlock", nil, report)
    cidr.check("CidrBlock", "${infra:vpc|CidrBlock}", report)
    assert.equal(2, #reports)
    assert.matches("10.0.0.0/16, not 10.0.0.5/16", reports[1], 1, true)
  end)
end)
