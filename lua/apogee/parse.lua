-- What a Lua file names, without running it: each use of a variable with the fields behind it,
-- which variable of the file it is or that it is a global, and the tables and functions that are
-- written down. The file is one that Lua's own parser has read: what is no Lua is not looked for.
--
-- A variable is { name, line, is_param, values = {what was put into it},
--   members = { [path] = {what was put into its fields} } }.
-- What an expression is, as far as it can be told:
--   { kind = "place", root, path = {names}, line, method, call = {arguments}, is_open, is_write,
--     is_tested, into, argument_of } is a variable, or { global = NAME }, or { module = NAME }, and
--     the fields behind it; is_open: another one follows that is worked out; is_tested: whether
--     there is one is asked; into: the variable that it is put into; argument_of: the call that it
--     is given to
--   { kind = "function", params = {variables}, line, returns = {expressions} }
--   { kind = "table", items = { { key, index, line, value } }, line }
--   { kind = "text", text, line }
--   { kind = "begins", first }, a text that begins with what first is: "a" .. b, ("a%s"):format(b)
-- SPDX-License-Identifier: Apache-2.0
local lex = require "apogee.lex"

local M = {}

local insert = table.insert

-- What is kept of a file takes memory, and what is no program but data is not worth it.
local MAX_NODES = 50000

local BINARY = {}
for sign in ([[+ - * / // % ^ .. == ~= < <= > >= & | ~ << >> and or]]):gmatch "%S+" do
  BINARY[sign] = true
end
local IS_TEST = { ["and"] = true, ["or"] = true, ["=="] = true, ["~="] = true }
local UNARY = { ["-"] = true, ["~"] = true, ["#"] = true, ["not"] = true }
local IS_CONSTANT = {
  ["..."] = true, ["false"] = true, ["nil"] = true, ["number"] = true, ["true"] = true,
}
local ENDS_BLOCK = {
  ["end of file"] = true, ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true,
}

local Parser = {}
Parser.__index = Parser

-- ---- words ----

function Parser:is(kind) return self.kinds[self.at] == kind end

function Parser:take(kind)
  if self.kinds[self.at] ~= kind then return false end
  self.at = self.at + 1
  return true
end

function Parser:expect(kind)
  local at = self.at
  if self.kinds[at] ~= kind then
    error(("line %d: %s instead of %s"):format(self.lines[at], self.kinds[at], kind), 0)
  end
  self.at = at + 1
  return self.values[at], self.lines[at]
end

-- ---- scopes ----

function Parser:count()
  self.nodes = self.nodes + 1
  if self.nodes > MAX_NODES then error("is too large to be looked into", 0) end
end

function Parser:declare(name, line, is_param)
  self:count()
  local variable = { name = name, line = line, is_param = is_param, values = {}, members = {} }
  local undo = self.undo
  undo[#undo + 1] = name
  undo[#undo + 1] = self.visible[name] or false
  self.visible[name] = variable
  insert(self.variables, variable)
  return variable
end

function Parser:enter() return #self.undo end

function Parser:leave(mark)
  local undo, visible = self.undo, self.visible
  for at = #undo, mark + 2, -2 do
    visible[undo[at - 1]] = undo[at] or nil
    undo[at], undo[at - 1] = nil, nil
  end
end

-- ---- expressions ----

function Parser:place(root, line)
  self:count()
  local place = { kind = "place", root = root, path = {}, line = line }
  insert(self.places, place)
  return place
end

function Parser:named()
  local name, line = self:expect "name"
  return self:place(self.visible[name] or { global = name }, line)
end

function Parser:list_until(stop)
  local list = {}
  if self:take(stop) then return list end
  repeat insert(list, self:expression() or false) until not self:take ","
  self:expect(stop)
  return list
end

function Parser:arguments()
  if self:is "text" then return { self:text() } end
  if self:is "{" then return { self:table() } end
  self:expect "("
  return self:list_until ")"
end

function Parser:text()
  local text, line = self:expect "text"
  return { kind = "text", text = text, line = line }
end

function Parser:call(place)
  local arguments = self:arguments()
  if not place then return nil end
  place.call = arguments
  for _, argument in ipairs(arguments) do
    if argument and argument.kind == "place" then
      argument.argument_of = place
    end
  end
  return place
end

local function has_ended(place) return not place or place.call or place.is_open end

--- The module of a place that is the call require "NAME"; nil for another.
---@param place table?
---@return string?
function M.module_of(place)
  local is_require = place and place.call and not place.method and not place.path[1]
    and place.root.global == "require"
  local name = is_require and place.call[1]
  return name and name.kind == "text" and name.text or nil
end

-- Of require "a.b" fields are followed, as of a variable.
function Parser:go_on(place)
  local module = M.module_of(place)
  if module then return self:place({ module = module }, place.line) end
  if has_ended(place) then return nil end
  return place
end

function Parser:field(place)
  local name, line = self:expect "name"
  place = self:go_on(place)
  if place then
    insert(place.path, name)
    place.line = line
  end
  return place
end

function Parser:index(place)
  local key = self:expression()
  self:expect "]"
  place = self:go_on(place)
  if not place then return nil end
  if key and key.kind == "text" and key.text then
    insert(place.path, key.text)
  else
    place.is_open = true
  end
  return place
end

function Parser:beginning(first)
  self:count()
  return { kind = "begins", first = first }
end

-- What stands in brackets is one value, and followed no further.
function Parser:head()
  if not self:take "(" then return self:named() end
  local inner = self:expression()
  self:expect ")"
  local is_made = self:is ":" and self.values[self.at + 1] == "format"
  return nil, is_made and inner and inner.kind ~= "function" and inner or nil
end

function Parser:suffixed()
  local place, first = self:head()
  while true do
    local kind = self.kinds[self.at]
    if kind == "." then
      self.at = self.at + 1
      place = self:field(place)
    elseif kind == "[" then
      self.at = self.at + 1
      place = self:index(place)
    elseif kind == ":" then
      self.at = self.at + 1
      local method, line = self:expect "name"
      place = self:go_on(place)
      if place then place.method, place.line = method, line end
      place = self:call(place)
    elseif kind == "(" or kind == "text" or kind == "{" then
      place = self:call(self:go_on(place))
    else
      return place or first and self:beginning(first)
    end
  end
end

function Parser:item(made)
  local line, key = self.lines[self.at], nil
  self:count()
  if self:take "[" then
    key = self:expression()
    key = key and key.kind == "text" and key.text or false
    self:expect "]"
    self:expect "="
  elseif self:is "name" and self.kinds[self.at + 1] == "=" then
    key = self:expect "name"
    self:expect "="
  else
    made.count = made.count + 1
  end
  local index = key == nil and made.count or nil
  insert(made.items, { key = key, index = index, line = line, value = self:expression() })
end

function Parser:table()
  local _, line = self:expect "{"
  local made = { kind = "table", line = line, items = {}, count = 0 }
  while not self:take "}" do
    self:item(made)
    if not self:take "," then self:take ";" end
  end
  return made
end

-- Behind the word `function` and its name.
function Parser:body(line, is_method)
  local made = { kind = "function", params = {}, line = line, returns = {} }
  local mark, outer = self:enter(), self.of
  if is_method then made.params[1] = self:declare("self", line, true) end
  self.of = made
  self:expect "("
  while not self:take ")" do
    if not self:take "..." then
      local name, at = self:expect "name"
      insert(made.params, self:declare(name, at, true))
    end
    self:take ","
  end
  self:block()
  self:expect "end"
  self:leave(mark)
  self.of = outer
  return made
end

function Parser:simple()
  local kind, line = self.kinds[self.at], self.lines[self.at]
  if kind == "name" or kind == "(" then return self:suffixed() end
  if kind == "text" then return self:text() end
  if kind == "{" then return self:table() end
  if kind == "function" then
    self.at = self.at + 1
    return self:body(line)
  end
  if not IS_CONSTANT[kind] then self:expect "a value" end
  self.at = self.at + 1
end

-- `if x then`, `x or y`, `not x`
local function note_test(value)
  if value and value.kind == "place" then value.is_tested = true end
end

function Parser:operand()
  local is_plain = true
  while UNARY[self.kinds[self.at]] do
    self.at = self.at + 1
    is_plain = false
  end
  local value = self:simple()
  if not is_plain then note_test(value) end
  return is_plain and value or nil
end

-- Of what operators make nothing is told, but with what a text begins.
function Parser:expression()
  local value = self:operand()
  local first, is_joined = value, true
  local last = value
  while BINARY[self.kinds[self.at]] do
    is_joined = is_joined and self:is ".."
    local is_test = IS_TEST[self.kinds[self.at]]
    if is_test then note_test(last) end
    self.at = self.at + 1
    value, last = nil, self:operand()
    if is_test then note_test(last) end
  end
  if value == nil and first and is_joined then return self:beginning(first) end
  return value
end

function Parser:condition() note_test(self:expression()) end

function Parser:expressions()
  local list = {}
  repeat insert(list, self:expression() or false) until not self:take ","
  return list
end

-- ---- statements ----

local function put(variable, value)
  if not value then return end
  insert(variable.values, value)
  if value.kind == "place" then value.into = variable end
end

local function put_member(root, path, value)
  if not value or not root.members then return end
  local name = table.concat(path, ".")
  root.members[name] = root.members[name] or {}
  insert(root.members[name], value)
end

local function assign(place, value)
  if not place then return end
  place.is_write = true
  if place.path[1] or place.is_open then
    put_member(place.root, place.path, value)
  elseif place.root.values then
    put(place.root, value or { kind = "unknown" })
  end
end

local statement = {}

statement["if"] = function(self)
  repeat
    self:condition()
    self:expect "then"
    self:scoped()
  until not self:take "elseif"
  if self:take "else" then self:scoped() end
  self:expect "end"
end

statement["while"] = function(self)
  self:condition()
  self:expect "do"
  self:scoped()
  self:expect "end"
end

statement["do"] = function(self)
  self:scoped()
  self:expect "end"
end

statement["repeat"] = function(self)
  local mark = self:enter()
  self:block()
  self:expect "until"
  self:expression()
  self:leave(mark)
end

statement["for"] = function(self)
  local names, lines = {}, {}
  repeat
    local name, line = self:expect "name"
    insert(names, name)
    insert(lines, line)
  until not self:take ","
  if not self:take "=" then self:expect "in" end
  self:expressions()
  self:expect "do"
  local mark = self:enter()
  for index, name in ipairs(names) do
    put(self:declare(name, lines[index]), { kind = "unknown" })
  end
  self:block()
  self:leave(mark)
  self:expect "end"
end

statement["function"] = function(self)
  local line = self.lines[self.at]
  local place, is_method = self:named(), false
  while self:take "." do insert(place.path, (self:expect "name")) end
  if self:take ":" then
    insert(place.path, (self:expect "name"))
    is_method = true
  end
  assign(place, self:body(line, is_method))
end

statement["local"] = function(self)
  if self:take "function" then
    local name, line = self:expect "name"
    local variable = self:declare(name, line)
    put(variable, self:body(line))
    return
  end
  local names, lines = {}, {}
  repeat
    local name, line = self:expect "name"
    insert(names, name)
    insert(lines, line)
    if self:take "<" then
      self:expect "name"
      self:expect ">"
    end
  until not self:take ","
  local values = self:take "=" and self:expressions() or {}
  for index, name in ipairs(names) do
    put(self:declare(name, lines[index]), values[index] or { kind = "unknown" })
  end
end

statement["return"] = function(self)
  local values = {}
  if not ENDS_BLOCK[self.kinds[self.at]] and not self:is ";" then values = self:expressions() end
  self:take ";"
  if values[1] then insert(self.of.returns, values[1]) end
end

statement["goto"] = function(self) self:expect "name" end
statement["break"] = function() end
statement[";"] = statement["break"]

statement["::"] = function(self)
  self:expect "name"
  self:expect "::"
end

function Parser:assignment_or_call()
  local targets = { self:suffixed() or false }
  if not self:is "=" and not self:is "," then return end
  while self:take "," do insert(targets, self:suffixed() or false) end
  self:expect "="
  local values = self:expressions()
  for index, target in ipairs(targets) do assign(target, values[index]) end
end

function Parser:block()
  while not ENDS_BLOCK[self.kinds[self.at]] do
    local read = statement[self.kinds[self.at]]
    if read then
      self.at = self.at + 1
      read(self)
    else
      self:assignment_or_call()
    end
  end
end

function Parser:scoped()
  local mark = self:enter()
  self:block()
  self:leave(mark)
end

--- Reads a file.
---@param source string
---@return table parsed { places, variables, returns = {expressions of the file itself} }
function M.read(source)
  local kinds, values, lines = lex.words(source)
  local parser = setmetatable({
    kinds = kinds, values = values, lines = lines, at = 1, places = {}, variables = {},
    visible = {}, undo = {}, nodes = 0, of = { returns = {} },
  }, Parser)
  parser:block()
  parser:expect "end of file"
  return { places = parser.places, variables = parser.variables, returns = parser.of.returns }
end

return M
