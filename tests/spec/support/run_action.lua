-- Runs a packaged action on one entity, as the runner does.
-- SPDX-License-Identifier: Apache-2.0
local context = require "apogee.context"
local entity_of = require "spec.support.entity"
local fake_vt = require "spec.support.vt"
local scripts = require "spec.support.scripts"

--- @param id string
--- @param given table { answers, params, entity = fields, ctx = of a step that went on before }
--- @return table outcome, table entity, table vt, table ctx with ctx.warnings
return function(id, given)
  local vt = fake_vt.new(given.answers)
  local manifest = scripts.action(id, vt)
  local warnings = {}
  local ctx = given.ctx or context.new {
    action = manifest, params = given.params,
    warn = function(text) table.insert(warnings, text) end,
  }
  ctx.warnings = ctx.warnings or warnings
  local entity = entity_of(given.entity)
  if manifest.run_case then return manifest.run_case(ctx, {}), entity, vt, ctx end
  return manifest.run(ctx, entity), entity, vt, ctx
end
