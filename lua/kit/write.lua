-- Values as Lua that gives them again: configurations and scenarios of tests, cassettes.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local INDENT = "  "

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch "%a+" do
  KEYWORDS[word] = true
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("\r", "\\r"))
end

local function scalar(value)
  if type(value) == "string" then return quoted(value) end
  local text = tostring(value)
  if math.type(value) == "float" and tonumber(text) ~= value then return ("%q"):format(value) end
  return text
end

local function key_of(key)
  local is_name = type(key) == "string" and key:find "^[%a_][%w_]*$" and not KEYWORDS[key]
  return is_name and key .. " = " or "[" .. scalar(key) .. "] = "
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= #value) then
      table.insert(keys, key)
    end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local write

local function write_table(value, indent)
  local lines = {}
  for _, member in ipairs(value) do table.insert(lines, write(member, indent .. INDENT)) end
  for _, key in ipairs(sorted_keys(value)) do
    table.insert(lines, key_of(key) .. write(value[key], indent .. INDENT))
  end
  if #lines == 0 then return "{}" end
  local separator = ",\n" .. indent .. INDENT
  return "{\n" .. indent .. INDENT .. table.concat(lines, separator) .. ",\n" .. indent .. "}"
end

function write(value, indent)
  local kind = type(value)
  if kind == "table" then return write_table(value, indent) end
  if kind == "string" or kind == "number" or kind == "boolean" then return scalar(value) end
  error("a " .. kind .. " cannot be written to a file of data", 0)
end

--- The value, as an expression of Lua. Raises for what is no data: functions and the like.
---@param value any
---@return string
function M.value(value) return write(value, "") end

--- A file of data.
---@param value table
---@param comment string? of its first line
---@return string
function M.file(value, comment)
  return (comment and "-- " .. comment .. "\n" or "") .. "return " .. M.value(value) .. "\n"
end

return M
