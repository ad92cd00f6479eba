-- Where an indicator stands, in five words: what a chart counts and a table sorts by.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local HAS_REPORT = { reported = true, scanned = true }

--- The most urgent first.
M.ORDER = { "risky", "not_checked", "below_threshold", "unknown", "clean" }

M.LABELS = {
  risky = "Risky",
  below_threshold = "Below threshold",
  clean = "Clean",
  unknown = "Unknown",
  not_checked = "Not checked",
}

M.MEANINGS = {
  risky = "the threshold is met",
  below_threshold = "detected, but not by enough",
  clean = "a report without detections",
  unknown = "no report, or one without a verdict",
  not_checked = "no finished answer: may be anything",
}

local RANKS = { risky = 5, not_checked = 4, below_threshold = 3, clean = 2, unknown = 1 }

--- Of an entity in one step. A report that waits for a newer scan is no finished answer, unless it
--- is risky already.
---@param outcome string
---@param is_risky boolean
---@param detections integer?
---@param has_no_engines boolean?
---@return string
function M.of(outcome, is_risky, detections, has_no_engines)
  if is_risky then return "risky" end
  if outcome == "not_found" then return "unknown" end
  if not HAS_REPORT[outcome] then return "not_checked" end
  if not detections or has_no_engines then return "unknown" end
  return detections > 0 and "below_threshold" or "clean"
end

--- The one that counts of two steps. What one step knows is no news in another that knows nothing;
--- but where one could not ask, nobody may call it clean.
---@param first string?
---@param second string
---@return string
function M.worse(first, second)
  if not first then return second end
  return RANKS[second] > RANKS[first] and second or first
end

return M
