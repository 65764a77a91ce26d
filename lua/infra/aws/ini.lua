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

local UNKNOWN_LINE <const> = "neither a setting nor a section header"

-- Begins the section that `line` is the header of. Returns what is wrong with it, or nil.
local function begin_section(parsed, line, number)
  local kind, title = header(line:match "^%[(.*)%]$" or "")
  if not title then
    return "this is no section header"
  end
  parsed.section, parsed.key = { kind = kind, name = title, line = number, settings = {} }, nil
  table.insert(parsed.sections, parsed.section)
end

-- Adds a line that is indented deeper than `key`: to its text, or as a setting of its own. Returns what is wrong, or
-- nil.
local function continue(settings, key, text, name, value)
  if settings[key] == "" then
    settings[key] = {}
  end
  if type(settings[key]) == "string" then
    settings[key] = settings[key] .. "\n" .. text
  elseif name then
    settings[key][name] = value
  else
    return UNKNOWN_LINE
  end
end

-- Adds a line that is not empty to what is `parsed` so far: { sections, section, key, indent }, the last three those
-- that it may belong to. Returns what is wrong with it, or nil.
local function add_line(parsed, line, number)
  local depth = #line:match "^%s*"
  local name, value = line:match "^%s*([^=%s][^=]*)=%s*(.*)$"
  name = name and trimmed(name):lower()
  local section = parsed.section
  if line:find "^%[" then
    return begin_section(parsed, line, number)
  elseif not section then
    return "a setting before the first [section]"
  elseif parsed.key and depth > parsed.indent then
    return continue(section.settings, parsed.key, line:sub(depth + 1), name, value)
  elseif not name then
    return UNKNOWN_LINE
  end
  parsed.key, parsed.indent, section.settings[name] = name, depth, value
end

local function fail(path, number, what)
  return errors.fail { code = "ConfigError", message = ("%s:%d: %s"):format(path, number, what) }
end

--- The sections of `text` in order: array of { kind = "profile" | "sso-session" | "services" | nil, name, line,
--- settings = { key = "text" | { key = "text" } } }, keys in lower case; or nil and an error that names `path:line`.
function ini.parse(text, path)
  local parsed, number = { sections = {} }, 0
  if #text > LONGEST then
    return fail(path, number, "larger than 1 MiB")
  end
  for raw in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local line = without_comment(raw)
    local wrong = line ~= "" and add_line(parsed, line, number)
    if wrong then
      return fail(path, number, wrong)
    end
  end
  return parsed.sections
end

return ini
