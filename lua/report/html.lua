-- A run as one HTML file that needs nothing else and asks nobody: what happened in a sentence,
-- charts, a list that sorts and filters, all there is about each indicator, what was not checked
-- and why, what it cost.
-- SPDX-License-Identifier: Apache-2.0
local changes = require "report.changes"
local entity = require "report.html_entity"
local paper = require "report.paper"
local prose = require "report.prose"
local script = require "report.html_script"
local standing = require "report.standing"
local style = require "report.html_style"
local survey = require "report.survey"

local M = {}

local MOST_ENTITIES = 1000
local ON_TOP = 5 -- risky ones named there
local OPEN = 3 -- and unfolded
local MOST_CHANGES = 200

local html = entity.html

local function head(sheet, record, title)
  local policy = ("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; "
    .. "form-action 'none'"):format(record.source_hash(style), record.source_hash(script))
  sheet:write('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    ('<meta http-equiv="Content-Security-Policy" content="%s">\n'):format(policy),
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n',
    '<meta name="format-detection" content="telephone=no">\n',
    "<title>" .. html(title) .. "</title>\n<style>", style, "</style>\n</head>\n<body>\n")
end

local function chips(record)
  local run = record.run
  local list = { "Status: " .. prose.word(prose.status(record)) }
  if run then
    if run.score ~= 0 then table.insert(list, "Score: " .. run.score) end
    for _, tag in ipairs(run.tags) do table.insert(list, "Tag: " .. tag) end
    table.insert(list, (prose.finished(run):gsub("T", " "):gsub("Z", " UTC")))
  end
  for index, words in ipairs(list) do list[index] = "<li>" .. html(words) .. "</li>" end
  return '<ul class="chips">' .. table.concat(list) .. "</ul>"
end

local function tone(seen)
  for _, name in ipairs { "risky", "not_checked", "below_threshold", "clean" } do
    if seen.counts[name] > 0 then return name end
  end
  return "unknown"
end

local function write_risky(sheet, record, seen)
  local risky = seen.kept.risky
  if #risky == 0 then return end
  sheet:write '<ul class="first">\n'
  for index = 1, math.min(#risky, ON_TOP) do sheet:write(entity.item(record, risky[index])) end
  if seen.counts.risky > ON_TOP then
    sheet:write('<li><a href="#all">and ', prose.number(seen.counts.risky - ON_TOP),
      " more</a></li>\n")
  end
  sheet:write "</ul>\n"
end

local function write_top(sheet, record, seen)
  sheet:write('<header class="top"><div>\n<p class="brand">Apogee report</p>\n<h1>',
    html(prose.name(record)), "</h1>\n", ('<p class="lead %s">'):format(tone(seen)),
    html(prose.headline(record, seen)), "</p>\n")
  write_risky(sheet, record, seen)
  sheet:write(chips(record), "\n</div></header>\n<main>\n")
end

-- ---- charts ----

-- The four that are always there, and the fifth where there are any.
local function slices(seen)
  local list = {}
  for _, name in ipairs { "risky", "below_threshold", "clean", "unknown", "not_checked" } do
    if name ~= "below_threshold" or seen.counts[name] > 0 then table.insert(list, name) end
  end
  return list
end

local function stack(seen)
  local parts, x, said = {}, 0, {}
  for _, name in ipairs(slices(seen)) do
    local count = seen.counts[name]
    local width = count / math.max(seen.count, 1) * 1000
    if count > 0 then
      table.insert(parts, ('<rect class="%s" x="%.1f" y="0" width="%.1f" height="10"/>'):format(
        name, x, math.max(width - (x + width < 999 and 3 or 0), 1)))
    end
    table.insert(said, ("%s %d"):format(standing.LABELS[name]:lower(), count))
    x = x + width
  end
  return ('<svg class="stack" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" '
    .. 'aria-label="Verdicts: %s"><rect class="track" x="0" y="0" width="1000" height="10"/>%s'
    .. "</svg>"):format(table.concat(said, ", "), table.concat(parts))
end

local function legend(seen)
  local items = {}
  for _, name in ipairs(slices(seen)) do
    table.insert(items, ('<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="%s" '
      .. 'width="10" height="10" rx="2"/></svg><b>%s</b><span>%s<small> – %s</small></span></li>')
      :format(name, prose.number(seen.counts[name]), standing.LABELS[name],
        standing.MEANINGS[name]))
  end
  return '<ul class="legend">' .. table.concat(items, "\n") .. "</ul>"
end

local function coverage(record, seen)
  local missed = seen.checks - seen.checked
  local parts = { ('<p class="big">%s of %s</p><p>look-ups have a final answer.</p>'):format(
    prose.number(seen.checked), prose.number(seen.checks)) }
  table.insert(parts, ('<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" '
    .. 'role="img" aria-label="%d of %d look-ups"><rect class="track" x="0" y="0" width="1000" '
    .. 'height="10"/><rect class="%s" x="0" y="0" width="%.1f" height="10"/></svg>'):format(
      seen.checked, seen.checks, missed > 0 and "part" or "clean",
      seen.checked / math.max(seen.checks, 1) * 1000))
  if missed > 0 then
    table.insert(parts, ('<p><a href="#missed">%s not checked, and why</a></p>'):format(
      prose.number(missed) .. (missed == 1 and " was" or " were")))
  end
  table.insert(parts, '<p class="soft">Cost: ' .. html(prose.cost(seen.cost)) .. ".</p>")
  if record.run then
    table.insert(parts, ('<p class="soft">Run <code>%s</code></p>'):format(html(record.run.run)))
  end
  return table.concat(parts, "\n")
end

local function write_glance(sheet, record, seen)
  if seen.count == 0 then return end
  sheet:write('<div class="pair">\n<section class="box"><h3>Verdicts</h3>', stack(seen),
    legend(seen), '</section>\n<section class="box"><h3>Coverage</h3>', coverage(record, seen),
    "</section>\n</div>\n")
end

local function bar(found, finding, scale)
  local verdict = finding.verdict or { detections = found.detections }
  local total = verdict.total and verdict.total > 0 and verdict.total or scale
  local function place(count) return math.min(count / math.max(total, 1), 1) * 1000 end
  local limit = verdict.threshold
  local mark = limit and ('<rect class="mark" x="%.1f" y="0" width="4" height="10"/>')
    :format(math.min(place(limit), 996)) or ""
  local words = verdict.total and verdict.total > 0
    and ("%d / %d"):format(found.detections, verdict.total) or tostring(found.detections)
  return ('<span>%s</span><svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" '
    .. 'role="img" aria-label="%s detections%s"><rect class="track" x="0" y="0" width="1000" '
    .. 'height="10"/><rect class="%s" x="0" y="0" width="%.1f" height="10"/>%s</svg>'
    .. "<span>%s</span>\n"):format(entity.indicator(finding.identifier, finding.type), words,
      limit and ", the threshold is " .. limit or "", found.standing, place(found.detections),
      mark, words)
end

local function write_bars(sheet, record, seen)
  if #seen.bars == 0 then return end
  sheet:write('<h2>Detections per indicator</h2>\n<section class="box"><div class="bars">\n')
  for _, found in ipairs(seen.bars) do
    sheet:write(bar(found, record.finding(found.step, found.entity), seen.bars[1].detections))
  end
  sheet:write '</div><p class="soft">Engines that detect it, of those asked. The line across it '
  sheet:write("is the threshold."
    .. (#seen.bars == 20 and " The 20 with the most detections." or "") .. "</p></section>\n")
end

-- ---- what is new ----

local function write_changes(sheet, record)
  local news = changes.of(record)
  if not news then return end
  sheet:write('<h2 id="changes">What is new</h2>\n<section class="box">\n<p>',
    html(changes.sentence(news)), "</p>\n")
  local shown = math.min(#news.entities, MOST_CHANGES)
  if shown > 0 then sheet:write '<ul class="plain">\n' end
  for index = 1, shown do
    local item = news.entities[index]
    sheet:write("<li><strong>", html(changes.words(item)), "</strong>: ",
      entity.indicator(item.identifier, item.type), " ", html(changes.detail(item)), "</li>\n")
  end
  local left_out = changes.left_out(news, shown)
  if left_out > 0 then sheet:write("<li>and ", prose.number(left_out), " more</li>\n") end
  if shown > 0 then sheet:write "</ul>\n" end
  sheet:write "</section>\n"
end

-- ---- the list and the details ----

local function write_insights(sheet, record)
  if #record.insights == 0 then return end
  sheet:write '<h2>Findings of the playbook</h2>\n<section class="box">\n'
  for _, insight in ipairs(record.insights) do entity.write_insight(sheet, insight) end
  sheet:write "</section>\n"
end

local function tools()
  local options = { '<option value="">All verdicts</option>' }
  for _, name in ipairs(standing.ORDER) do
    table.insert(options, ('<option value="%s">%s</option>'):format(name, standing.LABELS[name]))
  end
  return '<form id="tools" class="tools" hidden><input type="search" name="words" '
    .. 'placeholder="Filter by any text" aria-label="Filter by any text" autocomplete="off">'
    .. '<select name="verdict" aria-label="Verdict">' .. table.concat(options)
    .. '</select><span id="shown" class="soft" role="status"></span></form>\n'
end

local function rest(seen, count)
  if seen.count <= count then return "" end
  return ('<p class="soft">These are the %s most urgent; %s not shown. --format csv and '
    .. "--format json have them all.</p>\n"):format(prose.number(count),
      prose.count(seen.count - count, "more is", "more are"))
end

local function write_list(sheet, record, seen, first)
  if #first == 0 then return end
  sheet:write('<h2 id="all">All indicators</h2>\n', tools(),
    '<section class="box list"><table id="list"><thead><tr><th>Indicator</th>',
    "<th>Type</th><th>Verdict</th><th>Detections</th><th>Report age</th><th>Note</th></tr>",
    "</thead><tbody>\n")
  for _, found in ipairs(first) do sheet:write(entity.row(record, found)) end
  sheet:write("</tbody></table></section>\n", rest(seen, #first))
end

local function write_details(sheet, record, first)
  if #first == 0 then return end
  sheet:write "<h2>Details</h2>\n"
  for index, found in ipairs(first) do
    entity.write(sheet, record, found, index <= OPEN and found.standing == "risky")
  end
end

-- ---- what was not checked ----

local function write_examples(sheet, group)
  sheet:write '<ul class="plain">'
  for _, example in ipairs(group.examples) do
    sheet:write("<li>", entity.indicator(example.identifier, example.type), "</li>\n")
  end
  if group.count > #group.examples then
    sheet:write("<li>and ", prose.number(group.count - #group.examples), " more</li>")
  end
  sheet:write "</ul>\n"
end

local function write_missed(sheet, seen)
  if seen.count + seen.unasked.count == 0 then return end
  sheet:write '<h2 id="missed">What was not checked, and why</h2>\n<section class="box">\n'
  for _, group in ipairs(seen.missed) do
    local why = group.reason ~= "" and group.reason or prose.outcome(group.outcome)
    sheet:write("<p><strong>", html(prose.word(group.outcome)), "</strong>: ", html(why),
      " – ", prose.number(group.count), "</p>")
    write_examples(sheet, group)
  end
  if seen.other.count > 0 then
    sheet:write("<p>and ", prose.number(seen.other.count),
      " for other reasons: --format csv has each.</p>\n")
  end
  if seen.unasked.count > 0 then
    sheet:write("<p><strong>in no step</strong>: nothing was asked about them – ",
      prose.number(seen.unasked.count), "</p>")
    write_examples(sheet, seen.unasked)
  end
  if #seen.missed == 0 and seen.unasked.count == 0 then
    sheet:write '<p class="soft">Nothing was left out.</p>\n'
  end
  sheet:write "</section>\n"
end

-- ---- steps and cost ----

local COSTS = {
  { "requests", "Requests" }, { "quota", "Quota" }, { "cached", "From cache" },
  { "shared", "Shared" }, { "bytes_sent", "Bytes sent" },
}

local function numbers(cost)
  local cells = {}
  for _, one in ipairs(COSTS) do
    table.insert(cells, ('<td class="num" data-label="%s">%s</td>'):format(one[2],
      prose.number(cost[one[1]] or 0)))
  end
  return table.concat(cells)
end

local function checked(count, of)
  return '<td class="num" data-label="Checked">' .. prose.number(count) .. " of "
    .. prose.number(of) .. "</td>"
end

local function step_row(step)
  local name = html(step.name)
  if step.step ~= step.action then name = name .. " <small>" .. html(step.step) .. "</small>" end
  local count = step.action and checked(step.coverage.checked, step.coverage.of) or "<td></td>"
  return ('<tr><td>%s</td><td class="whole">%s</td>%s%s</tr>\n'):format(name,
    html(prose.word(step.status)), count, numbers(step.cost))
end

local function write_steps(sheet, record, seen)
  sheet:write('<h2>Steps and cost</h2>\n<section class="box list"><table><thead><tr>',
    '<th>Step</th><th>Status</th><th class="num">Checked</th>')
  for _, one in ipairs(COSTS) do sheet:write('<th class="num">', one[2], "</th>") end
  sheet:write "</tr></thead><tbody>\n"
  for _, step in ipairs(record.steps) do sheet:write(step_row(step)) end
  sheet:write("<tr><td><strong>All</strong></td><td></td>", checked(seen.checked, seen.checks),
    numbers(seen.cost), "</tr>\n</tbody></table></section>\n")
  for _, step in ipairs(record.steps) do
    if step.status ~= "completed" and step.message then
      sheet:write("<p><strong>", html(step.name), "</strong>: ", html(step.message), "</p>\n")
    end
  end
end

local function write_warnings(sheet, record)
  local list = {}
  for _, warning in ipairs(record.run and record.run.warnings or {}) do
    table.insert(list, warning)
  end
  for _, step in ipairs(record.steps) do
    for _, warning in ipairs(step.warnings) do table.insert(list, step.name .. ": " .. warning) end
  end
  if #list == 0 then return end
  sheet:write '<h2>Warnings</h2>\n<section class="box"><ul>\n'
  for _, warning in ipairs(list) do sheet:write("<li>", html(warning), "</li>\n") end
  sheet:write "</ul></section>\n"
end

local function write_params(sheet, record)
  local params = record.run and record.run.params or {}
  if not next(params) then return end
  sheet:write '<h2>Parameters</h2>\n<section class="box">'
  entity.write_fields(sheet, params)
  sheet:write "</section>\n"
end

local function write_end(sheet, record)
  sheet:write "</main>\n<footer><p>Indicators are defanged, so that they lead nowhere; Copy "
  sheet:write "gives the real one. A verdict is the opinion of others at the time of their scan, "
  sheet:write "and no proof.</p><p>Made by Apogee"
  if record.run then
    sheet:write(" from run ", html(record.run.run), ", ", html(record.run.started), ", ",
      html(prose.finished(record.run)))
  end
  sheet:write(".</p></footer>\n<script>", script, "</script>\n</body>\n</html>\n")
end

---@param record table as script/render.c makes it
---@return fun(): string? pieces
function M.pieces(record)
  return paper.pieces(function(sheet)
    local seen = survey.take(record, MOST_ENTITIES, sheet)
    local first = survey.first(seen, MOST_ENTITIES)
    head(sheet, record, prose.name(record) .. " – Apogee report")
    write_top(sheet, record, seen)
    write_glance(sheet, record, seen)
    write_changes(sheet, record)
    write_insights(sheet, record)
    write_bars(sheet, record, seen)
    write_list(sheet, record, seen, first)
    write_missed(sheet, seen)
    write_details(sheet, record, first)
    write_steps(sheet, record, seen)
    write_warnings(sheet, record)
    write_params(sheet, record)
    write_end(sheet, record)
  end)
end

return M
