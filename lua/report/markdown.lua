-- A run as Markdown for a ticket: what happened in a sentence, a table with the risky ones first,
-- what was not checked and why, a short word on each risky one, the cost.
-- SPDX-License-Identifier: Apache-2.0
local changes = require "report.changes"
local defang = require "report.defang"
local escape = require "report.escape"
local paper = require "report.paper"
local prose = require "report.prose"
local standing = require "report.standing"
local survey = require "report.survey"

local M = {}

local MOST_ROWS = 100
local MOST_DETAILS = 20
local CELL_BYTES = 500
local BODY_BYTES = 2000

local function words(text, bytes)
  return escape.markdown(escape.clip(defang.text(text or ""), bytes or CELL_BYTES))
end

local function indicator(identifier, kind, in_table)
  return escape.code(defang.indicator(identifier, kind), in_table)
end

local function link(url)
  local target = escape.url(url)
  if not target or target:find "[()]" then return "" end
  return ("[report](%s)"):format((target:gsub("&amp;", "&")))
end

-- ---- the table ----

-- Of its steps the one that made it what it is.
local function shown_of(record, found)
  local first
  for step = 1, #record.steps do
    local outcome, is_risky, detections, has_no_engines = record.peek(step, found.entity)
    if outcome then
      local now = standing.of(outcome, is_risky, detections, has_no_engines)
      first = first or step
      if now == found.standing then return step, record.finding(step, found.entity) end
    end
  end
  return first, record.finding(first, found.entity)
end

local function label(name)
  return name == "risky" and "**" .. standing.LABELS[name] .. "**" or standing.LABELS[name]
end

local function write_row(sheet, record, found)
  local _, finding = shown_of(record, found)
  local verdict = finding.verdict
  local counted = verdict and verdict.total and verdict.total > 0
    and ("%d of %d"):format(verdict.detections, verdict.total) or prose.detections(verdict) or ""
  local days = prose.age_days(record, prose.scan_date(finding))
  local note = finding.reason or ""
  if found.standing == "not_checked" and note == "" then note = prose.outcome(finding.outcome) end
  sheet:write("| ", table.concat({
    indicator(finding.identifier, finding.type, true), words(prose.word(finding.type)),
    label(found.standing), words(counted), prose.age(days) or "", words(note), link(finding.link),
  }, " | "), " |\n")
end

local function write_table(sheet, record, seen, first)
  if #first == 0 then return end
  sheet:write("| Indicator | Type | Verdict | Detections | Report | Note | Link |\n",
    "| --- | --- | --- | --- | --- | --- | --- |\n")
  for _, found in ipairs(first) do write_row(sheet, record, found) end
  if seen.count > #first then
    sheet:write(("\n%s: these are the most urgent. `--format csv` has them all.\n"):format(
      prose.count(seen.count - #first, "more is not shown", "more are not shown")))
  end
  sheet:write "\n"
end

-- ---- what is new ----

local function write_changes(sheet, record)
  local news = changes.of(record)
  if not news then return end
  sheet:write("### What is new\n\n", words(changes.sentence(news)), "\n\n")
  local shown = math.min(#news.entities, MOST_ROWS)
  for index = 1, shown do
    local item = news.entities[index]
    sheet:write("- ", words(changes.words(item)), ": ", indicator(item.identifier, item.type),
      " (", words(changes.detail(item)), ")\n")
  end
  local left_out = changes.left_out(news, shown)
  if left_out > 0 then sheet:write(("- and %s more\n"):format(prose.number(left_out))) end
  if #news.entities > 0 then sheet:write "\n" end
end

-- ---- what was not checked ----

local function examples(group)
  local names = {}
  for _, example in ipairs(group.examples) do
    table.insert(names, indicator(example.identifier, example.type))
  end
  if group.count > #names then
    table.insert(names, "and " .. prose.number(group.count - #names) .. " more")
  end
  return table.concat(names, ", ")
end

local function write_missed(sheet, seen)
  if #seen.missed == 0 and seen.unasked.count == 0 then return end
  sheet:write "### What was not checked, and why\n\n"
  for _, group in ipairs(seen.missed) do
    local why = group.reason ~= "" and group.reason or prose.outcome(group.outcome)
    sheet:write(("- **%s**: %s (%s): %s\n"):format(prose.word(group.outcome), words(why),
      prose.number(group.count), examples(group)))
  end
  if seen.other.count > 0 then
    sheet:write(("- %s for other reasons: `--format csv` has each\n"):format(
      prose.number(seen.other.count)))
  end
  if seen.unasked.count > 0 then
    sheet:write(("- **in no step**: nothing was asked about them (%s): %s\n"):format(
      prose.number(seen.unasked.count), examples(seen.unasked)))
  end
  sheet:write "\n"
end

-- ---- details ----

local function write_insight(sheet, insight)
  sheet:write("- ", words(insight.severity), ": **", words(insight.title), "**")
  for line in escape.clip(insight.body or "", BODY_BYTES):gmatch "[^\n]+" do
    sheet:write("\n  <br>", words(line, BODY_BYTES))
  end
  sheet:write "\n"
end

local function write_insights(sheet, record)
  if #record.insights == 0 then return end
  sheet:write "### Findings of the playbook\n\n"
  for _, insight in ipairs(record.insights) do write_insight(sheet, insight) end
  sheet:write "\n"
end

local function write_detail(sheet, record, found)
  local step, finding = shown_of(record, found)
  local date, engines = prose.scan_date(finding), prose.engines(finding)
  sheet:write("#### ", indicator(finding.identifier, finding.type), "\n\n- ",
    words(record.steps[step].name), ": ", words(prose.rule(finding, found.standing)), "\n")
  if date then
    local age = prose.age(prose.age_days(record, date))
    sheet:write("- Scanned: ", words(date), " UTC", age and " (" .. age .. ")" or "", "\n")
  end
  if engines then sheet:write("- Detected by: ", words(engines), "\n") end
  for _, insight in ipairs(record.insights_of(step, found.entity)) do
    write_insight(sheet, insight)
  end
  sheet:write "\n"
end

local function write_details(sheet, record, seen)
  local risky = seen.kept.risky
  if #risky == 0 then return end
  sheet:write("<details><summary>The risky ones in detail</summary>\n\n")
  for index = 1, math.min(#risky, MOST_DETAILS) do write_detail(sheet, record, risky[index]) end
  if seen.counts.risky > MOST_DETAILS then
    sheet:write(("and %s more\n\n"):format(prose.number(seen.counts.risky - MOST_DETAILS)))
  end
  sheet:write "</details>\n\n"
end

local function write_warnings(sheet, record)
  local has_any = false
  local function write(warning)
    if not has_any then sheet:write "### Warnings\n\n" end
    has_any = true
    sheet:write("- ", words(warning), "\n")
  end
  for _, warning in ipairs(record.run and record.run.warnings or {}) do write(warning) end
  for _, step in ipairs(record.steps) do
    for _, warning in ipairs(step.warnings) do write(step.name .. ": " .. warning) end
  end
  if has_any then sheet:write "\n" end
end

local function write_end(sheet, record, seen)
  local run = record.run
  if seen.checks > 0 then
    sheet:write(("Coverage: %s of %s look-ups have a final answer. "):format(
      prose.number(seen.checked), prose.number(seen.checks)))
  end
  sheet:write("Cost: ", prose.cost(seen.cost), ".\n")
  if not run then return end
  sheet:write("\nStatus: ", words(prose.word(run.status)))
  if run.score ~= 0 then sheet:write(", score ", tostring(run.score)) end
  for index, tag in ipairs(run.tags) do
    sheet:write(index == 1 and ", tagged " or ", ", escape.code(tag))
  end
  sheet:write(". Run ", escape.code(run.run), ", ", words(prose.finished(run)), ".\n")
end

---@param record table as script/render.c makes it
---@return fun(): string? pieces
function M.pieces(record)
  return paper.pieces(function(sheet)
    local seen = survey.take(record, MOST_ROWS, sheet)
    sheet:write("## ", words(prose.name(record)), "\n\n**", words(prose.headline(record, seen)),
      "**\n\n")
    write_changes(sheet, record)
    write_table(sheet, record, seen, survey.first(seen, MOST_ROWS))
    write_insights(sheet, record)
    write_missed(sheet, seen)
    write_details(sheet, record, seen)
    write_warnings(sheet, record)
    write_end(sheet, record, seen)
  end)
end

return M
