-- How services write the KMS key that they use: declared as an id, an ARN or an alias, it comes back as the key's ARN
-- (or its id). Used as `accepts` of the properties that name a key.

-- "arn:aws:kms:us-east-1:123456789012:key/1234abcd" and "1234abcd" -> "1234abcd"; an alias, by ARN or name, -> its
-- name.
local function short(key)
  return (key:gsub("^arn:.-:kms:.-:.-:", ""):gsub("^key/", ""))
end

--- Whether the key `wanted` may be the `live` one: an alias may stand for any key, but not for another alias.
return function(wanted, live)
  local name, other = short(wanted), short(live)
  return name == other or name:find("^alias/") ~= nil and not other:find("^alias/")
end
