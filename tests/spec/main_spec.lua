-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local main = require "apogee.main"

local function source(id, extra)
  return ([[
    return require "apogee.action" {
      id = "%s", name = "%s it", doc = "Does it.", accepts = { "url" }, returns = "is_success",
      run = function(ctx) return ctx.reported {} end, %s
    }
  ]]):format(id, id:upper(), extra or "")
end

local function run(args, files, lacking, secrets)
  local engine = fake.new {
    lacking = lacking, secrets = secrets,
    files = files or { ["/actions/go.lua"] = source "go" },
    entities = { { identifier = "http://a/", type = "url" } },
  }
  local exit, message = main.run(engine, args)
  return exit, message, engine
end

local function printed(engine) return table.concat(engine.printed) end

describe("action", function()
  for _, target in ipairs { "go", "GO it", "go IT", "/actions/go.lua" } do
    it(("is found as %s"):format(target), function()
      local exit, _, engine = run { command = "action", target = target }
      assert.equal(0, exit)
      assert.equal("go", engine.steps[1].info.name)
      assert.equal("completed", engine.steps[1].ended.status)
      assert.is_nil(engine.finished)
    end)
  end

  for _, case in ipairs {
    { "an unknown action", { target = "og" }, 'there is no action "og"' },
    { "the nearest", { target = "goo" }, 'there is no action "goo"; did you mean "go"?' },
    { "a file that there is not", { target = "/no.lua" }, "/no.lua: no such file" },
    { "an unknown parameter", { target = "go", params = { { "x", "1" } } },
      "x: unknown parameter: there are none" },
  } do
    it("exits with 2 and names " .. case[1], function()
      case[2].command = "action"
      local exit, message, engine = run(case[2])
      assert.equal(2, exit)
      assert.equal(case[3], message)
      assert.same({}, engine.steps)
    end)
  end

  it("takes what was typed as it is, and no $ for a reference", function()
    local files = { ["/actions/go.lua"] = source("go", [[
      params = { { "word", type = "string" } }, needs = {} ]]) }
    local exit = run({ command = "action", target = "go", params = { { "word", "$x" } } }, files)
    assert.equal(0, exit)
  end)

  it("is refused when a capability cannot be granted, before anything runs", function()
    local files = { ["/actions/go.lua"] = source("go", 'needs = { "sftp" },') }
    local exit, message, engine = run({ command = "action", target = "go" }, files, "sftp")
    assert.equal(2, exit)
    assert.equal("/actions/go.lua: needs: sftp is not there", message)
    assert.same({}, engine.steps)
  end)

  it("is refused when the configuration lacks a secret, before anything runs", function()
    local files = { ["/actions/go.lua"] = source("go", 'validate = function() secret "k" end,') }
    local exit, message, engine = run({ command = "action", target = "go" }, files)
    assert.equal(2, exit)
    assert.equal("the configuration has no k (go needs it)", message)
    assert.same({}, engine.steps)
  end)

  it("has its hosts, its pace and its secrets granted", function()
    local files = { ["/actions/go.lua"] = source("go", [[
      needs = { "vt", http = { "a.example:8443" } }, secrets = { "z" }, retries = 0,
      rate = { 10, per = "hour" }, validate = function() secret "k" secret 'k' end, ]]) }
    local exit, message, engine = run({ command = "action", target = "go" }, files, nil,
      { k = true, z = true })
    assert.equal(0, exit, message)
    assert.same({
      action = "go", hosts = { "a.example:8443" }, rate = 10, per_ms = 3600000, retries = 0,
      secrets = { "k", "z" },
    }, engine.terms)
  end)

  it("gets only what its manifest asks for", function()
    local files = { ["/actions/go.lua"] = source("go"):gsub("ctx.reported {}", "vt.file_report()") }
    local exit, _, engine = run({ command = "action", target = "go" }, files)
    assert.equal(1, exit)
    assert.matches("no global vt", engine.steps[1].ended.message)
  end)
end)

describe("an action that was asked for alone", function()
  it("says how to give a parameter that it needs", function()
    local exit, message = run({ command = "action", target = "go" }, {
      ["/actions/go.lua"] = source("go",
        'params = { { "threshold", type = "integer", min = 1, required = true } }'),
    })
    assert.equal(2, exit)
    assert.equal("threshold: is required (integer, 1 or more): give --threshold N",
      message)
  end)

  it("says when none of the entities is for it", function()
    local files = { ["/actions/go.lua"] = source("go"):gsub('"url"', '"user"') }
    local exit, _, engine = run({ command = "action", target = "go" }, files)
    assert.equal(0, exit)
    assert.same({ { "note", "GO it: Nothing to do: there are no users to work on." } },
      engine.said)
  end)

  it("says what the configuration lacks, and nothing of the file", function()
    local engine = fake.new { files = { ["/actions/go.lua"] = source("go", 'needs = { "vt" }') } }
    function engine.grant() return nil, "there is no API key", true end
    local exit, message = main.run(engine, { command = "action", target = "go" })
    assert.equal(2, exit)
    assert.equal("there is no API key", message)
  end)
end)

describe("run", function()
  local PLAYBOOK = [[return require "apogee.playbook" { name = "P",
    params = { { "n", type = "integer", min = 1 } }, steps = { { "a", action = "go" } } }]]

  for _, case in ipairs {
    { "a playbook that there is not", { target = "q" }, 'there is no playbook "q"' },
    { "a file that is no Lua", { target = "bad" }, "/playbooks/bad.lua:1: " },
    { "a playbook that is wrong", { target = "none" }, "/playbooks/none.lua: is no playbook" },
    { "a wrong parameter", { target = "p", params = { { "n", "0" } } },
      "n: 0 is too small: it must be 1 or more" },
  } do
    it("exits with 2 and says what is wrong with " .. case[1], function()
      case[2].command = "run"
      local exit, message, engine = run(case[2], {
        ["/actions/go.lua"] = source "go", ["/playbooks/p.lua"] = PLAYBOOK,
        ["/playbooks/bad.lua"] = "return {", ["/playbooks/none.lua"] = "return {}",
      })
      assert.equal(2, exit)
      assert.equal(case[3], message:sub(1, #case[3]))
      assert.same({}, engine.steps)
      assert.is_nil(engine.finished)
    end)
  end
end)

describe("a broken action", function()
  local FILES = {
    ["/actions/a_bad.lua"] = "return {", ["/actions/go.lua"] = source "go",
    ["/actions/twin_1.lua"] = source "twin", ["/actions/twin_2.lua"] = source "twin",
  }

  it("does not break the others", function()
    assert.equal(0, (run({ command = "action", target = "go" }, FILES)))
  end)

  it("says what is wrong when it is asked for", function()
    local exit, message = run({ command = "action", target = "a_bad" }, FILES)
    assert.equal(2, exit)
    assert.matches("^/actions/a_bad.lua:1: ", message)
  end)

  it("that has the id of another is refused with both files", function()
    local exit, message = run({ command = "action", target = "twin" }, FILES)
    assert.equal(2, exit)
    assert.equal('two files have the action "twin": /actions/twin_1.lua and /actions/twin_2.lua',
      message)
  end)

  it("is listed apart, with what is wrong", function()
    local exit, _, engine = run({ command = "list" }, FILES)
    assert.equal(0, exit)
    local text = printed(engine)
    assert.matches("ACTION +NAME +RUNS ON +RESULT +FROM\ngo +GO it +url +is_success +packaged\n",
      text)
    assert.matches("Broken, and left out:\n  /actions/a_bad.lua:1: ", text)
    assert.matches("twin_1.lua and /actions/twin_2.lua", text)
  end)
end)

describe("show", function()
  it("prints a page like a manual's", function()
    local files = { ["/actions/go.lua"] = source("go", [[
      needs = { "vt" },
      params = {
        { "threshold", type = "integer", min = 1, required = true, label = "Threshold",
          doc = "How many.", example = 3 },
        { "mode", type = "string", default = "all", enum = { "all", "none" } },
        { "key", type = "secret", required = true },
      }, ]]) }
    local exit, _, engine = run({ command = "show", target = "go" }, files)
    assert.equal(0, exit)
    local text = printed(engine)
    for _, part in ipairs {
      "NAME\n    go - GO it\n", "\nDESCRIPTION\n    Does it.\n",
      "    --threshold N (integer, 1 or more; required)\n        Also called: Threshold\n"
        .. "        How many.\n",
      "    --mode all|none (string, one of all, none; default all)\n",
      "\nRUNS ON\n    url\n", "\nOUTPUTS\n    is_success: ", "\nNEEDS\n    vt\n",
      "    apogee action go --threshold 3 --key env:NAME --entity url:",
    } do
      assert.truthy(text:find(part, 1, true), part)
    end
  end)

  it("knows playbooks too", function()
    local exit, _, engine = run({ command = "show", target = "p" }, {
      ["/actions/go.lua"] = source "go",
      ["/playbooks/p.lua"] = [[return require "apogee.playbook" { name = "P", doc = "All of it.",
        steps = { { "a", action = "go" }, { "b", run = function() end } } }]],
    })
    assert.equal(0, exit)
    assert.matches("NAME\n    P\n.*\nDESCRIPTION\n    All of it%.\n", printed(engine))
    assert.matches("    a: go on url\n    b: a function of the playbook\n", printed(engine))
  end)

  it("exits with 2 for what there is not", function()
    local exit, message = run { command = "show", target = "goo" }
    assert.equal(2, exit)
    assert.matches('did you mean "go"', message)
  end)
end)

describe("check", function()
  local FILES = {
    ["/actions/go.lua"] = source "go",
    ["/bad.lua"] = source("bad", "\nacepts = 1"),
    ["/p.lua"] = [[return require "apogee.playbook" { name = "P", steps = {
      { "a", action = "go" } } }]],
    ["/q.lua"] = [[return require "apogee.playbook" { name = "P", steps = {
      { "a", action = "og" } } }]],
  }

  it("prints OK for what is fine", function()
    local exit, _, engine = run({ command = "check", targets = { "/actions/go.lua", "/p.lua" } },
      FILES)
    assert.equal(0, exit)
    assert.equal("/actions/go.lua: OK, the action go\n/p.lua: OK, a playbook\n", printed(engine))
  end)

  it("prints file, line and problem, goes on, and exits with 2", function()
    local exit, message, engine = run({
      command = "check", targets = { "/bad.lua", "/q.lua", "/none.lua", "/p.lua" },
    }, FILES)
    assert.equal(2, exit)
    assert.is_nil(message)
    assert.equal('/bad.lua:4: acepts: unknown key; did you mean "accepts"?\n'
      .. '/q.lua:2: steps.a.action: there is no action "og"\n'
      .. "/none.lua: no such file\n/p.lua: OK, a playbook\n", printed(engine))
  end)
end)

describe("where actions are looked for", function()
  local LOOK = 'return require "apogee.action" { id = "look", name = "Look", doc = "Looks.", '
    .. 'accepts = { "url" }, returns = "is_success", run = function() end }'
  local PLAY = 'return require "apogee.playbook" { name = "P",\n'
    .. 'steps = { { "a", action = "look" } } }'
  local PACK = 'return require "apogee.pack" { name = "p", version = "1.0",\n'
    .. 'playbooks = { "p.lua" } }'

  it("is said of one that lies beside a playbook", function()
    local _, _, engine = run({ command = "check", targets = { "/q/p.lua" } },
      { ["/q/p.lua"] = PLAY, ["/q/look.lua"] = LOOK })
    assert.equal('/q/p.lua:2: steps.a.action: there is no action "look"; look.lua lies beside it: '
      .. "put both into a pack, or give --actions-path /q\n", printed(engine))
  end)

  it("is said of one in a pack that does not name it", function()
    local _, _, engine = run({ command = "check", targets = { "/q/p.lua" } },
      { ["/q/p.lua"] = PLAY, ["/q/look.lua"] = LOOK, ["/q/pack.lua"] = PACK })
    assert.equal('/q/p.lua:2: steps.a.action: there is no action "look"; look.lua lies beside it: '
      .. "name it in actions of /q/pack.lua\n", printed(engine))
  end)

  it("is said of one in the folder where one is", function()
    local exit, message = run({ command = "action", target = "look" }, { ["./look.lua"] = LOOK })
    assert.equal(2, exit)
    assert.equal('there is no action "look"; there is a file of this name here: give ./look.lua',
      message)
  end)
end)

describe("what lies beside actions", function()
  local ROW = '{ { method = "GET", url = "https://a.example/", body = "" } }'

  for said, text in pairs {
    ["a cassette, for apogee test"] = "return " .. ROW,
    ["a scenario, for --scenario"] = "return { http = " .. ROW .. " }",
  } do
    it("is known by check: " .. said, function()
      local exit, _, engine = run({ command = "check", targets = { "/c.lua" } },
        { ["/c.lua"] = text })
      assert.equal(0, exit)
      assert.equal("/c.lua: " .. said .. "\n", printed(engine))
    end)
  end

  it("is no configuration", function()
    local exit = run({ command = "check", targets = { "/c.lua" } },
      { ["/c.lua"] = 'return { http = { private = { "a.example" } } }' })
    assert.equal(2, exit)
  end)
end)

describe("an action of items", function()
  it("runs on what its each gives", function()
    local files = { ["/actions/go.lua"] = [[
      return require "apogee.action" {
        id = "go", name = "Go", doc = "Goes.", returns = "is_success",
        params = { { "paths", type = "list", required = true } },
        each = function(params) return params.paths end,
        run = function(ctx) return ctx.reported {} end,
      } ]] }
    local exit, _, engine = run({
      command = "action", target = "go", params = { { "paths", "/a,/b" } },
    }, files)
    assert.equal(0, exit)
    assert.is_true(engine.steps[1].info.json_by_entity)
    assert.matches("^2 of 2 files were checked%. 2 have a report: /a, /b%.$",
      engine.steps[1].ended.message)
  end)
end)
