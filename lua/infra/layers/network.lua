-- The network: a VPC over two or more zones, public subnets behind an internet gateway, private subnets behind NAT.
--
--   local network = stack:layer("network", { nat = "per-az" })
--
-- Returns { vpc, public_subnets, private_subnets, private_route_tables, zones, s3_endpoint }.

local infra = require "infra"

local network = {
  options = {
    cidr = infra.default("10.20.0.0/16", "the VPC's address range"),
    zones = infra.optional("table", "availability zones; by default the region's a and b"),
    public_cidrs = infra.optional("table", "one range per zone; by default the VPC's third number 0, 1, ..."),
    private_cidrs = infra.optional("table", "one range per zone; by default the VPC's third number 16, 17, ..."),
    nat = infra.one_of({ "single", "per-az", "none" }, "NAT gateways: one, one per zone, or none"),
    s3_endpoint = infra.default(false, "whether the private subnets reach S3 without the NAT gateway and its price"),
  },
}

local PRIVATE_OFFSET <const> = 16 -- leaves room for sixteen public subnets of a /16

-- "10.20.0.0/16", 17 -> "10.20.17.0/24"
local function slice(cidr, third)
  local first, second = cidr:match("^(%d+)%.(%d+)%.")
  return ("%s.%s.%d.0/24"):format(first, second, third)
end

local function zones_of(stack, options)
  return options.zones or { stack.region .. "a", stack.region .. "b" }
end

local function subnets(stack, vpc, kind, zones, cidrs)
  local result = {}
  for i, zone in ipairs(zones) do
    result[i] = stack:resource("AWS::EC2::Subnet", ("%s-%d"):format(kind, i), {
      VpcId = vpc.VpcId, CidrBlock = cidrs[i], AvailabilityZone = zone, MapPublicIpOnLaunch = false,
    })
  end
  return result
end

-- A subnet moves to another table when that leads somewhere, so that it has a way out all the time.
local function associate(stack, kind, subnet_list, tables, ways_out)
  for i, subnet in ipairs(subnet_list) do
    local number = tables[i] and i or 1
    stack:resource("AWS::EC2::SubnetRouteTableAssociation", ("%s-%d-association"):format(kind, i), {
      SubnetId = subnet.SubnetId, RouteTableId = tables[number].RouteTableId,
    }, { depends_on = { ways_out[number] } })
  end
end

-- A gateway needs the way out to exist: the attachment and the public route.
local function nat_gateway(stack, name, subnet, way_out)
  local address = stack:resource("AWS::EC2::EIP", name .. "-address", { Domain = "vpc" }, { depends_on = way_out })
  return stack:resource("AWS::EC2::NatGateway", name, {
    SubnetId = subnet.SubnetId, AllocationId = address.AllocationId,
  }, { depends_on = way_out })
end

local function s3_endpoint(stack, vpc, tables)
  local ids = {}
  for i, route_table in ipairs(tables) do
    ids[i] = route_table.RouteTableId
  end
  return stack:resource("AWS::EC2::VPCEndpoint", "s3-endpoint", {
    VpcId = vpc.VpcId, VpcEndpointType = "Gateway", ServiceName = ("com.amazonaws.%s.s3"):format(stack.region),
    RouteTableIds = ids,
  })
end

function network.build(stack, options)
  local zones = zones_of(stack, options)
  local public_cidrs, private_cidrs = options.public_cidrs or {}, options.private_cidrs or {}
  for i in ipairs(zones) do
    public_cidrs[i] = public_cidrs[i] or slice(options.cidr, i - 1)
    private_cidrs[i] = private_cidrs[i] or slice(options.cidr, PRIVATE_OFFSET + i - 1)
  end

  local vpc = stack:resource("AWS::EC2::VPC", "vpc", {
    CidrBlock = options.cidr, EnableDnsSupport = true, EnableDnsHostnames = true,
  })
  local public = subnets(stack, vpc, "public", zones, public_cidrs)
  local private = subnets(stack, vpc, "private", zones, private_cidrs)

  local gateway = stack:resource("AWS::EC2::InternetGateway", "internet-gateway")
  local attachment = stack:resource("AWS::EC2::VPCGatewayAttachment", "internet-attachment", {
    VpcId = vpc.VpcId, InternetGatewayId = gateway.InternetGatewayId,
  })
  local public_table = stack:resource("AWS::EC2::RouteTable", "public-routes", { VpcId = vpc.VpcId })
  local public_route = stack:resource("AWS::EC2::Route", "public-default", {
    RouteTableId = public_table.RouteTableId, DestinationCidrBlock = "0.0.0.0/0",
    GatewayId = gateway.InternetGatewayId,
  }, { depends_on = { attachment } })
  associate(stack, "public", public, { public_table }, { public_route })

  local private_tables, private_routes = {}, {}
  local gateways = options.nat == "per-az" and #zones or options.nat == "single" and 1 or 0
  for i = 1, math.max(1, gateways) do
    local suffix = gateways > 1 and "-" .. i or ""
    private_tables[i] = stack:resource("AWS::EC2::RouteTable", "private-routes" .. suffix, { VpcId = vpc.VpcId })
    if gateways > 0 then
      local nat = nat_gateway(stack, "nat" .. suffix, public[i], { attachment, public_route })
      private_routes[i] = stack:resource("AWS::EC2::Route", "private-default" .. suffix, {
        RouteTableId = private_tables[i].RouteTableId, DestinationCidrBlock = "0.0.0.0/0",
        NatGatewayId = nat.NatGatewayId,
      })
    end
  end
  associate(stack, "private", private, private_tables, private_routes)

  return {
    vpc = vpc, public_subnets = public, private_subnets = private, private_route_tables = private_tables, zones = zones,
    s3_endpoint = options.s3_endpoint and s3_endpoint(stack, vpc, private_tables) or nil,
  }
end

return network
