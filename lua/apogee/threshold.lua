-- When enough engines call it malicious, and how an insight says so.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local NAMED_ENGINES = 10

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
---@param engines string[]|nil names of those that detect, in the order to name them
---@return string
function M.explain(detections, total, threshold, engines)
  local count = total and ("%d of %d engines"):format(detections, total)
    or ("%d engines"):format(detections)
  local text = ("%s detect it; the threshold is %d."):format(count, threshold)
  if not engines or #engines == 0 then
    return text
  end
  local named = table.concat(engines, ", ", 1, math.min(#engines, NAMED_ENGINES))
  local more = #engines - NAMED_ENGINES
  if more > 0 then
    named = ("%s and %d more"):format(named, more)
  end
  return ("%s Detected by %s."):format(text, named)
end

return M
