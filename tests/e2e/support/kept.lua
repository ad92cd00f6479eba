-- Runs that are kept: what the tests of resume and of crashes share.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"

local M = {}

local NULL = cjson.null

-- What may differ between a run that was cut off and one that was not.
-- `resource` is what VirusTotal was asked by: a hash, or the id of its scan.
local VARIABLE = {
  run = true, started = true, finished = true, cost = true, age = true, resource = true,
}

--- A document without what differs from run to run.
---@param value any
---@return any
function M.plain(value)
  if type(value) ~= "table" or value == NULL then return value end
  local copy = {}
  for key, member in pairs(value) do
    if not VARIABLE[key] then copy[key] = M.plain(member) end
  end
  return copy
end

-- Times and scan ids are each run's own.
local function same_text(one, other)
  local function plain(text)
    text = text:gsub("%d%d%d%d%-%d%d%-%d%d[ T]%d%d:%d%d:%d%d", "TIME")
    return (text:gsub("%-%d%d%d%d%d%d%d%d%d%d+", "-ID"))
  end
  return plain(one) == plain(other)
end

--- Where two documents differ in what may not differ: "path: one, other"; nil: nowhere.
---@param one any
---@param other any
---@param path string?
---@return string?
function M.difference(one, other, path)
  path = path or ""
  if type(one) ~= "table" or type(other) ~= "table" then
    local is_same = one == other
      or type(one) == "string" and type(other) == "string" and same_text(one, other)
    if is_same then return nil end
    return ("%s: %s, %s"):format(path, tostring(one), tostring(other))
  end
  for key, member in pairs(one) do
    local found = not VARIABLE[key] and M.difference(member, other[key], path .. "." .. key)
    if found then return found end
  end
  for key in pairs(other) do
    if one[key] == nil and not VARIABLE[key] then return path .. "." .. key .. ": only in one" end
  end
end

--- How often each thing was asked of an endpoint: { [resource] = count }.
---@param requests table[] of the simulator
---@param endpoint string
function M.asked(requests, endpoint)
  local counts = {}
  for _, request in ipairs(requests) do
    if request.endpoint == endpoint and request.status == 200 then
      for _, resource in ipairs(request.resources or {}) do
        counts[resource] = (counts[resource] or 0) + 1
      end
    end
  end
  return counts
end

--- Runs with a failpoint in the way: { out, err, exit }; exit is 137 when it was killed there.
---@param w table workspace
---@param args string[]
---@param point string NAME:N
function M.run_into(w, args, point)
  local env = w:environment()
  env.APOGEE_FAILPOINT = point
  return program.start(args, env):wait(60)
end

return M
