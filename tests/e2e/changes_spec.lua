-- What is new since the last run of the same name.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local RISKY = ("a"):rep(32) -- 1 of 3 engines, then 3
local CLEANED = ("b"):rep(32) -- 3, then none
local LOWER = ("c"):rep(32) -- 3, then 1
local SWAPPED = ("d"):rep(32) -- 1, then another 1
local SAME = ("e"):rep(32) -- 3, and 3
local FIRST = ("1"):rep(32)
local SECOND = ("2"):rep(32)

local function report(hash, detecting)
  local scans = {}
  for _, engine in ipairs { "Alpha", "Beta", "Gamma" } do
    scans[engine] = { detected = false, version = "1", update = "20240101" }
  end
  for _, engine in ipairs(detecting) do
    scans[engine] = { detected = true, result = "Bad", version = "1", update = "20240101" }
  end
  return cjson.encode {
    response_code = 1, resource = hash, md5 = hash, scan_id = hash .. "-1700000000",
    scan_date = "2024-01-01 00:00:00", verbose_msg = "Scan finished",
    permalink = "https://www.virustotal.com/file/" .. hash .. "/analysis/", total = 3,
    positives = #detecting, scans = scans,
  }
end

local function scenario(table_of_steps)
  local rows = {}
  for hash, runs in pairs(table_of_steps) do
    local steps = {}
    for _, detecting in ipairs(runs) do
      table.insert(steps, ("{ body = %q }"):format(report(hash, detecting)))
    end
    table.insert(rows, ('["file/report %s"] = { %s }'):format(hash, table.concat(steps, ", ")))
  end
  return "return { answers = { " .. table.concat(rows, ", ") .. " } }"
end

local ALL = { "Alpha", "Beta", "Gamma" }
local GIVEN = {
  scenario = scenario {
    [RISKY] = { { "Alpha" }, ALL }, [CLEANED] = { ALL, {} }, [LOWER] = { ALL, { "Beta" } },
    [SWAPPED] = { { "Alpha" }, { "Gamma" } }, [SAME] = { ALL, ALL },
    [FIRST] = { {} }, [SECOND] = { {} },
  },
}

local function args_of(command, target, hashes, ...)
  local args = { command, target, "-p", "threshold=2", "--no-cache", "--changed-since-last", ... }
  for _, hash in ipairs(hashes) do
    table.insert(args, "--entity")
    table.insert(args, hash)
  end
  return args
end

local BEFORE = { RISKY, CLEANED, LOWER, SWAPPED, SAME, FIRST }
local NOW = { RISKY, CLEANED, LOWER, SWAPPED, SAME, SECOND }

local PLAYBOOK = [[return require "apogee.playbook" {
  name = "Watch", params = { { "threshold", type = "integer" } },
  steps = { { "hashes", action = "scan_hash", with = { threshold = "$threshold" } } },
}]]

local function by_identifier(changes)
  local found = {}
  for _, item in ipairs(changes.entities) do found[item.identifier] = item end
  return found
end

local COUNTS = {
  newly_risky = 1, newly_clean = 1, verdict_changed = 1, engines_added = 2, engines_removed = 3,
  new = 1, gone = 1,
}

describe("--changed-since-last", function()
  it("tells of each entity what is new, and of nothing else", function()
    workspace.simulated(GIVEN, function(w)
      local first = w:json(args_of("action", "scan_hash", BEFORE, "--format", "json"))
      assert.equal(cjson.null, first.changes.since)
      assert.same({}, first.changes.entities)
      local run = w:json { "runs", "--format", "json" }.runs[1]
      local changes = w:json(args_of("action", "scan_hash", NOW, "--format", "json")).changes
      assert.same({ run = run.run, started = run.started, finished = run.finished }, changes.since)
      assert.same(COUNTS, changes.counts)
      assert.equal(6, #changes.entities)
      assert.equal(0, changes.left_out)
      assert.equal(RISKY, changes.entities[1].identifier) -- the urgent one first
      local found = by_identifier(changes)
      assert.same({
        identifier = RISKY, type = "filehash", step = "scan_hash",
        changes = { "newly_risky", "engines_added" },
        before = { outcome = "reported", verdict = "below_threshold", detections = 1 },
        now = { outcome = "reported", verdict = "risky", detections = 3 },
        engines_added = { "Beta", "Gamma" },
      }, found[RISKY])
      assert.same({ "newly_clean", "engines_removed" }, found[CLEANED].changes)
      assert.same({ "verdict_changed", "engines_removed" }, found[LOWER].changes)
      assert.same({ "engines_added", "engines_removed" }, found[SWAPPED].changes)
      assert.same({ "Gamma" }, found[SWAPPED].engines_added)
      assert.same({ "Alpha" }, found[SWAPPED].engines_removed)
      assert.same({ "new" }, found[SECOND].changes)
      assert.equal(cjson.null, found[SECOND].before)
      assert.same({ "gone" }, found[FIRST].changes)
      assert.equal(cjson.null, found[FIRST].now)
      assert.is_nil(found[SAME])
    end)
  end)

  it("is there only when it is asked for", function()
    workspace.simulated(GIVEN, function(w)
      local document = w:json { "action", "scan_hash", "-p", "threshold=2", "--entity", SAME,
        "--format", "json" }
      assert.is_nil(document.changes)
    end)
  end)

  it("is of the whole run, in each format, and so when it is shown again", function()
    workspace.simulated(GIVEN, function(w)
      local path = w:write("watch.lua", PLAYBOOK)
      w:run(args_of("run", path, BEFORE, "--format", "json"))
      local document = w:json(args_of("run", path, NOW, "--format", "json"))
      assert.same(COUNTS, document.changes.counts)
      assert.is_nil(document.steps[1].changes)
      local function shown(format) return w:run({ "report", "--format", format }).out end
      assert.same(document.changes, cjson.decode(shown "json").changes)
      local last
      for line in shown("ndjson"):gmatch "[^\n]+" do last = cjson.decode(line) end
      assert.equal("apogee.run/1", last.schema)
      assert.same(document.changes, last.changes)
      local said = "Since the run of "
      for _, format in ipairs { "table", "markdown", "html" } do
        local page = shown(format)
        assert.matches(said .. "%d+.*: 1 newly risky, 1 newly clean, 1 with another verdict, "
          .. "engines added on 2, engines removed on 3, 1 new, 1 gone%.",
          (page:gsub("%s+", " "):gsub("\\", "")), format)
        assert.is_truthy(page:find(FIRST, 1, true), format)
      end
      local rows = {}
      for line in shown("csv"):gmatch "[^\r\n]+" do
        local hash = line:match "%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x"
        rows[hash or "head"] = line:match '"([^"]*)"$'
      end
      assert.same({
        head = "change", [RISKY] = "newly_risky engines_added",
        [CLEANED] = "newly_clean engines_removed", [LOWER] = "verdict_changed engines_removed",
        [SWAPPED] = "engines_added engines_removed", [SAME] = "", [SECOND] = "new",
        [FIRST] = "gone",
      }, rows)
    end)
  end)

  it("is in the last line of an action's ndjson", function()
    workspace.simulated(GIVEN, function(w)
      w:run(args_of("action", "scan_hash", BEFORE, "--format", "ndjson"))
      local lines = {}
      for line in w:run(args_of("action", "scan_hash", NOW, "--format", "ndjson")).out
        :gmatch "[^\n]+" do
        table.insert(lines, cjson.decode(line))
      end
      assert.equal(7, #lines)
      assert.same(COUNTS, lines[7].changes.counts)
      assert.is_nil(lines[1].changes)
    end)
  end)

  it("prints only what changed with --quiet, and then nothing when nothing did", function()
    workspace.simulated(GIVEN, function(w)
      local path = w:write("watch.lua", PLAYBOOK)
      for _, format in ipairs { "json", "ndjson", "table", "markdown", "html", "csv" } do
        w:forget()
        os.remove(w:path "out")
        w:run(args_of("run", path, { SAME, FIRST }, "--format", "json"))
        local ran = w:run(args_of("run", path, { SAME, FIRST, SECOND }, "--quiet", "--format",
          format))
        assert.equal(0, ran.exit, ran.err)
        assert.equal("", ran.err)
        -- A step's message is the whole run's.
        local out = ran.out:gsub('"message": ?"[^"]*"', "")
        assert.is_truthy(out:find(SECOND, 1, true), format)
        assert.is_nil(out:find(SAME, 1, true), format)
        assert.is_nil(out:find(FIRST, 1, true), format)
        ran = w:run(args_of("run", path, { SAME, FIRST, SECOND }, "--quiet", "--format", format))
        assert.equal("", ran.out .. ran.err, format)
        ran = w:run(args_of("run", path, { SAME, FIRST, SECOND }, "--quiet", "--format", format,
          "--output", w:path "out"))
        assert.equal("", ran.out .. ran.err, format)
        assert.is_truthy(program.read(w:path "out"):find(SAME, 1, true), format)
      end
    end)
  end)

  it("compares with the newest run that went through, of the same name", function()
    workspace.simulated(GIVEN, function(w)
      local path = w:write("watch.lua", PLAYBOOK)
      local other = w:write("other.lua", (PLAYBOOK:gsub("Watch", "Other")))
      local function since(...)
        local changes = w:json(args_of("run", path, { SAME }, "--format", "json", ...)).changes
        return changes.since ~= cjson.null and changes.since.run
      end
      assert.is_false(since())
      local first = w:json({ "runs", "--format", "json" }).runs[1].run
      w:run(args_of("run", other, { SAME }))
      w:run(args_of("action", "scan_hash", { SAME }))
      w:run(args_of("run", path, { SAME }, "--url", "http://127.0.0.1:1/", "--retries", "0"))
      assert.equal(first, since())
    end)
  end)

  it("takes what was not checked for no news", function()
    workspace.simulated(GIVEN, function(w)
      local function counts(...)
        return w:json(args_of("action", "scan_hash", { SAME, FIRST }, "--format", "json", ...))
          .changes.counts
      end
      counts()
      w:configure { virustotal = { url = w.url, tier = {
        per_minute = 1, per_day = 1, per_month = 0, list = 1, premium = true } } }
      local limited = counts("--on-limit", "stop")
      for kind, count in pairs(limited) do assert.equal(0, count, kind) end
    end)
  end)

  it("goes with a run that is kept only", function()
    for _, option in ipairs { "--simulate", "--no-state" } do
      local ran = program.run(args_of("action", "scan_hash", { SAME }, option))
      assert.equal(2, ran.exit)
      assert.matches("%-%-changed%-since%-last does not go with %-%-", ran.err)
    end
  end)

  it("goes on with a run that was cut off", function()
    workspace.simulated(GIVEN, function(w)
      w:run(args_of("action", "scan_hash", BEFORE, "--format", "json"))
      local env = w:environment()
      env.APOGEE_FAILPOINT = "before_end:1"
      program.start(args_of("action", "scan_hash", NOW, "--format", "json"), env):wait(60)
      local document, ran = w:json { "resume", "--no-cache", "--format", "json" }
      assert.equal(0, ran.exit, ran.err)
      assert.same(COUNTS, document.changes.counts)
    end)
  end)
end)
