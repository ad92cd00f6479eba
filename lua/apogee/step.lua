-- Runs one step of a playbook: chooses its entities, works out its parameters, runs the action for
-- each, and says how it ended. What it returns is what later steps and the run see of it.
-- SPDX-License-Identifier: Apache-2.0
local arguments = require "apogee.arguments"
local case_summary = require "apogee.case_summary"
local context = require "apogee.context"
local message = require "apogee.message"
local plain = require "apogee.plain"
local status_of = require "apogee.status"

local M = {}

local function needs_vt(action)
  for _, name in ipairs(action.needs) do
    if name == "vt" then return true end
  end
  return false
end

--- The run's state as far as it concerns an action: only those that use vt care for VirusTotal.
local function state_for(run, action)
  local state = run.engine.state()
  if needs_vt(action) then return state end
  return { stopped = state.stopped }
end

-- Whatever a function waited for came to its end then, and what it went on to do is half of it.
local CUT_SHORT = "The run ended while its function waited."

local function title_of(step)
  return step.action and step.action.name or step.name
end

-- What did not go as it should is said on standard error too: a result may go to a file.
local function say(run, step, found)
  local is_idle = run.is_alone and found.has_entities and found.of == 0
  if found.exit == status_of.DONE and not is_idle then return end
  local level = found.status == "failed" and "error"
    or found.exit == status_of.DONE and "note" or "warning"
  run.engine.say(level, title_of(step) .. ": " .. (found.trouble or found.message))
end

local function close(run, step, found)
  run.engine.end_step(step.number, {
    status = found.status, result = found.result, message = found.message,
  })
  say(run, step, found)
  step.found = found
  return found
end

local function ended(fields)
  local found = {
    status = "completed", exit = status_of.DONE, result = false, message = "", is_risky = false,
    is_success = false, checked = 0, of = 0,
  }
  for key, value in pairs(fields) do found[key] = value end
  return found
end

--- On what it depends whether the step runs, where that is not known yet.
---@param step table with a `when`
---@param steps table[] of the playbook
---@return string
function M.condition(step, steps)
  if type(step.when) ~= "string" then return "if its condition holds" end
  for _, other in ipairs(steps) do
    local is_it = other.name == step.when and other.action
    if is_it and other.action.returns == "is_success" then
      return "if " .. step.when .. " is a success"
    end
  end
  return "if " .. step.when .. " is risky"
end

--- The step itself went wrong, not an entity of it; or the end of the run came in its way.
local function broken(run, step, why, exit)
  local stopped = not exit and run.engine.state().stopped
  return close(run, step, ended {
    status = stopped and status_of.of_stop(stopped) or "failed", exit = exit or status_of.PARTIAL,
    message = why,
  })
end

local WHY_CUT_OFF = {
  deadline = "Not run: the deadline came before it.",
  signal = "Not run: a signal ended the run before it.",
}

--- The end of the run came before the step, which could not even choose its entities any more.
---@param run table { engine, case, values }
---@param step table
---@param stopped string what ended the run
function M.cut_off(run, step, stopped)
  M.leave_out(run, step, WHY_CUT_OFF[stopped])
  step.found = ended { status = status_of.of_stop(stopped), exit = status_of.PARTIAL }
end

--- Something before the step went wrong, such as its `when`.
---@param run table { engine, case, values }
---@param step table
---@param why string
---@return table found as of M.run
function M.fail(run, step, why)
  return broken(run, step, why)
end

--- The step is left out.
---@param run table { engine, case, values }
---@param step table
---@param why string
function M.leave_out(run, step, why)
  run.engine.end_step(step.number, { status = "not_run", result = false, message = why })
end

local function select_on(run, step)
  local engine, on = run.engine, step.on
  if type(on) == "table" then return engine.set_of(on) end
  local ok, set = engine.call(on, run.case)
  if not ok then return nil, set end
  -- The method of a set of ours: whatever the function returned, none of its own code runs here.
  local of = engine.set_of({}).of
  local is_set, chosen = pcall(of, set, table.unpack(step.action.accepts))
  if not is_set then return nil, 'on must return entities, as case:of("url") does' end
  return chosen
end

local function select_each(run, step, values, ctx)
  local action = step.action
  local ok, items = run.engine.call_granted(action.env, action.each, arguments.copy(values), ctx)
  if not ok then return nil, items end
  local copy, problem = plain.copy(items)
  if type(copy) ~= "table" then
    return nil, "each must return a list: " .. (problem or "it is none")
  end
  return run.engine.items(step.number, copy)
end

local function close_entities(run, step, values)
  local engine, action = run.engine, step.action
  local counts = engine.counts(step.number)
  local state = state_for(run, action)
  local status = status_of.of_step(counts, state)
  local exit = status_of.exit_of_step(counts, status)
  local about = {
    action = action, counts = counts, status = status,
    threshold = math.type(values.threshold) == "integer" and values.threshold or nil,
    failure = status_of.failure(counts, state),
  }
  return close(run, step, ended {
    status = status,
    exit = exit,
    result = status_of.result(action.returns, counts, status),
    is_risky = counts.risky > 0,
    is_success = status_of.is_success(counts, status),
    checked = counts.reported + counts.scanned + counts.not_found,
    of = counts.of,
    has_entities = not action.each,
    message = message.of_step(engine, step.number, about),
    trouble = exit ~= status_of.DONE and message.of_trouble(engine, step.number, about) or nil,
  })
end

local function run_entities(run, step, values, ctx)
  local action = step.action
  local set, why
  if action.each then
    set, why = select_each(run, step, values, ctx)
  else
    set, why = select_on(run, step)
  end
  if not set then return broken(run, step, why) end
  if #set == 0 and type(step.on) ~= "table" and run.engine.state().stopped then
    return broken(run, step, CUT_SHORT)
  end
  if run.engine.select(step.number, set, action.each ~= nil) > 0 then
    run.engine.run_entities(step.number, action.env, action.run, ctx)
  end
  return close_entities(run, step, values)
end

local function run_whole_case(run, step, ctx)
  local engine, action = run.engine, step.action
  local outcome, why = engine.run_case(step.number, action.env, action.run_case, ctx, run.case)
  if not outcome then return broken(run, step, why) end
  if outcome.failed then
    return close(run, step, ended {
      status = "failed", exit = status_of.FAILED, message = outcome.message or "",
    })
  end
  local is_success = outcome.success == true
  local stopped = not is_success and engine.state().stopped
  return close(run, step, ended {
    status = stopped and status_of.of_stop(stopped) or "completed",
    exit = is_success and status_of.DONE or status_of.PARTIAL,
    result = action.returns == "is_success" and is_success,
    is_success = is_success,
    message = outcome.message or "",
  })
end

local function run_action(run, step)
  local action = step.action
  local refusal = status_of.refusal(state_for(run, action))
  if refusal then
    local why = message.sentence("Not run: " .. action.provider .. " " .. refusal)
    return broken(run, step, why, status_of.FAILED)
  end
  local values, why = arguments.resolve(run.engine, step, run.values, function(fn)
    return run.engine.call(fn, run.case)
  end)
  local problem = why or arguments.validate(run.engine, action, values)
  if problem then return broken(run, step, step.name .. ": " .. problem) end
  local ctx = context.new {
    action = action, params = arguments.copy(values), -- its own: it may write on it
    began = run.engine.began,
    summary = action.run_case and function() return case_summary.of(run) end or nil,
    warn = function(warning) run.engine.warn(step.number, warning) end,
  }
  if action.run_case then return run_whole_case(run, step, ctx) end
  return run_entities(run, step, values, ctx)
end

local function run_function(run, step)
  local ok, why = run.engine.call(step.run, run.case)
  if not ok then return broken(run, step, why) end
  if run.engine.state().stopped then return broken(run, step, CUT_SHORT) end
  return close(run, step, ended { message = "Done.", is_success = true })
end

--- Tells the record of a step that may run later.
---@param run table { engine, case, values }
---@param step table
function M.announce(run, step)
  local action = step.action
  step.number = run.engine.step {
    name = step.name,
    action = action and action.id,
    title = title_of(step),
    provider = action and action.provider,
    result_name = action and action.returns,
    json_by_entity = action ~= nil and action.each ~= nil,
  }
end

---@param run table
---@param step table
---@return table found { status, exit, result, message, is_risky, is_success, checked, of }
function M.run(run, step)
  if step.action then return run_action(run, step) end
  return run_function(run, step)
end

return M
