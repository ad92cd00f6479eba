-- A look at a script and the modules of its folder that it requires, without running them: what the
-- manifest is as it is written, and what each name stands for, as far as that can be told. A name
-- stands for bases with fields behind them: { base = { kind = "global", name }, path = {names} };
-- the kinds are global, module, ctx, entity and case.
-- SPDX-License-Identifier: Apache-2.0
local parse = require "apogee.parse"

local M = {}
M.__index = M

local MAX_UNITS = 50
local MAX_MEANINGS = 16
local MAX_FIELDS = 32

-- A file can be written so that each of its names may be thousands of others.
local MAX_STEPS = 1000000

local GLOBALS, MODULES = {}, {}

local function base_of(list, kind, name)
  list[name] = list[name] or { kind = kind, name = name }
  return list[name]
end

-- ---- units ----

local function own_module_path(folder, name)
  if name:find "^apogee%." or name:find "^report%." then return nil end
  return folder .. name:gsub("%.", "/") .. ".lua"
end

local function module_names(parsed)
  local names = {}
  for _, place in ipairs(parsed.places) do
    local argument = place.root.global == "require" and place.call and place.call[1]
    if argument and argument.kind == "text" and argument.text then
      table.insert(names, argument.text)
    end
  end
  return names
end

local function not_looked_into(path, why)
  return path .. ": warning: it was not looked into: " .. why
end

local function add_unit(look, path)
  if look.by_path[path] ~= nil then return end
  look.by_path[path] = false
  local source = #look.units < MAX_UNITS and look.engine.source(path)
  local ok, parsed = pcall(parse.read, source or "=")
  if not ok then
    look.is_whole = false
    look.why_not = look.why_not
      or not_looked_into(path, source and tostring(parsed) or "it cannot be read")
    return
  end
  local unit = { path = path, parsed = parsed, requires = module_names(parsed) }
  look.by_path[path] = unit
  table.insert(look.units, unit)
  for _, place in ipairs(parsed.places) do
    place.unit = unit
    table.insert(look.places, place)
  end
  for _, name in ipairs(unit.requires) do
    local own = own_module_path(look.folder, name)
    if own then add_unit(look, own) end
  end
end

-- ---- what is called ----

local function add_all(list, more)
  for _, item in ipairs(more) do
    if #list < MAX_MEANINGS then table.insert(list, item) end
  end
end

local function is_spent(look) return look.steps > MAX_STEPS end

-- The values that are written down for what stands in place of `value`, of a kind.
local function written(look, value, kind, depth)
  look.steps = look.steps + 1
  if is_spent(look) then look.is_whole = false end
  if not value or depth > 8 or is_spent(look) then return {} end
  if value.kind == kind then return { value } end
  if value.kind ~= "place" or value.call or value.is_open or value.method then return {} end
  return M.values(look, value.root, value.path, kind, depth + 1)
end

-- The first of that key.
local function item_of(made, name)
  if not made.by_key then
    made.by_key = {}
    for at = #made.items, 1, -1 do
      local item = made.items[at]
      if item.key then made.by_key[item.key] = item.value or false end
    end
  end
  return made.by_key[name]
end

local function member_values(look, root, path, kind, depth)
  local found = {}
  for _, member in ipairs((root.members or {})[table.concat(path, ".")] or {}) do
    if is_spent(look) then break end
    add_all(found, written(look, member, kind, depth))
  end
  for _, made in ipairs(M.values(look, root, {}, "table", depth + 1)) do
    add_all(found, #path == 1 and written(look, item_of(made, path[1]), kind, depth) or {})
  end
  return found
end

-- What a module of the folder returns, as the root of its places.
local function own_root(look, root)
  local path = root.module and own_module_path(look.folder, root.module)
  local unit = path and look.by_path[path]
  local value = unit and unit.parsed.returns[1]
  if value and value.kind == "place" and not value.path[1] then return value.root end
end

--- The functions or tables that a variable or a field of it may be.
---@param root table
---@param path string[]
---@param kind "function"|"table"
---@param depth integer?
---@return table[]
function M:values(root, path, kind, depth)
  depth = depth or 0
  if depth > 8 then return {} end
  root = own_root(self, root) or root
  if #path > MAX_FIELDS then return {} end
  if path[1] then return member_values(self, root, path, kind, depth) end
  local found = {}
  for _, value in ipairs(root.values or {}) do
    if is_spent(self) then break end
    add_all(found, written(self, value, kind, depth))
  end
  return found
end

-- Arguments reach the parameters of functions of the file.
local function bind(look, place)
  for _, called in ipairs(look:values(place.root, place.method and { place.method } or place.path,
    "function")) do
    local first = place.method and 1 or 0
    for index, argument in ipairs(place.call) do
      local param = called.params[index + first]
      if param and argument then
        table.insert(param.values, argument)
        if argument.kind == "place" then argument.is_bound = true end
      elseif param then
        table.insert(param.values, { kind = "unknown" })
      end
    end
  end
end

-- ---- what is meant ----

local meaning_of_root

local function meanings(look, root, path)
  local found, is_sure = meaning_of_root(look, root)
  if not path[1] then return found, is_sure end
  local result = {}
  for _, meaning in ipairs(found) do
    if #meaning.path + #path > MAX_FIELDS then return {}, false end
    local longer = table.move(path, 1, #path, #meaning.path + 1, { table.unpack(meaning.path) })
    table.insert(result, { base = meaning.base, path = longer })
  end
  return result, is_sure
end

local function meaning_of_value(look, value)
  local module = value.kind == "place" and parse.module_of(value)
  if module then return meanings(look, { module = module }, {}) end
  if value.kind ~= "place" or value.call or value.is_open or value.method then return {}, false end
  return meanings(look, value.root, value.path)
end

local function work_out(look, variable)
  local found, is_sure = {}, true
  for _, value in ipairs(variable.values) do
    local meant, value_is_sure = meaning_of_value(look, value)
    add_all(found, meant)
    is_sure = is_sure and value_is_sure and #found < MAX_MEANINGS
  end
  add_all(found, variable.seeds or {})
  return found, is_sure and #found > 0
end

function meaning_of_root(look, root)
  if root.global then
    return { { base = base_of(GLOBALS, "global", root.global), path = {} } }, true
  end
  if root.module then
    return { { base = base_of(MODULES, "module", root.module), path = {} } }, true
  end
  if not root.meant then
    root.meant, root.is_sure = {}, false -- where it leads back to itself
    root.meant, root.is_sure = work_out(look, root)
  end
  return root.meant, root.is_sure
end

--- What a place stands for.
---@param place table
---@return table[] meanings { base, path }, boolean is_sure it is nothing else
function M:meanings(place)
  if not place.meanings then
    place.meanings, place.is_sure = meanings(self, place.root, place.path)
  end
  return place.meanings, place.is_sure
end

-- ---- seeds ----

--- What a parameter stands for when the engine calls its function.
---@param variable table?
---@param base table
---@param path string[]?
function M.seed(variable, base, path)
  if not variable then return end
  variable.seeds = variable.seeds or {}
  table.insert(variable.seeds, { base = base, path = path or {} })
end

--- The table of the manifest as it is written: of return action { ... }; nil: it cannot be told.
---@param kind string "action" or "playbook"
---@return table? made
function M:manifest(kind)
  local unit = self.units[1]
  local value = unit and unit.parsed.returns[1]
  if value and value.kind == "place" and not value.call and not value.path[1] then
    value = (value.root.values or {})[1]
  end
  if not value or value.kind ~= "place" or not value.call then return nil end
  local meant = self:meanings(value)[1]
  if not meant or meant.base ~= base_of(MODULES, "module", "apogee." .. kind) then return nil end
  return written(self, value.call[1], "table", 0)[1]
end

--- The functions that stand behind a name of a table as it is written.
---@param made table
---@param name string
---@return table[]
function M:functions(made, name)
  return written(self, item_of(made, name), "function", 0)
end

--- The functions that a value may be.
---@param value table|false|nil
---@return table[]
function M:written_functions(value) return written(self, value, "function", 0) end

--- The tables that a value may be.
---@param value table|false|nil
---@return table[]
function M:tables(value) return written(self, value, "table", 0) end

--- The table behind a name of a table as it is written.
---@param made table
---@param name string
---@return table?
function M:table_of(made, name) return self:tables(item_of(made, name))[1] end

--- The line where a manifest declares a parameter, or calls what does.
---@param made table? the manifest as it is written
---@param id string
---@return integer
function M:line_of_param(made, id)
  local list = made and self:table_of(made, "params")
  for _, item in ipairs(list and list.items or {}) do
    local param = self:tables(item.value)[1]
    if param and M.text((param.items[1] or {}).value) == id then return item.line end
  end
  return list and list.line or made and made.line or 1
end

--- The text that a value is, when it is one text alone.
---@param value table|false|nil
---@return string?
function M.text(value)
  for _ = 1, 8 do
    if not value then return nil end
    if value.kind == "text" then return value.text end
    local is_name = value.kind == "place" and not value.path[1] and not value.call
    local values = is_name and not value.is_open and value.root.values
    if not values or #values ~= 1 or value.root.is_param then return nil end
    value = values[1]
  end
end

-- ---- the whole ----

--- Reads a script and the modules of its folder that it requires.
---@param engine table
---@param path string
---@return table look { units = { { path, parsed, requires } }, places = of all units, each with its
---  unit, is_whole = every module was read, why_not = a line on the first that was not }; without
---  units where it would take too long
function M.read(engine, path)
  local look = setmetatable({
    engine = engine, units = {}, places = {}, by_path = {}, is_whole = true, steps = 0,
    folder = path:match "^.*/" or "./",
  }, M)
  add_unit(look, path)
  for _, place in ipairs(look.places) do
    if place.call then bind(look, place) end
    if is_spent(look) then
      look.units, look.places, look.is_whole = {}, {}, false
      look.why_not = not_looked_into(path, "its names may stand for too many others")
      return look
    end
  end
  look.steps = 0
  return look
end

return M
