-- docs/result.md against the JSON Schema: both know the same members of every document.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local names_of = require("apogee.schema").sorted_keys

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local definitions = cjson.decode(read "docs/schema/apogee.schema.json")["$defs"]
local page = read "docs/result.md"

--- The section below a heading, down to the next one.
local function section_of(heading)
  local _, start = page:find("\n" .. heading .. "\n", 1, true)
  assert(start, heading)
  return page:sub(start, (page:find("\n#", start, true)))
end

-- What tables have in their first column, before one of something else.
local function members_of(section)
  local members = {}
  for line in section:gsub("| outcome |.*", ""):gmatch "[^\n]+" do
    for name in (line:match "^| (`[^|]*) |" or ""):gmatch "`([%l_]+)`" do members[name] = true end
  end
  return members
end

local function properties_of(...)
  local all = {}
  for _, name in ipairs { ... } do
    for property in pairs(assert(definitions[name].properties, name)) do all[property] = true end
  end
  return all
end

-- Members of members, however deep.
local function visit(schema, add)
  for name, value in pairs(schema.properties or {}) do
    add(name)
    visit(value, add)
  end
  if schema.items then visit(schema.items, add) end
end

local SECTIONS = {
  { "## A run", "run" },
  { "## A step, or an action", "action", "step_of_run" },
  { "## An entity of a step", "entity" },
  { "## An entity of a run", "entity_of_run" },
  { "### `apogee plan`", "plan" },
  { "### `apogee runs`", "runs" },
  { "### `apogee list`", "list" },
  { "### `apogee quota`", "quota" },
  { "### `apogee cache`", "cache" },
  { "### `apogee doctor`", "doctor" },
}

describe("docs/result.md", function()
  for _, row in ipairs(SECTIONS) do
    it("has the members of " .. row[2] .. ", and no others", function()
      local members = members_of(section_of(row[1]))
      assert.same(names_of(properties_of(table.unpack(row, 2))), names_of(members))
    end)
  end

  it("has the members of members", function()
    for name, schema in pairs(definitions) do
      visit(schema, function(member)
        assert(page:find("`" .. member .. "`", 1, true) or page:find('"' .. member .. '"', 1, true),
          name .. ": " .. member)
      end)
    end
  end)

  it("has the members of what apogee entities lists", function()
    local section = section_of "### `apogee entities`"
    for name in pairs(definitions.entities.items.properties) do
      assert(section:find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("has the outcomes", function()
    for _, outcome in ipairs(definitions.outcome.enum) do
      assert(page:find("\n| `" .. outcome .. "` |", 1, true), outcome)
    end
  end)
end)
