-- How much the word of an engine counts: majors more than others, noisy ones less. A change here is
-- a change of what is risky: change the spec with it.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

M.MAJOR, M.USUAL, M.NOISY = 3, 1, 0.25

local MAJORS = { "BitDefender", "ESET-NOD32", "Kaspersky", "Microsoft", "Sophos", "Symantec" }
local NOISY = { "Bkav", "Cylance", "Jiangmin", "MaxSecure", "SecureAge", "Zillya" }

local weights = {}
for _, name in ipairs(MAJORS) do weights[name] = M.MAJOR end
for _, name in ipairs(NOISY) do weights[name] = M.NOISY end

function M.of(engine) return weights[engine] or M.USUAL end

--- The sum of the weights of engines, and those of them that are majors.
---@param names string[]
---@return number sum, string[] majors
function M.sum(names)
  local sum, majors = 0, {}
  for _, name in ipairs(names) do
    sum = sum + M.of(name)
    if M.of(name) == M.MAJOR then table.insert(majors, name) end
  end
  return sum, majors
end

return M
