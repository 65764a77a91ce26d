-- Request URIs: percent encoding, forms (which query strings and the query protocols' bodies are), and the templates of
-- C2J's requestUri ("/2015-03-31/functions/{FunctionName}?list-type=2", "/{Bucket}/{Key+}").

local uri = {}

local function escape(byte)
  return ("%%%02X"):format(byte:byte())
end

--- Everything but RFC 3986's unreserved characters percent-encoded; with `keep_slashes`, "/" stays too.
function uri.encode(text, keep_slashes)
  return (text:gsub(keep_slashes and "[^A-Za-z0-9%-._~/]" or "[^A-Za-z0-9%-._~]", escape))
end

--- The reverse. A "+" stays one: AWS's clients write "%20".
function uri.decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

--- { { name, value }, ... } as a=b&c=d.
function uri.encode_form(fields)
  local out = {}
  for i, field in ipairs(fields) do
    out[i] = uri.encode(field[1]) .. "=" .. uri.encode(field[2])
  end
  return table.concat(out, "&")
end

--- The reverse; a name without "=" has the value "". Here a "+" is a space, as browsers and older clients write it.
function uri.decode_form(text)
  local out = {}
  for part in text:gmatch("[^&]+") do
    local name, value = part:gsub("%+", " "):match("^([^=]*)=?(.*)$")
    out[#out + 1] = { uri.decode(name), uri.decode(value) }
  end
  return out
end

--- A template filled in: the encoded path, and its constant query as pairs. `labels` are texts by name; a label that
--- ends in "+" is greedy and keeps its slashes.
function uri.expand(template, labels)
  local path, query = template:match("^([^?]*)%??(.*)$")
  path = path:gsub("{([^}+]+)(%+?)}", function(name, greedy)
    return uri.encode(assert(labels[name], name), greedy == "+")
  end)
  return path, uri.decode_form(query)
end

return uri
