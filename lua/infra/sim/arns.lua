-- ARNs as most services write them. Used by the simulated services.

local arns = {}

--- The ARN of `resource` ("subnet/subnet-1") of a service in the account and region of `place`: { partition, region,
--- account }, a handler's context for example.
function arns.of(place, service, resource)
  return ("arn:%s:%s:%s:%s:%s"):format(place.partition, service, place.region, place.account, resource)
end

--- The same of a service that has no region.
function arns.global(place, service, resource)
  return ("arn:%s:%s::%s:%s"):format(place.partition, service, place.account, resource)
end

return arns
