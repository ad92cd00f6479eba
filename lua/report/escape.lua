-- One escaper for each place that text from outside may stand in. All but `url` make visible what
-- is not: control characters, marks of direction, zero-width characters, bytes that are no UTF-8.
-- SPDX-License-Identifier: Apache-2.0
local text = require "apogee.text"

local M = {}

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- Not longer than `bytes`, cut between characters. Before escaping: what is escaped grows.
---@param words string
---@param bytes integer
---@return string
function M.clip(words, bytes)
  if #words <= bytes then return words end
  local stop = bytes
  while stop > 0 and words:byte(stop + 1) & 0xc0 == 0x80 do stop = stop - 1 end
  return words:sub(1, stop) .. "…"
end

--- For a terminal: nothing in it is obeyed. A line break is visible too.
---@param words string
---@return string
M.terminal = text.escape

--- Between tags.
---@param words string
---@return string
function M.html(words)
  return (text.escape(words):gsub("[&<>\"']", HTML))
end

--- Between the double quotes of an attribute that is no URL, style or script.
M.attribute = M.html

--- For href, ready to stand between double quotes; nil unless it is a plain http or https URL.
---@param words string
---@return string?
function M.url(words)
  if type(words) ~= "string" or #words > 4000 then return nil end
  if not words:find "^[Hh][Tt][Tt][Pp][Ss]?://[%w%[]" then return nil end
  if words:find "[^\33-\126]" or words:find "[\"'<>`\\^{}|]" then return nil end
  if words:match "^%w+://([^/?#]*)":find("@", 1, true) then return nil end -- http://bank@evil/
  return (words:gsub("&", "&amp;"))
end

--- Text in Markdown: nothing in it makes a mark, a link, an address or a mention. An @ becomes [at]
--- and the scheme of a URL is defanged, since no backslash keeps those from becoming links.
---@param words string
---@return string
function M.markdown(words)
  local plain = text.escape(words):match "^%s*(.-)%s*$"
  plain = plain:gsub("%f[%w][Hh][Tt][Tt][Pp]([Ss]?://)", "hxxp%1")
    :gsub("%f[%w][Ff][Tt][Pp]([Ss]?://)", "fxp%1")
    :gsub("%f[%w]([Ww][Ww][Ww])%.", "%1[.]"):gsub("@", "[at]")
  plain = plain:gsub("[\\`*_%[%]<>|~&#$!]", "\\%0")
  return (plain:gsub("^[-+=:]", "\\%0"):gsub("^(%d+)([.)])", "%1\\%2"))
end

--- A code span in Markdown; in a table a | would end the cell, and a \| is read in two ways there.
---@param words string
---@param in_table boolean?
---@return string
function M.code(words, in_table)
  local plain = text.escape(words)
  if plain == "" then return "" end
  if in_table and plain:find("\\|", 1, true) then return M.markdown(words) end
  if in_table then plain = plain:gsub("|", "\\|") end
  local longest = 0
  for ticks in plain:gmatch "`+" do longest = math.max(longest, #ticks) end
  local fence = ("`"):rep(longest + 1)
  local pad = plain:find "^[` ]" or plain:find "[` ]$"
  return pad and fence .. " " .. plain .. " " .. fence or fence .. plain .. fence
end

local FORMULA = "^[=+%-@\t\r\n]"
local WIDE_FORMULA = { "＝", "＋", "－", "＠" }

local function is_formula(words)
  if words:find(FORMULA) then return true end
  for _, sign in ipairs(WIDE_FORMULA) do
    if words:sub(1, #sign) == sign then return true end
  end
  return false
end

--- A cell of CSV, quoted. What a spreadsheet would take for a formula begins with an apostrophe.
---@param words string
---@return string
function M.csv(words)
  local plain = text.escape(words)
  if is_formula(words) then plain = "'" .. plain end
  return '"' .. plain:gsub('"', '""') .. '"'
end

return M
