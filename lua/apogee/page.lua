-- The manual page of an action or a playbook: what `apogee show` and `apogee action NAME --help`
-- print. Made from the manifest alone.
-- SPDX-License-Identifier: Apache-2.0
local loader = require "apogee.loader"
local options = require "apogee.options"
local pack_check = require "apogee.pack_check"
local params = require "apogee.params"
local reach = require "apogee.reach"
local step_of = require "apogee.step"
local text = require "apogee.text"

local M = {}

local WIDTH = 80
local INDENT = "    "

local AT_LEAST_ONE = "true when at least one entity "

local RESULTS = {
  is_risky = AT_LEAST_ONE .. "is risky",
  is_success = "true unless the step failed as a whole, or no entity was answered",
}

local EXAMPLES = {
  filehash = "filehash:44d88612fea8a8f36de82e1278abb02f",
  ip_address = "ip_address:192.0.2.1",
  url = "url:http://example.com/",
  hostname = "hostname:example.com",
  user = "user:ana@example.com",
  file = "file:report.pdf",
}

--- What an action runs on, in words.
---@param action table
---@return string
function M.runs_on(action)
  if action.run_case then return "the case" end
  if action.each then return "its parameters" end
  return table.concat(action.accepts, ", ")
end

local function add(page, indent, words)
  for paragraph in (words .. "\n"):gmatch "(.-)\n" do
    for _, line in ipairs(text.wrap(text.escape(paragraph), WIDTH - #indent)) do
      table.insert(page, indent .. line)
    end
  end
end

local function section(page, title, words)
  if #page > 0 then table.insert(page, "") end
  table.insert(page, title)
  if words then add(page, INDENT, words) end
end

-- ---- words that are not broken ----

local function add_synopsis(page, words)
  local line = INDENT .. words[1]
  section(page, "SYNOPSIS")
  for index = 2, #words do
    if #line + 1 + #words[index] > WIDTH then
      table.insert(page, line)
      line = INDENT .. INDENT .. words[index]
    else
      line = line .. " " .. words[index]
    end
  end
  table.insert(page, line)
end

local function synopsis(page, command, name, defs, has_entities, taken)
  local words = { "apogee " .. command .. " " .. name }
  for _, def in ipairs(defs) do
    local written = options.written(def, nil, taken)
    table.insert(words, def.required and written or "[" .. written .. "]")
  end
  if has_entities then
    table.insert(words, "[--entities FILE|-]...")
    table.insert(words, "[--entity TYPE:VALUE]...")
  end
  table.insert(words, "[OPTION]...")
  add_synopsis(page, words)
end

-- ---- parameters ----

local function default_of(def)
  if def.default == nil then return def.required and "required" or "optional" end
  if def.type == "secret" then return "has a default" end
  if type(def.default) == "table" then return "default " .. table.concat(def.default, ",") end
  return "default " .. tostring(def.default)
end

local function add_params(page, defs, taken)
  if #defs == 0 then return end
  section(page, "PARAMETERS")
  for _, def in ipairs(defs) do
    add(page, INDENT, options.written(def, nil, taken) .. " (" .. params.describe(def) .. "; "
      .. default_of(def) .. ")")
    if def.label then add(page, INDENT .. INDENT, "Also called: " .. def.label) end
    if def.doc then add(page, INDENT .. INDENT, def.doc) end
  end
  table.insert(page, "")
  add(page, INDENT, "Each may also be given as --param NAME=VALUE, with _ for - in its name.")
end

-- ---- example ----

local function quoted(word)
  if word:find "^[%w_./:@=,+-]+$" then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function example_value(def)
  if def.type == "secret" then return "env:NAME" end
  local value = def.example or def.default or def.enum and def.enum[1] or def.min
  return tostring(value ~= nil and value ~= "" and value or def.type:upper())
end

local function example(command, name, defs, given, taken)
  local words = { "apogee", command, name }
  for _, def in ipairs(defs) do
    if def.required then
      local value, option = example_value(def), options.name_of(def, taken)
      table.insert(words, option and "--" .. option or "--param")
      table.insert(words, quoted(option and value or def.id .. "=" .. value))
    end
  end
  table.insert(words, given)
  return table.concat(words, " ")
end

local function add_examples(page, command, name, defs, given, taken, reaches_others)
  section(page, "EXAMPLES")
  local line = example(command, name, defs, given, taken)
  table.insert(page, INDENT .. text.escape(line))
  table.insert(page, INDENT .. text.escape(line .. " --simulate"
    .. (reaches_others and " --scenario answers.lua" or "")))
  if reaches_others then
    add(page, INDENT, "answers.lua says what services answer then: docs/testing.md.")
  end
  section(page, "SEE ALSO", ("apogee %s --help has the options that all take; apogee plan %s says "
    .. "what a run would cost."):format(command, name))
end

-- ---- the pages ----

local function needs(action, name)
  for _, needed in ipairs(action.needs) do
    if needed == name then return true end
  end
  return false
end

local function result_of(action)
  local has_threshold = action.returns == "is_risky" and params.find(action.params, "threshold")
  return has_threshold and AT_LEAST_ONE .. "met the threshold" or RESULTS[action.returns]
end

-- Only VirusTotal's answers stay with the result.
local function add_outputs(page, action)
  section(page, "OUTPUTS", action.returns .. ": " .. result_of(action))
  if action.run_case then return end
  add(page, INDENT, "Of each entity: its outcome, whether it is suspicious, insights, "
    .. (needs(action, "vt") and "a link to the report, and VirusTotal's answer as it came."
      or "and a link where there is one."))
  if #action.outputs > 0 then
    add(page, INDENT, "Its enrichment by " .. action.provider .. ", as far as it is known: "
      .. table.concat(action.outputs, ", ") .. ".")
  end
end

---@param action table
---@param word string how it is named on the command line
---@param taken string[]? options of the program
---@return string
function M.action(action, word, taken)
  local page = {}
  local named = loader.is_path(word) and quoted(word) or action.id
  local has_entities = #action.accepts > 0
  section(page, "NAME", action.id .. " - " .. action.name)
  synopsis(page, "action", named, action.params, has_entities, taken)
  section(page, "DESCRIPTION", action.doc)
  section(page, "PROVIDER", action.provider)
  section(page, "RUNS ON", M.runs_on(action))
  add_params(page, action.params, taken)
  add_outputs(page, action)
  section(page, "NEEDS", #action.needs > 0 and table.concat(reach.needs(action), "\n") or "nothing")
  if reach.rate(action) then add(page, INDENT, reach.rate(action)) end
  if #action.secrets > 0 then
    section(page, "SECRETS", table.concat(action.secrets, "\n"))
    add(page, INDENT, 'Of the configuration: secrets = { NAME = "file:PATH" }.')
  end
  section(page, "FILE", action.path)
  if action.pack then add(page, INDENT, "Of the " .. pack_check.title(action.pack) .. ".") end
  add_examples(page, "action", named, action.params,
    has_entities and "--entity " .. EXAMPLES[action.accepts[1]] or nil, taken, action.http)
  return table.concat(page, "\n") .. "\n"
end

local function step_words(step)
  if not step.action then return step.name .. ": a function of the playbook" end
  local on = type(step.on) == "function" and "entities that a function chooses"
    or table.concat(step.on, ", ")
  if on == "" then return step.name .. ": " .. step.action.id end
  return step.name .. ": " .. step.action.id .. " on " .. on
end

-- In the words of a plan.
local function step_line(step, steps)
  if step.when == nil then return step_words(step) end
  return step_words(step) .. ", only " .. step_of.condition(step, steps)
end

local function add_steps(page, playbook)
  section(page, "STEPS")
  for _, group in ipairs(playbook.groups) do
    if #group > 1 then add(page, INDENT, "at the same time:") end
    for _, step in ipairs(group) do
      add(page, #group > 1 and INDENT .. INDENT or INDENT,
        step_line(step, playbook.steps))
    end
  end
end

local function add_reach(page, playbook)
  local reached = {}
  for _, step in ipairs(playbook.steps) do
    local words = step.action and reach.words(step.action) or ""
    if words ~= "" then table.insert(reached, step.name .. ": " .. words) end
  end
  if #reached > 0 then section(page, "REACHES", table.concat(reached, "\n")) end
end

---@param playbook table
---@param word string how it is named on the command line
---@param taken string[]? options of the program
---@return string
function M.playbook(playbook, word, taken)
  local page = {}
  section(page, "NAME", text.escape(playbook.name))
  synopsis(page, "run", quoted(word), playbook.params, true, taken)
  if playbook.doc then section(page, "DESCRIPTION", playbook.doc) end
  add_params(page, playbook.params, taken)
  add_steps(page, playbook)
  add_reach(page, playbook)
  section(page, "OUTPUTS", "A document of the run: status, coverage, tags, score, insights, and "
    .. "the document of each step.")
  section(page, "FILE", playbook.path)
  add_examples(page, "run", quoted(word), playbook.params, "--entities FILE", taken)
  return table.concat(page, "\n") .. "\n"
end

return M
