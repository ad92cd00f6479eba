-- The ledger and the cache as people see them, and what they do to a run: quota, cache, reserve,
-- --max-age.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local EICAR_SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
local WHEN = "%d[%d:TZ-]+"
local UTC = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$"
local PUBLIC = { per_minute = 4, per_day = 500, per_month = 15500, list = 4, premium = false }

local function hash_of(number) return ("%032x"):format(number) end

local function look_up(hashes, ...)
  local args = { "action", "scan_hash", "--param", "threshold=3", "--format", "json", ... }
  for _, hash in ipairs(hashes) do
    table.insert(args, "--entity")
    table.insert(args, hash)
  end
  return args
end

local function with(tier, use, settings)
  settings = settings or {}
  settings.virustotal = { tier = tier }
  -- The day's quota is not waited for, also in the last hour of a day.
  if tier and tier.per_minute == 0 then settings.max_wait = "1s" end
  workspace.simulated({ settings = settings }, use)
end

local function outcomes(document)
  local words = {}
  for _, entity in ipairs(document.entities) do table.insert(words, entity.outcome) end
  return table.concat(words, " ")
end

describe("apogee quota", function()
  it("says what is used and left, when it returns, and who spent it", function()
    with(PUBLIC, function(w)
      w:json(look_up { EICAR, hash_of(1) })
      w:run { "action", "scan_ip", "--entity", "8.8.8.8" }
      local quota, ran = w:json { "quota", "--format", "json" }
      assert.equal(0, ran.exit)
      assert.equal("apogee.quota/1", quota.schema)
      assert.same({ 3, 4, 1 }, { quota.minute.used, quota.minute.limit, quota.minute.left })
      assert.same({ 3, 500, 497 }, { quota.day.used, quota.day.limit, quota.day.left })
      assert.same({ 3, 15500, 15497 }, { quota.month.used, quota.month.limit, quota.month.left })
      for _, window in ipairs { quota.minute, quota.day, quota.month } do
        assert.matches(UTC, window.returns)
      end
      assert.matches("T00:00:00Z$", quota.day.returns)
      assert.same({
        { name = "action scan_hash", today = 2, this_month = 2 },
        { name = "action scan_ip", today = 1, this_month = 1 },
      }, quota.spent_by)
      local text = w:run { "quota" }.out
      assert.matches("minute%s+3%s+4%s+1%s+%d+%-", text)
      assert.matches("2%s+2%s+action scan_hash\n", text)
      assert.matches("No submission is pending", text)
    end)
  end)

  it("lists submissions that are open", function()
    local url = "http://unknown.example.com/"
    workspace.simulated({
      scenario = "return { scan_ms = 3600000, answers = { ['url/report " .. url
        .. "'] = { { code = 0 } } } }",
    }, function(w)
      local ran = w:run { "action", "scan_url", "--param", "threshold=3", "--param",
        "submit_unknown=true", "--entity", url, "--deadline", "2s" }
      assert.equal(4, ran.exit, ran.err)
      local quota = w:json { "quota", "--format", "json" }
      assert.equal(1, #quota.pending)
      assert.equal("url_scan", quota.pending[1].kind)
      assert.equal(url, quota.pending[1].resource)
      assert.is_string(quota.pending[1].waited_for)
      assert.matches(UTC, quota.pending[1].since)
      assert.matches("url_scan%s+http://unknown%.example%.com/\n", w:run({ "quota" }).out)
    end)
  end)

  it("needs no network, but the key", function()
    workspace.with(function(w)
      w:configure { virustotal = { url = "http://127.0.0.1:9/", tier = PUBLIC } }
      assert.equal(0, w:json({ "quota", "--format", "json" }).day.used)
      w:configure { virustotal = { url = "http://127.0.0.1:9/", api_key = "env:NOBODY" } }
      local ran = w:run { "quota" }
      assert.equal(2, ran.exit)
      assert.equal("", ran.out)
      assert.matches("NOBODY", ran.err)
      ran = program.run({ "quota" }, nil, { HOME = w.folder })
      assert.equal(2, ran.exit)
      assert.matches("there is no API key", ran.err)
      assert.is_nil(ran.err:find("--simulate", 1, true))
    end)
  end)

  it("takes no operand", function()
    workspace.with(function(w)
      w:write("config.lua", "return {}\n")
      local ran = w:run { "quota", "today" }
      assert.equal(2, ran.exit)
      assert.matches('"today" is one too many', ran.err)
    end)
  end)
end)

describe("a reserve", function()
  local DAY = { per_minute = 0, per_day = 5, per_month = 0, list = 4, premium = false }

  it("is left for others: what goes below it is limited, and says when quota returns", function()
    with(DAY, function(w)
      local document, ran = w:json(look_up({ hash_of(1), hash_of(2), hash_of(3), hash_of(4) },
        "--reserve", "3"))
      assert.equal(1, ran.exit)
      assert.equal(2, document.cost.quota)
      assert.equal(2, #w:json({ "cache", "--list", "--format", "json" }).entries)
      local reason = document.entities[4].reason
      assert.equal("limited", document.entities[4].outcome)
      assert.matches("reserved for others", reason)
      assert.matches("%d%d%d%d%-%d%d%-%d%dT00:00:00Z", reason)
      assert.matches("apogee quota", ran.err)
      assert.equal(3, w:json(look_up { hash_of(5), hash_of(6), hash_of(7) }).cost.quota)
    end)
  end)

  it("that is all of the day is an error", function()
    with(DAY, function(w)
      local ran = w:run(look_up({ EICAR }, "--reserve", "5"))
      assert.equal(2, ran.exit)
      assert.matches("reserve is 5, and the quota of a day 5", ran.err)
    end)
  end)

  it("may be a setting", function()
    with(DAY, function(w)
      assert.equal("limited", outcomes(w:json(look_up({ hash_of(1), hash_of(2) }))):match "limited")
      assert.matches("leave the last 4 of the day", w:run({ "quota" }).out)
    end, { reserve = 4 })
  end)
end)

describe("when the quota is spent for good", function()
  it("what was fetched before is still answered", function()
    local tier = { per_minute = 0, per_day = 2, per_month = 0, list = 4, premium = false }
    with(tier, function(w)
      assert.equal("reported reported", outcomes(w:json(look_up { hash_of(1), hash_of(2) })))
      local hashes = {}
      for i = 1, 40 do hashes[i] = hash_of(100 + i) end
      table.insert(hashes, hash_of(1))
      local document = w:json(look_up(hashes, "--jobs", "1"))
      assert.equal("reported", document.entities[41].outcome)
      assert.equal(1, document.cost.cached)
      assert.equal("limited", document.entities[1].outcome)
      assert.equal(0, document.cost.requests)
    end)
  end)
end)

describe("--max-age", function()
  it("is stronger than the lifetimes, in both directions", function()
    local cache = { report = 0, not_found = 0 }
    with(PUBLIC, function(w)
      w:json(look_up { EICAR })
      assert.equal(0, w:json(look_up({ EICAR })).cost.cached)
      local old = w:json(look_up({ EICAR }, "--max-age", "1d"))
      assert.equal(1, old.cost.cached)
      assert.equal("integer", math.type(math.tointeger(old.entities[1].age)))
      local fresh = w:json(look_up({ EICAR }, "--max-age", "0"))
      assert.equal(0, fresh.cost.cached)
      assert.is_nil(fresh.entities[1].age)
    end, { cache = cache })
  end)

  it("is for what VirusTotal does not know, too", function()
    local scenario = ("return { answers = { ['file/report %s'] = { { code = 0 } } } }")
      :format(EICAR)
    workspace.simulated({ scenario = scenario }, function(w)
      local first = w:json(look_up { EICAR })
      assert.equal("not_found", first.entities[1].outcome)
      assert.is_nil(first.entities[1].age)
      local again = w:json(look_up({ EICAR }))
      assert.equal(1, again.cost.cached)
      assert.is_number(again.entities[1].age)
      assert.equal(0, w:json(look_up({ EICAR }, "--max-age", "0s")).cost.cached)
    end)
  end)
end)

describe("apogee cache", function()
  it("lists, explains and purges what is kept", function()
    with(nil, function(w)
      w:json(look_up { EICAR })
      w:json { "action", "scan_ip", "--entity", "8.8.8.8", "--format", "json" }
      local sum = w:json { "cache", "--format", "json" }
      assert.same({ "apogee.cache/1", 2, 0, 2 },
        { sum.schema, sum.reports, sum.not_found, sum.good })
      assert.is_true(sum.bytes > 1000)
      local list = w:json { "cache", "--list", "--format", "json" }
      assert.equal("file", list.entries[1].kind)
      assert.equal(3, #list.entries[1].keys)
      assert.same({ "8.8.8.8" }, list.entries[2].keys)
      local about = w:json { "cache", EICAR_SHA256:upper(), "1.2.3.4", "--format", "json" }
      assert.equal("filehash", about.indicators[1].type)
      local entry = about.indicators[1].entries[1]
      assert.is_true(entry.is_good)
      assert.matches(UTC, entry.fetched)
      assert.matches(UTC, entry.good_until)
      assert.same({}, about.indicators[2].entries)
      local stale = w:json { "cache", EICAR, "--format", "json", "--max-age", "0" }
      assert.is_false(stale.indicators[1].entries[1].is_good)
      local shown = w:run({ "cache" }).out
      assert.matches('^2 reports and 0 times "not found" are kept %([%d.]+%a+%); 2 of them', shown)
      assert.matches(("\nThe oldest was fetched at %s, the newest at %s%%.\n$"):format(WHEN, WHEN),
        shown)
      shown = w:run({ "cache", "--list" }).out
      assert.matches(("^file +report +%%S+ +%s +until %s +%%x+ %%x+ %%x+\n"):format(WHEN, WHEN),
        shown)
      assert.matches("\nip +report [^\n]+ 8%.8%.8%.8\n\n2 reports", shown)
      shown = w:run({ "cache", EICAR, "1.2.3.4", "--max-age", "0" }).out
      assert.matches(("^%s\n  file +report [^\n]+ ended [^\n]+%s"):format(EICAR, EICAR_SHA256),
        shown)
      assert.matches("\n\n1%.2%.3%.4\n  nothing is kept of it\n$", shown)
      assert.equal("0 answers were removed.\n",
        w:run({ "cache", "--purge", "--older-than", "1h" }).out)
      assert.equal("1 answer was removed.\n", w:run({ "cache", "--purge", EICAR_SHA256 }).out)
      assert.equal(1, w:json({ "cache", "--purge", "--format", "json" }).purged)
      assert.equal(0, w:json({ "cache", "--format", "json" }).reports)
    end)
  end)

  it("finds a domain by a host, a URL and a user of it", function()
    with(nil, function(w)
      w:json { "action", "get_domain_report", "--entity", "www.example.com", "--format", "json" }
      for _, indicator in ipairs {
        "mail.example.com", "http://example.com/x", "ana@example.com",
      } do
        local about = w:json { "cache", indicator, "--format", "json" }
        assert.same({ "example.com" }, about.indicators[1].entries[1].keys, indicator)
      end
    end)
  end)

  for _, case in ipairs {
    { { "--older-than", "1d" }, "%-%-older%-than goes with %-%-purge" },
    { { "--purge", "--older-than", "old" }, "it must be a duration" },
    { { "--list", "--purge" }, "it goes alone" },
    { { "--list", EICAR }, "it goes alone" },
    { { "--format", "ndjson" }, "it must be table or json" },
  } do
    it("refuses " .. table.concat(case[1], " "), function()
      workspace.with(function(w)
        w:write("config.lua", "return {}\n")
        local ran = w:run { "cache", table.unpack(case[1]) }
        assert.equal(2, ran.exit)
        assert.matches(case[2], ran.err)
      end)
    end)
  end
end)
