-- SPDX-License-Identifier: Apache-2.0
local check = require "apogee.check"
local fake = require "spec.support.engine"
local loader = require "apogee.loader"
local look_playbook = require "apogee.look_playbook"
local outline = require "apogee.outline"

local LOOK = [[
return require "apogee.action" { id = "look", name = "Look", doc = "Looks.", accepts = { "url" },
  returns = "is_risky", params = { { "threshold", type = "integer" } }, run = function() end }
]]

local HEAD = [[
local playbook = require "apogee.playbook"
]]

-- The first step is in line 5.
local MANIFEST = [[
return playbook {
  name = "P",
  steps = {
    %s
  },
}
]]

local function checked(text, prepare)
  local engine = fake.new { files = { ["/actions/look.lua"] = LOOK, ["/p.lua"] = text } }
  if prepare then prepare(engine) end
  local ok, lines = check.file(engine, "/p.lua", function() return loader.index(engine) end)
  return lines:gsub("/p%.lua: OK, a playbook\n$", ""), ok
end

local function steps(text, before)
  return HEAD .. (before and before .. "\n" or "") .. MANIFEST:format(text)
end

local A = '{ "a", action = "look" },\n'

local function b_when(code) return ('{ "b", action = "look", when = %s },\n'):format(code) end

describe("a look at a playbook finds", function()
  for _, case in ipairs {
    { "a step that there is not", A .. b_when "function(case) return case.externl.is_risky end",
      '6: case.externl: there is no such step; did you mean "external"?' },
    { "a step that nothing is near", A .. b_when "function(case) return case.zz.is_risky end",
      "6: case.zz: there is no such step" },
    { "a step that comes later", b_when "function(case) return case.a.is_risky end" .. A,
      '5: case.a: the step "b" never sees it: it comes later: move it up' },
    { "a step that asks for itself", b_when "function(case) return case.b.is_risky end",
      '5: case.b: the step "b" never sees it: it is this step itself' },
    { "a step of its own group", "{" .. A .. b_when "function(c) return c.a.is_risky end" .. "}",
      '6: case.a: the step "b" never sees it: it runs at the same time: take it out of this '
        .. "group" },
    { "a field that steps do not have", A .. b_when "function(case) return case.a.risky end",
      '6: case.a.risky: there is no such field; did you mean "is_risky"?' },
    { "a field that nothing is near", A .. b_when "function(case) return case.a.zzzzzzz end",
      "6: case.a.zzzzzzz: there is no such field: there are coverage, entities, is_risky, "
        .. "is_success, message, status" },
    { "a field of the coverage", A .. b_when "function(case) return case.a.coverage.off > 1 end",
      '6: case.a.coverage.off: there is no such field; did you mean "of"?' },
    { "a step in a helper", A .. b_when "function(case) return later(case) end"
      .. '{ "c", action = "look" }',
      '2: case.c: the step "b" never sees it: it comes later: move it up',
      before = "local function later(it) return it.c.is_risky end" },
    { "a step that one of two functions may not see", b_when "early"
      .. A .. '{ "c", action = "look", when = early }',
      '2: case.a: the step "b" never sees it: it comes later: move it up',
      before = "local function early(it) return it.a.is_risky end" },
    { "a step in a local", A .. b_when "function(case) local a = case.a\nreturn a.risky end",
      '7: case.a.risky: there is no such field; did you mean "is_risky"?' },
    { "a step in on", '{ "b", action = "look", on = function(case) return case.a.entities end },'
      .. A, '5: case.a: the step "b" never sees it: it comes later: move it up' },
    { "a step in what an action is given", '{ "b", action = "look", '
      .. "with = { threshold = function(case) return case.b.coverage.of end } },",
      '5: case.b: the step "b" never sees it: it is this step itself' },
    { "a step in a function", '{ "b", run = function(case) return case.a end },' .. A,
      '5: case.a: the step "b" never sees it: it comes later: move it up' },
    { "a type that there is not", b_when 'function(case) return #case:of("ur") > 0 end',
      '5: case:of: unknown type "ur"; did you mean "url"?' },
    { "a method without its colon", b_when 'function(case) return #case.of("url") > 0 end',
      "5: case.of: is called with a colon: case:of(...)" },
    { "a method that there is not", b_when "function(case) return #case:externals() > 0 end",
      '5: case.externals: there is no such step; did you mean "external"?' },
    { "a global", b_when "function(case) seen = case end",
      '5: seen: a global, which all entities share: write "local seen"' },
    { "a capability", b_when "function() return vt.ip_report() end",
      "5: vt: there is no such name: a playbook reaches nothing itself: a step with an action "
        .. "does" },
  } do
    it(case[1], function()
      local found, ok = checked(steps(case[2], case.before))
      local line, message = case[3]:match "^(%d+)(.*)$"
      if case.before and line ~= "2" then line = line + 1 end
      assert.equal("/p.lua:" .. line .. message .. "\n", found)
      assert.is_false(ok)
    end)
  end

  it("parameters that no step is given, and goes on", function()
    local text = steps(A):gsub("steps", 'params = {\n{ "limit", type = "integer" } },\n%0')
    local found, ok = checked(text)
    assert.equal("/p.lua:5: warning: params.limit: no step is given it: take it out, or write "
      .. 'with = { ... = "$limit" }\n', found)
    assert.is_true(ok)
  end)

  it("a policy that would loosen, and goes on", function()
    local text = steps(A):gsub("steps", 'policy = { submit = "deny",\nupload = "allow" },\n%0')
    local found, ok = checked(text, function(engine)
      function engine.tighten(rule) return true, rule == "upload" and "deny" or nil end
    end)
    assert.equal('/p.lua:5: warning: policy.upload: "allow" loosens what the configuration says, '
      .. 'which stays "deny": a playbook can only tighten it\n', found)
    assert.is_true(ok)
  end)
end)

describe("a look at a playbook finds nothing wrong with", function()
  for _, case in ipairs {
    { "steps before", A
      .. b_when "function(case) return case.a.is_risky or #case:of('url') > 0 end" },
    { "what a step before found", A
      .. b_when "function(case) return case.a.coverage.checked < case.a.coverage.of end" },
    { "a step whose name is worked out", A
      .. b_when "function(case) return case[NAME].is_risky end",
      before = 'local NAME = "zz" .. 1' },
    { "functions that tag and score", '{ "b", run = function(case) case:tag "x" '
      .. 'case:score(case:score() + 1) case:insight { title = "x" } end }' },
  } do
    it(case[1], function() assert.equal("", (checked(steps(case[2], case.before)))) end)
  end

  for _, name in ipairs { "enrichment", "nightly_watchlist", "quarantine_sweep", "triage" } do
    it("the sample " .. name, function()
      local file = assert(io.open("playbooks/" .. name .. ".lua"))
      local text = file:read "a"
      file:close()
      local found = checked(text, function(engine)
        for _, id in ipairs {
          "get_domain_report", "scan_hash", "scan_ip", "scan_url", "upload_and_scan_file",
        } do
          local action = assert(io.open("lua/actions/" .. id .. ".lua"))
          engine.files["/actions/" .. id .. ".lua"] = action:read "a"
          action:close()
        end
      end)
      assert.equal("", found)
    end)
  end
end)

describe("the fields of a step", function()
  it("are those that the case has", function()
    local case = require("apogee.case").new(fake.new(), { { name = "a" } })
    for _, name in ipairs(look_playbook.OF_STEP) do
      if name ~= "message" then assert.is_not_nil(case.a[name], name) end
    end
  end)
end)

describe("the line of a field", function()
  local engine = fake.new { files = { ["/p.lua"] = [[
local SHARED = {
  threshold = 3,
}
return require "apogee.playbook" {
  steps = {
    { "a", action = "look",
      when = "x" },
    {
      { "b", with = SHARED },
      { "c",
        when = "y" },
    },
  },
  policy = { never_send = { domains = { "a.test",
    "b.test" } } },
}
]] } }
  for field, line in pairs {
    ["steps.a.when"] = 7, ["steps.c.when"] = 11, ["steps.b.with.threshold"] = 2,
    ["steps.2.1"] = 9, ["steps.b"] = 9, ["steps.b.on"] = 9, ["name"] = 4,
    ["policy.never_send.domains"] = 14,
  } do
    it("is found: " .. field, function()
      assert.equal(line, outline.read(engine, "/p.lua"):line(field))
    end)
  end

  it("is that of the word in it", function()
    assert.equal(15, outline.read(engine, "/p.lua"):line("policy.never_send.domains", "b.test"))
  end)
end)
