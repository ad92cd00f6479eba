-- What `list` prints. Works offline: reading a manifest runs nothing.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals json
local loader = require "apogee.loader"
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

-- The playbooks that can be run; one that is broken joins the files that are.
local function read_playbooks(engine, index, broken)
  local playbooks = {}
  for _, file in ipairs(index.playbooks) do
    local value, message = engine.load(file.path)
    local found, why
    if value ~= nil then found, why = playbook_check.check(engine, file.path, value, index) end
    if found then
      found.word, found.origin, found.pack = loader.word_of(file.path), file.origin, file.pack
      table.insert(playbooks, found)
    else
      table.insert(broken, { path = file.path, message = why or message })
    end
  end
  return playbooks
end

--- What there is: actions, playbooks and packs that work, and files that do not.
---@param engine table
---@param index table from the loader
---@return table list { actions, playbooks, packs, broken }
function M.make(engine, index)
  local broken = { table.unpack(index.broken) }
  local playbooks = read_playbooks(engine, index, broken)
  return { actions = index.actions, playbooks = playbooks, packs = index.packs, broken = broken }
end

-- ---- as text ----

local function action_rows(actions)
  local rows = { { "ACTION", "NAME", "RUNS ON", "RESULT", "FROM" } }
  for _, action in ipairs(actions) do
    table.insert(rows, {
      action.id, text.escape(action.name), page.runs_on(action), action.returns,
      text.escape(action.origin),
    })
  end
  return rows
end

local function reaching_rows(actions)
  local rows = { { "REACHES", "OTHER HOSTS" } }
  for _, action in ipairs(actions) do
    local words = reach.words(action)
    if words ~= "" then table.insert(rows, { action.id, text.escape(words) }) end
  end
  return rows
end

local function playbook_rows(playbooks)
  local rows = { { "PLAYBOOK", "NAME", "STEPS", "FROM" } }
  for _, playbook in ipairs(playbooks) do
    local names = {}
    for _, step in ipairs(playbook.steps) do table.insert(names, step.name) end
    table.insert(rows, {
      playbook.word, text.escape(playbook.name), table.concat(names, ", "),
      text.escape(playbook.origin),
    })
  end
  return rows
end

local function pack_rows(packs)
  local rows = { { "PACK", "VERSION", "FOLDER" } }
  for _, pack in ipairs(packs) do
    table.insert(rows, { pack.name, pack.version, text.escape(pack.folder) })
  end
  return rows
end

local function add_block(lines, block)
  if #lines > 0 and #block > 0 then table.insert(lines, "") end
  table.move(block, 1, #block, #lines + 1, lines)
end

-- A heading alone says nothing.
local function add_rows(lines, rows)
  if #rows > 1 then add_block(lines, columns(rows)) end
end

---@param list table of M.make
---@return string
function M.text(list)
  local lines = columns(action_rows(list.actions))
  add_rows(lines, reaching_rows(list.actions))
  add_rows(lines, playbook_rows(list.playbooks))
  add_rows(lines, pack_rows(list.packs))
  local broken = {}
  if #list.broken > 0 then table.insert(broken, "Broken, and left out:") end
  for _, file in ipairs(list.broken) do
    for line in file.message:gmatch "[^\n]+" do
      table.insert(broken, "  " .. text.escape(line))
    end
  end
  add_block(lines, broken)
  return table.concat(lines, "\n") .. "\n"
end

-- ---- as JSON ----

local function pack_name(item) return item.pack and item.pack.name or json.null end

local function action_object(action)
  return {
    id = action.id, name = action.name, provider = action.provider,
    accepts = json.array(action.accepts), returns = action.returns,
    needs = json.array(action.needs), hosts = json.array(action.http and action.http.hosts or {}),
    outputs = json.array(action.outputs), from = action.origin, pack = pack_name(action),
    path = action.path,
  }
end

local function playbook_object(playbook)
  local steps = {}
  for _, step in ipairs(playbook.steps) do table.insert(steps, step.name) end
  return {
    id = playbook.word, name = playbook.name, steps = json.array(steps), from = playbook.origin,
    pack = pack_name(playbook), path = playbook.path,
  }
end

local function pack_object(pack)
  return {
    name = pack.name, version = pack.version, doc = pack.doc or json.null,
    needs = json.array(pack.needs), hosts = json.array(pack.hosts), path = pack.path,
  }
end

local function broken_object(file) return { path = file.path, message = file.message } end

local function objects(list, object_of)
  local made = {}
  for _, item in ipairs(list) do table.insert(made, object_of(item)) end
  return json.array(made)
end

---@param list table of M.make
---@return string
function M.json(list)
  return json.encode {
    schema = "apogee.list/1",
    actions = objects(list.actions, action_object),
    playbooks = objects(list.playbooks, playbook_object),
    packs = objects(list.packs, pack_object),
    broken = objects(list.broken, broken_object),
  } .. "\n"
end

-- ---- names ----

--- Every name that can be typed: "action scan_hash", "playbook triage", a line each. Playbooks are
--- not read for it.
---@param index table from the loader
---@return string
function M.names(index)
  local lines = {}
  for _, action in ipairs(index.actions) do table.insert(lines, "action " .. action.id .. "\n") end
  for _, file in ipairs(index.playbooks) do
    local word = loader.word_of(file.path)
    if word and word:find "^[%w_.-]+$" then table.insert(lines, "playbook " .. word .. "\n") end
  end
  return table.concat(lines)
end

return M
