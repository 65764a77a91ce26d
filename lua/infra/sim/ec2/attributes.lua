-- EC2's Modify...Attribute operations change one attribute per call. Used by infra.sim.ec2.vpcs and .subnets.

local attributes = {}

--- The one attribute that a call names, out of the names in `known`; calls that name none or several are refused.
function attributes.single(ctx, params, known)
  local given = {}
  for _, name in ipairs(known) do
    if params[name] ~= nil then
      given[#given + 1] = name
    end
  end
  if #given == 0 then
    ctx:fail("InvalidParameterCombination", "No attributes specified.")
  elseif #given > 1 then
    ctx:fail("InvalidParameterCombination",
      "Fields for multiple attribute types specified: " .. table.concat(given, ", "))
  end
  return given[1]
end

return attributes
