-- Where the program enters Lua: one function per subcommand that knows scripts.
-- SPDX-License-Identifier: Apache-2.0
local loader = require "apogee.loader"
local options = require "apogee.options"
local params = require "apogee.params"
local policy = require "apogee.policy"
local runner = require "apogee.runner"

local M = {}

local WRONG_USAGE = 2

-- What only some subcommands need is read by them alone: a run should begin at once.
local function catalog() return require "apogee.catalog" end
local function page() return require "apogee.page" end

local function index_of(engine)
  engine.index = engine.index or loader.index(engine)
  return engine.index
end

local function find_action(engine, word)
  if loader.is_path(word) then return loader.read(engine, word) end
  local action, message, is_missing = loader.find(index_of(engine), word)
  local path = "./" .. word .. ".lua"
  if is_missing and engine.is_file(path) then
    message = ("%s; there is a file of this name here: give %s"):format(message, path)
  end
  return action, message
end

---@return table? playbook, string? message, boolean is_found its file
local function find_playbook(engine, word)
  local around = loader.is_path(word) and loader.pack_around(engine, word)
  if around then engine.index = loader.index(engine, around) end
  local path, message = loader.find_playbook(index_of(engine), word)
  if not path then return nil, message, false end
  local value, why = engine.load(path)
  if value == nil then return nil, why, true end
  local playbook, wrong = require("apogee.playbook_check").check(engine, path, value,
    index_of(engine))
  return playbook, wrong, true
end

-- Constants: nothing of what was typed is taken for a reference.
local function entries_of(defs, values)
  local entries = {}
  for _, def in ipairs(defs) do
    if values[def.id] ~= nil then table.insert(entries, { def = def, value = values[def.id] }) end
  end
  return entries
end

local TYPED = ": the secret itself was given: it showed in the process list, and the shell may "
  .. "keep it: give file:PATH, env:NAME or credential:NAME instead"

local function warn_of_secrets(engine, defs, given)
  for _, plain in ipairs(params.plain_secrets(defs, given)) do
    engine.hide(plain[2])
    engine.warn(nil, plain[1].id .. TYPED)
  end
end

-- args.given is what --param and the options of parameters give together.
local function collect(engine, defs, args)
  local given, wrong = options.take(engine, defs, args.options or {}, args.taken)
  if not given then return nil, wrong end
  local typed = { table.unpack(args.params or {}) }
  args.given = table.move(given, 1, #given, #typed + 1, typed)
  local values, message, missing = params.collect(engine, defs, args.given)
  if values then warn_of_secrets(engine, defs, args.given) end
  if values or not missing then return values, message end
  return nil, message .. ": give " .. options.written(missing, nil, args.taken)
end

local function playbook_of(action, values)
  local step = {
    name = action.id, action = action, on = action.accepts, on_error = "stop", tags = {},
    with = entries_of(action.params, values),
  }
  return { name = action.name, params = {}, groups = { { step } }, steps = { step } }
end

local command = {}

-- From here on the run is one that `apogee resume` can go on with.
local function begin(engine, name, defs, args)
  local params_kept, withheld = params.kept(defs, args.given)
  engine.begin_run { name = name, params = params_kept, withheld = withheld }
end

function command.action(engine, args)
  local action, message = find_action(engine, args.target)
  if not action then return WRONG_USAGE, message end
  local values, why = collect(engine, action.params, args)
  if not values then return WRONG_USAGE, why end
  local playbook = playbook_of(action, values)
  local how = { fail_on_risky = args.fail_on_risky, is_alone = true }
  local ok, wrong = runner.check(engine, playbook, {}, how)
  if not ok then return WRONG_USAGE, wrong end
  begin(engine, action.name, action.params, args)
  return (runner.run(engine, playbook, {}, how))
end

function command.run(engine, args)
  local playbook, message = find_playbook(engine, args.target)
  if not playbook then return WRONG_USAGE, message end
  local values, why = collect(engine, playbook.params, args)
  if not values then return WRONG_USAGE, why end
  policy.apply(engine, playbook.policy)
  local ok, wrong = runner.check(engine, playbook, values, args)
  if not ok then return WRONG_USAGE, wrong end
  begin(engine, playbook.name, playbook.params, args)
  local exit, status, case = runner.run(engine, playbook, values, args)
  engine.finish_run {
    playbook = playbook.name, params = params.shown(playbook.params, values), status = status,
    exit = exit, tags = case.tags, score = case.score,
  }
  return exit
end

-- What a word of plan and show means. What is said of a file is what is wrong with what it is.
---@return table? action, table? playbook, string? message
local function find_either(engine, word)
  local action, message, kind = find_action(engine, word)
  if action or kind == "action" then return action, nil, message end
  local playbook, why, is_found = find_playbook(engine, word)
  return nil, playbook, is_found and why or message
end

-- What is planned: an action, as a playbook of one step, or a playbook.
local function find_planned(engine, args)
  local action, playbook, message = find_either(engine, args.target)
  if not (action or playbook) then return nil, message end
  local values, wrong = collect(engine, (action or playbook).params, args)
  if not values then return nil, wrong end
  if action then return playbook_of(action, values), {} end
  policy.apply(engine, playbook.policy)
  return playbook, values
end

function command.plan(engine, args)
  local playbook, values = find_planned(engine, args)
  if not playbook then return WRONG_USAGE, values end
  local made, message = require("apogee.plan").make(engine, playbook, values, args)
  if not made then return WRONG_USAGE, message end
  local plan_view = require "apogee.plan_view"
  engine.print(args.as_json and plan_view.json(made) or plan_view.text(made), args.as_json)
  return 0
end

function command.list(engine, args)
  local made = catalog().make(engine, index_of(engine))
  engine.print(args.as_json and catalog().json(made) or catalog().text(made), args.as_json)
  return 0
end

function command.show(engine, args)
  local action, playbook, message = find_either(engine, args.target)
  if not (action or playbook) then return WRONG_USAGE, message end
  engine.print(action and page().action(action, args.target, args.taken)
    or page().playbook(playbook, args.target, args.taken))
  return 0
end

-- For the completion of a shell: a line each, what it is and the word. Of a target, the options of
-- its parameters.
function command.complete(engine, args)
  if not args.target then
    engine.print(catalog().names(index_of(engine)))
    return 0
  end
  local found = find_action(engine, args.target) or find_playbook(engine, args.target)
  for _, def in ipairs(found and found.params or {}) do
    local name = options.name_of(def, args.taken)
    if name then engine.print("option --" .. name .. "\n") end
  end
  return 0
end

function command.check(engine, args)
  return require("apogee.check").files(engine, args.targets) and 0 or WRONG_USAGE
end

--- Runs a subcommand. Called as a task: it may wait.
---@param engine table
---@param args table { command, target, targets, params, only, skip, fail_on_risky }
---@return integer exit, string? message for standard error
function M.run(engine, args)
  return command[args.command](engine, args)
end

return M
