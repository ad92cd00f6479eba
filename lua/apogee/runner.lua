-- Runs a playbook: its groups in order, the steps of a group at the same time. An action that was
-- asked for alone is a playbook of one step.
-- SPDX-License-Identifier: Apache-2.0
local arguments = require "apogee.arguments"
local case = require "apogee.case"
local status_of = require "apogee.status"
local step_of = require "apogee.step"

local M = {}

--- A list of words as a set.
function M.set_of(words)
  local set = {}
  for _, word in ipairs(words or {}) do set[word] = true end
  return set
end

local function is_named(step, words)
  if words[step.name] then return true end
  for _, tag in ipairs(step.tags) do
    if words[tag] then return true end
  end
  return false
end

local function check_words(engine, steps, option, words)
  local known = {}
  for _, step in ipairs(steps) do
    table.insert(known, step.name)
    for _, tag in ipairs(step.tags) do table.insert(known, tag) end
  end
  local is_known = M.set_of(known)
  for _, word in ipairs(words or {}) do
    if not is_known[word] then
      local nearest = engine.nearest(word, known)
      local hint = nearest and '; did you mean "' .. nearest .. '"?' or ""
      return nil, ('%s %s: no step has this name or tag%s'):format(option, word, hint)
    end
  end
  return true
end

local function grant(engine, action)
  if #action.secrets > 0 then
    local ok, message = engine.secrets(action.secrets)
    if not ok then return nil, message .. " (" .. action.id .. " needs it)" end
  end
  if #action.needs == 0 then return true end
  local ok, message, is_unconfigured = engine.grant(action.env, action.needs, action.http)
  if ok then return true end
  return nil, is_unconfigured and message or action.path .. ": needs: " .. message
end

--- Everything that can be wrong before anything is sent.
---@param engine table
---@param playbook table checked
---@param values table of its parameters
---@param options table { only, skip, grant = fun(engine, action): instead of giving what it needs }
---@return boolean? ok, string? message
function M.check(engine, playbook, values, options)
  for _, option in ipairs { "only", "skip" } do
    local ok, message = check_words(engine, playbook.steps, "--" .. option, options[option])
    if not ok then return nil, message end
  end
  for _, step in ipairs(playbook.steps) do
    if step.action then
      local given, message = arguments.resolve(engine, step, values)
      if not given then return nil, step.name .. ": " .. message end
      local problem = not arguments.has_function(step)
        and arguments.validate(engine, step.action, given)
      if problem then return nil, step.name .. ": " .. problem end
      local ok, why = (options.grant or grant)(engine, step.action)
      if not ok then return nil, why end
    end
  end
  return true
end

--- Why the step is not run, before its own condition is asked.
---@param run table { only, skip, stopped_by }
---@return string?
function M.why_left_out(run, step)
  if run.stopped_by then return ('Not run: the step "%s" failed.'):format(run.stopped_by) end
  if next(run.only) and not is_named(step, run.only) then return "Not run: left out by --only." end
  if is_named(step, run.skip) then return "Not run: left out by --skip." end
end

---@return boolean? wanted, string? message nil and what its function raised
local function is_wanted(run, step)
  if step.when == nil then return true end
  if type(step.when) == "string" then
    for _, other in ipairs(run.steps) do
      if other.name == step.when then return other.found ~= nil and other.found.result == true end
    end
  end
  local ok, answer = run.engine.call(step.when, run.case)
  if not ok then return nil, answer end
  return answer ~= nil and answer ~= false
end

local function has_function(step)
  return arguments.has_function(step) or step.run ~= nil or type(step.when) == "function"
    or type(step.on) == "function" or step.action.each ~= nil
end

local function run_step(run, step)
  local why = M.why_left_out(run, step)
  if why then return step_of.leave_out(run, step, why) end
  local stopped = run.engine.state().stopped
  if stopped and has_function(step) then return step_of.cut_off(run, step, stopped) end
  local wanted, message = is_wanted(run, step)
  if wanted == nil then return step_of.fail(run, step, "when: " .. message) end
  if wanted then return step_of.run(run, step) end
  stopped = type(step.when) == "function" and run.engine.state().stopped
  if stopped then return step_of.cut_off(run, step, stopped) end
  return step_of.leave_out(run, step, "Not run: its condition does not hold.")
end

-- Each in a task of its own: what one raises is its own failure.
local function run_group(run, group)
  local functions = {}
  for _, step in ipairs(group) do
    table.insert(functions, function() run_step(run, step) end)
  end
  for index, result in ipairs(run.engine.all(functions)) do
    if not result[1] then step_of.fail(run, group[index], result[2]) end
  end
end

local function stop_after(run, group)
  for _, step in ipairs(group) do
    if step.found and step.found.status == "failed" and step.on_error == "stop" then
      run.stopped_by = run.stopped_by or step.name
    end
  end
end

-- A step that failed for itself leaves the run done in part: only VirusTotal makes a run fail.
local function status_for_run(found)
  local is_of_step_alone = found.status == "failed" and found.exit ~= status_of.FAILED
  return is_of_step_alone and "completed" or found.status
end

local function sum_up(run)
  local exit, status, is_risky = status_of.DONE, "completed", false
  for _, step in ipairs(run.steps) do
    local found = step.found
    if found then
      exit = status_of.worse_exit(exit, found.exit)
      status = status_of.worse_status(status, status_for_run(found))
      is_risky = is_risky or found.is_risky
    end
  end
  return exit, status, is_risky
end

local function works_on_entities(step)
  return step.action and not step.action.run_case and not step.action.each
end

local function say_if_empty(engine, steps)
  if #engine.set_of() > 0 then return end
  for _, step in ipairs(steps) do
    if works_on_entities(step) then
      engine.say("note",
        "there are no entities: give some with --entities FILE or --entity TYPE:VALUE")
      return
    end
  end
end

---@param engine table
---@param playbook table checked
---@param values table of its parameters
---@param options table { only, skip, fail_on_risky, is_alone = one action, no playbook }
---@return integer exit, string status, table state { tags, score } of the case
function M.run(engine, playbook, values, options)
  local run = {
    engine = engine, name = playbook.name, steps = playbook.steps, values = values,
    only = M.set_of(options.only), skip = M.set_of(options.skip),
    is_alone = options.is_alone and #engine.set_of() > 0,
  }
  say_if_empty(engine, playbook.steps)
  local state
  run.case, state = case.new(engine, run.steps)
  for _, step in ipairs(run.steps) do step_of.announce(run, step) end
  for _, group in ipairs(playbook.groups) do
    run_group(run, group)
    stop_after(run, group)
  end
  local exit, status, is_risky = sum_up(run)
  if options.fail_on_risky then exit = status_of.with_risk(exit, is_risky) end
  return exit, status, state
end

return M
