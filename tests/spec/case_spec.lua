-- SPDX-License-Identifier: Apache-2.0
local case_of = require "apogee.case"
local fake = require "spec.support.engine"

local ENTITIES = {
  { identifier = "a", type = "url" },
  { identifier = "b", type = "url", internal = true },
  { identifier = "c", type = "filehash", suspicious = true },
}

local function new(steps)
  local engine = fake.new { entities = ENTITIES }
  local case, state = case_of.new(engine, steps or {})
  return case, state, engine
end

local function names(set)
  local list = {}
  for _, entity in ipairs(set:list(10)) do table.insert(list, entity.identifier) end
  return table.concat(list)
end

describe("the case", function()
  it("selects entities", function()
    local case = new()
    assert.equal("ab", names(case:of "url"))
    assert.equal("c", names(case:of "FILEHASH"))
    assert.equal("abc", names(case:of("url", "filehash")))
    assert.equal("ac", names(case:external()))
    assert.equal("c", names(case:suspicious()))
    assert.equal("b", names(case:where(function(entity) return entity.internal end)))
    assert.equal("a", names(case:of "url":external()))
    assert.equal(3, #case:of "filehash":union(case:of "url"))
  end)

  it("names the nearest of an unknown type", function()
    assert.error_matches(function() new():of "filehsh" end,
      'unknown type "filehsh"; did you mean "filehash"')
    assert.error_matches(function() new():of "zzzzzz" end, 'unknown type "zzzzzz"$')
    assert.error_matches(function() new():of(7) end, 'unknown type "7"$')
  end)

  it("keeps tags once, and in order", function()
    local case, state = new()
    case:tag "b"
    case:tag "a"
    case:tag "b"
    assert.same({ "b", "a" }, state.tags)
  end)

  it("takes a hundred tags, of two hundred bytes each", function()
    local case, state = new()
    for i = 1, 100 do case:tag(("x"):rep(197) .. ("%03d"):format(i)) end
    assert.equal(100, #state.tags)
    case:tag(("x"):rep(197) .. "100")
    assert.error_matches(function() case:tag "one more" end, "case:tag: more than 100 tags$")
    assert.equal(100, #state.tags)
  end)

  for _, tag in ipairs { "", "a\nb", ("x"):rep(201), 7 } do
    it("refuses as a tag: " .. tostring(tag):sub(1, 5):gsub("%c", " "), function()
      assert.error_matches(function() new():tag(tag) end,
        "case:tag: a tag is one line of at most 200 bytes$")
    end)
  end

  it("has a score that is a whole number", function()
    local case, state = new()
    assert.equal(0, case:score())
    assert.equal(40, case:score(40))
    case:score(case:score() + 2.0)
    assert.equal(42, state.score)
    assert.equal("integer", math.type(state.score))
    assert.error(function() case:score(1.5) end)
    assert.error(function() case:score "many" end)
  end)

  it("passes insights on, as information unless said otherwise", function()
    local case, _, engine = new()
    case:insight { title = "Look", body = "here" }
    case:insight { title = "Look", severity = "warn", entity = "a" }
    assert.same({
      { title = "Look", body = "here", severity = "info" },
      { title = "Look", severity = "warn", entity = "a" },
    }, engine.insights)
  end)

  for _, severity in ipairs { "info", "warn", "error" } do
    it("takes an insight of severity " .. severity, function()
      local case, _, engine = new()
      case:insight { title = "Look", severity = severity }
      assert.equal(severity, engine.insights[1].severity)
    end)
  end

  for _, insight in ipairs {
    { {}, "title must be one line of text" },
    { { title = 7 }, "title must be one line of text" },
    { { title = "x", severity = "loud" }, "severity must be info, warn or error" },
    { { title = setmetatable({}, {}) }, "takes a table of plain values" },
    { "text", "takes a table of plain values" },
  } do
    it("refuses an insight that is none: " .. insight[2], function()
      local case, _, engine = new()
      assert.error_matches(function() case:insight(insight[1]) end, "case:insight:? " .. insight[2])
      assert.same({}, engine.insights)
    end)
  end

  it("shows what a step found, and cannot be changed", function()
    local step = { name = "urls", number = 1, found = {
      status = "completed", is_risky = true, is_success = true, checked = 1, of = 2, message = "m",
    } }
    local case = new { step }
    assert.equal("completed", case.urls.status)
    assert.is_true(case.urls.is_risky)
    assert.is_true(case.urls.is_success)
    assert.equal("m", case.urls.message)
    assert.same({ checked = 1, of = 2 }, case.urls.coverage)
    assert.error_matches(function() case.urls.status = "failed" end, "case.urls is read%-only")
    assert.error_matches(function() case.urls = nil end, "the case is read%-only")
    assert.error_matches(function() case.of = print end, "the case is read%-only")
    case.urls.coverage.checked = 9
    assert.equal(1, case.urls.coverage.checked)
    assert.is_false(getmetatable(case))
  end)

  it("names the nearest of a step that there is not", function()
    assert.error_matches(function() return new { { name = "hashes" } }.hashs end,
      'there is no step "hashs"; did you mean "hashes"')
    assert.error_matches(function() return new().zzzzzz end, 'there is no step "zzzzzz"$')
  end)

  it("has the entities of a step that ran, and of no other", function()
    local ran = { name = "ran", found = {} }
    local case, _, engine = new { ran, { name = "other" } }
    assert.equal(0, #case.other.entities)
    ran.number = engine.step { name = "ran" }
    engine.select(ran.number, engine.set_of { "filehash" })
    assert.equal("c", names(case.ran.entities))
  end)

  it("has each of its methods in the list of names that steps may not have", function()
    local case = new()
    for _, name in ipairs(case_of.METHODS) do assert.is_function(case[name]) end
  end)
end)
