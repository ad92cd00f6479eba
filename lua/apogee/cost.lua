-- What an action says that an entity costs of other services: cost = function(params, entity)
-- returns { http = 2 } or { http = { least = 0, most = 2 } }. What VirusTotal is asked needs no
-- word: a plan counts it by running the action dry, packaged or not, which is the one place for it.
-- SPDX-License-Identifier: Apache-2.0
local arguments = require "apogee.arguments"
local plain = require "apogee.plain"
local schema = require "apogee.schema"

local M = {}

local MAX = 1000000

local function count_of(value)
  local count = type(value) == "number" and math.tointeger(value)
  return count and count >= 0 and count <= MAX and count or nil
end

local function ends_of(value)
  if type(value) ~= "table" then value = { least = value, most = value } end
  local least, most = count_of(value.least), count_of(value.most)
  if least and most and least <= most then return { least = least, most = most } end
end

local HOW = "must return { http = 2 } or { http = { least = 0, most = 2 } }"

--- What it says of one entity.
---@param action table with `cost`
---@param params table<string, any>
---@param entity any nil: of an action of the whole case
---@return table? ends { least, most } of requests, string? problem
function M.of(action, params, entity)
  local ok, said = pcall(action.cost, arguments.copy(params), entity)
  if not ok then return nil, "cost: " .. tostring(said) end
  local copy = plain.copy(said)
  if type(copy) ~= "table" then return nil, "cost: " .. HOW end
  for _, key in ipairs(schema.sorted_keys(copy)) do
    if key ~= "http" then
      return nil, ("cost: unknown key %s: only http is said, the rest is counted"):format(key)
    end
  end
  local ends = ends_of(copy.http or 0)
  if not ends then return nil, "cost: " .. HOW end
  return ends
end

return M
