-- kill -9 before and after every durable step, and at random ones: a run that is gone on with ends
-- as if nothing had happened, asks for nothing it had found, and submits nothing twice.
-- APOGEE_CRASHES is how many random places are tried (default 40), APOGEE_CRASH_SEED which ones.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local PLAYBOOK = require "e2e.support.every_action"
local kept = require "e2e.support.kept"
local workspace = require "e2e.support.workspace"

local CRASHES = tonumber(os.getenv "APOGEE_CRASHES" or 40)
local SEED = tonumber(os.getenv "APOGEE_CRASH_SEED" or 20261124)

-- The steps there are, and about how often a run comes by each.
local STEPS = {
  { "quota", 4 }, { "report", 8 }, { "intent", 4 }, { "sent", 4 }, { "scanned", 4 },
  { "write", 12 }, { "keep", 1 }, { "end", 1 },
}
local POINTS = { { "before_request", 14 }, { "after_answer", 14 } }
for _, step in ipairs(STEPS) do
  table.insert(POINTS, { "before_" .. step[1], step[2] })
  table.insert(POINTS, { "after_" .. step[1], step[2] })
end

local ENTITIES = [[
44d88612fea8a8f36de82e1278abb02f
275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f
22596363b3de40b06f981fb85d82312e8c0ed511
http://site6.example.com/
http://site7.example.com/
198.51.100.23
203.0.113.9
www.example.org
mail.example.net
no indicator
]]

-- The simulator does not know them: each is submitted and waited for.
local URLS = { "http://site6.example.com/", "http://site7.example.com/" }

local GIVEN = {
  scenario = "return { scan_ms = 60 }",
  settings = { virustotal = {
    poll_interval = "50ms", retry_delay = "20ms", comments = "none",
    tier = { per_minute = 0, per_day = 0, per_month = 0, list = 2, premium = true },
  } },
}

local FILES = { "one.bin", "two.bin" }

local function arguments(w)
  local paths = {}
  for _, name in ipairs(FILES) do table.insert(paths, w:write(name, "all of " .. name)) end
  return { "run", w:write("p.lua", PLAYBOOK), "-p", "files=" .. table.concat(paths, ","),
    "--entities", w:write("list.txt", ENTITIES), "--format", "json" }
end

--- The document of a run; the folder of the test has the same name in each.
local function result(w, args)
  local ran = w:run(args)
  local text = ran.out:gsub(w.folder:gsub("%p", "%%%0"), "FOLDER")
  local good, document = pcall(cjson.decode, text)
  assert(good, ("no JSON (exit %d): %s"):format(ran.exit, ran.err))
  return document, ran
end

local function undisturbed()
  local document
  workspace.simulated(GIVEN, function(w)
    local ran
    document, ran = result(w, arguments(w))
    assert(ran.exit == 0, ran.err)
  end)
  return document
end

-- What the record of the killed run holds: { ["step identifier"] = true }.
local function found_until_now(w)
  local found = {}
  local ran = w:run { "report", "--format", "ndjson" }
  if ran.exit ~= 0 then return found end
  for line in ran.out:gmatch "[^\n]+" do
    local entity = cjson.decode(line)
    if entity.identifier and entity.outcome == "reported" then found[entity.identifier] = true end
  end
  return found
end

local function check_requests(w, found, before)
  local submitted = kept.asked(w:requests(), "url/scan")
  for _, url in ipairs(URLS) do
    local count = submitted[url] or 0
    assert(count <= 1, url .. " was submitted " .. count .. " times")
  end
  for resource, count in pairs(kept.asked(w:requests(), "file/scan")) do
    assert(count <= 1, resource .. " was uploaded " .. count .. " times")
  end
  for resource, count in pairs(kept.asked(w:requests(), "file/rescan")) do
    assert(count <= 1, resource .. " was submitted for a rescan " .. count .. " times")
  end
  local requests = w:requests()
  for _, endpoint in ipairs { "file/report", "ip-address/report", "domain/report" } do
    local later = kept.asked(table.move(requests, before + 1, #requests, 1, {}), endpoint)
    for identifier in pairs(found) do
      assert(not later[identifier], identifier .. " was found, and asked for again")
    end
  end
end

-- Between an intent and its answer nobody can know whether a rescan was sent: it is never sent
-- again, and ends with the report in hand and this reason when it does not come. All else must be
-- as it was.
local LOST = "the answer to that was lost"

local function without_lost(document, lost)
  local steps = {}
  for _, step in ipairs(document.steps) do
    for _, entity in ipairs(step.entities) do
      if not lost[entity.identifier] then steps[step.step .. " " .. entity.identifier] = entity end
    end
  end
  return steps
end

--- The entities whose answer was lost: { [identifier] = true }; nil when there is none.
local function lost_in(document)
  local lost = {}
  for _, entity in ipairs(document.steps[1].entities) do
    if tostring(entity.reason):find(LOST, 1, true) then lost[entity.identifier] = true end
  end
  return next(lost) and lost
end

local function check_document(expected, document, ran)
  local lost = lost_in(document)
  local difference
  if lost then
    assert.equal(1, ran.exit)
    difference = kept.difference(without_lost(expected, lost), without_lost(document, lost))
  else
    difference = kept.difference(expected, document)
  end
  assert(not difference, ("%s (exit %d: %s)"):format(difference, ran.exit, ran.err))
end

-- What never comes is waited for until the deadline; on a busy machine that may be too early for
-- the rest, which is gone on with again.
local RESUME = { "resume", "--format", "json", "--deadline", "1500ms" }

local function go_on(w, args)
  local document, ran = result(w, args)
  for _ = 1, 10 do
    if document.status == "completed" or (lost_in(document) and ran.exit == 1) then break end
    document, ran = result(w, RESUME)
  end
  return document, ran
end

local function crash_at(point, expected)
  workspace.simulated(GIVEN, function(w)
    local killed = kept.run_into(w, arguments(w), point)
    if killed.exit == 0 then return end -- it never came by so often
    assert(killed.exit == 137, ("exit %d: %s"):format(killed.exit, killed.err))
    local found, before = found_until_now(w), #w:requests()
    local is_kept = #w:json { "runs", "--format", "json" }.runs > 0
    local document, ran = go_on(w, is_kept and RESUME or arguments(w))
    check_requests(w, found, before)
    check_document(expected, document, ran)
  end)
end

describe("a run that is killed", function()
  local expected = undisturbed()

  for _, point in ipairs(POINTS) do
    it("at " .. point[1] .. " is gone on with as if nothing had happened", function()
      crash_at(point[1] .. ":1", expected)
    end)
  end

  it("at " .. CRASHES .. " random places is too", function()
    math.randomseed(SEED)
    for _ = 1, CRASHES do
      local point = POINTS[math.random(#POINTS)]
      local name = ("%s:%d"):format(point[1], math.random(point[2]))
      local good, why = pcall(crash_at, name, expected)
      assert(good, ("at %s: %s"):format(name, tostring(why)))
    end
  end)
end)
