-- An entity that remembers what an action wrote on it.
-- SPDX-License-Identifier: Apache-2.0
local Entity = {}
Entity.__index = Entity

local SCALAR = { string = true, number = true, boolean = true }

function Entity:enrich(field, value)
  assert(type(field) == "string", "a field has a name")
  if value == nil then return end
  assert(SCALAR[type(value)] or type(value) == "table", "a scalar or a list of tables")
  self.enrichment[field] = value
end

function Entity:mark_suspicious() self.suspicious = true end

function Entity:insight(insight)
  assert(insight.severity and insight.title and insight.body)
  table.insert(self.insights, insight)
end

function Entity:table(given)
  for _, row in ipairs(given.rows) do assert(#row == #given.columns, "a row without holes") end
  self.tables[given.title] = given
end

function Entity:link(url)
  assert(url:find "^https?://")
  self.url = url
end

function Entity:result(result)
  assert(math.type(result.detections) == "integer" and type(result.risky) == "boolean")
  self.found = result
end

---@param fields table identifier, type, internal, ...
return function(fields)
  local entity = {
    suspicious = false, internal = false, enriched = false, properties = {},
    enrichment = {}, insights = {}, tables = {},
  }
  for key, value in pairs(fields) do entity[key] = value end
  return setmetatable(entity, Entity)
end
