-- The forms of a result, of a run and of an action.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local HASHES = {}
for number = 1, 5 do HASHES[number] = ("%032x"):format(0xabc0 + number) end

local COMMANDS = {
  run = { "run", "triage", "--only", "hashes" },
  action = { "action", "scan_hash", "--param", "threshold=3" },
}

-- The second answer comes last, the third before it.
local BACKWARDS = ("return { answers = { ['file/report %s'] = { { delay_ms = 100 } }, "
  .. "['file/report %s'] = { { delay_ms = 50 } } } }"):format(HASHES[2], HASHES[3])
local ALONE = { virustotal = {
  comments = "none",
  tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
} }

local function args_of(command, format, ...)
  local args = table.move(COMMANDS[command], 1, #COMMANDS[command], 1, {})
  for _, hash in ipairs(HASHES) do
    table.insert(args, "--entity")
    table.insert(args, hash)
  end
  for _, word in ipairs { "--format", format, ... } do table.insert(args, word) end
  return args
end

local function backwards(use)
  workspace.simulated({ scenario = BACKWARDS, settings = ALONE }, use)
end

--- What differs between two runs that found the same.
local function timeless(text)
  return (text:gsub('"run": ?"[^"]*"', ""):gsub('"(%l+ed)": ?"%d+[^"]*Z"', "%1")
    :gsub("%d+T%d+Z%-%x+", "RUN"):gsub("%d+%-%d+%-%d+[T ]%d+:%d+:%d+ ?U?T?C?Z?", "TIME"))
end

local function identifiers(list)
  local found = {}
  for _, entity in ipairs(list) do table.insert(found, entity.identifier or entity.Entity) end
  return found
end

for command in pairs(COMMANDS) do
  describe("apogee " .. command, function()
    for _, format in ipairs { "json", "ndjson", "table", "csv", "markdown", "html" } do
      it("writes the same " .. format .. " to standard output and to --output", function()
        workspace.simulated({ settings = ALONE }, function(w)
          local path = w:path "result"
          local printed = w:run(args_of(command, format))
          w:forget() -- what was fetched
          local written = w:run(args_of(command, format, "--output", path))
          assert.equal(0, printed.exit)
          assert.equal("", printed.err)
          assert.equal(0, written.exit)
          assert.equal("", written.out .. written.err)
          local text = program.read(path)
          assert.equal("\n", text:sub(-1))
          if format ~= "ndjson" then assert.equal(timeless(printed.out), timeless(text)) end
          assert.equal(#timeless(printed.out), #timeless(text))
          assert.equal("-rw-------", io.popen("ls -l " .. path):read(10))
        end)
      end)
    end

    it("lists entities in the order they were given, whatever came first", function()
      backwards(function(w)
        local document = w:json(args_of(command, "json"))
        assert.same(HASHES, identifiers(document.entities))
        local step = document.steps and document.steps[1] or document
        assert.same(HASHES, identifiers(step.entities))
        local json_result = identifiers(step.json_result)
        local last = 0
        for _, hash in ipairs(json_result) do
          local place = tonumber(hash:sub(-1), 16)
          assert.is_true(place > last)
          last = place
        end
      end)
    end)

    it("writes a line of ndjson for each as it ends, then the step", function()
      backwards(function(w)
        local ran = w:run(args_of(command, "ndjson"))
        local schemas, order = {}, {}
        for line in ran.out:gmatch "([^\n]*)\n" do
          local object = cjson.decode(line)
          if object.schema == "apogee.entity/1" then table.insert(order, object.identifier) end
          if object.status ~= "not_run" then table.insert(schemas, object.schema) end
          assert.is_nil(object.entities)
        end
        assert.same({ HASHES[3], HASHES[2] }, table.move(order, #HASHES - 1, #HASHES, 1, {}))
        table.sort(order)
        assert.same(HASHES, order)
        local wanted = ("apogee.entity/1 "):rep(#HASHES) .. "apogee.action/1"
        if command == "run" then wanted = wanted .. " apogee.run/1" end
        assert.equal(wanted, table.concat(schemas, " "))
      end)
    end)
  end)
end

describe("--output", function()
  it("keeps the rights of the file that is replaced, and the link that leads to it", function()
    workspace.simulated({ settings = ALONE }, function(w)
      local path = w:write("result.json", "old")
      assert(os.execute(("chmod 640 %s && ln -s result.json %s"):format(path, w:path "link")))
      assert.equal(0, w:run(args_of("action", "json", "--output", w:path "link")).exit)
      assert.equal("apogee.action/1", cjson.decode(program.read(path)).schema)
      assert.equal("-rw-r-----", io.popen("ls -l " .. path):read(10))
      assert.equal("l", io.popen("ls -l " .. w:path "link"):read(1))
    end)
  end)
end)

describe("what a step says on standard error", function()
  it("is why it was done in part, without what went well", function()
    workspace.simulated({
      scenario = ("return { answers = { ['file/report %s'] = { { code = -1 } } } }")
        :format(HASHES[3]),
      settings = ALONE,
    }, function(w)
      local ran = w:run(args_of("run", "json", "--output", w:path "result.json"))
      assert.equal(1, ran.exit)
      assert.matches("^apogee: warning: Scan Hash: 4 of 5 file hashes were checked%. 1 failed: "
        .. HASHES[3], ran.err)
      assert.is_nil(ran.err:find(HASHES[1], 1, true))
    end)
  end)

  it("is said with --quiet too, but not what only may be of interest", function()
    workspace.simulated({
      scenario = "return { answers = { ['file/report *'] = { { code = -1 } } } }", settings = ALONE,
    }, function(w)
      assert.matches("^apogee: error: Scan Hash: 0 of 5 file hashes were checked[^\n]*\n$",
        w:run(args_of("action", "json", "--quiet")).err)
      local idle = { "action", "scan_ip", "-p", "threshold=1", "--entity", HASHES[1] }
      assert.matches("there are no", w:run(idle).err)
      table.insert(idle, "--quiet")
      assert.equal("", w:run(idle).err)
    end)
  end)
end)

describe("the name of the --output file", function()
  for _, case in ipairs {
    { "r.html", {}, "r.html is written as json, for no --format was given: its name says "
      .. "--format html" },
    { "r.CSV", { "--format", "html" }, "r.CSV is written as html: its name says --format csv" },
    { "r.md", { "--format", "markdown" } },
    { "r.json", {} },
    { "r.d/r", {} },
    { "r.txt", { "--format", "table" } },
    { "r.html", { "--quiet" } },
  } do
    it(("%s with %s %s"):format(case[1], table.concat(case[2], " "),
      case[3] and "is warned of" or "is fine"), function()
      workspace.simulated({}, function(w)
        assert(os.execute("mkdir " .. program.quote(w:path "r.d")))
        local args = { "action", "scan_hash", "--param", "threshold=3", "--entity", HASHES[1],
          "--output", w:path(case[1]) }
        for _, word in ipairs(case[2]) do table.insert(args, word) end
        local ran = w:run(args)
        assert.equal(0, ran.exit, ran.err)
        assert.equal(case[3] and "apogee: warning: " .. w:path(case[3]) .. "\n" or "", ran.err)
      end)
    end)
  end
end)
