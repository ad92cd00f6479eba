-- docs/api.md from what LDoc has read: ldoc --filter api_page.write. The page goes to $API_PAGE.
-- LDoc runs in Lua 5.1.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local INTRO = [[
# What scripts can call

Everything that an action or a playbook can reach. [actions.md](actions.md) and
[playbooks.md](playbooks.md) show it at work. (LDoc makes this page from [api/](api/) and the
sources: edit those.)

What can go wrong outside of a script returns nil, a message and a code; misuse raises. The codes
are one list: `invalid`, `no_memory`, `io`, `limited`, `forbidden`, `unauthorized`, `not_found`,
`queued`, `rejected`, `timeout`, `network`, `tls`, `server`, `too_large`, `denied`, `bad_answer`,
`deadline`, `canceled`, `in_doubt`, `busy`, `closed`, `internal`.
]]

-- In the order of the page; what is not named here comes behind, by the alphabet.
local ORDER = {
  "ctx", "entity", "vt", "http", "answer", "files", "source", "sftp", "connection", "json", "log",
  "clock", "case", "set", "step", "lua",
}

local function rank_of(name)
  for rank, known in ipairs(ORDER) do
    if known == name then return rank end
  end
  return #ORDER + 1
end

local function tidy(text)
  return ((text or ""):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- Paragraphs stay.
local function prose(item)
  local text = (item.summary or "") .. "\n" .. (item.description or "")
  local paragraphs = {}
  for paragraph in (text:gsub("\n%s*\n", "\0") .. "\0"):gmatch "(%Z*)%z" do
    if tidy(paragraph) ~= "" then table.insert(paragraphs, tidy(paragraph)) end
  end
  return table.concat(paragraphs, "\n\n")
end

-- "string what it is" as { type, what it is }.
local function typed(text)
  local kind, words = tidy(text):match "^(%S*) ?(.*)$"
  return (kind:gsub("|nil$", ", or nil"):gsub("|", " or ")), words
end

local function title_of(module, item)
  local name = item.name:find "[:.]" and item.name or module.name .. "." .. item.name
  if module.name == "lua" then name = item.name end
  local params, args, needed = item.params or {}, {}, 0
  for index, param in ipairs(params) do
    if not tidy(params.map[param]):find "^%S*|nil" then needed = index end
  end
  for index, param in ipairs(params) do
    table.insert(args, (index > needed and "[" or "") .. (index > 1 and ", " or "") .. param)
  end
  return name .. "(" .. table.concat(args) .. ("]"):rep(#params - needed) .. ")"
end

local function add_params(page, item)
  for _, name in ipairs(item.params or {}) do
    local kind, words = typed(item.params.map[name])
    table.insert(page, ("- `%s` (%s)%s"):format(name, kind, words ~= "" and ": " .. words or ""))
  end
end

local function add_results(page, item)
  local results = {}
  for _, text in ipairs(item.ret or {}) do
    local kind, words = typed(text)
    local name, rest = words:match "^([%w_.]*) ?(.*)$"
    local label = name ~= "" and ("`%s` (%s)"):format(name, kind) or kind
    table.insert(results, label .. (rest ~= "" and ": " .. rest or ""))
  end
  if #results == 0 then return end
  if item.params and #item.params > 0 then table.insert(page, "") end
  table.insert(page, "Returns " .. table.concat(results, "; ") .. ".")
end

local function add_function(page, module, item)
  if prose(item) == "" then error(title_of(module, item) .. " is not described", 0) end
  table.insert(page, "\n### " .. title_of(module, item) .. "\n")
  table.insert(page, prose(item) .. "\n")
  add_params(page, item)
  add_results(page, item)
  for _, usage in ipairs(item.usage or {}) do
    table.insert(page, "\n```lua fragment\n" .. usage:gsub("%s+$", "") .. "\n```")
  end
  if page[#page]:sub(-1) == "\n" then page[#page] = page[#page]:sub(1, -2) end
end

-- LDoc takes "math.abs" for a part of something else, and has it in the map only.
local function fields_of(item)
  local names, is_there, others = {}, {}, {}
  for _, name in ipairs(item.params) do
    table.insert(names, name)
    is_there[name] = true
  end
  for name in pairs(item.params.map) do
    if not is_there[name] then table.insert(others, name) end
  end
  table.sort(others)
  for _, name in ipairs(others) do table.insert(names, name) end
  return names
end

local function add_table(page, item)
  local fields = fields_of(item)
  table.insert(page, "\n" .. prose(item) .. "\n")
  if tidy(item.params.map[fields[1]]) == "" then
    local names = {}
    for _, name in ipairs(fields) do table.insert(names, "`" .. name .. "`") end
    table.insert(page, table.concat(names, ", ") .. ".")
    return
  end
  table.insert(page, "| | | |\n|---|---|---|")
  for _, name in ipairs(fields) do
    local kind, words = typed(item.params.map[name])
    table.insert(page, ("| `%s` | %s | %s |"):format(name, kind, words))
  end
end

local function add_module(page, module)
  table.insert(page, "\n## " .. module.name .. "\n")
  table.insert(page, prose(module))
  for _, item in ipairs(module.items) do
    if item.type == "table" then add_table(page, item) end
  end
  for _, item in ipairs(module.items) do
    if item.type ~= "table" then add_function(page, module, item) end
  end
end

---@param modules table[] as LDoc hands them over
function M.write(modules)
  table.sort(modules, function(a, b)
    local left, right = rank_of(a.name), rank_of(b.name)
    if left ~= right then return left < right end
    return a.name < b.name
  end)
  local page = { INTRO }
  for _, module in ipairs(modules) do
    table.insert(page, ("- [%s](#%s): %s"):format(module.name,
      module.name:gsub("[^%w_-]", ""), tidy(module.summary)))
  end
  for _, module in ipairs(modules) do add_module(page, module) end
  local file = assert(io.open(assert(os.getenv "API_PAGE"), "w"))
  assert(file:write(table.concat(page, "\n"), "\n"))
  assert(file:close())
end

return M
