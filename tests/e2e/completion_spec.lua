-- Completion in bash, as bash asks for it.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local BIN = assert(os.getenv "APOGEE_BIN")

--- What bash offers for a line that ends where the cursor is: a set of words, and how many.
local function completed(w, line)
  local words = {}
  for word in (line .. "\0"):gsub(" ", "\0"):gmatch "([^%z]*)%z" do
    table.insert(words, program.quote(word))
  end
  words[1] = program.quote(BIN)
  local script = ([[source <(%s completion bash) || exit 1
    COMP_WORDS=(%s); COMP_CWORD=%d; _apogee || exit 1; printf '%%s\n' "${COMPREPLY[@]}"]])
    :format(program.quote(BIN), table.concat(words, " "), #words - 1)
  local env = ""
  for name, value in pairs(w:environment()) do
    env = env .. name .. "=" .. program.quote(value) .. " "
  end
  local path = w:write("complete.sh", script)
  local pipe = assert(io.popen(env .. "bash " .. program.quote(path)))
  local found, count = {}, 0
  for word in pipe:lines() do
    if word ~= "" then found[word], count = true, count + 1 end
  end
  assert(pipe:close(), "bash failed for: " .. line)
  return found, count
end

local function with(use)
  workspace.with(function(w)
    w.env = { APOGEE_CONFIG = "" }
    use(w)
  end)
end

describe("completion in bash", function()
  for _, case in ipairs {
    { "apogee ", has = { "run", "action", "completion", "--version" } },
    { "apogee ac", has = { "action" }, count = 1 },
    { "apogee action ", has = { "scan_hash", "scan_url" }, hasnt = { "triage" } },
    { "apogee action scan_h", has = { "scan_hash" }, count = 1 },
    { "apogee run ", has = { "triage" }, hasnt = { "scan_hash" } },
    { "apogee plan ", has = { "triage", "scan_hash" } },
    { "apogee show ", has = { "triage", "scan_hash", "config" } },
    { "apogee action scan_hash --", has = { "--threshold", "--rescan-after-days", "--format",
      "--on-limit", "--help" }, hasnt = { "--only" } },
    { "apogee action scan_hash --thr", has = { "--threshold" }, count = 1 },
    { "apogee action --format json scan_hash --thr", has = { "--threshold" }, count = 1 },
    { "apogee run triage --sub", has = { "--submit-unknown" }, count = 1 },
    { "apogee list --", has = { "--actions-path", "--format" }, hasnt = { "--on-limit" } },
    { "apogee action scan_hash --format ", has = { "json", "ndjson", "html" }, count = 6 },
    { "apogee action scan_hash --format m", has = { "markdown" }, count = 1 },
    { "apogee run triage --on-limit ", has = { "wait", "stop" }, count = 2 },
    { "apogee run triage --tier ", has = { "public", "premium" }, count = 2 },
    { "apogee run triage --entities ", count = 0 }, -- files
    { "apogee run triage -o ", count = 0 },
    { "apogee run triage --jobs ", count = 0 },
    { "apogee check ", count = 0 },
    { "apogee nonsense ", count = 0 },
    { "apogee action nonsense --thr", count = 0 },
    { "apogee help ru", has = { "run", "runs" }, count = 2 },
    { "apogee completion ", has = { "bash" }, count = 1 },
    { "apogee new ", has = { "action", "playbook" }, count = 2 },
    { "apogee new action ", count = 0 },
    { "apogee test ", count = 0 },
    { "apogee test --format ", has = { "text", "tap", "junit" }, count = 3 },
    { "apogee test --", has = { "--filter", "--record" }, hasnt = { "--config" } },
    { "apogee report l", has = { "last" }, count = 1 },
  } do
    it("of: " .. case[1], function()
      with(function(w)
        local found, count = completed(w, case[1])
        for _, word in ipairs(case.has or {}) do assert.is_true(found[word], word) end
        for _, word in ipairs(case.hasnt or {}) do assert.is_nil(found[word], word) end
        if case.count then assert.equal(case.count, count) end
      end)
    end)
  end

  it("of runs that are kept", function()
    workspace.simulated({}, function(w)
      w:run { "action", "scan_hash", "--threshold", "3", "--entity",
        "44d88612fea8a8f36de82e1278abb02f" }
      local run = w:json({ "runs", "--format", "json" }).runs[1].run
      assert.is_true((completed(w, "apogee report "))[run])
    end)
  end)

  it("knows bash only, and says so", function()
    local ran = program.run { "completion", "fish" }
    assert.equal(2, ran.exit)
    assert.matches("There is bash", ran.err)
  end)
end)
