-- Drives scripts that mean harm through the real program. Many run in one process, each on an
-- entity of its own, before a step of a packaged action that must not notice; a process that is
-- ended by a limit is resumed. What each process took is measured.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local luassert = require "luassert"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local M = {}

local CLEAN = "44d88612fea8a8f36de82e1278abb02f"

-- Sanitizers keep what was freed and are slow; they find escapes of another kind.
local IS_SANITIZED = program.BUILD:find "asan" ~= nil
local MAX_KIB = IS_SANITIZED and 1024 * 1024 or 96 * 1024
local MAX_CPU_S = IS_SANITIZED and 10 or 1

M.LIMITS = { instructions = 1000000, memory = "64MiB", hang = IS_SANITIZED and "6s" or "1s" }

-- The entity of an attack: a hash that nobody has.
local function hash_of(index) return ("%032x"):format(index) end

local ACTION = [[
local shared, text_of = {}, tostring
local attacks = {}
%s
return require "apogee.action" {
  id = "attack", name = "Attack", provider = "Attack", doc = "Means harm.",
  accepts = { "filehash" }, needs = { %s }, returns = "is_success",
  params = { { "text", type = "string", default = "x" } },
  run = function(ctx, entity)
    local breach = attacks[entity.identifier](ctx, entity)
    if breach then return ctx.failed("BREACH: " .. text_of(breach)) end
    return ctx.skipped("it held")
  end,
}
]]

local PLAYBOOK = ([[
local function is_clean(entity) return entity.identifier == "%s" end
return require "apogee.playbook" {
  name = "P",
  steps = {
    { "attack", action = "attack", on_error = "continue",
      on = function(case) return case:where(function(e) return not is_clean(e) end) end },
    { "clean", action = "scan_hash", with = { threshold = 3 },
      on = function(case) return case:where(is_clean) end },
  },
}
]]):format(CLEAN)

local function action_text(attacks, needs)
  local parts = {}
  for index, attack in ipairs(attacks) do
    table.insert(parts, ('attacks["%s"] = function(ctx, entity, ...)\n%s\nend\n')
      :format(hash_of(index), attack[2]))
  end
  return ACTION:format(table.concat(parts), needs or "")
end

local function settings(given)
  return { limits = given.limits or M.LIMITS, actions_path = { "actions" } }
end

--- Runs the program under bench_measure. The document goes to a file.
---@return table ran { exit, cpu_s, peak_kib, err, document }
function M.measured(w, args)
  local path = w:path "document.json"
  os.remove(path)
  local words = { table.unpack(args) }
  for _, word in ipairs { "--format", "json", "--output", path } do table.insert(words, word) end
  local ran = program.run(words, nil, w:environment(), { program.BUILD .. "/tests/bench_measure" })
  local used = cjson.decode(ran.out)
  local text = program.read(path)
  return {
    exit = used.exit, cpu_s = used.user_s + used.system_s, peak_kib = used.peak_kib,
    err = ran.err, document = text and cjson.decode(text),
  }
end

-- What a step said, without what differs from run to run.
local function words_of(document, name)
  for _, step in ipairs(document and document.steps or {}) do
    if step.step == name or step.action == name then
      return {
        step.status, step.message, step.result, step.json_result, step.entities, step.tables,
      }
    end
  end
end

local function check_cost(ran, count)
  assert(ran.peak_kib <= MAX_KIB, ("%d MiB were used"):format(ran.peak_kib // 1024))
  assert(ran.cpu_s <= MAX_CPU_S * count, ("%.1f s for %d attacks"):format(ran.cpu_s, count))
end

local function entity_args(count)
  local args = { "--entity", CLEAN }
  for index = 1, count do
    table.insert(args, "--entity")
    table.insert(args, hash_of(index))
  end
  return args
end

local function words(...)
  local result = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #result + 1, result) end
  return result
end

--- A workspace with the attacks as an action, and what the clean step says without them.
---@param attacks table[] { name, body of a function(ctx, entity) that returns what it broke }
---@param given table { needs = text, limits }
---@param use fun(w: table, run: fun(): table, clean: table, check_clean: fun(document: table))
local function prepare(attacks, given, use)
  workspace.simulated({ settings = settings(given) }, function(w)
    assert(os.execute("mkdir " .. program.quote(w:path "actions")))
    w:write("actions/attack.lua", action_text(attacks, given.needs))
    local playbook = w:write("p.lua", PLAYBOOK)
    local clean_args = { "run", playbook, "--skip", "attack", "--entity", CLEAN }
    local before = M.measured(w, clean_args)
    local expected = assert(words_of(before.document, "scan_hash"), before.err)
    w:forget()
    use(w, words({ "run", playbook }, entity_args(#attacks)), function(document)
      luassert.same(expected, words_of(document, "scan_hash"))
    end)
    w:forget()
    luassert.same(expected, words_of(M.measured(w, clean_args).document, "scan_hash"))
  end)
end

local function check_one(attack, entity)
  local said = ("%s: %s: %s"):format(attack[1], tostring(entity.outcome), tostring(entity.reason))
  if attack.raises then
    assert(entity.outcome == "failed" and entity.reason:find(attack.raises), said)
  else
    assert(entity.outcome == "skipped" and entity.reason == "it held", said)
  end
end

--- Runs all attacks in one process: none gets anywhere, and the process ends by itself.
function M.drive(attacks, given)
  prepare(attacks, given or {}, function(w, args, check_clean)
    local ran = M.measured(w, args)
    assert(ran.document, ("no document (exit %d): %s"):format(ran.exit, ran.err))
    check_cost(ran, #attacks)
    local entities = {}
    for _, step in ipairs(ran.document.steps) do
      for _, entity in ipairs(step.action == "attack" and step.entities or {}) do
        entities[entity.identifier] = entity
      end
    end
    for index, attack in ipairs(attacks) do check_one(attack, entities[hash_of(index)]) end
    check_clean(ran.document)
  end)
end

local function drive_fatal(w, attack, check_clean)
  w:forget()
  w:write("actions/attack.lua", action_text { attack })
  local ran = M.measured(w, words({ "run", w:path "p.lua" }, entity_args(1)))
  assert(ran.exit == 6, ("%s: exit %d: %s"):format(attack[1], ran.exit, ran.err))
  assert(ran.err:find(attack.says), ran.err)
  assert(ran.err:find("attack on " .. hash_of(1), 1, true), ran.err)
  check_cost(ran, 2)
  local resumed = M.measured(w, { "resume" })
  assert(resumed.document, ("exit %d: %s"):format(resumed.exit, resumed.err))
  check_clean(resumed.document)
end

--- Runs attacks that each end the process with exit 6 and a sentence; `resume` goes on without the
--- entity.
---@param attacks table[] as of M.drive, and `says` = pattern of the sentence
---@param hang string? limits.hang; where memory is to run out, time must not before it
function M.fatal(attacks, hang)
  local limits = {
    instructions = 100000000, memory = M.LIMITS.memory, hang = hang or M.LIMITS.hang,
  }
  prepare({}, { limits = limits }, function(w, _, check_clean)
    for _, attack in ipairs(attacks) do drive_fatal(w, attack, check_clean) end
  end)
end

--- Reads script files that mean harm with `apogee check`, all in one process.
---@param files table[] { name, text, says = pattern of what is said of it; nil: it is fine }
function M.check(files)
  workspace.simulated({ settings = settings {} }, function(w)
    local args = { "check" }
    for index, file in ipairs(files) do
      table.insert(args, w:write(("f%d.lua"):format(index), file[2]))
    end
    local ran = program.run(args, nil, w:environment())
    assert(ran.exit == 2, ("exit %d: %s"):format(ran.exit, ran.err))
    for index, file in ipairs(files) do
      local said = ran.out:match(("f%d%%.lua[^\n]*"):format(index)) or ran.out
      assert(said:find(file.says), ("%s: %s"):format(file[1], said))
    end
  end)
end

return M
