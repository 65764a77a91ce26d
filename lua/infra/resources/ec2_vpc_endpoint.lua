-- EC2 VPC endpoints: gateways for S3 and DynamoDB, interfaces for everything else. Used by resources/ec2.lua.
--
-- EC2 writes the states in either case, fills in a policy that allows everything and the VPC's default security group
-- where none are declared, and answers a deletion that it refuses with "200".

local json = require "host.json"
local set_of = require "infra.set_of"

local KEY = { "Id=VpcEndpointId" }

local GONE = { "InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound" }

local function missing_from(list, others)
  local known, result = set_of(others), json.array {}
  for _, item in ipairs(list or {}) do
    result[#result + 1] = not known[item] and item or nil
  end
  return #result > 0 and result or nil
end

-- A list of ids, of which a change says what to add and what to remove.
local function list_facet(property)
  return {
    properties = { property }, wait = true,
    write = {
      "ModifyVpcEndpoint", send = KEY,
      encode = function(params, scope, _, live)
        local present = live.values[property]
        params["Add" .. property] = missing_from(scope[property], present)
        params["Remove" .. property] = missing_from(present, scope[property])
      end,
    },
  }
end

local function state_of(endpoint)
  return endpoint.State and endpoint.State:lower()
end

local function check(properties, report)
  local kind = properties.VpcEndpointType or "Gateway"
  if kind == "Gateway" and (properties.SubnetIds or properties.SecurityGroupIds) then
    report("VpcEndpointType", "of an endpoint with SubnetIds or SecurityGroupIds is \"Interface\"")
  elseif kind == "Interface" and properties.RouteTableIds then
    report("RouteTableIds", "are for endpoints of the VpcEndpointType \"Gateway\"")
  end
end

--- The type; `ec2_type` completes a spec with what all EC2 types share.
return function(ec2_type)
  return ec2_type {
    tag_type = "vpc-endpoint",
    identity = { "Id" },
    check = check,
    required = { "ServiceName" },
    typical = { create = 20, update = 10, delete = 60 },
    defaults = {
      VpcEndpointType = "Gateway", RouteTableIds = json.array {}, SubnetIds = json.array {},
    },
    sets = { "RouteTableIds", "SubnetIds", "SecurityGroupIds" },
    sticky = { "SecurityGroupIds", "PrivateDnsEnabled", "IpAddressType" },
    create = {
      "CreateVpcEndpoint",
      send = {
        "VpcId", "ServiceName", "VpcEndpointType", "PolicyDocument", "RouteTableIds", "SubnetIds", "SecurityGroupIds",
        "PrivateDnsEnabled", "IpAddressType", "@token=ClientToken",
      },
      result = "VpcEndpoint", idempotent = true,
    },
    read = {
      "DescribeVpcEndpoints", list = "VpcEndpoints", key = "VpcEndpointId", ids = "VpcEndpointIds", absent = GONE,
      map = {
        "Id=VpcEndpointId", "VpcId", "ServiceName", "VpcEndpointType", "PolicyDocument", "RouteTableIds", "SubnetIds",
        "SecurityGroupIds=Groups[].GroupId", "PrivateDnsEnabled", "IpAddressType", "NetworkInterfaceIds",
        "CreationTimestamp",
      },
      decode = function(endpoint, values)
        values["@state"] = state_of(endpoint)
        values.DnsEntries = json.array {}
        for i, entry in ipairs(endpoint.DnsEntries or {}) do
          values.DnsEntries[i] = ("%s:%s"):format(entry.HostedZoneId or "", entry.DnsName or "")
        end
      end,
    },
    facets = {
      list_facet "RouteTableIds", list_facet "SubnetIds", list_facet "SecurityGroupIds",
      {
        properties = { "PolicyDocument" },
        write = { "ModifyVpcEndpoint", send = { "Id=VpcEndpointId", "PolicyDocument" } },
        clear = { "ModifyVpcEndpoint", send = KEY, with = { ResetPolicy = true } },
      },
      {
        properties = { "PrivateDnsEnabled", "IpAddressType" }, partial = true, wait = true,
        write = { "ModifyVpcEndpoint", send = { "Id=VpcEndpointId", "PrivateDnsEnabled", "IpAddressType" } },
      },
    },
    state = {
      path = state_of, ready = { "available", "pendingacceptance" }, failed = { "failed", "rejected", "expired" },
      message = "LastError.Message",
      leaving = { "deleting" }, gone = { "deleted" }, limit = 600, delete_limit = 1800,
    },
    delete = {
      "DeleteVpcEndpoints", send = { "Id=VpcEndpointIds[]" }, wait = true,
      failures = { "Unsuccessful", code = "Error.Code", message = "Error.Message" },
    },
    gone = GONE,
    warn = function(values, properties)
      if values["@state"] == "pendingacceptance" then
        return ("the owner of %s must accept the endpoint %s"):format(properties.ServiceName, values.Id)
      end
    end,
  }
end
