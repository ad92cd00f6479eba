-- What reports say in words: the sentence on top, how a verdict came about, ages and costs. Plain
-- text: whoever writes it somewhere escapes it.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals clock

local M = {}

local DAY_S = 24 * 60 * 60
local DATE_FIELDS = { "Scan date", "Last Scan Date" }

local OUTCOMES = {
  reported = "a finished report",
  scanned = "scanned anew in this run",
  pending = "still being scanned when the run ended",
  not_found = "not known to the provider",
  limited = "the quota is spent",
  forbidden = "the key may not ask this",
  denied = "the local policy denied it",
  failed = "failed",
  skipped = "skipped",
  not_asked = "not answered before the run ended",
}

local ENDINGS = {
  in_progress = "Scans are still under way.",
  failed = "A step failed.",
  timed_out = "The deadline ended the run.",
  interrupted = "A signal ended the run.",
  not_run = "Nothing was run.",
}

--- "1 indicator", "1,204 indicators"
---@param count integer
---@param noun string
---@param plural string?
---@return string
function M.count(count, noun, plural)
  return M.number(count) .. " " .. (count == 1 and noun or plural or noun .. "s")
end

--- A word of the record without underscores: "not found"
---@param word string?
---@return string
function M.word(word)
  return ((word or ""):gsub("_", " "))
end

--- 1204 as "1,204"
---@param number integer
---@return string
function M.number(number)
  local digits = ("%d"):format(number):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (digits:gsub("^,", ""))
end

--- What the report is about: the playbook's name, or the action's.
---@param record table
---@return string
function M.name(record)
  if record.run then return record.run.playbook end
  return record.steps[1] and record.steps[1].name or "Apogee"
end

--- "finished 2026-11-24T04:11:52Z"
---@param run table
---@return string
function M.finished(run)
  return run.finished and "finished " .. run.finished or "cut off before its end"
end

---@param record table
---@return string
function M.status(record)
  if record.run then return record.run.status end
  return record.steps[1] and record.steps[1].status or "not_run"
end

local function coverage(survey)
  local count, missed = survey.count, survey.counts.not_checked
  if missed == count then return count == 1 and "it was not checked" or "none was checked" end
  if missed > 0 then
    return ("%s of %s %s not checked"):format(M.number(missed), M.number(count),
      missed == 1 and "was" or "were")
  end
  return count == 1 and "it was checked" or "all " .. M.number(count) .. " were checked"
end

local function risk(survey)
  local counts = survey.counts
  if survey.count == 1 then
    return counts.risky == 1 and "The one indicator is risky" or "The one indicator is not risky"
  end
  if counts.risky > 0 then
    return ("%s of %s indicators %s risky"):format(M.number(counts.risky), M.number(survey.count),
      counts.risky == 1 and "is" or "are")
  end
  if counts.not_checked > 0 then return "Of what was checked nothing is risky" end
  return "None of the " .. M.number(survey.count) .. " indicators is risky"
end

local function happened(record, survey)
  local counts = survey.counts
  if record.is_part then return "Only what has changed is shown." end
  if survey.count == 0 then
    local step = record.steps[1]
    if not record.run and step and (step.message or "") ~= "" then return step.message end
    return "There was nothing to check."
  end
  if counts.not_checked == survey.count then
    if survey.count == 1 then return "The one indicator was not checked." end
    return "None of the " .. M.number(survey.count) .. " indicators was checked."
  end
  if counts.unknown == survey.count then
    local are = survey.count == 1 and "The one indicator was checked; there is no verdict on it."
    return are or "All " .. M.number(survey.count)
      .. " indicators were checked; there is no verdict on any of them."
  end
  local joint = counts.risky == 0 and counts.not_checked > 0 and ", but " or "; "
  return risk(survey) .. joint .. coverage(survey) .. "."
end

-- "All were checked" is not to be read as of those that no step was about.
local function in_no_step(said, survey)
  local count = survey.unasked.count
  if survey.count == 0 or count == 0 then return said end
  local bare = said:gsub("%.$", "")
  return ("%s; %s more %s in no step."):format(bare, M.number(count), count == 1 and "is" or "are")
end

--- What happened, in one sentence; in two when the run did not go through.
---@param record table
---@param survey table
---@return string
function M.headline(record, survey)
  local ending = ENDINGS[M.status(record)]
  local said = in_no_step(happened(record, survey), survey)
  return ending and said .. " " .. ending or said
end

--- "reported: a finished report"
---@param outcome string
---@return string
function M.outcome(outcome)
  return OUTCOMES[outcome] or outcome
end

--- "63 of 68 engines", "no detections"; nil when there is no verdict.
---@param verdict table?
---@return string?
function M.detections(verdict)
  if not verdict then return nil end
  if verdict.total and verdict.total > 0 then
    return ("%d of %d engines"):format(verdict.detections, verdict.total)
  end
  if verdict.total then return "no engines" end
  return verdict.detections == 0 and "no detections" or M.count(verdict.detections, "detection")
end

local function capital(words)
  return (words:gsub("^%l", string.upper))
end

--- How a verdict came about: the numbers, the rule and its threshold; or why there is none.
---@param finding table
---@param now string its standing in the step
---@return string
function M.rule(finding, now)
  local verdict = finding.verdict
  if not verdict then return capital(M.outcome(finding.outcome)) .. "." end
  local counted = M.detections(verdict)
  local rule = ""
  if verdict.total and verdict.total > 0 then counted = counted .. " detect it" end
  if verdict.threshold then rule = ("; the threshold is %d"):format(verdict.threshold) end
  if now == "not_checked" then
    return ("%s. An older report says: %s%s."):format(capital(M.outcome(finding.outcome)), counted,
      rule)
  end
  return capital(counted) .. rule .. "."
end

--- The date of the scan that a finding is from, as the provider writes it (UTC).
---@param finding table
---@return string?
function M.scan_date(finding)
  for _, fields in pairs(finding.enrichment or {}) do
    for _, name in ipairs(DATE_FIELDS) do
      if type(fields[name]) == "string" then return fields[name] end
    end
  end
end

--- Whole days between a date and the time of the record; nil when it cannot be read.
---@param record table
---@param date string?
---@return integer?
function M.age_days(record, date)
  local then_s = date and clock.parse(date)
  return then_s and math.max((record.now - then_s) // DAY_S, 0)
end

--- "today", "1 day old", "382 days old"; nil when unknown.
---@param days integer?
---@return string?
function M.age(days)
  if not days then return nil end
  return days == 0 and "less than a day old" or M.count(days, "day") .. " old"
end

--- The names of the engines that detect, as one text; nil when there are none.
---@param finding table
---@return string?
function M.engines(finding)
  for _, fields in pairs(finding.enrichment or {}) do
    local names = fields["Detecting Engines"]
    if type(names) == "string" and names ~= "" then return names end
  end
end

local function bytes(count)
  local units = { "bytes", "kB", "MB", "GB", "TB" }
  local at, value = 1, count
  while value >= 1000 and at < #units do value, at = value / 1000, at + 1 end
  return at == 1 and ("%d bytes"):format(count) or ("%.1f %s"):format(value, units[at])
end

--- "5 requests, 6 of the quota, 2 from the cache"
---@param cost table
---@return string
function M.cost(cost)
  local parts = {
    M.count(cost.requests or 0, "request"), M.number(cost.quota or 0) .. " of the quota",
  }
  if (cost.cached or 0) > 0 then table.insert(parts, M.number(cost.cached) .. " from the cache") end
  if (cost.shared or 0) > 0 then
    table.insert(parts, M.number(cost.shared) .. " shared with another look-up")
  end
  if (cost.bytes_sent or 0) > 0 then table.insert(parts, bytes(cost.bytes_sent) .. " uploaded") end
  return table.concat(parts, ", ")
end

return M
