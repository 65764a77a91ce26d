local ini = require "infra.aws.ini"

describe("infra.aws.ini", function()
  local function parse(text)
    return assert(ini.parse(text, "config"))
  end

  local function settings(text)
    return parse("[default]\n" .. text)[1].settings
  end

  it("reads sections in order, with quoted names", function()
    local sections = parse [==[
[default]
region = us-east-1
[profile "two words"]
[sso-session 'my sso']
[ services   s ]
]==]
    local heads = {}
    for i, section in ipairs(sections) do
      heads[i] = ("%s/%s/%d"):format(section.kind, section.name, section.line)
    end
    assert.same({ "nil/default/1", "profile/two words/3", "sso-session/my sso/4", "services/s/5" }, heads)
  end)

  it("keeps a value's own signs and lower-cases keys", function()
    assert.same({ aws_secret_access_key = "a/b+c==", url = "https://x:1/?a=b" },
      settings "AWS_Secret_Access_Key=a/b+c==\nurl =  https://x:1/?a=b  ")
  end)

  it("drops comments, but not signs inside a value", function()
    assert.same({ a = "1#2;3", b = "x", c = "" }, settings "# one\n  ; two\na = 1#2;3\nb = x ; three\nc = # four")
  end)

  it("nests settings below a key without value", function()
    assert.same({ s3 = { addressing_style = "path", max = "1" }, region = "r" },
      settings "s3 =\n  addressing_style = path\n\n  max = 1\nregion = r")
  end)

  it("continues a value on deeper lines, and takes keys that are all indented as keys", function()
    assert.same({ a = "one\ntwo" }, settings "a = one\n  two")
    assert.same({ a = "1", b = "2" }, settings "  a = 1\n  b = 2")
  end)

  it("reads files with carriage returns and without a last line end", function()
    assert.same({ a = "1", b = "2" }, settings "a = 1\r\nb = 2")
  end)

  for text, line in pairs {
    ["a = 1"] = 1, ["[default"] = 1, ["[]"] = 1, ["[profile a b]"] = 1, ["[d]\nnonsense"] = 2, ["[d]\n= 1"] = 2,
    ["[d]\ns3 =\n  nonsense"] = 3,
  } do
    it(("refuses %q and says where"):format(text), function()
      local sections, err = ini.parse(text, "config")
      assert.is_nil(sections)
      assert.equal("ConfigError", err.code)
      assert.truthy(err.message:find("config:" .. line .. ":", 1, true), err.message)
    end)
  end
end)
