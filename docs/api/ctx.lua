--- What the `run` and the `run_case` of an action are given: parameters, and the words for how an
--- entity ends.
--- @module ctx
local ctx = {}

--- What it holds.
--- @table fields
--- @field params table the parameters by their names, with defaults; a secret is a handle
--- @field action table `{ id, name, provider }` of the action
--- @field began integer|nil of a run that goes on: when it began, in seconds since 1970

--- There is an answer.
--- @param report table|nil what `vt` gave, which stays with the result byte for byte; nil where somebody else was asked
--- @param reason string|nil what is not the plain way about it
--- @return table outcome for `run` to return
--- @usage return ctx.reported(report)
function ctx.reported(report, reason) end

--- There is an answer, and it is of a scan that this run asked for.
--- @param report table|nil what `vt.await` gave
--- @param reason string|nil
--- @return table outcome
function ctx.scanned(report, reason) end

--- The scan is not finished.
--- @param reason string|nil
--- @param report table|nil an older one, to show until then
--- @return table outcome
function ctx.pending(reason, report) end

--- It was asked for, and is not known.
--- @return table outcome
function ctx.not_found() end

--- It was not asked for, on purpose.
--- @param reason string
--- @return table outcome
--- @usage if entity.internal then return ctx.skipped "an internal address" end
function ctx.skipped(reason) end

--- A quota is spent.
--- @param reason string
--- @return table outcome
function ctx.limited(reason) end

--- The key may not do this, or was refused.
--- @param reason string
--- @return table outcome
function ctx.forbidden(reason) end

--- The policy says no.
--- @param reason string
--- @return table outcome
function ctx.denied(reason) end

--- Something went wrong.
--- @param reason string
--- @return table outcome
function ctx.failed(reason) end

--- The run ended before it could be asked for.
--- @param reason string
--- @return table outcome
function ctx.not_asked(reason) end

--- The outcome that a failed call leads to: `not_found`, `queued` (`pending`), `limited`, `forbidden` and
--- `unauthorized` (`forbidden`), `denied`, `deadline` and `canceled` (`not_asked`); any other code is `failed`.
--- @param message string|nil the second result of the call
--- @param code string|nil the third
--- @return table outcome
--- @usage
--- local report, message, code = vt.file_report(entity.identifier)
--- if not report then return ctx.from_error(message, code) end
function ctx.from_error(message, code) end

--- How a `run_case` ends.
--- @param result table `success` (true or false), `message` (what a person reads), `failed` (true: the step as a whole failed)
--- @return table outcome
--- @usage return ctx.done { success = true, message = "The chat was told." }
function ctx.done(result) end

--- A warning of the step. At most 1,000 of a step, of 1,000 bytes each.
--- @param text string
function ctx.warn(text) end

--- What the run found until now. In `run_case` only.
--- @return table summary `name` of the playbook, `of` (entities), `risky = { count, entities = { { identifier, type } } }` (20 at most), `steps = { { name, action, status, message, is_risky, checked, of } }`, `is_complete`, and `text`: all of it in lines, defanged
--- @usage http.post(secret "chat_hook", { once = "summary", json = { text = ctx.summary().text } })
function ctx.summary() end

return ctx
