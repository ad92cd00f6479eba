-- The secrets that a script names: a look at its source for the word secret with a name behind it.
-- What it does not see (a name that is worked out, a module of the action's own) the manifest says:
-- secrets = { "NAME" }.
-- SPDX-License-Identifier: Apache-2.0
local lex = require "apogee.lex"

local M = {}

local IS_FIELD = { ["."] = true, [":"] = true }

-- The name in a call of `secret`, whose word is the one at `at`.
local function name_behind(kinds, values, at)
  local is_bracket = kinds[at + 1] == "("
  local text_at = is_bracket and at + 2 or at + 1
  if kinds[text_at] ~= "text" or is_bracket and kinds[text_at + 1] ~= ")" then return nil end
  return values[text_at] and values[text_at]:match "^[%a_][%w_]*$"
end

--- The names, each once, sorted.
---@param source string
---@return string[]
function M.of(source)
  local names, is_known = {}, {}
  if not source:find("secret", 1, true) then return names end
  local is_lua, kinds, values = pcall(lex.words, source)
  for at, kind in ipairs(is_lua and kinds or {}) do
    local is_word = kind == "name" and values[at] == "secret" and not IS_FIELD[kinds[at - 1]]
    local name = is_word and name_behind(kinds, values, at)
    if name and not is_known[name] then
      is_known[name] = true
      table.insert(names, name)
    end
  end
  table.sort(names)
  return names
end

return M
