-- An `engine` in memory: files, a case, a record and a state, without tasks that wait.
-- SPDX-License-Identifier: Apache-2.0
local entity_of = require "spec.support.entity"
local scripts = require "spec.support.scripts"

local M = {}

local TYPES = { "filehash", "ip_address", "url", "hostname", "user", "file" }
local ALIASES = { hash = "filehash", address = "ip_address", domain = "hostname" }
local OUTCOMES = {
  "reported", "scanned", "pending", "not_found", "limited", "forbidden", "denied", "failed",
  "skipped", "not_asked",
}

-- Letters that differ, in place: enough to find a word with one wrong letter or one left out.
local function distance(a, b)
  a, b = a:lower(), b:lower()
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:sub(i, i) == b:sub(j, j) and 0 or 1
      corner, row[j] = row[j], math.min(corner + cost, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#b]
end

local function nearest(word, names)
  local best, least
  for _, name in ipairs(names) do
    local d = distance(word, name)
    if d * 3 <= math.max(#word, #name) and (not least or d < least) then best, least = name, d end
  end
  return best
end

-- ---- sets ----

local Set = {}
Set.__index = Set
Set.__len = function(set) return #rawget(set, "members") end

local function new_set(members) return setmetatable({ members = members }, Set) end

local function checked(set)
  if getmetatable(set) ~= Set then error("bad argument #1 (set expected)", 3) end
  return set
end

local function filtered(set, keep)
  local members = {}
  for _, entity in ipairs(set.members) do
    if keep(entity) then table.insert(members, entity) end
  end
  return new_set(members)
end

function Set.of(set, ...)
  local is_wanted = {}
  for _, name in ipairs { ... } do is_wanted[name] = true end
  return filtered(checked(set), function(entity) return is_wanted[entity.type] end)
end

function Set.external(set)
  return filtered(checked(set), function(entity) return not entity.internal end)
end

function Set.suspicious(set)
  return filtered(checked(set), function(entity) return entity.suspicious end)
end

function Set.where(set, fn) return filtered(checked(set), fn) end

function Set.union(set, other)
  local is_member, members = {}, {}
  for _, source in ipairs { checked(set), checked(other) } do
    for _, entity in ipairs(source.members) do
      if not is_member[entity] then table.insert(members, entity) end
      is_member[entity] = true
    end
  end
  return new_set(members)
end

function Set.list(set, max)
  return { table.unpack(checked(set).members, 1, math.min(max or #set.members, #set.members)) }
end

-- ---- the engine ----

local function read_file(engine, path) return engine.files[path] end

local function packaged(engine, folder)
  local files = {}
  for path in pairs(engine.files) do
    if path:sub(1, #folder) == folder then
      table.insert(files, { path = path, origin = "packaged" })
    end
  end
  table.sort(files, function(a, b) return a.path < b.path end)
  return files
end

local function add_files(engine)
  function engine.load(path)
    local source = read_file(engine, path)
    if not source then return nil, path .. ": no such file" end
    return scripts.run(source, path)
  end
  function engine.action_files()
    local files = packaged(engine, "/actions/")
    for _, file in ipairs(packaged(engine, "/packs/")) do
      file.is_pack = file.path:find "/pack%.lua$" ~= nil
      if file.is_pack then table.insert(files, file) end
    end
    return files
  end
  function engine.playbook_files() return packaged(engine, "/playbooks/") end
  function engine.is_file(path) return read_file(engine, path) ~= nil end
  function engine.goes_with(path)
    if (engine.strange or {})[path] then return nil, "it belongs to another user" end
    return true
  end
  function engine.read_manifest_line(path, wanted)
    local number = 0
    for line in ((read_file(engine, path) or "") .. "\n"):gmatch "(.-)\n" do
      number = number + 1
      if line:find(wanted, 1, true) then return number end
    end
  end
  function engine.source(path) return read_file(engine, path) end
  function engine.web_host(text)
    if text:find "^[%w.-]+:?%d*$" then return true end
    return nil, '"' .. text .. '" is no host'
  end
  function engine.grant(env, names, terms)
    for _, name in ipairs(names) do
      if name == engine.lacking then return nil, name .. " is not there" end
      if name == "http" then engine.terms = terms end
      rawset(env, name, engine[name == "files" and "files_module" or name] or {})
    end
    return true
  end
end

local function add_words(engine)
  engine.types = TYPES
  engine.version = "0.5.1"
  engine.capabilities = { "vt", "sftp", "files", "http" }
  engine.nearest = nearest
  function engine.type_of(text)
    local word = text:lower():gsub(" ", "_")
    for _, name in ipairs(TYPES) do
      if name == word then return name end
    end
    return ALIASES[word]
  end
  function engine.secret(_, value) return value end
  function engine.secrets(names)
    for _, name in ipairs(names) do
      if not engine.known_secrets[name] then return nil, "the configuration has no " .. name end
    end
    return true
  end
  function engine.hide(text) table.insert(engine.hidden, text) end
  function engine.private_file(path)
    if engine.files[path] then return true end
    return nil, "the key file " .. path .. " cannot be read"
  end
  function engine.print(text) table.insert(engine.printed, text) end
end

local RULES = {
  { name = "lookup", is_list = false }, { name = "submit", is_list = false },
  { name = "upload", is_list = false }, { name = "private_urls", is_list = false },
  { name = "internal_domains", is_list = true }, { name = "never_send.domains", is_list = true },
  { name = "never_send.networks", is_list = true }, { name = "never_send.paths", is_list = true },
}

-- Every text is a value but for "wrong".
local function add_policy(engine)
  function engine.rules() return RULES end
  function engine.tighten(rule, value, is_dry)
    if value == "wrong" then return nil, "must be right" end
    if not is_dry then table.insert(engine.tightened, { rule, value }) end
    return true
  end
  function engine.denies() return nil end
end

local function add_tasks(engine)
  function engine.call(fn, ...) return pcall(fn, ...) end
  function engine.call_granted(_, fn, ...) return engine.call(fn, ...) end
  function engine.all(functions)
    local results = {}
    for index, fn in ipairs(functions) do results[index] = { pcall(fn) } end
    return results
  end
  function engine.state() return engine.run_state end
end

local function put(step, entity, outcome)
  step.outcomes[entity] = outcome
  local found = entity.found
  if found and found.risky and outcome.report then step.risky[entity] = true end
end

local function run_task(run, ctx, entity)
  local ok, outcome = pcall(run, ctx, entity)
  if not ok then return { outcome = "failed", reason = outcome } end
  return outcome or { outcome = "failed", reason = "no outcome" }
end

local function count(step)
  local counts = { of = 0, done = 0, risky = 0, partial = 0 }
  for _, name in ipairs(OUTCOMES) do counts[name] = 0 end
  for _, entity in ipairs(step.set and step.set.members or {}) do
    local outcome = step.outcomes[entity] or { outcome = "not_asked" }
    counts.of = counts.of + 1
    counts.done = counts.done + (step.outcomes[entity] and 1 or 0)
    counts[outcome.outcome] = counts[outcome.outcome] + 1
    if outcome.outcome == "reported" and outcome.reason then counts.partial = counts.partial + 1 end
    if step.risky[entity] then counts.risky = counts.risky + 1 end
  end
  return counts
end

local function add_record(engine)
  local steps = engine.steps
  function engine.set_of(types)
    local all = new_set(engine.entities)
    if not types then return all end
    return all:of(table.unpack(types))
  end
  function engine.step(info)
    table.insert(steps, { info = info, outcomes = {}, risky = {}, warnings = {} })
    return #steps
  end
  function engine.select(step, set)
    steps[step].set = checked(set)
    return #set
  end
  function engine.run_entities(step, _, run, ctx)
    for _, entity in ipairs(steps[step].set.members) do
      put(steps[step], entity, run_task(run, ctx, entity))
    end
    return true
  end
  function engine.run_case(_, _, run_case, ctx, case)
    local ok, outcome = pcall(run_case, ctx, case)
    if not ok then return nil, outcome end
    return outcome
  end
  function engine.items(_, names)
    local items = {}
    for _, name in ipairs(names) do
      table.insert(items, entity_of { identifier = name, type = "file" })
    end
    return new_set(items)
  end
  function engine.counts(step) return count(steps[step]) end
  function engine.examples(step, outcome, max)
    local examples = {}
    for _, entity in ipairs(steps[step].set.members) do
      local ended = steps[step].outcomes[entity] or { outcome = "not_asked" }
      local is_wanted = ended.outcome == outcome
        or outcome == "risky" and steps[step].risky[entity]
      if is_wanted and #examples < max then
        local reason = outcome ~= "risky" and ended.reason or nil
        table.insert(examples, { identifier = entity.identifier, reason = reason })
      end
    end
    return examples
  end
  function engine.step_set(step) return steps[step].set or new_set {} end
  function engine.end_step(step, ended)
    assert(not steps[step].ended, "a step ends once")
    assert(ended.status and type(ended.result) == "boolean" and ended.message)
    steps[step].ended = ended
  end
  function engine.warn(step, text)
    table.insert(step and steps[step].warnings or engine.warnings, text)
  end
  function engine.say(level, text) table.insert(engine.said, { level, text }) end
  function engine.begin_run(given) engine.begun = given end
  function engine.finish_run(run) engine.finished = run end
  function engine.insight(insight) table.insert(engine.insights, insight) end
end

--- @param given table? { files = { path = source }, entities = { fields... }, state, vt }
--- @return table engine with steps, printed, insights, warnings and finished to look at
function M.new(given)
  given = given or {}
  local engine = {
    files = given.files or {}, entities = {}, run_state = given.state or {}, vt = given.vt,
    files_module = given.files_module, sftp = given.sftp,
    steps = {}, printed = {}, insights = {}, warnings = {},
    said = {}, hidden = {}, tightened = {},
    known_secrets = given.secrets or {},
    lacking = given.lacking,
  }
  for _, fields in ipairs(given.entities or {}) do
    table.insert(engine.entities, entity_of(fields))
  end
  add_files(engine)
  add_words(engine)
  add_tasks(engine)
  add_policy(engine)
  add_record(engine)
  return engine
end

--- The step of a name as the record has it.
function M.step(engine, name)
  for _, step in ipairs(engine.steps) do
    if step.info.name == name then return step end
  end
  error("no step " .. name)
end

return M
