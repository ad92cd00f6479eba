-- Attacks by errors and yields, and those that only the end of the process stops.
-- SPDX-License-Identifier: Apache-2.0
local attacks = require "spec.support.attacks"

local UNSAID = "an error value that does not say what it is"

describe("an error", function()
  it("of any kind is one entity's alone", function()
    attacks.drive {
      { "nil", [[error(nil)]], raises = "without a message" },
      { "a table", [[error {}]], raises = "table" },
      { "a table with a message", [[error { message = "mine" }]], raises = "^mine$" },
      { "a table that raises", [[
          error(setmetatable({}, { __tostring = function() error "again" end }))]],
        raises = UNSAID },
      { "a table that raises itself", [[
          local t = setmetatable({}, {})
          getmetatable(t).__tostring = function() error(t) end
          error(t)]], raises = UNSAID },
      { "a table that never ends", [[
          error(setmetatable({}, { __tostring = function() while true do end end }))]],
        raises = UNSAID },
      { "a table that waits", [[
          error(setmetatable({}, { __tostring = function() clock.sleep(1) return "x" end }))]],
        raises = UNSAID },
      { "a text that is no text", [[
          error(setmetatable({}, { __tostring = function() return {} end }))]], raises = UNSAID },
      { "a name that is no name", [[
          error(setmetatable({}, { __name = {} }))]], raises = "table" },
      { "a message by a metatable", [[
          error(setmetatable({}, { __index = function() while true do end end }))]],
        raises = "table" },
      { "a function", [[error(print)]], raises = "function" },
      { "a coroutine", [[error(coroutine.create(print))]], raises = "thread" },
      { "ten megabytes", [[error(("x"):rep(10 << 20))]], raises = "xxx" },
      { "escapes", [[error "\27[2J\r\n\0\xff"]], raises = "%[2J" },
      { "in the handler", [[
          xpcall(error, function() error "again" end)]] },
      { "in the handler of the handler", [[
          local function handler() return xpcall(error, handler) end
          xpcall(error, handler)]] },
      { "in close", [[
          pcall(function()
            local t <close> = setmetatable({}, { __close = function() error(nil) end })
            error(setmetatable({}, { __tostring = error }))
          end)]] },
      { "outcomes that are none", [[
          ctx.failed(setmetatable({}, { __tostring = function() return "x" end }))]],
        raises = "a reason is a text" },
    }
  end)
end)

describe("a yield", function()
  it("that was forged goes nowhere", function()
    attacks.drive {
      { "from the action itself", [[coroutine.yield()]], raises = "outside a coroutine" },
      { "of null", [[
          local co = coroutine.create(function() coroutine.yield(json.null) end)
          coroutine.resume(co)
          return coroutine.status(co) ~= "suspended" and coroutine.status(co)]] },
      { "of everything that was given", [[
          local co = coroutine.wrap(function(...) return coroutine.yield(...) end)
          co(entity, ctx, json.null, print, coroutine.running())
          co()]] },
      { "of the task", [[
          local task = coroutine.running()
          local co = coroutine.wrap(function() return coroutine.resume(task) end)
          return co() and "it was resumed"]] },
      { "of another entity's task", [[
          shared.task = shared.task or coroutine.running()
          clock.sleep(0.02)
          return shared.task ~= coroutine.running() and coroutine.resume(shared.task)]] },
      { "while it waits", [[
          local co = coroutine.create(function() clock.sleep(0.02) end)
          shared.co = co
          coroutine.resume(co)
          return coroutine.status(co) ~= "dead" and coroutine.status(co)]] },
      { "of what waits, by another", [[
          clock.sleep(0.01)
          return shared.co and coroutine.status(shared.co) ~= "dead"
            and coroutine.resume(shared.co)]] },
      { "of one that is running", [[
          local co
          co = coroutine.create(function() return coroutine.resume(co) end)
          local _, ok = coroutine.resume(co)
          return ok]] },
      { "of one that is dead", [[
          local co = coroutine.create(print)
          coroutine.resume(co)
          return coroutine.resume(co)]] },
      { "across C", [[
          local co = coroutine.wrap(function() table.sort({ 1, 2 }, coroutine.yield) end)
          co()]], raises = "attempt to yield" },
      { "across C, of the engine's", [[
          local co = coroutine.wrap(function() clock.sleep(0.01) end)
          table.sort({ 1, 2 }, co)]], raises = "yield" },
    }
  end)
end)

describe("what only the end of the process stops", function()
  it("ends it with 6 and a name, and the run goes on without", function()
    attacks.fatal {
      { "a pattern", [[return ("a"):rep(40):find(("a-"):rep(40) .. "b")]],
        says = "held the engine for too long: attack on" },
      { "a pattern in pcall and a coroutine", [[
          while true do pcall(coroutine.wrap(function()
            ("a"):rep(40):find(("a-"):rep(40) .. "b") end)) end]],
        says = "held the engine for too long: attack on" },
    }
    attacks.fatal({
      { "memory", [[local t = {} while true do t[#t + 1] = ("x"):rep(1 << 20) .. #t end]],
        says = "scripts need more than 64 MiB of memory" },
      { "memory of tables", [[local t = {} while true do t = { t, {}, {}, {} } end]],
        says = "scripts need more than 64 MiB of memory" },
      { "memory by doubling", [[local s = "x" while true do s = s .. s end]],
        says = "scripts need more than 64 MiB of memory" },
      { "memory of coroutines", [[
          local t = {}
          while true do
            local co = coroutine.wrap(function(...) coroutine.yield(...) end)
            co(table.unpack({}, 1, 100000))
            t[#t + 1] = co
          end]], says = "scripts need more than 64 MiB of memory" },
    }, "1m")
  end)
end)
