-- The manual page against the program: neither knows a command, an option or an exit code more.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local manual = assert(program.read "docs/apogee.1")

local function help(command)
  local ran = program.run(command and { command, "--help" } or { "--help" })
  assert(ran.exit == 0, ran.err)
  return ran.out
end

local function commands_of_help()
  local found = {}
  for name in help():match("\nCommands:(\n.*)$"):gmatch "\n  (%l[%l-]*) " do found[name] = true end
  return found
end

--- The texts of the entries of lists, such as "Fl p , Fl -param Ar NAME".
local function entries(from, to)
  local start = assert(manual:find("\n.S[hs] " .. from .. "\n"), from)
  local stop = assert(manual:find("\n.S[hs] " .. to .. "\n", start), to)
  return manual:sub(start, stop):gmatch "\n%.It ([^\n]+)"
end

--- In one, and not in the other.
local function missing(from, other)
  local names = {}
  for name in pairs(from) do
    if not other[name] then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

local function same(of_help, of_manual)
  assert.is_truthy(next(of_help))
  assert.same({}, missing(of_help, of_manual), "not in docs/apogee.1")
  assert.same({}, missing(of_manual, of_help), "not in --help")
end

describe("the manual page", function()
  it("has the commands of --help", function()
    local found = {}
    for entry in entries("COMMANDS", "OPTIONS") do found[entry:match "^Cm (%l[%l-]*)"] = true end
    same(commands_of_help(), found)
  end)

  it("has the options of each command, with their letters", function()
    local of_help, found = {}, {}
    for name in pairs(commands_of_help()) do
      for line in help(name):gmatch "\n  (%-[^\n]*)" do
        of_help[assert(line:match "%-%-(%l[%l-]*)")] = line:match "^%-(%l)," or "none"
      end
    end
    for entry in entries("OPTIONS", "ENVIRONMENT") do
      found[assert(entry:match "Fl %-(%l[%l-]*)", entry)] = entry:match "^Fl (%l) ," or "none"
    end
    same(of_help, found)
    assert.same(of_help, found)
  end)

  it("has the exit codes of run", function()
    local of_help, found = {}, {}
    for codes in help("run"):match("\nExit codes[^\n]*:\n(.*)$"):gmatch "  (%d[%d, ]*)  ?%l" do
      for code in codes:gmatch "%d+" do of_help[code] = true end
    end
    for codes in entries("EXIT STATUS", "EXAMPLES") do
      for code in codes:gmatch "%d+" do found[code] = true end
    end
    same(of_help, found)
  end)

  it("has every environment variable that settings are read from", function()
    for name in help("run"):gmatch "%[(APOGEE_[%u_]+)%]" do
      assert.is_truthy(manual:find(name, 1, true), name)
    end
  end)
end)
