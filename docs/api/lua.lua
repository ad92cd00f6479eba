--- What every script has of Lua 5.4. There is no `io`, `os`, `debug`, `package`, `load`, `dofile`, `collectgarbage`,
--- `string.dump` and `coroutine.close`.
--- @module lua

--- As the manual of Lua 5.4 has it.
--- @table standard
--- @field _VERSION
--- @field assert
--- @field error
--- @field getmetatable
--- @field ipairs
--- @field next
--- @field pairs
--- @field rawequal
--- @field rawget
--- @field rawlen
--- @field select
--- @field tonumber
--- @field type
--- @field coroutine.create
--- @field coroutine.isyieldable
--- @field coroutine.resume
--- @field coroutine.running
--- @field coroutine.status
--- @field coroutine.wrap
--- @field coroutine.yield
--- @field math.abs
--- @field math.acos
--- @field math.asin
--- @field math.atan
--- @field math.ceil
--- @field math.cos
--- @field math.deg
--- @field math.exp
--- @field math.floor
--- @field math.fmod
--- @field math.huge
--- @field math.log
--- @field math.max
--- @field math.maxinteger
--- @field math.min
--- @field math.mininteger
--- @field math.modf
--- @field math.pi
--- @field math.rad
--- @field math.random
--- @field math.randomseed
--- @field math.sin
--- @field math.sqrt
--- @field math.tan
--- @field math.tointeger
--- @field math.type
--- @field math.ult
--- @field string.byte
--- @field string.char
--- @field string.len
--- @field string.lower
--- @field string.reverse
--- @field string.sub
--- @field string.unpack
--- @field string.upper
--- @field utf8.char
--- @field utf8.charpattern
--- @field utf8.codepoint
--- @field utf8.codes
--- @field utf8.len
--- @field utf8.offset

--- As the manual has it, with a limit: texts of 16 MiB, patterns of 4 KiB, a million items.
--- @table limited
--- @field string.find
--- @field string.format
--- @field string.gmatch
--- @field string.gsub
--- @field string.match
--- @field string.pack
--- @field string.packsize
--- @field string.rep
--- @field table.concat
--- @field table.insert
--- @field table.move
--- @field table.pack
--- @field table.remove
--- @field table.sort
--- @field table.unpack

--- A value as a text. Tables, functions and the like show no address.
--- @param value any
--- @return string text
function tostring(value) end

--- Says its values on standard error with `-v`, as `log.info` does.
--- @param ... any
function print(...) end

--- A module: `apogee.NAME`, or a file beside the script (`folder.name` is `folder/name.lua`).
--- @param name string
--- @return any module
function require(name) end

--- A handle of a secret of the configuration: it can be passed on and joined with text, never read. See http.md.
--- @param name string
--- @return secret handle
--- @usage headers = { Authorization = "Bearer " .. secret "chat_token" }
function secret(name) end

--- As the manual has it; `__gc` and `__mode` are refused.
--- @param table table
--- @param metatable table|nil
--- @return table table
function setmetatable(table, metatable) end

--- As the manual has it; not of tables with a protected metatable.
--- @param table table
--- @param key any
--- @param value any
--- @return table table
function rawset(table, key, value) end

--- As the manual has it; the end of a script that ran for too long is not caught.
--- @param fn function
--- @param ... any
--- @return boolean ok
--- @return any ... results, or the error
function pcall(fn, ...) end

--- The same with a handler, which runs when the calls are over.
--- @param fn function
--- @param handler function
--- @param ... any
--- @return boolean ok
--- @return any ... results, or what the handler made of the error
function xpcall(fn, handler, ...) end
