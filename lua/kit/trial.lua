-- One run of an action or a playbook for a test, in a process of its own.
-- SPDX-License-Identifier: Apache-2.0
local cassette = require "kit.cassette"
local dkjson = require "dkjson"
local files = require "kit.files"
local moment = require "kit.moment"
local write = require "kit.write"

-- `given` is what `apogee test` was given: { engine, run, record }.
local M = {}

local CLOCK = "2026-01-15T12:00:00Z"
local SPEED = 1000
local LIMIT_S = 120

local OPTIONS = {
  "actions", "args", "clock", "config", "entities", "exit", "http", "limit", "params", "scenario",
  "secrets", "speed",
}

local TIER = { per_minute = 0, per_day = 0, per_month = 0, list = 25, premium = true }

--- The folder of the spec that is running; nil: none is.
---@return string?
function M.folder()
  for level = 2, 100 do
    local info = debug.getinfo(level, "S")
    if not info then break end
    local spec = info.source:match "^@(.*_spec%.lua)$"
    if spec then return files.folder_of(spec) end
  end
end

--- A path as the folder of the spec that is running sees it.
---@param path string
---@return string
function M.path(path) return files.join(M.folder() or ".", path) end

local function check_options(options)
  local known = {}
  for _, name in ipairs(OPTIONS) do known[name] = true end
  for name in pairs(options) do
    if not known[name] then
      error(('apogee.testing: unknown option "%s"; there are %s'):format(tostring(name),
        table.concat(OPTIONS, ", ")), 0)
    end
  end
end

-- ---- what the run is given ----

--- Names and values: a list of names has values of ours.
local function secrets_of(options)
  local values = {}
  for key, value in pairs(options.secrets or {}) do
    if math.type(key) == "integer" then
      values[value] = "made-up-" .. value
    else
      values[key] = value
    end
  end
  return values
end

local function write_config(folder, options, actions)
  local config = {}
  for key, value in pairs(options.config or {}) do config[key] = value end
  config.virustotal = { tier = TIER, retry_delay = "1s", poll_interval = "1s" }
  for key, value in pairs((options.config or {}).virustotal or {}) do
    config.virustotal[key] = value
  end
  config.actions_path = config.actions_path or actions
  config.secrets = {}
  for name, value in pairs(secrets_of(options)) do
    files.write(folder .. "/secret-" .. name, value)
    config.secrets[name] = "file:" .. folder .. "/secret-" .. name
  end
  files.write(folder .. "/config.lua", write.file(config))
end

local function write_scenario(folder, options, is_recording)
  local scenario = {}
  for key, value in pairs(options.scenario or {}) do scenario[key] = value end
  if not is_recording then
    scenario.http = cassette.is(options.http) and options.http:rows() or options.http or {}
  end
  files.write(folder .. "/scenario.lua", write.file(scenario))
end

local function add_entities(words, folder, entities)
  local tables = {}
  for _, entity in ipairs(entities or {}) do
    if type(entity) == "table" then
      table.insert(tables, entity)
    else
      table.insert(words, "--entity")
      table.insert(words, entity)
    end
  end
  if #tables == 0 then return end
  files.write(folder .. "/entities.json", dkjson.encode(tables))
  table.insert(words, "--entities")
  table.insert(words, folder .. "/entities.json")
end

-- The items of a list as an option takes them.
local function joined(list)
  local items = {}
  for _, item in ipairs(list) do table.insert(items, (tostring(item):gsub(",", "\\,"))) end
  return table.concat(items, ",")
end

local function add_params(words, params)
  local names = {}
  for name in pairs(params or {}) do table.insert(names, name) end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = params[name]
    if type(value) == "table" then value = joined(value) end
    table.insert(words, "--param")
    table.insert(words, name .. "=" .. tostring(value))
  end
end

local function words_of(command, target, folder, options)
  local words = {
    M.given.engine, command, target, "--simulate", "--scenario", folder .. "/scenario.lua",
    "--request-log", folder .. "/requests", "--format", "json",
  }
  add_entities(words, folder, options.entities)
  add_params(words, options.params)
  for _, word in ipairs(options.args or {}) do table.insert(words, word) end
  return words
end

-- Nothing of the user's reaches a test: the same everywhere.
local function environment(folder, options)
  local env = {
    "HOME=" .. folder, "TMPDIR=" .. folder, "APOGEE_CONFIG=" .. folder .. "/config.lua",
    "APOGEE_STATE_DIR=" .. folder .. "/state",
    ("APOGEE_CLOCK=%s+%d"):format(options.speed or SPEED, moment.seconds(options.clock or CLOCK)),
  }
  for _, name in ipairs { "PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" } do
    local value = os.getenv(name)
    if value then table.insert(env, name .. "=" .. value) end
  end
  return env
end

-- ---- what came of it ----

local function read_requests(path)
  local services, simulator = {}, {}
  for line in (files.read(path) or ""):gmatch "[^\n]+" do
    local request = assert(dkjson.decode(line))
    table.insert(request.service and services or simulator, request)
  end
  return services, simulator
end

local function by_identifier(document)
  local entities = {}
  for _, entity in ipairs(document.entities or {}) do entities[entity.identifier] = entity end
  return entities
end

local function by_name(document)
  local steps = {}
  for _, step in ipairs(document.steps or {}) do steps[step.step] = step end
  return steps
end

local function said(run) return run.err ~= "" and "\n" .. run.err or "" end

local function check_end(run, options)
  if run.late then error("the run did not end in time" .. said(run), 0) end
  if run.signal then error("the run was ended by signal " .. run.signal .. said(run), 0) end
  if options.exit and run.exit ~= options.exit then
    error(("the run ended with %d, not with %d"):format(run.exit, options.exit) .. said(run), 0)
  end
  if not run.document and not options.exit then
    error(("the run gave no result (exit %d)"):format(run.exit) .. said(run), 0)
  end
  for _, request in ipairs(run.requests) do
    if request.unanswered then error(request.unanswered, 0) end
  end
end

local function execute(command, target, options, folder)
  local is_recording = M.given.record and cassette.is(options.http)
  local words = words_of(command, target, folder, options)
  local env
  if is_recording then
    for _, word in ipairs { "--ask-services", "--no-state", "--tier", "premium" } do
      table.insert(words, word)
    end
    for _, path in ipairs(options.actions) do
      table.insert(words, "--actions-path")
      table.insert(words, path)
    end
  else
    env = environment(folder, options)
    write_config(folder, options, options.actions)
  end
  write_scenario(folder, options, is_recording)
  local run, why = M.given.run(words, env, nil, options.limit or LIMIT_S)
  if not run then error(why, 0) end
  run.document = dkjson.decode(run.out)
  run.entities = by_identifier(run.document or {})
  run.steps = by_name(run.document or {})
  run.requests, run.vt = read_requests(folder .. "/requests")
  check_end(run, options)
  if is_recording then options.http:record(run.requests) end
  return run
end

--- Runs it. Raises where there is no result that could be looked at.
---@param command string "action" or "run"
---@param word string
---@param options table see kit/testing.lua
---@return table run
function M.run(command, word, options)
  check_options(options)
  local is_path = word:find "/" or word:find "%.lua$"
  local target = is_path and M.path(word) or word
  if is_path and not target:find "/" then target = "./" .. target end
  local copy = {}
  for key, value in pairs(options) do copy[key] = value end
  copy.actions = {}
  for _, path in ipairs(options.actions or { "." }) do
    table.insert(copy.actions, files.absolute(M.path(path)))
  end
  return files.with_folder(M.given, function(folder)
    return execute(command, target, copy, folder)
  end)
end

return M
