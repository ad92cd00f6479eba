-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local HASH = "44d88612fea8a8f36de82e1278abb02f"

local PACK = [[
return require "apogee.pack" {
  name = "house", version = "1.2.0", doc = "Rules of the house.",
  actions = { "actions/known.lua" },
  playbooks = { "nightly_house.lua" },
  needs = { "vt", apogee = "0.0.1" },
}
]]

local ACTION = [[
local rule = require "rule"

return require "apogee.action" {
  id = "known", name = "Known", provider = "House", doc = "Says whether VirusTotal knows a file.",
  accepts = { "filehash" }, needs = { "vt" }, returns = "is_success", outputs = { "Known" },
  run = function(ctx, entity)
    local report, message, code = vt.file_report(entity.identifier)
    if not report then return ctx.from_error(message, code) end
    entity:enrich("Known", rule.of(report))
    return ctx.reported(report)
  end,
}
]]

local RULE = [[
return { of = function(report) return report.positives > 0 and "bad" or "good" end }
]]

local PLAYBOOK = [[
return require "apogee.playbook" {
  name = "Nightly House", steps = { { "files", action = "known" } },
}
]]

local function write_pack(w, folder)
  assert(os.execute("mkdir -p " .. program.quote(w:path(folder .. "/actions"))))
  w:write(folder .. "/pack.lua", PACK)
  w:write(folder .. "/actions/known.lua", ACTION)
  w:write(folder .. "/actions/rule.lua", RULE)
  w:write(folder .. "/nightly_house.lua", PLAYBOOK)
end

local function find(list, id)
  for _, item in ipairs(list) do
    if item.id == id then return item end
  end
  error("no " .. id)
end

describe("a pack in actions_path", function()
  for _, case in ipairs {
    { "is a folder of it", "house" }, { "is a folder in a folder of it", "all/house" },
  } do
    it(case[1], function()
      workspace.simulated({ settings = { actions_path = { case[2]:match "^[^/]+" } } }, function(w)
        write_pack(w, case[2])
        local list = w:json { "list", "--format", "json" }
        local action, playbook = find(list.actions, "known"), find(list.playbooks, "nightly_house")
        assert.equal("pack house 1.2.0", action.from)
        assert.equal("house", playbook.pack)
        assert.same({ "vt" }, list.packs[1].needs)
        assert.equal("packaged", find(list.actions, "scan_hash").from)
        assert.same({}, list.broken)
        local run = w:json { "run", "nightly_house", "--format", "json", "--entity", HASH }
        assert.equal("bad", run.steps[1].entities[1].enrichment.House.Known)
        local table_text = w:run({ "list" }).out
        assert.matches("known +Known +filehash +is_success +pack house 1%.2%.0\n", table_text)
        assert.matches("\nPACK +VERSION +FOLDER\nhouse +1%.2%.0 +", table_text)
      end)
    end)
  end

  it("is listed as JSON whatever its words hold", function()
    workspace.simulated({ settings = { actions_path = { "house" } } }, function(w)
      write_pack(w, "house")
      local doc = "Rules\u{202e} of\u{200b} the\u{7f} house."
      w:write("house/pack.lua", (PACK:gsub("Rules of the house%.", doc)))
      assert.equal(doc, w:json({ "list", "--format", "json" }).packs[1].doc)
    end)
  end)

  it("says which two files have one id", function()
    workspace.simulated({ settings = { actions_path = { "a", "b" } } }, function(w)
      write_pack(w, "a")
      assert(os.execute("mkdir " .. program.quote(w:path "b")))
      local other = w:write("b/known.lua", (ACTION:gsub('require "rule"', "{}")))
      local ran = w:run { "action", "known", "--entity", HASH }
      assert.equal(2, ran.exit)
      assert.matches(('two files have the action "known": %s and %s'):format(other,
        w:path "a/actions/known.lua"), ran.err, 1, true)
    end)
  end)

  it("that needs a newer Apogee is left out, and says so with its line", function()
    workspace.simulated({ settings = { actions_path = { "house" } } }, function(w)
      write_pack(w, "house")
      local path = w:write("house/pack.lua", (PACK:gsub("0%.0%.1", "999")))
      local ran = w:run { "run", "nightly_house", "--entity", HASH }
      assert.equal(2, ran.exit)
      assert.matches(path .. ":5: needs.apogee: this is Apogee ", ran.err, 1, true)
      assert.matches(", and 999 or newer is needed", ran.err, 1, true)
      assert.matches(path .. ":5: needs.apogee", w:run({ "list" }).out, 1, true)
      assert.equal(2, w:run({ "check", path }).exit)
    end)
  end)

  it("is checked where it lies, with all that is in it", function()
    workspace.with(function(w)
      w.env = { APOGEE_CONFIG = "" }
      write_pack(w, "house")
      local ran = w:run { "check", w:path "house/pack.lua" }
      assert.equal(0, ran.exit)
      assert.matches("pack.lua: OK, the pack house 1.2.0: 1 action, 1 playbook\n", ran.out, 1, true)
      assert.equal(ran.out, w:run({ "check", w:path "house" }).out)
      assert.equal(ran.out, w:run({ "check", w:path "house/" }).out)
      local other = w:run { "check", w:path "house/actions" }
      assert.equal(2, other.exit)
      assert.equal(w:path "house/actions" .. ": not a regular file: a folder without a pack.lua is "
        .. "checked by its files, FOLDER/*.lua\n", other.out)
      w:write("house/actions/known.lua", (ACTION:gsub('{ "vt" }', "{}")))
      ran = w:run { "check", w:path "house/pack.lua" }
      assert.equal(2, ran.exit)
      assert.matches("known.lua:7: vt: is used, and needs does not name it", ran.out, 1, true)
    end)
  end)

  describe("around a playbook that is named by its path", function()
    local function run(w)
      return w:run { "run", w:path "house/nightly_house.lua", "--format", "json", "--entity", HASH }
    end

    it("is found", function()
      workspace.simulated({}, function(w)
        write_pack(w, "house")
        assert.equal(0, run(w).exit)
      end)
    end)

    it("is not taken where others may write it", function()
      workspace.simulated({}, function(w)
        write_pack(w, "house")
        local path = w:path "house/pack.lua"
        assert(os.execute("chmod o+w " .. program.quote(path)))
        local ran = run(w)
        assert.equal(2, ran.exit)
        assert.matches(path .. " is not taken for the pack of " .. w:path "house/nightly_house.lua"
          .. ": others may write it", ran.err, 1, true)
        assert.matches('there is no action "known"', ran.err, 1, true)
      end)
    end)
  end)
end)
