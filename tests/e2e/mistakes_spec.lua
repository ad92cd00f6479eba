-- Mistakes that people make in their first actions and playbooks, and what `apogee check` tells
-- them: file, line, what is wrong, and what to write instead.
-- SPDX-License-Identifier: Apache-2.0
local workspace = require "e2e.support.workspace"

local ACTION = [[
local action = require "apogee.action"

return action {
  id = "score",
  name = "Score",
  doc = "Asks how bad an address is.",
  accepts = { "ip_address" },
  needs = { http = { "api.example.com" } },
  rate = { 10, per = "minute" },
  params = {
    { "threshold", type = "integer", default = 50 },
  },
  outputs = { "Name" },
  returns = "is_risky",

  run = function(ctx, entity)
    local answer, message, code = http.get("https://api.example.com/" .. entity.identifier)
    if not answer then return ctx.from_error(message, code) end
    local score = answer.json().score
    entity:enrich("Name", score)
    if score >= ctx.params.threshold then entity:mark_suspicious() end
    return ctx.reported()
  end,
}
]]

local PLAYBOOK = [[
return require "apogee.playbook" {
  name = "Triage",
  steps = {
    { "hashes", action = "scan_hash", with = { threshold = 3 } },
    { "domains", action = "get_domain_report",
      when = function(case) return case.hashes.is_risky end },
  },
}
]]

local function exactly(text) return (text:gsub("%W", "%%%0")) end

-- The file with one mistake in it.
local function with_mistake(text, from, to)
  local wrong, count = text:gsub(exactly(from), (to:gsub("%%", "%%%%")))
  assert(count == 1, from)
  return wrong
end

describe("apogee check says of", function()
  it("what is right that it is", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local ran = w:run { "check", w:write("a.lua", ACTION), w:write("p.lua", PLAYBOOK) }
      assert.equal(("%s: OK, the action score; asks api.example.com\n%s: OK, a playbook\n"):format(
        w:path "a.lua", w:path "p.lua"), ran.out)
      assert.equal(0, ran.exit)
    end)
  end)

  for _, case in ipairs {
    { "a field that is misspelt", "needs =", "nees =",
      '8: nees: unknown key; did you mean "needs"?' },
    { "a type that is misspelt", '"ip_address"', '"ip_adress"',
      '7: accepts: unknown type "ip_adress"; did you mean "ip_address"?' },
    { "a parameter that is not declared", "ctx.params.threshold then", "ctx.params.risk then",
      '21: ctx.params.risk: no such parameter is declared: '
        .. 'declare it in params: { "risk", type = "..." }\n'
        .. "FILE:11: warning: params.threshold: is never used: take it out, or read "
        .. "ctx.params.threshold" },
    { "a rate of another while", 'per = "minute"', 'per = "minutes"',
      '9: rate.per: must be second, minute, hour or day; did you mean "minute"?' },
    { "a global", "local score", "score",
      '19: score: a global, which all entities share: write "local score"' },
    { "a field that outputs does not name", 'enrich("Name"', 'enrich("Nme"',
      '20: enriches "Nme", which outputs does not name; did you mean "Name"?' },
    { "a capability that is not asked for", '{ http = { "api.example.com" } },\n'
      .. '  rate = { 10, per = "minute" },', "{},",
      '16: http: is used, and needs does not name it: needs = { http = { "HOST" } }' },
    { "a missing comma", 'name = "Score",', 'name = "Score"',
      "6: '}' expected (to close '{' at line 3) near 'doc': is a comma missing before it?" },
    { "a comparison of one sign", "score >= ctx", "score = ctx",
      "21: 'then' expected near '=': a comparison is written ==" },
    { "a name of another language", "if not answer", "if !answer",
      "18: unexpected symbol near '!': not is written `not`, and unequal ~=" },
    { "an outcome that is misspelt", "ctx.reported()", "ctx.repotred()",
      '22: ctx.repotred: there is no such name; did you mean "reported"?' },
    { "a parameter of a step that is misspelt", "threshold = 3", "treshold = 3",
      '4: steps.hashes.with.treshold: scan_hash has no such parameter; did you mean "threshold"?\n'
        .. "FILE:4: steps.hashes.with: threshold is required by scan_hash", of = PLAYBOOK },
    { "an action that is misspelt", '"get_domain_report"', '"get_domain_reprt"',
      '5: steps.domains.action: there is no action "get_domain_reprt"; '
        .. 'did you mean "get_domain_report"?', of = PLAYBOOK },
    { "a step that waits for a later one", "with = { threshold = 3 }",
      'with = { threshold = 3 }, when = "domains"',
      '4: steps.hashes.when: there is no step "domains" before this one: it comes later: '
        .. "move it up", of = PLAYBOOK },
    { "a function that asks for a later step", "with = { threshold = 3 }",
      "with = { threshold = 3 },\n      when = function(case) return case.domains.is_risky end",
      '5: case.domains: the step "hashes" never sees it: it comes later: move it up',
      of = PLAYBOOK },
    { "a field that steps do not have", "case.hashes.is_risky", "case.hashes.risky",
      '6: case.hashes.risky: there is no such field; did you mean "is_risky"?', of = PLAYBOOK },
  } do
    it(case[1], function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        local path = w:write("f.lua", with_mistake(case.of or ACTION, case[2], case[3]))
        local ran = w:run { "check", path }
        assert.equal(path .. ":" .. case[4]:gsub("FILE", path) .. "\n", ran.out)
        assert.equal("", ran.err)
        assert.equal(2, ran.exit)
      end)
    end)
  end
end)

describe("a mistake in the table", function()
  for kind, text in pairs {
    action = with_mistake(with_mistake(ACTION, "needs =", "nees ="), "ctx.reported", "ctx.reportd"),
    playbook = with_mistake(with_mistake(PLAYBOOK, "name =", "nam ="), "case.hashes", "cas.hashes"),
  } do
    it("hides none in the code of an " .. kind, function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        local ran = w:run { "check", w:write("a.lua", text) }
        assert.equal(2, ran.exit)
        assert.matches(": unknown key; did you mean ", ran.out)
        assert.matches(kind == "action" and ":22: ctx.reportd: there is no such name; did you mean "
          or ":6: cas: there is no such name; did you mean \"case\"?", ran.out, 1, true)
      end)
    end)
  end
end)

describe("an action with a mistake", function()
  for _, command in ipairs { "plan", "show", "action" } do
    it("is told of as an action by " .. command, function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        local path = w:write("f.lua", with_mistake(ACTION, "doc = ", "dic = "))
        local args = { command, path }
        if command == "plan" then table.move({ "--entity", "192.0.2.1" }, 1, 2, 3, args) end
        local ran = w:run(args)
        assert.equal(2, ran.exit)
        assert.matches(path .. ':6: dic: unknown key; did you mean "doc"?', ran.err, 1, true)
      end)
    end)
  end
end)

describe("a file that is large", function()
  -- As large as a script may be, within a small memory.
  local function with_large(filling, use)
    workspace.simulated({ settings = { limits = { memory = "64MiB" }, actions_path = { "a" } } },
      function(w)
        assert(os.execute("mkdir " .. w:path "a"))
        local text = with_mistake(ACTION, "return action {", "\nreturn action {")
        local many = filling:rep((1000000 - #text) // #filling)
        use(w, w:write("a/score.lua", "local function fill(x)\n" .. many .. "end\n" .. text))
      end)
  end

  it("is checked as far as can be", function()
    with_large("x = {{{}}} + fill(x)\n", function(w, path)
      local ran = w:run { "check", path }
      assert.equal(0, ran.exit)
      assert.matches(path .. ": warning: it was not looked into: is too large", ran.out, 1, true)
      assert.matches(path .. ": OK, the action score", ran.out, 1, true)
    end)
  end)

  it("is there like another", function()
    with_large("-- no code, and much of it\n", function(w, path)
      assert.equal(path .. ": OK, the action score; asks api.example.com\n",
        w:run({ "check", path }).out)
      assert.matches("\nscore +Score +ip_address", w:run({ "list" }).out)
    end)
  end)
end)
