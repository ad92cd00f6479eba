-- Tells a chat what a run found, by a webhook as Slack and Mattermost have it. The URL of a webhook
-- is a secret as a whole:
--   secrets = { chat_hook = "file:/etc/apogee/chat.hook" }
-- For another chat than Slack put its host into `needs`.
-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"

local function nothing_to_tell(ctx, summary)
  if summary.risky.count > 0 then return nil end
  if not summary.is_complete and ctx.params.incomplete then return nil end
  return ctx.done { success = true, message = "Nothing to tell." }
end

local function text_of(summary)
  local lines = { summary.text }
  if not summary.is_complete then
    table.insert(lines, "Not everything could be checked: this may not be all.")
  end
  return table.concat(lines, "\n")
end

return action {
  id = "tell_chat",
  name = "Tell Chat",
  provider = "Chat",
  doc = "Tells a chat which entities of a run are risky, and how its steps ended. Identifiers are "
    .. "defanged; entities of TLP:AMBER and TLP:RED are not named.",
  needs = { http = { "hooks.slack.com" } },
  params = {
    { "incomplete", type = "boolean", default = true,
      doc = "Tell also that a run without a finding could not check everything." },
  },
  returns = "is_success",
  cost = function() return { http = { least = 0, most = 1 } } end,

  run_case = function(ctx)
    local summary = ctx.summary()
    local done = nothing_to_tell(ctx, summary)
    if done then return done end
    local answer, message = http.post(secret "chat_hook", {
      once = "summary",
      json = { text = text_of(summary) },
    })
    if not answer then return ctx.done { success = false, message = message } end
    return ctx.done {
      success = answer.status == 200,
      message = ("The chat answered %d."):format(answer.status),
    }
  end,
}
