-- The words of a Lua file that the parser of Lua has found to be right: what cannot be then is not
-- looked for. Three lists of equal length: what each is (a keyword or sign as itself, else "name",
-- "text", "number"), its value, its line. The last is "end of file".
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local byte, find, match, sub = string.byte, string.find, string.match, string.sub

local IS_KEYWORD = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch "%S+" do
  IS_KEYWORD[word] = true
end

local LONG_SIGNS = {
  ["="] = { "==" }, ["~"] = { "~=" }, ["<"] = { "<=", "<<" }, [">"] = { ">=", ">>" },
  ["/"] = { "//" }, [":"] = { "::" }, ["."] = { "...", ".." },
}

-- Behind a long bracket that opens at `at`, and what is in it; nil when none opens there.
local function past_long(source, at)
  local level, start = match(source, "^%[(=*)%[()", at)
  if not level then return nil end
  local stop, last = find(source, "]" .. level .. "]", start, true)
  return last + 1, sub(source, start, stop - 1)
end

-- The value of a text with escapes is not worked out: nil.
local function past_quoted(source, at)
  local wanted = sub(source, at, at) == '"' and '["\\]' or "['\\]"
  local is_plain, last = true, at
  while true do
    last = find(source, wanted, last + 1)
    if byte(source, last) ~= 92 then break end
    is_plain = false
    last = last + 1
  end
  return last + 1, is_plain and sub(source, at + 1, last - 1) or nil
end

local function past_number(source, at)
  local last
  if find(source, "^0[xX]", at) then
    last = match(source, "^0[xX][%x.]*()", at)
    return match(source, "^[pP][+-]?%d+()", last) or last
  end
  last = match(source, "^[%d.]+()", at)
  return match(source, "^[eE][+-]?%d+()", last) or last
end

local function sign_at(source, at)
  local sign = sub(source, at, at)
  for _, long in ipairs(LONG_SIGNS[sign] or {}) do
    if sub(source, at, at + #long - 1) == long then return long end
  end
  return sign
end

-- Each gives what it is, its value, and where the next may begin; nothing: a comment.
local function word(source, at)
  local text = match(source, "^[%w_]+", at)
  return IS_KEYWORD[text] and text or "name", text, at + #text
end

local function sign(source, at)
  local text = sign_at(source, at)
  return text, nil, at + #text
end

local function number(source, at) return "number", nil, past_number(source, at) end

local function quoted(source, at)
  local next_at, text = past_quoted(source, at)
  return "text", text, next_at
end

local function bracket(source, at)
  local next_at, text = past_long(source, at)
  if next_at then return "text", match(text, "^\r?\n?(.*)$"), next_at end
  return sign(source, at)
end

local function minus(source, at)
  if byte(source, at + 1) ~= 45 then return sign(source, at) end
  return nil, nil, past_long(source, at + 2) or find(source, "\n", at, true) or #source + 1
end

local function dot(source, at)
  if find(source, "^%.%d", at) then return number(source, at) end
  return sign(source, at)
end

local READERS = {}
for code = 0, 255 do
  local char = string.char(code)
  READERS[code] = find(char, "[%a_]") and word or find(char, "%d") and number or sign
end
READERS[byte '"'], READERS[byte "'"] = quoted, quoted
READERS[byte "["], READERS[byte "-"], READERS[byte "."] = bracket, minus, dot

---@param source string
---@return string[] kinds, string[] values, integer[] lines
function M.words(source)
  local kinds, values, lines, count = {}, {}, {}, 0
  local at, line = find(source, "^\xef\xbb\xbf") and 4 or 1, 1
  local line_end = find(source, "\n", 1, true) or #source + 1
  while true do
    at = find(source, "%S", at)
    if not at then break end
    while at > line_end do
      line = line + 1
      line_end = find(source, "\n", line_end + 1, true) or #source + 1
    end
    local kind, value, next_at = READERS[byte(source, at)](source, at)
    if kind then
      count = count + 1
      kinds[count], values[count], lines[count] = kind, value, line
    end
    at = next_at
  end
  kinds[count + 1], lines[count + 1] = "end of file", line
  return kinds, values, lines
end

return M
