-- A `console` block: commands behind "$ ", each with what it prints. Standard error comes first,
-- then standard output, as on a terminal of 100 columns.
--
-- What differs from day to day may differ: dates, times, durations, ids of runs and processes, and
-- ports (SAME). White space counts once, so that long lines may be folded. "…" stands for any text.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local ANY = "…"

---@param lines string[] of the block
---@return table[] steps { command, from, to = the lines of what it prints, expected }
function M.steps(lines)
  local steps, step = {}, nil
  for number, line in ipairs(lines) do
    local command = line:match "^%$ (.*)$"
    if command then
      step = { command = command, from = number + 1, to = number, expected = {} }
      table.insert(steps, step)
    elseif step and #step.expected == 0 and step.command:find "\\$" then
      step.command = step.command .. "\n" .. line
      step.from, step.to = number + 1, number
    elseif step then
      table.insert(step.expected, line)
      step.to = number
    else
      error("a transcript begins with a command: $ ...: " .. line)
    end
  end
  return steps
end

local SAME = {
  { "%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ%-%x%x%x%x", "<run>" },
  { "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ", "<time>" },
  { "%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d", "<time>" },
  { "%d%d%d%d%-%d%d%-%d%d", "<date>" },
  { "%(in %w+%)", "(in <while>)" },
  { "127%.0%.0%.1:%d+", "127.0.0.1:<port>" },
  { "process %d+", "process <id>" },
  { "%d+%.%d+ seconds", "<while> seconds" },
}

local function plain(text)
  for _, rule in ipairs(SAME) do text = text:gsub(rule[1], rule[2]) end
  return (text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

local function parts_of(text)
  local parts, at = {}, 1
  while true do
    local from, to = text:find(ANY, at, true)
    table.insert(parts, text:sub(at, (from or 0) - 1))
    if not from then return parts end
    at = to + 1
  end
end

--- Whether what a command printed is what the page shows.
---@param expected string
---@param actual string
---@return boolean
function M.is_shown(expected, actual)
  local parts, text = parts_of(plain(expected)), plain(actual)
  for index, part in ipairs(parts) do parts[index] = part:gsub("^ ", ""):gsub(" $", "") end
  local first, last = parts[1], parts[#parts]
  if #parts == 1 then return text == first end
  if text:sub(1, #first) ~= first or #text < #first + #last then return false end
  if last ~= "" and text:sub(-#last) ~= last then return false end
  local at, stop = #first + 1, #text - #last
  for index = 2, #parts - 1 do
    local _, to = text:find(parts[index], at, true)
    if not to or to > stop then return false end
    at = to + 1
  end
  return true
end

return M
