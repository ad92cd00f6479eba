-- The policy of a playbook, with the rules of the configuration (vt/policy.h):
--   policy = { upload = "deny", never_send = { domains = { "example.com" } } }
-- It can only tighten what the configuration says: what it would loosen stays as it is.
-- SPDX-License-Identifier: Apache-2.0
local schema = require "apogee.schema"

local M = {}

-- The rules as a tree: { lookup = rule, never_send = { domains = rule, ... } }.
local function tree_of(rules)
  local tree = {}
  for _, rule in ipairs(rules) do
    local at = tree
    for group in rule.name:gmatch "([^.]+)%." do
      at[group] = at[group] or {}
      at = at[group]
    end
    at[rule.name:match "[^.]+$"] = rule
  end
  return tree
end

local function check_value(check, field, rule, value)
  local ok, why = check.problems.engine.tighten(rule.name, value, true)
  if not ok then return check.problems:add(field, '"' .. value .. '" ' .. why, value) end
  if why then
    check.problems:warn(field, ('"%s" loosens what the configuration says, which stays "%s": a '
      .. "playbook can only tighten it"):format(value, why), value)
  end
  table.insert(check.settings, { rule = rule.name, value = value })
end

local function check_rule(check, field, rule, value)
  if not rule.is_list then
    if type(value) ~= "string" then return check.problems:add(field, "must be a text") end
    return check_value(check, field, rule, value)
  end
  if not schema.is_string_list(value) then
    return check.problems:add(field, "must be a list of texts")
  end
  for _, item in ipairs(value) do check_value(check, field, rule, item) end
end

local function check_table(check, where, tree, given)
  for _, key in ipairs(schema.sorted_keys(given)) do
    local known = type(key) == "string" and tree[key]
    local field = where .. "." .. tostring(key)
    if not known then
      check.problems:add_unknown(field, "unknown key", tostring(key), schema.sorted_keys(tree))
    elseif known.name then
      check_rule(check, field, known, given[key])
    elseif type(given[key]) ~= "table" then
      check.problems:add(field, "must be a table")
    else
      check_table(check, field, known, given[key])
    end
  end
end

--- Reads the `policy` of a playbook.
---@param problems table
---@param given table? nil: it has none
---@return table[] settings in order: { rule, value }
function M.check(problems, given)
  local check = { problems = problems, settings = {} }
  if given then check_table(check, "policy", tree_of(problems.engine.rules()), given) end
  return check.settings
end

--- Tightens the policy of this run.
---@param engine table
---@param settings table[] of M.check
function M.apply(engine, settings)
  for _, setting in ipairs(settings) do assert(engine.tighten(setting.rule, setting.value)) end
end

return M
