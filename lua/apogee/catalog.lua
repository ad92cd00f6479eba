-- What `list`, `show` and `check` print. Works offline: reading a manifest runs nothing.
-- SPDX-License-Identifier: Apache-2.0
local loader = require "apogee.loader"
local manifest = require "apogee.manifest"
local params = require "apogee.params"
local playbook_check = require "apogee.playbook_check"
local text = require "apogee.text"

local M = {}

local WIDTH = 80
local INDENT = "    "

local function runs_on(action)
  if action.run_case then return "the case" end
  if action.each then return "its parameters" end
  return table.concat(action.accepts, ", ")
end

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

--- Every action that can be run and every packaged playbook, then the files that cannot.
---@param engine table
---@param index table from the loader
---@return string
function M.list(engine, index)
  local rows = { { "ACTION", "NAME", "RUNS ON", "RESULT", "FROM" } }
  for _, action in ipairs(index.actions) do
    table.insert(rows, {
      action.id, text.escape(action.name), runs_on(action), action.returns,
      text.escape(action.origin or action.path),
    })
  end
  local lines = columns(rows)
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

local function add(page, indent, words)
  for paragraph in (words .. "\n"):gmatch "(.-)\n" do
    for _, line in ipairs(text.wrap(text.escape(paragraph), WIDTH - #indent)) do
      table.insert(page, indent .. line)
    end
  end
end

local function section(page, title, words)
  table.insert(page, "")
  table.insert(page, title)
  if words then add(page, INDENT, words) end
end

local function default_of(def)
  if def.default == nil then return def.required and "required" or "optional" end
  if def.type == "secret" then return "has a default" end
  if type(def.default) == "table" then return "default " .. table.concat(def.default, ",") end
  return "default " .. tostring(def.default)
end

local function add_params(page, defs)
  if #defs == 0 then return end
  section(page, "PARAMETERS")
  for _, def in ipairs(defs) do
    add(page, INDENT, def.id .. " (" .. params.describe(def) .. "; " .. default_of(def) .. ")")
    if def.label then add(page, INDENT .. INDENT, "Also called: " .. def.label) end
    if def.doc then add(page, INDENT .. INDENT, def.doc) end
  end
end

local EXAMPLES = {
  filehash = "filehash:44d88612fea8a8f36de82e1278abb02f",
  ip_address = "ip_address:192.0.2.1",
  url = "url:http://example.com/",
  hostname = "hostname:example.com",
  user = "user:ana@example.com",
  file = "file:report.pdf",
}

local function quoted(word)
  if word:find "^[%w_./:@=,+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function example_value(def)
  if def.type == "secret" then return "env:NAME" end
  local value = def.example or def.default or def.enum and def.enum[1] or def.min
  return tostring(value ~= nil and value ~= "" and value or def.type:upper())
end

local function example_of(command, name, defs, entity)
  local words = { "apogee", command, name }
  for _, def in ipairs(defs) do
    if def.required then
      table.insert(words, "--param")
      table.insert(words, quoted(def.id .. "=" .. example_value(def)))
    end
  end
  if entity then
    table.insert(words, "--entity")
    table.insert(words, entity)
  end
  return table.concat(words, " ")
end

--- A manual page of an action.
---@param action table
---@return string
function M.show_action(action)
  local page = { action.id .. " - " .. text.escape(action.name) }
  table.insert(page, "")
  add(page, INDENT, action.doc)
  section(page, "PROVIDER", action.provider)
  section(page, "RUNS ON", runs_on(action))
  add_params(page, action.params)
  section(page, "RETURNS", action.returns)
  section(page, "NEEDS", #action.needs > 0 and table.concat(action.needs, ", ") or "nothing")
  section(page, "FILE", action.path)
  section(page, "EXAMPLE")
  local entity = EXAMPLES[action.accepts[1]]
  table.insert(page, INDENT .. text.escape(example_of("action", action.id, action.params, entity)))
  return table.concat(page, "\n") .. "\n"
end

local function step_line(step)
  if not step.action then return step.name .. ": a function of the playbook" end
  local on = type(step.on) == "function" and "entities that a function chooses"
    or table.concat(step.on, ", ")
  if on == "" then return step.name .. ": " .. step.action.id end
  return step.name .. ": " .. step.action.id .. " on " .. on
end

--- A manual page of a playbook.
---@param playbook table
---@return string
function M.show_playbook(playbook)
  local page = { text.escape(playbook.name) }
  if playbook.doc then
    table.insert(page, "")
    add(page, INDENT, playbook.doc)
  end
  add_params(page, playbook.params)
  section(page, "STEPS")
  for _, group in ipairs(playbook.groups) do
    if #group > 1 then add(page, INDENT, "at the same time:") end
    for _, step in ipairs(group) do
      add(page, #group > 1 and INDENT .. INDENT or INDENT, step_line(step))
    end
  end
  section(page, "FILE", playbook.path)
  section(page, "EXAMPLE")
  local example = example_of("run", quoted(playbook.path), playbook.params) .. " --entities FILE"
  table.insert(page, INDENT .. text.escape(example))
  return table.concat(page, "\n") .. "\n"
end

local function is_playbook(value)
  return type(value) == "table" and rawget(value, "kind") == "playbook"
end

--- Checks one file, an action or a playbook.
---@param engine table
---@param path string
---@return boolean ok, string lines
function M.check(engine, path)
  local value, message = engine.load(path)
  if value == nil then return false, message .. "\n" end
  local found, why
  if is_playbook(value) then
    found, why = playbook_check.check(engine, path, value, loader.index(engine))
    return found ~= nil, found and path .. ": OK, a playbook\n" or why .. "\n"
  end
  found, why = manifest.check(engine, path, value)
  return found ~= nil, found and path .. ": OK, the action " .. found.id .. "\n" or why .. "\n"
end

return M
