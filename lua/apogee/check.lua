-- What `check` says of files: the shape of the manifest first, then what a look at the code finds.
-- SPDX-License-Identifier: Apache-2.0
local loader = require "apogee.loader"
local look_action = require "apogee.look_action"
local look_playbook = require "apogee.look_playbook"
local manifest = require "apogee.manifest"
local pack_check = require "apogee.pack_check"
local playbook_check = require "apogee.playbook_check"
local reach = require "apogee.reach"
local syntax = require "apogee.syntax"

local M = {}

-- What it reaches is worth a look before it runs.
local function checked_action(path, action)
  local words = reach.words(action)
  local line = path .. ": OK, the action " .. action.id
  return line .. (words == "" and "" or "; " .. words) .. "\n"
end

-- Problems instead of the line that says OK, and warnings.
local function said(fine, problems, warnings)
  local lines = { table.unpack(problems) }
  table.move(warnings, 1, #warnings, #lines + 1, lines)
  local text = #lines > 0 and table.concat(lines, "\n") .. "\n" or ""
  return #problems == 0, #problems == 0 and text .. fine or text
end

-- A mistake in the table hides none in the code.
local function refused(engine, path, value, env, why, look)
  local is_it = type(value) == "table" and rawget(value, "kind")
  local names = is_it and look.names(engine, path, env) or {}
  return false, table.concat({ why, table.unpack(names) }, "\n") .. "\n"
end

local function check_action(engine, path, value, env)
  local action, why = manifest.check(engine, path, value)
  if not action then return refused(engine, path, value, env, why, look_action) end
  return said(checked_action(path, action), look_action.check(engine, action, env))
end

local function check_playbook(engine, path, value, env, index)
  local playbook, why = playbook_check.check(engine, path, value,
    index(loader.pack_around(engine, path)))
  if not playbook then return refused(engine, path, value, env, why, look_playbook) end
  local problems, warnings = look_playbook.check(engine, playbook, env)
  table.move(playbook.warnings, 1, #playbook.warnings, #warnings + 1, warnings)
  return said(path .. ": OK, a playbook\n", problems, warnings)
end

local function counted(count, noun) return count .. " " .. noun .. (count == 1 and "" or "s") end

-- What only the pack as a whole can say of one of its actions.
local function check_packed(engine, pack, index, path)
  local action = loader.read(engine, path)
  if not action then return true, "" end
  local why = pack_check.exceeds(engine, pack, action)
  local first = index.by_id[action.id]
  why = why or first and first.conflict
  return not why, why and why .. "\n" or ""
end

local function check_pack(engine, path, value)
  local pack, why = pack_check.check(engine, path, value)
  if not pack then return false, why .. "\n" end
  local index = loader.index(engine, pack)
  local lacking = pack_check.lacks(engine, pack, index.packs_by_name)
  local is_fine, lines = not lacking, { lacking and lacking .. "\n" or nil }
  local function add(ok, text)
    is_fine = is_fine and ok
    table.insert(lines, text)
  end
  for _, file in ipairs(pack.actions) do
    add(M.file(engine, file, function() return index end))
    add(check_packed(engine, pack, index, file))
  end
  for _, file in ipairs(pack.playbooks) do
    add(M.file(engine, file, function() return index end))
  end
  if is_fine then
    add(true, ("%s: OK, the %s: %s, %s\n"):format(path, pack_check.title(pack),
      counted(#pack.actions, "action"), counted(#pack.playbooks, "playbook")))
  end
  return is_fine, table.concat(lines)
end

-- What lies beside actions and is none.
local DATA = { cassette = "a cassette, for apogee test", answers = "a scenario, for --scenario" }

local CHECKS = { pack = check_pack, playbook = check_playbook }

--- Checks one file, an action, a playbook or a pack with all that is in it; of a folder, its pack.
---@param engine table
---@param path string
---@param index fun(pack: table?): table of the actions, from the loader, with those of the pack
---@return boolean ok, string lines
function M.file(engine, path, index)
  if path:find "_spec%.lua$" then return true, path .. ": a spec, for apogee test\n" end
  if engine.is_file(path .. "/pack.lua") then path = path:gsub("/+$", "") .. "/pack.lua" end
  local value, env = engine.load(path)
  if value == nil and env == path .. ": not a regular file" then
    return false, env .. ": a folder without a pack.lua is checked by its files, FOLDER/*.lua\n"
  end
  if value == nil then return false, syntax.explained(env) .. "\n" end
  local kind = loader.kind_of(value)
  if DATA[kind] then return true, path .. ": " .. DATA[kind] .. "\n" end
  return (CHECKS[kind] or check_action)(engine, path, value, env, index)
end

-- The actions are read once for each pack, and only when a playbook asks for them.
local function lazy_index(engine)
  local by_pack = {}
  return function(pack)
    local key = pack and pack.path or ""
    by_pack[key] = by_pack[key] or loader.index(engine, pack)
    return by_pack[key]
  end
end

--- Checks files.
---@param engine table
---@param paths string[]
---@return boolean ok
function M.files(engine, paths)
  local is_fine, index = true, lazy_index(engine)
  for _, path in ipairs(paths) do
    local ok, lines = M.file(engine, path, index)
    is_fine = is_fine and ok
    engine.print(lines)
  end
  return is_fine
end

return M
