-- The format of AWS's shared configuration files (~/.aws/config, ~/.aws/credentials). Used by infra.aws.config.
--
-- It is not quite any other INI: names of sections may be quoted, a line indented deeper than its key continues that
-- key, and below a key without a value such lines are settings of their own. AWS documents it in the SDKs and Tools
-- Reference Guide, "Shared config and credentials files".

local errors = require "infra.errors"
local shell_words = require "infra.aws.shell_words"

local ini = {}

local LONGEST <const> = 1 << 20 -- bytes; no configuration is larger

-- "profile" and "my name" from [profile "my name"]; one word from [default].
local function header(text)
  local words = shell_words(text) or {}
  if #words == 1 then
    return nil, words[1]
  elseif #words == 2 then
    return words[1], words[2]
  end
end

-- Without blanks at its end. (Patterns like "%s+$" and ".-%s*$" try every blank of a long line again and again.)
local function trimmed(text)
  return text:match "^.*%S" or ""
end

-- A comment runs to the end of the line from a # or ; that starts the line or follows a blank.
local function without_comment(line)
  return trimmed((line:gsub("^%s*[#;].*$", ""):gsub("%s[#;].*$", "")))
end

--- The sections of `text` in order: array of { kind = "profile" | "sso-session" | "services" | nil, name, line,
--- settings = { key = "text" | { key = "text" } } }, keys in lower case; or nil and an error that names `path:line`.
function ini.parse(text, path)
  local sections = {}
  local section, key, indent
  local number = 0

  local function fail(what)
    return errors.fail { code = "ConfigError", message = ("%s:%d: %s"):format(path, number, what) }
  end

  if #text > LONGEST then
    return fail "larger than 1 MiB"
  end
  for raw in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local line = without_comment(raw)
    local depth = #line:match "^%s*"
    local name, value = line:match "^%s*([^=%s][^=]*)=%s*(.*)$"
    name = name and trimmed(name)
    if line == "" then
      goto continue
    elseif line:find "^%[" then
      local inside = line:match "^%[(.*)%]$"
      local kind, title = header(inside or "")
      if not title then
        return fail "this is no section header"
      end
      section = { kind = kind, name = title, line = number, settings = {} }
      sections[#sections + 1] = section
      key = nil
    elseif not section then
      return fail "a setting before the first [section]"
    elseif key and depth > indent then
      local settings = section.settings
      if settings[key] == "" then
        settings[key] = {}
      end
      if type(settings[key]) == "string" then
        settings[key] = settings[key] .. "\n" .. line:sub(depth + 1)
      elseif name then
        settings[key][name:lower()] = value
      else
        return fail "neither a setting nor a section header"
      end
    elseif name then
      key, indent = name:lower(), depth
      section.settings[key] = value
    else
      return fail "neither a setting nor a section header"
    end
    ::continue::
  end
  return sections
end

return ini
