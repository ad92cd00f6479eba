-- Parameters as options: `--rescan-after-days 7` for rescan_after_days. The program's own options
-- win over a parameter of the same name, which is then given with --param only.
-- SPDX-License-Identifier: Apache-2.0
local params = require "apogee.params"
local text = require "apogee.text"

local M = {}

--- The option of a parameter, without the dashes; nil where the program has one of that name.
---@param def table
---@param taken string[]? the program's own
---@return string?
function M.name_of(def, taken)
  local name = def.id:gsub("_", "-")
  for _, other in ipairs(taken or {}) do
    if other == name then return nil end
  end
  return name
end

--- "--threshold N", or "--param timeout=N" where the program has an option of that name.
---@param def table
---@param value string? what is given; else what stands for it
---@param taken string[]?
---@return string
function M.written(def, value, taken)
  local name = M.name_of(def, taken)
  value = value or M.placeholder(def)
  if not name then return "--param " .. def.id .. "=" .. (value or "true") end
  return "--" .. name .. (value and " " .. value or "")
end

--- What stands for a value: "N", "PATH"; nil for a boolean, which needs none.
---@param def table
---@return string?
function M.placeholder(def)
  if def.enum and def.type ~= "secret" then
    local words = {}
    for _, word in ipairs(def.enum) do table.insert(words, tostring(word)) end
    return table.concat(words, "|")
  end
  local words = { boolean = false, integer = "N", number = "X", path = "PATH", secret = "SOURCE",
    list = "A,B,...", string = "TEXT" }
  return words[def.type] or nil
end

local function find(defs, name, taken)
  local wanted = name:lower()
  for _, def in ipairs(defs) do
    if M.name_of(def, taken) == wanted or def.id == wanted then return def end
  end
end

local function unknown(engine, defs, option, taken)
  local name = text.short(option.name, 60)
  local names, all = {}, {}
  for _, def in ipairs(defs) do
    local known = M.name_of(def, taken)
    if known then
      table.insert(names, known)
      table.insert(all, "--" .. known)
    end
  end
  table.insert(names, option.near)
  local nearest = engine.nearest(name, names) or option.near
  local said = "unknown option --" .. name
  if nearest then return said .. ": did you mean --" .. nearest .. "?" end
  if #all == 0 then return said .. ": there are no parameters" end
  return said .. "; the parameters are " .. table.concat(all, ", ")
end

local function value_of(def, option)
  local value = option.value
  if def.type ~= "boolean" then
    if value then return value end
    return nil, ("--%s needs a value: --%s %s"):format(option.name, option.name,
      M.placeholder(def))
  end
  if not value then return "true" end
  if option.is_apart and params.parse(def, value) == nil then
    return nil, ('"%s" is one too many: --%s needs no value, or true or false'):format(
      text.short(value, 60), option.name)
  end
  return value
end

--- Turns options into parameters as --param gives them.
---@param engine table
---@param defs table[]
---@param options table[] { name, value, is_apart, near } each
---@param taken string[]?
---@return table[]? pairs { id, value } each, string? message
function M.take(engine, defs, options, taken)
  local given = {}
  for _, option in ipairs(options) do
    local def = find(defs, option.name, taken)
    if not def then return nil, unknown(engine, defs, option, taken) end
    local value, message = value_of(def, option)
    if not value then return nil, message end
    table.insert(given, { def.id, value })
  end
  return given
end

return M
