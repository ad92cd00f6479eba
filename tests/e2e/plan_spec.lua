-- What a plan says of a run, and that it sends nothing.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local PUBLIC = { per_minute = 4, per_day = 500, per_month = 15500, list = 4, premium = false }

local function plan(w, target, entities, ...)
  local args = { "plan", target, "--format", "json", ... }
  for _, entity in ipairs(entities) do
    table.insert(args, "--entity")
    table.insert(args, entity)
  end
  return w:json(args)
end

local function ends(range) return ("%d-%d"):format(range.least, range.most) end

local function with(tier, use, settings)
  settings = settings or {}
  settings.virustotal = { tier = tier }
  workspace.simulated({ settings = settings }, function(w)
    use(w)
  end)
end

local ASKING = [[
return require "apogee.action" {
  id = "ask", name = "Ask", doc = "Asks.", accepts = { "ip_address" },
  returns = "is_success", needs = { http = { "api.example.com" } },
  rate = { 10, per = "minute" }, params = { { "often", type = "boolean", default = false } },
  cost = function(params, entity)
    return { http = { least = 1, most = params.often and 3 or 1 } }
  end,
  run = function(ctx, entity)
    if entity.internal then return ctx.skipped "internal" end
    local answer, message, code = http.get "https://api.example.com/"
    if not answer then return ctx.from_error(message, code) end
    if ctx.params.often then http.get "https://api.example.com/2" end
    return ctx.reported()
  end,
}
]]

describe("apogee plan", function()
  it("counts lists, and sends nothing", function()
    with(PUBLIC, function(w)
      local hashes = {}
      for i = 1, 9 do hashes[i] = ("%032x"):format(i) end
      table.insert(hashes, hashes[1])
      local made, ran = plan(w, "scan_hash", hashes, "--param", "threshold=3")
      assert.equal(0, ran.exit)
      assert.equal("apogee.plan/1", made.schema)
      assert.equal("3-3", ends(made.total.requests))
      assert.equal("9-9", ends(made.total.quota))
      assert.equal("2-2", ends(made.time.minutes))
      assert.same({ filehash = 9 }, made.entities.types)
      assert.equal("yes", made.time.fits)
      assert.equal(500, made.time.day_left)
      assert.same({}, w:requests())
    end)
  end)

  it("costs what the run then costs", function()
    with(nil, function(w)
      local entities = { EICAR, ("0"):rep(31) .. "1", "www.example.com", "http://example.com/" }
      local args = { "--param", "threshold=3" }
      local made = plan(w, "triage", entities, table.unpack(args))
      local run = w:json { "run", "triage", "--format", "json", "--param", "threshold=3",
        "--comments", "none", "--entity", entities[1], "--entity", entities[2],
        "--entity", entities[3], "--entity", entities[4] }
      local quota = 0
      for _, step in ipairs(run.steps) do quota = quota + step.cost.quota end
      assert.is_true(made.total.quota.least <= quota and quota <= made.total.quota.most,
        ends(made.total.quota) .. " and not " .. quota)
      local again = plan(w, "triage", entities, "--comments", "none", table.unpack(args))
      assert.equal("0-0", ends(again.total.quota))
      assert.is_true(again.total.cached >= 3)
    end)
  end)

  it("tells the ledger's numbers, and that a day is not enough", function()
    local tier = { per_minute = 4, per_day = 6, per_month = 100, list = 4, premium = false }
    with(tier, function(w)
      w:json { "action", "scan_ip", "--entity", "8.8.8.8", "--entity", "9.9.9.9", "--format",
        "json" }
      local hashes = {}
      for i = 1, 5 do hashes[i] = ("%032x"):format(i) end
      local made = plan(w, "scan_hash", hashes, "--param", "threshold=3")
      assert.equal(4, made.time.day_left)
      assert.equal(98, made.time.month_left)
      assert.equal("not today", made.time.fits)
      assert.equal(3, plan(w, "scan_hash", hashes, "-p", "threshold=3", "--reserve", "1").time
        .day_left)
      local text = w:run({ "plan", "scan_hash", "-p", "threshold=3", "--entity", hashes[1] }).out
      assert.matches("4 of the day's quota are left", text)
    end)
  end)

  it("counts submissions that would become public, rescans and polls, at most and at least",
    function()
      with(PUBLIC, function(w)
        local made = plan(w, "scan_url", { "http://a.example.com/", "http://b.example.com/" },
          "-p", "threshold=3", "-p", "rescan_after_days=7")
        assert.equal("2-6", ends(made.total.quota))
        assert.equal("0-2", ends(made.total.public))
        local none = plan(w, "scan_url", { "http://a.example.com/" }, "-p", "threshold=3", "-p",
          "submit_unknown=false")
        assert.equal("0-0", ends(none.total.public))
        assert.equal("1-1", ends(none.total.quota))
      end)
    end)

  it("says what is skipped and why", function()
    with(PUBLIC, function(w)
      local made = plan(w, "scan_ip", { "10.0.0.1", "8.8.8.8" })
      assert.same(
        { count = 1, examples = { { entity = "10.0.0.1", reason = "an internal address" } } },
        made.steps[1].skipped)
      assert.equal("1-1", ends(made.total.quota))
    end)
  end)

  it("needs no key", function()
    workspace.with(function(w)
      w:write("config.lua", "return {}\n")
      local made = plan(w, "scan_ip", { "8.8.8.8" })
      assert.is_false(made.time.usage_is_known)
      assert.equal("1-1", ends(made.total.quota))
    end)
  end)

  local PLAYBOOK = [[
    return require "apogee.playbook" {
      name = "P", doc = "For plans.",
      steps = {
        { "hashes", action = "scan_hash", on = function(case) return case:of("filehash") end,
          with = { threshold = 3 } },
        { "never", action = "scan_ip", when = function() return false end },
        { "always", action = "scan_ip", when = function() return true end },
        { "perhaps", action = "scan_url", when = function(case) return case.hashes.is_risky end,
          with = { threshold = 3, submit_unknown = false } },
        { "named", action = "scan_ip", when = "hashes" },
        { "marked", action = "get_domain_report",
          on = function(case) return case:of("hostname"):suspicious() end },
        { "told", action = "get_domain_report", on = { "hostname" },
          with = { exact_host = function(case) return case.hashes.is_risky end } },
      },
    }
  ]]

  it("says if, where a step depends on what an earlier one finds", function()
    with(PUBLIC, function(w)
      local path = w:write("p.lua", PLAYBOOK)
      local made = plan(w, path, { EICAR, "8.8.8.8", "http://a.example.com/", "www.example.com" })
      local steps = {}
      for _, step in ipairs(made.steps) do steps[step.step] = step end
      local null = require "cjson".null
      assert.equal(null, steps.hashes.condition)
      assert.equal("1-1", ends(steps.hashes.quota))
      assert.equal("its condition does not hold", steps.never.left_out)
      assert.equal(null, steps.always.condition)
      assert.equal("if its condition holds", steps.perhaps.condition)
      assert.equal("1-1", ends(steps.perhaps.quota))
      assert.equal("if hashes is risky", steps.named.condition)
      assert.equal(1, steps.named.shared)
      assert.equal("if the step before says so", steps.marked.condition)
      assert.equal("1-1", ends(steps.told.quota))
      assert.equal("3-5", ends(made.total.quota))
      assert.matches("only if its condition holds", w:run({ "plan", path, "--entity", EICAR }).out)
      local left = plan(w, path, { EICAR }, "--only", "hashes")
      assert.equal("1-1", ends(left.total.quota))
    end)
  end)

  local ACTION = [[
    return require "apogee.action" {
      id = "mine", name = "Mine", doc = "Custom.", accepts = { "filehash" }, needs = { "vt" },
      returns = "is_success",
      run = function(ctx, entity)
        local report = vt.file_report(entity.identifier)
        if not report then return ctx.not_found() end
        if not vt.domain_report "example.com" then error "a bug" end
        return ctx.reported(report)
      end,
    }
  ]]

  it("knows what a custom action costs, and what it cannot know of it", function()
    with(PUBLIC, function(w)
      local path = w:write("mine.lua", ACTION)
      local made = plan(w, path, { EICAR })
      assert.equal("1-2", ends(made.total.quota))
      assert.matches("a bug", made.steps[1].problems[1])
      assert.matches("cannot be planned in full: .*a bug",
        w:run({ "plan", path, "--entity", EICAR }).out)
    end)
  end)

  it("tells how often other services are asked, as the action says", function()
    with(nil, function(w)
      local path = w:write("ask.lua", ASKING)
      local entities = { "ip_address:192.0.2.1", "ip_address:198.51.100.1", "ip_address:10.0.0.1" }
      local made = plan(w, path, entities, "--often")
      assert.equal("2-6", ends(made.steps[1].outside))
      assert.equal("2-6", ends(made.total.outside))
      assert.same({}, made.steps[1].problems)
      assert.equal("0-0", ends(made.total.requests))
      local said = w:run({ "plan", path, "--entity", entities[1] }).out
      assert.matches("\n    requests to other services: 1 (at most 10 a minute)\n", said, 1, true)
      assert.matches("\nOther services are asked in 1 request.\n", said, 1, true)
      w:write("ask.lua", (ASKING:gsub("least = 1, most = params.often and 3 or 1",
        "least = 0, most = 0")))
      made = plan(w, path, { entities[1] })
      assert.equal("0-1", ends(made.total.outside))
      assert.same({ "cost says at most 0 requests to other services, and it makes 1" },
        made.steps[1].problems)
    end)
  end)

  it("says where an action does not end", function()
    with(nil, function(w)
      for _, fields in ipairs {
        'accepts = { "ip_address" }, run = function() while true do end end',
        'accepts = { "ip_address" }, run = function(ctx) return ctx.reported() end, '
          .. "cost = function() while true do end end",
        "run_case = function() while true do end end",
      } do
        local path = w:write("spin.lua", ([[return require "apogee.action" {
          id = "spin", name = "Spin", doc = "Spins.", returns = "is_success",
          needs = { http = { "api.example.com" } }, %s }]]):format(fields))
        local problems = plan(w, path, { "ip_address:192.0.2.1" }).steps[1].problems
        assert.matches("ran for more than .* instructions", problems[1])
      end
    end)
  end)

  it("plans a folder of another machine as far as it can", function()
    with(nil, function(w)
      local made = plan(w, "upload_and_scan_file", {}, "--folder", "/srv", "--file-paths", "/a",
        "--linux-server-address", "files.example.com", "--linux-user", "ana")
      assert.equal(cjson.null, made.steps[1].left_out)
      assert.same({ "what other hosts hold is not known to a plan" }, made.steps[1].problems)
    end)
  end)

  it("refuses what run refuses", function()
    with(PUBLIC, function(w)
      for _, args in ipairs {
        { "plan" }, { "plan", "nosuch" }, { "plan", "scan_hash" },
        { "plan", "scan_hash", "-p", "threshold=0" }, { "plan", "triage", "--only", "nosuch" },
        { "plan", "scan_hash", "-p", "threshold=3", "--entities", "nosuch.txt" },
      } do
        local ran = w:run(args)
        assert.equal(2, ran.exit, table.concat(args, " "))
        assert.equal("", ran.out)
      end
    end)
  end)
end)
