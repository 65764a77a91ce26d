local c2j = require "infra.models.c2j"
local compress = require "host.compress"
local fs = require "host.fs"
local json = require "host.json"
local process = require "host.process"
local service_spec = require "infra.models.service_spec"
local sources = require "infra.models.sources"
local temporary = require "spec.support.temporary"
local writer = require "infra.models.writer"

-- Writes JSON files below `directory`, those called *.gz compressed.
local function write_files(directory, files)
  for path, content in pairs(files) do
    local text = type(content) == "string" and content or json.encode(content)
    assert(fs.mkdir((directory .. "/" .. path):match "^(.*)/"))
    assert(fs.write(directory .. "/" .. path, path:find "%.gz$" and compress.deflate(text, { gzip = true }) or text))
  end
end

local AWS_SDK <const> = {
  ["package.json"] = { version = "2.0.0" },
  ["apis/metadata.json"] = {
    cloudpost = { name = "CloudPost", prefix = "states" },
    plain = { name = "Plain" },
    unpublished = { name = "Unpublished" },
  },
  ["apis/states-2019-01-01.min.json"] = { metadata = {}, operations = { Old = {} }, shapes = {} },
  ["apis/states-2020-01-01.min.json"] = {
    metadata = { endpointPrefix = "post", signingName = "post", serviceId = "Cloud Post", protocol = "json" },
    operations = {
      ListLetters = { input = { type = "structure", members = json.object() } },
      ListStamps = { http = { requestUri = "/stamps" } },
      SendLetter = { input = { shape = "S1" } },
    },
    shapes = { S1 = { type = "structure", members = { Text = json.object() } } },
  },
  ["apis/states-2020-01-01.paginators.json"] = {
    pagination = {
      ListLetters = { input_token = "Next", output_token = "Next", result_key = "Letters" },
      ListStamps = { result_key = "Stamps" },
    },
  },
  ["apis/states-2020-01-01.waiters2.json"] = { waiters = { Delivered = { operation = "ListLetters", delay = 5 } } },
  ["apis/states-2020-01-01.examples.json"] = { examples = {} },
  ["apis/plain-2018-05-05.min.json"] = {
    metadata = { endpointPrefix = "post", serviceId = "Plain" }, operations = json.object(), shapes = json.object(),
  },
}

local SERVICE_SPEC <const> = {
  ["package.json"] = { version = "0.1.0" },
  ["db.json.gz"] = {
    schema = {
      resource = {
        entities = {
          {
            ["$id"] = "0",
            cloudFormationType = "AWS::Post::Box",
            documentation = "A box.",
            primaryIdentifier = { "BoxId" },
            tagInformation = { tagPropertyName = "Tags", variant = "map" },
            attributes = { BoxId = { type = { type = "string" }, documentation = "" } },
            properties = {
              Size = { type = { type = "integer", allowedValues = { 1, 2 } }, defaultValue = "2", required = true },
              Locks = {
                type = { type = "array", element = { type = "ref", reference = { ["$ref"] = "1" } } },
                causesReplacement = "yes",
                documentation = "What locks it.",
              },
            },
          },
        },
      },
      typeDefinition = {
        entities = { { ["$id"] = "1", name = "Lock", properties = { Key = { type = { type = "string" } } } } },
      },
      service = { entities = { { ["$id"] = "2", cloudFormationNamespace = "AWS::Post" } } },
      metric = {
        entities = { { ["$id"] = "3", namespace = "AWS/Post", name = "Letters", statistic = "Sum" } },
      },
      dimensionSet = {
        entities = {
          { ["$id"] = "4", dimensions = { { name = "BoxId" } } },
          { ["$id"] = "5", dimensions = json.array() },
        },
      },
      usesType = { forward = { ["0"] = { { ["$id"] = "1" } } } },
      usesDimensionSet = { forward = { ["3"] = { { ["$id"] = "4" }, { ["$id"] = "5" } } } },
      resourceHasMetric = { forward = { ["0"] = { { ["$id"] = "3" } } } },
      resourceHasDimensionSet = { forward = { ["0"] = { { ["$id"] = "4" } } } },
      serviceHasMetric = { forward = { ["2"] = { { ["$id"] = "3" } } } },
    },
  },
}

describe("compiled models", function()
  local directory, remove = temporary()

  setup(function()
    write_files(directory .. "/aws-sdk", AWS_SDK)
    write_files(directory .. "/aws-service-spec", SERVICE_SPEC)
  end)

  teardown(remove)

  -- infra.models as a new process would have it, with `path` for the models inside the program, and for the updated
  -- ones what `data_home` has.
  local function fresh_models(path, data_home)
    local environment = { INFRA_MODELS = path, XDG_DATA_HOME = data_home or directory .. "/none" }
    local before, loaded = {}, package.loaded["infra.models"]
    for name, value in pairs(environment) do
      before[name] = process.environment(name) or false
      process.set_environment(name, value)
    end
    package.loaded["infra.models"] = nil
    local fresh = require "infra.models"
    local vocabularies, err = fresh.vocabularies() -- opens the databases
    package.loaded["infra.models"] = loaded
    for name, value in pairs(before) do
      process.set_environment(name, value or nil)
    end
    return vocabularies and fresh, err
  end

  local function compile(name)
    local compiled, path = writer.new(), directory .. "/" .. name
    assert(c2j.compile(compiled, assert(sources.aws_sdk(directory .. "/aws-sdk"))))
    assert(service_spec.compile(compiled, directory .. "/aws-service-spec"))
    assert(compiled:save(path))
    return path
  end

  it("are the same bytes for the same input", function()
    assert.equal(fs.read(compile "one.db"), fs.read(compile "two.db"))
    assert.is_nil(fs.stat(directory .. "/one.db.partial"))
  end)

  it("do not depend on the order of compiling", function()
    local rows = {
      { "shape", "a", "S1", { type = "list" } },
      { "shape", "a", "S2", { type = "map" } },
      { "shape", "b", "S1", { type = "blob" } },
      { "alias", "b", "bee" },
    }
    local forth, back = writer.new(), writer.new()
    for i = 1, #rows do
      forth:put(table.unpack(rows[i]))
      back:put(table.unpack(rows[#rows + 1 - i]))
    end
    assert(forth:save(directory .. "/forth.db"))
    assert(back:save(directory .. "/back.db"))
    assert.equal(fs.read(directory .. "/forth.db"), fs.read(directory .. "/back.db"))
  end)

  it("refuse two rows of one name, and leave the old file", function()
    local twice, path = writer.new(), directory .. "/twice.db"
    assert(fs.write(path, "old"))
    twice:put("shape", "a", "S1", { type = "string" })
    twice:put("shape", "a", "S1", { type = "list" })
    local ok, err = twice:save(path)
    assert.is_nil(ok)
    assert.equal("SQLITE_CONSTRAINT", err.code)
    assert.equal("old", fs.read(path))
    assert.is_nil(fs.stat(path .. ".partial"))
  end)

  describe("of aws-sdk", function()
    local models

    setup(function()
      models = assert(fresh_models(compile "aws-sdk.db"))
    end)

    it("have the newest version of each service, under its names", function()
      local service = assert(models.service "stepfunctions")
      assert.equal("2020-01-01", service.api_version)
      assert.same({ "ListLetters", "ListStamps", "SendLetter" }, service:operations())
      for _, name in ipairs { "cloudpost", "states", "cloud-post" } do
        assert.equal(service, models.service(name))
      end
      assert.same({ "plain", "stepfunctions" }, models.services_named "post")
    end)

    it("complete what aws-sdk leaves out", function()
      local service = models.service "stepfunctions"
      assert.same({
        name = "SendLetter",
        http = { method = "POST", requestUri = "/" },
        input = { shape = "S1" },
      }, service:operation "SendLetter")
      assert.same({ method = "POST", requestUri = "/stamps" }, service:operation("ListStamps").http)
      assert.same({ type = "structure", members = { Text = {} } }, service:shape "S1")
      assert.equal("Letters", service:operation("ListLetters").paginator.result_key)
      assert.is_nil(service:operation("ListStamps").paginator)
      assert.equal(5, service:waiters().Delivered.delay)
    end)
  end)

  it("of aws-service-spec have types, documentation apart, and metrics", function()
    local models = assert(fresh_models(compile "spec.db"))
    local box = assert(models.type "AWS::Post::Box")
    assert.same({ type = { type = "integer", allowed_values = { 1, 2 } }, default = 2, required = true },
      box.properties.Size)
    assert.same({
      type = { type = "array", element = { type = "ref", reference = "Lock" } },
      replacement = "yes",
    }, box.properties.Locks)
    assert.same({ "BoxId" }, box.ref_identifier)
    assert.equal("map", box.tag_form)
    assert.equal("What locks it.", box:documentation "Locks")
    assert.is_nil(box:documentation "BoxId")
    assert.equal("string", box:definition("Lock").properties.Key.type.type)
    assert.is_nil(box:definition("Lock"):documentation "Key")
    local dimensions = { { { name = "BoxId" } } }
    local letters = { namespace = "AWS/Post", name = "Letters", statistic = "Sum", dimensions = dimensions }
    assert.same({ letters }, box:metrics())
    dimensions[2] = {}
    assert.same({ letters }, models.metrics "AWS::Post")
    assert.same({ calls = { source = "aws-sdk 2.0.0", counts = { services = 2, operations = 3 } },
      resources = { source = "aws-service-spec 0.1.0", counts = { types = 1, metrics = 1 } } }, models.vocabularies())
  end)

  describe("of botocore", function()
    local update = require "infra.cli.models"
    local data = directory .. "/data"

    setup(function()
      write_files(directory, {
        ["botocore/__init__.py"] = "import os\n\n__version__ = '1.99.0'\n",
        ["botocore/data/endpoints.json"] = {},
        ["botocore/data/empty/2020-01-01/paginators-1.json"] = { pagination = {} },
        ["botocore/data/post/2019-01-01/service-2.json"] = "not read",
        ["botocore/data/post/2020-01-01/service-2.json.gz"] = {
          metadata = { endpointPrefix = "letters", serviceId = "Post", protocol = "json" },
          operations = {
            SendLetter = { name = "SendLetter", input = { shape = "Letter" }, documentation = "<p>Sends it.</p>" },
          },
          shapes = {
            Letter = {
              type = "structure",
              members = { Text = { shape = "Text", documentation = "<p>What it says.</p>" } },
              documentation = "<p>A letter.</p>",
            },
            Text = { type = "string", enum = { "hello", "bye" } },
          },
        },
        ["botocore/data/post/2020-01-01/waiters-2.json"] = { waiters = { Sent = { operation = "SendLetter" } } },
      })
      fs.mkdir(data)
    end)

    local function run(from)
      local out = {}
      local before = process.environment "XDG_DATA_HOME"
      process.set_environment("XDG_DATA_HOME", data)
      local code, err = update.run({ action = "update", from = from }, {
        out = function(text)
          out[#out + 1] = text
        end,
      })
      process.set_environment("XDG_DATA_HOME", before)
      return table.concat(out), err, code
    end

    it("come before those inside the program, which stay for all that they lack", function()
      local out, err = run(directory .. "/botocore/data")
      assert.is_nil(err)
      assert.matches("^botocore 1.99.0: 1 services", out)

      local models = assert(fresh_models(compile "inside.db", data))
      local service = assert(models.service "post")
      assert.same({ name = "SendLetter", http = { method = "POST", requestUri = "/" }, input = { shape = "Letter" } },
        service:operation "SendLetter")
      assert.same({ type = "structure", members = { Text = { shape = "Text" } } }, service:shape "Letter")
      assert.same({ "hello", "bye" }, service:shape("Text").enum)
      assert.same({ description = "<p>A letter.</p>", members = { Text = "<p>What it says.</p>" } },
        service:documentation("shape", "Letter"))
      assert.equal("SendLetter", service:waiters().Sent.operation)

      assert.same({ "ListLetters", "ListStamps", "SendLetter" }, models.service("stepfunctions"):operations())
      assert.is_table(models.type "AWS::Post::Box")
      local ids = {}
      for i, entry in ipairs(models.services()) do
        ids[i] = entry.id
      end
      assert.same({ "plain", "post", "stepfunctions" }, ids)
      assert.equal("botocore 1.99.0", models.vocabularies().calls.source)
    end)

    it("fail when there are none", function()
      local out, err, code = run(directory .. "/aws-sdk")
      assert.equal("", out)
      assert.is_nil(code)
      assert.equal("NoModels", err.code)
      out, err = run(directory .. "/nowhere")
      assert.equal("", out)
      assert.equal("ENOENT", err.code)
    end)

    it("name the file that is broken", function()
      write_files(directory, { ["broken/post/2020-01-01/service-2.json"] = "{" })
      local _, err = run(directory .. "/broken")
      assert.equal("BadJson", err.code)
      assert.matches("broken/post/2020%-01%-01/service%-2.json: ", err.message)
    end)
  end)

  it("are refused when they are none, or of another format", function()
    local path = directory .. "/other.db"
    assert(fs.write(path, "no database at all"))
    local models, err = fresh_models(path)
    assert.is_nil(models or nil)
    assert.equal("ModelsUnreadable", err.code)
    assert.matches("other.db", err.message)

    local database <close> = assert(require("host.sqlite").open(directory .. "/old.db"))
    assert(database:script "PRAGMA user_version = 99")
    models, err = fresh_models(directory .. "/old.db")
    assert.is_nil(models or nil)
    assert.equal("ModelsFormat", err.code)
  end)
end)
