--- What a step found: `case.STEP`, by the step's name. Of a step that did not run, nothing is risky.
--- @classmod step
local step = {}

--- What can be read of it.
--- @table fields
--- @field status string `completed`, `in_progress`, `failed`, `timed_out`, `interrupted`, `not_run`
--- @field message string|nil what a person reads
--- @field is_risky boolean one of its entities is risky
--- @field is_success boolean it worked
--- @field coverage table `{ checked, of }`: look-ups with a final answer
--- @field entities set those that it ran on

return step
