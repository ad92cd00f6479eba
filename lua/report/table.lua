-- A step as a table for a terminal: what is risky first, as wide as the terminal and not wider, and
-- nothing in it that a terminal would take for a command.
-- SPDX-License-Identifier: Apache-2.0
local changes = require "report.changes"
local message = require "apogee.message"
local paper = require "report.paper"
local text = require "apogee.text"

local M = {}

local GAP = "  "
local LEAST_WIDTH = 40
local MOST_ROWS = 1000 -- of a step
local MOST_NO_INDICATORS = 20
local HEADS = { "INDICATOR", "TYPE", "VERDICT", "NOTE" }

local HAS_REPORT = { reported = true, scanned = true }
local COLOURS = { risky = "\27[1;31m", clean = "\27[32m", other = "\27[33m" }
local PLAIN = "\27[0m"

local function counted(row)
  if row.total and row.total > 0 then return row.detections .. "/" .. row.total end
  if row.total then return "no engines" end
  if row.detections == 0 then return "no detections" end
  return row.detections == 1 and "1 detection" or row.detections .. " detections"
end

local function verdict_of(row)
  if row.risky then return "RISKY " .. (row.detections and counted(row) or "") end
  if not HAS_REPORT[row.outcome] or not row.detections then
    return (row.outcome:gsub("_", " "))
  end
  if row.detections == 0 and row.total and row.total > 0 then return "clean " .. counted(row) end
  return counted(row)
end

local function kind_of(row)
  if row.risky then return "risky" end
  if HAS_REPORT[row.outcome] and row.detections == 0 then return "clean" end
  return "other"
end

local function note_of(row)
  local note = text.escape(row.reason or "")
  if not row.suspicious or row.risky then return note end
  return note == "" and "marked suspicious" or note .. "; marked suspicious"
end

local function risky_first(rows)
  local ordered = {}
  for _, is_risky in ipairs { true, false } do
    for _, row in ipairs(rows) do
      if (row.risky == true) == is_risky then table.insert(ordered, row) end
    end
  end
  return ordered
end

local function cells_of(rows)
  local lines = { HEADS }
  for _, row in ipairs(rows) do
    table.insert(lines, {
      text.escape(row.identifier), text.escape(row.type or "unknown"), verdict_of(row),
      note_of(row),
    })
  end
  return lines
end

local function widths_of(lines)
  local widths = { 0, 0, 0, 0 }
  for _, cells in ipairs(lines) do
    for column, cell in ipairs(cells) do
      widths[column] = math.max(widths[column], text.width(cell))
    end
  end
  return widths
end

-- The indicator and the note share what the other two leave. Neither gets less than half of it
-- while it needs as much.
local function fit(widths, width)
  local left = math.max(width - widths[2] - widths[3] - 3 * #GAP, 2)
  local half = left // 2
  if widths[1] + widths[4] <= left then return end
  if widths[4] <= half then
    widths[1] = left - widths[4]
  elseif widths[1] <= half then
    widths[4] = left - widths[1]
  else
    widths[1], widths[4] = half, left - half
  end
end

local function line_of(cells, widths, colour)
  local verdict = text.pad(cells[3], widths[3])
  local line = table.concat({
    text.pad(text.cut_middle(cells[1], widths[1]), widths[1]),
    text.pad(cells[2], widths[2]),
    colour and colour .. verdict .. PLAIN or verdict,
    text.cut_end(cells[4], widths[4]),
  }, GAP)
  return (line:gsub("%s+$", ""))
end

-- Whether the notes are whole.
local function add_rows(page, rows, width, is_coloured)
  local ordered = risky_first(rows)
  local lines = cells_of(ordered)
  local widths = widths_of(lines)
  fit(widths, width)
  local are_whole = true
  for index, cells in ipairs(lines) do
    local row = ordered[index - 1]
    table.insert(page, line_of(cells, widths, is_coloured and row and COLOURS[kind_of(row)]))
    are_whole = are_whole and (text.width(cells[4]) <= widths[4])
  end
  table.insert(page, "")
  return are_whole
end

-- Of a step that went through its first sentence is enough where the rows say the rest.
local function message_of(step, are_whole)
  local said = message.without(step.message or "", step.no_indicators or 0)
  if #step.rows == 0 or not are_whole or step.status ~= "completed" then return said end
  return said:match "^%d+ of %d+ .- checked%." or said
end

--- @param step table { title, status, message, rows = { { identifier, type, outcome, reason, risky,
---   suspicious, detections, total }, ... }, left_out = how many rows are not given,
---   no_indicators = how many lines of the input the message counts that are none }
--- @param width integer of the terminal
--- @param is_coloured boolean?
--- @return string
function M.render(step, width, is_coloured)
  local columns = math.max(width or 80, LEAST_WIDTH)
  local page = { text.cut_end(text.escape(step.title .. ": " .. step.status), columns), "" }
  local are_whole = #step.rows == 0 or add_rows(page, step.rows, columns, is_coloured)
  if (step.left_out or 0) > 0 then
    table.insert(page, ("and %d more: --format json has them all"):format(step.left_out))
    table.insert(page, "")
  end
  for _, line in ipairs(text.wrap(text.escape(message_of(step, are_whole)), columns)) do
    table.insert(page, line)
  end
  return table.concat(page, "\n") .. "\n"
end

local function add_insight(page, insight, columns)
  local title = insight.severity .. ": " .. insight.title
  for _, line in ipairs(text.wrap(text.escape(title), columns)) do table.insert(page, line) end
  for paragraph in ((insight.body or "") .. "\n"):gmatch "(.-)\n" do
    for _, line in ipairs(text.wrap(text.escape(paragraph), columns - #GAP)) do
      table.insert(page, GAP .. line)
    end
  end
end

--- What a playbook says of the whole case, below its steps.
--- @param case table { name, status, score, tags = { texts },
---   insights = { { severity, title, body } } }
--- @param width integer of the terminal
--- @return string
function M.render_case(case, width)
  local columns = math.max(width or 80, LEAST_WIDTH)
  local head = case.name .. ": " .. case.status
  if case.score ~= 0 then head = head .. ", score " .. case.score end
  if #case.tags > 0 then head = head .. ", tagged " .. table.concat(case.tags, ", ") end
  local page = {}
  for _, line in ipairs(text.wrap(text.escape(head), columns)) do table.insert(page, line) end
  for _, insight in ipairs(case.insights) do add_insight(page, insight, columns) end
  return table.concat(page, "\n") .. "\n"
end

local MOST_CHANGES = 200

--- What is new since an earlier run, above the steps.
--- @param news table the document's member "changes"
--- @param width integer of the terminal
--- @return string
function M.render_changes(news, width)
  local columns = math.max(width or 80, LEAST_WIDTH)
  local page = text.wrap(changes.sentence(news), columns)
  for index = 1, math.min(#news.entities, MOST_CHANGES) do
    local item = news.entities[index]
    local line = ("%s: %s (%s)"):format(changes.words(item), item.identifier, changes.detail(item))
    for number, part in ipairs(text.wrap(text.escape(line), columns - 2 * #GAP)) do
      table.insert(page, (number == 1 and GAP or GAP .. GAP) .. part)
    end
  end
  local left_out = changes.left_out(news, math.min(#news.entities, MOST_CHANGES))
  if left_out > 0 then table.insert(page, ("%sand %d more"):format(GAP, left_out)) end
  return table.concat(page, "\n") .. "\n"
end

local function row_of(record, step, entity)
  local found = record.finding(step, entity)
  local verdict = found.verdict or {}
  return {
    identifier = found.identifier, type = found.type, outcome = found.outcome,
    reason = found.reason, suspicious = found.suspicious,
    risky = verdict.risky, detections = verdict.detections, total = verdict.total,
  }
end

-- What a step shows, the risky ones first: of those there is room for as many as there are. Lines
-- that are no indicators are counted, and among the rows of an action only: a playbook has them in
-- every step, and shows them once.
local function rows_of(record, step, sheet)
  local seen = { rows = {}, count = 0, no_indicators = 0, examples = {} }
  for _, wants_risky in ipairs { true, false } do
    for entity = 1, record.count do
      local outcome, is_risky, _, _, is_no_indicator = record.peek(step, entity)
      if outcome and is_risky == wants_risky then
        if is_no_indicator then
          seen.no_indicators = seen.no_indicators + 1
          if seen.no_indicators <= MOST_NO_INDICATORS then
            table.insert(seen.examples, row_of(record, step, entity))
          end
        end
        if not (is_no_indicator and record.run) then
          seen.count = seen.count + 1
          if seen.count <= MOST_ROWS then
            table.insert(seen.rows, row_of(record, step, entity))
          end
        end
      end
      sheet:breathe()
    end
  end
  return seen
end

-- All steps that ran have the same ones: those of any are enough.
local function add_no_indicators(seen, sheet, gap, columns)
  if not seen or seen.no_indicators == 0 then return gap end
  sheet:write(gap, "No indicators: ", tostring(seen.no_indicators), "\n")
  for _, found in ipairs(seen.examples) do
    local why = (found.reason or ""):gsub("^no indicator: ", "")
    local words = text.escape(("%s (%s)"):format(found.identifier, why))
    sheet:write(GAP, text.cut_end(words, columns - #GAP), "\n")
  end
  local more = seen.no_indicators - #seen.examples
  if more > 0 then sheet:write(GAP, ("and %d more"):format(more), "\n") end
  return "\n"
end

-- A function of the playbook that did what it should: what it said is in the case.
local function is_dull(step)
  return not step.action and step.status == "completed"
end

--- What a terminal shows of a record: a table for each step, then the case of a playbook.
---@param record table as script/render.c makes it
---@param options table { width, is_coloured }
---@return fun(): string? pieces
function M.pieces(record, options)
  return paper.pieces(function(sheet)
    local gap, most = "", nil
    local news = changes.of(record)
    if news then
      sheet:write(M.render_changes(news, options.width))
      gap = "\n"
    end
    for number, step in ipairs(record.steps) do
      if not is_dull(step) then
        local seen = rows_of(record, number, sheet)
        if not most or seen.no_indicators > most.no_indicators then most = seen end
        if #seen.rows > 0 or not record.is_part then
          sheet:write(gap, M.render({
            title = step.name, status = step.status, message = step.message, rows = seen.rows,
            left_out = seen.count - #seen.rows, no_indicators = seen.no_indicators,
          }, options.width, options.is_coloured))
          gap = "\n"
        end
      end
    end
    local run = record.run
    if not run then return end
    if not record.is_part then
      gap = add_no_indicators(most, sheet, gap, math.max(options.width or 80, LEAST_WIDTH))
    end
    sheet:write(gap, M.render_case({
      name = run.playbook, status = run.status, score = run.score, tags = run.tags,
      insights = record.insights,
    }, options.width))
  end)
end

return M
