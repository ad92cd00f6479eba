-- The sample playbooks with the samples beside them, as the README runs them.
-- SPDX-License-Identifier: Apache-2.0
local sshd = require "e2e.support.sshd"
local workspace = require "e2e.support.workspace"

local function run(w, name, sample, more)
  local args = { "run", name, "--entities", "playbooks/" .. sample, "--format", "json" }
  for _, word in ipairs(more or { "--simulate" }) do table.insert(args, word) end
  return w:json(args)
end

describe("the playbook", function()
  for _, case in ipairs {
    { "enrichment", "enrichment-case.json", { "--simulate", "--tier", "premium" },
      { "VirusTotal: risky hashes", "VirusTotal: risky addresses", "VirusTotal: risky urls" }, 90 },
    { "nightly_watchlist", "nightly_watchlist-indicators.txt",
      { "--simulate", "--tier", "premium", "--param", "rescan_after_days=100000" },
      { "watchlist hit" }, 0 },
    { "quarantine_sweep", "quarantine_sweep-files.csv", { "--simulate" }, {}, 0 },
  } do
    it(case[1] .. " runs on its sample with --simulate", function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        local document, ran = run(w, case[1], case[2], case[3])
        assert.equal(0, ran.exit, ran.err)
        assert.equal("completed", document.status)
        assert.same(case[4], document.tags)
        assert.equal(case[5], document.score)
      end)
    end)

    it(case[1] .. " is listed", function()
      workspace.with(function(w)
        w.env = { APOGEE_CONFIG = "" }
        assert.matches("\n" .. case[1] .. " ", w:run { "list" }.out)
      end)
    end)
  end

  it("nightly_watchlist has old hashes scanned again", function()
    workspace.simulated({ scenario = "return { scan_ms = 100 }" }, function(w)
      local document, ran = run(w, "nightly_watchlist", "nightly_watchlist-indicators.txt",
        { "--param", "rescan_after_days=0" })
      assert.equal(0, ran.exit, ran.err)
      assert.equal("scanned", document.steps[1].entities[1].outcome)
    end)
  end)

  it("quarantine_sweep takes the files of a folder over SFTP", function()
    sshd.with(function(server)
      workspace.simulated({ scenario = "return { scan_ms = 100 }" }, function(w)
        os.execute("mkdir " .. server:path "q" .. " && chmod 755 " .. server:path "q")
        server:write("q/hello.txt", "hello world\n")
        server:write("q/new.bin", "unseen 5")
        local document, ran = w:json {
          "run", "quarantine_sweep", "--format", "json", "--param", "server=" .. server.address,
          "--param", "user=" .. server.user, "--param", "folder=" .. server:path "q",
          "--param", "ssh_key=" .. server:path "user_ed25519",
          "--param", "ssh_known_hosts=" .. server:know "host_ed25519",
        }
        assert.equal(0, ran.exit, ran.err)
        local outcomes = {}
        for _, entity in ipairs(document.steps[1].entities) do
          outcomes[entity.identifier:match "[^/]+$"] = entity.outcome
        end
        assert.same({ ["hello.txt"] = "reported", ["new.bin"] = "scanned" }, outcomes)
      end)
    end)
  end)
end)
