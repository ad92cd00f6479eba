-- What a run tells of itself as it goes on: a JSON line for each event on standard error.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local simulator = require "e2e.support.simulator"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local HASHES = {}
for i = 1, 6 do HASHES[i] = ("%032x"):format(i) end

--- The events, in order, and how many other lines there were. Each line must be a JSON object.
local function events_of(err)
  local events, others = {}, 0
  for line in err:gmatch "[^\n]+" do
    local object = cjson.decode(line)
    if object.event then
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", object.time)
      table.insert(events, object)
    else
      others = others + 1
    end
  end
  return events, others
end

local function find(events, name)
  local found = {}
  for _, event in ipairs(events) do
    if event.event == name then table.insert(found, event) end
  end
  return found
end

local function action(w, more)
  local args = { "action", "scan_hash", "--param", "threshold=3", "--format", "json" }
  return w:run(table.move(more, 1, #more, #args + 1, args))
end

describe("the events of --log-format json", function()
  it("tell a run from its beginning to its end", function()
    workspace.simulated({}, function(w)
      local ran = action(w, { "--entity", EICAR, "--entity", HASHES[1], "--log-format", "json" })
      local events = events_of(ran.err)
      local names = {}
      for i, event in ipairs(events) do names[i] = event.event end
      assert.equal("run_began step_began entity_ended entity_ended step_ended run_ended",
        table.concat(names, " "))
      for _, event in ipairs(events) do assert.equal(events[1].run, event.run) end
      assert.equal("action", events[1].command)
      assert.equal("Scan Hash", events[1].name)
      assert.equal(2, events[1].entities)
      assert.is_false(events[1].resumed)
      assert.equal("scan_hash", events[2].step)
      local by_name = { [events[3].identifier] = events[3], [events[4].identifier] = events[4] }
      assert.equal("filehash", by_name[EICAR].type)
      assert.equal("reported", by_name[EICAR].outcome)
      assert.is_true(by_name[EICAR].risky)
      assert.equal(cjson.null, by_name[EICAR].reason)
      assert.is_not_nil(by_name[HASHES[1]])
      local document = cjson.decode(ran.out)
      assert.equal(document.status, events[5].status)
      assert.equal(document.message, events[5].message)
      assert.same(document.coverage, events[5].coverage)
      assert.equal(ran.exit, events[6].exit)
      assert.equal(document.status, events[6].status)
      assert.same(document.coverage, events[6].coverage)
      assert.equal(document.cost.requests, events[6].cost.requests)
    end)
  end)

  it("are not there unless asked for, nor with --quiet", function()
    workspace.simulated({}, function(w)
      assert.is_nil(action(w, { "--entity", EICAR }).err:find "entity_ended")
      assert.equal("", action(w, { "--entity", EICAR, "--log-format", "json", "--quiet" }).err)
    end)
  end)

  it("are of a run: a plan and a report have none", function()
    workspace.simulated({}, function(w)
      action(w, { "--entity", EICAR })
      for _, args in ipairs {
        { "plan", "scan_hash", "--param", "threshold=3", "--entity", EICAR },
        { "report", "--format", "ndjson" }, { "report", "--format", "json" },
      } do
        table.move({ "--log-format", "json" }, 1, 2, #args + 1, args)
        local ran = w:run(args)
        assert.equal(0, ran.exit, ran.err)
        assert.equal(0, #events_of(ran.err), ran.err)
      end
    end)
  end)

  it("are one line each, whatever an entity is called, and hide secrets", function()
    workspace.simulated({}, function(w)
      local nasty = ('https://example.com/"%s"/\\x\u{9b}31m'):format(simulator.KEY)
      local ran = action(w, {
        "--entities", w:write("entities.json", cjson.encode { nasty, "no\nindicator \u{2028}" }),
        "--entity", EICAR, "--log-format", "json",
      })
      local seen = events_of(ran.err)
      assert.is_true(#find(seen, "entity_ended") >= 1)
      assert.is_nil(ran.err:find(simulator.KEY, 1, true))
      assert.is_nil(ran.err:find("\u{9b}", 1, true))
    end)
  end)

  it("say what is waited for and until when, and what is left of the quota", function()
    workspace.simulated({
      args = {},
      env = { APOGEE_CLOCK = "100@" .. os.time() },
      settings = { virustotal = { tier = {
        per_minute = 4, per_day = 500, per_month = 0, list = 4, premium = false,
      } } },
    }, function(w)
      local more = { "--log-format", "json", "--on-limit", "wait" }
      for _, hash in ipairs(HASHES) do
        table.insert(more, "--entity")
        table.insert(more, hash)
      end
      local events = events_of(action(w, more).err)
      local waits = find(events, "waiting")
      assert.is_true(#waits >= 1)
      assert.equal("quota", waits[1]["for"])
      assert.matches("^%d%d%d%d%-.*Z$", waits[1]["until"])
      assert.is_true(waits[1]["until"] > waits[1].time)
      local quota = find(events, "quota")
      assert.is_true(#quota >= 1)
      assert.equal(0, quota[1].minute_left)
      assert.equal(496, quota[1].day_left)
      assert.equal(6, #find(events, "entity_ended"))
    end)
  end)

  it("say that scans are waited for, and tries after a failure", function()
    local url = "http://unknown.example.com/"
    for what, scenario in pairs {
      scan = ('return { answers = { ["url/report %s"] = { { code = 0 } } } }'):format(url),
      retry = 'return { answers = { ["url/report *"] = { { status = 500, times = 3 } } } }',
    } do
      workspace.simulated({
        args = { "--premium", "--no-quota" },
        scenario = scenario,
        env = { APOGEE_CLOCK = "50@" .. os.time() },
        settings = { virustotal = { poll_interval = "30s", retry_delay = "60s", retries = 3 } },
      }, function(w)
        local ran = w:run { "action", "scan_url", "-p", "threshold=3", "--entity", url,
          "--log-format", "json", "--format", "json" }
        assert.equal(0, ran.exit, ran.err)
        local waits = find(events_of(ran.err), "waiting")
        assert.is_true(#waits >= 1, ran.err)
        for _, wait in ipairs(waits) do
          assert.equal(what, wait["for"])
          assert.is_true(wait["until"] >= wait.time)
        end
      end)
    end
  end)
end)
