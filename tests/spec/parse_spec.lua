-- SPDX-License-Identifier: Apache-2.0
local lex = require "apogee.lex"
local parse = require "apogee.parse"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do table.insert(lines, line) end
  assert(pipe:close(), command)
  return lines
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

-- "read NAME" and "write NAME", as Lua's own compiler sees them.
local function compiled(path)
  local found = {}
  for _, line in ipairs(lines_of("luac5.4 -p -l -l " .. path)) do
    local kind, name = line:match '([GS]ET)TABUP.*; _ENV "([%w_]+)"'
    if kind then found[(kind == "SET" and "write " or "read ") .. name] = true end
  end
  return found
end

local function parsed(source)
  local found = {}
  for _, place in ipairs(parse.read(source).places) do
    local is_write = place.is_write and not place.path[1] and not place.is_open
    if place.root.global then
      found[(is_write and "write " or "read ") .. place.root.global] = true
    end
  end
  return found
end

local ODD = [==[
#comment
local a <const>, b <close> = 0x1p4, nil -- "not a text
--[[ c = 1
]] local s = 'it\'s' --[=[ ]] ]=] ; local t = "\"" .. [[
]=] x ]] .. "\z
   y" .. '\\'
do goto done ::done:: end
do local g = g; function g.f:m(...) self.x, h = y, ... end end
for i = 1, n do k = i end
for key, value in pairs(z) do key = value; w[key] = value end
repeat local seen = q until seen == r
while not v do break end
if -u ^ 2 // .5e-3 < 3e+7 and #t or (p)(s) "x" {} [1] :m "y" then
  l1 = function(...) return l2, ... end
elseif ~o then else l3.a["b"][l4].c = 1 end
local function rec(rec2) return rec(rec2, rec3) end
local t2 = { a = 1, [a2] = a, b1; rec, f = function() return a4 end, "x", }
a5, t2.x, a6 = 1 ;
;(function() a7() end)()
return a << b1 >> 1 & 2 | 3, a ~= b, a ~ b
]==]

describe("the names of a file are what Lua's compiler says they are:", function()
  it("all ways of writing Lua", function()
    local path = os.tmpname()
    local source = ODD:gsub("^#[^\n]*", "")
    local file = assert(io.open(path, "w"))
    file:write(source)
    file:close()
    local expected = compiled(path)
    os.remove(path)
    assert.is_true(expected["write a5"] and expected["read l4"])
    assert.same(expected, parsed(source))
  end)

  it("wherever the window falls through which it is read", function()
    local source = ODD:gsub("^#[^\n]*", "")
    local expected, last = parsed(source), #lex.words(source)
    local _, _, lines = lex.words(source)
    for blanks = 1000 - #source, 1000 do
      local _, _, moved = lex.words((" "):rep(blanks) .. source)
      assert.equal(lines[last], moved[last])
      assert.same(expected, parsed((" "):rep(blanks) .. source))
    end
  end)

  for _, path in ipairs(lines_of "find lua playbooks -name '*.lua' | sort") do
    it(path, function() assert.same(compiled(path), parsed(read(path))) end)
  end
end)

describe("a file is read", function()
  it("with the line of each use", function()
    local source = 'local a = 1\n--[[\n\n]]\nb("\\\n", [[\n\n]],\n  c.d\n    .e)\n'
    local places = parse.read(source).places
    assert.equal("b", places[1].root.global)
    assert.equal(5, places[1].line)
    assert.equal("c", places[2].root.global)
    assert.same({ "d", "e" }, places[2].path)
    assert.equal(10, places[2].line)
  end)

  it("with texts and names that are longer than the window", function()
    local long = ("x"):rep(5000)
    local source = ('local a = "%s" --[[%s]] f(%s, [[%s]]) --%s\ng()')
      :format(long, long, long, long, long)
    local places = parse.read(source).places
    assert.equal("f", places[1].root.global)
    assert.equal(long, places[1].call[2].text)
    assert.equal(long, places[2].root.global)
    assert.equal(2, places[3].line)
  end)

  it("up to a size that is no program's", function()
    assert.has_error(function() parse.read("return {" .. ("{},"):rep(60000) .. "}") end,
      "is too large to be looked into")
  end)

  it("however long a sum is", function()
    local source = "return " .. ("x + "):rep(20000) .. "y"
    assert.equal(20001, #parse.read(source).places)
  end)

  for source, why in pairs {
    ["x = 1\nlocal = 2"] = "line 2: = instead of name",
    ["return {\n1, "] = "line 2: end of file instead of a value",
    ["f(\n"] = "line 2: end of file instead of a value",
    ["function f("] = "line 1: end of file instead of name",
    ["while x do"] = "line 1: end of file instead of end",
    ["x = )"] = "line 1: ) instead of a value",
  } do
    it("and what is no Lua is an error with its line: " .. source, function()
      assert.has_error(function() parse.read(source) end, why)
    end)
  end

  for _, source in ipairs {
    "x = 'a", 'x = "a\\', "x = [[a", "--[[ a", "x = 0x", "\\", "a.", "::",
  } do
    it("to its end, whatever it is: " .. source, function() pcall(parse.read, source) end)
  end
end)
