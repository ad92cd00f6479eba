-- Opens a ticket with what a run found, by an API like that of TheHive 5 (POST /api/v1/alert). Put
-- the host of yours into SERVER. In the configuration:
--   secrets = { thehive_key = "file:/etc/apogee/hive.key" },
--   http = { private = { "thehive.example.com" } }, -- where its address is a private one
-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"

local SERVER = "thehive.example.com"

local SEVERITIES = { low = 1, medium = 2, high = 3, critical = 4 }

local OBSERVABLES = {
  filehash = "hash", ip_address = "ip", url = "url", hostname = "domain", user = "mail",
}

local function observables_of(summary)
  local observables = {}
  for _, entity in ipairs(summary.risky.entities) do
    table.insert(observables, {
      dataType = OBSERVABLES[entity.type] or "other", data = entity.identifier,
      tags = { "apogee" },
    })
  end
  return observables
end

-- The same run gives the same sourceRef, by which the server knows a ticket that it has.
local function ticket_of(ctx, summary, reference)
  return {
    type = "apogee", source = "apogee", sourceRef = reference,
    title = ("%s: %d suspicious"):format(summary.name, summary.risky.count),
    description = summary.text, severity = SEVERITIES[ctx.params.severity],
    tags = ctx.params.tags, observables = observables_of(summary),
  }
end

local function end_of(ctx, answer)
  if answer.status == 201 or answer.status == 200 then
    local made = answer.json()
    local id = made and made._id
    return ctx.done { success = true, message = id and "Ticket " .. id .. "." or "A ticket." }
  end
  return ctx.done {
    success = false, message = ("The ticket system answered %d."):format(answer.status),
  }
end

return action {
  id = "open_ticket",
  name = "Open Ticket",
  provider = "TheHive",
  doc = "Opens a ticket with the risky entities of a run as observables. Entities of TLP:AMBER and "
    .. "TLP:RED are counted, and not named.",
  needs = { http = { SERVER } },
  params = {
    { "reference", type = "string", required = true, pattern = "^[%w_.-]+$", example = "case-17",
      doc = "What the ticket is known by at the server." },
    { "severity", type = "string", enum = { "low", "medium", "high", "critical" },
      default = "medium", doc = "Of the ticket." },
    { "tags", type = "list", default = { "apogee" }, doc = "Of the ticket." },
  },
  returns = "is_success",
  cost = function() return { http = { least = 0, most = 1 } } end,

  run_case = function(ctx)
    local summary = ctx.summary()
    if summary.risky.count == 0 then
      return ctx.done { success = true, message = "Nothing is risky: no ticket." }
    end
    local answer, message = http.post("https://" .. SERVER .. "/api/v1/alert", {
      once = "ticket " .. ctx.params.reference,
      headers = { Authorization = "Bearer " .. secret "thehive_key" },
      json = ticket_of(ctx, summary, ctx.params.reference),
    })
    if not answer then return ctx.done { success = false, message = message } end
    return end_of(ctx, answer)
  end,
}
