-- Values of parameters: from text on the command line, or from Lua in a playbook, to what an action
-- gets. A definition is what param_check made of a manifest's { "threshold", type = "integer" }.
-- SPDX-License-Identifier: Apache-2.0
local text = require "apogee.text"

local M = {}

local BOOLEANS = {
  ["true"] = true, yes = true, on = true, ["1"] = true,
  ["false"] = false, no = false, off = false, ["0"] = false,
}

local function shown(value)
  if type(value) == "string" then return '"' .. text.short(value, 60) .. '"' end
  if type(value) == "table" or type(value) == "function" then return "a " .. type(value) end
  return tostring(value)
end

local function trim(value)
  return value:match "^%s*(.-)%s*$"
end

local function joined(values)
  local words = {}
  for _, value in ipairs(values) do table.insert(words, tostring(value)) end
  return table.concat(words, ", ")
end

local function bounds(def)
  if def.min and def.max then return def.min .. " to " .. def.max end
  if def.min then return def.min .. " or more" end
  if def.max then return def.max .. " or less" end
end

local function check_bounds(def, value)
  if value == 0 and def.zero and def.min and def.min > 0 then
    return nil, "0 " .. def.zero .. ": it must be " .. bounds(def)
  end
  if def.min and value < def.min then
    return nil, value .. " is too small: it must be " .. bounds(def)
  end
  if def.max and value > def.max then
    return nil, value .. " is too large: it must be " .. bounds(def)
  end
  return value
end

local parse = {}

function parse.integer(def, value)
  local number
  if type(value) == "string" then
    local digits = trim(value):match "^[+-]?%d+$"
    number = digits and tonumber(digits)
  elseif type(value) == "number" then
    number = value
  end
  local integer = number and math.tointeger(number)
  if integer then return check_bounds(def, integer) end
  if type(number) == "number" and number == math.floor(number) then
    return nil, shown(value) .. " is too large for a whole number"
  end
  return nil, "must be a whole number, not " .. shown(value)
end

function parse.number(def, value)
  local number = type(value) == "number" and value
    or type(value) == "string" and trim(value):match "^[+-]?[%d.]+$" and tonumber(trim(value))
  if not number or number ~= number then
    return nil, "must be a number, not " .. shown(value)
  end
  return check_bounds(def, number)
end

function parse.boolean(_, value)
  if type(value) == "boolean" then return value end
  local word
  if type(value) == "string" then word = BOOLEANS[trim(value):lower()] end
  if word == nil then return nil, "must be true or false, not " .. shown(value) end
  return word
end

function parse.string(def, value)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" then return nil, "must be a text, not a " .. type(value) end
  if def.pattern and not value:find(def.pattern) then
    local example = def.example and ", as " .. shown(def.example) or ""
    return nil, shown(value) .. " has not the form that it must have" .. example
  end
  return value
end

function parse.path(_, value)
  if type(value) ~= "string" then return nil, "must be a path, not a " .. type(value) end
  if value == "" or value:find "\0" then return nil, "must be a path, not " .. shown(value) end
  return value
end

-- A text until the run makes a handle of it; a handle from then on.
function parse.secret(_, value)
  if type(value) == "userdata" then return value end
  if type(value) == "string" and value ~= "" then return value end
  return nil, "must be env:NAME, file:PATH or credential:NAME"
end

local function split(value)
  local items = {}
  local unescaped = value:gsub("\\,", "\0")
  for item in (unescaped .. ","):gmatch "([^,]*)," do
    item = trim(item):gsub("%z", ",")
    if item ~= "" then table.insert(items, item) end
  end
  return items
end

function parse.list(_, value)
  if type(value) == "string" then
    if value:find "\0" then return nil, "has a NUL character" end
    return split(value)
  end
  if type(value) ~= "table" then return nil, "must be a list, not a " .. type(value) end
  local items = {}
  for index, item in ipairs(value) do
    if type(item) ~= "string" then
      return nil, "item " .. index .. " must be a text, not a " .. type(item)
    end
    table.insert(items, item)
  end
  return items
end

M.types = { "boolean", "integer", "list", "number", "path", "secret", "string" }

local function check_enum(def, value)
  if not def.enum then return value end
  for _, allowed in ipairs(def.enum) do
    if value == allowed then return value end
  end
  return nil, shown(value) .. " is not one of " .. joined(def.enum)
end

---@param def table
---@param value any text, or a Lua value
---@return any value, string? message nil and what is wrong with it, without the parameter's name
function M.parse(def, value)
  local result, message = parse[def.type](def, value)
  if result == nil then return nil, message end
  return check_enum(def, result)
end

--- By id, else by label; the case of letters does not matter.
---@param defs table[]
---@param word string
---@return table? def
function M.find(defs, word)
  local wanted = word:lower()
  for _, def in ipairs(defs) do
    if def.id:lower() == wanted then return def end
  end
  for _, def in ipairs(defs) do
    if def.label and def.label:lower() == wanted then return def end
  end
end

--- The names under which parameters are known, for spelling help.
---@param defs table[]
---@return string[]
function M.names(defs)
  local names = {}
  for _, def in ipairs(defs) do
    table.insert(names, def.id)
    if def.label then table.insert(names, def.label) end
  end
  return names
end

local function unknown(engine, defs, word)
  local nearest = engine.nearest(word, M.names(defs))
  if nearest then return word .. ': unknown parameter; did you mean "' .. nearest .. '"?' end
  if #defs == 0 then return word .. ": unknown parameter: there are none" end
  local ids = {}
  for _, def in ipairs(defs) do table.insert(ids, def.id) end
  return word .. ": unknown parameter; there are " .. table.concat(ids, ", ")
end

-- What a value is only in a run: a secret becomes a handle, a private file is looked at.
local function enter(engine, def, value)
  if def.type == "secret" then return engine.secret(def.id, value) end
  if def.private then
    local ok, why = engine.private_file(value)
    if not ok then return nil, def.id .. ": " .. why end
  end
  return value
end

local function enter_all(engine, defs, values)
  for _, def in ipairs(defs) do
    if values[def.id] ~= nil then
      local value, message = enter(engine, def, values[def.id])
      if value == nil then return nil, message end
      values[def.id] = value
    end
  end
  return values
end

--- Checks everything that was given and fills in the defaults.
---@param engine table
---@param defs table[]
---@param given table[] { name, value } each; the name is an id or a label
---@param later table<string, boolean>? ids that get a value only when the step runs
---@return table<string, any>? values, string? message, table? def of the one that is missing
function M.collect(engine, defs, given, later)
  local values = {}
  for _, pair in ipairs(given) do
    local name, value = pair[1], pair[2]
    local def = M.find(defs, name)
    if not def then return nil, unknown(engine, defs, text.short(name, 60)) end
    if values[def.id] ~= nil then return nil, def.id .. ": is given twice" end
    local parsed, message = M.parse(def, value)
    if parsed == nil then return nil, def.id .. ": " .. message end
    values[def.id] = parsed
  end
  for _, def in ipairs(defs) do
    if values[def.id] == nil and def.default ~= nil then
      values[def.id] = M.parse(def, def.default)
    end
    if values[def.id] == nil and def.required and not (later and later[def.id]) then
      return nil, def.id .. ": is required (" .. M.describe(def) .. ")", def
    end
  end
  return enter_all(engine, defs, values)
end

local SOURCES = { "^env:", "^file:", "^credential:" }

local function is_source(value)
  for _, pattern in ipairs(SOURCES) do
    if value:find(pattern) then return true end
  end
  return false
end

--- The parameters of type secret that were given as themselves, not by where they are.
---@param defs table[]
---@param given table[] { name, value } each
---@return table[] { { def, value } }
function M.plain_secrets(defs, given)
  local found = {}
  for _, pair in ipairs(given) do
    local def = M.find(defs, pair[1])
    local is_plain = def and def.type == "secret" and not is_source(pair[2])
    if is_plain then table.insert(found, { def, pair[2] }) end
  end
  return found
end

--- What may be kept of what was given, so that a run can go on: all but secrets given in plain.
---@param defs table[]
---@param given table[] { name, text } each, as M.collect takes them
---@return table[] kept the same without those, string[] withheld their ids
function M.kept(defs, given)
  local kept, withheld = {}, {}
  for _, pair in ipairs(given) do
    local def = M.find(defs, pair[1])
    if def and def.type == "secret" and not is_source(pair[2]) then
      table.insert(withheld, def.id)
    else
      table.insert(kept, { pair[1], pair[2] })
    end
  end
  return kept, withheld
end

--- "integer, 1 or more"
---@param def table
---@return string
function M.describe(def)
  local words = { def.type }
  if bounds(def) then table.insert(words, bounds(def)) end
  if def.enum then table.insert(words, "one of " .. joined(def.enum)) end
  return table.concat(words, ", ")
end

--- As the run record may show them: a secret is stars.
---@param defs table[]
---@param values table<string, any>
---@return table<string, any>
function M.shown(defs, values)
  local result = {}
  for _, def in ipairs(defs) do
    local value = values[def.id]
    if value ~= nil then result[def.id] = def.type == "secret" and "***" or value end
  end
  return result
end

return M
