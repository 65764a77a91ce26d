-- The simulated IAM: what its API reference and its known traps say of roles, policies and providers.

local caller = require "spec.sim.caller"
local json = require "host.json"
local merged = require "infra.merged"

local code = caller.code

local ACCOUNT = "123456789012"
local VPC_ACCESS = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"

local function simulated(body, options)
  caller.run(options or {}, body)
end

local function trust(principal, changes)
  local statement = merged({ Effect = "Allow", Principal = principal, Action = "sts:AssumeRole" }, changes)
  return json.encode { Version = "2012-10-17", Statement = { statement } }
end

local LAMBDA = trust { Service = "lambda.amazonaws.com" }
local PERMIT = json.encode {
  Version = "2012-10-17",
  Statement = { { Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::b/*" } },
}

local function decoded(document)
  return (document:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function create_role(call, name, changes)
  return call("iam", "CreateRole", merged({ RoleName = name, AssumeRolePolicyDocument = LAMBDA }, changes))
end

describe("infra.sim.iam roles", function()
  it("keeps a role and answers its trust policy URL-encoded", function()
    simulated(function(call)
      local tags = { { Key = "Owner", Value = "a b" } }
      local created = assert(create_role(call, "app", { Path = "/team/", Tags = tags })).Role
      assert.equal("arn:aws:iam::" .. ACCOUNT .. ":role/team/app", created.Arn)
      assert.matches("^AROA%w+$", created.RoleId)
      assert.equal(3600, created.MaxSessionDuration)
      local role = assert(call("iam", "GetRole", { RoleName = "app" })).Role
      assert.is_nil(role.AssumeRolePolicyDocument:find('[{"]'))
      assert.equal(LAMBDA, decoded(role.AssumeRolePolicyDocument))
      assert.same(tags, role.Tags)
    end)
  end)

  it("tells names apart by more than case", function()
    simulated(function(call)
      assert(create_role(call, "App"))
      assert.equal("EntityAlreadyExists", code(create_role(call, "aPP", { Path = "/other/" })))
      assert.equal("App", assert(call("iam", "GetRole", { RoleName = "app" })).Role.RoleName)
    end)
  end)

  it("checks names, paths and durations", function()
    simulated(function(call)
      assert.equal("ValidationError", code(create_role(call, "no spaces")))
      assert.equal("ValidationError", code(create_role(call, ("x"):rep(65))))
      assert.equal("ValidationError", code(create_role(call, "x", { Path = "/open" })))
      assert.equal("ValidationError", code(create_role(call, "x", { MaxSessionDuration = 60 })))
    end)
  end)

  it("refuses trust policies that cannot be", function()
    simulated(function(call)
      local nobody = "arn:aws:iam::" .. ACCOUNT .. ":role/nobody"
      for text, message in pairs {
        ["{"] = "This policy contains invalid Json",
        [trust({ Service = "lambda.amazonaws.com" }, { Resource = "*" })] = "Has prohibited field Resource",
        [trust(nil)] = "Missing required field Principal",
        [trust({ Service = "lambda.amazonaws.com" }, { Action = "s3:GetObject" })] =
          "AssumeRole policy may only specify STS AssumeRole actions.",
        [trust("*")] = 'AssumeRolepolicy contained an invalid principal: "STAR":"*".',
        [trust { Service = "lambda" }] = 'Invalid principal in policy: "Service":"lambda"',
        [trust { AWS = nobody }] = 'Invalid principal in policy: "AWS":"' .. nobody .. '"',
        [trust { AWS = "AROAGONEGONEGONEGONE1" }] = 'Invalid principal in policy: "AWS":"AROAGONEGONEGONEGONE1"',
        [trust { Federated = "oidc" }] = "Federated principals must be valid domain names or SAML metadata ARNs",
      } do
        local _, err = create_role(call, "x", { AssumeRolePolicyDocument = text })
        assert.same({ "MalformedPolicyDocument", message }, { err.code, err.message })
      end
      assert.equal("LimitExceeded", code(create_role(call, "x", {
        AssumeRolePolicyDocument = trust({ Service = "lambda.amazonaws.com" }, { Sid = ("x"):rep(2048) }),
      })))
      assert.equal("NoSuchEntity", code(call("iam", "GetRole", { RoleName = "x" })))
    end)
  end)

  it("lets a new role be named as a principal only after a while", function()
    simulated(function(call, _, world)
      local first = assert(create_role(call, "first")).Role
      local trusting = { AssumeRolePolicyDocument = trust { AWS = first.Arn } }
      assert.equal("MalformedPolicyDocument", code(create_role(call, "second", trusting)))
      world.scheduler:sleep(20)
      assert(create_role(call, "second", trusting))
    end)
  end)

  it("shows a deleted principal as its unique id, even if its name is used again", function()
    simulated(function(call, _, world)
      local first = assert(create_role(call, "first")).Role
      world.scheduler:sleep(20)
      assert(create_role(call, "second", { AssumeRolePolicyDocument = trust { AWS = first.Arn } }))
      assert(call("iam", "DeleteRole", { RoleName = "first" }))
      assert(create_role(call, "first"))
      local shown = decoded(assert(call("iam", "GetRole", { RoleName = "second" })).Role.AssumeRolePolicyDocument)
      assert.equal(trust { AWS = first.RoleId }, shown)
    end)
  end)

  it("resets the session duration that an update leaves out, not the description", function()
    simulated(function(call)
      assert(create_role(call, "x", { Description = "d", MaxSessionDuration = 7200 }))
      assert(call("iam", "UpdateRole", { RoleName = "x" }))
      local role = assert(call("iam", "GetRole", { RoleName = "x" })).Role
      assert.same({ 3600, "d" }, { role.MaxSessionDuration, role.Description })
    end)
  end)

  it("deletes a role only when nothing hangs on it", function()
    simulated(function(call)
      assert(create_role(call, "x"))
      assert(call("iam", "AttachRolePolicy", { RoleName = "x", PolicyArn = VPC_ACCESS }))
      assert(call("iam", "PutRolePolicy", { RoleName = "x", PolicyName = "p", PolicyDocument = PERMIT }))
      assert.equal("DeleteConflict", code(call("iam", "DeleteRole", { RoleName = "x" })))
      assert(call("iam", "DetachRolePolicy", { RoleName = "x", PolicyArn = VPC_ACCESS }))
      assert.equal("DeleteConflict", code(call("iam", "DeleteRole", { RoleName = "x" })))
      assert(call("iam", "DeleteRolePolicy", { RoleName = "x", PolicyName = "p" }))
      assert(call("iam", "DeleteRole", { RoleName = "x" }))
      assert.equal("NoSuchEntity", code(call("iam", "DeleteRole", { RoleName = "x" })))
    end)
  end)

  it("leaves out of ListRoles what only GetRole shows, and pages", function()
    simulated(function(call)
      for _, name in ipairs { "a", "B", "c" } do
        assert(create_role(call, name, { Tags = { { Key = "k", Value = "v" } } }))
      end
      local first = assert(call("iam", "ListRoles", { MaxItems = 2 }))
      assert.is_true(first.IsTruncated)
      assert.same({ "a", "B" }, { first.Roles[1].RoleName, first.Roles[2].RoleName })
      assert.is_nil(first.Roles[1].Tags)
      assert(call("iam", "DeleteRole", { RoleName = "B" }))
      local second = assert(call("iam", "ListRoles", { Marker = first.Marker }))
      assert.is_false(second.IsTruncated)
      assert.same({ "c" }, { second.Roles[1].RoleName })
      assert.equal("ValidationError", code(call("iam", "ListRoles", { Marker = "mine" })))
    end)
  end)

  it("tags by keys that differ in more than case", function()
    simulated(function(call)
      assert(create_role(call, "x", { Tags = { { Key = "Name", Value = "1" } } }))
      local tags = { { Key = "b", Value = "" }, { Key = "name", Value = "2" } }
      assert(call("iam", "TagRole", { RoleName = "x", Tags = tags }))
      assert.same(tags, assert(call("iam", "ListRoleTags", { RoleName = "x" })).Tags)
      assert.equal("InvalidInput", code(call("iam", "TagRole", {
        RoleName = "x", Tags = { { Key = "a", Value = "1" }, { Key = "A", Value = "2" } },
      })))
      assert(call("iam", "UntagRole", { RoleName = "x", TagKeys = { "NAME", "missing" } }))
      assert.equal(1, #assert(call("iam", "ListRoleTags", { RoleName = "x" })).Tags)
    end)
  end)

  it("keeps roles that are linked to a service out of reach", function()
    simulated(function(call)
      local params = { AWSServiceName = "ops.apigateway.amazonaws.com" }
      local role = assert(call("iam", "CreateServiceLinkedRole", params)).Role
      assert.equal("AWSServiceRoleForAPIGateway", role.RoleName)
      assert.equal("/aws-service-role/ops.apigateway.amazonaws.com/", role.Path)
      local _, err = call("iam", "CreateServiceLinkedRole", params)
      assert.equal("InvalidInput", err.code)
      assert.matches("has been taken in this account", err.message)
      assert.equal("UnmodifiableEntity", code(call("iam", "DeleteRole", { RoleName = role.RoleName })))
    end)
  end)

  it("may not know a new role yet", function()
    simulated(function(call)
      assert(create_role(call, "x"))
      local unknown = 0
      for _ = 1, 20 do
        unknown = unknown + (call("iam", "GetRole", { RoleName = "x" }) and 0 or 1)
      end
      assert.is_true(unknown > 0 and unknown < 20)
    end, { faults = { consistency = 10 } })
  end)
end)

describe("infra.sim.iam policies", function()
  local function create(call, name, changes)
    return call("iam", "CreatePolicy", merged({ PolicyName = name, PolicyDocument = PERMIT }, changes))
  end

  it("refuses documents that are no permissions policies", function()
    simulated(function(call)
      assert(create_role(call, "x"))
      for text, message in pairs {
        ["[]"] = "Syntax errors in policy.",
        ['{"Version":"2008-10-17","Statement":[]}'] = "Policy document must be version 2012-10-17 or greater.",
        ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*"}}'] =
          "Policy statement must contain resources.",
        ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*"}}'] =
          "Policy statement must contain actions.",
        ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"Get","Resource":"*"}}'] =
          "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"b"}}'] =
          'Resource b must be in ARN format or "*".',
        ['{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}}'] =
          "Policy document should not specify a principal.",
      } do
        local _, err = call("iam", "PutRolePolicy", { RoleName = "x", PolicyName = "p", PolicyDocument = text })
        assert.same({ "MalformedPolicyDocument", message }, { err.code, err.message })
      end
    end)
  end)

  it("keeps inline policies verbatim and counts their size without white space", function()
    simulated(function(call)
      assert(create_role(call, "x"))
      local spaced = PERMIT:gsub(":{", ":" .. (" "):rep(11000) .. "{")
      assert(call("iam", "PutRolePolicy", { RoleName = "x", PolicyName = "p", PolicyDocument = spaced }))
      local read = assert(call("iam", "GetRolePolicy", { RoleName = "x", PolicyName = "p" }))
      assert.equal(spaced, decoded(read.PolicyDocument))
      local long = PERMIT:gsub("b/%*", ("x"):rep(10200))
      assert.equal("LimitExceeded", code(call("iam", "PutRolePolicy", {
        RoleName = "x", PolicyName = "q", PolicyDocument = long,
      })))
      assert.same({ "p" }, assert(call("iam", "ListRolePolicies", { RoleName = "x" })).PolicyNames)
      assert.equal("NoSuchEntity", code(call("iam", "GetRolePolicy", { RoleName = "x", PolicyName = "q" })))
    end)
  end)

  it("makes names unique whatever their path", function()
    simulated(function(call)
      assert(create(call, "p", { Path = "/a/" }))
      assert.equal("EntityAlreadyExists", code(create(call, "P", { Path = "/b/" })))
      assert.equal("NoSuchEntity", code(call("iam", "GetPolicy", {
        PolicyArn = "arn:aws:iam::" .. ACCOUNT .. ":policy/b/p",
      })))
    end)
  end)

  it("has room for five versions and deletes none that is in use", function()
    simulated(function(call)
      local arn = assert(create(call, "p")).Policy.Arn
      for _ = 2, 5 do
        assert(call("iam", "CreatePolicyVersion", { PolicyArn = arn, PolicyDocument = PERMIT, SetAsDefault = true }))
      end
      local one_more = { PolicyArn = arn, PolicyDocument = PERMIT }
      assert.equal("LimitExceeded", code(call("iam", "CreatePolicyVersion", one_more)))
      assert.equal("DeleteConflict", code(call("iam", "DeletePolicyVersion", { PolicyArn = arn, VersionId = "v5" })))
      assert.equal("DeleteConflict", code(call("iam", "DeletePolicy", { PolicyArn = arn })))
      assert(call("iam", "DeletePolicyVersion", { PolicyArn = arn, VersionId = "v1" }))
      assert.equal("v6", assert(call("iam", "CreatePolicyVersion", one_more)).PolicyVersion.VersionId)
      assert.equal("v5", assert(call("iam", "GetPolicy", { PolicyArn = arn })).Policy.DefaultVersionId)
      local listed = assert(call("iam", "ListPolicyVersions", { PolicyArn = arn })).Versions
      assert.equal("v6", listed[1].VersionId)
      assert.is_nil(listed[1].Document)
      local version = assert(call("iam", "GetPolicyVersion", { PolicyArn = arn, VersionId = "v5" })).PolicyVersion
      assert.equal(PERMIT, decoded(version.Document))
      assert.is_true(version.IsDefaultVersion)
    end)
  end)

  it("does not delete a policy that a role uses, attached or as its boundary", function()
    simulated(function(call)
      local arn = assert(create(call, "p")).Policy.Arn
      assert(create_role(call, "x", { PermissionsBoundary = arn }))
      assert(create_role(call, "y"))
      assert(call("iam", "AttachRolePolicy", { RoleName = "y", PolicyArn = arn }))
      local policy = assert(call("iam", "GetPolicy", { PolicyArn = arn })).Policy
      assert.same({ 1, 1 }, { policy.AttachmentCount, policy.PermissionsBoundaryUsageCount })
      local users = assert(call("iam", "ListEntitiesForPolicy", {
        PolicyArn = arn, PolicyUsageFilter = "PermissionsPolicy",
      }))
      assert.same({ "y", 1 }, { users.PolicyRoles[1].RoleName, #users.PolicyRoles })
      assert.equal("DeleteConflict", code(call("iam", "DeletePolicy", { PolicyArn = arn })))
      assert(call("iam", "DetachRolePolicy", { RoleName = "y", PolicyArn = arn }))
      assert.equal("DeleteConflict", code(call("iam", "DeletePolicy", { PolicyArn = arn })))
      assert(call("iam", "DeleteRolePermissionsBoundary", { RoleName = "x" }))
      assert(call("iam", "DeletePolicy", { PolicyArn = arn }))
    end)
  end)

  it("knows AWS's policies by their paths", function()
    simulated(function(call)
      assert(create_role(call, "x"))
      assert.equal("NoSuchEntity", code(call("iam", "AttachRolePolicy", {
        RoleName = "x", PolicyArn = "arn:aws:iam::aws:policy/AWSLambdaVPCAccessExecutionRole",
      })))
      assert(call("iam", "AttachRolePolicy", { RoleName = "x", PolicyArn = VPC_ACCESS }))
      assert(call("iam", "AttachRolePolicy", { RoleName = "x", PolicyArn = VPC_ACCESS }))
      assert.same({ { PolicyArn = VPC_ACCESS, PolicyName = "AWSLambdaVPCAccessExecutionRole" } },
        assert(call("iam", "ListAttachedRolePolicies", { RoleName = "x" })).AttachedPolicies)
      assert.equal(1, assert(call("iam", "GetPolicy", { PolicyArn = VPC_ACCESS })).Policy.AttachmentCount)
      for i = 1, 9 do
        assert(call("iam", "AttachRolePolicy", { RoleName = "x", PolicyArn = "arn:aws:iam::aws:policy/Some" .. i }))
      end
      assert.equal("LimitExceeded", code(call("iam", "AttachRolePolicy", {
        RoleName = "x", PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess",
      })))
    end)
  end)

  it("gives everything at once, in pages", function()
    simulated(function(call)
      assert(create_role(call, "x", { Tags = { { Key = "k", Value = "v" } } }))
      assert(call("iam", "PutRolePolicy", { RoleName = "x", PolicyName = "p", PolicyDocument = PERMIT }))
      assert(call("iam", "AttachRolePolicy", { RoleName = "x", PolicyArn = VPC_ACCESS }))
      assert(create(call, "p", { Description = "d" }))
      local roles = assert(call("iam", "GetAccountAuthorizationDetails", { MaxItems = 1 }))
      assert.same({ 1, 0, true }, { #roles.RoleDetailList, #roles.Policies, roles.IsTruncated })
      local role = roles.RoleDetailList[1]
      assert.equal(PERMIT, decoded(role.RolePolicyList[1].PolicyDocument))
      assert.equal(VPC_ACCESS, role.AttachedManagedPolicies[1].PolicyArn)
      assert.equal("k", role.Tags[1].Key)
      local rest = assert(call("iam", "GetAccountAuthorizationDetails", { Marker = roles.Marker }))
      assert.same({ 0, 1, false }, { #rest.RoleDetailList, #rest.Policies, rest.IsTruncated })
      assert.equal(PERMIT, decoded(rest.Policies[1].PolicyVersionList[1].Document))
      local policies = assert(call("iam", "GetAccountAuthorizationDetails", { Filter = { "LocalManagedPolicy" } }))
      assert.same({ 0, 1 }, { #policies.RoleDetailList, #policies.Policies })
      local arn = policies.Policies[1].Arn
      assert.equal("d", assert(call("iam", "GetPolicy", { PolicyArn = arn })).Policy.Description)
      assert.is_nil(policies.Policies[1].Description)
    end)
  end)
end)

describe("infra.sim.iam providers", function()
  it("identifies a provider by its URL without the scheme", function()
    simulated(function(call)
      local params = { Url = "https://token.actions.githubusercontent.com", ClientIDList = { "sts.amazonaws.com" } }
      local arn = assert(call("iam", "CreateOpenIDConnectProvider", params)).OpenIDConnectProviderArn
      assert.equal("arn:aws:iam::" .. ACCOUNT .. ":oidc-provider/token.actions.githubusercontent.com", arn)
      assert.equal("EntityAlreadyExists", code(call("iam", "CreateOpenIDConnectProvider", params)))
      local key = { OpenIDConnectProviderArn = arn }
      local provider = assert(call("iam", "GetOpenIDConnectProvider", key))
      assert.equal("token.actions.githubusercontent.com", provider.Url)
      assert.equal(40, #provider.ThumbprintList[1])
      for _, operation in ipairs { "Add", "Add", "Remove", "Remove" } do
        local name = operation == "Add" and "AddClientIDToOpenIDConnectProvider"
          or "RemoveClientIDFromOpenIDConnectProvider"
        assert(call("iam", name, { OpenIDConnectProviderArn = arn, ClientID = "other" }))
      end
      assert.same({ "sts.amazonaws.com" }, assert(call("iam", "GetOpenIDConnectProvider", key)).ClientIDList)
      assert(call("iam", "DeleteOpenIDConnectProvider", key))
      assert(call("iam", "DeleteOpenIDConnectProvider", key))
      assert.equal("NoSuchEntity", code(call("iam", "GetOpenIDConnectProvider", key)))
    end)
  end)
end)
