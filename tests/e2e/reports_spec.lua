-- Reports for people, of the sample playbook on the simulator: whole, true to the record, and in a
-- browser, where there is one.
-- SPDX-License-Identifier: Apache-2.0
local browser = require "e2e.support.browser"
local cjson = require "cjson"
local csv = require "spec.support.csv"
local html = require "spec.support.html"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local SAMPLE = "playbooks/triage-indicators.txt"
local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local GONE = ("%032x"):format(0xdead)

local function args_of(format, ...)
  return { "run", "triage", "--entities", SAMPLE, "--quiet", "--format", format, ... }
end

local function report(w, format, ...)
  local ran = w:run(args_of(format, ...))
  assert.equal("", ran.err)
  return ran.out, ran.exit
end

local function digest(w, text)
  local path = w:write("digest", text)
  local pipe = assert(io.popen("openssl dgst -sha256 -binary <" .. program.quote(path)
    .. " | openssl base64"))
  local base64 = pipe:read "l"
  pipe:close()
  return "'sha256-" .. base64 .. "'"
end

describe("--format html", function()
  it("is one strict page with what the run found", function()
    workspace.simulated({}, function(w)
      local text, exit = report(w, "html")
      local page = html.parse(text)
      assert.equal(0, exit)
      assert.is_not_nil(page.text:find("3 of 6 indicators are risky; all 6 were checked; 2 more "
        .. "are in no step.", 1, true))
      assert.is_not_nil(page.text:find("63 of 68 engines detect it; the threshold is 3.", 1, true))
      assert.is_not_nil(page.text:find("hxxp://login[.]example[.]com/verify?step=1", 1, true))
      assert.is_not_nil(page.text:find("VirusTotal comments", 1, true))
      assert.is_nil(page.text:find("http://login.example.com", 1, true))
    end)
  end)

  it("allows its own style and script by their digests", function()
    workspace.simulated({}, function(w)
      local page = html.parse((report(w, "html")))
      local policy = page.elements.meta[2].content
      assert.is_not_nil(policy:find("style-src " .. digest(w, page.elements.style[1].text) .. ";",
        1, true))
      assert.is_not_nil(policy:find("script-src " .. digest(w, page.elements.script[1].text) .. ";",
        1, true))
    end)
  end)

  it("says what was not checked, and why", function()
    workspace.simulated({
      scenario = "return { answers = { ['file/report " .. GONE .. "'] = { { status = 500 } } } }",
      settings = { virustotal = { retries = 0, tier = {
        per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true,
      } } },
    }, function(w)
      local ran = w:run { "action", "scan_hash", "-p", "threshold=3", "--entity", EICAR,
        "--entity", GONE, "--quiet", "--format", "html" }
      assert.equal(1, ran.exit)
      local page = html.parse(ran.out)
      assert.is_not_nil(page.text:find("1 of 2 indicators is risky; 1 of 2 was not checked.", 1,
        true))
      assert.matches("failed: [^\n]*500", page.text)
    end)
  end)

  it("is whole or not there", function()
    workspace.simulated({}, function(w)
      local ran = w:run(args_of("html", "--output", "/dev/full"))
      assert.equal(7, ran.exit)
      assert.matches("/dev/full", ran.err)
      local path = w:path "folder/report.html"
      assert.equal(7, w:run(args_of("html", "--output", path)).exit)
      assert.is_nil(program.read(path))
      assert.equal("", w:left_over())
    end)
  end)

  it("sorts, filters and asks for nothing in a browser", function()
    local chromium = browser.find()
    if not chromium then
      pending "there is no Chromium: install it, or name one in $APOGEE_CHROMIUM"
      return
    end
    workspace.simulated({}, function(w)
      local page = browser.with_script(report(w, "html"), [[
        var list = document.getElementById("list");
        var form = document.getElementById("tools");
        var real = function () {
          return Array.from(list.tBodies[0].rows).filter(function (row) { return !row.hidden; })
            .map(function (row) { return row.dataset.real; }).join(" ");
        };
        var said = {};
        said.tools = !form.hidden;
        said.copies = document.querySelectorAll("button[data-copy]:not([hidden])").length;
        list.tHead.rows[0].cells[3].firstChild.click();
        said.up = real();
        list.tHead.rows[0].cells[3].firstChild.click();
        said.down = real();
        said.sort = list.tHead.rows[0].cells[3].getAttribute("aria-sort");
        form.elements.words.value = "LOGIN.example.com";
        form.elements.words.dispatchEvent(new Event("input"));
        said.words = real();
        form.elements.words.value = "";
        form.elements.verdict.value = "clean";
        form.elements.verdict.dispatchEvent(new Event("change"));
        said.clean = real();
        said.shown = document.getElementById("shown").textContent;
        window.dispatchEvent(new Event("beforeprint"));
        said.folded = document.querySelectorAll("details.box:not([open])").length;
        window.dispatchEvent(new Event("afterprint"));
        said.refolded = document.querySelectorAll("details.box:not([open])").length;
        said.styled = getComputedStyle(document.querySelector(".box")).borderTopStyle;
        said.wide = document.documentElement.scrollWidth > window.innerWidth;
        said.asked = performance.getEntriesByType("resource").length;
        said.refused = refused.join(" ");
        document.title = encodeURIComponent(JSON.stringify(said));
      ]])
      local title = browser.title(chromium, w.folder, w:write("page.html", page))
      local said = cjson.decode((title:gsub("%%(%x%x)", function(hex)
        return string.char(tonumber(hex, 16))
      end)))
      assert.is_true(said.tools)
      assert.is_true(said.copies >= 6)
      assert.matches("^mail%.example%.org .+" .. EICAR, said.up)
      assert.matches("^" .. EICAR .. " .+mail%.example%.org$", said.down)
      assert.equal("descending", said.sort)
      assert.equal("http://login.example.com/verify?step=1", said.words)
      assert.equal("https://www.virustotal.com/gui/home 198.51.100.23",
        said.clean:gsub("^(198%S+) (%S+)$", "%2 %1"))
      assert.equal("2 of 6 shown", said.shown)
      assert.same({ 0, 3 }, { said.folded, said.refolded })
      assert.equal("solid", said.styled)
      assert.is_false(said.wide)
      assert.equal(0, said.asked)
      assert.equal("", said.refused)
    end)
  end)
end)

-- As much of everything as an entity may carry, in characters that are dear to escape.
local LOUD = [[
local action = require "apogee.action"
local WORDS = ("\u{202e}\u{e9}"):rep(9000)
return action {
  id = "loud", name = "Loud", doc = "Writes much.", accepts = { "filehash" }, needs = {},
  returns = "is_risky",
  run = function(ctx, entity)
    local rows, columns = {}, {}
    for column = 1, 8 do columns[column] = "column " .. column end
    for row = 1, 60 do
      rows[row] = {}
      for column = 1, 8 do rows[row][column] = WORDS:sub(1, 2000) end
    end
    for number = 1, 15 do
      entity:insight {
        severity = "warn", title = WORDS:sub(1, 9000), body = WORDS .. "\n" .. number,
      }
    end
    for number = 1, 2 do
      entity:table { title = "table " .. number, columns = columns, rows = rows }
    end
    local many = {}
    for number = 1, 20000 do many["key" .. number] = number end
    entity:enrich("many", many)
    for number = 1, 200 do entity:enrich("field " .. number, WORDS:sub(1, 2000)) end
    entity:result { detections = 3, threshold = 1, risky = true }
    return ctx.reported({}, WORDS)
  end,
}
]]

describe("a report of much", function()
  for _, format in ipairs { "table", "csv", "markdown", "html" } do
    it("is whole as " .. format, function()
      workspace.with(function(w)
        assert(os.execute("mkdir " .. program.quote(w:path "actions")))
        w:write("actions/loud.lua", LOUD)
        w:write("hashes", EICAR .. "\n" .. GONE .. "\n")
        w:configure { virustotal = { url = "http://127.0.0.1:9" }, actions_path = {
          w:path "actions" } }
        local ran = w:run { "action", "loud", "--entities", w:path "hashes", "--quiet", "--format",
          format }
        assert.equal(1, ran.exit) -- reported with a reason is not as wished
        assert.matches("^apogee: error: Loud: 2 of 2 [^\n]*\n$", ran.err)
        assert.is_not_nil(ran.out:find(EICAR:sub(1, 8), 1, true))
        assert.is_not_nil(ran.out:lower():find("risky", 1, true))
        assert.is_nil(ran.out:find("more than an entity may carry", 1, true))
        if format == "html" then html.parse(ran.out) end
        if format == "csv" then assert.equal(2, #csv.objects(ran.out)) end
      end)
    end)
  end
end)

describe("--format csv", function()
  it("has a row for each look-up, true to the document", function()
    workspace.simulated({}, function(w)
      local document = w:json(args_of "json")
      local rows = csv.objects((report(w, "csv")))
      local at = 0
      for _, step in ipairs(document.steps) do
        for _, entity in ipairs(step.entities) do
          at = at + 1
          local row, verdict = rows[at], entity.verdict or {}
          assert.same({ step.step, entity.identifier, entity.type, entity.outcome },
            { row.step, row.identifier, row.type, row.outcome })
          assert.equal(verdict.detections, tonumber(row.detections))
          assert.equal(verdict.threshold, tonumber(row.threshold))
        end
      end
      assert.equal(6, at)
      assert.equal(at, #rows)
    end)
  end)

  it("opens in a spreadsheet without a formula", function()
    workspace.simulated({}, function(w)
      local rows = csv.objects(w:run({ "action", "scan_hash", "-p", "threshold=3", "--quiet",
        "--format", "csv", "--entities", "-" }, "=cmd|' /C calc'!A0\n" .. EICAR .. "\n").out)
      local found = {}
      for _, row in ipairs(rows) do found[row.identifier] = row.verdict end
      assert.same({ [EICAR] = "risky", ["'=cmd|' /C calc'!A0"] = "not_checked" }, found)
    end)
  end)
end)

describe("--format markdown", function()
  it("begins with what happened and has the risky ones first", function()
    workspace.simulated({}, function(w)
      local text = report(w, "markdown")
      assert.matches("^## Triage\n\n%*%*3 of 6 indicators are risky; all 6 were checked; "
        .. "2 more are in no step%.%*%*\n", text)
      assert.matches("%-%-%- |\n| `" .. EICAR .. "` | filehash | %*%*Risky%*%* | 63 of 68 |", text)
      assert.matches("%*%*in no step%*%*[^\n]*`10%[%.%]0%[%.%]0%[%.%]5`", text)
    end)
  end)
end)
