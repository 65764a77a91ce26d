local json = require "host.json"
local json_form = require "infra.aws.json_form"
local shapes = require "infra.aws.protocols.shapes"

describe("infra.aws.json_form", function()
  local shape = shapes.of({}, {
    type = "structure",
    members = {
      Name = {},
      Count = { type = "integer" },
      On = { type = "boolean" },
      At = { type = "timestamp" },
      Data = { type = "blob" },
      Ids = { type = "list", member = {} },
      Numbers = { type = "list", member = { type = "integer" } },
      Tags = { type = "list", member = { type = "structure", members = { Key = {}, Value = {} } } },
      Map = { type = "map", key = {}, value = { type = "integer" } },
    },
  })

  describe("to_json", function()
    it("writes bytes in base64 and times in ISO 8601", function()
      assert.equal('{"At":"2015-08-30T12:36:00Z","Data":"AP8="}',
        json.encode(json_form.to_json(shape, { At = 1440938160, Data = "\0\xff" })))
    end)

    it("keeps empty lists and empty maps apart", function()
      assert.equal('{"Ids":[],"Map":{}}', json.encode(json_form.to_json(shape, { Ids = {}, Map = {} })))
    end)

    it("is undone by from_json", function()
      local value = { At = 1440938160, Data = "\0\xff", Ids = { "a" }, Tags = { { Key = "k" } }, On = false }
      assert.same(value, json_form.from_json(shape, json_form.to_json(shape, value)))
    end)
  end)

  describe("from_json", function()
    it("refuses what is not base64", function()
      local value, err = json_form.from_json(shape, { Data = "&&&" })
      assert.is_nil(value)
      assert.equal("Usage", err.code)
    end)

    it("leaves what does not fit for the validation of parameters", function()
      local value = { At = "yesterday", Data = 5, Unknown = "x", Ids = "a" }
      assert.same(value, json_form.from_json(shape, value))
    end)
  end)

  describe("put", function()
    local function put(...)
      local params = {}
      for _, argument in ipairs { ... } do
        local path, text = argument:match "^([^=]*)=(.*)$"
        assert(json_form.put(shape, params, path, text))
      end
      return params
    end

    it("takes strings as they are, even where they look like something else", function()
      for _, text in ipairs { "x", "", "5", "true", '{"Version": 1}', "a=b", '"quoted"' } do
        assert.same({ Name = text }, put("Name=" .. text))
      end
    end)

    it("reads everything else by its type", function()
      assert.same({ Count = 5, On = true, At = 1440938160, Data = "\0\xff" },
        put("Count=5", "On=true", "At=2015-08-30T12:36:00Z", "Data=AP8="))
      assert.same({ At = 5 }, put "At=5")
    end)

    it("follows paths through lists, structures and maps", function()
      assert.same({ Tags = { { Key = "a", Value = "1" }, { Key = "b" } }, Map = { x = 1 } },
        put("Tags.1.Key=a", "Tags.1.Value=1", "Tags.2.Key=b", "Map.x=1"))
    end)

    it("takes a list as JSON or by its only element", function()
      assert.same({ Ids = { "a", "b" }, Numbers = { 5 } }, put('Ids=["a", "b"]', "Numbers=5"))
      assert.same({ Ids = { "i-1" } }, put "Ids=i-1")
      assert.same({ Tags = { { Key = "k" } } }, put 'Tags={"Key": "k"}')
    end)

    it("leaves what does not fit for the validation of parameters", function()
      assert.same({ Count = "many", On = "maybe" }, put("Count=many", "On=maybe"))
    end)

    it("refuses paths that lead nowhere, and says what was meant", function()
      for _, path in ipairs { "Nam", "Name.x", "Tags.0.Key", "Tags.first.Key", "Tags.1.Kee", "" } do
        local ok, err = json_form.put(shape, {}, path, "x")
        assert.is_nil(ok, path)
        assert.equal("Usage", err.code)
      end
      assert.truthy(select(2, json_form.put(shape, {}, "Nam", "x")).message:find("did you mean Name?", 1, true))
    end)

    it("refuses a path through a value that another argument has set", function()
      local params = put "Tags=nonsense"
      params.Tags = "text"
      local ok, err = json_form.put(shape, params, "Tags.1.Key", "x")
      assert.is_nil(ok)
      assert.equal("Usage", err.code)
    end)
  end)
end)
