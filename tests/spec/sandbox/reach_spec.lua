-- Attacks by what can be named: loading code, reaching out, metatables, what is shared.
-- SPDX-License-Identifier: Apache-2.0
local attacks = require "spec.support.attacks"

local FINALIZER = "is not available to scripts"
local PROTECTED = "protected"

describe("a script that would load code or reach out", function()
  it("finds nothing to do it with", function()
    attacks.drive {
      { "libraries", [[for _, name in ipairs { "io", "os", "debug", "package", "ffi", "jit" } do
          if _G[name] ~= nil then return name end end]] },
      { "loaders", [[for _, name in ipairs { "load", "loadstring", "loadfile", "dofile",
          "collectgarbage", "warn", "module", "setfenv", "getfenv", "newproxy" } do
          if _G[name] ~= nil then return name end end]] },
      { "dump", [[return string.dump or ("").dump]] },
      { "close", [[return coroutine.close]] },
      { "engine", [[return _G.engine or _G.arg or _G.vt or _G.files or _G.sftp or _G.http]] },
      { "environment", [[local _ENV <const> = { _G = _G } return _G.io or _G._G.io]] },
      { "metatable of the environment", [[return getmetatable(_G)]] },
      { "C module", [[return require "cjson"]], raises = "No such file" },
      { "absolute path", [[return require "/etc/passwd"]], raises = "is no name of a module" },
      { "path with dots", [[return require "..actions.scan_hash"]],
        raises = "no name of a module" },
      { "path with a slash", [[return require "../p"]], raises = "is no name of a module" },
      { "NUL in a name", [[return require "apogee.text\0x"]], raises = "NUL" },
      { "itself", [[
          local action = require "attack"
          return action.vt or action.env]] },
      { "a name of a megabyte", [[return require(("a"):rep(1 << 20))]], raises = "is no name" },
      { "a table as a name", [[return require(setmetatable({}, { __tostring = function()
          return "apogee.text" end }))]], raises = "string expected" },
      { "modules of the engine", [[
          local main = require "apogee.main"
          return pcall(main.run, {}, { command = "list" }) and "it ran"]] },
      { "the engine through a module", [[
          local loader = require "apogee.loader"
          return pcall(loader.read, nil, "/etc/passwd") and "it read"]] },
      { "another environment", [[
          local name, value = next(require "apogee.text")
          return value == nil and name]] },
      { "addresses", [[
          for _, value in ipairs { print, {}, coroutine.create(print), entity, json.null } do
            if tostring(value):find "0x" then return tostring(value) end end
          if select(2, pcall(string.format, "%p", {})):find "0x" then return "%p" end]] },
      { "addresses in errors", [[
          local _, message = pcall(error, setmetatable({}, { __name = "x" }))
          return tostring(message):find "0x" and "an address"]] },
      { "needs of another", [[
          local action = require "apogee.action"
          action { id = "x", needs = { "vt", "sftp" } }
          return _G.vt or _G.sftp]] },
      { "secrets", [[
          local ok, key = pcall(function() return secret "virustotal.api_key" end)
          return ok and (type(key) ~= "userdata" or #tostring(key) >= 64) and "it is read"]] },
    }
  end)

  it("is refused while it is read, whatever it is", function()
    attacks.check {
      { "bytecode", string.dump(function() end), says = "compiled Lua" },
      { "bytecode behind a mark", "\xef\xbb\xbf" .. string.dump(function() end),
        says = "compiled" },
      { "bytecode behind a comment", "#!x\n" .. string.dump(function() end),
        says = "unexpected symbol" },
      { "loop", "while true do end", says = "ran for more than" },
      { "loop in pcall", "while true do pcall(function() while true do end end) end",
        says = "ran for more than" },
      { "loop in coroutines", [[local function f() return coroutine.wrap(f)() end
          while true do pcall(f) end]], says = "ran for more than" },
      { "nested brackets", "return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000),
        says = "overflow" },
      { "nested tables", "return " .. ("{"):rep(100000), says = "overflow" },
      { "nested blocks", ("do "):rep(100000), says = "overflow" },
      { "long concatenation", "return " .. ("'a'.."):rep(100000) .. "'a'", says = "overflow" },
      { "too many locals", ("local a "):rep(1000), says = "too many local" },
      { "two megabytes", ("-- x\n"):rep(400000), says = "larger than 1024 KiB" },
      { "waiting", "clock.sleep(1)", says = "clock.sleep" },
      { "metatable that never ends", "return setmetatable({}, { __index = function() while true do "
        .. "end end, __pairs = function() while true do end end })",
        says = "metatable is no data" },
      { "error that raises", "error(setmetatable({}, { __tostring = function() error {} end }))",
        says = "does not say what it is" },
      { "error that never ends",
        "error(setmetatable({}, { __tostring = function() while true do end end }))",
        says = "does not say what it is" },
      { "slow instructions", [[
          local a, b = ("x"):rep(4 << 20), ("x"):rep((4 << 20) - 1) .. "x"
          while true do local same = a == b end]], says = "held the engine for too long" },
      { "endless circle", "local t = {} t.manifest = t t.kind = 'action' return t",
        says = "nested" },
      { "text of terminal escapes", "error '\27[2J\27]0;x\7'", says = "%[2J" },
    }
  end)
end)

describe("a script that would change what others use", function()
  it("changes only its own", function()
    attacks.drive {
      { "string functions", [[
          string.upper = function() return "mine" end
          string.rep = nil
          return ("a"):upper() ~= "A" and "changed for strings"]] },
      { "the metatable of strings", [[
          if getmetatable "" ~= false then return "it is seen" end
          return pcall(setmetatable, "", {}) and "it is set"]] },
      { "rawset on strings", [[return pcall(rawset, "", "x", 1) and "it is set"]] },
      { "rawset on an entity", [[return pcall(rawset, entity, "x", 1) and "it is set"]] },
      { "rawget on an entity", [[return pcall(rawget, entity, "enrich") and "it is got"]] },
      { "the metatable of an entity", [[
          return getmetatable(entity) or pcall(setmetatable, entity, {})]] },
      { "finalizer", [[setmetatable({}, { __gc = function() end })]], raises = FINALIZER },
      { "finalizer that is false", [[setmetatable({}, { __gc = false })]], raises = FINALIZER },
      { "weak table", [[setmetatable({}, { __mode = "k" })]], raises = FINALIZER },
      { "finalizer put in later", [[
          local mt = setmetatable({}, {})
          local t = setmetatable({}, mt)
          mt.__gc = function() while true do end end
          t = nil]] },
      { "finalizer by inheritance", [[
          local mt = setmetatable({}, { __index = { __gc = function() while true do end end } })
          setmetatable({}, mt)]] },
      { "protected metatable", [[
          setmetatable(json.array {}, {})]], raises = PROTECTED },
      { "rawset on a protected table", [[
          rawset(json.array {}, "x", 1)]], raises = PROTECTED },
      { "pcall replaced", [[
          pcall = function() return true end
          _G.error = function() end
          _G.require = nil]] },
      { "modules of ours", [[
          if not require then return end
          local threshold = require "apogee.threshold"
          for name in next, threshold do threshold[name] = function() error "mine" end end]] },
      { "ctx of its step", [[
          for name in next, ctx do ctx[name] = ctx[name] end
          ctx.reported = function() return { outcome = "reported", report = {} } end
          ctx.params = setmetatable({}, { __index = function() while true do end end })]] },
      { "a table that is its own metatable", [[
          local t = {}
          t.__index = t
          setmetatable(t, t)
          return t.x]], raises = "loop" },
      { "everything removed", [[
          local env, names = _G, {}
          for name in next, env do names[#names + 1] = name end
          for _, name in ipairs(names) do env[name] = nil end]] },
    }
  end)
end)
