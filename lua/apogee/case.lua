-- The case as the functions of a playbook see it: sets of entities, what the steps before found,
-- and what may be said of the case as a whole. Its state is out of the scripts' reach.
-- SPDX-License-Identifier: Apache-2.0
local plain = require "apogee.plain"
local schema = require "apogee.schema"

local M = {}

--- What a step may not be called.
M.METHODS = {
  "external", "insight", "of", "score", "suspicious", "tag", "union", "where",
}

local MAX_TAGS = 100
local MAX_TAG_BYTES = 200
local SEVERITIES = { info = true, warn = true, error = true }

local function read_only(view, what)
  return setmetatable({}, {
    __index = view,
    __newindex = function() error(what .. " is read-only", 2) end,
    __metatable = false,
  })
end

local function canonical(engine, names)
  local types = {}
  for _, name in ipairs(names) do
    local canonical_type = type(name) == "string" and engine.type_of(name)
    if not canonical_type then
      local nearest = type(name) == "string" and engine.nearest(name, engine.types)
      local hint = nearest and '; did you mean "' .. nearest .. '"?' or ""
      error('case:of: unknown type "' .. tostring(name) .. '"' .. hint, 3)
    end
    table.insert(types, canonical_type)
  end
  return types
end

local function checked_insight(given)
  local insight = plain.copy(given)
  if type(insight) ~= "table" then error("case:insight takes a table of plain values", 3) end
  if not schema.is_line(insight.title) then
    error("case:insight: title must be one line of text", 3)
  end
  if insight.severity ~= nil and not SEVERITIES[insight.severity] then
    error("case:insight: severity must be info, warn or error", 3)
  end
  return insight
end

local function methods_of(engine, state)
  local methods = {}
  function methods.of(_, ...) return engine.set_of(canonical(engine, { ... })) end
  function methods.external(_) return engine.set_of(nil):external() end
  function methods.suspicious(_) return engine.set_of(nil):suspicious() end
  function methods.where(_, fn) return engine.set_of(nil):where(fn) end
  function methods.union(_, set) return engine.set_of(nil):union(set) end

  function methods.tag(_, tag)
    if not schema.is_line(tag) or #tag > MAX_TAG_BYTES then
      error("case:tag: a tag is one line of at most " .. MAX_TAG_BYTES .. " bytes", 2)
    end
    if state.has_tag[tag] then return end
    if #state.tags == MAX_TAGS then error("case:tag: more than " .. MAX_TAGS .. " tags", 2) end
    state.has_tag[tag] = true
    table.insert(state.tags, tag)
  end

  --- Sets the score, and says what it is: case:score(case:score() + 10).
  function methods.score(_, score)
    if score == nil then return state.score end
    local integer = math.tointeger(score)
    if not integer then error("case:score: must be a whole number", 2) end
    state.score = integer
    return integer
  end

  function methods.insight(_, given)
    local insight = checked_insight(given)
    engine.insight {
      entity = insight.entity,
      severity = insight.severity or "info",
      title = insight.title,
      body = insight.body,
    }
  end
  return methods
end

local function view_of(engine, step)
  local found = step.found
  local view = {
    status = found and found.status or "not_run",
    message = found and found.message or nil,
    is_risky = found ~= nil and found.is_risky,
    is_success = found ~= nil and found.is_success,
    coverage = found and { checked = found.checked, of = found.of } or { checked = 0, of = 0 },
  }
  return read_only(function(_, key)
    if key ~= "entities" then return view[key] end
    return found and engine.step_set(step.number) or engine.set_of {}
  end, "case." .. step.name)
end

---@param engine table
---@param steps table[] of the playbook; each gets `number`, and `found` when it ran
---@param on_look fun(step: table)? called when what a step found is read
---@return table case, table state { tags, score }
function M.new(engine, steps, on_look)
  local state = { tags = {}, has_tag = {}, score = 0 }
  local methods = methods_of(engine, state)
  local by_name, names = {}, {}
  for _, step in ipairs(steps) do
    by_name[step.name] = step
    table.insert(names, step.name)
  end
  local case = read_only(function(_, key)
    if methods[key] then return methods[key] end
    if by_name[key] and on_look then on_look(by_name[key]) end
    if by_name[key] then return view_of(engine, by_name[key]) end
    local nearest = engine.nearest(tostring(key), names)
    local hint = nearest and '; did you mean "' .. nearest .. '"?' or ""
    error('case: there is no step "' .. tostring(key) .. '"' .. hint, 2)
  end, "the case")
  return case, state
end

return M
