-- The reference of what scripts can call (docs/api, docs/api.md) against what they can reach: the
-- lists that sandbox/names_spec.lua keeps, and what those cannot walk.
-- SPDX-License-Identifier: Apache-2.0
local case_of = require "apogee.case"
local context = require "apogee.context"
local declared = require "spec.support.declared"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local entries, modules = declared.entries()

local is_module = {}
for _, name in ipairs(modules) do is_module[name] = true end

-- "_G.vt.await" is vt.await, "_G.string.byte" is lua.string.byte, "entity:link" is entity.link.
local function entry_of(path)
  local name = path:gsub(":", "."):gsub("^_G%.", "")
  if path:find "^_G%." and not is_module[name:match "^[^.]+"] then return "lua." .. name end
  return name
end

local NO_NAMES = { ["_G"] = true, ["_G._G"] = true, ["..."] = true, ["text"] = true }

local function add_listed(reached, file)
  for line in io.lines(file) do
    local path, kind = line:match "^(%S+): (%a+)$"
    local is_group = kind == "table" and (path:find "^%a+$" or path:find "^_G%.%w+$")
    if path and not NO_NAMES[path] and not is_group then reached[entry_of(path)] = true end
  end
end

-- The names in a table of C: static const luaL_Reg NAME[] = {...}.
local function add_functions_of_c(reached, prefix, file, array)
  local body = assert(read(file):match("luaL_Reg " .. array .. "%[%] = {(.-)\n};"), array)
  for name in body:gmatch '{"(%l[%l_]*)",' do reached[prefix .. name] = true end
end

local function add_matches(reached, prefix, file, from, to, pattern)
  local text = read(file)
  local start = assert(text:find(from, 1, true), from)
  local stop = assert(text:find(to, start, true), to)
  for name in text:sub(start, stop):gmatch(pattern) do reached[prefix .. name] = true end
end

local function add_keys(reached, prefix, map)
  for name in pairs(map) do reached[prefix .. name] = true end
end

-- No connection is open where names are walked, nobody has answered, and fields may be nil.
local function add_what_no_walk_finds(reached)
  add_functions_of_c(reached, "connection.", "engine/script/bind_sftp.c", "methods")
  add_functions_of_c(reached, "source.", "engine/script/bind_files.c", "source_methods")
  add_matches(reached, "answer.", "engine/script/bind_http.c", "static void push_answer",
    "static int request_done", 'lua_setfield%(L, %-%d, "([%l_]+)"%)')
  add_matches(reached, "entity.", "engine/script/bind_entity.c", "static void push_field",
    "has no field", 'strcmp%(name, "([%l_]+)"%)')
  add_keys(reached, "ctx.", context.new {
    action = {}, params = {}, began = 0, warn = function() end, summary = function() end,
  })
end

local function reached_names()
  local reached = {}
  for _, list in ipairs { "action", "action_with_needs", "playbook" } do
    add_listed(reached, "tests/spec/sandbox/names/" .. list .. ".txt")
  end
  add_what_no_walk_finds(reached)
  return reached
end

-- What stands in the description of the field above it: ctx.action.id.
local function is_told_above(name)
  local above, last = name:match "^(.+)%.([^.]+)$"
  return entries[above] ~= nil and entries[above]:find("%f[%w_]" .. last .. "%f[^%w_]") ~= nil
end

describe("the reference of what scripts can call", function()
  local reached = reached_names()

  it("has an entry for everything that can be reached", function()
    local missing = {}
    for name in pairs(reached) do
      if not entries[name] and not is_told_above(name) then table.insert(missing, name) end
    end
    table.sort(missing)
    assert.same({}, missing)
  end)

  it("has no entry for what cannot be reached", function()
    local unknown = {}
    for name in pairs(entries) do
      if not reached[name] and not name:find "^step%." then table.insert(unknown, name) end
    end
    table.sort(unknown)
    assert.same({}, unknown)
  end)

  it("has the fields of a step, and no others", function()
    local found = { status = "completed", message = "m", is_risky = false, is_success = true,
      checked = 1, of = 1 }
    local case = case_of.new({ step_set = function() return {} end, nearest = function() end },
      { { name = "urls", number = 1, found = found } })
    for name in pairs(entries) do
      local field = name:match "^step%.(.*)$"
      if field then assert.is_not_nil(case.urls[field], name) end
    end
    for field in ("status message is_risky is_success coverage entities"):gmatch "%S+" do
      assert.is_truthy(entries["step." .. field], field)
    end
  end)

  it("describes each entry and its parameters", function()
    for name, comment in pairs(entries) do
      assert(comment:find "^%-%-%- [%u@]", name .. " is not described")
    end
  end)

  for _, module in ipairs(declared.modules()) do
    it("describes what " .. module.name .. " gives", function()
      for name, value in pairs(require(module.name)) do
        local comment = module.functions[name]
        assert.equal("function", type(value), name)
        assert.is_truthy(comment and comment:find '^%-%-%- [%u"]', name .. " is not described")
      end
    end)
  end

  it("has every code of an error", function()
    local page, list = read "docs/api.md", read("engine/base/error.h"):match "AP_ERROR_MAP.-\n\n"
    for word in list:gmatch 'X%([%u_]+, "([%l_]+)"' do
      assert.is_truthy(page:find("`" .. word .. "`", 1, true), word)
    end
  end)

  it("is on the page, name by name", function()
    local page = read "docs/api.md"
    for name in pairs(entries) do
      local last = name:gsub("^lua%.", ""):match "[^.]+$"
      local as_field, as_title = "`" .. last .. "`", "[.: ]" .. last .. "%("
      local is_there = page:find(as_field, 1, true) or page:find(as_title)
        or page:find("`" .. name:gsub("^lua%.", "") .. "`", 1, true)
      assert(is_there, name .. " is not in docs/api.md: APOGEE_WRITE_DOCS=1 .ci/lint docs")
    end
  end)
end)
