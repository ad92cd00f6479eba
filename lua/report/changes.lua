-- What is new since an earlier run, in words: for runs with --changed-since-last. Plain text:
-- whoever writes it somewhere escapes it.
-- SPDX-License-Identifier: Apache-2.0
local standing = require "report.standing"

local M = {}

--- The most urgent first.
M.KINDS = {
  "newly_risky", "newly_clean", "verdict_changed", "engines_added", "engines_removed", "new",
  "gone",
}

local COUNTED = {
  newly_risky = "%d newly risky", newly_clean = "%d newly clean",
  verdict_changed = "%d with another verdict", engines_added = "engines added on %d",
  engines_removed = "engines removed on %d", new = "%d new", gone = "%d gone",
}

local MOST_ENGINES = 10

--- The changes of a record; nil where nobody asked for them.
---@param record table
---@return table? as the document's member "changes"
function M.of(record)
  local changes = (record.run or record.steps[1] or {}).changes
  return type(changes) == "table" and changes or nil
end

local function time(since)
  return (since.finished:gsub("T", " "):gsub(":%d%dZ$", " UTC"))
end

--- "Since the run of 2026-11-24 04:11 UTC: 1 newly risky, 2 new."
---@param changes table
---@return string
function M.sentence(changes)
  local since = changes.since
  if type(since) ~= "table" then return "There is no earlier run to compare with." end
  local parts = {}
  for _, kind in ipairs(M.KINDS) do
    local count = changes.counts[kind] or 0
    if count > 0 then table.insert(parts, COUNTED[kind]:format(count)) end
  end
  if #parts == 0 then return "Nothing has changed since the run of " .. time(since) .. "." end
  return "Since the run of " .. time(since) .. ": " .. table.concat(parts, ", ") .. "."
end

--- "newly risky, engines added"
---@param item table of changes.entities
---@return string
function M.words(item)
  return (table.concat(item.changes, ", "):gsub("_", " "))
end

local function side(about)
  if type(about) ~= "table" then return nil end
  local label = standing.LABELS[about.verdict]:lower()
  local count = tonumber(about.detections)
  if about.verdict == "not_checked" or not count or count == 0 then return label end
  return label .. " (" .. count .. ")"
end

local function names(prefix, list)
  if not list then return nil end
  local text = table.concat(list, ", ", 1, math.min(#list, MOST_ENGINES))
  if #list > MOST_ENGINES then text = text .. (" and %d more"):format(#list - MOST_ENGINES) end
  return prefix .. text
end

--- "below threshold (2), now risky (7); added: A, B"
---@param item table of changes.entities
---@return string
function M.detail(item)
  local before, now = side(item.before), side(item.now)
  local parts = {}
  if before and now and before ~= now then
    table.insert(parts, before .. ", now " .. now)
  elseif now or before then
    table.insert(parts, now or "was " .. before)
  end
  table.insert(parts, names("added: ", item.engines_added))
  table.insert(parts, names("removed: ", item.engines_removed))
  return table.concat(parts, "; ")
end

--- How many are not shown when `shown` are.
---@param changes table
---@param shown integer
---@return integer
function M.left_out(changes, shown)
  return #changes.entities - shown + changes.left_out
end

--- A function that gives the kinds of change of an entity in a step, "newly_risky engines_added";
--- nil where nothing changed or nobody asked.
---@param record table
---@return fun(step: string, identifier: string, type: string): string?
function M.lookup(record)
  local changes = M.of(record)
  if not changes then return function() end end
  local found = {}
  local function key(step, identifier, kind)
    return step .. "\0" .. (type(kind) == "string" and kind or "") .. "\0" .. identifier
  end
  for _, item in ipairs(changes.entities) do
    found[key(item.step, item.identifier, item.type)] = table.concat(item.changes, " ")
  end
  return function(step, identifier, kind) return found[key(step, identifier, kind)] end
end

return M
