local json = require "host.json"
local models = require "infra.models"
local sqlite = require "host.sqlite"

-- A new infra.models whose databases note what is read from them, as "kind owner name".
local function noting_reads(notes)
  local function wrap(handle, err)
    return handle and {
      row = function(_, sql, ...)
        notes[#notes + 1] = table.concat({ ... }, " ")
        return handle:row(sql, ...)
      end,
      all = function(_, sql, ...)
        return handle:all(sql, ...)
      end,
    }, err
  end
  local replaced = {
    ["host.sqlite"] = {
      open = function(...)
        return wrap(sqlite.open(...))
      end,
      open_models = function()
        return wrap(sqlite.open_models())
      end,
    },
    ["infra.models"] = false,
    ["infra.models.database"] = false,
  }
  for name, module in pairs(replaced) do
    replaced[name], package.loaded[name] = package.loaded[name], module or nil
  end
  local fresh = require "infra.models"
  for name, module in pairs(replaced) do
    package.loaded[name] = module
  end
  return fresh
end

describe("infra.models", function()
  describe("services", function()
    local function input(service, operation)
      local found = assert(assert(models.service(service)):operation(operation))
      return assert(models.service(service)):shape(found.input.shape or "") or found.input
    end

    it("are called as on AWS's command line, and by their other names", function()
      local names = {
        monitoring = "cloudwatch", cloudwatchlogs = "logs", cognitoidentityserviceprovider = "cognito-idp",
        states = "stepfunctions", email = "email", ["elastic-load-balancing-v2"] = "elbv2", eventbridge = "events",
        ["api-gateway"] = "apigateway", tagging = "resourcegroupstaggingapi",
      }
      names.email = nil -- shared by ses, sesv2 and pinpoint-email
      for name, id in pairs(names) do
        assert.equal(id, assert(models.service(name)).id)
      end
    end)

    it("do not go by a name that several share, which the error explains", function()
      local found, err = models.service "elasticloadbalancing"
      assert.is_nil(found)
      assert.equal("UnknownService", err.code)
      assert.matches("elb, elbv2", err.hint)
      assert.same({ "elb", "elbv2" }, models.services_named "elasticloadbalancing")
    end)

    it("fail for unknown services and operations", function()
      local found, err = models.service "nonesuch"
      assert.is_nil(found)
      assert.equal("UnknownService", err.code)
      found, err = models.service("ec2"):operation "CreateEverything"
      assert.is_nil(found)
      assert.equal("UnknownOperation", err.code)
    end)

    it("have the newest API version and AWS's metadata", function()
      local dynamodb = models.service "dynamodb"
      assert.equal("2012-08-10", dynamodb.api_version)
      assert.equal("DynamoDB_20120810", dynamodb.metadata.targetPrefix)
      assert.equal("ec2", models.service("ec2").metadata.protocol)
    end)

    it("have operations with their wire names", function()
      local members = input("ec2", "CreateVpc").members
      assert.is_table(members.CidrBlock)
      assert.equal("amazonProvidedIpv6CidrBlock", members.AmazonProvidedIpv6CidrBlock.locationName)
      assert.equal("boolean", members.AmazonProvidedIpv6CidrBlock.type)
      assert.equal("TagSpecification", members.TagSpecifications.locationName)
    end)

    it("have operations with complete HTTP traits", function()
      assert.same({ method = "POST", requestUri = "/" }, models.service("ec2"):operation("CreateVpc").http)
      local put = models.service("s3"):operation "PutBucketPolicy"
      assert.equal("PutBucketPolicy", put.name)
      assert.equal("PUT", put.http.method)
      assert.equal("/{Bucket}?policy", put.http.requestUri)
      local structure = input("s3", "PutBucketPolicy")
      assert.equal("Policy", structure.payload)
      assert.equal("uri", structure.members.Bucket.location)
      assert.equal("header", structure.members.ContentMD5.location)
      assert.equal("Content-MD5", structure.members.ContentMD5.locationName)
      assert.same({ "Bucket", "Policy" }, structure.required)
    end)

    it("keep references for :shape to follow", function()
      local ec2 = models.service "ec2"
      local reference = input("ec2", "CreateVpc").members.TagSpecifications
      local list = assert(ec2:shape(reference.shape))
      assert.equal("list", list.type)
      assert.equal("item", list.member.locationName)
      assert.is_nil(ec2:shape "NoSuchShape")
    end)

    it("tell pages only of operations that have any", function()
      local ec2 = models.service "ec2"
      assert.equal("NextToken", ec2:operation("DescribeVpcs").paginator.input_token)
      assert.equal("Vpcs", ec2:operation("DescribeVpcs").paginator.result_key)
      assert.is_nil(ec2:operation("DescribeRegions").paginator)
      assert.is_nil(ec2:operation("CreateVpc").paginator)
    end)

    it("have waiters", function()
      local waiter = models.service("ec2"):waiters().VpcAvailable
      assert.equal("DescribeVpcs", waiter.operation)
      assert.equal("pathAll", waiter.acceptors[1].matcher)
      assert.same({}, models.service("sts"):waiters())
    end)

    it("are listed once each, in order", function()
      local services = models.services()
      local last = ""
      for _, entry in ipairs(services) do
        assert.is_true(entry.id > last)
        last = entry.id
      end
      assert.is_true(#services >= 385)
    end)
  end)

  describe("types", function()
    it("have CloudFormation's properties and replacement rules", function()
      local vpc = assert(models.type "AWS::EC2::VPC")
      assert.equal("yes", vpc.properties.CidrBlock.replacement)
      assert.equal("maybe", vpc.properties.InstanceTenancy.replacement)
      assert.is_nil(vpc.properties.EnableDnsHostnames.replacement)
      assert.same({ type = "array", element = { type = "tag" } }, vpc.properties.Tags.type)
      assert.equal("string", vpc.attributes.DefaultSecurityGroup.type.type)
      assert.is_true(models.type("AWS::EC2::Subnet").properties.VpcId.required)
    end)

    it("have identifiers, and what Ref gives", function()
      assert.same({ "VpcId" }, models.type("AWS::EC2::VPC").primary_identifier)
      assert.same({ "VpcId" }, models.type("AWS::EC2::VPC").ref_identifier)
      local eip = models.type "AWS::EC2::EIP"
      assert.same({ "PublicIp", "AllocationId" }, eip.primary_identifier)
      assert.same({ "PublicIp" }, eip.ref_identifier)
      assert.equal("HostedZoneTags", models.type("AWS::Route53::HostedZone").tag_property)
      assert.equal("map", models.type("AWS::SSM::Parameter").tag_form)
    end)

    it("have typed defaults, allowed values, references and policies", function()
      local alarm = models.type "AWS::CloudWatch::Alarm"
      assert.is_true(alarm.properties.ActionsEnabled.default)
      local days = models.type("AWS::Logs::LogGroup").properties.RetentionInDays.type
      assert.same({ 1, 3, 5 }, table.move(days.allowed_values, 1, 3, 1, {}))
      local stage = models.type "AWS::ApiGateway::Stage"
      assert.same({ type = "AWS::ApiGateway::RestApi", property = "RestApiId" },
        stage.properties.RestApiId.references[1])
      assert.equal("InlineResourcePolicy", models.type("AWS::KMS::Key").properties.KeyPolicy.scrutiny)
    end)

    it("resolve references to their definitions", function()
      local cluster = models.type "AWS::RDS::DBCluster"
      local T = cluster.properties.ServerlessV2ScalingConfiguration.type
      assert.equal("ref", T.type)
      local definition = assert(cluster:definition(T.reference))
      assert.equal("number", definition.properties.MinCapacity.type.type)
      assert.matches("ACU", definition:documentation "MinCapacity")
      assert.is_nil(cluster:definition "NoSuchDefinition")
    end)

    it("have documentation that is read by itself", function()
      local vpc = models.type "AWS::EC2::VPC"
      assert.matches("CIDR notation", vpc:documentation "CidrBlock")
      assert.matches("default security group", vpc:documentation "DefaultSecurityGroup")
      assert.matches("virtual private cloud", vpc:documentation())
      assert.is_nil(vpc:documentation "NoSuchProperty")
      assert.is_nil(vpc.properties.CidrBlock.documentation)
    end)

    it("fail when unknown", function()
      local found, err = models.type "AWS::EC2::Vpc"
      assert.is_nil(found)
      assert.equal("UnknownType", err.code)
    end)

    it("all refer to definitions that exist", function()
      local function check(resource_type, T)
        if T.element then
          check(resource_type, T.element)
        elseif T.reference then
          assert.is_table(resource_type:definition(T.reference))
        end
        for _, member in ipairs(T.types or {}) do
          check(resource_type, member)
        end
      end
      for _, name in ipairs { "AWS::WAFv2::WebACL", "AWS::CloudFront::Distribution", "AWS::CodePipeline::Pipeline" } do
        local resource_type = models.type(name)
        for _, property in pairs(resource_type.properties) do
          check(resource_type, property.type)
        end
        for definition in pairs(resource_type.definitions) do
          for _, property in pairs(resource_type:definition(definition).properties) do
            check(resource_type, property.type)
          end
        end
      end
    end)
  end)

  describe("metrics", function()
    local function find(metrics, name)
      for _, metric in ipairs(metrics) do
        if metric.name == name then
          return metric
        end
      end
    end

    it("are those of a namespace, a service or a type", function()
      local errors = find(models.metrics "AWS/Lambda", "Errors")
      assert.equal("Sum", errors.statistic)
      assert.same(errors, find(models.metrics "AWS::Lambda", "Errors"))
      assert.same({}, models.metrics "AWS/Nonesuch")
    end)

    it("of a type have only the dimension sets that single out its resources", function()
      local in_namespace = find(models.metrics "AWS/RDS", "CPUUtilization")
      local of_cluster = find(models.type("AWS::RDS::DBCluster"):metrics(), "CPUUtilization")
      assert.equal(2, #in_namespace.dimensions)
      assert.same({ { { name = "DBClusterIdentifier" } } }, of_cluster.dimensions)
    end)

    it("keep the dimensions whose value is always the same", function()
      local metric = find(models.type("AWS::CloudFront::Distribution"):metrics(), "5xxErrorRate")
      assert.same({ { name = "DistributionId" }, { name = "Region", value = "Global" } }, metric.dimensions[1])
    end)

    it("of a serverless cache are the ones it has", function()
      local metrics = models.type("AWS::ElastiCache::ServerlessCache"):metrics()
      assert.same({ { { name = "clusterId" } } }, find(metrics, "ElastiCacheProcessingUnits").dimensions)
      assert.is_nil(find(metrics, "EngineCPUUtilization"))
    end)
  end)

  it("reads only the rows of what it is asked", function()
    local notes = {}
    local fresh = noting_reads(notes)
    fresh.service("ec2"):operation "CreateVpc"
    assert.same({ "", "service ec2 ", "dictionary service ", "operation ec2 CreateVpc", "dictionary operation " },
      notes) -- the first one is the format's
    fresh.service("ec2"):operation "CreateVpc"
    fresh.service("ec2"):operation "CreateSubnet"
    assert.same({ "operation ec2 CreateSubnet" }, table.move(notes, 6, #notes, 1, {}))
    fresh.type "AWS::EC2::VPC"
    fresh.type "AWS::EC2::VPC"
    assert.same({ "type AWS::EC2::VPC ", "dictionary type " }, table.move(notes, 7, #notes, 1, {}))
  end)

  it("names its sources", function()
    local vocabularies = models.vocabularies()
    assert.matches("^%S+ [%d.]+$", vocabularies.calls.source)
    assert.matches("^aws%-service%-spec [%d.]+$", vocabularies.resources.source)
    assert.equal(#models.types(), vocabularies.resources.counts.types)
  end)

  it("gives values that JSON can carry back", function()
    assert.is_string(json.encode(models.service("ec2"):operation "RunInstances"))
  end)
end)
