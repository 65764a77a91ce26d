local json = require "host.json"
local reference = require "infra.engine.reference"

local VPC = reference.new("network/vpc", "VpcId")

local function lookup_in(values)
  return function(address, attribute)
    return values[address .. "." .. attribute]
  end
end

local known = lookup_in {
  ["network/vpc.VpcId"] = "vpc-1", ["db.Port"] = 5432, ["zone.NameServers"] = json.array { "a", "b" },
  ["db.Password"] = reference.secret "hunter22", ["later.Arn"] = reference.unknown("later", "Arn"),
}

describe("a reference", function()
  it("alone stands for the value, whatever its type", function()
    assert.equal(5432, reference.resolve(reference.new("db", "Port"), known))
    assert.same({ "a", "b" }, reference.resolve(reference.new("zone", "NameServers"), known))
  end)

  it("inside a text is the value's text", function()
    assert.equal("id=vpc-1:5432", reference.resolve("id=" .. VPC .. ":" .. reference.new("db", "Port"), known))
  end)

  it("is found however deep, in names and in secrets", function()
    local found = {}
    reference.each({ a = { VPC, { ["tag:" .. VPC] = true } },
      b = reference.secret("x" .. reference.new("db", "Port")) },
      function(address, attribute)
        found[#found + 1] = address .. "." .. attribute
      end)
    table.sort(found)
    assert.same({ "db.Port", "network/vpc.VpcId", "network/vpc.VpcId" }, found)
  end)

  it("is resolved in names of members and leaves lists lists", function()
    local resolved = reference.resolve({ list = json.array {}, [VPC .. ":sub"] = { VPC } }, known)
    assert.is_true(json.is_array(resolved.list))
    assert.same({ "vpc-1" }, resolved["vpc-1:sub"])
  end)

  it("to a list cannot be part of a text", function()
    local ok, err = pcall(reference.resolve, "x" .. reference.new("zone", "NameServers"), known)
    assert.is_false(ok)
    assert.equal("BadReference", err.code)
    assert.matches("NameServers of zone", err.message)
  end)
end)

describe("what is not known yet", function()
  it("makes a text around it unknown, and the table with such a name", function()
    assert.equal("(known after later)", tostring(reference.resolve("arn " .. reference.new("later", "Arn"), known)))
    local resolved = reference.resolve({ Condition = { [reference.new("later", "Arn") .. ":sub"] = 1 } }, known)
    assert.is_true(reference.is_unknown(resolved.Condition))
    assert.is_not_nil(reference.find_unknown(resolved))
  end)

  it("is not found where everything is known", function()
    assert.is_nil(reference.find_unknown(reference.resolve({ VPC, { a = VPC } }, known)))
  end)
end)

describe("a secret", function()
  it("does not show itself", function()
    local secret = reference.secret "hunter22"
    assert.equal("(secret)", tostring(secret))
    for _, value in pairs(secret) do
      assert.is_not_equal("hunter22", value)
    end
  end)

  it("is a text", function()
    assert.has_error(function() reference.secret(42) end)
  end)

  it("makes a text around it a secret", function()
    local resolved = reference.resolve("postgres://app:" .. reference.new("db", "Password") .. "@db", known)
    assert.is_true(reference.is_secret(resolved))
    assert.equal("postgres://app:hunter22@db", resolved.reveal())
  end)

  it("may contain references", function()
    local resolved = reference.resolve(reference.secret("pw@" .. VPC), known)
    assert.equal("pw@vpc-1", resolved.reveal())
    assert.is_true(reference.is_unknown(reference.resolve(reference.secret("pw@" .. reference.new("later", "Arn")),
      known)))
  end)

  it("is sealed by a digest that depends on the key", function()
    local value = { a = { reference.secret "hunter22" }, b = "plain" }
    local sealed = reference.seal(value, "key")
    assert.equal("plain", sealed.b)
    assert.is_true(reference.is_digest(sealed.a[1]))
    assert.same(sealed, reference.seal(value, "key"))
    assert.is_not_same(sealed, reference.seal(value, "other key"))
    assert.is_nil(json.encode(sealed):find("hunter22", 1, true))
  end)

  it("is revealed only in a copy", function()
    local value = { a = reference.secret "hunter22" }
    assert.same({ a = "hunter22" }, reference.reveal(value))
    assert.is_true(reference.is_secret(value.a))
    assert.is_true(reference.has_secret(value))
    assert.same({ "hunter22" }, reference.secrets { { value } })
  end)
end)
