-- One look over all entities of a record: how many stand where, which to show first, what was not
-- checked and why. Keeps at most so many of each, whatever the size of the run.
-- SPDX-License-Identifier: Apache-2.0
local standing = require "report.standing"

local M = {}

local MOST_GROUPS = 100
local MOST_EXAMPLES = 10
local MOST_REASONS_READ = 20000 -- of entities that were not checked
local MOST_BARS = 20

local function look(record, entity)
  local found
  for step = 1, #record.steps do
    local outcome, is_risky, detections, has_no_engines = record.peek(step, entity)
    if outcome then
      found = found or { entity = entity }
      local now = standing.of(outcome, is_risky, detections, has_no_engines)
      if now == "not_checked" then
        found.missed = found.missed or {}
        table.insert(found.missed, step)
      end
      found.standing = standing.worse(found.standing, now)
      if detections and detections > (found.detections or -1) then
        found.detections = detections
        found.step = step
      end
    end
  end
  return found
end

-- Behind those that have as many, so that the order of the case decides.
local function add_bar(bars, found)
  if (found.detections or 0) == 0 then return end
  local at = #bars + 1
  while at > 1 and bars[at - 1].detections < found.detections do at = at - 1 end
  table.insert(bars, at, found)
  bars[MOST_BARS + 1] = nil
end

-- A line that is no indicator is skipped in every step, for one reason: it counts once.
local function add_example(group, entity, about)
  if group.last == entity then return end
  group.last = entity
  group.count = group.count + 1
  if #group.examples < MOST_EXAMPLES then
    table.insert(group.examples, { identifier = about.identifier, type = about.type })
  end
end

local function group_of(survey, outcome, reason)
  local key = outcome .. "\0" .. reason
  local group = survey.by_reason[key]
  if group then return group end
  if #survey.missed == MOST_GROUPS then return survey.other end
  group = { outcome = outcome, reason = reason, count = 0, examples = {} }
  survey.by_reason[key] = group
  table.insert(survey.missed, group)
  return group
end

local function add_missed(survey, record, found)
  for _, step in ipairs(found.missed or {}) do
    survey.reasons_read = survey.reasons_read + 1
    if survey.reasons_read > MOST_REASONS_READ then
      survey.other.count = survey.other.count + 1
    else
      local about = record.finding(step, found.entity)
      add_example(group_of(survey, about.outcome, about.reason or ""), found.entity, about)
    end
  end
end

-- Entities that no step asked about. What is read of them is for the examples only.
local function add_unasked(survey, record, entity)
  local unasked = survey.unasked
  unasked.count = unasked.count + 1
  if #unasked.examples < MOST_EXAMPLES then
    table.insert(unasked.examples, record.entity(entity))
  end
end

local function add_checks(survey, record)
  for _, step in ipairs(record.steps) do
    if step.action then
      survey.checks = survey.checks + step.coverage.of
      survey.checked = survey.checked + step.coverage.checked
    end
    for name, count in pairs(step.cost) do
      survey.cost[name] = (survey.cost[name] or 0) + count
    end
  end
end

---@param record table
---@param most integer how many of each standing are kept
---@param sheet table breathes
---@return table survey { count = entities in steps, counts = { by standing }, kept = { by standing:
---  { { entity, standing, detections, step } } }, bars = { of the most detections },
---  missed = { { outcome, reason, count, examples } }, other = { count }, unasked = { count,
---  examples }, checks, checked, cost }
function M.take(record, most, sheet)
  local survey = {
    count = 0, counts = {}, kept = {}, bars = {}, missed = {}, by_reason = {}, reasons_read = 0,
    other = { count = 0, examples = {} }, unasked = { count = 0, examples = {} },
    checks = 0, checked = 0, cost = {},
  }
  for _, name in ipairs(standing.ORDER) do
    survey.counts[name] = 0
    survey.kept[name] = {}
  end
  add_checks(survey, record)
  for entity = 1, record.count do
    local found = look(record, entity)
    if found then
      survey.count = survey.count + 1
      survey.counts[found.standing] = survey.counts[found.standing] + 1
      local kept = survey.kept[found.standing]
      if #kept < most then table.insert(kept, found) end
      add_bar(survey.bars, found)
      add_missed(survey, record, found)
    elseif not record.is_part then
      add_unasked(survey, record, entity)
    end
    sheet:breathe()
  end
  table.sort(survey.kept.risky, function(a, b)
    if a.detections ~= b.detections then return (a.detections or 0) > (b.detections or 0) end
    return a.entity < b.entity
  end)
  return survey
end

--- The kept ones in the order they are shown in, at most so many.
---@param survey table
---@param most integer
---@return table[]
function M.first(survey, most)
  local list = {}
  for _, name in ipairs(standing.ORDER) do
    for _, found in ipairs(survey.kept[name]) do
      if #list == most then return list end
      table.insert(list, found)
    end
  end
  return list
end

return M
