-- What a run found until now, for actions that tell somebody: ctx.summary() of a run_case.
-- SPDX-License-Identifier: Apache-2.0
local defang = require "report.defang"

local M = {}

local MAX_NAMES = 20

local LEAVES = { clear = true, white = true, green = true }

-- What must not leave is counted, and not named.
local function may_leave(entity) return entity.tlp == nil or LEAVES[entity.tlp] == true end

local function named(entities)
  local risky = { count = #entities, entities = {} }
  for _, entity in ipairs(entities:where(may_leave):list(MAX_NAMES)) do
    table.insert(risky.entities, { identifier = entity.identifier, type = entity.type })
  end
  return risky
end

-- A message names entities: where one of the case must not leave, it is left at figures.
local function message_of(found, is_open)
  if is_open then return found.message end
  return ("%s, %d of %d checked"):format(found.status, found.checked, found.of)
end

local function steps_of(run, is_open)
  local steps = {}
  for _, step in ipairs(run.steps) do
    local found = step.found
    if found then
      table.insert(steps, {
        name = step.name, action = step.action and step.action.id, status = found.status,
        message = message_of(found, is_open), is_risky = found.is_risky,
        checked = found.checked, of = found.of,
      })
    end
  end
  return steps
end

-- Identifiers are defanged: a chat makes links of what looks like one.
local function text_of(summary)
  local names = {}
  for _, entity in ipairs(summary.risky.entities) do
    table.insert(names, defang.indicator(entity.identifier, entity.type))
  end
  local more = summary.risky.count - #names
  if more > 0 then table.insert(names, "and " .. more .. " more") end
  local is_any = summary.risky.count > 0
  local lines = { ("%s: %d of %d entities suspicious%s"):format(summary.name, summary.risky.count,
    summary.of, is_any and ": " .. table.concat(names, ", ") or "") }
  for _, step in ipairs(summary.steps) do
    table.insert(lines, step.name .. ": " .. defang.text(step.message))
  end
  return table.concat(lines, "\n")
end

--- A table of the caller's own: { name = of the playbook, of = entities, risky = { count,
--- entities = { { identifier, type } }, 20 at most }, steps = { { name, action, status, message,
--- is_risky, checked, of } } of those that have ended, is_complete,
--- text = all of it in lines, defanged }
---@param run table { engine, steps, name }
---@return table
function M.of(run)
  local all = run.engine.set_of(nil)
  local is_open = #all:where(may_leave) == #all
  local summary = {
    name = run.name, of = #all, risky = named(all:suspicious()), steps = steps_of(run, is_open),
    is_complete = true,
  }
  for _, step in ipairs(summary.steps) do
    local is_whole = step.status == "completed" and step.checked >= step.of
    summary.is_complete = summary.is_complete and is_whole
  end
  summary.text = text_of(summary)
  return summary
end

return M
