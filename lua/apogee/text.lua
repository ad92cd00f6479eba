-- Text for people: what cannot be seen is escaped, and a width is counted in columns of a terminal.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

-- Characters that change how the text around them is shown: bidirectional marks, zero-width ones.
local HIDDEN = {
  { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x200b, 0x200f },
  { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb },
  { 0xe0000, 0xe007f },
}
local WIDE = {
  { 0x1100, 0x115f }, { 0x2e80, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
  { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff },
  { 0x20000, 0x3fffd },
}
local COMBINING = { { 0x300, 0x36f }, { 0x1ab0, 0x1aff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return true end
  end
  return false
end

local function escape_bytes(text)
  return (text:gsub(".", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function escape_code(code)
  if code < 0x20 or is_in(HIDDEN, code) then return ("\\u{%x}"):format(code) end
  return utf8.char(code)
end

--- Control characters, marks of direction and what is no UTF-8 become visible. Line breaks too.
---@param text string
---@return string
function M.escape(text)
  if not text:find "[^\32-\126]" then return text end
  local parts = {}
  local at = 1
  while at <= #text do
    local valid, bad = utf8.len(text, at)
    local stop = valid and #text or bad - 1
    for _, code in utf8.codes(text:sub(at, stop)) do table.insert(parts, escape_code(code)) end
    if bad then table.insert(parts, escape_bytes(text:sub(bad, bad))) end
    at = stop + 2
  end
  return table.concat(parts)
end

local function code_width(code)
  if is_in(COMBINING, code) then return 0 end
  return code >= 0x1100 and is_in(WIDE, code) and 2 or 1
end

--- Columns that an escaped text takes.
---@param text string
---@return integer
function M.width(text)
  if not text:find "[\128-\255]" then return #text end
  local width = 0
  for _, code in utf8.codes(text) do width = width + code_width(code) end
  return width
end

local function take(codes, from, step, columns)
  local taken = {}
  local at = from
  while codes[at] do
    columns = columns - code_width(codes[at])
    if columns < 0 then break end
    table.insert(taken, step > 0 and #taken + 1 or 1, utf8.char(codes[at]))
    at = at + step
  end
  return table.concat(taken)
end

local function codes_of(text)
  local codes = {}
  for _, code in utf8.codes(text) do table.insert(codes, code) end
  return codes
end

--- Takes out the middle of a text that is too long: "44d886…b02f".
---@param text string escaped
---@param columns integer 1 or more
---@return string
function M.cut_middle(text, columns)
  if M.width(text) <= columns then return text end
  local codes = codes_of(text)
  local head = take(codes, 1, 1, columns // 2)
  return head .. "…" .. take(codes, #codes, -1, columns - 1 - M.width(head))
end

--- Takes off the end of a text that is too long.
---@param text string escaped
---@param columns integer 1 or more
---@return string
function M.cut_end(text, columns)
  if M.width(text) <= columns then return text end
  return take(codes_of(text), 1, 1, columns - 1) .. "…"
end

--- Escapes, and takes out the middle of what is too long for a sentence.
---@param text string
---@param columns integer
---@return string
function M.short(text, columns)
  return M.cut_middle(M.escape(text), columns)
end

--- Fills up with blanks; a text that is wider stays as it is.
---@param text string escaped
---@param columns integer
---@return string
function M.pad(text, columns)
  return text .. (" "):rep(columns - M.width(text))
end

--- Breaks escaped text between words. A word longer than a line is broken too.
---@param text string
---@param columns integer
---@return string[] lines
function M.wrap(text, columns)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    local joined = line == "" and word or line .. " " .. word
    if line ~= "" and M.width(joined) > columns then
      table.insert(lines, line)
      joined = word
    end
    while M.width(joined) > columns do
      local head = take(codes_of(joined), 1, 1, columns)
      table.insert(lines, head)
      joined = joined:sub(#head + 1)
    end
    line = joined
  end
  if line ~= "" then table.insert(lines, line) end
  return lines
end

return M
