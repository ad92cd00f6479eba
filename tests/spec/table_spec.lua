-- SPDX-License-Identifier: Apache-2.0
local record = require "spec.support.record"
local report_table = require "report.table"
local text = require "apogee.text"

local function render(rows, width, is_coloured, message)
  return report_table.render({
    title = "Scan Hash", status = "completed", message = message or "", rows = rows,
  }, width or 80, is_coloured)
end

local function row(fields)
  local all = { identifier = "x", type = "url", outcome = "reported", risky = false }
  for key, value in pairs(fields) do all[key] = value end
  return all
end

local function lines_of(page)
  local lines = {}
  for line in page:gmatch "([^\n]*)\n" do table.insert(lines, line) end
  return lines
end

describe("a table's verdict", function()
  for _, case in ipairs {
    { { risky = true, detections = 54, total = 60 }, "RISKY 54/60" },
    { { detections = 0, total = 60 }, "clean 0/60" },
    { { detections = 2, total = 60 }, "2/60" },
    { { outcome = "scanned", detections = 0, total = 60 }, "clean 0/60" },
    { { detections = 0 }, "no detections" },
    { { detections = 3 }, "3 detections" },
    { { detections = 1 }, "1 detection" },
    { { detections = 0, total = 0 }, "no engines" },
    { {}, "reported" },
    { { outcome = "not_found" }, "not found" },
    { { outcome = "not_asked" }, "not asked" },
    { { outcome = "limited" }, "limited" },
    { { outcome = "pending", detections = 0, total = 60 }, "pending" },
    { { outcome = "pending", detections = 9, total = 60, risky = true }, "RISKY 9/60" },
  } do
    it("is " .. case[2], function()
      assert.matches("x +url +" .. case[2] .. "\n", render { row(case[1]) })
    end)
  end
end)

describe("a table", function()
  it("shows what is no indicator of any type", function()
    local page = report_table.render({
      title = "Scan Hash", status = "completed", message = "",
      rows = { { identifier = "what is this", outcome = "skipped", reason = "no indicator" } },
    }, 80, false)
    assert.matches("what is this +unknown +skipped +no indicator\n", page)
  end)

  it("has what is risky first, and else the order of the case", function()
    local page = render {
      row { identifier = "a" }, row { identifier = "b", risky = true, detections = 3, total = 9 },
      row { identifier = "c" }, row { identifier = "d", risky = true, detections = 4, total = 9 },
    }
    assert.matches("INDICATOR.*\nb .*\nd .*\na .*\nc ", page)
  end)

  it("says reasons, and marks that came from elsewhere", function()
    assert.matches("why; marked suspicious\n", render { row { reason = "why", suspicious = true } })
    assert.matches("  marked suspicious\n", render { row { suspicious = true } })
  end)

  it("fits the width, whatever is in it", function()
    local rows = {
      row { identifier = ("a"):rep(300), reason = ("because "):rep(40) },
      row { identifier = "http://" .. ("日本"):rep(60), type = "ip_address" },
      row { identifier = "short", reason = ("x"):rep(500), risky = true, detections = 1 },
    }
    for _, width in ipairs { 40, 60, 80, 133 } do
      for _, line in ipairs(lines_of(render(rows, width, false, ("word "):rep(99)))) do
        assert.is_true(text.width(line) <= width, width .. ": " .. line)
      end
    end
  end)

  it("cuts a long indicator in the middle, so that both ends can be read", function()
    local page = render({ row { identifier = "start" .. ("x"):rep(99) .. "end" } }, 60)
    assert.matches("\nstartx+…x+end ", page)
  end)

  it("has nothing that a terminal would obey", function()
    local page = render({ row { identifier = "\27[2Ja\u{202e}b\r", reason = "c\7\n" } }, 100, false,
      "d\27[0m")
    assert.not_matches("[\27\r\7]", page)
    assert.not_matches("\u{202e}", page)
  end)

  it("has colours only when it is asked for them", function()
    local rows = {
      row { risky = true, detections = 3, total = 9 }, row { detections = 0, total = 9 },
    }
    assert.not_matches("\27", render(rows))
    local page = render(rows, 80, true)
    assert.matches("\27%[1;31mRISKY 3/9", page)
    assert.matches("\27%[32mclean 0/9", page)
  end)

  it("says in one sentence what the rows show, and all of it when it did not go well", function()
    local message = "1 of 2 URLs was checked. 1 failed: http://a/ (timed out)."
    assert.matches("\n1 of 2 URLs was checked%.\n$", render({ row {} }, 80, false, message))
    local step = { title = "T", status = "failed", message = message, rows = { row {} } }
    assert.matches("timed out", require("report.table").render(step, 80))
    assert.matches("another text", render({ row {} }, 80, false, "another text"))
  end)

  it("says in full what a row has no room for", function()
    local reason = "the action's needs do not name api.greynose.io: add it to needs.http"
    local message = "0 of 1 URLs was checked. 1 was denied: http://a/ (" .. reason .. ")."
    local page = render({ row { outcome = "denied", reason = reason } }, 80, false, message)
    assert.matches("add it to needs.http", page:gsub("%s+", " "), 1, true)
    page = render({ row { outcome = "denied", reason = reason } }, 200, false, message)
    assert.matches("\n0 of 1 URLs was checked%.\n$", page)
  end)

  it("says how many rows are not shown", function()
    local step = {
      title = "T", status = "completed", message = "", rows = { row {} }, left_out = 120,
    }
    assert.matches("and 120 more: %-%-format json has them all",
      require("report.table").render(step, 80))
  end)

  it("ends with the case: status, score, tags and insights", function()
    local page = require("report.table").render_case({
      name = "Triage", status = "completed", score = 70, tags = { "a", "b" },
      insights = { { severity = "warn", title = "Look", body = "one\ntwo" } },
    }, 80)
    assert.equal("Triage: completed, score 70, tagged a, b\nwarn: Look\n  one\n  two\n", page)
    page = require("report.table").render_case({
      name = "Triage\27", status = "failed", score = 0, tags = {}, insights = {},
    }, 80)
    assert.not_matches("\27", page)
    assert.not_matches("score", page)
  end)

  it("is only title and message without rows", function()
    assert.equal("Scan Hash: completed\n\nNothing to do.\n",
      render({}, 80, false, "Nothing to do."))
  end)
end)

describe("the tables of a record", function()
  local function render_all(given, options)
    return record.render(report_table, given, options or { width = 100 })
  end

  it("stand one below the other, then the case", function()
    assert.equal([[
Scan Hash: completed

INDICATOR  TYPE  VERDICT    NOTE
b          url   RISKY 9/9
a          url   failed     late

1 of 2 URLs was checked.

More: failed

it raised

Triage: completed, score 7
warn: Look
]], render_all {
      run = { score = 7 }, insights = { { severity = "warn", title = "Look" } },
      steps = {
        { "urls", message = "1 of 2 URLs was checked.", entities = {
          { identifier = "a", outcome = "failed", reason = "late" },
          { identifier = "b", verdict = { risky = true, detections = 9, total = 9 } },
        } },
        { "dull", action = false, name = "Dull" },
        { "more", action = false, name = "More", status = "failed", message = "it raised" },
      },
    })
  end)

  it("list what is no indicator once, and do not count it in their sentences", function()
    local bad = { identifier = "what is this", outcome = "skipped", is_no_indicator = true,
      reason = "no indicator: it has blanks inside" }
    assert.equal([[
Scan Hash: completed

INDICATOR  TYPE  VERDICT   NOTE
a          url   reported

1 of 1 URL was checked.

Scan Hash: completed

Nothing to do: there are no IP addresses to work on.

No indicators: 1
  what is this (it has blanks inside)

Triage: completed
]], render_all { steps = {
      { "urls", message = "1 of 2 URLs was checked. 1 was skipped: what is this (no).",
        entities = { { identifier = "a" }, bad } },
      { "addresses", message = "0 of 1 IP address was checked. 1 was skipped: what is this (no).",
        entities = { bad } },
    } })
  end)

  it("have what is no indicator among the rows of an action", function()
    local page = render_all { run = false, steps = { { "urls",
      message = "1 of 2 URLs was checked. 1 was skipped: b (no).",
      entities = { { identifier = "a" }, { identifier = "b", outcome = "skipped", reason = "no",
        is_no_indicator = true } } } } }
    assert.matches("\nb +url +skipped +no\n", page)
    assert.matches("\n1 of 1 URL was checked%.\n$", page)
    assert.is_nil(page:find("No indicators", 1, true))
  end)

  it("have twenty of many that are no indicators", function()
    local entities = {}
    for number = 1, 25 do
      entities[number] = { identifier = "b" .. number, outcome = "skipped", is_no_indicator = true }
    end
    local page = render_all { steps = { { "a", entities = entities } } }
    assert.matches("\nNo indicators: 25\n  b1 .*\n  b20 [^\n]*\n  and 5 more\n", page)
  end)

  it("are those of an action without a case", function()
    assert.equal("Scan Hash: completed\n\nNothing to do.\n",
      render_all { run = false, steps = { { "a", message = "Nothing to do." } } })
  end)

  it("have a thousand rows of many, the risky ones among them", function()
    local entities = {}
    for number = 1, 1500 do
      entities[number] = { identifier = "e" .. number, outcome = "not_found" }
    end
    entities[1500].verdict = { risky = true, detections = 3, total = 9 }
    local page = render_all { run = false, steps = { { "a", entities = entities } } }
    assert.matches("\ne1500 +url +RISKY 3/9\ne1 ", page)
    assert.matches("\ne999 .*\nand 500 more: %-%-format json has them all\n", page)
    assert.is_nil(page:find("\ne1000 ", 1, true))
  end)

  it("are coloured where that is asked for", function()
    local given = { run = false, steps = { { "a", entities = {
      { identifier = "a", verdict = { risky = true, detections = 3, total = 9 } } } } } }
    local coloured = render_all(given, { width = 80, is_coloured = true })
    assert.is_not_nil(coloured:find("\27[1;31m", 1, true))
    assert.is_nil(render_all(given):find("\27", 1, true))
  end)

  for _, words in ipairs(record.PAYLOADS) do
    it("is only text with " .. ("%q"):format(words):sub(1, 40), function()
      local page = render_all(record.poisoned(words), { width = 80 })
      assert.equal("", page:gsub("[^\0-\9\11-\31\127]", ""))
      for _, code in utf8.codes(page) do
        assert.is_true(code == 10 or text.escape(utf8.char(code)) == utf8.char(code))
      end
    end)
  end
end)
