-- An entity that remembers what an action wrote on it.
-- SPDX-License-Identifier: Apache-2.0
local Entity = {}
Entity.__index = Entity

local SCALAR = { string = true, number = true, boolean = true }

function Entity:enrich(field, value)
  assert(type(field) == "string", "a field has a name")
  if value == nil then return end
  assert(SCALAR[type(value)] or type(value) == "table", "a scalar or a list of tables")
  if self.enrichment[field] == nil then table.insert(self.written, field) end
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

--- The real one asks the Public Suffix List; this one says what a spec wrote down.
function Entity:domain(exact_host)
  assert(type(exact_host) == "boolean", "exact_host is true or false")
  local domain = (self.domains or {})[exact_host and "exact" or "registrable"]
  if domain then return domain end
  return nil, self.no_domain or "no domain was written down"
end

---@param fields table identifier, type, internal, ...; domains = { registrable, exact }, or
---  no_domain = why there is none
return function(fields)
  local entity = {
    suspicious = false, internal = false, enriched = false, properties = {},
    enrichment = {}, written = {}, insights = {}, tables = {},
  }
  for key, value in pairs(fields) do entity[key] = value end
  return setmetatable(entity, Entity)
end
