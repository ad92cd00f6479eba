-- What `apogee plan` prints: a table for people, or JSON (apogee.plan/1).
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals json
local text = require "apogee.text"

local M = {}

local NAMES = {
  look_up = "look-ups", submission = "submissions, which become public",
  upload = "uploads, which become public", rescan = "rescans", poll = "polls of scans",
  comments = "comments",
}
local KINDS = { "look_up", "submission", "upload", "rescan", "poll", "comments" }

local function range(ends)
  if ends.least == ends.most then return tostring(ends.most) end
  return ends.least .. "-" .. ends.most
end

-- ---- as a table ----

local function entities_line(entities)
  local words = {}
  for _, entry in ipairs(entities.types) do
    table.insert(words, entry.count .. " " .. entry.type)
  end
  local line = "Entities: " .. (#words > 0 and table.concat(words, ", ") or "none")
  if entities.internal > 0 then line = line .. " (" .. entities.internal .. " internal)" end
  return line .. "."
end

local HEAD = { "STEP", "ENTITIES", "SKIPPED", "CACHED", "SHARED", "REQUESTS", "QUOTA" }

local function cells_of(row)
  if row.left_out then return { row.step, "-", "-", "-", "-", "-", "-" } end
  return {
    row.step, tostring(row.of), tostring(row.skipped.count), tostring(row.cached),
    tostring(row.shared), range(row.requests), range(row.quota),
  }
end

local function by_kind(row)
  local sums = {}
  for name, call in pairs(row.calls) do
    local kind = name:match "^%S+"
    local sum = sums[kind] or { least = 0, most = 0 }
    sum.least, sum.most = sum.least + call.least, sum.most + call.most
    sums[kind] = sum
  end
  return sums
end

local function add_examples(add, word, some)
  for _, example in ipairs(some.reasons) do
    add(word .. ": " .. example.entity .. ": " .. (example.reason or "no reason"))
  end
  if some.count > #some.reasons then
    add(word .. ": " .. some.count - #some.reasons .. " more")
  end
end

local function remarks_of(row)
  local remarks = {}
  local function add(...) table.insert(remarks, (...)) end
  if row.left_out then
    add(row.action and "left out: " .. row.left_out or row.left_out)
    return remarks
  end
  if not row.action then return { "a function of the playbook: it asks nothing" } end
  if row.condition then add("only " .. row.condition) end
  local sums = by_kind(row)
  for _, kind in ipairs(KINDS) do
    if sums[kind] and sums[kind].most > 0 then add(NAMES[kind] .. ": " .. range(sums[kind])) end
  end
  if row.outside.most > 0 then
    add("requests to other services: " .. range(row.outside)
      .. (row.rate and " (" .. row.rate .. ")" or ""))
  end
  if row.bytes > 0 then add(row.bytes .. " bytes of files would leave") end
  add_examples(add, "skipped", row.skipped)
  add_examples(add, "denied by the policy", row.denied)
  for _, problem in ipairs(row.problems) do add("cannot be planned in full: " .. problem) end
  return remarks
end

local function add_table(lines, rows)
  local widths = {}
  local all = { HEAD }
  for _, row in ipairs(rows) do table.insert(all, cells_of(row)) end
  for _, cells in ipairs(all) do
    for column, cell in ipairs(cells) do
      widths[column] = math.max(widths[column] or 0, text.width(cell))
    end
  end
  for index, cells in ipairs(all) do
    local padded = {}
    for column, cell in ipairs(cells) do padded[column] = text.pad(cell, widths[column]) end
    table.insert(lines, (text.escape(table.concat(padded, "  ")):gsub("%s+$", "")))
    for _, remark in ipairs(rows[index - 1] and remarks_of(rows[index - 1]) or {}) do
      table.insert(lines, "    " .. text.escape(remark))
    end
  end
end

local function counted(ends, one, many)
  return range(ends) .. " " .. (ends.least == ends.most and ends.most == 1 and one or many)
end

local function share_of(quota, left)
  if quota == 0 or left == 0 then return "" end
  return (" (%d %%)"):format(math.min((quota * 100 + left - 1) // left, 999))
end

local FITS = {
  yes = "There is enough for it today.",
  perhaps = "There is enough for the least of it today, not for the most.",
  ["not today"] = "There is not enough for it: not today.",
}

local function time_lines(lines, plan)
  local time, facts, quota = plan.time, plan.facts, plan.total.quota
  if facts.per_minute == 0 then
    table.insert(lines, "This key has no limit of the minute.")
  else
    table.insert(lines, ("At this key's rate of %d a minute %s."):format(facts.per_minute,
      time.minutes.most == 0 and "nothing waits"
      or "it takes about " .. counted(time.minutes, "minute", "minutes")))
  end
  for _, window in ipairs { { "day", time.day_left }, { "month", time.month_left } } do
    if window[2] then
      table.insert(lines, ("%d of the %s's quota are left%s; this takes up to %d%s."):format(
        window[2], window[1],
        window[1] == "day" and facts.reserve > 0 and " above the reserve" or "",
        quota.most, share_of(quota.most, window[2])))
    end
  end
  table.insert(lines, FITS[time.fits])
  if not time.is_known then
    table.insert(lines, "Without a key nobody knows what is used: all of the quota counts as left.")
  end
end

--- For a terminal.
---@param plan table of apogee.plan
---@return string
function M.text(plan)
  local total = plan.total
  local lines = { "Plan of " .. text.escape(plan.name) .. "; nothing was sent.",
    entities_line(plan.entities), "" }
  add_table(lines, plan.steps)
  table.insert(lines, "")
  table.insert(lines, ("In all: %s, %s of quota, %d from the cache, %d shared."):format(
    counted(total.requests, "request", "requests"), range(total.quota), total.cached,
    total.shared))
  if total.outside.most > 0 then
    table.insert(lines, "Other services are asked in " .. counted(total.outside, "request",
      "requests") .. ".")
  end
  if total.public.most > 0 then
    table.insert(lines, counted(total.public, "submission", "submissions")
      .. " would become public.")
  end
  if total.bytes > 0 then table.insert(lines, total.bytes .. " bytes of files would leave.") end
  time_lines(lines, plan)
  return table.concat(lines, "\n") .. "\n"
end

-- ---- as JSON ----

local function calls_of(row)
  local calls = {}
  for name, call in pairs(row.calls) do
    local kind, word = name:match "^(%S+) (%S+)$"
    table.insert(calls, { kind = kind, call = word, least = call.least, most = call.most })
  end
  table.sort(calls, function(a, b)
    if a.kind ~= b.kind then return a.kind < b.kind end
    return a.call < b.call
  end)
  return json.array(calls)
end

local function step_object(row)
  return {
    step = row.step, action = row.action or json.null, condition = row.condition or json.null,
    left_out = row.left_out or json.null, entities = row.of, cached = row.cached,
    shared = row.shared, requests = row.requests, quota = row.quota, public = row.public,
    outside = row.outside,
    bytes = row.bytes, calls = calls_of(row), problems = json.array(row.problems),
    skipped = { count = row.skipped.count, examples = json.array(row.skipped.reasons) },
    denied = { count = row.denied.count, examples = json.array(row.denied.reasons) },
  }
end

--- For programs.
---@param plan table of apogee.plan
---@return string
function M.json(plan)
  local steps, types = {}, json.object {}
  for _, row in ipairs(plan.steps) do table.insert(steps, step_object(row)) end
  for _, entry in ipairs(plan.entities.types) do types[entry.type] = entry.count end
  local time, total = plan.time, plan.total
  return json.encode {
    schema = "apogee.plan/1", name = plan.name, steps = json.array(steps),
    entities = {
      total = plan.entities.total, internal = plan.entities.internal,
      types = types,
    },
    total = total,
    time = {
      minutes = time.minutes, fits = time.fits, usage_is_known = time.is_known,
      day_left = time.day_left or json.null, month_left = time.month_left or json.null,
    },
  } .. "\n"
end

return M
