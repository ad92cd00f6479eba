-- What `apogee test` is made of, as far as it needs no engine.
-- SPDX-License-Identifier: Apache-2.0
local cassette = require "kit.cassette"
local moment = require "kit.moment"
local write = require "kit.write"

describe("kit.write", function()
  it("writes values that read back the same", function()
    for _, value in ipairs {
      "a\nb\r\"c\"\0\\", 54, 0.5, 0.1, 1 / 3, 1e300, -1, true,
      { 1, { 2 }, x = "y", ["end"] = 1, ["a-b"] = { } },
      { [3] = "hole", [1.5] = "float", [true] = "word" },
    } do
      assert.same(value, load("return " .. write.value(value))())
    end
  end)

  it("writes the same for the same", function()
    assert.equal('return {\n  1,\n  a = "x",\n  b = {\n    c = true,\n  },\n}\n',
      write.file { b = { c = true }, a = "x", 1 })
    assert.equal("-- why\nreturn {}\n", write.file({}, "why"))
  end)

  it("refuses what is no data", function()
    assert.has_error(function() write.value { print } end,
      "a function cannot be written to a file of data")
  end)
end)

describe("kit.moment", function()
  it("reads times of UTC", function()
    for text, seconds in pairs {
      ["1970-01-01"] = 0, ["1970-01-01T00:00:01Z"] = 1, ["2000-02-29T00:00:00Z"] = 951782400,
      ["2019-02-05T15:41:52Z"] = 1549381312, ["2026-01-15T12:00:00Z"] = 1768478400,
      ["2100-03-01"] = 4107542400,
    } do
      assert.equal(seconds, moment.seconds(text), text)
    end
    assert.equal(77, moment.seconds(77))
  end)

  it("refuses what is none", function()
    for _, text in ipairs {
      "noon", "2026-1-15", "2026-01-15 12:00:00", "", "2026-13-01", "2026-00-10", "2026-04-31",
      "2026-02-29", "2026-01-15T24:00:00Z", "2026-01-15T12:60:00Z", "2026-01-15T12:00:60Z",
    } do
      assert.has_error(function() moment.seconds(text) end,
        '"' .. text .. '" is no time: write 2026-01-15T12:00:00Z')
    end
  end)
end)

describe("kit.test", function()
  it("says which folder it cannot read", function()
    local lfs = require "lfs"
    package.loaded.lfs = setmetatable({
      attributes = function() return "directory" end,
      symlinkattributes = function() return "directory" end,
      dir = function(path)
        if path == "all/closed" then error("cannot open " .. path .. ": Permission denied", 0) end
        local names = { "closed" }
        return function() return table.remove(names) end
      end,
    }, { __index = lfs })
    local code, message = require "kit.test" { words = { "all" } }
    package.loaded.lfs = lfs
    assert.equal(2, code)
    assert.equal("cannot open all/closed: Permission denied", message)
  end)
end)

describe("a cassette", function()
  local function request(more)
    local made = { service = "s", method = "GET", url = "https://a.example/?k=***", status = 200,
      headers = { authorization = "Basic dXNlcg==" },
      answer = { headers = {}, is_text = true, body = "{}" } }
    for key, value in pairs(more or {}) do made[key] = value end
    return made
  end

  it("holds what a request is known by, and of headers what is harmless", function()
    local rows = cassette.rows_of { request { body = "sent", answer = { is_text = true,
      body = "[]", headers = { ["content-type"] = "application/json", ["set-cookie"] = "id=1",
        ["x-ratelimit-remaining"] = "3", ["x-token"] = "t", ["retry-after"] = "1" } } } }
    assert.same({ { method = "GET", url = "https://a.example/?k=***", sent = "sent", status = 200,
      body = "[]", headers = { ["content-type"] = "application/json", ["retry-after"] = "1",
        ["x-ratelimit-remaining"] = "3" } } }, rows)
  end)

  it("holds what went wrong", function()
    local rows = cassette.rows_of { request { fails = "timeout" } }
    assert.equal("timeout", rows[1].fails)
    assert.is_nil(rows[1].status)
  end)

  it("refuses bytes that are no text", function()
    assert.error_matches(function()
      cassette.rows_of { request { answer = { is_text = false, body = "?", headers = {} } } }
    end, "bytes that are no text")
  end)

  it("of all runs of a file is one", function()
    assert.equal(cassette.of "a.lua", cassette.of "a.lua")
    assert.is_true(cassette.is(cassette.of "a.lua"))
    assert.is_false(cassette.is {})
  end)
end)
