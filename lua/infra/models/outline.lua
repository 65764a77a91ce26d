-- What people are shown of the models: `infra models show` prints it. An outline is
--   { title, text (documentation, nil), facts = { "Ref gives VpcId", ... }, sections = { { name, members }, ... } }
-- and a member
--   { name, required, type (in words, nil), notes = { "required", ... }, text, members() }
-- where members() lists what is inside it, and is nil when nothing is. Members come in any order.

local sorted_keys = require "infra.sorted_keys"
local style = require "infra.report.style"

local outline = {}

local INDENT <const> = "  "

-- Required members first, then by name.
local function by_need(a, b)
  if (a.required or false) ~= (b.required or false) then
    return a.required
  end
  return a.name < b.name
end

-- The first sentence, or paragraph when that is shorter.
local function summary(text)
  local paragraph = text:match "^[^\n]*"
  return paragraph:match "^(.-%.)%s" or paragraph
end

-- Adds `text` broken into lines; the first line starts with `first`, the others with `indent`.
local function wrap(lines, text, first, indent, width)
  for _, line in ipairs(style.wrap(text, first, indent, width)) do
    lines[#lines + 1] = line
  end
end

local function add_members(lines, members, options, depth)
  table.sort(members, by_need)
  local indent, widest = INDENT:rep(depth), 0
  for _, member in ipairs(members) do
    widest = math.max(widest, #member.name)
  end
  for _, member in ipairs(members) do
    local what = table.concat({ member.type, table.unpack(member.notes) }, ", ")
    local first = indent .. member.name .. (" "):rep(widest - #member.name) .. INDENT
    wrap(lines, what, first, (" "):rep(#first), options.width)
    if member.text then
      local inside = indent .. INDENT .. INDENT
      wrap(lines, summary(member.text), inside, inside, options.width)
    end
    if member.members and depth < options.depth then
      add_members(lines, member.members(), options, depth + 1)
    end
  end
end

local function add_title(lines, title, text, facts, width)
  lines[#lines + 1] = title
  if text then
    lines[#lines + 1] = ""
    wrap(lines, text, "", "", width)
  end
  if #facts > 0 then
    lines[#lines + 1] = ""
    wrap(lines, table.concat(facts, "\n"), INDENT, INDENT, width)
  end
end

--- The outline as text for a terminal; options = { width = columns, depth = levels of members to show }.
function outline.text(given, options)
  local lines = {}
  add_title(lines, given.title, given.text, given.facts, options.width)
  for _, section in ipairs(given.sections) do
    if #section.members > 0 then
      lines[#lines + 1] = ""
      lines[#lines + 1] = section.name
      add_members(lines, section.members, options, 1)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function named(members, name)
  for _, member in ipairs(members) do
    if member.name == name then
      return member
    end
  end
end

local function find(members, path)
  local whole = named(members, path) -- some attributes have dots in their names
  if whole then
    return whole
  end
  local first, rest = path:match "^(.-)%.(.+)$"
  local member = first and named(members, first)
  return member and member.members and find(member.members(), rest)
end

--- The outline of one member; `path` is its name after those of the members that it is in, joined by dots
--- ("TagSpecifications.Tags") -> outline | nil, the names that there are.
function outline.member(given, path)
  local names = {}
  for _, section in ipairs(given.sections) do
    local member = find(section.members, path)
    for _, known in ipairs(section.members) do
      names[known.name] = true
    end
    if member then
      return {
        title = given.title .. " " .. path,
        text = member.text,
        facts = { member.type, table.unpack(member.notes) },
        sections = { { name = "members", members = member.members and member.members() or {} } },
      }
    end
  end
  return nil, sorted_keys(names)
end

return outline
