-- What `list` prints. Works offline: reading a manifest runs nothing.
-- SPDX-License-Identifier: Apache-2.0
local page = require "apogee.page"
local playbook_check = require "apogee.playbook_check"
local reach = require "apogee.reach"
local text = require "apogee.text"

local M = {}

local function columns(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row) do
      widths[column] = math.max(widths[column] or 0, text.width(cell))
    end
  end
  local lines = {}
  for _, row in ipairs(rows) do
    local cells = {}
    for column, cell in ipairs(row) do cells[column] = text.pad(cell, widths[column]) end
    table.insert(lines, (table.concat(cells, "  "):gsub("%s+$", "")))
  end
  return lines
end

local function word_of(path)
  return path:match "([^/]+)%.lua$"
end

-- The packaged playbooks as rows; one that is broken joins the files that are.
local function playbook_rows(engine, index, broken)
  local rows = { { "PLAYBOOK", "NAME", "STEPS" } }
  for _, file in ipairs(engine.playbook_files()) do
    local value, message = engine.load(file.path)
    local found, why
    if value ~= nil then found, why = playbook_check.check(engine, file.path, value, index) end
    if found then
      local names = {}
      for _, step in ipairs(found.steps) do table.insert(names, step.name) end
      table.insert(rows, {
        word_of(file.path), text.escape(found.name), table.concat(names, ", "),
      })
    else
      table.insert(broken, { path = file.path, message = why or message })
    end
  end
  return rows
end

local function reaching_rows(index)
  local rows = { { "REACHES", "OTHER HOSTS" } }
  for _, action in ipairs(index.actions) do
    local words = reach.words(action)
    if words ~= "" then table.insert(rows, { action.id, text.escape(words) }) end
  end
  return #rows > 1 and columns(rows) or {}
end

--- Every action that can be run and every packaged playbook, then the files that cannot.
---@param engine table
---@param index table from the loader
---@return string
function M.list(engine, index)
  local rows = { { "ACTION", "NAME", "RUNS ON", "RESULT", "FROM" } }
  for _, action in ipairs(index.actions) do
    table.insert(rows, {
      action.id, text.escape(action.name), page.runs_on(action), action.returns,
      text.escape(action.origin or action.path),
    })
  end
  local lines = columns(rows)
  for index_of, line in ipairs(reaching_rows(index)) do
    if index_of == 1 then table.insert(lines, "") end
    table.insert(lines, line)
  end
  local broken = { table.unpack(index.broken) }
  local playbooks = playbook_rows(engine, index, broken)
  if #playbooks > 1 then
    table.insert(lines, "")
    for _, line in ipairs(columns(playbooks)) do table.insert(lines, line) end
  end
  if #broken > 0 then
    table.insert(lines, "")
    table.insert(lines, "Broken, and left out:")
  end
  for _, file in ipairs(broken) do
    for line in file.message:gmatch "[^\n]+" do
      table.insert(lines, "  " .. text.escape(line))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Every name that can be typed: "action scan_hash", "playbook triage", a line each. Playbooks are
--- not read for it.
---@param engine table
---@param index table from the loader
---@return string
function M.names(engine, index)
  local lines = {}
  for _, action in ipairs(index.actions) do table.insert(lines, "action " .. action.id .. "\n") end
  for _, file in ipairs(engine.playbook_files()) do
    local word = word_of(file.path)
    if word and word:find "^[%w_.-]+$" then table.insert(lines, "playbook " .. word .. "\n") end
  end
  return table.concat(lines)
end

return M
