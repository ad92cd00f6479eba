-- What an action writes down as an entity's verdict: entity:result { ... }.
-- SPDX-License-Identifier: Apache-2.0
local look_names = require "apogee.look_names"

local M = {}

local FIELDS = { "detections", "risky", "threshold", "total" }
local MISSING = {
  { "detections", "where nothing is counted, write detections = is_risky and 1 or 0, total = 1" },
  { "risky", "true or false" },
}

-- Nil where it has a field whose name is worked out.
local function keys_of(made)
  local keys = {}
  for _, item in ipairs(made.items) do
    if not item.key then return nil end
    keys[item.key] = item
  end
  return keys
end

local function check_keys(findings, place, keys)
  for _, missing in ipairs(MISSING) do
    if not keys[missing[1]] then
      findings:problem(place, ("entity:result: %s is missing: %s"):format(missing[1], missing[2]))
    end
  end
  local known = {}
  for _, name in ipairs(FIELDS) do known[name] = true end
  for name, item in pairs(keys) do
    if not known[name] then
      findings:problem({ unit = place.unit, line = item.line },
        ("entity:result: there is no field %s%s"):format(name, findings:hint(name, FIELDS)))
    end
  end
end

--- Verdicts that lack a field, or have one that there is not.
---@param look table
---@param findings table
---@param entity table the base of what is an entity
function M.check(look, findings, entity)
  for _, place in ipairs(look.places) do
    local base, path = look_names.only(look, place)
    local is_result = base == entity and not path[1] and place.method == "result"
    local made = is_result and place.call and place.call[1]
    local keys = made and made.kind == "table" and keys_of(made)
    if keys then check_keys(findings, place, keys) end
  end
end

return M
