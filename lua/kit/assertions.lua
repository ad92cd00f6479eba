-- Assertions for runs of apogee.testing. Each names what there was where it fails.
--
--   assert.outcome(run, IDENTIFIER, OUTCOME[, REASON])    REASON: a part of the reason
--   assert.enriched(run, IDENTIFIER, { FIELD = VALUE })    by any provider
--   assert.suspicious(run, IDENTIFIER)
--   assert.insight(run, IDENTIFIER or nil, TEXT)           a part of its title or body
--   assert.requests(run, { "METHOD URL", { method =, url =, body =, headers = {} }, ... })
--   assert.vt_requests(run, { "ENDPOINT RESOURCE", ... })  in any order, however they were packed
--
-- The first three take a step of a playbook too, instead of the run: run.steps.NAME.
-- SPDX-License-Identifier: Apache-2.0
local assert = require "luassert"
local say = require "say"
local write = require "kit.write"

local M = {}

local function text_of(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function sorted(names)
  table.sort(names)
  return table.concat(names, ", ")
end

local function identifiers(run)
  local names = {}
  for identifier in pairs(run.entities) do table.insert(names, identifier) end
  return #names > 0 and sorted(names) or "none"
end

-- A step of a document has its entities in a list; one that did not run has none.
local function as_run(run)
  local is_step = type(run) == "table" and run.step and not run.document
  if not is_step then return run end
  local entities = {}
  for _, entity in ipairs(run.entities or {}) do entities[entity.identifier] = entity end
  return { entities = entities }
end

local function entity_of(run, identifier)
  run = as_run(run)
  if type(run) ~= "table" or not run.entities then
    return nil, "the first argument is what testing.action or testing.playbook returned, or one of "
      .. "its run.steps"
  end
  local entity = run.entities[identifier]
  if entity then return entity end
  return nil, ("there is no entity %s; there are: %s"):format(text_of(identifier),
    identifiers(run))
end

-- What each step says of an entity; of an action there is one.
local function seen(run, identifier)
  run = as_run(run)
  local found = {}
  for _, step in ipairs((run.document or {}).steps or {}) do
    for _, entity in ipairs(step.entities or {}) do
      if entity.identifier == identifier then table.insert(found, entity) end
    end
  end
  local entity = run.entities[identifier]
  if entity.outcome then table.insert(found, entity) end
  return found
end

--- Each check: whether it holds, and what is the matter.
local checks = {}

function checks.outcome(run, identifier, outcome, reason)
  local entity, message = entity_of(run, identifier)
  if not entity then return false, message end
  local there, is_it = {}, false
  for _, one in ipairs(seen(run, identifier)) do
    local is_this = one.outcome == outcome
      and (not reason or (one.reason or ""):find(reason, 1, true) ~= nil)
    is_it = is_it or is_this
    table.insert(there, one.outcome .. (one.reason and " (" .. one.reason .. ")" or ""))
  end
  return is_it, ("%s is %s"):format(identifier, #there > 0 and sorted(there) or "in no step")
end

local function fields_of(run, identifier)
  local fields = {}
  for _, one in ipairs(seen(run, identifier)) do
    for _, values in pairs(one.enrichment or {}) do
      for name, value in pairs(values) do fields[name] = value end
    end
  end
  return fields
end

function checks.enriched(run, identifier, wanted)
  local entity, message = entity_of(run, identifier)
  if not entity then return false, message end
  local fields, there = fields_of(run, identifier), {}
  for name, value in pairs(fields) do table.insert(there, name .. " = " .. text_of(value)) end
  for name, value in pairs(wanted) do
    if fields[name] ~= value then
      return false, ("%s has %s = %s; all it has: %s"):format(identifier, name,
        text_of(fields[name]), #there > 0 and sorted(there) or "nothing")
    end
  end
  return true, ("%s has: %s"):format(identifier, sorted(there))
end

function checks.suspicious(run, identifier)
  local entity, message = entity_of(run, identifier)
  if not entity then return false, message end
  return entity.suspicious == true, ("%s is %s"):format(identifier,
    entity.suspicious and "suspicious" or "not suspicious")
end

function checks.insight(run, identifier, text)
  local there = {}
  for _, insight in ipairs((run.document or {}).insights or {}) do
    local is_of = identifier == nil or insight.entity == identifier
    local all = (insight.title or "") .. "\n" .. (insight.body or "")
    if is_of and all:find(text, 1, true) then return true, "there is: " .. all end
    table.insert(there, ("%s: %s"):format(insight.entity or "the case", text_of(all)))
  end
  return false, "the insights are: " .. (#there > 0 and sorted(there) or "none")
end

local function is_like(request, wanted)
  if type(wanted) == "string" then return request.method .. " " .. request.url == wanted end
  for _, name in ipairs { "method", "url", "body", "status" } do
    if wanted[name] ~= nil and request[name] ~= wanted[name] then return false end
  end
  for name, value in pairs(wanted.headers or {}) do
    if request.headers[name:lower()] ~= value then return false end
  end
  return true
end

local function request_text(request)
  local headers = {}
  for name, value in pairs(request.headers) do table.insert(headers, name .. ": " .. value) end
  return ("%s %s%s%s"):format(request.method, request.url,
    request.body and " with the body " .. text_of(request.body) or "",
    #headers > 0 and " and the headers " .. sorted(headers) or "")
end

function checks.requests(run, wanted)
  local there = {}
  for _, request in ipairs(run.requests) do table.insert(there, request_text(request)) end
  local message = "the requests were: "
    .. (#there > 0 and "\n  " .. table.concat(there, "\n  ") or "none")
  if #wanted ~= #run.requests then return false, message end
  for i, request in ipairs(run.requests) do
    if not is_like(request, wanted[i]) then return false, message end
  end
  return true, message
end

local function same_words(a, b)
  if #a ~= #b then return false end
  for i, word in ipairs(a) do
    if word ~= b[i] then return false end
  end
  return true
end

function checks.vt_requests(run, wanted)
  local there, sorted_wanted = {}, { table.unpack(wanted) }
  for _, request in ipairs(run.vt) do
    for _, resource in ipairs(request.resources) do
      table.insert(there, request.endpoint .. " " .. resource)
    end
  end
  table.sort(there)
  table.sort(sorted_wanted)
  return same_words(there, sorted_wanted), "VirusTotal was asked for: "
    .. (#there > 0 and "\n  " .. table.concat(there, "\n  ") or "nothing")
end

local function described(name, arguments)
  local words = {}
  for i = 2, arguments.n do
    local value = arguments[i]
    table.insert(words, type(value) == "table" and write.value(value) or text_of(value))
  end
  return name .. " " .. table.concat(words, ", ")
end

-- A message of ours is the only argument of luassert's, and is not formatted again.
local function register(name, check)
  say:set("assertion.apogee." .. name .. ".positive", "Expected %s")
  say:set("assertion.apogee." .. name .. ".negative", "Expected not %s")
  assert:register("assertion", name, function(_, arguments)
    local is_it, message = check(table.unpack(arguments, 1, arguments.n))
    local text = described(name, arguments) .. ",\nbut " .. message
    for i = 1, arguments.n do arguments[i] = nil end
    arguments[1], arguments.n, arguments.nofmt = text, 1, { true }
    return is_it
  end, "assertion.apogee." .. name .. ".positive", "assertion.apogee." .. name .. ".negative")
end

for name, check in pairs(checks) do register(name, check) end

M.checks = checks

return M
