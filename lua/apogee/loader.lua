-- Finds the actions, and the packs with theirs. A file that is broken is remembered with what is
-- wrong; the others work.
-- SPDX-License-Identifier: Apache-2.0
local manifest = require "apogee.manifest"
local pack_check = require "apogee.pack_check"

local M = {}

-- Of requests and what they are answered.
local function has_rows(value)
  local row = type(value) == "table" and rawget(value, 1)
  return type(row) == "table" and type(rawget(row, "url")) == "string"
end

--- What a file returned: "action", "playbook", "pack", "cassette", "answers" (a scenario with some
--- of services), or nil.
---@param value any
---@return string?
function M.kind_of(value)
  if type(value) ~= "table" then return nil end
  if has_rows(value) then return "cassette" end
  return has_rows(rawget(value, "http")) and "answers" or rawget(value, "kind")
end

-- Of a folder of actions these are passed over.
local LIES_BESIDE = { playbook = true, cassette = true, answers = true }

--- Reads one action file.
---@param engine table
---@param path string
---@return table? action, string? message, string? kind of what the file returned
function M.read(engine, path)
  local value, env = engine.load(path)
  if value == nil then return nil, env end
  local action, message = manifest.check(engine, path, value)
  if not action then return nil, message, M.kind_of(value) end
  action.env = env
  return action
end

--- What a file is called by: its name without .lua.
---@param path string
---@return string?
function M.word_of(path) return path:match "([^/]+)%.lua$" end

local function say_twice(index, what, first, path)
  first.conflict = first.conflict or ("two files have the %s: %s and %s"):format(what, first.path,
    path)
  table.insert(index.broken, { path = path, message = first.conflict })
end

local function add(index, action)
  local first = index.by_id[action.id]
  if first then return say_twice(index, ('action "%s"'):format(action.id), first, action.path) end
  index.by_id[action.id] = action
  table.insert(index.actions, action)
end

local function add_file(index, path, origin, pack)
  local action, message, kind = M.read(index.engine, path)
  if LIES_BESIDE[kind] and not pack then return end
  if action and pack then
    action.pack = pack
    message = pack_check.exceeds(index.engine, pack, action)
  end
  if message then
    table.insert(index.broken, { path = path, message = message })
    return
  end
  action.origin = origin
  add(index, action)
end

-- ---- packs ----

local function add_pack_file(index, path)
  local value, message = index.engine.load(path)
  local pack
  if value ~= nil then pack, message = pack_check.check(index.engine, path, value) end
  if not pack then
    table.insert(index.broken, { path = path, message = message })
    return
  end
  local first = index.packs_by_name[pack.name]
  if first and first == index.given then return end
  if first then return say_twice(index, ('pack "%s"'):format(pack.name), first, path) end
  index.packs_by_name[pack.name] = pack
  table.insert(index.packs, pack)
end

local function playbook_named(index, word)
  for _, file in ipairs(index.playbooks) do
    if M.word_of(file.path) == word then return file end
  end
end

local function add_playbook(index, path, pack)
  local word = M.word_of(path)
  local first = playbook_named(index, word)
  if first then return say_twice(index, ('playbook "%s"'):format(word), first, path) end
  table.insert(index.playbooks, { path = path, origin = pack_check.title(pack), pack = pack })
end

-- What is in a pack that lacks something is left out, and who asks for it is told why.
local function add_pack(index, pack)
  local message = pack.conflict or pack_check.lacks(index.engine, pack, index.packs_by_name)
  if message then
    local files = table.move(pack.playbooks, 1, #pack.playbooks, #pack.actions + 1,
      { table.unpack(pack.actions) })
    table.insert(index.broken, { path = pack.path, message = message, files = files })
    return
  end
  for _, path in ipairs(pack.actions) do add_file(index, path, pack_check.title(pack), pack) end
  for _, path in ipairs(pack.playbooks) do add_playbook(index, path, pack) end
end

--- Reads all actions, and what packs there are.
---@param engine table
---@param given table? a pack that is there for another of its name, or beside the others
---@return table index { actions, by_id, packs, playbooks = { { path, origin, pack } }, packaged
---  ones first, broken = { { path, message, files = of a pack } } }
function M.index(engine, given)
  local index = {
    actions = {}, by_id = {}, packs = {}, packs_by_name = {}, broken = {}, engine = engine,
    playbooks = engine.playbook_files(), given = given,
  }
  if given then
    index.packs[1], index.packs_by_name[given.name] = given, given
  end
  for _, file in ipairs(engine.action_files()) do
    if file.is_pack then
      add_pack_file(index, file.path)
    else
      add_file(index, file.path, file.origin)
    end
  end
  for _, pack in ipairs(index.packs) do add_pack(index, pack) end
  return index
end

local function broken_file_of(index, id)
  for _, file in ipairs(index.broken) do
    for _, path in ipairs(file.files or { file.path }) do
      if M.word_of(path) == id then return file end
    end
  end
end

--- An action by its id or name.
---@param index table
---@param word string
---@return table? action, string? message, boolean? is_missing no file is of this name
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
  return nil, 'there is no action "' .. word .. '"' .. hint, true
end

--- The file of a playbook by its name or path. Those of packs have names too.
---@param index table
---@param word string
---@return string? path, string? message
function M.find_playbook(index, word)
  if M.is_path(word) then
    if index.engine.is_file(word) then return word end
    return nil, word .. ": no such file"
  end
  local found = playbook_named(index, word)
  if found and found.conflict then return nil, found.conflict end
  if found then return found.path end
  local broken = broken_file_of(index, word)
  if broken and broken.files then return nil, broken.message end
  local names = {}
  for _, file in ipairs(index.playbooks) do table.insert(names, M.word_of(file.path)) end
  local nearest = index.engine.nearest(word, names)
  if nearest then
    return nil, ('there is no playbook "%s"; did you mean "%s"?'):format(word, nearest)
  end
  return nil, ('there is no playbook "%s": give the path of its file'):format(word)
end

local FOLDERS_UP = 3

local function folder_above(folder)
  if folder == "" then return nil end
  if folder == "." then return ".." end
  local above, last = folder:match "^(.*)/([^/]*)$"
  last = last or folder
  if last == "" or last == "." or last == ".." then return folder .. "/.." end
  return above or "."
end

--- The pack in whose folder a file lies, or in a folder of it. Nobody named it, so one that others
--- may have put there is left alone, and that is said.
---@param engine table
---@param path string
---@return table? pack
function M.pack_around(engine, path)
  if not engine.is_file(path) then return nil end
  local folder = path:match "^(.*)/[^/]*$" or "."
  for _ = 1, FOLDERS_UP do
    local file = folder .. "/pack.lua"
    if engine.is_file(file) then
      local is_taken, why = engine.goes_with(file, path)
      if not is_taken then
        engine.say("warning", ("%s is not taken for the pack of %s: %s"):format(file, path, why))
        return nil
      end
      local value = engine.load(file)
      return value ~= nil and pack_check.check(engine, file, value) or nil
    end
    folder = folder_above(folder)
    if not folder then return nil end
  end
end

--- Whether a word is the path of a file, not the id or name of an action.
---@param word string
---@return boolean
function M.is_path(word)
  return word:find "/" ~= nil or word:find "%.lua$" ~= nil
end

return M
