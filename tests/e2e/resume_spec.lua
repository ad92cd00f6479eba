-- Runs that are kept: listed, shown again, gone on with.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local kept = require "e2e.support.kept"
local program = require "e2e.support.program"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local OTHER = "22596363b3de40b06f981fb85d82312e8c0ed511"
local URL = "http://unknown.example.com/"

local PLAYBOOK = [[
  return require "apogee.playbook" {
    name = "P",
    params = { { "threshold", type = "integer", default = 3 } },
    steps = {
      { "hashes", action = "scan_hash", on = "filehash", with = { threshold = "$threshold" } },
      { "urls", action = "scan_url", on = "url", with = { threshold = "$threshold" } },
      { "mark", run = function(case)
          case:score(#case:suspicious())
          case:tag "seen"
          case:insight { title = "Seen", body = tostring(case.hashes.coverage.checked) }
        end },
    },
  }]]

local UNKNOWN_URL = ('["url/report %s"] = { { code = 0 } }'):format(URL)

local function run_of(w) return (w:json { "runs", "--format", "json" }).runs end

describe("a run that is kept", function()
  it("is shown again as it was, in each format", function()
    workspace.simulated({}, function(w)
      local args = { "run", w:write("p.lua", PLAYBOOK), "--entity", EICAR, "--entity", URL,
        "--entities", w:write("list.txt", "not an indicator\n"), "--format" }
      for _, format in ipairs { "json", "ndjson", "table" } do
        w:forget()
        table.insert(args, format)
        local first = w:run(args)
        table.remove(args)
        local second = w:run { "report", "--format", format }
        assert.equal(0, second.exit, second.err)
        if format == "ndjson" then -- its lines come as entities end
          local lines = {}
          for line in first.out:gmatch "[^\n]+" do lines[line] = true end
          for line in second.out:gmatch "[^\n]+" do assert(lines[line], line) end
        else
          assert.equal(first.out, second.out)
        end
      end
    end)
  end)

  it("that knows no engine is unknown when it is shown again too", function()
    local report = cjson.encode { response_code = 1, resource = OTHER, positives = 0, total = 0,
      scan_date = "2024-01-01 00:00:00", scans = {}, permalink = "https://www.virustotal.com/" }
    local scenario = ('return { answers = { ["file/report %s"] = { { body = %q } } } }')
      :format(OTHER, (report:gsub('"scans":%b[]', '"scans":{}')))
    workspace.simulated({ scenario = scenario }, function(w)
      local first = w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", OTHER,
        "--format", "csv" }
      assert.matches('"unknown"', first.out)
      assert.equal(first.out, w:run({ "report", "--format", "csv" }).out)
    end)
  end)

  it("of an action alone is shown as that action's object", function()
    workspace.simulated({}, function(w)
      local first = w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR,
        "--format", "json" }
      local second = w:run { "report", "last", "--format", "json" }
      assert.equal(first.out, second.out)
    end)
  end)

  it("is listed with its state, coverage and cost", function()
    workspace.simulated({}, function(w)
      w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR }
      local run = run_of(w)[1]
      assert.equal("completed", run.state)
      assert.equal("Scan Hash", run.name)
      assert.same({ checked = 1, of = 1 }, run.coverage)
      assert.equal(1, run.risky)
      local ran = w:run { "runs" }
      assert(ran.out:find(run.run, 1, true) and ran.out:find("1/1", 1, true), ran.out)
    end)
  end)

  it("that found everything asks for nothing when it is resumed", function()
    workspace.simulated({}, function(w)
      local args = { "run", w:write("p.lua", PLAYBOOK), "--entity", EICAR, "--entity", URL,
        "--format", "json" }
      local first, ran = w:json(args)
      local before = #w:requests()
      local second, again = w:json { "resume", "--format", "json" }
      assert.equal(ran.exit, again.exit)
      assert.equal(before, #w:requests())
      assert.equal(first.run, second.run)
      assert.same(kept.plain(first), kept.plain(second))
    end)
  end)

  it("is not one where nothing is to outlive the run", function()
    workspace.simulated({}, function(w)
      w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR, "--no-state" }
      w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR, "--simulate" }
      w:run { "ping" }
      assert.same({}, run_of(w))
    end)
  end)

  it("goes when it is older than keep.runs", function()
    workspace.simulated({ settings = { keep = { runs = "1d" } } }, function(w)
      local args = { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR }
      w:run(args)
      local old = run_of(w)[1].run
      assert(os.execute(("touch -d '2 days ago' %s/runs/%s.run"):format(w:path "state", old)))
      w:run(args)
      local runs = run_of(w)
      assert.equal(1, #runs)
      assert.not_equal(old, runs[1].run)
    end)
  end)
end)

describe("apogee resume", function()
  it("waits for scans that were pending, and submits nothing again", function()
    workspace.simulated({
      scenario = ("return { scan_ms = 1500, answers = { %s } }"):format(UNKNOWN_URL),
    }, function(w)
      local args = { "run", w:write("p.lua", PLAYBOOK), "--entity", EICAR, "--entity", URL,
        "--format", "json", "--deadline", "500ms" }
      local first, ran = w:json(args)
      assert.equal(4, ran.exit)
      assert.equal("pending", first.entities[2].steps.urls)
      local second, again = w:json { "resume", "--format", "json" }
      assert.equal(0, again.exit, again.err)
      assert.equal("completed", second.status)
      assert.equal("scanned", second.entities[2].steps.urls)
      assert.equal(1, kept.asked(w:requests(), "url/scan")[URL])
      assert.equal(1, kept.asked(w:requests(), "file/report")[EICAR])
      assert.same({ "seen" }, second.tags)
      assert.equal(1, #second.insights - #second.steps[1].insights - #second.steps[2].insights)
    end)
  end)

  it("keeps here what the run was told to keep here", function()
    workspace.simulated({}, function(w)
      local killed = kept.run_into(w, { "action", "scan_hash", "-p", "threshold=3", "--tlp", "red",
        "--entity", EICAR, "--entity", OTHER }, "after_keep:1")
      assert.equal(137, killed.exit, killed.err)
      local document, ran = w:json { "resume", "--format", "json" }
      assert.equal(1, ran.exit, ran.err)
      assert.equal(2, #document.entities)
      for _, entity in ipairs(document.entities) do
        assert.equal("policy: TLP:RED never leaves this machine", entity.reason)
      end
      assert.same({}, w:requests())
    end)
  end)

  it("does what a killed run left, with its parameters and from its own list", function()
    workspace.simulated({
      scenario = ('return { answers = { ["file/report %s"] = { { delay_ms = 30000 }, {} } } }')
        :format(OTHER),
      settings = { virustotal = {
        tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true } } },
    }, function(w)
      local list = w:write("list.txt", EICAR .. "\n" .. OTHER .. "\n# a comment\nno indicator\n")
      local process = program.start({ "run", w:write("p.lua", PLAYBOOK), "--entities", list,
        "-p", "threshold=60", "--format", "ndjson" }, w:environment())
      assert(simulator.wait("grep -q " .. EICAR .. " " .. process.out_path, 10))
      local busy = w:run { "resume" }
      assert.equal(5, busy.exit, busy.err)
      assert.equal("under_way", run_of(w)[1].state)
      process:signal "KILL"
      assert.equal(137, process:wait(5).exit)
      assert.equal("cut_off", run_of(w)[1].state)
      for _, format in ipairs { "json", "ndjson", "table", "csv", "markdown", "html" } do
        local shown = w:run { "report", "--format", format }
        assert.equal(0, shown.exit, shown.err)
        assert(shown.out:find(EICAR:sub(1, 8), 1, true), format) -- a table cuts its middle
      end
      local shown = w:json { "report", "--format", "json" }
      assert.equal(cjson.null, shown.finished)
      assert.equal("interrupted", shown.status)
      os.remove(list)
      local document, ran = w:json { "resume", "--format", "json" }
      assert.equal(0, ran.exit, ran.err)
      assert.equal(60, document.params.threshold)
      local outcomes = {}
      for _, entity in ipairs(document.entities) do
        outcomes[entity.identifier] = entity.steps.hashes
      end
      assert.same({ [EICAR] = "reported", [OTHER] = "reported", ["no indicator"] = "skipped" },
        outcomes)
      assert.equal(1, kept.asked(w:requests(), "file/report")[EICAR])
    end)
  end)

  it("tries again what failed", function()
    workspace.simulated({
      scenario = ('return { answers = { ["file/report %s"] = { { status = 500 }, {} } } }')
        :format(EICAR),
      settings = { virustotal = { retries = 0 } },
    }, function(w)
      local _, ran = w:json { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR,
        "--entity", OTHER, "--format", "json" }
      assert.equal(1, ran.exit, ran.err)
      local document, again = w:json { "resume", "--format", "json" }
      assert.equal(0, again.exit, again.err)
      assert.same({ checked = 2, of = 2 }, document.coverage)
    end)
  end)

  it("leaves out the entity that ended the process", function()
    workspace.simulated({}, function(w)
      assert(os.execute("mkdir " .. program.quote(w:path "actions")))
      w:write("actions/greedy.lua", ([[
        return require "apogee.action" {
          id = "greedy", name = "Greedy", doc = "Takes all the memory for one entity.",
          accepts = { "filehash" }, returns = "is_success",
          run = function(ctx, entity)
            if entity.identifier ~= "%s" then return ctx.not_found() end
            local all = {}
            for i = 1, 1e9 do all[i] = ("x"):rep(1000) .. i end
          end,
        }]]):format(EICAR))
      local common = { "--actions-path", w:path "actions", "--format", "json" }
      local ran = w:run { "action", "greedy", "--entity", OTHER, "--entity", EICAR,
        table.unpack(common) }
      assert.equal(6, ran.exit, ran.err)
      local document, again = w:json { "resume", table.unpack(common) }
      assert.equal(1, again.exit, again.err)
      assert.equal("not_found", document.entities[1].outcome)
      assert.equal("failed", document.entities[2].outcome)
      assert(document.entities[2].reason:find "limit", document.entities[2].reason)
    end)
  end)

  it("asks for a secret again that was given in plain, and keeps none", function()
    workspace.simulated({}, function(w)
      assert(os.execute("mkdir " .. program.quote(w:path "actions")))
      w:write("actions/quiet.lua", [[
        return require "apogee.action" {
          id = "quiet", name = "Quiet", doc = "Has a secret.", accepts = { "filehash" },
          returns = "is_success",
          params = { { "word", type = "secret", required = true, label = "Word", doc = "W." } },
          run = function(ctx) return ctx.not_found() end,
        }]])
      local common = { "--actions-path", w:path "actions", "--format", "json" }
      local canary = "canary-8f2b61"
      w:run { "action", "quiet", "--entity", EICAR, "-p", "word=" .. canary, table.unpack(common) }
      local ran = w:run { "resume", table.unpack(common) }
      assert.equal(2, ran.exit)
      assert(ran.err:find("--param word=", 1, true), ran.err)
      local _, again = w:json { "resume", "-p", "word=" .. canary, table.unpack(common) }
      assert.equal(0, again.exit, again.err)
      local pipe = io.popen(("grep -rl %s %s"):format(canary, program.quote(w:path "state")))
      assert.equal("", pipe:read "a")
      pipe:close()
    end)
  end)

  it("says what it cannot go on with", function()
    workspace.simulated({}, function(w)
      for _, case in ipairs {
        { { "resume" }, "(runs with --simulate never are)" },
        { { "report" }, "(runs with --simulate never are)" },
        { { "resume", "../../etc/passwd" }, "no run \"../../etc/passwd\" is kept" },
        { { "report", "20260101T000000Z-0000" }, "`apogee runs` lists those that are" },
        { { "run", "triage", "--resume", "--simulate" }, "--resume does not go with --simulate" },
      } do
        local ran = w:run(case[1])
        assert.equal(2, ran.exit)
        assert(ran.err:find(case[2], 1, true), ran.err)
      end
      assert(os.execute("mkdir -p " .. program.quote(w:path "state/runs")))
      w:write("state/runs/20260101T000000Z-0000.run", "what is this")
      local ran = w:run { "resume" }
      assert.equal(2, ran.exit)
      assert(ran.err:find("its record cannot be read", 1, true), ran.err)
    end)
  end)
end)

describe("apogee run --resume", function()
  it("begins, goes on with what is not through, and begins again when it is", function()
    workspace.simulated({
      scenario = ("return { scan_ms = 1500, answers = { %s } }"):format(UNKNOWN_URL),
    }, function(w)
      local args = { "run", w:write("p.lua", PLAYBOOK), "--entity", URL, "--resume",
        "--format", "json" }
      local short = { table.unpack(args) }
      table.insert(short, "--deadline")
      table.insert(short, "400ms")
      local first, ran = w:json(short)
      assert.equal(4, ran.exit)
      local second, again = w:json(args)
      assert.equal(0, again.exit, again.err)
      assert.equal(first.run, second.run)
      assert.equal(1, kept.asked(w:requests(), "url/scan")[URL])
      local third = w:json(args)
      assert.not_equal(first.run, third.run)
      assert.equal(cjson.encode(kept.plain(second.tags)), cjson.encode(kept.plain(third.tags)))
    end)
  end)
end)
