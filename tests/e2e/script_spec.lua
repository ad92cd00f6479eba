-- What scripts may do to a run, and what they may not.
-- SPDX-License-Identifier: Apache-2.0
local workspace = require "e2e.support.workspace"

local FIRST = "44d88612fea8a8f36de82e1278abb02f"
local SECOND = "22596363b3de40b06f981fb85d82312e8c0ed511"

--- Runs an action whose `run` has this body on two hashes.
local function running(body, check, given)
  given = given or {}
  workspace.simulated(given.simulator or {}, function(w)
    local path = w:write("mine.lua", ([[
      local shared = {}
      return require "apogee.action" {
        id = "mine", name = "Mine", provider = "Mine", doc = "For a test.",
        accepts = { "filehash" }, needs = { %s }, returns = "is_risky",
        params = { { "threshold", type = "integer", default = 3 } },
        run = function(ctx, entity) %s
        end,
      }]]):format(given.needs or "", body))
    local args = { "action", path, "--format", "json", "--entity", FIRST, "--entity", SECOND }
    for _, word in ipairs(given.options or {}) do table.insert(args, word) end
    local document, ran = w:json(args)
    local entities = {}
    for _, entity in ipairs(document.entities) do entities[entity.identifier] = entity end
    check(entities, document, ran, w)
  end)
end

local ON_FIRST = ('if entity.identifier == "%s" then '):format(FIRST)

describe("an action", function()
  it("that raises on one entity fails that one only", function()
    running(ON_FIRST .. 'error "boom" end return ctx.reported {}', function(entities, _, ran)
      assert.equal(1, ran.exit)
      assert.equal("failed", entities[FIRST].outcome)
      assert.matches("mine.lua:6: boom", entities[FIRST].reason)
      assert.equal("reported", entities[SECOND].outcome)
    end)
  end)

  it("that runs away on one entity is ended with its name and line", function()
    running(ON_FIRST .. "while true do end end return ctx.reported {}", function(entities, _, ran)
      assert.equal(1, ran.exit)
      assert.equal("failed", entities[FIRST].outcome)
      assert.matches("mine.lua:6: ran for more than", entities[FIRST].reason)
      assert.equal("reported", entities[SECOND].outcome)
    end)
  end)

  it("that returns no outcome is told so", function()
    for _, value in ipairs { "", "return 1", 'return { outcome = "fine" }' } do
      running(value, function(entities, _, ran)
        assert.equal(1, ran.exit)
        assert.equal("failed", entities[FIRST].outcome)
        assert.matches("must return an outcome", entities[FIRST].reason)
      end)
    end
  end)

  it("cannot write on another entity, nor on its own from elsewhere", function()
    running([[
      shared[#shared + 1] = entity
      clock.sleep(0.05)
      local other = shared[1] == entity and shared[2] or shared[1]
      local ok, message = pcall(other.enrich, other, "Mine", 1)
      entity:enrich("Says", tostring(message))
      entity:enrich("Other", other.identifier)
      return ctx.reported {}]], function(entities)
      for _, entity in pairs(entities) do
        assert.matches("works only in the action's run for this very entity",
          entity.enrichment.Mine.Says)
        assert.is_nil(entity.enrichment.Mine.Mine)
        assert.equal("string", type(entity.enrichment.Mine.Other))
      end
    end)
  end)

  it("reads an entity's fields, and cannot set them", function()
    running([[
      entity:enrich("Fields", { { entity.identifier, entity.type, entity.internal } })
      entity:enrich("Set", tostring((pcall(function() entity.internal = true end))))
      entity:enrich("Unknown", tostring(select(2, pcall(function() return entity.nothing end))))
      entity:mark_suspicious()
      entity:enrich("Suspicious", entity.suspicious)
      return ctx.reported {}]], function(entities)
      local mine = entities[FIRST].enrichment.Mine
      assert.same({ { FIRST, "filehash", false } }, mine.Fields)
      assert.equal("false", mine.Set)
      assert.matches('no field or method "nothing"', mine.Unknown)
      assert.is_true(mine.Suspicious)
      assert.is_true(entities[FIRST].suspicious)
    end)
  end)

  it("is told what is wrong with what it writes", function()
    local wrong = {
      ["entity:enrich('')"] = "a field has a name",
      ["entity:enrich('x', function() end)"] = "function",
      ["entity:insight { severity = 'bad', title = 'a', body = 'b' }"] = "severity must be",
      ["entity:insight { severity = 'info', body = 'b' }"] = "title must be a text",
      ["entity:table { title = 'a', columns = 1, rows = {} }"] = "columns must be a list",
      ["entity:link('javascript:alert(1)')"] = "begins with https",
      ["entity:link('https://a\\0b')"] = "no control characters",
      ["entity:result { detections = 1.5, risky = true }"] = "whole number",
      ["entity:result { detections = 1, risky = 1 }"] = "risky must be",
    }
    for call, message in pairs(wrong) do
      running(call .. " return ctx.reported {}", function(entities)
        assert.equal("failed", entities[FIRST].outcome)
        assert.matches(message, entities[FIRST].reason, 1, true)
      end)
    end
  end)

  it("has only what it needs", function()
    running("return ctx.reported(vt.file_report(entity.identifier))", function(entities)
      assert.equal("failed", entities[FIRST].outcome)
      assert.matches("vt", entities[FIRST].reason)
    end)
    running("return ctx.reported(vt.file_report(entity.identifier))", function(entities, document)
      assert.equal("reported", entities[FIRST].outcome)
      assert.equal(2, #document.json_result)
    end, { needs = '"vt"' })
  end)

  it("reads a report whole, however large its members", function()
    running([[
      local report = vt.file_report(entity.identifier)
      local seen, has_scans = 0, false
      for name, value in pairs(report) do
        seen = seen + 1
        has_scans = has_scans or name == "scans" and type(value) == "table"
      end
      entity:enrich("Pairs", has_scans)
      local again = vt.file_report(entity.identifier)
      local name = next(again.scans)
      entity:enrich("Field",
        math.type(again.positives) .. " " .. type(again.scans[name].detected))
      entity:enrich("Missing", tostring(again.no_such_member))
      local third = json.decode(json.encode(vt.file_report(entity.identifier)))
      entity:enrich("Json", third.scans[name].detected == again.scans[name].detected)
      entity:enrich("Metatable", tostring(getmetatable(again)))
      local engines = vt.engines(vt.file_report(entity.identifier))
      entity:enrich("Engines", engines.total > 60 and #engines.detecting <= engines.total)
      entity:enrich("None", tostring(vt.engines({ scans = {} })))
      again.scans = nil
      again.positives = 7
      entity:enrich("Own", again.positives)
      return ctx.reported(again)]], function(entities, document)
      assert.same({
        Pairs = true, Field = "integer boolean", Missing = "nil", Json = true,
        Metatable = "false", Engines = true, None = "nil", Own = 7,
      }, entities[FIRST].enrichment.Mine)
      assert.equal(2, #document.json_result)
      assert.not_equal(7, document.json_result[1].EntityResult.positives)
    end, { needs = '"vt"' })
  end)

  it("fails with another entity's report as its answer", function()
    running([[
      local report = vt.file_report(entity.identifier)
      shared[#shared + 1] = report
      clock.sleep(0.05)
      return ctx.reported(shared[1])]], function(entities, document)
      assert.equal(1, #document.json_result)
      local outcomes = { entities[FIRST].outcome, entities[SECOND].outcome }
      table.sort(outcomes)
      assert.same({ "failed", "reported" }, outcomes)
    end, { needs = '"vt"' })
  end)

  it("cannot hurt the run by its parameters", function()
    for _, value in ipairs { "true", "{ 'a' }" } do
      running(([[
        entity:result { detections = 5, risky = true }
        ctx.params.threshold = setmetatable({}, { __concat = function() while true do end end })
        shared.value = %s
        return ctx.reported {}]]):format(value), function(_, document, ran)
        assert.equal(0, ran.exit)
        assert.equal("completed", document.status)
      end)
    end
  end)

  it("is told what cannot be asked for", function()
    for call, message in pairs {
      ["vt.file_report('')"] = "nothing to ask for",
      ["vt.file_report('a\\r\\nb')"] = "control characters",
      ["vt.file_report(nil)"] = "string expected",
      ["vt.await('ip', 'x')"] = "invalid option",
      ["vt.await('file', {}, {})"] = "neither a scan id nor a resource",
      ["table.sort({ 1, 2 }, function() vt.file_report('a') end)"] = "cannot wait here",
    } do
      running(call .. " return ctx.reported {}", function(entities)
        assert.equal("failed", entities[FIRST].outcome)
        assert.matches(message, entities[FIRST].reason, 1, true)
      end, { needs = '"vt"' })
    end
  end)

  it("may wait inside a coroutine of its own", function()
    running([[
      local wrapped = coroutine.wrap(function()
        coroutine.yield(vt.file_report(entity.identifier))
      end)
      return ctx.reported(wrapped())]], function(entities, document)
      assert.equal("reported", entities[FIRST].outcome)
      assert.equal(2, #document.json_result)
    end, { needs = '"vt"' })
  end)
end)

describe("a set of entities", function()
  it("is chosen, joined and listed by a playbook", function()
    workspace.simulated({}, function(w)
      local path = w:write("p.lua", ([[
        return require "apogee.playbook" {
          name = "P",
          steps = {
            { "say", run = function(case)
                local urls, hashes = case:of("url"), case:of("filehash")
                local first = case:where(function(e) return e.identifier == "%s" end)
                local both = urls:union(first)
                case:tag(#urls .. " " .. #hashes .. " " .. #first .. " " .. #both)
                case:tag(#case:external() .. " external")
                case:tag(both:list(1)[1].identifier)
                case:tag(tostring(both))
                case:tag(tostring(select(2, pcall(both.of, {}, "url"))):sub(1, 60))
                case:tag(tostring(select(2, pcall(function() return both.nothing end))))
                case:tag(tostring(select(2, pcall(case.of, case, "urrl"))))
                case:tag(tostring(getmetatable(both)))
              end },
          },
        }]]):format(FIRST))
      local document, ran = w:json {
        "run", path, "--entity", "http://a.example.com/", "--entity", FIRST, "--entity", SECOND,
        "--entity", "http://10.0.0.1/", "--format", "json",
      }
      assert.equal(0, ran.exit)
      local tags = document.tags
      assert.same({ "2 2 1 3", "3 external", "http://a.example.com/", "a set of 3 entities" },
        { table.unpack(tags, 1, 4) })
      assert.matches("set of entities expected", tags[5])
      assert.matches('p.lua:%d+: a set of entities has no method "nothing"', tags[6])
      assert.matches('did you mean "url"', tags[7])
      assert.equal("false", tags[8])
    end)
  end)
end)

describe("a limit of instructions", function()
  it("is of an entity, and does not bind the engine's own Lua", function()
    workspace.simulated({ settings = { limits = { instructions = 100000 } } }, function(w)
      local document, ran = w:json { "run", "triage", "--entity", FIRST, "--format", "json" }
      assert.equal(0, ran.exit)
      assert.equal("completed", document.status)
    end)
    running(ON_FIRST .. "while true do end end return ctx.reported {}", function(entities)
      assert.matches("ran for more than 100000 instructions", entities[FIRST].reason)
    end, { simulator = { settings = { limits = { instructions = 100000 } } } })
  end)
end)
