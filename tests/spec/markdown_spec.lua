-- SPDX-License-Identifier: Apache-2.0
local clock = require "spec.support.clock"
local record = require "spec.support.record"
local report = require "report.markdown"

local function render(given) return record.render(report, given) end

--- What a line is, without what it says: the marks that begin it, the bars of a table.
local function shape_of(page)
  local shape = {}
  for line in page:gmatch "([^\n]*)\n" do
    local mark = line:match "^#+ " or line:match "^%- " or line:match "^  <br>" or line:match "^|"
      or line:match "^</?details>" or (line == "" and "empty") or "text"
    if mark == "|" then
      mark = select(2, line:gsub("\\.", ""):gsub("|", "")) .. " bars"
    end
    if mark ~= "  <br>" or shape[#shape] ~= mark then table.insert(shape, mark) end
  end
  return shape
end

describe("markdown", function()
  setup(function() _G.clock = clock end)
  teardown(function() _G.clock = nil end)

  it("reads well in a ticket", function()
    assert.equal([[
## Triage

**1 of 3 indicators is risky; 1 of 3 was not checked; 1 more is in no step.**

| Indicator | Type | Verdict | Detections | Report | Note | Link |
| --- | --- | --- | --- | --- | --- | --- |
| `hxxp://a[.]example/` | url | **Risky** | 9 of 10 | 9 days old |  | [report](https://a.example) |
| `c` | url | Not checked |  |  | it is late |  |
| `b` | url | Clean | 0 of 10 |  |  |  |

### What was not checked, and why

- **failed**: it is late (1): `c`
- **in no step**: nothing was asked about them (1): `10[.]0[.]0[.]5`

<details><summary>The risky ones in detail</summary>

#### `hxxp://a[.]example/`

- Scan Hash: 9 of 10 engines detect it; the threshold is 3.
- Scanned: 2024-03-01 12:00:00 UTC (9 days old)
- Detected by: A, B
- warn: **Bad**
  <br>one
  <br>two

</details>

Coverage: 2 of 3 look-ups have a final answer. Cost: 1 request, 2 of the quota.

Status: completed, score 70, tagged `malicious`. Run `r1`, finished 2024-03-10T12:00:00Z.
]], render {
      run = { run = "r1", score = 70, tags = { "malicious" } },
      unasked = { { identifier = "10.0.0.5", type = "ip_address" } },
      steps = { { "urls", entities = {
        { identifier = "b", verdict = { risky = false, detections = 0, total = 10 } },
        { identifier = "http://a.example/", link = "https://a.example",
          verdict = { risky = true, detections = 9, total = 10, threshold = 3 },
          enrichment = { VirusTotal = {
            ["Scan date"] = "2024-03-01 12:00:00", ["Detecting Engines"] = "A, B",
          } },
          insights = { { severity = "warn", title = "Bad", body = "one\ntwo" } } },
        { identifier = "c", outcome = "failed", reason = "it is late" },
      } } },
    })
  end)

  it("is short whatever the run was, and says so", function()
    local entities = {}
    for number = 1, 1000 do
      entities[number] = { identifier = "r" .. number,
        verdict = { risky = true, detections = 5, total = 9 } }
    end
    local page = render { steps = { { "a", entities = entities } } }
    assert.matches("\n900 more are not shown: these are the most urgent", page)
    assert.matches("\nand 980 more\n", page)
    assert.is_true(#page < 40000)
  end)

  it("is a sentence where there is nothing", function()
    local page = render { run = false, steps = { { "a", name = "Scan Hash" } } }
    assert.matches("^## Scan Hash\n\n%*%*There was nothing to check%.%*%*\n", page)
    assert.is_nil(page:find("|", 1, true))
  end)

  local wanted
  for _, words in ipairs(record.PAYLOADS) do
    it("is only text with " .. ("%q"):format(words):sub(1, 40), function()
      wanted = wanted or shape_of(render(record.poisoned "x"))
      local page = render(record.poisoned(words))
      assert.same(wanted, shape_of(page))
      assert.is_nil(page:find "[^\n\32-\126\128-\255]")
      assert.is_not_nil(utf8.len(page))
      local bare = page:gsub("\\%p", "x"):gsub("(`+).-%f[`]%1%f[^`]", "")
      for target in bare:gmatch "%]%(([^)]*)%)" do assert.matches("^https?://", target) end
    end)
  end
end)
