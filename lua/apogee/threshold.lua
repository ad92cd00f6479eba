-- When enough engines call it malicious, and how an insight says so.
-- SPDX-License-Identifier: Apache-2.0
local engines = require "apogee.engines"

local M = {}

local NAMED_ENGINES = 10

--- The parameter, for an action's manifest: threshold.param { required = true }.
---@param fields table? what differs
---@return table
function M.param(fields)
  local param = {
    "threshold", type = "integer", min = 1, label = "Threshold", example = 3,
    zero = "would mark every entity",
    doc = "As many engines, or more, must call an entity malicious for it to be marked suspicious.",
  }
  for key, value in pairs(fields or {}) do param[key] = value end
  return param
end

--- Detections meet a threshold when they are equal to it or above.
---@param detections integer engines that detect
---@param threshold integer 1 or more
---@return boolean
function M.is_met(detections, threshold)
  return detections >= threshold
end

--- Why the entity is risky, for the body of an insight.
---@param detections integer engines that detect
---@param total integer|nil engines that were asked; nil when the report does not say
---@param threshold integer
---@param names string[]|nil of those that detect, in the order to name them
---@return string
function M.explain(detections, total, threshold, names)
  local count = total and ("%d of %d engines"):format(detections, total)
    or ("%d engines"):format(detections)
  local text = ("%s detect it; the threshold is %d."):format(count, threshold)
  if not names or #names == 0 then return text end
  local named = table.concat(names, ", ", 1, math.min(#names, NAMED_ENGINES))
  local more = #names - NAMED_ENGINES
  if more > 0 then named = ("%s and %d more"):format(named, more) end
  return ("%s Detected by %s."):format(text, named)
end

--- What a report of a file or URL counts; a report without `positives` is counted by its engines.
---@param report table
---@return integer detections
---@return integer|nil total
function M.counted(report)
  local positives = math.tointeger(tonumber(report.positives))
  local total = math.tointeger(tonumber(report.total))
  local detecting, asked = engines.count(report)
  return positives or detecting, total or asked
end

--- Applies the rule to an entity. What something else has marked stays marked.
---@param entity table
---@param found table { detections, total }
---@param threshold integer
---@param insight table what to say when it is met
---@return boolean is_risky
function M.apply(entity, found, threshold, insight)
  local is_risky = M.is_met(found.detections, threshold)
  entity:result {
    detections = found.detections, total = found.total, threshold = threshold, risky = is_risky,
  }
  if not is_risky then return false end
  entity:mark_suspicious()
  entity:insight(insight)
  return true
end

--- The same for the report of a file or URL.
---@param entity table
---@param report table
---@param threshold integer
---@return boolean is_risky
function M.judge(entity, report, threshold)
  local detections, total = M.counted(report)
  return M.apply(entity, { detections = detections, total = total }, threshold, {
    severity = "warn",
    title = total and ("Detected by %d of %d engines"):format(detections, total)
      or ("Detected by %d engines"):format(detections),
    body = M.explain(detections, total, threshold, engines.detecting(report)),
  })
end

return M
