-- Plays a playbook's text against small actions, through the program's own way in.
-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local main = require "apogee.main"

local M = {}

-- What the actions below do is written in the entity's identifier: "risky 1", "failed 2".
local LOOK = [[
  return require "apogee.action" {
    id = "look", name = "Look", provider = "VirusTotal", doc = "Looks.",
    accepts = { "filehash", "url" }, needs = { "vt" }, returns = "is_risky",
    params = {
      { "threshold", type = "integer", min = 1, default = 3 },
      { "note", type = "string", label = "A note" },
    },
    run = function(ctx, entity)
      local word = entity.identifier:match "^%a+"
      entity:enrich("params", ctx.params.note or "")
      entity:result { detections = word == "risky" and 5 or 0, total = 9, risky = word == "risky" }
      if word == "risky" then entity:mark_suspicious() end
      if word == "risky" or word == "clean" then return ctx.reported {} end
      if word == "partial" then return ctx.reported({}, "not rescanned") end
      if word == "raise" then error "boom" end
      if word == "missing" then return ctx.not_found() end
      return ctx[word] "because"
    end,
  }
]]

local STRICT = [[
  return require "apogee.action" {
    id = "strict", name = "Strict", doc = "Has a required parameter.", accepts = { "url" },
    returns = "is_success",
    params = { { "threshold", type = "integer", min = 1, required = true } },
    run = function(ctx) return ctx.reported {} end,
  }
]]

local WHOLE = [[
  return require "apogee.action" {
    id = "whole", name = "Whole", doc = "Works on the case.", returns = "is_success",
    params = { { "how", type = "string", required = true } },
    run_case = function(ctx, case)
      if ctx.params.how == "raise" then error "boom" end
      return ctx.done {
        success = ctx.params.how == "fine", failed = ctx.params.how == "failed",
        message = ctx.params.how .. " with " .. #case:of "url" .. " URLs",
      }
    end,
  }
]]

-- Its items are what `mode` says: see the specs of actions of items.
local ITEMS = [[
  return require "apogee.action" {
    id = "items", name = "Items", provider = "VirusTotal", doc = "Works on items.",
    returns = "is_risky", params = { { "mode", type = "string", default = "none" } },
    each = function(params)
      if params.mode == "raise" then error "boom" end
      if params.mode == "number" then return 7 end
      if params.mode == "metatable" then return setmetatable({}, {}) end
      return params.mode == "two" and { "/a", "/b" } or {}
    end,
    run = function(ctx) return ctx.reported {} end,
  }
]]

---@param source string of the playbook: what stands inside of playbook { ... }
---@param given table? { entities, state, args, setup = function(engine) }
---@return integer exit, table engine, string? message
function M.run(source, given)
  given = given or {}
  local text = 'return require "apogee.playbook" { name = "P", ' .. source .. " }"
  local engine = fake.new {
    files = {
      ["/actions/look.lua"] = LOOK, ["/actions/strict.lua"] = STRICT,
      ["/actions/whole.lua"] = WHOLE, ["/actions/items.lua"] = ITEMS,
      ["/playbooks/p.lua"] = text,
    },
    entities = given.entities, state = given.state,
  }
  if given.setup then given.setup(engine) end
  local args = { command = "run", target = "p" }
  for key, value in pairs(given.args or {}) do args[key] = value end
  local exit, message = main.run(engine, args)
  return exit, engine, message
end

--- Entities of one type by their identifiers.
function M.entities(type_name, ...)
  local entities = {}
  for _, identifier in ipairs { ... } do
    table.insert(entities, { identifier = identifier, type = type_name })
  end
  return entities
end

--- What the steps ended with: { name = status }.
function M.statuses(engine)
  local statuses = {}
  for _, step in ipairs(engine.steps) do statuses[step.info.name] = step.ended.status end
  return statuses
end

return M
