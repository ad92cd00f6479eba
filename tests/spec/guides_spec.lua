-- The tables of docs/actions.md and docs/playbooks.md against what the checks of these files know:
-- a field that may be written is explained, and nothing else is.
-- SPDX-License-Identifier: Apache-2.0
local case = require "apogee.case"
local params = require "apogee.params"
local names_of = require("apogee.schema").sorted_keys

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

-- The keys of `local NAME = { key = ..., }` in a module.
local function keys_of(path, name)
  local body = read(path):match("\nlocal " .. name .. " = {\n(.-)\n}")
  assert(body, path .. ": " .. name)
  local keys = {}
  for line in body:gmatch "[^\n]+" do
    local key = line:match "^  ([%l_]+) = "
    if key then keys[key] = true end
  end
  assert(next(keys), name)
  return keys
end

-- The names in the first column of the tables below a heading.
local function rows_of(page, heading)
  local _, start = page:find("\n" .. heading .. "\n", 1, true)
  assert(start, heading)
  local rows = {}
  for line in page:sub(start, (page:find("\n##", start, true))):gmatch "[^\n]+" do
    for name in (line:match "^| ([^|]*) |" or ""):gmatch "`([%l_]+)`" do rows[name] = true end
  end
  return rows
end

-- The names in the entries of a section of a manual page: ".It Va min , max".
local function entries_of(page, section)
  local names = {}
  local body = assert(page:match("\n%.Sh " .. section .. "\n(.-)\n%.El"), section)
  for entry in body:gmatch "%.It Va ([^\n]+)" do
    for name in entry:gmatch "[%l_]+" do names[name] = true end
  end
  return names
end

local actions, playbooks = read "docs/actions.md", read "docs/playbooks.md"

describe("the guides name", function()
  it("every other name of a type", function()
    local meant, told = {}, {}
    local map = read "engine/casefile/types.h":match "#define CASE_TYPE_MAP(.-)\n\n"
    for word, aliases in map:gmatch 'X%([%u_]+, "([%l_]+)", "([^"]*)"%)' do
      for alias in (aliases:gsub("\\0", "\0")):gmatch "[^%z]+" do
        if alias:lower() ~= word then meant[alias:lower()] = word end
      end
    end
    local body = actions:match "\n### Types of entities\n(.-)\n###? "
    for word, others in body:gmatch "\n| `([%l_]+)` | ([^\n]+) |" do
      for alias in others:gmatch "`([^`]+)`" do told[alias:lower()] = word end
    end
    assert.equal("ip_address", told.ip)
    assert.same(meant, told)
  end)
end)

describe("the page of tests names", function()
  it("every endpoint of VirusTotal", function()
    local row = read "docs/testing.md":match "\n(| `assert%.vt_requests[^\n]+)"
    local count = 0
    for endpoint in read "engine/vt/call.c":gmatch '%[VT_[%u_]+%] = {"([^"]+)"' do
      count = count + 1
      assert.is_truthy(row:find("`" .. endpoint .. "`", 1, true), endpoint)
    end
    assert.equal(8, count)
  end)
end)

describe("the guides explain every field", function()
  for _, row in ipairs {
    { "of an action", actions, "## The table", "lua/apogee/manifest.lua", "FIELDS" },
    { "of a parameter", actions, "### Parameters", "lua/apogee/param_check.lua", "FIELDS" },
    { "of a playbook", playbooks, "## The table", "lua/apogee/playbook_check.lua", "FIELDS" },
    { "of a step", playbooks, "## A step", "lua/apogee/playbook_check.lua", "STEP_FIELDS" },
  } do
    it(row[1] .. ", and no others", function()
      assert.same(names_of(keys_of(row[4], row[5])), names_of(rows_of(row[2], row[3])))
    end)
  end

  for _, row in ipairs {
    { "apogee-action", "FIELDS", "lua/apogee/manifest.lua", "FIELDS" },
    { "apogee-action", "PARAMETERS", "lua/apogee/param_check.lua", "FIELDS" },
    { "apogee-playbook", "FIELDS", "lua/apogee/playbook_check.lua", "FIELDS" },
    { "apogee-playbook", "STEPS", "lua/apogee/playbook_check.lua", "STEP_FIELDS" },
  } do
    it("in " .. row[1] .. "(5) too: " .. row[2] .. " of " .. row[3], function()
      local page = read("docs/" .. row[1] .. ".5")
      assert.same(names_of(keys_of(row[3], row[4])), names_of(entries_of(page, row[2])))
    end)
  end

  it("and every type of a parameter", function()
    for _, word in ipairs(params.types) do
      assert(actions:find("`" .. word .. "`", 1, true), word)
    end
  end)

  it("and every outcome", function()
    for outcome in pairs(require("apogee.context").new { action = {}, params = {} }) do
      local is_word = outcome ~= "action" and outcome ~= "params"
      assert(not is_word or actions:find("ctx." .. outcome, 1, true), outcome)
    end
  end)

  it("and every method of the case", function()
    for _, method in ipairs(case.METHODS) do
      assert(playbooks:find("case:" .. method, 1, true), method)
    end
  end)
end)
