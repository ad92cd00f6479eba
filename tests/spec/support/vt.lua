-- A `vt` that answers what a spec wrote down, in order, and refuses calls that it did not.
-- SPDX-License-Identifier: Apache-2.0
local engines = require "spec.support.engines"

local M = {}

local FUNCTIONS = {
  "file_report", "url_report", "domain_report", "ip_report", "comments", "file_rescan",
  "url_scan", "file_scan", "await",
}

--- fake.new { file_report = { { report }, { nil, "no", "not_found" } } }: each call takes the next.
---@param answers table<string, table[]>
---@return table vt with vt.calls, a list of { name, arguments... }
function M.new(answers)
  local vt = { calls = {}, engines = engines }
  for _, name in ipairs(FUNCTIONS) do
    local left = answers[name] or {}
    local next_index = 0
    vt[name] = function(...)
      table.insert(vt.calls, { name, ... })
      next_index = next_index + 1
      local answer = left[next_index]
      if not answer then error("vt." .. name .. " was not expected", 2) end
      return table.unpack(answer, 1, 4)
    end
  end
  if not answers.comments then
    vt.comments = function() return {} end
  end
  return vt
end

--- For specs of modules that find `vt` among their globals, as in an action.
function M.install(env) env.vt = M.new {} end

--- The names of the calls, in order.
function M.names(vt)
  local names = {}
  for _, call in ipairs(vt.calls) do table.insert(names, call[1]) end
  return names
end

return M
