-- doctor: what it says of this process, of files that are open to others, and of the key; and that
-- a run really cannot write elsewhere.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local function findings(document)
  local found = {}
  for _, finding in ipairs(document.findings) do
    found[finding.area .. " " .. finding.what] = finding
  end
  return found
end

local function examined(use, settings)
  workspace.simulated({ settings = settings }, function(w)
    use(w, function(args)
      local document, ran = w:json { "doctor", "--format", "json", table.unpack(args or {}) }
      return findings(document), ran, document
    end)
  end)
end

describe("apogee doctor", function()
  it("finds the process guarded and the key good", function()
    examined(function(w, look)
      local found, ran, document = look()
      assert.equal(0, ran.exit, ran.out .. ran.err)
      assert.equal(0, document.bad)
      for _, what in ipairs { "privileges", "memory", "core files", "new files" } do
        assert.equal("good", found["process " .. what].grade, what)
      end
      assert.equal("good", found["key VirusTotal"].grade)
      assert.equal("good", found["file API key"].grade)
      assert.equal(1, #w:requests())
    end)
  end)

  it("asks nobody with --offline", function()
    examined(function(w, look)
      local found, ran = look { "--offline" }
      assert.equal(0, ran.exit, ran.err)
      assert.is_nil(found["key VirusTotal"])
      assert.same({}, w:requests())
    end)
  end)

  it("names what others can read, and exits with 1", function()
    examined(function(w, look)
      assert(os.execute("mkdir " .. program.quote(w:path "state")))
      assert(os.execute("chmod 755 " .. program.quote(w:path "state")))
      assert(os.execute("chmod 644 " .. program.quote(w:path "key")))
      local found, ran = look { "--offline" }
      assert.equal(1, ran.exit)
      assert.equal("bad", found["file API key"].grade)
      assert.matches("chmod 600", found["file API key"].text, 1, true)
      assert.equal("warn", found["file state"].grade)
      assert.matches("chmod 700", found["file state"].text, 1, true)
    end)
  end)

  it("says that certificates are not verified, and that a key is refused", function()
    examined(function(_, look)
      local found = look { "--offline" }
      assert.equal("bad", found["setting TLS"].grade)
    end, { virustotal = { verify_ssl = false } })
    workspace.simulated({ scenario = 'return { answers = { ["* *"] = { { status = 403 } } } }' },
      function(w)
        local document, ran = w:json { "doctor", "--format", "json" }
        assert.equal(1, ran.exit)
        assert.equal("bad", findings(document)["key VirusTotal"].grade)
      end)
  end)

  it("looks at where the key is, whatever that is", function()
    for source, wanted in pairs {
      ["file:/nowhere/key"] = { "bad", "No such file" },
      ["env:APOGEE_OTHER_KEY"] = { "warn", "a file of mode 0600 is better" },
      ["credential:vt"] = { "good", "^credential:vt$" },
      ["0123456789abcdef"] = { "bad", "it was given itself" },
    } do
      examined(function(_, look)
        local found = look { "--offline", "--api-key", source }
        assert.equal(wanted[1], found["file API key"].grade, source)
        assert.matches(wanted[2], found["file API key"].text)
      end)
    end
  end)

  it("looks at the state and at the folders of actions", function()
    examined(function(w, look)
      assert.matches("made by the first run", look({ "--offline" })["file state"].text)
      assert.matches("%-%-no%-state", look({ "--offline", "--no-state" })["file state"].text)
      w:write("state", "")
      local found = look { "--offline" }
      assert.equal("bad", found["file state"].grade)
      assert.matches("is no folder that can be written", found["file state"].text)
      assert.equal("bad", found["file actions"].grade)
      assert.matches("No such file", found["file actions"].text)
      for mode, grade in pairs { ["777"] = "warn", ["755"] = "good" } do
        local folder = w:path("mode" .. mode)
        assert(os.execute(("mkdir -m %s %s"):format(mode, program.quote(folder))))
        found = look { "--offline", "--actions-path", folder }
        assert.equal(grade, found["file actions"].grade)
      end
    end, { actions_path = { "/nowhere/actions" } })
  end)

  it("reads as a list for people", function()
    examined(function(w)
      local ran = w:run { "doctor", "--offline" }
      assert.matches("^%a+ +process ", ran.out)
      assert.matches("\n%d+ good, %d+ to look at, %d+ to mend\n$", ran.out)
    end)
  end)
end)

describe("a run", function()
  it("writes where it was told to, also through a link and to standard output", function()
    workspace.simulated({}, function(w)
      local folder = w:path "elsewhere"
      assert(os.execute("mkdir " .. program.quote(folder)))
      w:write("elsewhere/target", "old")
      assert(os.execute(("ln -s %s/target %s"):format(program.quote(folder),
        program.quote(w:path "link"))))
      for _, output in ipairs { w:path "link", "/dev/stdout", w:path "elsewhere/new" } do
        local ran = w:run { "action", "scan_hash", "--param", "threshold=3", "--format", "json",
          "--output", output, "--metrics", w:path "elsewhere/metrics.prom",
          "--entity", "44d88612fea8a8f36de82e1278abb02f" }
        assert.equal(0, ran.exit, ran.err)
      end
      assert.matches('"schema"', program.read(w:path "elsewhere/target"), 1, true)
      assert.is_string(program.read(w:path "elsewhere/metrics.prom"))
    end)
  end)
end)
