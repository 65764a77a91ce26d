-- All services' endpoints against the rule sets of the botocore that is installed.

local endpoints = require "infra.aws.endpoints"
local json = require "host.json"
local models = require "infra.models"
local process = require "host.process"
local program = require "spec.support.program"

-- The series that infra.aws.endpoint_data is from. AWS changes its rules; for another one, first see what changed.
local SERIES = "1.43."

-- Every region with rows of its own, an ordinary one, and one of each partition.
local REGIONS = {
  "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "eu-west-1", "eu-south-1", "cn-north-1",
  "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "us-iso-west-1", "us-isob-west-1", "eu-isoe-west-1",
  "us-isof-east-1", "eusc-de-east-1",
}

-- Endpoint prefixes that are not compared.
local EXCEPTIONS = {
  ["cloudfront-keyvaluestore"] = true, -- no endpoint of its own: the call names an ARN that has it
  ["importexport"] = true, -- closed, and signed with version 2, which the client refuses
}

-- Where ours signs for another region, on purpose: there is no such endpoint in China.
local SIGNED_ELSEWHERE = { ["iam cn-north-1 fips"] = true, ["iam cn-northwest-1 fips"] = true }

-- What Python prints as JSON; nil when there is none, or it fails.
local function python(...)
  local handle = process.start { argv = { "python3", ... } }
  local event = handle and program.finish(handle)
  return event and event.status == 0 and json.decode(event.stdout) or nil
end

describe("infra.aws.endpoints and botocore", function()
  local version = python("-c", "import json, botocore; print(json.dumps(botocore.__version__))")
  if not version or version:sub(1, #SERIES) ~= SERIES then
    pending(version and ("endpoints are those of botocore %s*, not compared with %s"):format(SERIES, version)
      or "there is no python3 with botocore: endpoints are not compared with it")
    return
  end

  local known = assert(python("spec/aws/botocore_endpoints.py", table.unpack(REGIONS)))

  -- What differs between ours and `theirs`, or nil.
  local function difference(service, theirs)
    local same = { id = service.id, metadata = { endpointPrefix = service.prefix, signingName = service.signing_name } }
    local ours = endpoints.resolve(same, theirs.region, { variant = theirs.variant }) or {}
    local case = ("%s %s %s"):format(service.prefix, theirs.region, theirs.variant)
    local function compare(what, mine, other)
      return mine ~= other and ("%s: %s is %s, not %s"):format(case, what, mine, other)
    end
    local url = ours.host and ("https://%s%s"):format(ours.host, ours.base_path)
    if url ~= theirs.url or not url then
      return compare("the address", url, theirs.url)
    end
    -- A rule set that says nothing leaves it to the region in use; that cannot be told of a host without one.
    local region = theirs.signing_region or url:find(theirs.region, 1, true) and theirs.region or ours.signing_region
    return compare("the signing name", ours.signing_name, theirs.signing_name or service.signing_name)
      or not SIGNED_ELSEWHERE[case] and compare("the signing region", ours.signing_region, region)
  end

  it("agree on every service's host, signing name and signing region, in every variant", function()
    local differences, count = {}, 0
    for _, service in ipairs(known) do
      for _, theirs in ipairs(EXCEPTIONS[service.prefix] and {} or service.endpoints) do
        count = count + 1
        differences[#differences + 1] = difference(service, theirs) or nil
      end
    end
    assert.is_true(count > 20000, count)
    assert.equal("", table.concat(differences, "\n", 1, math.min(#differences, 20)))
  end)

  it("agree on the names, for the services that both know", function()
    local by_id, shared = {}, 0
    for _, service in ipairs(known) do
      by_id[service.id] = service
    end
    for _, row in ipairs(assert(models.services())) do
      local metadata = assert(models.service(row.id)).metadata
      local theirs = by_id[metadata.serviceId]
      if theirs then
        shared = shared + 1
        assert.same({ theirs.prefix, theirs.signing_name },
          { metadata.endpointPrefix, metadata.signingName or metadata.endpointPrefix })
      end
    end
    assert.is_true(shared > 300, shared)
  end)
end)
