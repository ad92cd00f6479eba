-- What a playbook would ask and cost: its steps in order, with a `vt` that asks nobody. What an
-- earlier step would find out is not known: a step that depends on it is counted, and said with
-- "if".
-- SPDX-License-Identifier: Apache-2.0
local arguments = require "apogee.arguments"
local case_of = require "apogee.case"
local case_summary = require "apogee.case_summary"
local context = require "apogee.context"
local cost_of = require "apogee.cost"
local dry_of = require "apogee.dry"
local plain = require "apogee.plain"
local reach = require "apogee.reach"
local runner = require "apogee.runner"
local step_of = require "apogee.step"

local M = {}

local EXAMPLES_MAX = 5

-- ---- what is known before the run ----

-- Calls a function of the playbook; is_open: it looked at what only the run finds out.
local function probe(plan, fn, ...)
  plan.has_looked = false
  plan.engine.saw_findings()
  local ok, result = plan.engine.call(fn, ...)
  local saw = plan.engine.saw_findings()
  return ok, result, plan.has_earlier and (plan.has_looked or saw)
end

local function find(plan, name)
  for _, step in ipairs(plan.steps) do
    if step.name == name then return step end
  end
end

---@return boolean wanted, string? condition, string? why not
local function is_wanted(plan, step)
  if step.when == nil then return true end
  if type(step.when) == "string" then
    local other = find(plan, step.when)
    if other and other.is_planned then return true, step_of.condition(step, plan.steps) end
    return false, nil, "its condition does not hold"
  end
  local ok, answer, is_open = probe(plan, step.when, plan.case)
  if is_open then return true, step_of.condition(step, plan.steps) end
  if not ok then return false, nil, "when: " .. answer end
  return answer ~= nil and answer ~= false, nil, "its condition does not hold"
end

---@return table? set, string? condition, string? why there is none
local function select_on(plan, step)
  local engine, on = plan.engine, step.on
  if type(on) == "table" then return engine.set_of(on) end
  local ok, set, is_open = probe(plan, on, plan.case)
  if is_open then return engine.set_of(step.action.accepts), "if the step before says so" end
  if not ok then return nil, nil, "on: " .. set end
  local of = engine.set_of({}).of
  local is_set, chosen = pcall(of, set, table.unpack(step.action.accepts))
  if not is_set then return nil, nil, "on must return entities" end
  return chosen
end

local function select_each(plan, step, row, values, ctx)
  plan.dry:enter(step.number, not row.condition)
  local ok, items = plan.engine.call(step.action.each, values, ctx)
  table.insert(row.problems, plan.dry:problem())
  if not ok then return nil, nil, items end
  local copy, problem = plain.copy(items)
  if type(copy) ~= "table" then return nil, nil, "each: " .. (problem or "it returned no list") end
  return plan.engine.items(step.number, copy)
end

-- ---- one step ----

local function new_row(step)
  return {
    step = step.name, action = step.action and step.action.id, of = 0, cached = 0, shared = 0,
    skipped = { count = 0, reasons = {} }, denied = { count = 0, reasons = {} }, bytes = 0,
    calls = {}, quota = { least = 0, most = 0 },
    requests = { least = 0, most = 0 }, public = { least = 0, most = 0 }, problems = {},
    outside = { least = 0, most = 0 }, rate = step.action and reach.rate(step.action),
  }
end

local function add_calls(row, counts, end_name)
  for name, count in pairs(counts) do
    local call = row.calls[name] or { least = 0, most = 0 }
    call[end_name] = call[end_name] + count
    row.calls[name] = call
  end
end

-- Some of what is asked for an entity, or all of it.
local function add_denied(row, name, reason)
  row.denied.count = row.denied.count + 1
  if #row.denied.reasons < EXAMPLES_MAX then
    table.insert(row.denied.reasons, { entity = name, reason = reason })
  end
end

-- Each once, and not without end.
local function add_problem(row, problem)
  for _, known in ipairs(row.problems) do
    if known == problem then return end
  end
  if #row.problems < EXAMPLES_MAX then table.insert(row.problems, problem) end
end

local function add_found(row, name, found)
  if found.denied then add_denied(row, name, found.denied) end
  add_calls(row, found.least, "least")
  add_calls(row, found.most, "most")
  row.quota.least = row.quota.least + found.quota.least
  row.quota.most = row.quota.most + found.quota.most
  row.bytes = row.bytes + found.bytes
  row.cached = row.cached + found.cached
  row.shared = row.shared + found.shared
  row.outside.least = row.outside.least + found.outside.least
  row.outside.most = row.outside.most + found.outside.most
  add_problem(row, found.problem)
end

local function needs(action, name)
  for _, needed in ipairs(action.needs) do
    if needed == name then return true end
  end
  return false
end

-- What it says itself of other services, and what was counted where it says less.
local function with_cost(found, action, ctx, entity)
  if not action.cost then return found end
  local said, problem = cost_of.of(action, ctx.params, entity)
  if not said then
    found.problem = problem
    return found
  end
  if found.problem == dry_of.OTHER_HOSTS and not needs(action, "vt") then found.problem = nil end
  if found.outside.most > said.most then
    found.problem = ("cost says at most %d requests to other services, and it makes %d")
      :format(said.most, found.outside.most)
  end
  found.outside = { least = said.least, most = math.max(said.most, found.outside.most) }
  return found
end

local IS_LIST = { file_report = true, url_report = true, file_rescan = true, url_scan = true }
local IS_PUBLIC = { submission = true, upload = true }

-- Requests are the fewest that hold what is asked.
local function sum_up(row, list)
  for name, call in pairs(row.calls) do
    local kind, word = name:match "^(%S+) (%S+)$"
    local size = IS_LIST[word] and list or 1
    for _, end_name in ipairs { "least", "most" } do
      row.requests[end_name] = row.requests[end_name] + (call[end_name] + size - 1) // size
      if IS_PUBLIC[kind] then
        row.public[end_name] = row.public[end_name] + call[end_name]
      end
    end
  end
end

local function note_skipped(plan, step, row)
  row.of = plan.engine.counts(step.number).of
  row.skipped.count = plan.engine.counts(step.number).skipped
  for _, example in ipairs(plan.engine.examples(step.number, "skipped", EXAMPLES_MAX)) do
    table.insert(row.skipped.reasons, { entity = example.identifier, reason = example.reason })
  end
end

-- Those whose run a limit ended say so in their outcome alone.
local function note_failed(plan, step, row)
  for _, example in ipairs(plan.engine.examples(step.number, "failed", EXAMPLES_MAX)) do
    add_problem(row, example.reason)
  end
end

local function explore_entities(plan, step, row, set, ctx)
  local engine, action = plan.engine, step.action
  local function explore(_, entity)
    local found, outcome = plan.dry:explore(entity.type .. ":" .. entity.identifier, action.run,
      ctx, entity)
    local is_skipped = type(outcome) == "table" and rawget(outcome, "outcome") == "skipped"
    add_found(row, entity.identifier, is_skipped and found or with_cost(found, action, ctx, entity))
    return is_skipped and outcome or ctx.not_asked "this is a plan"
  end
  if engine.select(step.number, set, action.each ~= nil) > 0 then
    engine.run_entities(step.number, action.env, explore, ctx)
  end
  note_failed(plan, step, row)
  note_skipped(plan, step, row)
end

local function explore_case(plan, step, row, ctx)
  local function explore(_, case)
    local found = plan.dry:explore("the case", step.action.run_case, ctx, case)
    add_found(row, "the case", with_cost(found, step.action, ctx))
    return ctx.done { success = true }
  end
  local ended, why = plan.engine.run_case(step.number, step.action.env, explore, ctx, plan.case)
  if not ended then add_problem(row, why) end
end

local function plan_action(plan, step, row)
  local action = step.action
  local values, why = arguments.resolve(plan.engine, step, plan.values, function(fn)
    return plan.engine.call(fn, plan.case)
  end)
  if not values then
    row.left_out = "what it is given is known when it runs (" .. why .. ")"
    return
  end
  local ctx = context.new {
    action = action, params = plain.copy(values), warn = function() end,
    summary = action.run_case and function() return case_summary.of(plan) end or nil,
  }
  if action.run_case then
    plan.dry:enter(step.number, not row.condition)
    return explore_case(plan, step, row, ctx)
  end
  local set, condition, problem
  if action.each then
    set, condition, problem = select_each(plan, step, row, values, ctx)
  else
    set, condition, problem = select_on(plan, step)
  end
  if not set then
    row.left_out = problem
    return
  end
  row.condition = row.condition or condition
  plan.dry:enter(step.number, not row.condition)
  explore_entities(plan, step, row, set, ctx)
end

local function plan_step(plan, step)
  local row = new_row(step)
  row.left_out = runner.why_left_out(plan, step)
  if row.left_out or not step.action then return row end
  local wanted, condition, why = is_wanted(plan, step)
  row.condition = condition
  if not wanted then
    row.left_out = why
    return row
  end
  plan_action(plan, step, row)
  step.will_be_planned = not row.left_out
  sum_up(row, plan.facts.list)
  return row
end

-- The steps of a group do not wait for each other: none is earlier than another.
local function plan_group(plan, group)
  local rows = {}
  for _, step in ipairs(group) do table.insert(rows, plan_step(plan, step)) end
  for _, step in ipairs(group) do
    step.is_planned = step.will_be_planned
    plan.has_earlier = plan.has_earlier or step.is_planned or step.run ~= nil
  end
  return rows
end

-- ---- the whole ----

local function count_entities(engine)
  local all = engine.set_of()
  local entities = { total = #all, internal = #all - #all:external(), types = {} }
  for _, name in ipairs(engine.types) do
    local count = #engine.set_of { name }
    if count > 0 then table.insert(entities.types, { type = name, count = count }) end
  end
  return entities
end

-- What is sure: of a step that may not run, nothing is.
local function total_of(rows)
  local total = {
    requests = { least = 0, most = 0 }, quota = { least = 0, most = 0 },
    public = { least = 0, most = 0 }, outside = { least = 0, most = 0 }, cached = 0, shared = 0,
    bytes = 0,
  }
  for _, row in ipairs(rows) do
    for _, field in ipairs { "requests", "quota", "public", "outside" } do
      local is_sure = not row.condition
      total[field].least = total[field].least + (is_sure and row[field].least or 0)
      total[field].most = total[field].most + row[field].most
    end
    for _, field in ipairs { "cached", "shared", "bytes" } do
      total[field] = total[field] + row[field]
    end
  end
  return total
end

-- How much may be taken before a window returns; nil: no limit.
local function left_of(window, limit, reserve)
  if limit == 0 then return nil end
  return math.max((window and window.left or limit) - reserve, 0)
end

local function minutes_for(quota, facts, usage)
  if facts.per_minute == 0 or quota == 0 then return 0 end
  local now = usage and usage.minute.left or facts.per_minute
  if quota <= now then return 0 end
  return (quota - now + facts.per_minute - 1) // facts.per_minute
end

--- How long that takes at the rate of the key, and what it leaves.
local function time_of(total, facts, usage)
  local day = left_of(usage and usage.day, facts.per_day, facts.reserve)
  local month = left_of(usage and usage.month, facts.per_month, 0)
  local left = day and month and math.min(day, month) or day or month
  return {
    minutes = {
      least = minutes_for(total.quota.least, facts, usage),
      most = minutes_for(total.quota.most, facts, usage),
    },
    day_left = day, month_left = month,
    fits = left == nil and "yes" or total.quota.most <= left and "yes"
      or total.quota.least <= left and "perhaps" or "not today",
    is_known = usage ~= nil,
  }
end

-- What would reach other hosts than VirusTotal.
local OUTSIDE = { sftp = { "open" }, http = { "get", "post", "request" } }

--- Nothing that the actions need is there but the dry `vt`: what would reach out is not granted.
---@param dry table
---@return fun(engine: table, action: table): boolean?, string?
local function granting(dry)
  return function(engine, action)
    for _, name in ipairs(action.needs) do
      if name == "vt" then
        rawset(action.env, "vt", dry:module())
      elseif OUTSIDE[name] then
        rawset(action.env, name, dry:refusing(OUTSIDE[name], name == "http"))
      else
        local ok, message = engine.grant(action.env, { name })
        if not ok then return nil, action.path .. ": needs: " .. message end
      end
    end
    return true
  end
end

---@param engine table
---@param playbook table checked
---@param values table of its parameters
---@param options table { only, skip }
---@return table? plan { name, entities, steps, total, time, facts }, string? message
function M.make(engine, playbook, values, options)
  local facts = engine.facts()
  local plan = {
    engine = engine, name = playbook.name, steps = playbook.steps, values = values, facts = facts,
    only = runner.set_of(options.only), skip = runner.set_of(options.skip),
    dry = dry_of.new(engine, facts),
  }
  local ok, message = runner.check(engine, playbook, values,
    { only = options.only, skip = options.skip, grant = granting(plan.dry) })
  if not ok then return nil, message end
  local entities = count_entities(engine)
  plan.case = case_of.new(engine, plan.steps, function(step)
    plan.has_looked = plan.has_looked or step.is_planned
  end)
  for _, step in ipairs(plan.steps) do step_of.announce(plan, step) end
  local rows = {}
  for _, group in ipairs(playbook.groups) do
    for _, row in ipairs(plan_group(plan, group)) do table.insert(rows, row) end
  end
  local total = total_of(rows)
  local usage = facts.has_key and engine.usage() or nil
  return {
    name = playbook.name, entities = entities, steps = rows, total = total, facts = facts,
    time = time_of(total, facts, usage),
  }
end

return M
