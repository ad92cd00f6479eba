-- `apogee test`: finds the specs and has busted run them.
-- SPDX-License-Identifier: Apache-2.0
local files = require "kit.files"

local DONE, FAILED, NOTHING = 0, 1, 2

local NO_BUSTED = "specs are run by busted, which is not there: install the Debian package "
  .. "lua-busted (apt-get install lua-busted)"

local function is_spec(path) return path:find "_spec%.lua$" ~= nil end

-- What is in a folder, in order; nil and why when it cannot be read.
local function names_in(lfs, path)
  local names, good, next_name, folder = {}, pcall(lfs.dir, path)
  if not good then return nil, next_name end
  for name in next_name, folder do
    if not name:find "^%." then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

local function collect(lfs, path, found)
  local mode, why = lfs.attributes(path, "mode")
  if not mode then return why end
  if mode ~= "directory" then
    table.insert(found, path)
    return nil
  end
  local names, unread = names_in(lfs, path)
  for _, name in ipairs(names or {}) do
    local below = path == "." and name or path:gsub("/+$", "") .. "/" .. name
    local is_folder = lfs.symlinkattributes(below, "mode") == "directory"
    if is_folder then unread = unread or collect(lfs, below, found) end
    if not is_folder and is_spec(name) then table.insert(found, below) end
  end
  return unread
end

--- All specs that the words of the command line mean.
---@return string[]? paths, string? message
local function find(lfs, words)
  local found = {}
  for _, word in ipairs(#words > 0 and words or { "." }) do
    local why = collect(lfs, word, found)
    if why then return nil, why end
  end
  if #found > 0 then return found end
  return nil, "there are no specs: no file *_spec.lua in " .. table.concat(
    #words > 0 and words or { "this folder" }, ", ")
end

-- A spec finds the modules of its own folder, as its action does. Nothing else does: what busted is
-- made of is not found in the folder that one happens to be in.
local function search_beside(name)
  local folder = require("kit.trial").folder()
  if not folder then return "no spec asks" end
  local path = files.join(folder, (name:gsub("%.", "/")) .. ".lua")
  if not files.read(path) then return "no file '" .. path .. "'" end
  local chunk, why = loadfile(path)
  if not chunk then error(why, 0) end
  return chunk, path
end

local HANDLERS = { tap = "TAP", junit = "junit" }

local function handler_of(format)
  if HANDLERS[format] then return HANDLERS[format] end
  return require("term").isatty(io.stdout) and "utfTerminal" or "plainTerminal"
end

-- What busted prints as ever, and how many ran.
local function count_tests(ran, format)
  package.preload["busted.outputHandlers.apogee"] = function()
    local busted = require "busted"
    local usual = require("busted.outputHandlers." .. handler_of(format))
    return function(options)
      busted.subscribe({ "test", "end" }, function()
        ran.count = ran.count + 1
        return nil, true
      end)
      return usual(options)
    end
  end
end

-- busted ends by ending the process; this way the state is closed and what is ours is removed.
local function catch_exit()
  local ended = {}
  require("busted.compatibility").exit = function(code)
    ended.code = code
    error(ended, 0)
  end
  return ended
end

-- One that ends the process would end it as if all had succeeded.
local function forbid_exit()
  os.exit = function() -- luacheck: ignore 122
    error("os.exit: a spec does not end the process", 2)
  end
end

local function run_busted(given, paths, folder)
  local config = folder .. "/busted.lua"
  files.write(config, "return {}\n")
  local words = { [0] = "apogee test", "-f", config, "--loaders=lua", "--output=apogee" }
  if given.filter then table.insert(words, "--filter=" .. given.filter) end
  for _, path in ipairs(paths) do
    table.insert(words, path:find "^%-" and "./" .. path or path) -- no option of busted
  end
  _G.arg = words
  local ran, ended = { count = 0 }, catch_exit()
  count_tests(ran, given.format)
  forbid_exit()
  table.insert(package.searchers, 3, search_beside)
  local good, why = pcall(require "busted.runner", { standalone = false })
  if not good and why ~= ended then error(why, 0) end
  if not good then return ended.code == 0 and DONE or FAILED end
  if ran.count > 0 then return DONE end
  return NOTHING, given.filter and ('no spec has "%s" in its name'):format(given.filter)
    or "the specs test nothing"
end

return function(given)
  local is_pattern, wrong = pcall(string.find, "", given.filter or "")
  if not is_pattern then return NOTHING, "--filter: " .. wrong end
  if not pcall(require, "busted") or not pcall(require, "lfs") then return NOTHING, NO_BUSTED end
  local paths, message = find(require "lfs", given.words)
  if not paths then return NOTHING, message end
  require("kit.trial").given = given
  require "kit.assertions"
  package.preload["apogee.testing"] = function() return require "kit.testing" end
  return files.with_folder(given, function(folder) return run_busted(given, paths, folder) end)
end
