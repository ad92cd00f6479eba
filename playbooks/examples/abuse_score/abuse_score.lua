-- How often an address was reported, as AbuseIPDB tells it. The configuration has its key:
--   secrets = { abuseipdb_key = "file:/etc/apogee/abuseipdb.key" }
-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"

local URL = "https://api.abuseipdb.com/api/v2/check"

local function ask(ctx, entity)
  return http.get(URL, {
    headers = { Key = secret "abuseipdb_key", Accept = "application/json" },
    query = { ipAddress = entity.identifier, maxAgeInDays = ctx.params.days },
  })
end

local function judge(ctx, entity, found)
  local score, reports = found.abuseConfidenceScore, found.totalReports
  local is_risky = score >= ctx.params.threshold
  entity:enrich("score", score)
  entity:enrich("reports", reports)
  entity:enrich("country", found.countryCode)
  entity:enrich("provider", found.isp)
  entity:result { detections = score, total = 100, threshold = ctx.params.threshold,
    risky = is_risky }
  if not is_risky then return end
  entity:mark_suspicious()
  entity:insight {
    severity = "warn",
    title = ("Reported as abusive: %d of 100"):format(score),
    body = ("%d reports in %d days."):format(reports, ctx.params.days),
  }
end

return action {
  id = "abuse_score",
  name = "Abuse Score",
  provider = "AbuseIPDB",
  doc = "Asks AbuseIPDB how often an address was reported as abusive. The address is told to "
    .. "AbuseIPDB.",
  accepts = { "ip_address" },
  needs = { http = { "api.abuseipdb.com" } },
  rate = { 60, per = "minute" },
  params = {
    { "threshold", type = "integer", min = 1, max = 100, default = 50,
      doc = "The score, out of 100, that makes an address suspicious." },
    { "days", type = "integer", min = 1, max = 365, default = 90,
      doc = "Reports of so many days count." },
  },
  returns = "is_risky",
  outputs = { "score", "reports", "country", "provider" },
  cost = function(_, entity) return { http = entity.internal and 0 or 1 } end,

  run = function(ctx, entity)
    if entity.internal then return ctx.skipped "an internal address" end
    local answer, message, code = ask(ctx, entity)
    if not answer then return ctx.from_error(message, code) end
    if answer.status == 429 then return ctx.limited "AbuseIPDB's quota of the day is spent" end
    if answer.status == 401 then return ctx.forbidden "AbuseIPDB refused the key" end
    local body = answer.status == 200 and answer.json()
    if not body or not body.data then
      return ctx.failed("AbuseIPDB answered " .. answer.status)
    end
    judge(ctx, entity, body.data)
    return ctx.reported()
  end,
}
