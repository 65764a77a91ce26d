local errors = require "infra.errors"
local json = require "host.json"
local model = require "spec.aws.protocols.model"
local xml = require "host.xml"
local xml_body = require "infra.aws.protocols.xml_body"

describe("infra.aws.protocols.xml_body", function()
  local function both_ways(members, value, content)
    local shape, text = model.structure(members), ("<R>%s</R>"):format(content)
    assert.equal(text, xml_body.write(shape, value, "R"))
    assert.same(value, xml_body.read(shape, assert(xml.parse(text))))
  end

  local function read(members, content)
    return xml_body.read(model.structure(members), assert(xml.parse(("<R>%s</R>"):format(content))))
  end

  it("writes and reads scalars", function()
    both_ways({
      blob = { type = "blob" }, bool = { type = "boolean" }, float = { type = "float" }, int = { type = "integer" },
      text = {}, time = { type = "timestamp" },
    }, { blob = "\0", bool = false, float = math.huge, int = -1, text = " <&> ", time = 0 },
      "<blob>AA==</blob><bool>false</bool><float>Infinity</float><int>-1</int><text> &lt;&amp;&gt; </text>"
      .. "<time>1970-01-01T00:00:00Z</time>")
  end)

  it("writes and reads lists, flattened or not", function()
    local member = { type = "structure", members = { n = { locationName = "N" } } }
    both_ways({
      empty = { type = "list", member = {} },
      flat = { type = "list", member = {}, flattened = true, locationName = "Flat" },
      list = { type = "list", member = member },
      named = { type = "list", member = { locationName = "item" } },
      nested = { type = "list", member = { type = "list", member = {} } },
    }, {
      empty = json.array(),
      flat = json.array { "1", "2" },
      list = json.array { { n = "1" }, {} },
      named = json.array { "x" },
      nested = json.array { json.array { "a" }, json.array() },
    }, "<empty></empty><Flat>1</Flat><Flat>2</Flat><list><member><N>1</N></member><member></member></list>"
      .. "<named><item>x</item></named><nested><member><member>a</member></member><member></member></nested>")
  end)

  it("writes and reads maps, flattened or not", function()
    both_ways({
      flat = { type = "map", flattened = true, locationName = "KVP", key = { locationName = "K" }, value = {} },
      map = { type = "map", key = {}, value = { type = "integer", locationName = "V" } },
      none = { type = "map", key = {}, value = {} },
    }, { flat = { a = "1", b = "2" }, map = { x = 5 }, none = {} },
      "<KVP><K>a</K><value>1</value></KVP><KVP><K>b</K><value>2</value></KVP>"
      .. "<map><entry><key>x</key><V>5</V></entry></map><none></none>")
  end)

  it("writes attributes and namespaces", function()
    local shape = model.structure {
      Grantee = {
        type = "structure",
        xmlNamespace = { prefix = "xsi", uri = "http://x" },
        members = { Type = { xmlAttribute = true, locationName = "xsi:type" }, ID = { xmlNamespace = "http://y" } },
      },
    }
    local text = '<R><Grantee xmlns:xsi="http://x" xsi:type="A&amp;B"><ID xmlns="http://y">1</ID></Grantee></R>'
    local value = { Grantee = { Type = "A&B", ID = "1" } }
    assert.equal(text, xml_body.write(shape, value, "R"))
    assert.same(value, xml_body.read(shape, assert(xml.parse(text))))
  end)

  it("reads numbers and booleans with white space around, but keeps that of strings", function()
    assert.same({ a = 1, b = true, c = " x " }, read({ a = { type = "integer" }, b = { type = "boolean" }, c = {} },
      "<a>\n 1 </a><b> true\n</b><c> x </c>"))
  end)

  it("ignores unknown elements and does not care what items are called", function()
    assert.same({ a = json.array { "1", "2" } },
      read({ a = { type = "list", member = { locationName = "item" } } }, "<x/><a><item>1</item><other>2</other></a>"))
  end)

  it("tells absent, empty and null lists apart", function()
    local members = { a = { type = "list", member = {} }, s = {} }
    assert.same({}, read(members, ""))
    assert.same({ a = json.array(), s = "" }, read(members, "<a/><s/>"))
    assert.is_true(json.is_array(read(members, "<a/>").a))
  end)

  it("does not take a web page for an answer without members", function()
    for _, page in ipairs { "<html><body/></html>", '<HTML lang="en"/>' } do
      local root, err = xml_body.parse(page)
      assert.is_nil(root, page)
      assert.equal("a web page", err.message)
    end
    assert.equal("R", xml_body.parse("<R><html/></R>").name)
  end)

  it("throws a typed error for what does not fit", function()
    for content, node in pairs {
      ["<a>x</a>"] = { type = "integer" },
      ["<a>maybe</a>"] = { type = "boolean" },
      ["<a>?</a>"] = { type = "blob" },
      ["<a>now</a>"] = { type = "timestamp" },
      ["<a><entry><value>1</value></entry></a>"] = { type = "map", key = {}, value = {} },
    } do
      local ok, err = pcall(read, { a = node }, content)
      assert.is_false(ok, content)
      assert.equal("Malformed", errors.is(err) and err.code, content)
    end
  end)
end)
