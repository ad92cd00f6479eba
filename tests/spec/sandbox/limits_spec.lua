-- Attacks on time, memory and the stack.
-- SPDX-License-Identifier: Apache-2.0
local attacks = require "spec.support.attacks"

local SPENT = "ran for more than 1000000 instructions"
local SLOW = "held the engine for too long"

describe("a script that would not end", function()
  it("is ended, whatever it runs in", function()
    attacks.drive {
      { "loop", [[while true do end]], raises = SPENT },
      { "loop in pcall", [[while true do pcall(function() while true do end end) end]],
        raises = SPENT },
      { "loop in xpcall", [[while true do
          xpcall(function() while true do end end, function() while true do end end) end]],
        raises = SPENT },
      { "pcall of pcall", [[local function f() while true do pcall(f) end end f()]],
        raises = "%.lua:%d+: [rh]" }, -- whichever comes first: each error unwinds much
      { "coroutines in coroutines", [[
          local function f() coroutine.wrap(f)() end
          while true do pcall(f) end]], raises = SPENT },
      { "many coroutines", [[
          while true do coroutine.resume(coroutine.create(function() local a = 1 + 1 end)) end]],
        raises = SPENT },
      { "a coroutine that yields", [[
          local co = coroutine.wrap(function() while true do coroutine.yield() end end)
          while true do co() end]], raises = SPENT },
      { "a coroutine that survives", [[
          local co = coroutine.create(function()
            while true do pcall(function() while true do end end) end end)
          while true do coroutine.resume(co) end]], raises = SPENT },
      { "close", [[
          local t <close> = setmetatable({}, { __close = function() while true do end end })
          while true do end]], raises = SPENT },
      { "close in a coroutine", [[
          local co = coroutine.wrap(function()
            local t <close> = setmetatable({}, { __close = function() while true do end end })
            error "x"
          end)
          pcall(co)
          while true do end]], raises = SPENT },
      { "close that begins again", [[
          local function again()
            local t <close> = setmetatable({}, { __close = again })
            while true do end
          end
          again()]], raises = SPENT },
      { "gsub", [[while true do
          ("x"):rep(1000):gsub(".", function() while true do end end) end]], raises = SPENT },
      { "gsub of gsub", [[
          local function f() return ("x"):rep(100):gsub(".", f) end
          while true do pcall(f) end]], raises = SPENT },
      { "gsub of a C function", [[
          local s = ("x"):rep(1 << 20)
          while true do s:gsub(".", string.upper) end]], raises = SPENT },
      { "sort", [[while true do
          table.sort({ 1, 2, 3 }, function() while true do end end) end]], raises = SPENT },
      { "sort of C functions", [[
          local t = {}
          for i = 1, 10000 do t[i] = i end
          while true do table.sort(t, math.ult) end]], raises = SPENT },
      { "metamethods", [[
          local t = setmetatable({}, {})
          getmetatable(t).__index = function(s, k) return s[k + 1] end
          while true do pcall(function() return t[1] end) end]], raises = SPENT },
      { "concat of a metamethod", [[
          local t = setmetatable({}, { __concat = function() while true do end end })
          return t .. t]], raises = SPENT },
      { "tostring", [[
          tostring(setmetatable({}, { __tostring = function() while true do end end }))]],
        raises = SPENT },
      { "log", [[
          log.info("%s", setmetatable({}, { __tostring = function() while true do end end }))
          log.error(setmetatable({}, { __tostring = function() while true do end end }))]],
        raises = SPENT },
      { "iterator", [[for _ in function() return 1 end do end]], raises = SPENT },
      { "goto", [[::again:: goto again]], raises = SPENT },
      { "require", [[while true do pcall(require, "no.such.module") end]], raises = SPENT },
      { "json.encode", [[
          local t = {}
          for i = 1, 10000 do t[i] = i end
          while true do json.encode(t) end]], raises = SPENT },
      { "json.decode", [[
          local s = "[" .. ("1,"):rep(100000) .. "1]"
          while true do json.decode(s) end]], raises = SPENT },
      { "patterns over long subjects", [[
          local s = ("x"):rep(8 << 20)
          while true do s:find("y", 1, true) s:match "y" end]], raises = SPENT },
      { "long copies", [[
          local s = ("x"):rep(4 << 20)
          while true do local a, b = s:upper(), s:reverse() end]], raises = SPENT },
      { "utf8", [[
          local s = ("x"):rep(4 << 20)
          while true do utf8.len(s) end]], raises = SPENT },
    }
  end)

  it("is ended when its instructions are slow", function()
    attacks.drive {
      { "comparison", [[
          local a, b = ("x"):rep(4 << 20), ("x"):rep((4 << 20) - 1) .. "x"
          while true do local same = a == b end]], raises = SLOW },
      { "comparison in pcall", [[
          local a, b = ("x"):rep(4 << 20), ("x"):rep((4 << 20) - 1) .. "x"
          while true do pcall(function() while true do local same = a == b end end) end]],
        raises = SLOW },
      { "comparison in a coroutine", [[
          local a, b = ("x"):rep(4 << 20), ("x"):rep((4 << 20) - 1) .. "x"
          while true do
            coroutine.wrap(function() while true do local same = a == b end end)() end]],
        raises = SLOW },
      { "concatenation", [[
          local s = ("x"):rep(1 << 20)
          while true do local t = s .. "y" end]], raises = SLOW },
      { "next of a table that was large", [[
          local t = {}
          for i = 1, 60000 do t[i] = true end
          for i = 1, 60000 do t[i] = nil end
          while true do next(t) end]], raises = SLOW },
    }
  end)
end)

describe("a script that wants too much", function()
  it("leaves the memory that it held to the others", function()
    attacks.drive {
      { "large texts", [[
          local t = {}
          while true do
            t[#t + 1] = ("x"):rep(1 << 20) .. #t
            if #t % 3 == 0 then clock.parse(("x"):rep(1 << 20)) end
          end]], raises = SPENT },
    }
  end)

  it("is refused what one call could take", function()
    attacks.drive {
      { "rep", [[return #("x"):rep(1 << 40)]], raises = "larger than 16 MiB" },
      { "rep of nothing", [[return ("") :rep(1 << 62) ~= "" and "something"]] },
      { "rep with a separator", [[return #(""):rep(1 << 40, "xx")]], raises = "larger than" },
      { "format widths", [[return #("%99.99f"):format(1e308) > 600 and "long"]] },
      { "format of widths", [[return ("%1000d"):format(1)]], raises = "invalid" },
      { "format of a long text", [[
          return #("%s%s%s"):format(("x"):rep(8 << 20), ("x"):rep(8 << 20), "x")]],
        raises = "larger than" },
      { "pack", [[return string.pack("c" .. (1 << 40), "x")]], raises = "larger than" },
      { "concat", [[
          local s = ("x"):rep(1 << 20)
          local t = {}
          for i = 1, 100 do t[i] = s end
          return table.concat(t)]], raises = "larger than" },
      { "concat of a length that lies", [[
          return table.concat(setmetatable({}, { __len = function() return 1 << 60 end }))]],
        raises = "__len" },
      { "concat far away", [[return table.concat({}, "", 1, 1 << 40)]], raises = "more than" },
      { "unpack", [[return select("#", table.unpack({}, 1, 1 << 40))]], raises = "more than" },
      { "unpack around", [[return table.unpack({}, math.mininteger, math.maxinteger)]],
        raises = "more than" },
      { "move", [[table.move({}, 1, math.maxinteger, 2)]], raises = "more than" },
      { "insert far away", [[table.insert({}, math.mininteger, 1)]], raises = "more than" },
      { "remove far away", [[table.remove({}, math.maxinteger)]], raises = "out of bounds" },
      { "all bytes", [[return #{ ("x"):rep(8 << 20):byte(1, -1) }]], raises = "too long" },
      { "recursion", [[local function f() return 1 + f() end return f()]],
        raises = "%.lua:%d+: " }, -- an overflow, or its account is spent
      { "recursion by pcall", [[
          local function f() return pcall(f) end
          return f() and type(f()) ~= "boolean"]] },
      { "recursion by tostring", [[
          local t = setmetatable({}, {})
          getmetatable(t).__tostring = function() return tostring(t) end
          return tostring(t)]], raises = "overflow" },
      { "recursion by coroutines", [[
          local function f() return coroutine.wrap(f)() end
          return f()]], raises = "overflow" },
      { "recursion by sort", [[
          local function f() table.sort({ 1, 2 }, f) end
          f()]], raises = "overflow" },
      { "recursion by index", [[
          local t = setmetatable({}, {})
          getmetatable(t).__index = function(s, k) return s[k] end
          return t.x]], raises = "overflow" },
      { "a deep pattern", [[return ("x"):rep(1000):find(("(x"):rep(300))]],
        raises = "too many captures" },
      { "a long pattern", [[return ("x"):find(("x?"):rep(1 << 20) .. "y")]],
        raises = "a pattern is longer" },
      { "a million arguments", [[return select("#", table.unpack({}, 1, 1 << 20))]],
        raises = "%.lua:%d+: " }, -- it is told so, or its account is spent
    }
  end)

  it("may not keep more than the run's memory beside Lua either", function()
    attacks.drive({
      { "enrichment", [[
          for i = 1, 1000 do entity:enrich("f" .. i, ("x"):rep(2000)) end]],
        raises = "more than an entity may carry" },
      { "insights", [[while true do
          entity:insight {
            severity = "info", title = ("t"):rep(10000), body = ("b"):rep(10000) } end]],
        raises = "more than an entity may carry" },
      { "tables", [[while true do
          entity:table { title = "t", columns = { "c" }, rows = { { ("x"):rep(100000) } } } end]],
        raises = "more than an entity may carry" },
      { "a reason", [[return ("r"):rep(10 << 20)]], raises = "BREACH: r" },
      { "warnings", [[for i = 1, 3000 do ctx.warn(("w"):rep(100) .. i) end]],
        raises = "more warnings" },
      { "log lines", [[
          log.error(("x"):rep(1 << 20))
          for i = 1, 11000 do log.error "x" end]] },
    })
  end)
end)
