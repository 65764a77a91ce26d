-- A text as the words that a POSIX shell would make of it, without expanding anything: names of sections
-- (infra.aws.ini) and the command of a credential_process are written so.

local ESCAPABLE <const> = '["\\]' -- by a backslash between double quotes

-- How a run of characters at `at` reads: its text, and where it ends; nil when its quote is never closed
-- or its backslash quotes nothing.
local function piece(text, at)
  local quote = text:match("^['\"\\]", at)
  if not quote then
    local plain = text:match("^[^%s'\"\\]+", at)
    return plain, at + #plain
  elseif quote == "\\" then
    return at < #text and text:sub(at + 1, at + 1) or nil, at + 2
  end
  local close = at + 1
  while text:sub(close, close) ~= quote do
    if close > #text then
      return nil
    end
    close = close + (quote == '"' and text:find("^\\" .. ESCAPABLE, close) and 2 or 1)
  end
  local inside = text:sub(at + 1, close - 1)
  return quote == '"' and inside:gsub("\\(" .. ESCAPABLE .. ")", "%1") or inside, close + 1
end

--- The words of `text`: an array, or nil when a quote in it is never closed or its last backslash quotes nothing.
return function(text)
  local words = {}
  local at = text:match "^%s*()"
  while at <= #text do
    local word = ""
    while at <= #text and not text:find("^%s", at) do
      local part, after = piece(text, at)
      if not part then
        return nil
      end
      word, at = word .. part, after
    end
    words[#words + 1] = word
    at = text:match("^%s*()", at)
  end
  return words
end
