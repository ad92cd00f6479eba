-- The table "what happens when things go wrong", line by line, against the simulator.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local OTHER = "22596363b3de40b06f981fb85d82312e8c0ed511"
local URL = "http://unknown.example.com/"

local function scenario_of(answers)
  return "return { scan_ms = 200, answers = { " .. answers .. " } }"
end

--- Runs scan_hash (or another action) on identifiers under a scenario.
local function under(answers, given, check)
  workspace.simulated({
    scenario = scenario_of(answers), settings = given.settings, args = given.args, env = given.env,
  }, function(w)
    local args = { "action", given.action or "scan_hash", "--format", "json" }
    for _, word in ipairs(given.options or { "--param", "threshold=3" }) do
      table.insert(args, word)
    end
    for _, identifier in ipairs(given.entities or { EICAR, OTHER }) do
      table.insert(args, "--entity")
      table.insert(args, identifier)
    end
    local document, ran = w:json(args)
    local entities = {}
    for _, entity in ipairs(document.entities) do entities[entity.identifier] = entity end
    check(document, ran, entities, w)
  end)
end

local RESCAN = { "--param", "threshold=3", "--param", "rescan_after_days=0" }

local function count(w, endpoint)
  local times = 0
  for _, request in ipairs(w:requests()) do
    if request.endpoint == endpoint then times = times + 1 end
  end
  return times
end

describe("a 403", function()
  it("on a look-up is a refused key: failed, exit 3, and no further request", function()
    under("['file/report *'] = { { status = 403 } }", {
      settings = { jobs = 1, virustotal = {
        tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
      } },
    }, function(document, ran, entities, w)
      assert.equal(3, ran.exit)
      assert.equal("failed", document.status)
      assert.equal("forbidden", entities[EICAR].outcome)
      assert.equal("forbidden", entities[OTHER].outcome)
      assert.matches("refused the key", document.message)
      assert.equal(1, #w:requests())
    end)
  end)

  it("on a rescan leaves the report in hand, with the reason", function()
    under("['file/rescan *'] = { { status = 403 } }", { options = RESCAN },
      function(document, ran, entities)
        assert.equal(1, ran.exit)
        assert.equal("completed", document.status)
        assert.equal("reported", entities[EICAR].outcome)
        assert.matches("not rescanned", entities[EICAR].reason)
        assert.is_true(entities[EICAR].suspicious)
        assert.is_true(document.result.value)
      end)
  end)

  it("on a first submission before any answer is a refused key", function()
    under("['url/report *'] = { { code = 0 } }, ['url/scan *'] = { { status = 403 } }", {
      action = "scan_url", entities = { URL },
    }, function(document, ran, entities)
      -- The look-up was answered, so the key works: this entity alone.
      assert.equal(1, ran.exit)
      assert.equal("completed", document.status)
      assert.equal("forbidden", entities[URL].outcome)
    end)
  end)
end)

describe("a look-up that goes wrong", function()
  local faults = {
    ["status 503"] = "{ status = 503, body = '<html>busy</html>' }",
    ["a cut connection"] = "{ cut = 'headers' }",
    ["half an answer"] = "{ cut = 'middle' }",
    ["broken JSON"] = "{ garbage = true }",
    ["truncated JSON"] = "{ truncated = true }",
    ["an item left out of a list"] = "{ drop = true }",
  }
  for name, fault in pairs(faults) do
    it("by " .. name .. " fails that entity after the retries; the others go on", function()
      under(("['file/report %s'] = { %s }"):format(OTHER, fault), {},
        function(document, ran, entities)
          assert.equal(1, ran.exit)
          assert.equal("completed", document.status)
          assert.equal("reported", entities[EICAR].outcome)
          assert.equal("failed", entities[OTHER].outcome)
          assert.is_string(entities[OTHER].reason)
          assert.matches("1 failed: " .. OTHER, document.message)
          assert.same({ checked = 1, of = 2 }, document.coverage)
        end)
    end)
  end

  it("and then right is as if nothing had been", function()
    under("['file/report *'] = { { status = 503, times = 2 } }", {},
      function(document, ran, entities)
        assert.equal(0, ran.exit)
        assert.equal("reported", entities[EICAR].outcome)
        assert.same({ checked = 2, of = 2 }, document.coverage)
      end)
  end)

  it("is exit 3 when nothing was ever answered", function()
    workspace.with(function(w)
      w:configure { virustotal = { url = "http://127.0.0.1:9/vtapi/v2", retries = 1 } }
      local document, ran = w:json {
        "action", "scan_hash", "--param", "threshold=3", "--entity", EICAR, "--format", "json",
      }
      assert.equal(3, ran.exit)
      assert.equal("failed", document.status)
      assert.equal("failed", document.entities[1].outcome)
      assert.matches("never answered", document.message)
    end)
  end)

  it("is exit 3 when the certificate is not trusted", function()
    workspace.simulated({ tls = true }, function(w)
      w:configure {
        virustotal = { url = w.url, retries = 0 },
      }
      local document, ran = w:json { "action", "ping", "--format", "json" }
      assert.equal(3, ran.exit)
      assert.matches("TLS", document.message)
      assert.matches("ca_file", document.message)
    end)
  end)
end)

describe("a rescan", function()
  it("that is taken is waited for", function()
    under("", { options = RESCAN }, function(document, ran, entities, w)
      assert.equal(0, ran.exit)
      assert.equal("scanned", entities[EICAR].outcome)
      assert.equal(1, count(w, "file/rescan")) -- one list
      assert.equal("completed", document.status)
    end)
  end)

  for name, answer in pairs {
    ["500"] = "{ status = 500 }", ["-1"] = "{ code = -1 }", ["code 0"] = "{ code = 0 }",
    ["a cut connection"] = "{ cut = 'before' }", ["broken JSON"] = "{ garbage = true }",
  } do
    it("answered by " .. name .. " leaves the report in hand, with the reason", function()
      under("['file/rescan *'] = { " .. answer .. " }", { options = RESCAN },
        function(_, ran, entities)
          assert.equal(1, ran.exit)
          assert.equal("reported", entities[EICAR].outcome)
          assert.matches("not rescanned", entities[EICAR].reason)
          assert.is_true(entities[EICAR].suspicious)
        end)
    end)
  end

  it("that is pending at the deadline keeps the older report and gives its date", function()
    workspace.simulated({
      scenario = "return { scan_ms = 3600000 }",
    }, function(w)
      local document, ran = w:json {
        "action", "scan_hash", "--entity", EICAR, "--param", "threshold=3", "--param",
        "rescan_after_days=0", "--deadline", "1s", "--format", "json",
      }
      local entity = document.entities[1]
      assert.equal(4, ran.exit)
      assert.equal("in_progress", document.status)
      assert.equal("pending", entity.outcome)
      assert.matches("%d%d%d%d%-%d%d%-%d%d", entity.reason)
      assert.is_true(entity.suspicious)
      assert.equal(1, #document.json_result)
    end)
  end)
end)

describe("polls", function()
  it("that fail three times in a row leave the entity pending", function()
    under(([[['url/report %s'] = { { code = 0 } }, ['url/report *'] = { { status = 500 } }]])
      :format(URL), { action = "scan_url", entities = { URL } },
      function(document, ran, entities)
        assert.equal(4, ran.exit)
        assert.equal("pending", entities[URL].outcome)
        assert.matches("500", entities[URL].reason)
        assert.equal("in_progress", document.status)
      end)
  end)

  it("answered by -1 fail the entity", function()
    under(([[['url/report %s'] = { { code = 0 } }, ['url/report *'] = { { code = -1 } }]])
      :format(URL), { action = "scan_url", entities = { URL } },
      function(_, ran, entities)
        assert.equal(1, ran.exit)
        assert.equal("failed", entities[URL].outcome)
      end)
  end)
end)

describe("an answer", function()
  it("of -2 is waited for", function()
    under(("['file/report %s'] = { { queued = 2 } }"):format(EICAR), {},
      function(_, ran, entities)
        assert.equal(0, ran.exit)
        assert.equal("reported", entities[EICAR].outcome)
      end)
  end)

  it("of code 1 without scans is not yet, not clean", function()
    local body = ([['{"response_code": 1, "resource": "%s", "scan_id": "%s"}']])
      :format(EICAR, EICAR)
    under(("['file/report %s'] = { { body = %s } }"):format(EICAR, body), {
      options = { "--param", "threshold=3", "--deadline", "1s" },
    }, function(_, ran, entities)
      assert.equal(4, ran.exit)
      assert.equal("pending", entities[EICAR].outcome)
    end)
  end)

  it("of 0 is not found, and enriches nothing", function()
    under(("['file/report %s'] = { { code = 0 } }"):format(EICAR), {},
      function(_, ran, entities)
        assert.equal(0, ran.exit)
        assert.equal("not_found", entities[EICAR].outcome)
        assert.equal(cjson.null, entities[EICAR].reason)
        assert.is_false(entities[EICAR].enriched)
      end)
  end)

  it("of -1 fails with VirusTotal's message", function()
    under(("['file/report %s'] = { { code = -1, verbose_msg = 'no such thing' } }"):format(EICAR),
      {}, function(_, ran, entities)
        assert.equal(1, ran.exit)
        assert.equal("failed", entities[EICAR].outcome)
        assert.matches("no such thing", entities[EICAR].reason)
      end)
  end)
end)

describe("comments", function()
  for name, answer in pairs {
    ["204"] = "{ status = 204 }", ["403"] = "{ status = 403 }", ["500"] = "{ status = 500 }",
    ["broken JSON"] = "{ garbage = true }",
  } do
    it("that fail by " .. name .. " are a warning and touch nothing", function()
      under("['comments/get *'] = { " .. answer .. " }", {}, function(document, ran, entities, w)
        assert.equal(0, ran.exit)
        assert.equal("reported", entities[EICAR].outcome)
        assert.is_true(entities[EICAR].suspicious)
        assert.is_true(document.result.value)
        assert.equal(1, #document.warnings)
        assert.matches("comments", document.warnings[1])
        assert.matches("comments", ran.err)
        assert.is_true(count(w, "comments/get") <= 2)
      end)
    end)
  end

  it("are not asked for where the key is public", function()
    under("", { settings = { virustotal = {
      tier = { per_minute = 0, per_day = 0, per_month = 0, list = 4, premium = false },
    } } }, function(document, ran, _, w)
      assert.equal(0, ran.exit)
      assert.same({}, document.warnings)
      assert.equal(0, count(w, "comments/get"))
    end)
  end)
end)

describe("the quota", function()
  -- What a loaded machine is late by grows with the clock, and the ledger allows for a second.
  local CLOCK = os.getenv "APOGEE_TEST_SLOW" and "6" or "30"
  local PUBLIC = { settings = { virustotal = {
    tier = { per_minute = 4, per_day = 500, per_month = 15500, list = 4 },
  } }, args = {}, env = { APOGEE_CLOCK = CLOCK } }

  local function many(n)
    local hashes = {}
    for i = 1, n do table.insert(hashes, ("%032x"):format(0x1000 + i)) end
    return hashes
  end

  it("is waited for, and nothing is lost", function()
    under("", {
      settings = PUBLIC.settings, args = PUBLIC.args, env = PUBLIC.env, entities = many(10),
    }, function(document, ran, _, w)
      assert.equal(0, ran.exit)
      assert.equal(10, document.coverage.checked)
      assert.equal(3, count(w, "file/report"))
      for _, request in ipairs(w:requests()) do assert.equal(200, request.status) end
    end)
  end)

  it("ends the run at once with --on-limit stop, and says when it returns", function()
    under("", {
      settings = PUBLIC.settings, args = PUBLIC.args, env = PUBLIC.env, entities = many(6),
      options = { "--param", "threshold=3", "--on-limit", "stop" },
    }, function(document, ran)
      local limited = 0
      for _, entity in ipairs(document.entities) do
        if entity.outcome == "limited" then
          limited = limited + 1
          assert.matches("returns at %d%d%d%d%-", entity.reason)
        end
      end
      assert.equal(1, ran.exit)
      assert.equal("completed", document.status)
      assert.equal(2, limited)
      assert.equal(4, document.coverage.checked)
    end)
  end)

  it("that VirusTotal calls spent against the ledger is waited for", function()
    under("['file/report *'] = { { status = 204, times = 1 } }", { env = { APOGEE_CLOCK = "60" } },
      function(document, ran)
        assert.equal(0, ran.exit)
        assert.equal(2, document.coverage.checked)
      end)
  end)
end)

describe("the deadline", function()
  it("leaves what was not answered as not_asked: timed out, exit 1", function()
    under(("['file/report %s'] = { { delay_ms = 20000 } }"):format(OTHER), {
      settings = { virustotal = {
        tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
      } },
      options = { "--param", "threshold=3", "--deadline", "1s" },
    }, function(document, ran, entities)
      assert.equal(1, ran.exit)
      assert.equal("timed_out", document.status)
      assert.equal("reported", entities[EICAR].outcome)
      assert.equal("not_asked", entities[OTHER].outcome)
      assert.is_string(entities[OTHER].reason)
    end)
  end)
end)
