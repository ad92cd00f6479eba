-- The `ctx` of an action: its parameters, and the words for how an entity ends.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local OUTCOME_OF_CODE = {
  not_found = "not_found",
  queued = "pending",
  limited = "limited",
  forbidden = "forbidden",
  unauthorized = "forbidden",
  denied = "denied",
  deadline = "not_asked",
  canceled = "not_asked",
}

local function outcome(name, reason, report)
  if reason ~= nil and type(reason) ~= "string" then
    error("a reason is a text, not a " .. type(reason), 3)
  end
  return { outcome = name, reason = reason, report = report }
end

local MAX_WARNINGS = 1000
local MAX_WARNING_BYTES = 1000

-- A step keeps what it was warned of until the run is over.
local function bounded(warn)
  local count = 0
  return function(text)
    if type(text) ~= "string" or #text > MAX_WARNING_BYTES then
      error("ctx.warn: a warning is a text of at most " .. MAX_WARNING_BYTES .. " bytes", 2)
    end
    count = count + 1
    if count > MAX_WARNINGS then
      error("ctx.warn: more warnings than " .. MAX_WARNINGS .. " of a step", 2)
    end
    return warn(text)
  end
end

local function add_outcomes(ctx)
  function ctx.reported(report, reason) return outcome("reported", reason, report) end
  function ctx.scanned(report, reason) return outcome("scanned", reason, report) end
  function ctx.pending(reason, report)
    return outcome("pending", reason or "the scan is not finished", report)
  end
  function ctx.not_found() return outcome("not_found") end
  for _, name in ipairs { "limited", "forbidden", "denied", "failed", "skipped", "not_asked" } do
    ctx[name] = function(reason) return outcome(name, reason or "no reason was given") end
  end
  --- The outcome that a failed call leads to.
  function ctx.from_error(message, code)
    local name = OUTCOME_OF_CODE[code] or "failed"
    if name == "not_found" then return outcome(name) end
    return outcome(name, message or code or "no reason was given")
  end
  --- How a run_case ends.
  function ctx.done(result)
    return { success = result.success, message = result.message, failed = result.failed }
  end
end

---@param given table { action, params, warn = function(text), began = of a run that goes on: when
---  it began, in seconds since 1970; summary = of a run_case: see case_summary.lua }
---@return table ctx shared by all tasks of a step
function M.new(given)
  local action = given.action
  local ctx = {
    action = { id = action.id, name = action.name, provider = action.provider },
    params = given.params,
    warn = given.warn and bounded(given.warn),
    began = given.began,
    summary = given.summary,
  }
  add_outcomes(ctx)
  return ctx
end

return M
