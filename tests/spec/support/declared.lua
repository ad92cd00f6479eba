-- What docs/api declares, and what the modules that are for scripts do: names as scripts write
-- them, with "." for ":" too.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local FOLDER = "docs/api/"

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do table.insert(lines, line) end
  return lines
end

local function names_in(folder)
  local pipe = assert(io.popen("ls " .. folder .. "*.lua"))
  local names = {}
  for path in pipe:lines() do table.insert(names, path:match "([^/]+)%.lua$") end
  pipe:close()
  return names
end

-- The doc comment above a line, in one; nil where there is none.
local function comment_above(lines, number)
  local texts = {}
  while number > 1 and lines[number - 1]:find "^%-%-%-" do
    number = number - 1
    table.insert(texts, 1, lines[number])
  end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

local function add(entries, name, comment)
  assert(not entries[name], name .. " is declared twice")
  entries[name] = comment or ""
end

--- Every entry: its name, and its doc comment ("" for none).
---@return table<string, string> entries, string[] modules
function M.entries()
  local entries, modules = {}, names_in(FOLDER)
  for _, module in ipairs(modules) do
    local lines = lines_of(FOLDER .. module .. ".lua")
    assert(load(table.concat(lines, "\n"), "@" .. module, "t"))
    local is_table = false
    for number, line in ipairs(lines) do
      local name = line:match "^function ([%w_.:]+)%("
      if line:find "^%-%-%- @table " then is_table = true end
      local field = is_table and line:match "^%-%-%- @field ([%w_.]+)"
      if not line:find "^%-%-%-" then is_table = false end
      if name then
        local written = module == "lua" and "lua." .. name or name:gsub(":", ".")
        add(entries, written, comment_above(lines, number))
      elseif field then
        add(entries, module .. "." .. field, line)
      end
    end
  end
  return entries, modules
end

--- The modules that scripts may require: { name, functions = { name = comment } }.
---@return table[]
function M.modules()
  local modules = {}
  for _, name in ipairs(lines_of(FOLDER .. "modules.txt")) do
    local lines = lines_of("lua/" .. name:gsub("%.", "/") .. ".lua")
    local module = { name = name, functions = {} }
    for number, line in ipairs(lines) do
      local fn = line:match "^function M%.([%w_]+)%("
      if fn then module.functions[fn] = comment_above(lines, number) or "" end
    end
    table.insert(modules, module)
  end
  return modules
end

return M
