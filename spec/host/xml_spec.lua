local xml = require "host.xml"

describe("host.xml", function()
  describe("parse", function()
    local function refused(...)
      local node, err = xml.parse(...)
      assert.is_nil(node)
      assert.equal("BadXml", err.code)
      return err
    end

    it("gives names, attributes, text and children in order", function()
      local root = xml.parse [[
<?xml version="1.0" encoding="UTF-8"?>
<Response xmlns="http://ec2.amazonaws.com/doc/"><id a="1" b="x &amp; y">i-1</id><set><item/>
<item>2</item></set></Response>]]
      assert.same({
        name = "Response", text = "", attributes = { xmlns = "http://ec2.amazonaws.com/doc/" },
        { name = "id", text = "i-1", attributes = { a = "1", b = "x & y" } },
        { name = "set", text = "\n", { name = "item", text = "" }, { name = "item", text = "2" } },
      }, root)
    end)

    it("drops the prefix of element names and keeps that of attributes", function()
      local root = xml.parse '<s3:Grantee xmlns:s3="u" xsi:type="Group"><s3:URI/></s3:Grantee>'
      assert.equal("Grantee", root.name)
      assert.equal("Group", root.attributes["xsi:type"])
      assert.equal("URI", root[1].name)
    end)

    it("joins the text around children, and leaves theirs to them", function()
      local root = xml.parse "<a>x<b>in<c>deep</c>side</b>y<!-- no --><?no no?><![CDATA[<z>&amp;]]>&#65;</a>"
      assert.equal("xy<z>&amp;A", root.text)
      assert.equal("inside", root[1].text)
      assert.equal("deep", root[1][1].text)
    end)

    it("keeps white space and turns line ends into \\n", function()
      assert.equal(" a\nb\n ", xml.parse("<a> a\r\nb\r </a>").text)
      assert.equal("\r\n", xml.parse("<a>&#13;&#10;</a>").text)
    end)

    it("reads other encodings as UTF-8", function()
      assert.equal("é", xml.parse('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xE9</a>').text)
    end)

    it("refuses what is not XML and says in which line", function()
      for _, text in ipairs {
        "", " ", "plain", "<a>", "<a></b>", "<a/><b/>", "<a b=1/>", "<a>&nbsp;</a>", "<a\0/>", "<a>\1</a>",
        "<a>&#0;</a>", "<a>\xFF</a>", "<a b='<'/>", '{"a":1}', "<a/>x",
      } do
        assert.is_true(refused(text).line >= 1, text)
      end
      assert.equal(3, refused("<a>\n\n<b c='1' c='2'/></a>").line)
    end)

    it("refuses a DOCTYPE, and with it all entities", function()
      local bomb = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>'
      assert.matches("DOCTYPE", refused(bomb).message)
      refused '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'
    end)

    it("limits depth and size", function()
      local function nested(levels)
        return ("<a>"):rep(levels) .. ("</a>"):rep(levels)
      end
      assert.is_table(xml.parse(nested(256)))
      assert.matches("deep", refused(nested(257)).message)
      assert.matches("deep", refused(("<a>"):rep(1000000)).message)
      assert.is_table(xml.parse(nested(1000), { depth = 1000 }))
      refused("<a><b/></a>", { depth = 1 })
      assert.is_table(xml.parse("<a/>", { bytes = 4 }))
      assert.matches("limit", refused("<a/>", { bytes = 3 }).message)
    end)

    it("takes time in proportion to the size, however the text is cut up", function()
      local function seconds(items)
        local text = "<r>" .. ("<i/>&lt;\n"):rep(items) .. "</r>"
        local start = os.clock()
        local root = xml.parse(text)
        assert.equal(items, #root)
        assert.equal(2 * items, #root.text)
        return os.clock() - start
      end
      seconds(1000)
      assert.is_true(seconds(160000) < 100 * (seconds(10000) + 0.001))
    end)

    it("throws for wrong arguments", function()
      assert.has_error(function() xml.parse() end)
      assert.has_error(function() xml.parse("<a/>", 5) end)
      assert.has_error(function() xml.parse("<a/>", { depth = 0 }) end)
      assert.has_error(function() xml.parse("<a/>", { bytes = "many" }) end)
    end)
  end)

  describe("escape", function()
    it("makes any text fit for content and attributes", function()
      assert.equal("a&amp;&lt;&gt;&quot;&apos;é", xml.escape "a&<>\"'é")
      assert.equal("", xml.escape "")
      local text = "\r\n\t <&>\"' ]]> é"
      local node = xml.parse(("<a b='%s'>%s</a>"):format(xml.escape(text), xml.escape(text)))
      assert.equal(text, node.text)
      assert.equal(text, node.attributes.b)
    end)
  end)
end)
