-- One indicator in an HTML report: its row in the list, and all there is about it, folded.
-- SPDX-License-Identifier: Apache-2.0
local defang = require "report.defang"
local escape = require "report.escape"
local prose = require "report.prose"
local standing = require "report.standing"
local values = require "report.values"
local text = require "apogee.text"

local M = {}

local MOST_ROWS = 50
local MOST_COLUMNS = 20
local MOST_ON_PAPER = 12
local CELL_BYTES = 2000
local BODY_BYTES = 8000

local RANK = {}
for index, name in ipairs(standing.ORDER) do RANK[name] = index end

--- Text between tags, cut when it is very long, URLs defanged.
---@param value any
---@param bytes integer?
---@return string
function M.html(value, bytes)
  local words = escape.clip(values.text(value), bytes or CELL_BYTES):gsub("[\t\r\n]+", " ")
  return escape.html(defang.text(words))
end
local html = M.html

--- @param name string a standing
--- @return string
function M.pill(name)
  return ('<span class="pill %s">%s</span>'):format(name, standing.LABELS[name])
end

--- An indicator that nobody can click on, with a button that copies the real one.
---@param identifier string
---@param kind string?
---@return string
function M.indicator(identifier, kind)
  local shown = "<code>" .. escape.html(defang.indicator(identifier, kind)) .. "</code>"
  if text.escape(identifier) ~= identifier then return shown end -- it would copy what is hidden
  return shown .. ('<button type="button" class="copy" data-copy="%s" hidden>Copy</button>')
    :format(escape.attribute(identifier))
end

local function link(url)
  local target = escape.url(url)
  if not target then return html(url) end
  return ('<a href="%s" rel="noreferrer noopener" target="_blank">Open the report</a>')
    :format(target)
end

local function scanned(record, finding)
  local date = prose.scan_date(finding)
  if not date then return nil end
  local days = prose.age_days(record, date)
  return date .. " UTC" .. (days and ", " .. prose.age(days) or "")
end

-- What a step says of it, and the step of which the list shows the numbers.
local function findings_of(record, found)
  local list, shown = {}, nil
  for step = 1, #record.steps do
    local outcome, is_risky, detections, has_no_engines = record.peek(step, found.entity)
    if outcome then
      local one = {
        step = record.steps[step], number = step, finding = record.finding(step, found.entity),
        standing = standing.of(outcome, is_risky, detections, has_no_engines),
      }
      table.insert(list, one)
      if not shown or one.standing == found.standing and shown.standing ~= found.standing then
        shown = one
      end
    end
  end
  return list, shown
end

local function note_of(finding, now)
  local notes = {}
  if finding.reason then table.insert(notes, finding.reason) end
  if now == "not_checked" and not finding.reason then
    table.insert(notes, prose.outcome(finding.outcome))
  end
  if finding.suspicious and now ~= "risky" then table.insert(notes, "marked suspicious") end
  return table.concat(notes, "; ")
end

local function short(verdict)
  if verdict and verdict.total and verdict.total > 0 then
    return ("%d of %d"):format(verdict.detections, verdict.total)
  end
  return prose.detections(verdict)
end

--- The row of an indicator in the list of all.
---@param record table
---@param found table as report.survey has it
---@return string
function M.row(record, found)
  local _, shown = findings_of(record, found)
  local finding, now = shown.finding, found.standing
  local verdict = finding.verdict
  local days = prose.age_days(record, prose.scan_date(finding))
  local function cell(sort, label, words)
    return ('<td data-sort="%d" data-label="%s" class="%s">%s</td>'):format(sort or -1, label,
      words and "whole" or "none", html(words or "–"))
  end
  local cells = {
    ('<td>%s <a href="#e%d"><small>Details</small></a></td>')
      :format(M.indicator(finding.identifier, finding.type), found.entity),
    '<td class="whole inline">' .. html(prose.word(finding.type)) .. "</td>",
    ('<td class="inline" data-sort="%d">%s</td>'):format(RANK[now], M.pill(now)),
    cell(verdict and verdict.detections, "Detections", short(verdict)),
    cell(days, "Report", prose.age(days)),
    "<td>" .. html(note_of(finding, shown.standing), 400) .. "</td>",
  }
  return ('<tr data-verdict="%s" data-real="%s">%s</tr>\n'):format(now,
    escape.attribute(finding.identifier), table.concat(cells))
end

-- What may be long is written cell by cell: a piece has an account of instructions.
local function write_table(sheet, columns, rows)
  sheet:write '<div class="wide"><table><thead><tr>'
  for index = 1, math.min(#columns, MOST_COLUMNS) do
    sheet:write("<th>", html(columns[index]), "</th>")
  end
  sheet:write "</tr></thead><tbody>"
  for index = 1, math.min(#rows, MOST_ROWS) do
    sheet:write "<tr>"
    for column = 1, math.min(#columns, MOST_COLUMNS) do
      sheet:write("<td>", html(rows[index][column]), "</td>")
    end
    sheet:write "</tr>\n"
  end
  sheet:write "</tbody></table></div>"
  if #rows > MOST_ROWS then
    sheet:write('<p class="soft">and ', prose.count(#rows - MOST_ROWS, "more row"),
      "; --format json has them all</p>")
  end
end

-- What is short is unfolded on paper.
local function begin_fold(sheet, title, size)
  sheet:write(("<details%s><summary>%s: %s</summary>"):format(
    size <= MOST_ON_PAPER and ' class="short"' or "", html(title), prose.number(size)))
end

--- @param sheet table
--- @param insight table { severity, title, body }
function M.write_insight(sheet, insight)
  local severity = insight.severity == "warn" and "warn"
    or insight.severity == "error" and "error" or "info"
  sheet:write('<div class="insight ', severity, '"><strong>', html(insight.title), "</strong>")
  for line in escape.clip(insight.body or "", BODY_BYTES):gmatch "[^\n]+" do
    sheet:write("<p>", html(line, BODY_BYTES), "</p>")
  end
  sheet:write "</div>\n"
end

local function write_fact(sheet, name, words)
  if words then sheet:write("<dt>", html(name), "</dt><dd>", words, "</dd>\n") end
end

--- The fields of an object.
---@param sheet table
---@param fields table
function M.write_fields(sheet, fields)
  sheet:write "<dl>"
  for _, name in ipairs(values.names(fields)) do write_fact(sheet, name, html(fields[name])) end
  sheet:write "</dl>"
end

local function joined(list)
  if not list then return nil end
  return html(table.concat(list, ", "))
end

local function write_facts(sheet, record, one)
  local finding = one.finding
  local date = scanned(record, finding)
  sheet:write "<dl>"
  write_fact(sheet, "Outcome",
    html(prose.word(finding.outcome) .. ": " .. prose.outcome(finding.outcome)))
  write_fact(sheet, "Reason", finding.reason and html(finding.reason))
  write_fact(sheet, "Scanned", date and html(date))
  write_fact(sheet, "Source", one.step.provider and html(one.step.provider))
  write_fact(sheet, "Report", finding.link and link(finding.link))
  write_fact(sheet, "First written as",
    finding.original_identifier and html(finding.original_identifier))
  write_fact(sheet, "Also written as", joined(finding.aliases))
  write_fact(sheet, "Internal", finding.internal and "yes")
  sheet:write "</dl>"
end

local function write_engines(sheet, engines)
  if not engines then return end
  if #engines.rows > 0 then
    begin_fold(sheet, "Engines that detect it", #engines.rows)
    write_table(sheet, engines.columns, engines.rows)
    sheet:write "</details>\n"
  end
  if #engines.others > 0 then
    begin_fold(sheet, "Engines that do not", #engines.others)
    sheet:write("<p>", html(table.concat(engines.others, ", "), BODY_BYTES), "</p></details>\n")
  end
end

local function write_tables(sheet, tables)
  for _, one in ipairs(tables) do
    begin_fold(sheet, one.title, #one.rows)
    write_table(sheet, one.columns, one.rows)
    sheet:write "</details>\n"
  end
end

local function write_enrichment(sheet, finding)
  for _, provider in ipairs(values.names(finding.enrichment or {})) do
    local fields = finding.enrichment[provider]
    begin_fold(sheet, "Fields from " .. provider, #values.names(fields))
    M.write_fields(sheet, fields)
    sheet:write "</details>\n"
  end
end

local function write_step(sheet, record, found, one)
  sheet:write(('<section><h4>%s <small>%s</small></h4><p>%s %s</p>\n'):format(
    html(one.step.name), html(one.step.step or ""), M.pill(one.standing),
    html(prose.rule(one.finding, one.standing))))
  write_facts(sheet, record, one)
  for _, insight in ipairs(record.insights_of(one.number, found.entity)) do
    M.write_insight(sheet, insight)
  end
  local engines, tables = values.engines(record.tables_of(one.number, found.entity))
  write_engines(sheet, engines)
  write_tables(sheet, tables)
  write_enrichment(sheet, one.finding)
  sheet:write "</section>\n"
end

--- A risky one in the list on top: the indicator and why.
---@param record table
---@param found table as report.survey has it
---@return string
function M.item(record, found)
  local _, shown = findings_of(record, found)
  return ('<li>%s <small>%s <a href="#e%d">Details</a></small></li>\n'):format(
    M.indicator(shown.finding.identifier, shown.finding.type),
    html(prose.rule(shown.finding, shown.standing)), found.entity)
end

--- All there is about an indicator.
---@param sheet table
---@param record table
---@param found table as report.survey has it
---@param is_open boolean
function M.write(sheet, record, found, is_open)
  local list, shown = findings_of(record, found)
  sheet:write(('<details class="box" id="e%d"%s><summary>%s %s</summary><div>\n'):format(
    found.entity, is_open and " open" or "", M.pill(found.standing),
    M.indicator(shown.finding.identifier, shown.finding.type)))
  for _, one in ipairs(list) do write_step(sheet, record, found, one) end
  sheet:write "</div></details>\n"
end

return M
