-- What the policy denies does not leave: judged by what the simulator was asked.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
-- The first requests for reports find nothing.
local function none(requests, scan_ms)
  return ([[return { scan_ms = %d, answers = {
    ["url/report *"] = { { code = 0, times = %d } },
    ["file/report *"] = { { code = 0, times = %d } },
  } }]]):format(scan_ms or 10, requests, requests)
end

local function with(policy, scenario, use)
  local given = { settings = { policy = policy }, scenario = scenario }
  given.settings.virustotal = { comments = "none" }
  given.settings.cache = { report = "0s", not_found = "0s" }
  workspace.simulated(given, use)
end

local function action(w, id, words)
  return w:json { "action", id, "--format", "json", table.unpack(words) }
end

local function scan_url(w, ...)
  local words = { "-p", "threshold=3" }
  for _, url in ipairs { ... } do
    table.insert(words, "--entity")
    table.insert(words, "url:" .. url)
  end
  return action(w, "scan_url", words)
end

local function outcomes(document)
  local words = {}
  for _, entity in ipairs(document.entities) do table.insert(words, entity.outcome) end
  return table.concat(words, " ")
end

-- How often each endpoint was asked.
local function asked(w)
  local counts = {}
  for _, request in ipairs(w:requests()) do
    counts[request.endpoint] = (counts[request.endpoint] or 0) + 1
  end
  return counts
end

describe("the policy", function()
  it("denies what is listed, with the rule, and the rest goes", function()
    with({ never_send = { domains = { "secret.example" }, networks = { "198.51.100.0/24" } } }, nil,
      function(w)
        local made, ran = scan_url(w, "http://www.secret.example/a", "http://other.example/",
          "http://0xc6336407/")
        assert.equal("denied reported denied", outcomes(made))
        assert.equal(1, ran.exit)
        assert.equal("policy.never_send.domains: secret.example", made.entities[1].reason)
        assert.equal("policy.never_send.networks: 198.51.100.0/24", made.entities[3].reason)
        assert.same({ checked = 1, of = 3 }, made.coverage)
        assert.matches("2 were denied by the local policy", made.message)
        assert.equal(1, #w:requests())
        assert.same({ "http://other.example/" }, w:requests()[1].resources)
      end)
  end)

  it("keeps amber and red here, whatever the configuration says", function()
    local entities = [[identifier,tlp
]] .. EICAR .. [[,TLP:AMBER
http://red.example/,red
8.8.8.8,amber+strict
9.9.9.9,green
www.example.com,amber
]]
    with({ lookup = "allow", private_urls = "allow" }, nil, function(w)
      local file = w:write("entities.csv", entities)
      local made, ran = w:json { "run", "triage", "--format", "json", "-p", "threshold=3",
        "--entities", file }
      assert.equal(1, ran.exit)
      local denied = 0
      for _, entity in ipairs(made.entities) do
        for _, outcome in pairs(entity.steps) do
          assert.equal(entity.identifier == "9.9.9.9" and "reported" or "denied", outcome)
          denied = denied + (outcome == "denied" and 1 or 0)
        end
      end
      assert.is_true(denied >= 4)
      for _, request in ipairs(w:requests()) do assert.same({ "9.9.9.9" }, request.resources) end
    end)
  end)

  it("takes a TLP for all of a run, and another run of the same without it goes", function()
    with({}, nil, function(w)
      local words = { "-p", "threshold=3", "--entity", EICAR }
      local made = action(w, "scan_hash", { "--tlp", "TLP:Red", table.unpack(words) })
      assert.equal("policy: TLP:RED never leaves this machine", made.entities[1].reason)
      assert.same({}, w:requests())
      assert.equal("reported", outcomes(action(w, "scan_hash", words)))
      local ran = w:run { "action", "scan_hash", "--tlp", "purple", table.unpack(words) }
      assert.equal(2, ran.exit)
      assert.matches("%-%-tlp: it must be clear, green, amber, amber%+strict or red", ran.err)
    end)
  end)

  it("submits no private URL by itself", function()
    with({ internal_domains = { "own.example" } }, none(1), function(w)
      local made, ran = scan_url(w, "http://a.example/?token=1", "http://x.own.example/",
        "http://ana@a.example/", "http://a.example/?to=ana@b.example", "http://a.example/plain")
      assert.equal("denied denied denied denied scanned", outcomes(made))
      assert.equal(1, ran.exit)
      for _, request in ipairs(w:requests()) do
        if request.endpoint == "url/scan" then
          assert.same({ "http://a.example/plain" }, request.resources)
        end
      end
      assert.equal(1, asked(w)["url/scan"])
    end)
  end)

  it("submits one where that is allowed", function()
    with({ private_urls = "allow" }, none(1), function(w)
      assert.equal("scanned", outcomes(scan_url(w, "http://a.example/?token=1")))
    end)
  end)

  it("scans nothing again with submit = deny, and keeps the report in hand", function()
    with({ submit = "deny" }, nil, function(w)
      local made, ran = action(w, "scan_hash", { "-p", "threshold=3", "-p", "rescan_after_days=0",
        "--entity", EICAR })
      assert.equal("reported", outcomes(made))
      assert.matches("not rescanned %(policy.submit: deny%)", made.entities[1].reason)
      assert.equal(1, ran.exit)
      assert.is_nil(asked(w)["file/rescan"])
    end)
  end)

  it("looks nothing up with lookup = deny", function()
    with({ lookup = "deny" }, nil, function(w)
      local made = action(w, "scan_hash", { "-p", "threshold=3", "--entity", EICAR })
      assert.equal("policy.lookup: deny", made.entities[1].reason)
      local ping = w:run { "ping" }
      assert.equal(1, ping.exit)
      assert.matches("policy", ping.out)
      assert.same({}, w:requests())
    end)
  end)
end)

describe("the policy of files", function()
  local function upload(w, path, ...)
    return action(w, "upload_and_scan_file", { "-p", "file_paths=" .. path, ... })
  end

  it("sends none with upload = deny, and says what is known of it", function()
    with({ upload = "deny" }, nil, function(w)
      local made, ran = upload(w, w:write("a.txt", "some text"))
      assert.equal("reported", outcomes(made))
      assert.equal("not sent (policy.upload: deny)", made.entities[1].reason)
      assert.equal(1, ran.exit)
      assert.same({ ["file/report"] = 1 }, asked(w))
    end)
  end)

  it("denies what VirusTotal does not know with upload = deny", function()
    with({ upload = "deny" }, none(2), function(w)
      for _, how in ipairs { "always", "unknown" } do
        local made = upload(w, w:write("a.txt", "some text"), "-p", "upload=" .. how)
        assert.equal("policy.upload: deny", made.entities[1].reason)
      end
      assert.same({ ["file/report"] = 2 }, asked(w))
    end)
  end)

  it("sends only what VirusTotal has said not to know with upload = unknown-only", function()
    with({ upload = "unknown-only" }, none(1), function(w)
      local made, ran = upload(w, w:write("a.txt", "some text"))
      assert.equal("scanned", outcomes(made))
      assert.equal(0, ran.exit)
      assert.equal(1, asked(w)["file/scan"])
    end)
    with({ upload = "unknown-only" }, nil, function(w)
      assert.equal("reported", outcomes(upload(w, w:write("a.txt", "some text"))))
      assert.is_nil(asked(w)["file/scan"])
    end)
  end)

  it("sees through links, dots and relative names", function()
    workspace.simulated({ scenario = none(1) }, function(w)
      local quote = program.quote
      assert(os.execute("mkdir " .. quote(w:path "hr")))
      local secret = w:write("hr/a.doc", "of nobody's concern")
      assert(os.execute(("ln -s hr/a.doc %s; ln -s hr %s"):format(quote(w:path "link"),
        quote(w:path "folder"))))
      w:configure {
        virustotal = { url = w.url }, policy = { never_send = { paths = { w:path "hr" } } },
      }
      for _, path in ipairs { secret, w:path "link", w:path "folder/a.doc",
        w:path "hr/../hr//./a.doc" } do
        local made = upload(w, path)
        assert.equal("policy.never_send.paths: " .. w:path "hr", made.entities[1].reason, path)
      end
      assert.is_nil(asked(w)["file/scan"])
      assert.equal("scanned", outcomes(upload(w, w:write("b.doc", "for all"))))
    end)
  end)
end)

describe("the policy of a playbook", function()
  local function playbook(w, policy)
    return w:write("own.lua", ([[
local playbook = require "apogee.playbook"
return playbook {
  name = "Own",
  policy = %s,
  steps = { { "urls", action = "scan_url", on = "url", with = { threshold = 3 } } },
}
]]):format(policy))
  end

  local function run(w, policy, ...)
    return w:json { "run", playbook(w, policy), "--format", "json", "--entity",
      "http://a.example/", ... }
  end

  it("tightens that of the configuration, and loosens nothing of it", function()
    local policy = { submit = "unknown-only", never_send = { domains = { "b.example" } } }
    with(policy, none(2), function(w)
      local made = run(w, '{ submit = "deny" }')
      assert.equal("policy.submit: deny (of the playbook)", made.steps[1].entities[1].reason)
      made = run(w, '{ never_send = { domains = { "a.example" } } }')
      assert.equal("policy.never_send.domains: a.example (of the playbook)",
        made.steps[1].entities[1].reason)
      assert.is_nil(asked(w)["url/scan"])
      made = run(w, '{ submit = "allow", lookup = "allow", never_send = { domains = {} } }',
        "--entity", "http://b.example/")
      assert.equal("denied", made.steps[1].entities[2].outcome)
      assert.equal("scanned", made.steps[1].entities[1].outcome)
    end)
  end)

  it("is checked, with its line", function()
    workspace.simulated({}, function(w)
      local ran = w:run { "check", playbook(w, '{ sumbit = "deny" }') }
      assert.equal(2, ran.exit)
      assert.matches('own.lua:4: policy.sumbit: unknown key; did you mean "submit"?', ran.out, 1,
        true)
      ran = w:run { "check", playbook(w, '{ never_send = { networks = { "10.0.0.0/99" } } }') }
      assert.matches("own.lua:4: policy.never_send.networks: \"10.0.0.0/99\" must be an address",
        ran.out, 1, true)
    end)
  end)
end)

describe("what a plan says of the policy", function()
  local function plan(w, ...)
    return w:json { "plan", "--format", "json", ... }
  end

  it("counts what is denied, why, and nothing for it", function()
    with({ never_send = { domains = { "b.example" } } }, nil, function(w)
      local made = plan(w, "scan_url", "-p", "threshold=3", "--entity", "http://b.example/",
        "--entity", "http://a.example/?token=1")
      local step = made.steps[1]
      assert.same({
        count = 2,
        examples = {
          { entity = "http://b.example/", reason = "policy.never_send.domains: b.example" },
          { entity = "http://a.example/?token=1",
            reason = "policy.private_urls: it has a parameter that looks like a credential" },
        },
      }, step.denied)
      assert.equal(0, step.public.most)
      assert.equal(1, made.total.quota.most)
      assert.same({}, w:requests())
    end)
  end)

  it("says so of files, by their path and TLP", function()
    with({ upload = "deny" }, nil, function(w)
      local path = w:write("a.txt", "some text")
      local made = plan(w, "upload_and_scan_file", "-p", "file_paths=" .. path)
      assert.equal("policy.upload: deny", made.steps[1].denied.examples[1].reason)
      assert.same({}, made.steps[1].problems)
      assert.equal(0, made.total.bytes)
      made = plan(w, "upload_and_scan_file", "-p", "file_paths=" .. path, "--tlp", "amber")
      assert.matches("TLP:AMBER", made.steps[1].denied.examples[1].reason)
      assert.equal(0, made.total.quota.most)
    end)
  end)
end)

describe("a run that goes on", function()
  it("is judged by the policy of now", function()
    with({}, none(1, 600000), function(w)
      local _, ran = w:json { "action", "scan_url", "--format", "json", "-p", "threshold=3",
        "--entity", "http://a.example/", "--deadline", "1s" }
      assert.equal(4, ran.exit)
      local before = #w:requests()
      w:configure { virustotal = { url = w.url },
        policy = { never_send = { domains = { "a.example" } } } }
      local made, again = w:json { "resume", "--format", "json" }
      assert.equal("policy.never_send.domains: a.example", made.entities[1].reason)
      assert.equal(1, again.exit)
      assert.equal(before, #w:requests())
    end)
  end)
end)
