-- What follows from how the entities of a step ended: its status, its result, and the exit code.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

M.DONE, M.PARTIAL, M.FAILED, M.PENDING = 0, 1, 3, 4

local WEIGHT = { [M.FAILED] = 3, [M.PENDING] = 2, [M.PARTIAL] = 1, [M.DONE] = 0 }
local STATUS_WEIGHT = {
  failed = 4, interrupted = 3, timed_out = 2, in_progress = 1, completed = 0, not_run = 0,
}
local WORD_OF_STOP = { deadline = "timed_out", signal = "interrupted" }

local REFUSED = "Compare virustotal.api_key with the key on your VirusTotal profile"
local UNREACHABLE = "Check the network, virustotal.url and virustotal.proxy; "
  .. "`apogee ping` tries again"

--- Why nothing more may be asked for.
---@param state table of the run
---@return string? why nil when the key was not refused
function M.refusal(state)
  return state.refused and "refused the key: " .. state.refused
end

--- Why a step failed as a whole; nil when it did not.
---@param counts table
---@param state table of the run
---@return string? why a sentence without its subject: "refused the key: ..."
function M.failure(counts, state)
  local is_cut_short = state.stopped and counts.not_asked > 0
  if state.refused and counts.forbidden + counts.pending + counts.partial > 0 then
    return M.refusal(state) .. ". " .. REFUSED
  end
  if state.unreachable and not is_cut_short
    and counts.failed + counts.pending + counts.partial > 0 then
    return "never answered: " .. state.unreachable .. ". " .. UNREACHABLE
  end
end

---@param counts table
---@param state table of the run; an empty one for a step that does not need vt
---@return string
function M.of_step(counts, state)
  if M.failure(counts, state) then return "failed" end
  if state.stopped and counts.not_asked > 0 then return WORD_OF_STOP[state.stopped] end
  if counts.pending > 0 then return "in_progress" end
  return "completed"
end

---@param counts table
---@param status string
---@return integer
function M.exit_of_step(counts, status)
  if status == "failed" then return M.FAILED end
  if counts.pending > 0 then return M.PENDING end
  local missing = counts.failed + counts.limited + counts.forbidden + counts.denied
    + counts.not_asked + counts.partial
  return missing > 0 and M.PARTIAL or M.DONE
end

---@param counts table
---@param status string
---@return boolean
function M.is_success(counts, status)
  local without_answer = counts.failed + counts.limited + counts.forbidden + counts.denied
    + counts.not_asked
  return status ~= "failed" and (counts.of == 0 or without_answer < counts.of)
end

--- The value of a step's result.
---@param name "is_risky"|"is_success"
---@param counts table
---@param status string
---@return boolean
function M.result(name, counts, status)
  if name == "is_risky" then return counts.risky > 0 end
  return M.is_success(counts, status)
end

--- The word for a run that the deadline or a signal ended.
---@param stopped "deadline"|"signal"
---@return string
function M.of_stop(stopped)
  return WORD_OF_STOP[stopped]
end

--- 3 before 4 before 1 before 0.
---@param a integer
---@param b integer
---@return integer
function M.worse_exit(a, b)
  return WEIGHT[a] >= WEIGHT[b] and a or b
end

--- failed before interrupted before timed_out before in_progress before completed.
---@param a string
---@param b string
---@return string
function M.worse_status(a, b)
  return STATUS_WEIGHT[a] >= STATUS_WEIGHT[b] and a or b
end

--- With --fail-on-risky: 0, 1, 4 become 10, 11, 12 when something is risky.
---@param exit integer
---@param is_risky boolean
---@return integer
function M.with_risk(exit, is_risky)
  if not is_risky or exit == M.FAILED then return exit end
  return ({ [M.DONE] = 10, [M.PARTIAL] = 11, [M.PENDING] = 12 })[exit]
end

return M
