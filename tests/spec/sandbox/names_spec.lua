-- Everything that a script can reach by walking from what it is given, compared with the committed
-- lists in names/: a name that comes or goes is a decision.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local HASH = "44d88612fea8a8f36de82e1278abb02f"

-- Walks tables and metatables; of a userdata its methods, by the names of all others and some more.
local WALK = [[
local function walk(roots, say)
  local seen = {}
  local function visit(path, value)
    say(path .. ": " .. type(value))
    local kind = type(value)
    if kind ~= "table" or seen[value] then
      local is_plain = kind == "string" or kind == "table"
      if not is_plain and getmetatable(value) then say(path .. " <meta>") end
      return
    end
    seen[value] = true
    local names = {}
    for name in next, value do table.insert(names, name) end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do visit(path .. "." .. tostring(name), value[name]) end
    local meta = getmetatable(value)
    if meta ~= nil then visit(path .. " <metatable>", meta) end
  end
  for _, root in ipairs(roots) do visit(root[1], root[2]) end
end
local NAMES = {
  "domain", "enrich", "insight", "link", "mark_suspicious", "result", "table", "close",
  "digests", "size", "name", "list", "open_file", "stat", "of", "external", "suspicious",
  "where", "union", "tag", "score", "read", "write", "path", "fd", "index", "serial",
  "identifier", "type", "original_identifier", "internal", "enriched", "tlp", "properties",
  "__gc", "__index", "__name", "__metatable", "__close", "__newindex",
}
local function members(path, value, say)
  for _, name in ipairs(NAMES) do
    local ok, member = pcall(function() return value[name] end)
    if ok and member ~= nil then say(path .. ":" .. name .. ": " .. type(member)) end
  end
  say(path .. " <metatable>: " .. tostring(getmetatable(value)))
end
local function set_of_lines()
  local lines = {}
  return lines, function(line) table.insert(lines, line) end
end
]]

local ACTION = WALK .. [[
local env, given = _G, ...
return require "apogee.action" {
  id = "walk", name = "Walk", provider = "Walk", doc = "Walks.", accepts = { "filehash" },
  needs = { %s }, returns = "is_success",
  run = function(ctx, entity)
    local lines, say = set_of_lines()
    walk({ { "_G", env }, { "ctx", ctx }, { "...", given } }, say)
    members("entity", entity, say)
    members("text", "x", say)
    if files then members("source", files.open "/etc/hostname", say) end
    if vt then
      local report = vt.file_report(entity.identifier)
      say("report <metatable>: " .. tostring(getmetatable(report)))
      for name in next, report do if name:find "^__" then say("report." .. name) end end
    end
    entity:enrich("names", lines)
    return ctx.skipped "walked"
  end,
}
]]

local PLAYBOOK = WALK .. [[
local env = _G
return require "apogee.playbook" {
  name = "P",
  steps = { { "walk", run = function(case)
    local lines, say = set_of_lines()
    walk({ { "_G", env }, { "case", case } }, say)
    members("case", case, say)
    members("set", case:of "filehash", say)
    members("step", case.walk, say)
    for at = 1, #lines, 50 do
      case:insight { title = ("%%04d"):format(at), body = table.concat(lines, "\n", at,
        math.min(at + 49, #lines)) }
    end
  end } },
}
]]

local function names_of_action(w, needs)
  local path = w:write("walk.lua", ACTION:format(needs))
  local document = w:json { "action", path, "--entity", HASH, "--format", "json" }
  return document.entities[1].enrichment and document.entities[1].enrichment.Walk.names
    or error(document.entities[1].reason)
end

local function names_of_playbook(w)
  local path = w:write("p.lua", (PLAYBOOK:gsub("%%%%", "%%")))
  local document, ran = w:json { "run", path, "--entity", HASH, "--format", "json" }
  assert(ran.exit == 0, ran.err)
  local parts = {}
  for _, insight in ipairs(document.insights) do table.insert(parts, insight.body) end
  local lines = {}
  for line in table.concat(parts, "\n"):gmatch "[^\n]+" do table.insert(lines, line) end
  return lines
end

local function check(name, lines)
  assert.is_true(#lines > 100)
  local path = "tests/spec/sandbox/names/" .. name .. ".txt"
  local text = table.concat(lines, "\n") .. "\n"
  if os.getenv "APOGEE_WRITE_NAMES" then program.write(path, text) end
  assert.equal(program.read(path), text)
end

describe("what can be reached", function()
  it("from an action without needs is what is listed", function()
    workspace.simulated({}, function(w) check("action", names_of_action(w, "")) end)
  end)

  it("from an action with every capability is what is listed", function()
    workspace.simulated({}, function(w)
      local needs = '"vt", "files", "sftp", http = { "127.0.0.1:9" }'
      check("action_with_needs", names_of_action(w, needs))
    end)
  end)

  it("from a function of a playbook is what is listed", function()
    workspace.simulated({}, function(w) check("playbook", names_of_playbook(w)) end)
  end)
end)
