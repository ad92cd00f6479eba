-- A verdict that is not a count: engines weigh differently (policy/weights.lua).
-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local engines = require "apogee.engines"
local weights = require "policy.weights"

local function words_for(names) return #names > 0 and table.concat(names, ", ") or "none" end

local function judge(ctx, entity, report)
  local detecting = engines.detecting(report) or {}
  local weight, majors = weights.sum(detecting)
  local is_risky = weight >= ctx.params.weight and #majors >= ctx.params.majors
  entity:enrich("weight", weight)
  entity:enrich("majors", words_for(majors))
  entity:result { detections = #detecting, total = report.total, risky = is_risky }
  if is_risky then
    entity:mark_suspicious()
    entity:insight {
      severity = "warn",
      title = ("Weighs %g; %g is risky"):format(weight, ctx.params.weight),
      body = ("%d engines detect it; majors of them: %s."):format(#detecting, words_for(majors)),
    }
  elseif #detecting > 0 then
    entity:insight {
      severity = "info",
      title = ("Weighs %g only"):format(weight),
      body = ("Detected by %s."):format(table.concat(detecting, ", ", 1, math.min(5, #detecting))),
    }
  end
end

return action {
  id = "weigh_hash",
  name = "Weigh Hash",
  provider = "Weighed",
  doc = "Looks a file hash up at VirusTotal and weighs the engines that detect it: majors count "
    .. "more, noisy ones less.",
  accepts = { "filehash" },
  needs = { "vt" },
  params = {
    { "weight", type = "number", min = 0.25, default = 5,
      doc = "The weight that makes a file suspicious: a major has 3, a noisy engine 0.25, others "
        .. "1." },
    { "majors", type = "integer", min = 0, default = 1,
      doc = "So many majors must be among those that detect it." },
  },
  returns = "is_risky",
  outputs = { "weight", "majors" },

  run = function(ctx, entity)
    local report, message, code = vt.file_report(entity.identifier)
    if not report then return ctx.from_error(message, code) end
    judge(ctx, entity, report)
    return ctx.reported(report)
  end,
}
