-- What a playbook says at its end: whether all was looked at, and names to look at first.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

--- Whether steps ran to their end and every one of their entities has an answer.
---@param case table
---@param names string[] of the steps
---@return boolean
function M.is_complete(case, names)
  for _, name in ipairs(names) do
    local step = case[name]
    if step.status ~= "completed" or step.coverage.checked < step.coverage.of then return false end
  end
  return true
end

--- "a, b, and 2 more"
---@param entities table a set
---@param most integer names at most
---@return string
function M.names(entities, most)
  local names = {}
  for _, entity in ipairs(entities:list(most)) do table.insert(names, entity.identifier) end
  if #entities > #names then table.insert(names, "and " .. #entities - #names .. " more") end
  return table.concat(names, ", ")
end

return M
