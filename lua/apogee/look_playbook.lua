-- What a look at a playbook file finds beside what its manifest says: functions that ask for a step
-- which has not run before theirs, or which there is not, and parameters that no step is given.
-- SPDX-License-Identifier: Apache-2.0
local case_of = require "apogee.case"
local findings_of = require "apogee.findings"
local look_of = require "apogee.look"
local look_names = require "apogee.look_names"
local schema = require "apogee.schema"

local M = {}

--- What case.STEP has.
M.OF_STEP = { "coverage", "entities", "is_risky", "is_success", "message", "status" }
local OF_COVERAGE = { "checked", "of" }

-- ---- whose functions they are ----

-- A function is called with the case as its step sees it.
local function seed(look, value, base)
  for _, fn in ipairs(look:written_functions(value)) do look_of.seed(fn.params[1], base) end
end

local function seed_step(look, made, base)
  for _, item in ipairs(made.items) do
    local is_function = item.key == "when" or item.key == "on" or item.key == "run"
    if is_function then seed(look, item.value, base) end
    local with = item.key == "with" and item.value and look:tables(item.value)[1]
    for _, given in ipairs(with and with.items or {}) do seed(look, given.value, base) end
  end
end

local function seed_steps(look, list, by_name)
  for _, item in ipairs(list.items) do
    local made = item.value and look:tables(item.value)[1]
    local first = made and made.items[1] and made.items[1].value
    local step = by_name[look_of.text(first) or ""]
    if step then
      seed_step(look, made, { kind = "case", step = step })
    elseif first and look:tables(first)[1] then
      seed_steps(look, made, by_name)
    end
  end
end

-- ---- what they ask for ----

local function check_types(look, findings, place)
  for _, argument in ipairs(place.method == "of" and place.call or {}) do
    local word = look_of.text(argument)
    if word and not findings.engine.type_of(word) then
      local types = findings.engine.types
      local hint = findings:hint(word, types)
      findings:problem(place, ('case:of: unknown type "%s"%s'):format(word,
        hint ~= "" and hint or "; there are: " .. table.concat(types, ", ")))
    end
  end
  return look
end

local function check_order(findings, place, asking, asked)
  if asked.group < asking.group then return end
  local why = asked.group > asking.group and "it comes later: move it up"
    or asked == asking and "it is this step itself"
    or "it runs at the same time: take it out of this group"
  findings:problem(place, ('case.%s: the step "%s" never sees it: %s'):format(asked.name,
    asking.name, why))
end

local function check_view(findings, place, path)
  local of, known = "case." .. path[1], M.OF_STEP
  local name = path[2]
  if name == "coverage" and path[3] then
    of, name, known = of .. ".coverage", path[3], OF_COVERAGE
  end
  if not name or schema.contains(known, name) then return end
  local hint = findings:hint(name, known)
  findings:problem(place, ("%s.%s: there is no such field%s"):format(of, name,
    hint ~= "" and hint or ": there are " .. table.concat(known, ", ")))
end

local function check_case(look, findings, place, base, path, by_name)
  local name = path[1] or place.method
  if not name then return end
  if schema.contains(case_of.METHODS, name) then
    if path[1] and place.call and not place.method then
      findings:problem(place, ("case.%s: is called with a colon: case:%s(...)"):format(name, name))
    end
    return check_types(look, findings, place)
  end
  local asked = by_name[name]
  if asked then
    check_order(findings, place, base.step, asked)
    return check_view(findings, place, path)
  end
  local known = { table.unpack(case_of.METHODS) }
  for other in pairs(by_name) do table.insert(known, other) end
  table.sort(known)
  findings:problem(place, ('case.%s: there is no such step%s'):format(name,
    findings:hint(name, known)))
end

local function check_cases(look, findings, by_name)
  for _, place in ipairs(look.places) do
    local meant, is_sure = look:meanings(place)
    for _, meaning in ipairs(is_sure and meant or {}) do
      if meaning.base.kind == "case" then
        check_case(look, findings, place, meaning.base, meaning.path, by_name)
      end
    end
  end
end

-- ---- parameters ----

local function check_params(look, findings, playbook, made)
  local is_used = {}
  for _, step in ipairs(playbook.steps) do
    for _, entry in ipairs(step.with or {}) do is_used[entry.ref or ""] = true end
  end
  for _, def in ipairs(playbook.params) do
    if not is_used[def.id] then
      local line = look:line_of_param(made, def.id)
      findings:warning({ unit = look.units[1], line = line },
        ('params.%s: no step is given it: take it out, or write with = { ... = "$%s" }')
          :format(def.id, def.id))
    end
  end
end

-- ---- the whole ----

local function steps_by_name(playbook)
  local by_name = {}
  for number, group in ipairs(playbook.groups) do
    for _, step in ipairs(group) do by_name[step.name] = { name = step.name, group = number } end
  end
  return by_name
end

--- What is wrong with the code of a playbook whose table is wrong, too.
---@param engine table
---@param path string
---@param env table the environment of its file
---@return string[] problems lines of FILE:LINE: what is wrong
function M.names(engine, path, env)
  local findings = findings_of.new(engine)
  local look = look_of.read(engine, path)
  look_names.members(look, findings, look_names.globals(look, findings, env, false))
  return (findings:lines())
end

---@param engine table
---@param playbook table checked
---@param env table the environment of its file
---@return string[] problems, string[] warnings lines of FILE:LINE: what is wrong
function M.check(engine, playbook, env)
  local findings = findings_of.new(engine)
  local look = look_of.read(engine, playbook.path)
  if #look.units == 0 then return {}, { look.why_not } end
  local made = look:manifest "playbook"
  local by_name = steps_by_name(playbook)
  local steps = made and look:table_of(made, "steps")
  if steps then seed_steps(look, steps, by_name) end
  look_names.members(look, findings, look_names.globals(look, findings, env, false))
  check_cases(look, findings, by_name)
  check_params(look, findings, playbook, made)
  local problems, warnings = findings:lines()
  table.insert(warnings, look.why_not)
  return problems, warnings
end

return M
