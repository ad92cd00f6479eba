-- What a look at an action file finds beside what its manifest says: parameters that are not
-- declared or never used, capabilities that are used without needs, fields that outputs lacks.
-- SPDX-License-Identifier: Apache-2.0
local context = require "apogee.context"
local findings_of = require "apogee.findings"
local look_of = require "apogee.look"
local look_hosts = require "apogee.look_hosts"
local look_names = require "apogee.look_names"
local look_result = require "apogee.look_result"
local params = require "apogee.params"
local schema = require "apogee.schema"

local M = {}

--- What modules of ours read of ctx.params, and what they may use of capabilities.
M.MODULES = {
  ["apogee.comments"] = { params = {}, needs = "vt" },
  ["apogee.engines"] = { params = {}, needs = "vt" },
  ["apogee.scan"] = { params = {}, needs = "vt" },
  ["apogee.threshold"] = { params = {}, needs = "vt" },
  ["apogee.verdict"] = { params = { "threshold" }, needs = "vt" },
}

local CTX, ENTITY, CASE = { kind = "ctx" }, { kind = "entity" }, { kind = "case" }

-- ---- what the engine calls with what ----

local ARGUMENTS = {
  run = { { CTX }, { ENTITY } },
  run_case = { { CTX }, { CASE } },
  each = { { CTX, { "params" } }, { CTX } },
  validate = { { CTX, { "params" } } },
  cost = { { CTX, { "params" } }, { ENTITY } },
}
local BY_NAME = { ctx = CTX, entity = ENTITY }

local function seed_functions(look, made)
  for name, arguments in pairs(ARGUMENTS) do
    for _, fn in ipairs(look:functions(made, name)) do
      for index, argument in ipairs(arguments) do
        local variable = fn.params[index]
        if variable then
          look_of.seed(variable, argument[1], argument[2])
          variable.is_seeded = true
        end
      end
    end
  end
end

-- A helper that is handed around calls them by the names that all use.
local function seed_names(look)
  for _, unit in ipairs(look.units) do
    for _, variable in ipairs(unit.parsed.variables) do
      local is_free = variable.is_param and not variable.is_seeded and not variable.values[1]
      local base = is_free and BY_NAME[variable.name]
      if base then look_of.seed(variable, base) end
    end
  end
end

-- ---- ctx ----

local function ctx_names()
  local names = {}
  local ctx = context.new { action = {}, params = {}, warn = function() end }
  for name in pairs(ctx) do table.insert(names, name) end
  for _, name in ipairs { "began", "summary" } do table.insert(names, name) end
  table.sort(names)
  return names
end

local function is_of(meaning, base, ...)
  if meaning.base ~= base then return false end
  for index, name in ipairs { ... } do
    if meaning.path[index] ~= name then return false end
  end
  return true
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

-- A script may keep something of its own in ctx.
local function check_ctx(look, findings)
  local names = ctx_names()
  local is_known = set_of(names)
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    if base == CTX and place.is_write and path[1] then is_known[path[1]] = true end
  end
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    local name = base == CTX and (path[1] or place.method)
    if name and not is_known[name] then
      findings:problem(place, ("ctx.%s: there is no such name%s"):format(name,
        findings:hint(name, names)))
    end
  end
end

local function check_entity(look, findings)
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    local name = base == ENTITY and not path[1] and place.method
    if base == ENTITY and path[1] and place.is_write then
      findings:problem(place, ("entity.%s: an entity is read-only: entity:enrich(...) and the "
        .. "other methods write on it"):format(path[1]))
    end
    if name and not set_of(look_names.METHODS)[name] then
      findings:problem(place, ("entity:%s: there is no such method%s"):format(name,
        findings:hint(name, look_names.METHODS)))
    end
  end
end

-- ---- parameters ----

-- A module of ours that was given them reads those that are known; whatever else may read any.
local function note_escape(look, uses, place)
  local called = place.argument_of and look_names.only(look, place.argument_of)
  local reads = called and called.kind == "module" and called.name:find "^apogee%."
    and (M.MODULES[called.name] or { params = {} }).params
  if not reads then
    uses.are_open = true
    return
  end
  for _, name in ipairs(reads) do uses.is_used[name] = true end
end

local function note_use(look, uses, place, meaning, is_sure)
  local is_params = is_of(meaning, CTX, "params")
  local name = is_params and meaning.path[2]
  if name then
    uses.is_used[name] = true
    local is_read = is_sure and not place.is_write
    if is_read then table.insert(uses.named, { place = place, name = name }) end
    return
  end
  local is_whole = is_params or meaning.base == CTX and not meaning.path[1]
  if not is_whole or place.is_write and not is_params then return end
  if is_params and place.is_open then
    uses.are_open = true
  elseif not (place.call or place.method or place.into or place.is_bound) then
    note_escape(look, uses, place)
  end
end

local function uses_of(look)
  local uses = { is_used = {}, named = {}, are_open = not look.is_whole }
  for _, place in ipairs(look.places) do
    local meant, is_sure = look:meanings(place)
    for _, meaning in ipairs(meant) do
      if meaning.base == CTX then
        note_use(look, uses, place, meaning, is_sure and #meant == 1)
      end
    end
  end
  return uses
end

local function check_params(look, findings, action, made)
  local uses = uses_of(look)
  local names = params.names(action.params)
  for _, use in ipairs(uses.named) do
    local def = params.find(action.params, use.name)
    if not def or def.id ~= use.name then
      local hint, meant = findings:hint(use.name, names)
      uses.is_used[meant or use.name] = true
      if hint == "" then
        hint = ': declare it in params: { "' .. use.name .. '", type = "..." }'
      end
      findings:problem(use.place, ("ctx.params.%s: no such parameter is declared%s")
        :format(use.name, hint))
    end
  end
  if uses.are_open then return end
  for _, def in ipairs(action.params) do
    if not uses.is_used[def.id] then
      findings:warning({ unit = look.units[1], line = look:line_of_param(made, def.id) },
        ("params.%s: is never used: take it out, or read ctx.params.%s"):format(def.id, def.id))
    end
  end
end

-- ---- capabilities ----

local function check_needs(look, findings, action, made)
  local first, is_tested, is_used, is_named = {}, {}, {}, set_of(action.needs)
  for _, place in ipairs(look.places) do
    for _, meaning in ipairs((look:meanings(place))) do
      local name = meaning.base.kind == "global" and meaning.base.name
      local is_capability = name and look_names.CAPABILITIES[name]
      if is_capability then is_used[name] = true end
      if is_capability and meaning.path[1] then
        first[name] = first[name] or place
      elseif is_capability and not place.into then
        is_tested[name] = true -- `if vt then`: it knows that there may be none
      end
    end
  end
  for _, name in ipairs(schema.sorted_keys(first)) do
    if not is_named[name] and not is_tested[name] then
      local written = name == "http" and 'http = { "HOST" }' or '"' .. name .. '"'
      findings:problem(first[name], ("%s: is used, and needs does not name it: needs = { %s }")
        :format(name, written))
    end
  end
  for _, unit in ipairs(look.units) do
    for _, module in ipairs(unit.requires) do
      local needed = (M.MODULES[module] or {}).needs
      if needed then is_used[needed] = true end
    end
  end
  local item = { unit = look.units[1], line = made and made.line or 1 }
  for _, written in ipairs(made and made.items or {}) do
    if written.key == "needs" then item.line = written.line end
  end
  for _, name in ipairs(action.needs) do
    if not is_used[name] and look.is_whole then
      findings:warning(item, ("needs: %s is never used: take it out"):format(name))
    end
  end
end

-- ---- outputs ----

-- What stands between the stars comes in the name in that order. Not by a pattern of Lua, which
-- can be written so that it does not end.
local function is_like(output, name)
  local first, rest = output:match "^([^*]*)%*(.*)$"
  local last = rest:match "[^*]*$"
  if name:sub(1, #first) ~= first then return false end
  local at = #first + 1
  for piece in rest:sub(1, -#last - 1):gmatch "[^*]+" do
    local _, stop = name:find(piece, at, true)
    if not stop then return false end
    at = stop + 1
  end
  return #name - #last + 1 >= at and name:sub(#name - #last + 1) == last
end

-- "* category" stands for every name that ends so.
local function is_output(outputs, name)
  for _, output in ipairs(outputs) do
    if output == name or output:find("*", 1, true) and is_like(output, name) then return true end
  end
  return false
end

local function check_output(findings, action, place, line, name)
  if is_output(action.outputs, name) then return end
  local at = { unit = place.unit, line = line }
  if #action.outputs == 0 then
    findings:warning(at, ('enriches "%s", and outputs does not name it: outputs = { "%s" }')
      :format(name, name))
    return
  end
  local hint = findings:hint(name, action.outputs)
  findings:problem(at, ('enriches "%s", which outputs does not name%s'):format(name,
    hint ~= "" and hint or ": add it there"))
end

local function check_unknown_output(findings, action, place)
  for _, output in ipairs(action.outputs) do
    if output:find("*", 1, true) then return end
  end
  findings:warning(place, "enriches a field whose name is worked out: what outputs names cannot be "
    .. 'compared; a name with * there, such as "* category", stands for several')
end

-- Of a list of { "Field", source }.
local function check_fields(look, findings, action, place, value)
  local list = value and look:tables(value)[1]
  if not list then return check_unknown_output(findings, action, place) end
  for _, item in ipairs(list.items) do
    local field = item.value and look:tables(item.value)[1]
    local name = field and look_of.text((field.items[1] or {}).value)
    if name then check_output(findings, action, place, item.line, name) end
  end
end

local FIELDS_AT = { ["apogee.enrichment"] = { apply = 3 }, ["apogee.verdict"] = { write = 5 } }

local function check_outputs(look, findings, action)
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    local at = base and base.kind == "module" and FIELDS_AT[base.name]
    local index = at and place.call and at[path[1]]
    if index then
      check_fields(look, findings, action, place, place.call[index])
    elseif base == ENTITY and not path[1] and place.method == "enrich" and place.call then
      local name = look_of.text(place.call[1])
      if name then
        check_output(findings, action, place, place.line, name)
      else
        check_unknown_output(findings, action, place)
      end
    end
  end
end

-- ---- the whole ----

-- What can be told without knowing what the manifest says.
local function check_names(engine, path, env)
  local findings = findings_of.new(engine)
  local look = look_of.read(engine, path)
  if #look.units == 0 then return look, findings end
  local made = look:manifest "action"
  if made then seed_functions(look, made) end
  seed_names(look)
  look_names.members(look, findings, look_names.globals(look, findings, env, true))
  check_ctx(look, findings)
  check_entity(look, findings)
  look_result.check(look, findings, ENTITY)
  return look, findings, made
end

--- What is wrong with the code of an action whose manifest is wrong, too.
---@param engine table
---@param path string
---@param env table the environment of its file
---@return string[] problems lines of FILE:LINE: what is wrong
function M.names(engine, path, env)
  local _, findings = check_names(engine, path, env)
  return (findings:lines())
end

---@param engine table
---@param action table checked
---@param env table the environment of its file
---@return string[] problems, string[] warnings lines of FILE:LINE: what is wrong
function M.check(engine, action, env)
  local look, findings, made = check_names(engine, action.path, env)
  if #look.units == 0 then return {}, { look.why_not } end
  check_params(look, findings, action, made)
  check_needs(look, findings, action, made)
  look_hosts.check(look, findings, action)
  check_outputs(look, findings, action)
  local problems, warnings = findings:lines()
  table.insert(warnings, look.why_not)
  return problems, warnings
end

return M
