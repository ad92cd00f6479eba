-- Finds the actions. A file that is broken is remembered with what is wrong; the others work.
-- SPDX-License-Identifier: Apache-2.0
local manifest = require "apogee.manifest"

local M = {}

--- Reads one action file.
---@param engine table
---@param path string
---@return table? action, string? message
function M.read(engine, path)
  local value, env = engine.load(path)
  if value == nil then return nil, env end
  local action, message = manifest.check(engine, path, value)
  if not action then return nil, message end
  action.env = env
  return action
end

local function add(index, action)
  local first = index.by_id[action.id]
  if not first then
    index.by_id[action.id] = action
    table.insert(index.actions, action)
    return
  end
  first.conflict = first.conflict
    or ('two files have the action "%s": %s and %s'):format(action.id, first.path, action.path)
  table.insert(index.broken, { path = action.path, message = first.conflict })
end

--- Reads all actions.
---@param engine table
---@return table index { actions, by_id, broken = { { path, message } } }
function M.index(engine)
  local index = { actions = {}, by_id = {}, broken = {}, engine = engine }
  for _, file in ipairs(engine.action_files()) do
    local action, message = M.read(engine, file.path)
    if action then
      action.origin = file.origin
      add(index, action)
    else
      table.insert(index.broken, { path = file.path, message = message })
    end
  end
  return index
end

local function broken_file_of(index, id)
  for _, file in ipairs(index.broken) do
    if file.path:match "([^/]+)%.lua$" == id then return file end
  end
end

--- An action by its id or name.
---@param index table
---@param word string
---@return table? action, string? message
function M.find(index, word)
  local action = index.by_id[word]
  for _, other in ipairs(index.actions) do
    if not action and other.name:lower() == word:lower() then action = other end
  end
  if action and action.conflict then return nil, action.conflict end
  if action then return action end
  local broken = broken_file_of(index, word)
  if broken then return nil, broken.message end
  local ids = {}
  for _, known in ipairs(index.actions) do table.insert(ids, known.id) end
  local nearest = index.engine.nearest(word, ids)
  local hint = nearest and '; did you mean "' .. nearest .. '"?' or ""
  return nil, 'there is no action "' .. word .. '"' .. hint
end

--- Whether a word is the path of a file, not the id or name of an action.
---@param word string
---@return boolean
function M.is_path(word)
  return word:find "/" ~= nil or word:find "%.lua$" ~= nil
end

return M
