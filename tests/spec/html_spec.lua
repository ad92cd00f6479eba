-- SPDX-License-Identifier: Apache-2.0
local clock = require "spec.support.clock"
local html = require "spec.support.html"
local record = require "spec.support.record"
local report = require "report.html"
local script = require "report.html_script"
local style = require "report.html_style"

local function render(given) return html.parse(record.render(report, given)) end

local RISKY = {
  identifier = "http://a.example/", link = "https://vt.example/x", reason = "not rescanned",
  verdict = { risky = true, detections = 9, total = 10, threshold = 3 },
  enrichment = { VirusTotal = { ["Scan date"] = "2024-03-01 12:00:00", Country = "DE" } },
  insights = { { severity = "warn", title = "Bad thing", body = "one\ntwo" } },
  aliases = { "HTTP://A.example/" },
  tables = {
    { title = "VirusTotal engines",
      columns = { "Engine", "Detected", "Result", "Version", "Updated" },
      rows = { { "Alpha", true, "trojan", "1", "2" }, { "Beta", false, "", "", "" } } },
    { title = "VirusTotal comments", columns = { "Date", "Comment" },
      rows = { { "2024", "seen in mail" } } },
  },
}
local GIVEN = {
  run = { score = 70, tags = { "malicious" }, params = { threshold = 3 }, warnings = { "slow" } },
  insights = { { severity = "error", title = "Look here" } },
  unasked = { { identifier = "10.0.0.5", type = "ip_address" } },
  steps = { { "urls", entities = {
    { identifier = "b", verdict = { risky = false, detections = 0, total = 10 } }, RISKY,
    { identifier = "c", outcome = "limited", reason = "the quota of the day is spent" },
  } } },
}

local function rows_of(page)
  local rows = {}
  for _, row in ipairs(page.elements.tr) do
    if row["data-verdict"] then table.insert(rows, row) end
  end
  return rows
end

describe("html", function()
  setup(function() _G.clock = clock end)
  teardown(function() _G.clock = nil end)

  it("says all there is", function()
    local page = render(GIVEN)
    for _, words in ipairs {
      "Triage", "1 of 3 indicators is risky; 1 of 3 was not checked; 1 more is in no step.",
      "Score: 70", "Tag: malicious", "hxxp://a[.]example/",
      "9 of 10 engines detect it; the threshold is 3.",
      "2024-03-01 12:00:00 UTC, 9 days old", "not rescanned", "hxxp://A[.]example/",
      "Bad thing", "Look here",
      "Alpha", "trojan", "Beta", "seen in mail", "Country", "the quota of the day is spent",
      "10[.]0[.]0[.]5", "nothing was asked about them", "1 request, 2 of the quota", "slow",
      "threshold", "2 of 3",
    } do
      assert.is_not_nil(page.text:find(words, 1, true), words)
    end
  end)

  it("never shows an indicator that leads somewhere, and copies the real one", function()
    local page = render(GIVEN)
    assert.is_nil(page.text:find("http://a.example", 1, true))
    local is_copied = false
    for _, button in ipairs(page.elements.button) do
      is_copied = is_copied or button["data-copy"] == "http://a.example/"
      assert.equal("", button.hidden) -- of no use without the script
    end
    assert.is_true(is_copied)
  end)

  it("may do what its policy names, and that is its own style and script", function()
    local page = render(GIVEN)
    local policy
    for _, meta in ipairs(page.elements.meta) do
      if meta["http-equiv"] == "Content-Security-Policy" then policy = meta.content end
    end
    assert.equal(("default-src 'none'; style-src 'sha256-%d'; script-src 'sha256-%d'; "
      .. "base-uri 'none'; form-action 'none'"):format(#style, #script), policy)
    assert.same({ style }, { page.elements.style[1].text, page.elements.style[2] })
    assert.same({ script }, { page.elements.script[1].text, page.elements.script[2] })
    for _, text in ipairs { style, script } do
      assert.is_nil(text:find "</")
      assert.is_nil(text:find "[\128-\255]")
      assert.is_nil(text:lower():find "https?:")
      assert.is_nil(text:lower():find "url%(")
      assert.is_nil(text:lower():find "@import")
    end
  end)

  it("lists what is risky first and knows what to sort by", function()
    local rows = rows_of(render(GIVEN))
    assert.same({ "risky", "not_checked", "clean" },
      { rows[1]["data-verdict"], rows[2]["data-verdict"], rows[3]["data-verdict"] })
    assert.equal("http://a.example/", rows[1]["data-real"])
  end)

  it("draws every verdict and every detection", function()
    local page = render(GIVEN)
    local labels = {}
    for _, svg in ipairs(page.elements.svg) do labels[svg["aria-label"] or ""] = true end
    assert.is_true(labels["Verdicts: risky 1, clean 1, unknown 0, not checked 1"])
    assert.is_true(labels["9 / 10 detections, the threshold is 3"])
    assert.is_true(labels["2 of 3 look-ups"])
    for _, rect in ipairs(page.elements.rect) do
      assert.is_true((tonumber(rect.x) or 0) + tonumber(rect.width) <= 1000.5)
    end
  end)

  it("shows a verdict below the threshold as such where there is one", function()
    local page = render { steps = { { "a", entities = {
      { identifier = "b", verdict = { risky = false, detections = 1, total = 10, threshold = 3 } },
    } } } }
    assert.is_not_nil(page.text:find("Below threshold", 1, true))
    assert.equal("below_threshold", rows_of(page)[1]["data-verdict"])
  end)

  for name, given in pairs {
    ["a run without steps"] = { steps = {} },
    ["a step without entities"] = { steps = { { "a" } } },
    ["an action without entities"] = { run = false, steps = { { "a", message = "Fine." } } },
    ["a function of a playbook"] = { steps = { { "verdict", status = "failed",
      message = "it raised", action = false } } },
    ["an entity that is no indicator"] = { steps = { { "a", entities = {
      { identifier = "no indicator", type = false, outcome = "skipped" } } } } },
  } do
    it("is whole for " .. name, function()
      local page = render(given)
      assert.equal(1, #page.elements.h1)
      assert.is_nil(page.text:find("0 of 0 ", 1, true))
      assert.is_not_nil(page.text:find("Steps and cost", 1, true))
    end)
  end

  it("says why a step failed", function()
    local page = render { steps = { { "a", status = "failed", message = "the key was refused" } } }
    assert.is_not_nil(page.text:find("the key was refused", 1, true))
  end)

  it("shows a thousand of many, the most urgent, and says so", function()
    local entities = {}
    for number = 1, 1200 do
      entities[number] = { identifier = "e" .. number,
        verdict = { risky = number > 1190, detections = number > 1190 and 5 or 0, total = 9 } }
    end
    local page = render { steps = { { "a", entities = entities } } }
    local rows = rows_of(page)
    assert.equal(1000, #rows)
    assert.equal("risky", rows[10]["data-verdict"])
    assert.equal("clean", rows[11]["data-verdict"])
    assert.is_not_nil(page.text:find("the 1,000 most urgent; 200 more are not shown", 1, true))
  end)

  it("shows fifty rows of a long table, and says so", function()
    local rows = {}
    for number = 1, 60 do rows[number] = { "row " .. number } end
    local page = render { steps = { { "a", entities = { { identifier = "b",
      tables = { { title = "Resolutions", columns = { "Host" }, rows = rows } } } } } } }
    assert.is_not_nil(page.text:find("row 50", 1, true))
    assert.is_nil(page.text:find("row 51", 1, true))
    assert.is_not_nil(page.text:find("and 10 more rows", 1, true))
  end)

  local wanted
  for _, words in ipairs(record.PAYLOADS) do
    it("is only text with " .. ("%q"):format(words):sub(1, 40), function()
      wanted = wanted or render(record.poisoned "x")
      local page = render(record.poisoned(words)) -- the parser refuses what is no text
      for _, tag in ipairs { "script", "style", "form", "input", "svg", "details", "button" } do
        assert.is_true(#(page.elements[tag] or {}) <= #wanted.elements[tag], tag)
      end
      assert.is_nil(page.text:find "[^\n\32-\126\128-\255]")
      assert.is_not_nil(utf8.len(page.text))
      assert.is_nil(page.text:lower():find "%f[%w]https?://%w")
    end)
  end
end)
