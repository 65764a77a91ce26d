-- Names in the DNS as Route 53 writes them: lower case, with a dot at the end, and what is neither letter, digit, "-",
-- "_" nor "." as an octal escape (a wildcard is "\052.example.com."). Used by resources/route53*, hosted_zone and
-- acm_*.

local dns_name = {}

--- The one way of writing a name, in which equal names are equal texts: "*.example.com.".
function dns_name.normal(name)
  local plain = name:gsub("\\(%d%d%d)", function(digits)
    return string.char(tonumber(digits, 8))
  end)
  return (plain:lower():gsub("%.?$", ".", 1))
end

--- Whether `name` is `zone` or below it.
function dns_name.is_within(name, zone)
  name, zone = "." .. dns_name.normal(name), "." .. dns_name.normal(zone)
  return name:sub(-#zone) == zone
end

return dns_name
