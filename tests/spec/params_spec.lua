-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local params = require "apogee.params"

local engine = fake.new()

local THRESHOLD = {
  id = "threshold", type = "integer", min = 1, label = "Threshold", required = true,
  zero = "would mark every entity",
}

local function parse(def, value)
  local result, message = params.parse(def, value)
  if result == nil then return message end
  return result
end

describe("params.parse takes", function()
  for _, case in ipairs {
    { "integer", "5", 5 },
    { "integer", " +5 ", 5 },
    { "integer", "-5", -5 },
    { "integer", 5, 5 },
    { "integer", 5.0, 5 },
    { "number", "2.5", 2.5 },
    { "number", 2, 2 },
    { "boolean", "true", true },
    { "boolean", "TRUE", true }, { "boolean", "yes", true }, { "boolean", "on", true },
    { "boolean", "1", true }, { "boolean", " false ", false }, { "boolean", "No", false },
    { "boolean", "off", false }, { "boolean", "0", false },
    { "boolean", false, false },
    { "string", "", "" },
    { "string", "a=b", "a=b" },
    { "string", 7, "7" },
    { "path", "/tmp/a b", "/tmp/a b" },
    { "secret", "env:KEY", "env:KEY" },
    { "list", "a, b,,c ", { "a", "b", "c" } },
    { "list", "a\\,b,c", { "a,b", "c" } },
    { "list", "", {} },
    { "list", { "a", "b,c" }, { "a", "b,c" } },
  } do
    it(("%s from %s"):format(case[1], tostring(case[2])), function()
      local result = parse({ type = case[1] }, case[2])
      assert.same(case[3], result)
      assert.equal(math.type(case[3]), math.type(result))
    end)
  end
end)

describe("params.parse refuses", function()
  for _, case in ipairs {
    { THRESHOLD, "0", "0 would mark every entity: it must be 1 or more" },
    { THRESHOLD, 0, "0 would mark every entity: it must be 1 or more" },
    { THRESHOLD, "-1", "-1 is too small: it must be 1 or more" },
    { THRESHOLD, "2.5", 'must be a whole number, not "2.5"' },
    { THRESHOLD, 2.5, "must be a whole number, not 2.5" },
    { THRESHOLD, "abc", 'must be a whole number, not "abc"' },
    { THRESHOLD, "", 'must be a whole number, not ""' },
    { THRESHOLD, "0x10", 'must be a whole number, not "0x10"' },
    { THRESHOLD, "1e3", 'must be a whole number, not "1e3"' },
    { THRESHOLD, "99999999999999999999", '"99999999999999999999" is too large for a whole number' },
    { THRESHOLD, true, "must be a whole number, not true" },
    { THRESHOLD, {}, "must be a whole number, not a table" },
    { THRESHOLD, "a\27[31m", 'must be a whole number, not "a\\u{1b}[31m"' },
    { { type = "integer", min = 1, max = 9 }, 10, "10 is too large: it must be 1 to 9" },
    { { type = "integer", min = 1 }, 0, "0 is too small: it must be 1 or more" },
    { { type = "integer", max = 9 }, 10, "10 is too large: it must be 9 or less" },
    { { type = "integer", max = -1, min = -9, zero = "is much" }, 0,
      "0 is too large: it must be -9 to -1" },
    { { type = "integer", min = 0, max = -1, zero = "is much" }, 0,
      "0 is too large: it must be 0 to -1" },
    { { type = "boolean" }, 1, "must be true or false, not 1" },
    { { type = "boolean" }, "2", 'must be true or false, not "2"' },
    { { type = "integer" }, ("x"):rep(61), 'must be a whole number, not "' .. ("x"):rep(30)
      .. "…" .. ("x"):rep(29) .. '"' },
    { { type = "string", pattern = "^%d+$" }, "x", '"x" has not the form that it must have' },
    { { type = "path" }, 7, "must be a path, not a number" },
    { { type = "list" }, "a\0b", "has a NUL character" },
    { { type = "number" }, "x", 'must be a number, not "x"' },
    { { type = "number" }, "1.2.3", 'must be a number, not "1.2.3"' },
    { { type = "number" }, 0 / 0, "must be a number, not " .. tostring(0 / 0) },
    { { type = "boolean" }, "maybe", 'must be true or false, not "maybe"' },
    { { type = "string" }, {}, "must be a text, not a table" },
    { { type = "string", pattern = "^%d+$", example = "42" }, "x",
      '"x" has not the form that it must have, as "42"' },
    { { type = "string", enum = { "a", "b" } }, "c", '"c" is not one of a, b' },
    { { type = "integer", enum = { 1, 2 } }, "3", "3 is not one of 1, 2" },
    { { type = "path" }, "", 'must be a path, not ""' },
    { { type = "path" }, "a\0b", 'must be a path, not "a\\u{0}b"' },
    { { type = "list" }, 7, "must be a list, not a number" },
    { { type = "list" }, { "a", 7 }, "item 2 must be a text, not a number" },
    { { type = "secret" }, "", "must be env:NAME, file:PATH or credential:NAME" },
  } do
    it(("%s for a %s"):format(tostring(case[2]):gsub("%c", "?"), case[1].type), function()
      local result, message = params.parse(case[1], case[2])
      assert.is_nil(result)
      assert.equal(case[3], message)
    end)
  end
end)

describe("params.parse takes as large as the bounds:", function()
  for _, value in ipairs { 1, 9 } do
    it(tostring(value), function()
      assert.equal(value, params.parse({ type = "integer", min = 1, max = 9 }, value))
    end)
  end
end)

describe("params.collect", function()
  local DEFS = {
    THRESHOLD,
    { id = "days", type = "integer", label = "Rescan after days" },
    { id = "mode", type = "string", default = "always" },
    { id = "password", type = "secret" },
  }

  local function collect(given, later) return params.collect(engine, DEFS, given, later) end

  it("takes ids and labels in any case of letters, and fills in defaults", function()
    assert.same({ threshold = 3, days = 7, mode = "always" },
      collect { { "THRESHOLD", "3" }, { "rescan AFTER days", 7 } })
  end)

  it("lets a given value win over the default", function()
    assert.equal("never", collect({ { "threshold", 3 }, { "mode", "never" } }).mode)
  end)

  it("gives each caller lists of its own", function()
    local defs = { { id = "list", type = "list", default = { "a" } } }
    local first = params.collect(engine, defs, {})
    table.insert(first.list, "b")
    assert.same({ list = { "a" } }, params.collect(engine, defs, {}))
  end)

  for _, case in ipairs {
    { "the nearest of an unknown name", { { "treshold", "3" } },
      'treshold: unknown parameter; did you mean "threshold"?' },
    { "the nearest label", { { "Rescan aftr days", "3" } },
      'Rescan aftr days: unknown parameter; did you mean "Rescan after days"?' },
    { "a long unknown name in short", { { ("x"):rep(61), "3" } },
      ("x"):rep(30) .. "…" .. ("x"):rep(29)
        .. ": unknown parameter; there are threshold, days, mode, password" },
    { "which there are when none is near", { { "zzzzzz", "3" } },
      "zzzzzz: unknown parameter; there are threshold, days, mode, password" },
    { "what is required", {}, "threshold: is required (integer, 1 or more)" },
    { "what is given twice", { { "threshold", "3" }, { "Threshold", "4" } },
      "threshold: is given twice" },
    { "what is wrong", { { "threshold", "0" } },
      "threshold: 0 would mark every entity: it must be 1 or more" },
  } do
    it("says " .. case[1], function()
      local values, message = collect(case[2])
      assert.is_nil(values)
      assert.equal(case[3], message)
    end)
  end

  it("does not require what comes later", function()
    assert.same({ mode = "always" }, collect({}, { threshold = true }))
  end)

  it("says that there are no parameters", function()
    local _, message = params.collect(engine, {}, { { "x", "1" } })
    assert.equal("x: unknown parameter: there are none", message)
  end)

  it("shows secrets as stars", function()
    assert.same({ threshold = 3, password = "***" },
      params.shown(DEFS, { threshold = 3, password = "hunter2" }))
  end)
end)
