local json = require "host.json"
local policy_document = require "infra.engine.policy_document"
local reference = require "infra.engine.reference"

local function statement(fields)
  local result = { Effect = "Allow", Action = "s3:GetObject", Resource = "*" }
  for name, value in pairs(fields) do
    result[name] = value ~= "none" and value or nil
  end
  return { Version = "2012-10-17", Statement = { result } }
end

local function same(a, b)
  assert.same(policy_document.canonical(a), policy_document.canonical(b))
end

local function differ(a, b)
  assert.is_not_same(policy_document.canonical(a), policy_document.canonical(b))
end

describe("policy documents mean the same", function()
  it("as text, percent-encoded and as a table", function()
    local text = json.encode(statement {})
    local encoded = text:gsub("%W", function(byte) return ("%%%02X"):format(byte:byte()) end)
    same(text, statement {})
    same(encoded, statement {})
    same(" \n" .. text, statement {})
    same("%0A" .. encoded, statement {})
  end)

  it("with one statement alone or in a list", function()
    local alone = statement {}
    alone.Statement = alone.Statement[1]
    same(alone, statement {})
  end)

  it("with one text or a list of it, in any order, repeated or not", function()
    for _, element in ipairs { "Action", "NotAction", "Resource", "NotResource" } do
      same(statement { [element] = "a" }, statement { [element] = { "a" } })
      same(statement { [element] = { "a", "b" } }, statement { [element] = { "b", "a", "b" } })
      differ(statement { [element] = { "a", "b" } }, statement { [element] = "a" })
    end
  end)

  it("with principals in all spellings", function()
    same(statement { Principal = "*" }, statement { Principal = { AWS = "*" } })
    same(statement { Principal = { AWS = "*" } }, statement { Principal = { AWS = { "*" } } })
    same(statement { Principal = { AWS = "123456789012" } },
      statement { Principal = { AWS = "arn:aws:iam::123456789012:root" } })
    same(statement { Principal = { AWS = { "123456789012", "arn:aws:iam::1:role/a" } } },
      statement { Principal = { AWS = { "arn:aws:iam::1:role/a", "arn:aws:iam::123456789012:root" } } })
    same(statement { Principal = { Service = { "b", "a" } } }, statement { Principal = { Service = { "a", "b" } } })
    differ(statement { Principal = { AWS = "123456789012" } }, statement { Principal = { AWS = "123456789013" } })
    differ(statement { Principal = { Service = "a" } }, statement { Principal = { Federated = "a" } })
  end)

  it("with values of conditions as texts, numbers, booleans and lists", function()
    same(statement { Condition = { Bool = { ["aws:SecureTransport"] = "false" } } },
      statement { Condition = { Bool = { ["aws:SecureTransport"] = false } } })
    same(statement { Condition = { NumericEquals = { x = { 10 } } } },
      statement { Condition = { NumericEquals = { x = "10" } } })
    same(statement { Condition = { StringEquals = { x = { "b", "a" } } } },
      statement { Condition = { StringEquals = { x = { "a", "b" } } } })
    same(statement { Condition = {} }, statement {})
    differ(statement { Condition = { StringEquals = { x = "a" } } }, statement {})
  end)

  it("with statements in any order, without empty ids, and with the version that is meant", function()
    local one, two = statement {}.Statement[1], statement { Effect = "Deny" }.Statement[1]
    same({ Version = "2012-10-17", Statement = { one, two } }, { Version = "2012-10-17", Statement = { two, one } })
    same(statement { Sid = "" }, statement {})
    same({ Statement = { one } }, { Version = "2008-10-17", Statement = { one } })
    differ({ Statement = { one } }, { Version = "2012-10-17", Statement = { one } })
    differ(statement { Sid = "a" }, statement {})
    differ(statement { Effect = "Deny" }, statement {})
  end)
end)

describe("other values", function()
  it("stay as they are, JSON parsed", function()
    assert.equal("plain text", policy_document.canonical "plain text")
    assert.equal("{broken", policy_document.canonical "{broken")
    assert.equal("%zz", policy_document.canonical "%zz")
    assert.same({ a = { 1 } }, policy_document.canonical '{"a": [1]}')
    assert.is_nil(policy_document.canonical(nil))
  end)

  it("that are not known yet do not disturb", function()
    local unknown = reference.unknown("role", "Arn")
    local document = policy_document.canonical(statement { Principal = { AWS = unknown }, Resource = { "b", unknown },
      Condition = unknown, Action = unknown })
    assert.is_not_nil(reference.find_unknown(document))
    assert.equal(unknown, policy_document.canonical { Statement = unknown }.Statement)
    assert.equal(unknown, policy_document.canonical(unknown))
  end)
end)
