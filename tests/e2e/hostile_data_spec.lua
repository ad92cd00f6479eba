-- Texts that mean something to a terminal, a spreadsheet, a browser, a ticket or a log, in every
-- field that comes from outside: answers, entities files, file names, parameters, foreign scripts.
-- In each form of the result they are only text.
-- SPDX-License-Identifier: Apache-2.0
local browser = require "e2e.support.browser"
local cjson = require "cjson"
local csv = require "spec.support.csv"
local html = require "spec.support.html"
local program = require "e2e.support.program"
local record = require "spec.support.record"
local workspace = require "e2e.support.workspace"

-- What JSON can carry: an answer or an entities file that is no UTF-8 is refused as a whole.
local PAYLOADS = {}
for _, words in ipairs(record.PAYLOADS) do
  if utf8.len(words) then table.insert(PAYLOADS, words) end
end

-- ---- what a form of the result must be, whatever it holds ----

local HIDDEN = {}
for _, range in ipairs {
  { 0x80, 0x9f }, { 0xad, 0xad }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
  { 0xfeff, 0xfeff },
} do
  for code = range[1], range[2] do HIDDEN[code] = true end
end

local function check_controls(text)
  local at = text:find "[\0-\9\11-\31\127]" or text:find "\xc2[\x80-\x9f]"
  assert(not at, at and ("a control character: %q"):format(text:sub(at - 40, at + 20)))
end

--- Nothing that a terminal obeys, that hides text or turns it around.
local function check_terminal(text)
  check_controls(text)
  assert(utf8.len(text), "no UTF-8")
  for _, code in utf8.codes(text) do
    if HIDDEN[code] then
      local from = text:find(utf8.char(code), 1, true)
      error(("U+%04X is in it: %s"):format(code, text:sub(math.max(1, from - 80), from + 20)))
    end
  end
end

local function check_lines(text, check)
  assert(text:sub(-1) == "\n" or text == "", "the last line does not end")
  for line in text:gmatch "([^\n]*)\n" do check(line) end
end

local function check_json(line) assert(type(cjson.decode(line)) == "table", line) end

local LOG = {
  text = function(line)
    check_terminal(line)
    local level = line:match "^apogee: (%l+): " or line:match "^apogee: "
    assert(level and not line:find "^apogee: error: forged", "a line of another: " .. line)
  end,
  json = function(line)
    check_controls(line)
    assert(not cjson.decode(line).forged, "a line of another: " .. line)
  end,
}

--- Where the code that begins with these ticks ends; nil: it is none.
local function end_of_code(line, from, ticks)
  for first, last in line:gmatch("()`+()", from + #ticks) do
    if last - first == #ticks then return last end
  end
end

--- A line of Markdown without what is escaped or code.
local function bare_markdown(line)
  local parts, at = {}, 1
  while at <= #line do
    local words = line:match("^`+", at) or line:sub(at, at)
    local after = line:match("^\\%p()", at)
      or words:find "^`" and end_of_code(line, at, words)
    if not after then table.insert(parts, words) end
    at = after or at + #words
  end
  return table.concat(parts)
end

local TAGS = { br = true, details = true, summary = true }

local CHECKS = {
  table = check_terminal,
  csv = function(text)
    check_terminal((text:gsub("\r\n", "\n")))
    local rows = csv.parse(text)
    for _, row in ipairs(rows) do
      assert(#row == #rows[1], "a row of another length")
      for _, cell in ipairs(row) do
        assert(not cell:find "^[=+%-@%c]" and not cell:find "^＝", "a formula: " .. cell:sub(1, 40))
      end
    end
    assert(#rows > #PAYLOADS)
  end,
  markdown = function(text)
    check_terminal(text)
    check_lines(text, function(line)
      local bare = bare_markdown(line)
      for tag in bare:gmatch "<([^>]*)>?" do
        assert(TAGS[tag:match "^/?(%l+)$"], "a tag: " .. line)
      end
      for target in bare:gmatch "%]%(([^)]*)%)" do assert(target:find "^https?://%w", line) end
      assert(not bare:find("![", 1, true), "an image: " .. line)
      assert(not bare:find "%f[%w@]@%w", "a mention: " .. line)
    end)
  end,
  html = function(text)
    local page = html.parse(text) -- refuses what is no element of ours
    assert(#page.elements.script == 1 and #page.elements.style == 1)
    assert(not text:find "[\0-\9\11-\31\127]")
  end,
  json = check_json,
  ndjson = function(text) check_lines(text, check_json) end,
}

-- ---- where they come in ----

local function with_date(words) return { date = words, comment = words } end

-- An answer of each endpoint that has words wherever it has a text.
local ANSWERS = {
  ["file/report"] = function(words)
    return {
      response_code = 1, positives = 60, total = 61, verbose_msg = words, permalink = words,
      scan_date = words, scan_id = words, resource = words, md5 = words, sha1 = words,
      sha256 = words, [words] = words, scans = {
        [words] = { detected = true, result = words, version = words, update = words },
        Plain = { detected = false, result = words, version = words, update = words },
      },
    }
  end,
  ["url/report"] = function(words)
    return {
      response_code = 1, positives = 9, total = 10, verbose_msg = words, permalink = words,
      scan_date = words, scan_id = words, resource = words, url = words, filescan_id = words,
      scans = { [words] = { detected = true, result = words, detail = words } },
    }
  end,
  ["domain/report"] = function(words)
    return {
      response_code = 1, verbose_msg = words, whois = words .. "\n" .. words, whois_date = words,
      categories = { words }, subdomains = { words }, domain_siblings = { words },
      ["BitDefender category"] = words, ["Webutation domain info"] = { [words] = words },
      resolutions = { { ip_address = words, last_resolved = words } },
      detected_urls = { { url = words, positives = 5, total = 9, scan_date = words } },
      detected_downloaded_samples = { { sha256 = words, positives = 5, total = 9, date = words } },
    }
  end,
  ["ip-address/report"] = function(words)
    return {
      response_code = 1, verbose_msg = words, country = words, as_owner = words, asn = words,
      network = words, whois = words, continent = words,
      resolutions = { { hostname = words, last_resolved = words } },
      detected_urls = { { url = words, positives = 5, total = 9, scan_date = words } },
      detected_downloaded_samples = { { sha256 = words, positives = 5, total = 9, date = words } },
    }
  end,
  ["comments/get"] = function(words)
    return { response_code = 1, verbose_msg = words, resource = words,
      comments = { with_date(words), with_date(words) } }
  end,
}

--- A scenario in which each request has the next text in its answer.
local function scenario(count)
  local rows = {}
  for endpoint, make in pairs(ANSWERS) do
    local steps = {}
    for _, words in ipairs(PAYLOADS) do
      table.insert(steps, ("{ body = %q, times = %d }"):format(cjson.encode(make(words)), count))
    end
    table.insert(rows, ("[%q] = { %s }"):format(endpoint .. " *", table.concat(steps, ", ")))
  end
  return "return { answers = { " .. table.concat(rows, ", ") .. " } }"
end

local function entities()
  local lines = {}
  for number, words in ipairs(PAYLOADS) do
    for kind, identifier in pairs {
      filehash = ("%032x"):format(number), ip_address = "8.8.4." .. number,
      hostname = ("h%d.example.com"):format(number),
      url = ("http://u%d.example.com/%s"):format(number, words),
      user = ("u%d@example.com"):format(number), file = words,
    } do
      table.insert(lines, cjson.encode {
        identifier = identifier, type = kind, note = words, ["note " .. words] = words,
      })
    end
    table.insert(lines, cjson.encode { identifier = words, type = words })
  end
  return table.concat(lines, "\n") .. "\n"
end

-- A stranger's action says what came in wherever an action can say something.
local STRANGER = [[
return require "apogee.action" {
  id = "stranger", name = %q, provider = %q, doc = %q,
  accepts = { "user", "file", "hostname" }, needs = {}, returns = "is_risky",
  params = { { "words", type = "string", doc = %q, label = %q } },
  run = function(ctx, entity)
    local words = entity.properties.note
    entity:enrich(words, words)
    entity:enrich("deep", { [words] = { words } })
    pcall(entity.link, entity, "https://a.example/" .. words)
    entity:insight { severity = "warn", title = words, body = words .. "\n" .. words }
    entity:table { title = words, columns = { words, "b" }, rows = { { words, words } } }
    entity:result { detections = 3, total = 4, threshold = 1, risky = true }
    ctx.warn(words)
    log.warn(words)
    log.info("%%s", words)
    if entity.type == "file" then error(words) end
    if entity.type == "user" then return ctx.failed(words) end
    return ctx.reported({}, words)
  end,
}
]]

local PLAYBOOK = [[
local playbook = require "apogee.playbook"
return playbook {
  name = %q, doc = %q, params = { { "words", type = "string" } },
  steps = {
    { "hashes", action = "scan_hash", on_error = "continue", with = { threshold = 3 } },
    { "urls", action = "scan_url", on_error = "continue", with = { threshold = 3 } },
    { "domains", action = "get_domain_report", on_error = "continue" },
    { "ips", action = "scan_ip", on_error = "continue", with = { threshold = 3 } },
    { "stranger", action = "stranger", on_error = "continue", with = { words = "$words" } },
    { "mark", run = function(case)
      case:tag(%q)
      case:insight { severity = "error", title = %q, body = %q }
    end },
  },
}
]]

local ALL = table.concat(PAYLOADS, " "):gsub("%z", "")
local LOUD = "\27[2J<script>alert(1)</script>\u{202e}\nforged: `x` |=1+1"

-- What a name may be: one line.
local TITLE = "=<img src=x onerror=alert(1)>`x`|@all ![y](http://evil.example/z)"

local SETTINGS = { virustotal = {
  retries = 0, comments = "all",
  tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
}, actions_path = { "actions" } }

--- A workspace whose simulator, entities, action and playbook all say the texts.
local function with(use)
  workspace.simulated({ scenario = scenario(1), settings = SETTINGS }, function(w)
    assert(os.execute("mkdir " .. program.quote(w:path "actions")))
    w:write("actions/stranger.lua", STRANGER:format(TITLE, TITLE, LOUD, LOUD, TITLE))
    w:write("book.lua", PLAYBOOK:format(TITLE, LOUD, LOUD, LOUD, LOUD))
    w:write("entities.ndjson", entities())
    use(w)
  end)
end

local function run(w, format, log_format, ...)
  local args = {
    "run", w:path "book.lua", "--entities", w:path "entities.ndjson", "-v", "-v",
    "--param", "words=" .. ALL, "--format", format, "--log-format", log_format, ...,
  }
  local ran = w:run(args)
  assert(ran.exit == 1, ("exit %d: %s"):format(ran.exit, ran.err:sub(-2000)))
  check_lines(ran.err, LOG[log_format])
  CHECKS[format](ran.out)
  return ran
end

--- How many of the texts came through to an answer's enrichment: the test would be blind otherwise.
local function check_seen(document)
  local seen, missing = {}, {}
  local function look(value)
    if type(value) == "string" then seen[value] = true end
    if type(value) ~= "table" then return end
    for key, member in pairs(value) do
      if type(key) == "string" then seen[key] = true end
      look(member)
    end
  end
  for _, step in ipairs(document.steps) do
    for _, entity in ipairs(step.entities) do look(entity.enrichment) end
  end
  for _, words in ipairs(PAYLOADS) do
    if not seen[words] then table.insert(missing, words) end
  end
  assert.same({}, missing)
end

describe("texts that mean harm", function()
  it("are only text in every form of the result, and in the log", function()
    with(function(w)
      run(w, "table", "text")
      for format, check in pairs(CHECKS) do
        local ran = w:run { "report", "last", "--format", format }
        assert.equal(0, ran.exit, ran.err)
        check(ran.out)
        if format == "json" then check_seen(cjson.decode(ran.out)) end
      end
    end)
    with(function(w) run(w, "ndjson", "json") end)
  end)

  it("are only text in what other commands print", function()
    with(function(w)
      run(w, "csv", "text", "--metrics", w:path "metrics.prom")
      check_terminal(program.read(w:path "metrics.prom"))
      local file = w:write("a\27[2J\nb<x>.ndjson", entities())
      local book, action = w:path "book.lua", w:path "actions/stranger.lua"
      local wrong = {}
      for _, args in ipairs {
        { "runs" }, { "quota" }, { "cache" }, { "list" }, { "show", "stranger" }, { "show", book },
        { "action", "stranger", "--help" }, { "check", action }, { "check", book },
        { "check", file }, { "show", file }, { "run", file }, { "action", file },
        { "entities", file }, { "plan", book, "--entities", file, "--param", "words=" .. LOUD },
        { "run", book, "--entities", file .. "\27" }, { "action", "\27[2Jx\n" },
        { "run", book, "--param", "words\27\n=1" }, { "run", book, "--only", "\27[2J\n" },
        { "--\27[2J\n" }, { "\27[2J\n" }, { "report", "\27[2J\n" }, { "resume", "\27[2J\n" },
        { "run", book, "--entities", file, "--output", "/none\27[2J\n/x" },
        { "run", book, "--entities", w:path "entities.ndjson", "--changed-since-last",
          "--format", "table" },
        { "run", book, "--config", "/none\27[2J\n" }, { "ping", "--url", "https://\27[2J\n/" },
      } do
        for _, log_format in ipairs { "text", "json" } do
          local words = table.move(args, 1, #args, 1, {})
          if args[2] then table.insert(words, "--log-format=" .. log_format) end
          local ran = w:run(words)
          local good, why = pcall(function()
            check_terminal(ran.out)
            check_lines(ran.err, log_format == "json" and check_controls or check_terminal)
          end)
          if not good then
            table.insert(wrong, cjson.encode(words) .. ": " .. tostring(why))
          end
        end
      end
      assert.equal("", table.concat(wrong, "\n"))
    end)
  end)

  it("are only text as names of files that are uploaded", function()
    workspace.simulated({
      settings = SETTINGS, scenario = "return { scan_ms = 1 }",
    }, function(w)
      assert(os.execute("mkdir " .. program.quote(w:path "files")))
      local paths = {}
      for number, words in ipairs(PAYLOADS) do
        local name = number .. words:gsub("[/%z]", "_"):sub(1, 200) .. ".bin"
        local path = w:write("files/" .. name, "content " .. number)
        table.insert(paths, (path:gsub(",", "\\,")))
      end
      for _, log_format in ipairs { "text", "json" } do
        local ran = w:run {
          "action", "upload_and_scan_file", "--threshold", "3", "-vv", "--poll-interval", "10ms",
          "--param", "file_paths=" .. table.concat(paths, ","), "--log-format", log_format,
          "--format", "table",
        }
        assert.equal(0, ran.exit, ran.err:sub(-2000))
        check_terminal(ran.out)
        check_lines(ran.err, LOG[log_format])
      end
      local uploads = {}
      for _, request in ipairs(w:requests()) do
        if request.filename and request.filename ~= cjson.null then
          table.insert(uploads, request.filename)
          assert.is_nil(request.filename:find '[%c"/\\]', request.filename)
        end
      end
      assert.is_true(#uploads >= #PAYLOADS)
      for format, check in pairs(CHECKS) do
        if format ~= "csv" then check(w:run({ "report", "last", "--format", format }).out) end
      end
    end)
  end)

  it("do nothing in a browser", function()
    local chromium = browser.find()
    if not chromium then
      pending "there is no Chromium: install it, or name one in $APOGEE_CHROMIUM"
      return
    end
    with(function(w)
      local page = browser.with_script(run(w, "html", "text").out, [[
        var ours = document.querySelectorAll('[nonce="test"]').length;
        document.title = encodeURIComponent(JSON.stringify({
          ran: alerts, refused: refused, asked: performance.getEntriesByType("resource").length,
          scripts: document.querySelectorAll("script").length - ours,
          foreign: document.querySelectorAll("img, iframe, svg[onload], base, link, object, embed, "
            + "meta[http-equiv=refresh], [onerror], [onload], [onmouseover], [style]").length,
          links: Array.from(document.querySelectorAll("a[href]")).filter(function (link) {
            return !/^https?:$/.test(link.protocol) && link.getAttribute("href")[0] !== "#";
          }).length,
        }));
      ]])
      page = page:gsub("var refused = %[%];",
        "%0 var alerts = 0; window.alert = function () { alerts++; };", 1)
      local title = browser.title(chromium, w.folder, w:write("page.html", page))
      local said = cjson.decode((title:gsub("%%(%x%x)", function(hex)
        return string.char(tonumber(hex, 16))
      end)))
      assert.same({ ran = 0, refused = {}, asked = 0, scripts = 1, foreign = 0, links = 0 }, said)
    end)
  end)
end)
