-- Wrong turns with entities files.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"
local wrong = require "e2e.support.wrong"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local function args_of(w, name)
  return {
    "action", "scan_hash", "--simulate", "--param", "threshold=3", "--format", "json",
    "--entities", name == "-" and name or w:path(name),
  }
end

describe("an entities file", function()
  for _, case in ipairs {
    { "that is missing", file = "none.txt", says = "cannot be read: No such file" },
    { "that is a folder", file = ".", says = "cannot be read: it is a folder" },
    { "that is binary", file = "a.bin", text = "\127ELF\2\1\1\0\0\0",
      says = "it has a NUL byte; save it as text in UTF-8", also = { "a.bin:1: binary" } },
    { "in UTF-16", file = "a.txt", text = "\xff\xfe8\0.\0008\0", says = "it has a NUL byte" },
    { "of broken JSON", file = "a.json", text = '["8.8.8.8",\n"a.com"\n"b.com"]',
      says = "not valid JSON at byte", also = { "a.json:3: " } },
    { "that is a case without a list", file = "a.json", text = '{"entities": 7}',
      says = "the entities of the case are no list" },
    { "of CSV with a quote that stays open", file = "a.csv", text = 'ioc,note\na.com,"x\n',
      says = "a quote is opened and not closed", also = { "a.csv:2: " } },
    { "with more than may be", file = "a.txt", text = "a.com\nb.com\nc.com\n", limit = 2,
      says = "raise limits.entities in the configuration file",
      also = { "a.txt:3: more than 2 entities" } },
  } do
    it(case[1] .. " is a sentence and exit 2, and nothing is asked", function()
      workspace.simulated({ settings = { limits = { entities = case.limit } } }, function(w)
        if case.text then w:write(case.file, case.text) end
        case.exit = 2
        wrong.check(case, w:run(args_of(w, case.file)))
        wrong.check(case, w:run { "entities", w:path(case.file) })
        assert.same({}, w:requests())
      end)
    end)
  end

  it("with one bad line in 10,000 is run, and that line is skipped", function()
    local lines = {}
    for number = 1, 10000 do lines[number] = ("%032x"):format(number) end
    lines[5000] = "not an indicator"
    workspace.simulated({}, function(w)
      w:write("hashes.txt", table.concat(lines, "\n"))
      w:write("p.lua", [[return require "apogee.playbook" {
        name = "P", steps = { { "none", action = "scan_hash", with = { threshold = 3 },
          on = function(case) return case:where(function() return false end) end } } }]])
      local document, ran = w:json {
        "run", w:path "p.lua", "--entities", w:path "hashes.txt", "--format", "json",
      }
      wrong.check({
        exit = 0, says = "skipped:", also = { "hashes.txt:5000: skipped: not an indicator" },
      }, ran)
      assert.equal(10000, #document.entities)
      assert.equal(1, #document.steps[1].entities)
      assert.equal("skipped", document.steps[1].entities[1].outcome)
      assert.matches("blanks", document.steps[1].entities[1].reason)
    end)
  end)

  for name, text in pairs {
    ["that is empty"] = "", ["of comments only"] = "# none today\n\n", ["of an empty list"] = "[]",
    ["of a header only"] = "identifier,type\n", ["of an empty case"] = '{"entities": []}',
  } do
    it(name .. " is a sentence and exit 0", function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        w:write("none", text)
        local document, ran = w:json(args_of(w, "none"))
        wrong.check({ exit = 0, says = "there are no entities: give some with" }, ran)
        assert.matches("Nothing to do", document.message)
      end)
    end)
  end

  it("without any that the action accepts is a sentence and exit 0", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local _, ran = w:json {
        "action", "scan_hash", "--simulate", "--param", "threshold=3", "--format", "json",
        "--entity", "8.8.8.8",
      }
      wrong.check({ exit = 0, says = "Nothing to do: there are no" }, ran)
    end)
  end)

  it("of 200 MB is read to its end", function()
    local comment = "yes \"$(printf '#%0100000d' 0)\" | head -c 200000000"
    local command = ("{ %s; echo; echo 8.8.8.8; } | %s")
      :format(comment, program.command { "entities", "-" })
    local pipe = io.popen(command)
    assert.equal("ip_address  8.8.8.8\n", pipe:read "a")
    assert.is_true((pipe:close()))
  end)

  it("with many remarks does not bury a run in them", function()
    local lines = {}
    for number = 1, 100 do lines[number] = EICAR end
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      w:write("same.txt", table.concat(lines, "\n"))
      local _, ran = w:json(args_of(w, "same.txt"))
      wrong.check({ exit = 0, says = "more notes: `apogee entities` shows them" }, ran)
      assert.matches("and 79 more notes", ran.err)
      local _, times = w:run({ "entities", w:path "same.txt" }).err:gsub("merged", "")
      assert.equal(99, times)
    end)
  end)
end)

describe("standard input", function()
  it("that is closed is a sentence and exit 2", function()
    local _, _, code = os.execute(program.command { "entities", "-" } .. " <&- 2>/dev/null")
    assert.equal(2, code)
  end)

  it("is an entities file too", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      local ran = w:run(args_of(w, "-"), EICAR .. "\n")
      assert.equal(EICAR, cjson.decode(ran.out).entities[1].identifier)
    end)
  end)

  it("cannot be read twice", function()
    local ran = program.run { "entities", "--entities", "-", "--entities", "-" }
    wrong.check({ exit = 2, says = "standard input can be read once" }, ran)
  end)
end)
