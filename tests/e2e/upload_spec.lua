-- Upload and Scan File with files of this machine.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = [[X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*]]
local EICAR_SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
local IS_ROOT = io.popen "id -u":read "l" == "0"

local function escaped(path) return (path:gsub(",", "\\,")) end

local function arguments(paths, more)
  local words = {}
  for index, path in ipairs(paths) do words[index] = escaped(path) end
  local args = {
    "action", "upload_and_scan_file", "--format", "json",
    "--param", "file_paths=" .. table.concat(words, ","),
  }
  for _, word in ipairs(more or {}) do table.insert(args, word) end
  return args
end

local function by_path(document)
  local entities = {}
  for _, entity in ipairs(document.entities) do entities[entity.identifier] = entity end
  return entities
end

local function of_endpoint(w, endpoint)
  local found = {}
  for _, request in ipairs(w:requests()) do
    if request.endpoint == endpoint then table.insert(found, request) end
  end
  return found
end

--- Runs the action on files of a workspace under a scenario of short scans.
local function scan(given, paths_of, check)
  workspace.simulated({
    scenario = "return { scan_ms = 100, " .. (given.scenario or "") .. " }",
    settings = given.settings, args = given.args,
  }, function(w)
    local document, ran = w:json(arguments(paths_of(w), given.more))
    check(document, ran, by_path(document), w)
  end)
end

describe("a file that is sent", function()
  it("is scanned, enriched, judged and linked, and waited for by its scan id", function()
    scan({}, function(w)
      return { w:write("eicar.com", EICAR) }
    end, function(document, ran, found, w)
      assert.equal(10, w:run(arguments({ w:path "eicar.com" }, { "--fail-on-risky" })).exit)
      assert.equal(0, ran.exit)
      assert.same({ name = "is_risky", value = true }, document.result)
      local entity = found[w:path "eicar.com"]
      local fields = entity.enrichment.VirusTotal
      assert.equal("file", entity.type)
      assert.equal("scanned", entity.outcome)
      assert.is_true(entity.suspicious)
      assert.equal(EICAR_SHA256, fields.Sha256)
      assert.equal("44d88612fea8a8f36de82e1278abb02f", fields.Md5)
      assert.equal("3395856ce81f2b7382dee72602f798b642f14140", fields.Sha1)
      for _, name in ipairs {
        "resource", "permalink", "positives", "total", "verbose_msg", "Scan date", "Scan ID",
        "Total", "Detecting Engines",
      } do
        assert.is_not_nil(fields[name], name)
      end
      assert.equal(fields.permalink, entity.link)
      assert.equal("warn", document.insights[1].severity)
      assert.equal(EICAR_SHA256, document.json_result[w:path "eicar.com"].sha256)
      assert.same({ checked = 1, of = 1 }, document.coverage)
      assert.is_true(document.cost.bytes_sent > #EICAR)
    end)
  end)

  for name, file in pairs {
    ["a blank"] = "a b.bin", ["two blanks"] = "a  b.bin", ["a comma"] = "a,b.bin",
    ["a double quote"] = 'a"b.bin', ["a single quote"] = "a'b.bin", ["a backslash"] = "a\\b.bin",
    ["a semicolon"] = "a;b.bin", ["a percent sign"] = "100%25.bin", ["UTF-8"] = "größe-文件.bin",
    ["a leading dash"] = "-rf", ["a leading dot"] = ".hidden", ["an equals sign"] = "a=b.bin",
    ["a dollar sign"] = "$HOME", ["a star"] = "*.bin", ["brackets"] = "a[1](2){3}.bin",
    ["a colon"] = "c:file.bin", ["an ampersand"] = "a&b<c>.bin",
  } do
    it("may have " .. name .. " in its name, of which the last part alone is sent", function()
      scan({}, function(w) return { w:write(file, "bytes of " .. name) } end,
        function(document, ran, found, w)
          assert.equal(0, ran.exit, ran.err)
          assert.equal("scanned", found[w:path(file)].outcome)
          assert.is_table(document.json_result[w:path(file)])
          local sent = of_endpoint(w, "file/scan")
          assert.equal(1, #sent)
          assert.is_nil(sent[1].filename:find("/", 1, true))
          if not file:find '[%c"\\%%]' then assert.equal(file, sent[1].filename) end
        end)
    end)
  end

  it("may be named by a symbolic link, and by a path with .. in it", function()
    scan({}, function(w)
      w:write("real.bin", "bytes")
      os.execute("ln -s real.bin " .. program.quote(w:path "link.bin"))
      return { w:path "link.bin", w.folder .. "/../" .. w.folder:match "[^/]+$" .. "/real.bin" }
    end, function(document, ran)
      assert.equal(0, ran.exit, ran.err)
      assert.same({ checked = 2, of = 2 }, document.coverage)
    end)
  end)

  it("is one of a list whose blanks and empty items are dropped", function()
    workspace.simulated({}, function(w)
      local a, b = w:write("a.bin", "a"), w:write("b.bin", "b")
      local document = w:json {
        "action", "Upload and Scan File", "--param", ("File Paths= %s ,, %s , "):format(a, b),
        "--param", "Threshold=3", "--format", "json",
      }
      assert.same({ checked = 2, of = 2 }, document.coverage)
    end)
  end)
end)

describe("of a list of files", function()
  local CASES = {
    { "one that is missing", "there is no such file", function() end },
    { "a folder", "is a folder", function(path) os.execute("mkdir " .. path) end },
    { "a pipe", "regular file", function(path) os.execute("mkfifo " .. path) end },
    { "a link to nothing", "there is no such file",
      function(path) os.execute("ln -s nothing " .. path) end },
    { "a link to a folder", "is a folder", function(path) os.execute("ln -s . " .. path) end },
    { "a file below a file", "", function() end, "other.bin/x" },
    { "one with a name that is too long", "", function() end, ("x"):rep(300) },
  }
  if not IS_ROOT then
    table.insert(CASES, { "one that may not be read", "may not",
      function(path) os.execute(("touch %s; chmod 000 %s"):format(path, path)) end })
  end
  for _, case in ipairs(CASES) do
    it(case[1] .. " fails, and the others go on", function()
      scan({}, function(w)
        local bad = w:path(case[4] or "bad.bin")
        local good = w:write("other.bin", "bytes")
        case[3](program.quote(bad))
        return { bad, good }
      end, function(document, ran, found, w)
        local entity = found[w:path(case[4] or "bad.bin")]
        assert.equal(1, ran.exit)
        assert.equal("failed", entity.outcome)
        assert.is_truthy(entity.reason:find(case[2], 1, true), entity.reason)
        assert.equal("scanned", found[w:path "other.bin"].outcome)
        assert.equal("completed", document.status)
        assert.equal(1, #of_endpoint(w, "file/scan"))
      end)
    end)
  end

  it("one of no bytes is skipped", function()
    scan({}, function(w) return { w:write("empty", "") } end, function(_, ran, found, w)
      assert.equal(0, ran.exit)
      assert.equal("skipped", found[w:path "empty"].outcome)
      assert.equal("the file is empty", found[w:path "empty"].reason)
      assert.equal(0, #w:requests())
    end)
  end)

  it("one over the limit fails, with nothing sent", function()
    scan({ settings = { virustotal = { upload_max = "1KB" } } }, function(w)
      return { w:write("large", ("x"):rep(2000)), w:write("small", "x") }
    end, function(_, ran, found, w)
      assert.equal(1, ran.exit)
      assert.equal("failed", found[w:path "large"].outcome)
      assert.equal("scanned", found[w:path "small"].outcome)
      assert.equal(1, #of_endpoint(w, "file/scan"))
    end)
  end)

  it("a path that is given twice is one file, with a warning", function()
    scan({}, function(w)
      local path = w:write("a.bin", "bytes")
      return { path, path }
    end, function(document)
      assert.same({ checked = 1, of = 1 }, document.coverage)
      assert.matches("a.bin is given twice: it is one item", document.warnings[1], 1, true)
    end)
  end)

  it("two with the same contents are one submission and two results", function()
    scan({}, function(w)
      return { w:write("a.bin", "the same"), w:write("b.bin", "the same") }
    end, function(document, ran, found, w)
      assert.equal(0, ran.exit)
      assert.equal("scanned", found[w:path "a.bin"].outcome)
      assert.equal("scanned", found[w:path "b.bin"].outcome)
      assert.is_table(document.json_result[w:path "a.bin"])
      assert.is_table(document.json_result[w:path "b.bin"])
      local taken = 0
      for _, request in ipairs(of_endpoint(w, "file/scan")) do
        if request.sha256 and request.sha256 ~= cjson.null then taken = taken + 1 end
      end
      assert.equal(1, taken)
    end)
  end)

  it("a hundred are all scanned", function()
    scan({}, function(w)
      local paths = {}
      for i = 1, 100 do paths[i] = w:write(("f%d.bin"):format(i), "bytes " .. i) end
      return paths
    end, function(document, ran)
      assert.equal(0, ran.exit, ran.err)
      assert.same({ checked = 100, of = 100 }, document.coverage)
    end)
  end)
end)

describe("with upload =", function()
  local function twice(upload, check)
    scan({ more = { "--param", "upload=" .. upload } }, function(w)
      return { w:write("eicar.com", EICAR), w:write("new.bin", "unseen 5") }
    end, check)
  end

  it("unknown only what VirusTotal does not have is sent", function()
    twice("unknown", function(_, ran, found, w)
      assert.equal(0, ran.exit, ran.err)
      assert.equal("reported", found[w:path "eicar.com"].outcome)
      assert.equal("scanned", found[w:path "new.bin"].outcome)
      local sent = of_endpoint(w, "file/scan")
      assert.equal(1, #sent)
      assert.equal("new.bin", sent[1].filename)
    end)
  end)

  it("never nothing is", function()
    twice("never", function(_, ran, found, w)
      assert.equal(0, ran.exit, ran.err)
      assert.equal("reported", found[w:path "eicar.com"].outcome)
      assert.equal("not_found", found[w:path "new.bin"].outcome)
      assert.equal(0, #of_endpoint(w, "file/scan"))
    end)
  end)
end)

describe("a scan that is not finished at the deadline", function()
  it("is pending, and picked up later without being sent again", function()
    workspace.simulated({
      scenario = "return { scan_ms = 4000 }",
    }, function(w)
      local path = w:write("slow.bin", "slow bytes")
      local document, ran = w:json(arguments({ path }, { "--deadline", "2s" }))
      assert.equal(4, ran.exit, ran.err)
      assert.equal("pending", document.entities[1].outcome)
      assert.is_string(document.entities[1].reason)
      assert.equal("in_progress", document.status)
      document, ran = w:json(arguments { path })
      assert.equal(0, ran.exit, ran.err)
      assert.equal("scanned", document.entities[1].outcome)
      local taken = 0
      for _, request in ipairs(of_endpoint(w, "file/scan")) do
        if request.sha256 and request.sha256 ~= cjson.null then taken = taken + 1 end
      end
      assert.equal(1, taken)
    end)
  end)
end)

describe("a run that left a file pending", function()
  it("is resumed without sending it again", function()
    workspace.simulated({ scenario = "return { scan_ms = 3000 }" }, function(w)
      local path = w:write("slow.bin", "slow bytes")
      local _, ran = w:json(arguments({ path }, { "--deadline", "1s" }))
      assert.equal(4, ran.exit, ran.err)
      local document, resumed = w:json { "resume", "--format", "json" }
      assert.equal(0, resumed.exit, resumed.err)
      assert.equal("scanned", document.entities[1].outcome)
      assert.equal(path, document.entities[1].identifier)
      assert.equal(1, #of_endpoint(w, "file/scan"))
    end)
  end)
end)

describe("a 403 on the upload", function()
  it("is a refused key when nothing was answered before", function()
    scan({ scenario = "answers = { ['file/scan *'] = { { status = 403 } } }" }, function(w)
      return { w:write("a.bin", "bytes") }
    end, function(document, ran)
      assert.equal(3, ran.exit)
      assert.equal("failed", document.status)
    end)
  end)
end)
