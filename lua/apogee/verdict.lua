-- What a finished report of a file or a URL puts on its entity: enrichment, the verdict with its
-- insight, the engines, the link, the comments. Shared by the actions that end in such a report.
-- SPDX-License-Identifier: Apache-2.0
local comments = require "apogee.comments"
local engines = require "apogee.engines"
local enrichment = require "apogee.enrichment"
local threshold = require "apogee.threshold"

local M = {}

--- Writes all of it.
---@param ctx table the step's context; `ctx.params.threshold` is the rule
---@param entity userdata
---@param resource string what comments are asked for: a hash or a URL, never a path
---@param report table
---@param fields table the enrichment fields, as `apogee.enrichment` takes them
function M.write(ctx, entity, resource, report, fields)
  enrichment.apply(entity, report, fields)
  local is_risky = threshold.judge(entity, report, ctx.params.threshold)
  local verdicts = engines.table(report, "VirusTotal engines")
  if verdicts then entity:table(verdicts) end
  if type(report.permalink) == "string" then entity:link(report.permalink) end
  comments.add(ctx, entity, resource, is_risky)
end

return M
