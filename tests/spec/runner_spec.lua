-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local play = require "spec.support.play"

local function steps(text) return "steps = { " .. text .. " }" end

local function hashes(...) return { entities = play.entities("filehash", ...) } end

describe("a playbook", function()
  it("runs its steps in order, each on the entities of its action", function()
    local entities = play.entities("filehash", "risky 1")
    table.insert(entities, { identifier = "clean 2", type = "user" })
    local exit, engine = play.run(
      steps '{ "a", action = "look" }, { "b", run = function(case) case:tag(case.a.status) end }',
      { entities = entities })
    assert.equal(0, exit)
    assert.same({ a = "completed", b = "completed" }, play.statuses(engine))
    assert.equal(1, engine.counts(1).of)
    assert.same({
      playbook = "P", params = {}, status = "completed", exit = 0, tags = { "completed" },
      score = 0,
    }, engine.finished)
  end)

  it("tells the record of its steps before any runs, in the playbook's order", function()
    local _, engine = play.run(steps [[
      { { "a", action = "look" }, { "b", action = "look" } },
      { "c", run = function() end } ]])
    assert.same({
      { name = "a", action = "look", title = "Look", provider = "VirusTotal",
        result_name = "is_risky", json_by_entity = false },
      { name = "b", action = "look", title = "Look", provider = "VirusTotal",
        result_name = "is_risky", json_by_entity = false },
      { name = "c", title = "c", json_by_entity = false },
    }, { engine.steps[1].info, engine.steps[2].info, engine.steps[3].info })
  end)

  it("gives steps constants, its parameters, and what functions work out", function()
    local _, engine = play.run([[params = { { "word", type = "string" } }, ]] .. steps [[
      { "a", action = "look", with = { note = "$word" } },
      { "b", action = "look", on = "url", with = { note = function(case)
        return "after " .. case.a.status end } } ]],
      {
        entities = {
          { identifier = "clean 1", type = "filehash" }, { identifier = "clean 2", type = "url" },
        },
        args = { params = { { "word", "hello" } } },
      })
    assert.equal("hello", engine.entities[1].enrichment.params)
    assert.equal("after completed", engine.entities[2].enrichment.params)
    assert.same({ word = "hello" }, engine.finished.params)
  end)

  it("leaves a parameter out when the $parameter has no value", function()
    local exit, engine = play.run('params = { { "limit", type = "integer" } }, '
      .. steps '{ "a", action = "look", with = { threshold = "$limit" } }')
    assert.equal(0, exit)
    assert.same({}, engine.finished.params)
  end)

  it("takes a required parameter from a function, and checks it when the step runs", function()
    local source = [[ { "a", action = "strict", with = { threshold = function() return %s end } } ]]
    local entities = play.entities("url", "clean 1")
    assert.equal(0, (play.run(steps(source:format "1"), { entities = entities })))
    local exit, engine = play.run(steps(source:format "nil"), { entities = entities })
    assert.equal(1, exit)
    assert.same({
      status = "failed", result = false,
      message = "a: threshold: is required (integer, 1 or more)",
    }, engine.steps[1].ended)
  end)

  it("refuses a $parameter's value that the action refuses, before anything runs", function()
    local exit, engine, message = play.run('params = { { "limit", type = "integer" } }, '
      .. steps '{ "a", action = "look", with = { threshold = "$limit" } }',
      { args = { params = { { "limit", "0" } } } })
    assert.equal(2, exit)
    assert.equal("a: threshold: 0 is too small: it must be 1 or more", message)
    assert.same({}, engine.steps)
  end)

  it("shows secret parameters as stars", function()
    local _, engine = play.run('params = { { "key", type = "secret" } }, '
      .. steps '{ "a", action = "look" }', { args = { params = { { "key", "env:K" } } } })
    assert.same({ key = "***" }, engine.finished.params)
  end)

  it("chooses entities with a function, of the types that the action accepts", function()
    local _, engine = play.run(
      steps '{ "a", action = "look", on = function(case) return case:external() end }',
      { entities = {
        { identifier = "clean 1", type = "url" },
        { identifier = "clean 2", type = "url", internal = true },
        { identifier = "clean 3", type = "user" },
      } })
    assert.equal(1, engine.counts(1).of)
  end)

  it("runs an action of the whole case", function()
    local exit, engine = play.run(steps '{ "a", action = "whole", with = { how = "fine" } }',
      { entities = play.entities("url", "clean 1") })
    assert.equal(0, exit)
    assert.same({ status = "completed", result = true, message = "fine with 1 URLs" },
      engine.steps[1].ended)
  end)

  it("shows functions what a step found", function()
    local _, engine = play.run(steps [[
      { "a", action = "look" },
      { "b", run = function(case)
        case:tag(case.a.coverage.checked .. " of " .. case.a.coverage.of)
        case:tag(#case.a.entities .. " entities")
        case:tag(case.a.message:match "^[^.]+")
      end },
      { "c", run = function(case) case:tag(tostring(case.b.is_success) .. case.b.message) end } ]],
      hashes("clean 1", "missing 2", "scanned 3", "failed 4"))
    assert.same({ "3 of 4", "4 entities", "3 of 4 entities were checked", "trueDone." },
      engine.finished.tags)
  end)

  it("starts no task when there is nothing to do", function()
    local _, engine = play.run(steps '{ "a", action = "look" }', { setup = function(engine)
      function engine.run_entities() error "started" end
    end })
    assert.same({
      status = "completed", result = false,
      message = "Nothing to do: there are no file hashes and URLs to work on.",
    }, engine.steps[1].ended)
  end)
end)

describe("when", function()
  local function ran(when, ...)
    local _, engine = play.run(steps(('{ "a", action = "look" }, '
      .. '{ "b", run = function(case) case:tag "ran" end, when = %s }'):format(when)), hashes(...))
    return engine.finished.tags[1] == "ran", fake.step(engine, "b").ended
  end

  for _, case in ipairs {
    { "function(case) return case.a.is_risky end", true },
    { "function(case) return not case.a.is_risky end", false },
    { "function() end", false },
    { '"a"', true },
  } do
    it(("%s is %s after a risky step"):format(case[1], case[2]), function()
      local is_run, ended = ran(case[1], "risky 1")
      assert.equal(case[2], is_run)
      assert.equal(case[2] and "completed" or "not_run", ended.status)
    end)
  end

  it("by a step's name asks for its result", function()
    local is_run, ended = ran('"a"', "clean 1")
    assert.is_false(is_run)
    assert.same({
      status = "not_run", result = false, message = "Not run: its condition does not hold.",
    }, ended)
  end)

  it("by the name of a step that did not run is not met", function()
    local _, engine = play.run(steps [[
      { "a", action = "look" }, { "b", run = function() end, when = "a" } ]],
      { entities = play.entities("filehash", "risky 1"), args = { skip = { "a" } } })
    assert.same({ a = "not_run", b = "not_run" }, play.statuses(engine))
  end)

  it("that raises fails the step", function()
    local is_run, ended = ran("function(case) return case.b.x.y end")
    assert.is_false(is_run)
    assert.equal("failed", ended.status)
    assert.matches("^when: ", ended.message)
  end)

  it("that names a step which there is not, fails and names the nearest", function()
    local _, ended = ran("function(case) return case.bb.is_risky end")
    assert.matches('there is no step "bb"', ended.message)
  end)

  it("reads a step that did not run as not risky, with its status", function()
    local _, engine = play.run(steps [[
      { "a", action = "look", when = function() return false end },
      { "b", run = function(case)
        case:tag(case.a.status)
        case:tag(tostring(case.a.is_risky) .. tostring(case.a.is_success))
        case:tag(case.a.coverage.checked .. "/" .. case.a.coverage.of)
        case:tag(#case.a.entities .. " entities")
      end } ]], hashes "risky 1")
    assert.same({ "not_run", "falsefalse", "0/0", "0 entities" }, engine.finished.tags)
  end)
end)

describe("on_error", function()
  local REFUSED = { refused = "HTTP 403 on file/report" }

  local function run(on_error, state, ...)
    local given = hashes(...)
    given.state = state
    return play.run(steps(('{ "a", action = "look"%s }, { "b", run = function() end }')
      :format(on_error)), given)
  end

  for _, case in ipairs {
    { "", "not_run" }, { ', on_error = "stop"', "not_run" },
    { ', on_error = "continue"', "completed" },
  } do
    it("is tripped by a step that failed" .. case[1], function()
      local exit, engine = run(case[1], REFUSED, "forbidden 1")
      assert.equal(3, exit)
      assert.equal("failed", engine.finished.status)
      assert.equal(case[2], play.statuses(engine).b)
    end)
  end

  for _, word in ipairs { "failed", "raise", "limited", "forbidden", "denied", "pending" } do
    it(("is not tripped by an entity that ended %s"):format(word), function()
      local exit, engine = run("", {}, word .. " 1")
      assert.equal(word == "pending" and 4 or 1, exit)
      assert.equal("completed", play.statuses(engine).b)
    end)
  end

  it("is tripped by a function that raises, which leaves the run done in part", function()
    local exit, engine = play.run(
      steps '{ "a", run = function() error "boom" end }, { "b", run = function() end }')
    assert.equal(1, exit)
    assert.same({ a = "failed", b = "not_run" }, play.statuses(engine))
    assert.matches("boom", engine.steps[1].ended.message)
    assert.matches('"a" failed', engine.steps[2].ended.message)
    assert.equal("completed", engine.finished.status)
  end)

  for _, case in ipairs {
    { "an on that raises", "on = function() error 'boom' end", "boom" },
    { "an on that returns no entities", "on = function() return {} end",
      "on must return entities" },
    { "a value that raises", "with = { note = function() error 'boom' end }", "note: .*boom" },
    { "a value that is no data", "with = { note = function() return setmetatable({}, {}) end }",
      "^a: note: a table with a metatable is no data$" },
    { "a value of another type", "with = { note = function() return {} end }",
      "^a: note: must be a text, not a table$" },
    { "a value that the action refuses", "with = { threshold = function() return 0 end }",
      "^a: threshold: 0 is too small" },
  } do
    it("is tripped by " .. case[1], function()
      local exit, engine = play.run(steps(('{ "a", action = "look", %s }, '
        .. '{ "b", run = function() end }'):format(case[2])), hashes "clean 1")
      assert.equal(1, exit)
      assert.same({ a = "failed", b = "not_run" }, play.statuses(engine))
      assert.matches(case[3], engine.steps[1].ended.message)
    end)
  end

  it("leaves what later steps see of a broken step plain", function()
    local _, engine = play.run(steps [[
      { "a", action = "look", on = function() error "boom" end, on_error = "continue" },
      { "b", run = function(case)
        case:tag(case.a.status .. tostring(case.a.is_risky) .. tostring(case.a.is_success))
        case:tag(case.a.coverage.checked .. "/" .. case.a.coverage.of)
      end } ]], hashes "risky 1")
    assert.same({ "failedfalsefalse", "0/0" }, engine.finished.tags)
    assert.is_false(engine.steps[1].ended.result)
  end)

  it("of a step of a group is tripped, and names the first that failed", function()
    local _, engine = play.run(steps [[
      { { "a", run = function() end }, { "b", run = function() error "boom" end },
        { "c", run = function() error "boom" end } },
      { "d", run = function() end } ]])
    assert.equal('Not run: the step "b" failed.', fake.step(engine, "d").ended.message)
  end)

  it("of a step of a group may let the others go on", function()
    local _, engine = play.run(steps [[
      { { "a", run = function() end }, { "b", run = function() error "boom" end,
        on_error = "continue" } },
      { "c", run = function() end } ]])
    assert.same({ a = "completed", b = "failed", c = "completed" }, play.statuses(engine))
  end)

  it("runs nothing of a table that pretends to be entities", function()
    local _, engine = play.run(steps [[
      { "a", action = "look", on = function(case)
        return { of = function() case:tag "fooled" return {} end } end } ]])
    assert.equal("failed", play.statuses(engine).a)
    assert.same({}, engine.finished.tags)
  end)
end)

describe("a refused key", function()
  it("ends every later step that needs vt, and no other", function()
    local given = hashes "forbidden 1"
    given.state = { refused = "HTTP 403" }
    table.insert(given.entities, { identifier = "clean 2", type = "url" })
    local exit, engine = play.run(steps [[
      { "a", action = "look", on = "filehash", on_error = "continue" },
      { "b", action = "look", on = "url", on_error = "continue" },
      { "c", action = "strict", with = { threshold = 1 } } ]],
      given)
    assert.equal(3, exit)
    assert.same({ a = "failed", b = "failed", c = "completed" }, play.statuses(engine))
    assert.equal("Not run: VirusTotal refused the key: HTTP 403.", engine.steps[2].ended.message)
    assert.is_nil(engine.steps[2].set)
  end)

  it("that comes while a group runs fails the steps of the group that it met", function()
    local given = { entities = {
      { identifier = "clean 1", type = "filehash" }, { identifier = "forbidden 2", type = "url" },
    } }
    function given.setup(engine)
      local run_entities = engine.run_entities
      function engine.run_entities(step, ...)
        engine.run_state = step == 2 and { refused = "HTTP 403" } or {}
        return run_entities(step, ...)
      end
    end
    local exit, engine = play.run(steps [[
      { { "a", action = "look", on = "filehash" }, { "b", action = "look", on = "url" } },
      { "c", run = function() end } ]], given)
    assert.equal(3, exit)
    assert.same({ a = "completed", b = "failed", c = "not_run" }, play.statuses(engine))
  end)
end)

describe("a group", function()
  it("runs its steps through engine.all, a single one too", function()
    local sizes = {}
    play.run(steps [[
      { "a", run = function() end },
      { { "b", run = function() end }, { "c", run = function() end } } ]],
      { setup = function(engine)
        local all = engine.all
        function engine.all(functions)
          table.insert(sizes, #functions)
          return all(functions)
        end
      end })
    assert.same({ 1, 2 }, sizes)
  end)

  for stopped, status in pairs { deadline = "timed_out", signal = "interrupted" } do
    it("that comes behind the end by a " .. stopped .. " runs no function any more", function()
      local exit, engine = play.run(steps [[
        { "a", run = function() error "it ran" end },
        { "b", action = "look", when = function() error "it ran" end },
        { "c", action = "look", on = function() error "it ran" end },
        { "d", action = "look", with = { note = function() error "it ran" end } } ]], {
        entities = play.entities("filehash", "clean 1"), state = { stopped = stopped },
      })
      assert.equal(1, exit)
      assert.equal(status, engine.finished.status)
      assert.same({ a = "not_run", b = "not_run", c = "not_run", d = "not_run" },
        play.statuses(engine))
    end)
  end

  it("whose function is ended with the run ends as the run does", function()
    local _, engine = play.run(steps '{ "a", run = function() error "the run is ending" end }', {
      setup = function(engine)
        local call = engine.call
        function engine.call(...)
          engine.run_state = { stopped = "signal" }
          return call(...)
        end
      end,
    })
    assert.same({ a = "interrupted" }, play.statuses(engine))
  end)

  for stopped, status in pairs { deadline = "timed_out", signal = "interrupted" } do
    it("whose function waited through the end by a " .. stopped .. " is not completed", function()
      local cases = {
        ['{ "a", run = function() return true end }'] = status,
        ['{ "a", action = "look", when = function() end }'] = "not_run",
        ['{ "a", action = "look", on = function(case) return case:of("url") end }'] = status,
      }
      for step, expected in pairs(cases) do
        local exit, engine = play.run(steps(step), {
          entities = play.entities("filehash", "clean 1"),
          setup = function(engine)
            local call = engine.call
            function engine.call(...)
              engine.run_state = { stopped = stopped }
              return call(...)
            end
          end,
        })
        assert.same({ a = expected }, play.statuses(engine))
        assert.equal(status, engine.finished.status)
        assert.equal(1, exit)
      end
    end)
  end

  it("cannot hurt the run by what it does to its parameters", function()
    local exit, engine = play.run(steps '{ "a", action = "look" }', {
      entities = play.entities("filehash", "risky 1"), setup = function(engine)
        local run_entities = engine.run_entities
        function engine.run_entities(step, env, run, ctx)
          ctx.params.threshold = { "no number" }
          return run_entities(step, env, run, ctx)
        end
      end })
    assert.equal(0, exit)
    assert.matches("reaches the threshold of 3", play.statuses(engine) and
      engine.steps[1].ended.message)
  end)

  it("fails the step whose task raises, with what it raised", function()
    local exit, engine = play.run(
      steps '{ { "a", action = "look" }, { "b", run = function() end } }',
      { entities = play.entities("filehash", "clean 1"), setup = function(engine)
        function engine.run_entities() error("out of memory", 0) end
      end })
    assert.equal(1, exit)
    assert.same({ status = "failed", result = false, message = "out of memory" },
      engine.steps[1].ended)
    assert.equal("completed", play.statuses(engine).b)
  end)

  it("lets the others of the group end when one fails", function()
    local _, engine = play.run(steps [[
      { { "a", run = function() error "boom" end }, { "b", run = function() end } },
      { "c", run = function() end } ]])
    assert.same({ a = "failed", b = "completed", c = "not_run" }, play.statuses(engine))
  end)
end)

describe("--only and --skip", function()
  local SOURCE = steps [[
    { "a", run = function() end, tags = { "first" } },
    { "b", run = function() end, tags = { "second" } },
    { "c", run = function() end, tags = { "second" } } ]]

  for _, case in ipairs {
    { "--only b", { only = { "b" } }, { a = "not_run", b = "completed", c = "not_run" } },
    { "--only second", { only = { "second" } },
      { a = "not_run", b = "completed", c = "completed" } },
    { "--skip first,c", { skip = { "first", "c" } },
      { a = "not_run", b = "completed", c = "not_run" } },
    { "both", { only = { "second" }, skip = { "b" } },
      { a = "not_run", b = "not_run", c = "completed" } },
  } do
    it("take step names and tags: " .. case[1], function()
      local _, engine = play.run(SOURCE, { args = case[2] })
      assert.same(case[3], play.statuses(engine))
      for _, step in ipairs(engine.steps) do
        if step.ended.status == "not_run" then
          assert.matches("^Not run: left out by %-%-%a+%.$", step.ended.message)
          assert.is_false(step.ended.result)
        end
      end
    end)
  end

  it("say which of them left a step out", function()
    local _, engine = play.run(SOURCE, { args = { only = { "second" }, skip = { "b" } } })
    assert.equal("Not run: left out by --only.", fake.step(engine, "a").ended.message)
    assert.equal("Not run: left out by --skip.", fake.step(engine, "b").ended.message)
  end)

  it("take a step of a group too", function()
    local _, engine = play.run(steps [[
      { { "a", run = function() end, tags = { "x", "y" } }, { "b", run = function() end } } ]],
      { args = { only = { "y" } } })
    assert.same({ a = "completed", b = "not_run" }, play.statuses(engine))
  end)

  it("refuse a name that no name is near", function()
    local _, _, message = play.run(SOURCE, { args = { only = { "zzzzzz" } } })
    assert.equal("--only zzzzzz: no step has this name or tag", message)
  end)

  for _, option in ipairs { "only", "skip" } do
    it(("refuse a name that there is not: --%s"):format(option), function()
      local exit, _, message = play.run(SOURCE, { args = { [option] = { "secnd" } } })
      assert.equal(2, exit)
      assert.equal(("--%s secnd: no step has this name or tag; did you mean \"second\"?")
        :format(option), message)
    end)
  end
end)

describe("--fail-on-risky", function()
  for _, case in ipairs {
    { { "clean 1" }, 0 },
    { { "risky 1" }, 10 },
    { { "risky 1", "failed 2" }, 11 },
    { { "risky 1", "pending 2" }, 12 },
    { { "risky 1", "pending 2", "failed 3" }, 12 },
    { { "clean 1", "failed 2" }, 1 },
  } do
    it(("exits with %d for %s"):format(case[2], table.concat(case[1], ", ")), function()
      local given = hashes(table.unpack(case[1]))
      given.args = { fail_on_risky = true }
      local exit, engine = play.run(steps '{ "a", action = "look" }', given)
      assert.equal(case[2], exit)
      assert.equal(case[2], engine.finished.exit)
    end)
  end

  it("does not hide a refused key", function()
    local given = hashes("risky 1", "forbidden 2")
    given.args, given.state = { fail_on_risky = true }, { refused = "HTTP 403" }
    assert.equal(3, (play.run(steps '{ "a", action = "look" }', given)))
  end)
end)

describe("the exit code of a run", function()
  for _, case in ipairs {
    { "failed 1", "pending 2", 4 },
    { "pending 1", "clean 2", 4 },
    { "clean 1", "failed 2", 1 },
    { "clean 1", "missing 2", 0 },
    { "skipped 1", "clean 2", 0 },
    { "partial 1", "clean 2", 1 },
  } do
    it(("is the worst of its steps: %s, then %s"):format(case[1], case[2]), function()
      local exit = play.run(
        steps '{ "a", action = "look", on = "filehash" }, { "b", action = "look", on = "url" }',
        { entities = {
          { identifier = case[1], type = "filehash" }, { identifier = case[2], type = "url" },
        } })
      assert.equal(case[3], exit)
    end)
  end
end)

describe("run_case", function()
  for _, case in ipairs {
    { "fine", {}, "completed", 0 },
    { "bad", {}, "completed", 1 },
    { "failed", {}, "failed", 3 },
    { "bad", { stopped = "deadline" }, "timed_out", 1 },
    { "bad", { stopped = "signal" }, "interrupted", 1 },
    { "raise", {}, "failed", 1 },
  } do
    it(("that ends %s is %s, exit %d"):format(case[1], case[3], case[4]), function()
      local exit, engine = play.run(
        steps(('{ "a", action = "whole", with = { how = "%s" } }'):format(case[1])),
        { state = case[2] })
      assert.equal(case[4], exit)
      assert.equal(case[3], play.statuses(engine).a)
    end)
  end
end)

describe("run_case", function()
  local function ended(outcome)
    local _, engine = play.run(steps '{ "a", action = "bare" }', { setup = function(engine)
      engine.files["/actions/bare.lua"] = ([[return require "apogee.action" {
        id = "bare", name = "Bare", doc = "Says little.", returns = "is_risky",
        run_case = function(ctx) return ctx.done { %s } end }]]):format(outcome)
    end })
    return engine.steps[1].ended
  end

  it("need not say anything", function()
    assert.same({ status = "failed", result = false, message = "" }, ended "failed = true")
    assert.same({ status = "completed", result = false, message = "" }, ended "success = true")
  end)

  it("says why it failed", function()
    assert.same({ status = "failed", result = false, message = "no way" },
      ended "failed = true, message = 'no way'")
  end)
end)

describe("an action of items", function()
  for _, case in ipairs {
    { "raise", "boom", "failed", 1 },
    { "number", "^each must return a list: it is none$", "failed", 1 },
    { "metatable", "^each must return a list: a table with a metatable is no data$", "failed", 1 },
    { "none", "^0 of 0 files were checked%.$", "completed", 0 },
    { "two", "^2 of 2 files were checked%. 2 have a report: /a, /b%.$", "completed", 0 },
  } do
    it(("whose each gives %s is %s"):format(case[1], case[3]), function()
      local exit, engine = play.run(
        steps(('{ "a", action = "items", with = { mode = "%s" } }'):format(case[1])))
      assert.equal(case[4], exit)
      assert.equal(case[3], engine.steps[1].ended.status)
      assert.matches(case[2], engine.steps[1].ended.message)
    end)
  end
end)

describe("what is said beside the record", function()
  local function said(text, given)
    local _, engine = play.run(steps(text), given)
    return engine.said
  end

  it("is nothing of what goes well", function()
    assert.same({}, said('{ "a", action = "look" }, { "b", run = function() end }',
      hashes("risky 1", "missing 2", "skipped 3")))
  end)

  it("is a warning of what was done in part, an error of what failed", function()
    local given = hashes("clean 1", "failed 2")
    assert.same({
      { "warning", "Look: 1 of 2 entities was checked. 1 failed: failed 2 (because)." },
      { "error", "b: boom" },
    }, said([[{ "a", action = "look", on = "filehash" },
      { "b", run = function() error("boom", 0) end }]], given))
  end)

  it("is that there are no entities, where a step works on some", function()
    assert.same({
      { "note", "there are no entities: give some with --entities FILE or --entity TYPE:VALUE" },
    }, said('{ "a", action = "look" }', {}))
    assert.same({}, said('{ "a", run = function() end }', {}))
  end)
end)
