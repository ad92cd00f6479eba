-- What a person reads of a step: plain sentences, counts first, grouped by outcome.
-- SPDX-License-Identifier: Apache-2.0
local text = require "apogee.text"

local M = {}

local MAX_NAMED = 10
local MAX_IDENTIFIER = 100
local MAX_REASON = 300

local NOUNS = {
  filehash = { "file hash", "file hashes" },
  ip_address = { "IP address", "IP addresses" },
  url = { "URL", "URLs" },
  hostname = { "host name", "host names" },
  user = { "user", "users" },
  file = { "file", "files" },
}
local ANY = { "entity", "entities" }

local SENTENCES = {
  { "reported", "has a report", "have a report" },
  { "scanned", "was scanned anew", "were scanned anew" },
  { "pending", "is still being scanned", "are still being scanned" },
  { "not_found", "is not known to %s", "are not known to %s" },
  { "limited", "could not be checked: the quota is spent",
    "could not be checked: the quota is spent" },
  { "forbidden", "was refused by %s", "were refused by %s" },
  { "denied", "was denied by the local policy", "were denied by the local policy" },
  { "failed", "failed", "failed" },
  { "skipped", "was skipped", "were skipped" },
  { "not_asked", "was not answered before the run ended",
    "were not answered before the run ended" },
}

local IS_TROUBLE = {
  pending = true, limited = true, forbidden = true, denied = true, failed = true, not_asked = true,
}

local function joined(words)
  if #words < 2 then return words[1] end
  return table.concat(words, ", ", 1, #words - 1) .. " and " .. words[#words]
end

--- Ends a text in one full stop.
---@param words string
---@return string
function M.sentence(words)
  return (words:gsub("[%s.]*$", "")) .. "."
end

--- "file hashes and URLs"
---@param types string[]
---@return string
function M.types(types)
  local words = {}
  for _, name in ipairs(types) do table.insert(words, NOUNS[name][2]) end
  return joined(words)
end

local function noun_of(action)
  if action.each then return NOUNS.file end
  return #action.accepts == 1 and NOUNS[action.accepts[1]] or ANY
end

-- Entities with the same reason stand together: { { reason, identifiers } }, in order.
local function grouped(examples)
  local groups, by_reason = {}, {}
  for _, example in ipairs(examples) do
    local reason = example.reason or ""
    if not by_reason[reason] then
      by_reason[reason] = { reason = reason, identifiers = {} }
      table.insert(groups, by_reason[reason])
    end
    table.insert(by_reason[reason].identifiers, text.short(example.identifier, MAX_IDENTIFIER))
  end
  return groups
end

--- "a, b (timed out); c (the server answered 503); and 2 more"
local function named(examples, count)
  local parts = {}
  for _, group in ipairs(grouped(examples)) do
    local part = table.concat(group.identifiers, ", ")
    if group.reason ~= "" then
      part = part .. " (" .. text.short(group.reason, MAX_REASON) .. ")"
    end
    table.insert(parts, part)
  end
  if count > #examples then table.insert(parts, "and " .. count - #examples .. " more") end
  return table.concat(parts, "; ")
end

local function sentence(engine, step, outcome, count, verb)
  local examples = engine.examples(step, outcome, MAX_NAMED)
  return ("%d %s: %s."):format(count, verb, named(examples, count))
end

local function risky_sentence(engine, step, counts, threshold)
  local verb = counts.risky == 1 and "is risky" or "are risky"
  if threshold then
    verb = (counts.risky == 1 and "reaches" or "reach") .. " the threshold of " .. threshold
  end
  return sentence(engine, step, "risky", counts.risky, verb)
end

local function nothing_to_do(action)
  return "Nothing to do: there are no " .. M.types(action.accepts) .. " to work on."
end

local ENDINGS = {
  timed_out = "The deadline ended the run.",
  interrupted = "A signal ended the run.",
}

-- The quota of another service is nothing that we know.
local function spends_quota(action)
  for _, name in ipairs(action.needs) do
    if name == "vt" then return true end
  end
  return false
end

local HOW_TO_SEE_QUOTA = "`apogee quota` says what is left and who spent it."

local function opening(about)
  local sentences = {}
  if about.failure then
    table.insert(sentences, M.sentence(about.action.provider .. " " .. about.failure))
  end
  table.insert(sentences, ENDINGS[about.status])
  return sentences
end

local function checked_words(checked, of, noun)
  local was = (checked == 1 or of == 1) and "was" or "were"
  return ("%d of %d %s %s checked."):format(checked, of, noun[of == 1 and 1 or 2], was)
end

local function checked_sentence(about)
  local counts = about.counts
  local checked = counts.reported + counts.scanned + counts.not_found
  return checked_words(checked, counts.of, noun_of(about.action))
end

local function add_outcomes(sentences, engine, step, about, is_wanted)
  for _, words in ipairs(SENTENCES) do
    local count = about.counts[words[1]]
    if count > 0 and is_wanted(words[1]) then
      local verb = words[count == 1 and 2 or 3]:format(about.action.provider)
      table.insert(sentences, sentence(engine, step, words[1], count, verb))
    end
  end
end

local function noun_that_is(words)
  for _, noun in pairs(NOUNS) do
    if words == noun[1] or words == noun[2] then return noun end
  end
  return ANY
end

--- The same message where some of what was not checked was nothing to check, and is told elsewhere.
---@param message string as of M.of_step
---@param left_out integer how many lines are no indicators
---@return string
function M.without(message, left_out)
  local before, checked, of, noun, after =
    message:match "^(.-)(%d+) of (%d+) (%a[%a ]-) w[ae][sr]e? checked%.(.*)$"
  if left_out == 0 or not checked then return message end
  local words, count = noun_that_is(noun), of - left_out
  if count < 1 then
    return ("%sNothing to do: there are no %s to work on."):format(before, words[2])
  end
  return before .. checked_words(math.tointeger(checked), count, words) .. after
end

---@param engine table
---@param step integer its number in the record
---@param about table { action, counts, status, failure = why it failed, threshold }
---@return string
function M.of_step(engine, step, about)
  local action, counts = about.action, about.counts
  if counts.of == 0 and not action.each then return nothing_to_do(action) end
  local sentences = opening(about)
  table.insert(sentences, checked_sentence(about))
  if counts.risky > 0 then
    table.insert(sentences, risky_sentence(engine, step, counts, about.threshold))
  end
  add_outcomes(sentences, engine, step, about, function() return true end)
  return table.concat(sentences, " ")
end

--- What did not go as it should, for a log.
---@param engine table
---@param step integer its number in the record
---@param about table as of M.of_step
---@return string
function M.of_trouble(engine, step, about)
  local sentences = opening(about)
  table.insert(sentences, checked_sentence(about))
  add_outcomes(sentences, engine, step, about, function(outcome)
    return IS_TROUBLE[outcome] or outcome == "reported" and about.counts.partial > 0
  end)
  local is_ours = about.counts.limited > 0 and spends_quota(about.action)
  if is_ours then table.insert(sentences, HOW_TO_SEE_QUOTA) end
  return table.concat(sentences, " ")
end

return M
