-- A record for renders, as script/render.c makes it, from a short description:
--   { run = { fields that differ } or false, insights = {}, unasked = { entities },
--     steps = { { "name", entities = { { identifier, type, outcome, verdict = {}, insights = {},
--       tables = {} } }, other fields that differ } } }
-- The same identifier in two steps is one entity.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

M.NOW = 1710072000 -- 2024-03-10 12:00:00

local CHECKED = { reported = true, scanned = true, not_found = true }

local function with(defaults, given)
  local all = {}
  for key, value in pairs(defaults) do all[key] = value end
  for key, value in pairs(given or {}) do all[key] = value end
  return all
end

local function step_of(given)
  local checked = 0
  for _, entity in ipairs(given.entities or {}) do
    if CHECKED[entity.outcome or "reported"] then checked = checked + 1 end
  end
  return with({
    step = given[1], action = "scan_hash", name = "Scan Hash", provider = "VirusTotal",
    status = "completed", message = "", warnings = {},
    coverage = { checked = checked, of = #(given.entities or {}) },
    cost = { requests = 1, quota = checked, cached = 0, shared = 0, bytes_sent = 0 },
  }, given)
end

local function finding_of(given)
  return with({ type = "url", outcome = "reported", suspicious = false, enrichment = {} }, given)
end

---@param given table
---@return table record
function M.new(given)
  local order, place, found, entities = {}, {}, {}, {}
  local function place_of(identifier, kind)
    if not place[identifier] then
      table.insert(order, identifier)
      place[identifier] = #order
      entities[#order] = { identifier = identifier, type = kind or "url", steps = {} }
    end
    return place[identifier]
  end
  local steps = {}
  for number, step in ipairs(given.steps or {}) do
    steps[number] = step_of(step)
    found[number] = {}
    for _, entity in ipairs(step.entities or {}) do
      found[number][place_of(entity.identifier, entity.type)] = entity
    end
  end
  for _, entity in ipairs(given.unasked or {}) do place_of(entity.identifier, entity.type) end
  local record = { steps = steps, count = #order, insights = given.insights or {}, now = M.NOW }
  if given.run ~= false then
    record.run = with({
      run = "20240310T120000Z-0001", playbook = "Triage", params = {}, status = "completed",
      started = "2024-03-10T11:59:00Z", finished = "2024-03-10T12:00:00Z", exit = 0, tags = {},
      score = 0, warnings = {},
    }, given.run)
  end
  function record.peek(step, entity)
    local one = found[step][entity]
    if not one then return nil end
    local verdict = one.verdict or {}
    return one.outcome or "reported", verdict.risky == true, verdict.detections, verdict.total == 0,
      one.is_no_indicator == true
  end
  function record.finding(step, entity) return finding_of(found[step][entity]) end
  function record.entity(entity) return entities[entity] end
  function record.insights_of(step, entity) return found[step][entity].insights or {} end
  function record.tables_of(step, entity) return found[step][entity].tables or {} end
  function record.source_hash(text) return "sha256-" .. #text end
  return record
end

---@param render table a module report.*
---@param given table as M.new takes it
---@param options table?
---@return string
function M.render(render, given, options)
  local parts = {}
  for piece in render.pieces(M.new(given), options or {}) do table.insert(parts, piece) end
  return table.concat(parts)
end

--- Texts that mean something somewhere: each must be only text, wherever it comes in.
M.PAYLOADS = {
  "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style><b>", "<!--", "]]>",
  '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "&lt;b&gt; &amp; &#60;",
  "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example/x",
  "http://evil.example/a\"b", "https://bank.example@evil.example/", "www.evil.example",
  "![x](http://evil.example/p.png)", "[x](javascript:alert(1))", "<http://evil.example/>",
  "`` ` ```", "| a | b |", "\\| \\", "# head", "- item", "1. item", "> quote", "***", "~~x~~",
  "@everyone", "ana@example.org", "$x$", "line\n\n# next\n- x", "tab\there",
  "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://evil.example")',
  'a"b', 'a""b,c', "a,b;c", "\27[2J\27]0;title\7", "\0nul", "\127\194\155",
  "<svg/onload=alert(1)>", "<iframe src=http://evil.example/>", "<base href=//evil.example/>",
  "<meta http-equiv=refresh content=0;url=http://evil.example/>",
  "<style>@import 'http://evil.example/x'</style>", "<link rel=stylesheet href=//evil.example/x>",
  "<form action=http://evil.example/><input name=a>", "*/alert(1)//", "{{7*7}} ${7*7} #{7*7}",
  "%s%n%n%1000000d", "\r\nX-Evil: 1\r\n\r\n", '"}\n{"level":"error","forged":1}',
  "\napogee: error: forged", "\u{9b}31m\u{90}q\u{9d}0;title\u{9c}", "a\u{2066}b\u{2069}\u{200f}",
  "\27]8;;http://evil.example/\27\\x\27]8;;\27\\", "\8\8\8hidden", "$(id)`id`;id|id&id",
  "../../../x",
  "a\u{202e}b\u{200b}c\u{2028}d", "\u{feff}bom", "\255\254 no utf-8", "\u{1f600}", ("x"):rep(5000),
}

--- A record that has a text in every field that comes from outside.
---@param words string
---@return table given
function M.poisoned(words)
  local enrichment = { [words] = { [words] = words, ["Scan date"] = words,
    ["Detecting Engines"] = words, list = { { [words] = words } } } }
  local tables = {
    { title = words, columns = { words, "b" }, rows = { { words, words }, { 1, true } } },
    { title = words, columns = { "Engine", "Detected", "Result", "Version", "Updated" },
      rows = { { words, true, words, words, words }, { words, false, words, words, words } } },
  }
  local insight = { severity = words, title = words, body = words, entity = words }
  local function entity(kind, fields)
    return with({
      identifier = kind .. words, type = kind, reason = words, link = words,
      enrichment = enrichment, original_identifier = words, aliases = { words },
      tables = tables, insights = { insight },
    }, fields)
  end
  return {
    run = { playbook = words, params = { [words] = words, list = { words } }, tags = { words },
      warnings = { words }, run = words, score = 5 },
    insights = { insight },
    unasked = { { identifier = "never" .. words, type = "user" } },
    steps = { { words, name = words, provider = words, message = words, warnings = { words },
      status = "failed", entities = {
        entity("url", { verdict = { risky = true, detections = 9, total = 10, threshold = 3 } }),
        entity("hostname", { verdict = { risky = false, detections = 0, total = 10 } }),
        entity("ip_address", { outcome = "failed" }), entity("user", { outcome = "not_found" }),
        entity("file", { verdict = { risky = false, detections = 1 } }),
        entity("filehash", { outcome = "limited" }),
      } } },
  }
end

return M
