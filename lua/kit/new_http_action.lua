-- The files of a new action that asks another service. @ID@, @NAME@, @HOST@ and @SCHEME@ are filled
-- in.
-- SPDX-License-Identifier: Apache-2.0
return {
  { name = "@ID@.lua", text = [[
local action = require "apogee.action"

-- The address follows. What the service answers here: { "score": 0 to 100 }
local URL = "@SCHEME@://@HOST@/v1/ip/"

local function judge(ctx, entity, score)
  local is_risky = score >= ctx.params.threshold
  entity:enrich("score", score)
  entity:result {
    detections = score, total = 100, threshold = ctx.params.threshold, risky = is_risky,
  }
  if not is_risky then return end
  entity:mark_suspicious()
  entity:insight {
    severity = "warn",
    title = "A high score",
    body = "@NAME@ gives it " .. score .. " of 100.",
  }
end

return action {
  id = "@ID@",
  name = "@NAME@",
  provider = "@NAME@",
  doc = "Asks @HOST@ about an address, and marks it when its score is high. The address is told "
    .. "to that service.",
  accepts = { "ip_address" },
  needs = { http = { "@HOST@" } },
  rate = { 60, per = "minute" },
  params = {
    { "threshold", type = "integer", min = 1, max = 100, default = 50,
      doc = "The score that makes an address suspicious." },
  },
  returns = "is_risky",
  outputs = { "score" },
  cost = function(_, entity) return { http = entity.internal and 0 or 1 } end,

  run = function(ctx, entity)
    if entity.internal then return ctx.skipped "an internal address" end
    local answer, message, code = http.get(URL .. entity.identifier)
    if not answer then return ctx.from_error(message, code) end
    if answer.status == 404 then return ctx.not_found() end
    if answer.status == 429 then return ctx.limited "the service's quota is spent" end
    if answer.status == 401 then return ctx.forbidden "the service refused the key" end

    local found = answer.status == 200 and answer.json()
    local score = type(found) == "table" and math.tointeger(found.score)
    if not score or score < 0 then return ctx.failed("it answered " .. answer.status) end
    judge(ctx, entity, score)
    return ctx.reported()
  end,
}
]] },
  { name = "@ID@_spec.lua", text = [[
local testing = require "apogee.testing"

local ADDRESS = "198.51.100.7"
local URL = "@SCHEME@://@HOST@/v1/ip/" .. ADDRESS

-- The service itself is never asked: a test says what it answers.
local function run(http, options)
  options = options or {}
  options.entities = options.entities or { "ip_address:" .. ADDRESS }
  options.http = http
  return testing.action("@ID@.lua", options)
end

local function answer(score) return { { url = URL, json = { score = score } } } end

describe("@ID@", function()
  it("marks an address with a high score", function()
    local ran = run(answer(90))
    assert.outcome(ran, ADDRESS, "reported")
    assert.suspicious(ran, ADDRESS)
    assert.enriched(ran, ADDRESS, { score = 90 })
    assert.insight(ran, ADDRESS, "A high score")
    assert.requests(ran, { "GET " .. URL })
  end)

  it("goes by the threshold", function()
    assert.suspicious(run(answer(50)), ADDRESS)
    assert.is_not.suspicious(run(answer(50), { params = { threshold = 51 } }), ADDRESS)
  end)

  it("asks nothing about internal addresses", function()
    local ran = run({}, { entities = { "ip_address:10.0.0.1" } })
    assert.outcome(ran, "10.0.0.1", "skipped")
    assert.requests(ran, {})
  end)

  it("tells what went wrong apart", function()
    for status, outcome in pairs {
      [404] = "not_found", [429] = "limited", [401] = "forbidden", [400] = "failed",
    } do
      assert.outcome(run { { url = URL, status = status } }, ADDRESS, outcome)
    end
    assert.outcome(run { { url = URL, body = "<html>" } }, ADDRESS, "failed", "it answered 200")
    assert.outcome(run { { url = URL, fails = "tls" } }, ADDRESS, "failed")
  end)
end)
]] },
  { name = "README.md", text = [[
# @NAME@

Asks `@HOST@` about an address, and marks it when its score is high. The address is told to that
service.

| parameter | |
|---|---|
| `threshold` | the score that makes an address suspicious (50 of 100) |

    apogee check @ID@.lua
    apogee test
    apogee plan ./@ID@.lua --entity 198.51.100.7

Where the service wants a key, the request has `headers = { Key = secret "@ID@_key" }`, the spec
`secrets = { "@ID@_key" }`, and the configuration
`secrets = { @ID@_key = "file:/etc/apogee/@ID@.key" }`.

To have it found by its name, name this folder in `actions_path` of the configuration, or in
`APOGEE_ACTIONS_PATH`. What it can ask and how: Apogee's docs/http.md; its spec: docs/testing.md.
]] },
}
