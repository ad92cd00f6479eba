-- A run as CSV for spreadsheets and scripts: a row for each entity in each step, RFC 4180. Columns
-- may be added at the end; none changes its name, place or meaning.
-- SPDX-License-Identifier: Apache-2.0
local changes = require "report.changes"
local escape = require "report.escape"
local paper = require "report.paper"
local prose = require "report.prose"
local standing = require "report.standing"

local M = {}

local CELL_BYTES = 32000 -- a spreadsheet's cell takes 32,767 characters

M.COLUMNS = {
  "run", "step", "action", "provider", "identifier", "type", "original_identifier", "internal",
  "suspicious", "verdict", "detections", "engines", "threshold", "outcome", "reason", "scan_date",
  "age_days", "detecting_engines", "insights", "link", "change",
}

local function insights(record, step, entity)
  local texts = {}
  for _, insight in ipairs(record.insights_of(step, entity)) do
    local body = (insight.body or ""):gsub("\n", "; ")
    table.insert(texts, insight.severity .. ": " .. insight.title
      .. (body == "" and "" or ": " .. body))
  end
  return table.concat(texts, " | ")
end

local function cells(record, number, entity, change_of)
  local step, found = record.steps[number], record.finding(number, entity)
  local verdict = found.verdict or {}
  local _, is_risky, detections, has_no_engines = record.peek(number, entity)
  local date = prose.scan_date(found)
  return {
    run = record.run and record.run.run, step = step.step, action = step.action,
    provider = step.provider, identifier = found.identifier, type = found.type,
    original_identifier = found.original_identifier, internal = found.internal == true,
    suspicious = found.suspicious,
    verdict = standing.of(found.outcome, is_risky, detections, has_no_engines),
    detections = verdict.detections, engines = verdict.total, threshold = verdict.threshold,
    outcome = found.outcome, reason = found.reason, scan_date = date,
    age_days = prose.age_days(record, date), detecting_engines = prose.engines(found),
    insights = insights(record, number, entity), link = found.link,
    change = change_of(step.step, found.identifier, found.type),
  }
end

local function write_row(sheet, values)
  local comma = ""
  for _, name in ipairs(M.COLUMNS) do
    local value = values[name]
    local words = value == nil and "" or escape.clip(tostring(value), CELL_BYTES)
    sheet:write(comma, escape.csv(words))
    comma = ","
  end
  sheet:write "\r\n"
end

-- What an earlier run had: it has no finding here.
local function write_gone(sheet, record)
  for _, item in ipairs((changes.of(record) or { entities = {} }).entities) do
    if item.changes[1] == "gone" then
      write_row(sheet, {
        run = record.run and record.run.run, step = item.step, identifier = item.identifier,
        type = item.type, change = "gone",
      })
    end
  end
end

local function heads()
  local values = {}
  for _, name in ipairs(M.COLUMNS) do values[name] = name end
  return values
end

---@param record table as script/render.c makes it
---@return fun(): string? pieces
function M.pieces(record)
  return paper.pieces(function(sheet)
    local change_of = changes.lookup(record)
    write_row(sheet, heads())
    for step = 1, #record.steps do
      for entity = 1, record.count do
        if record.peek(step, entity) then
          write_row(sheet, cells(record, step, entity, change_of))
        end
        sheet:breathe()
      end
    end
    write_gone(sheet, record)
  end)
end

return M
