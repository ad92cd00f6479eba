-- Runs of every action in which an allocation fails, each judged: no crash, no leak, no hang, an
-- exit code that is documented, and a run that can be gone on with to the document that it would
-- have had. lua5.4 run.lua COUNT SEED PART PARTS: one of several processes that share the work.
--
-- The failing allocation is of our own C code, Lua, lua-cjson, libcurl, libssh2 or SQLite; three
-- times in four only that one fails, else all of its kind from there on (tests/torture/fail.c).
-- SPDX-License-Identifier: Apache-2.0
package.path = "lua/?.lua;tests/?.lua;" .. package.path
local cjson = require "cjson"
local PLAYBOOK = require "e2e.support.every_action"
local kept = require "e2e.support.kept"
local program = require "e2e.support.program"
local sshd = require "e2e.support.sshd"
local workspace = require "e2e.support.workspace"

local COUNT, SEED, PART, PARTS = math.tointeger(arg[1]), math.tointeger(arg[2]),
  math.tointeger(arg[3]), math.tointeger(arg[4])
local ENGINE = program.BUILD .. "/libexec/apogee-torture"

-- As in fail.c, and how often of a hundred each is tried.
local KINDS = {
  { "own", 40 }, { "lua", 8 }, { "cjson", 6 }, { "curl", 12 }, { "ssh", 14 }, { "sqlite", 20 },
}

local ENTITIES = [[
44d88612fea8a8f36de82e1278abb02f
22596363b3de40b06f981fb85d82312e8c0ed511
http://site6.example.com/
198.51.100.23
www.example.org
no indicator
]]

local GIVEN = {
  scenario = "return { scan_ms = 60 }",
  settings = { virustotal = {
    poll_interval = "50ms", retry_delay = "20ms",
    tier = { per_minute = 0, per_day = 0, per_month = 0, list = 2, premium = true },
  } },
}

local DOCUMENTED = { 0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12 }
for _, code in ipairs(DOCUMENTED) do DOCUMENTED[code] = true end

-- What an entity may say in the end that would have ended otherwise: its script was running when
-- memory was out, nobody can know whether its submission arrived, or the first run said that it
-- went without a new scan.
local EXCUSES = {
  "the process ended at a limit", "the answer to that was lost", "not rescanned (",
}

-- Comments are left out with a warning whatever refuses them.
local WITHOUT_COMMENTS = "no comments are shown from here on: out of memory"

-- ---- what is run ----

local SCENARIOS = {
  { name = "run", share = 60, arguments = function(w)
    return { "run", w:write("p.lua", PLAYBOOK), "-p", "files=" .. w:write("one.bin", "all of one"),
      "--entities", w:write("list.txt", ENTITIES), "--format", "json" }
  end },
  { name = "sftp", share = 30, needs_server = true, arguments = function(w, server)
    return { "action", "upload_and_scan_file", "--format", "json",
      "-p", "file_paths=" .. server:path "a.bin", "-p", "linux_server_address=" .. server.address,
      "-p", "linux_user=" .. server.user, "-p", "ssh_key=" .. server:path "user_ed25519",
      "-p", "ssh_known_hosts=" .. w:write("known_hosts", server.known) }
  end },
  { name = "ping", share = 4, arguments = function() return { "ping", "--format", "json" } end },
  { name = "simulate", share = 6, is_forgotten = true, arguments = function(w)
    return { "run", w:write("p.lua", PLAYBOOK), "-p", "files=" .. w:write("one.bin", "all of one"),
      "--entities", w:write("list.txt", ENTITIES), "--format", "json", "--simulate", "--no-state" }
  end },
}

-- ---- running ----

local function tally(w)
  local text = program.read(w:path "tally") or ""
  local counts = {}
  for index, kind in ipairs(KINDS) do
    counts[kind[1]] = #text >= 8 * index and string.unpack("<I8", text, 8 * index - 7) or 0
  end
  local failed, caller = 0, 0
  if #text >= 64 then failed, caller = string.unpack("<I8I8", text, 49) end
  return counts, failed, caller
end

-- What it printed as a document, with the folder of the test under one name; nil: it is none.
local function document_of(w, ran)
  local text = ran.out:gsub(w.folder:gsub("%p", "%%%0"), "FOLDER")
  local good, document = pcall(cjson.decode, text)
  return good and document or nil
end

local function run(w, args, torture)
  local env = w:environment()
  env.APOGEE_CLOCK = "20"
  if not torture then return program.run(args, nil, env) end
  env.APOGEE_TORTURE, env.TORTURE = w:path "tally" .. torture, ENGINE
  -- libssh2 forgets OpenSSL's objects when it has no memory while keys are exchanged. What it has
  -- from us, and so a session that we forget, still counts.
  local forgiven = torture:find "ssh" and ":suppressions=tests/torture/openssl.supp" or ""
  return program.run(args, nil, env,
    { "sh", "-c", ('LSAN_OPTIONS="$LSAN_OPTIONS%s" exec "$TORTURE" "$@"'):format(forgiven) })
end

-- ---- judging ----

local function is_excused(entity)
  for _, excuse in ipairs(EXCUSES) do
    if tostring(entity.reason):find(excuse, 1, true) then return true end
  end
  return false
end

local function entities_of(document, excused)
  local found = {}
  for _, step in ipairs(document.steps or { document }) do
    for _, entity in ipairs(step.entities or {}) do
      local name = tostring(step.step) .. " " .. entity.identifier
      if is_excused(entity) then excused[name] = true end
      found[name] = entity
    end
  end
  return found
end

-- Without what may differ where a run was gone on with: a warning that was once said stays, and a
-- scan that had finished before is a report that there is.
local function without_history(value, without_tables)
  if type(value) ~= "table" or value == cjson.null then return value end
  local copy = {}
  for key, member in pairs(value) do
    if member == "scanned" then
      copy[key] = "reported"
    elseif key ~= "warnings" and key ~= "message" and not (without_tables and key == "tables") then
      copy[key] = without_history(member, without_tables)
    end
  end
  return copy
end

-- Nil when a document that was gone on with is what was expected, but for entities with an excuse.
---@param ran table the run before; what it found before it ended is not asked for comments again
local function difference(expected, document, ran)
  if type(document) ~= "table" then return "it is no document" end
  local lacks = ran.exit ~= 6 or ran.err:find(WITHOUT_COMMENTS, 1, true)
  expected, document = without_history(expected, lacks), without_history(document, lacks)
  local excused = {}
  local found, wanted = entities_of(document, excused), entities_of(expected, {})
  if not next(excused) then return kept.difference(expected, document) end
  for name in pairs(excused) do
    if not wanted[name] then return name .. ": nobody asked for it" end
    found[name], wanted[name] = nil, nil
  end
  return kept.difference(wanted, found)
end

-- Nil when a run that says that all was done has done it.
local function shortfall(expected, w, ran)
  local document = document_of(w, ran)
  if not document then return "it is no document" end
  local where = kept.difference(expected, document)
  local lacks_comments = where and ran.err:find(WITHOUT_COMMENTS, 1, true)
    and (where:find("%.tables%.") or where:find("%.warnings%."))
  return not lacks_comments and where or nil
end

-- Nil, or what is wrong with how a run ended and goes on.
local function judge(w, scenario, args, expected, ran)
  if not DOCUMENTED[ran.exit] then return "exit " .. ran.exit end
  if ran.exit == 0 then
    local where = shortfall(expected, w, ran)
    return where and "it says that all was done: " .. where
  end
  if ran.err == "" and ran.out == "" then return ("exit %d without a word"):format(ran.exit) end
  if scenario.is_forgotten or scenario.name == "ping" then return nil end
  local again = run(w, { "resume", "--format", "json" })
  if again.exit == 2 and again.err:find("no run is kept", 1, true) then again = run(w, args) end
  local where = difference(expected, document_of(w, again), ran)
  return where and ("gone on with (exit %d, %s): %s"):format(again.exit, again.err, where)
end

-- ---- trials ----

local function with_scenario(scenario, server, use)
  workspace.simulated(GIVEN, function(w) use(w, scenario.arguments(w, server)) end)
end

-- What is counted and printed when nothing fails.
local function undisturbed(scenario, server)
  local counts, document
  with_scenario(scenario, server, function(w, args)
    local ran = run(w, args, "")
    assert(ran.exit == 0, ran.err)
    counts, document = tally(w), document_of(w, ran)
  end)
  return counts, document
end

-- The item at a place of the line on which each has its share.
local function at_place(place, list, share_of)
  local sum = 0
  for _, item in ipairs(list) do sum = sum + share_of(item) end
  local left = place * sum
  for _, item in ipairs(list) do
    left = left - share_of(item)
    if left < 0 then return item end
  end
end

local function place_of(caller)
  local command = "addr2line -e %s -fsp 0x%x 2>/dev/null"
  local pipe = assert(io.popen(command:format(ENGINE, caller - 1)))
  local text = pipe:read "l"
  pipe:close()
  return text
end

--- One trial; nil when it went well, else what to say.
local function try(scenario, server, known, trial)
  local at = math.max(1, math.ceil(known.counts[trial.kind] * trial.fraction))
  local torture = (":%s:%d%s"):format(trial.kind, at, trial.goes_on and "+" or "")
  local problem
  with_scenario(scenario, server, function(w, args)
    local good, ran = pcall(run, w, args, torture)
    local why = not good and ran or judge(w, scenario, args, known.document, ran)
    if not why then return end
    local _, failed, caller = tally(w)
    problem = ("%s%s: %s\n  %d failed, the first in %s\n  %s"):format(scenario.name, torture, why,
      failed, failed > 0 and place_of(caller) or "none",
      good and ran.err:sub(1, 6000):gsub("\n", "\n  ") or "")
  end)
  return problem
end

-- The same list in every part: drawn before anything runs.
local function draw()
  math.randomseed(SEED)
  local trials = {}
  for i = 1, COUNT do
    trials[i] = {
      scenario = at_place(math.random(), SCENARIOS, function(scenario) return scenario.share end),
      place = math.random(), fraction = math.random(), goes_on = i % 4 == 0,
    }
  end
  return trials
end

local function run_part(server)
  local passed, failed, known = 0, 0, {}
  for i, trial in ipairs(draw()) do
    if i % PARTS == PART then
      local scenario = trial.scenario
      if not known[scenario] then
        local counts, document = undisturbed(scenario, server)
        known[scenario] = { counts = counts, document = document }
      end
      trial.kind = at_place(trial.place, KINDS, function(kind)
        return known[scenario].counts[kind[1]] > 0 and kind[2] or 0
      end)[1]
      local good, problem = pcall(try, scenario, server, known[scenario], trial)
      if good and not problem then passed = passed + 1 else failed = failed + 1 end
      if problem then print(("trial %d: %s"):format(i, tostring(problem))) end
    end
  end
  return passed, failed
end

sshd.with(function(server)
  server:write("a.bin", "bytes of a")
  server:know "host_ed25519"
  server.known = program.read(server:path "known_hosts")
  local passed, failed = run_part(server)
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0)
end)
