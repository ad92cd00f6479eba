-- The way from an indicator to its report, for files and URLs: look it up; wait for it when it is
-- queued; have it scanned again when the report is old. A report in hand is never lost.
--
-- A flow says how, and this says when:
--   { kind = "file"|"url", resource, rescan_after_days,
--     look_up = function() ... end, rescan = function(report) ... end,
--     submit = function() ... end }         -- nil: what is not known is left so
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals vt
local rescan = require "apogee.rescan"

local M = {}

local function date_of(report)
  local date = report.scan_date
  return type(date) == "string" and "the report of " .. date .. " UTC" or "an older report"
end

local function older(report, why, message)
  return why .. " (" .. message .. "); this is " .. date_of(report)
end

-- Once submitted, an answer is lost only when VirusTotal says so; everything else is "not yet".
local function is_lost(code)
  return code == "rejected" or code == "not_found"
end

local function wait(ctx, flow, receipt, report)
  local fresh, message, code = vt.await(flow.kind, receipt, { resource = flow.resource })
  if fresh then return fresh end
  if is_lost(code) and report then
    return nil, ctx.reported(report, older(report, "the new scan was lost", message))
  end
  if is_lost(code) then return nil, ctx.failed(message) end
  if report then
    return nil, ctx.pending(older(report, "the new scan is not finished", message), report)
  end
  return nil, ctx.pending(message)
end

local function scan_again(ctx, flow, report)
  local receipt, message, code = flow.rescan(report)
  if not receipt and code == "queued" then
    return ctx.pending(older(report, "the new scan is not finished", message), report)
  end
  if not receipt then
    return ctx.reported(report, older(report, "not rescanned", message))
  end
  local fresh, outcome = wait(ctx, flow, receipt, report)
  return fresh and ctx.scanned(fresh) or outcome
end

local function submit(ctx, flow)
  local receipt, message, code = flow.submit()
  if not receipt then
    if is_lost(code) then return ctx.failed(message) end
    return ctx.from_error(message, code)
  end
  local fresh, outcome = wait(ctx, flow, receipt)
  return fresh and ctx.scanned(fresh) or outcome
end

-- A run that goes on may find the report of the very scan that it asked for before it was cut off.
local function is_own(ctx, flow, report)
  if not ctx.began or not (flow.submit or flow.rescan_after_days) then return false end
  local scanned_s = rescan.scanned_s(report)
  return scanned_s ~= nil and scanned_s >= ctx.began
end

local function found(ctx, flow, report)
  if is_own(ctx, flow, report) then return ctx.scanned(report) end
  return ctx.reported(report)
end

--- The outcome of an entity; its `report`, when there is one, is what to show.
---@param ctx table
---@param flow table
---@return table outcome
function M.run(ctx, flow)
  local report, message, code, scan_id = flow.look_up()
  local is_due = report and rescan.is_due(report, flow.rescan_after_days)
  if is_due and not is_own(ctx, flow, report) then return scan_again(ctx, flow, report) end
  if report then return found(ctx, flow, report) end
  if code == "queued" then
    local finished, outcome = wait(ctx, flow, scan_id or flow.resource)
    return finished and found(ctx, flow, finished) or outcome
  end
  if code == "not_found" and flow.submit then return submit(ctx, flow) end
  return ctx.from_error(message, code)
end

return M
