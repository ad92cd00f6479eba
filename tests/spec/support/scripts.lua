-- Runs the text of a script as the host does: in an environment of its own, with its own copies of
-- our modules, and with only the names that scripts have.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local clock = require "spec.support.clock"

local M = {}

local ALLOWED = {
  "assert", "coroutine", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal",
  "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "math",
  "string", "table", "utf8",
}

local LOG = {}
for _, level in ipairs { "debug", "error", "info", "warn" } do LOG[level] = function() end end

--- An environment for one script file.
---@return table
function M.environment()
  local env = {
    clock = clock, json = cjson, log = LOG, secret = function(name) return "secret " .. name end,
  }
  for _, name in ipairs(ALLOWED) do env[name] = _G[name] end
  env._G = env
  local loaded = {}
  function env.require(name)
    if loaded[name] == nil then
      local path = assert(package.searchpath(name, package.path))
      loaded[name] = assert(loadfile(path, "t", env))()
    end
    return loaded[name]
  end
  return setmetatable(env, {
    __index = function(_, name) error("scripts have no global " .. tostring(name), 2) end,
    __metatable = false,
  })
end

--- The value that a script returns, and its environment.
---@param source string
---@param name string
---@return any value, table|string env_or_message
function M.run(source, name)
  local env = M.environment()
  local chunk, message = load(source, "@" .. name, "t", env)
  if not chunk then return nil, message end
  local ok, value = pcall(chunk)
  if not ok then return nil, value end
  return value, env
end

--- A packaged action's manifest, whose environment has the given vt.
---@param id string
---@param vt table?
---@return table manifest, table env
function M.action(id, vt)
  local file = assert(io.open("lua/actions/" .. id .. ".lua"))
  local source = file:read "a"
  file:close()
  local returned, env = M.run(source, id .. ".lua")
  assert(returned, env)
  rawset(env, "vt", vt)
  return returned.manifest, env
end

return M
