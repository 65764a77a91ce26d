local uri = require "infra.aws.protocols.uri"

describe("infra.aws.protocols.uri", function()
  it("encodes all but unreserved characters, and decodes again", function()
    local text = " %:/?#[]@!$&'()*+,;=\u{1F639}"
    local encoded = "%20%25%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%F0%9F%98%B9"
    assert.equal(encoded, uri.encode(text))
    assert.equal(text, uri.decode(encoded))
    assert.equal("AZaz09-._~", uri.encode "AZaz09-._~")
    assert.equal("100%", uri.decode "100%")
  end)

  it("fills in templates, greedy labels with their slashes", function()
    assert.same({ "/b%2Fucket/a/b%20c", { { "versionId", "" }, { "list-type", "2" } } },
      { uri.expand("/{Bucket}/{Key+}?versionId&list-type=2", { Bucket = "b/ucket", Key = "a/b c" }) })
    assert.same({ "/(a+)+/x", {} }, { uri.expand("/(a+)+/{str}", { str = "x" }) })
  end)

  it("does not expand a label twice", function()
    assert.equal("/%7Bb%7D/2", (uri.expand("/{a}/{b}", { a = "{b}", b = "2" })))
  end)

  it("writes and reads forms", function()
    local form = { { "a b", "1&2" }, { "c", "" }, { "c", "=" } }
    assert.equal("a%20b=1%262&c=&c=%3D", uri.encode_form(form))
    assert.same(form, uri.decode_form "a+b=1%262&c&c==")
    assert.same({}, uri.decode_form "")
  end)
end)
