-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local loader = require "apogee.loader"
local main = require "apogee.main"
local pack_check = require "apogee.pack_check"
local versions = require "apogee.versions"

local function action(id, needs)
  return ([[
return require "apogee.action" {
  id = "%s", name = "%s", doc = "Does it.", accepts = { "url" }, returns = "is_success",
  needs = %s,
  run = function() end,
}
]]):format(id, id, needs or "{}")
end

local PLAYBOOK = [[
return require "apogee.playbook" { name = "Night", steps = { { "a", action = "look" } } }
]]

-- The fields of the pack begin in line 3.
local function pack(name, fields)
  return ('return require "apogee.pack" {\n  name = "%s", version = "1.2.0",\n%s\n}\n')
    :format(name, fields)
end

local LOOK = {
  ["/packs/abuse/pack.lua"] = pack("abuse",
    'actions = { "look.lua" }, playbooks = { "books/night.lua" }, doc = "Looks."'),
  ["/packs/abuse/look.lua"] = action "look",
  ["/packs/abuse/books/night.lua"] = PLAYBOOK,
}

local function with(files)
  local all = {}
  for path, source in pairs(LOOK) do all[path] = source end
  for path, source in pairs(files or {}) do all[path] = source end
  return fake.new { files = all }
end

describe("a pack", function()
  it("brings its actions and playbooks, which say where they are from", function()
    local index = loader.index(with { ["/actions/own.lua"] = action "own" })
    assert.same({}, index.broken)
    assert.equal("packaged", index.by_id.own.origin)
    assert.equal("pack abuse 1.2.0", index.by_id.look.origin)
    assert.equal("/packs/abuse/books/night.lua", (loader.find_playbook(index, "night")))
  end)

  it("is listed", function()
    local engine = with { ["/actions/own.lua"] = action "own" }
    main.run(engine, { command = "list" })
    assert.equal("ACTION  NAME  RUNS ON  RESULT      FROM\n"
      .. "own     own   url      is_success  packaged\n"
      .. "look    look  url      is_success  pack abuse 1.2.0\n\n"
      .. "PLAYBOOK  NAME   STEPS  FROM\nnight     Night  a      pack abuse 1.2.0\n\n"
      .. "PACK   VERSION  FOLDER\nabuse  1.2.0    /packs/abuse\n", table.concat(engine.printed))
  end)

  it("is completed, shown and run by the names in it", function()
    local engine = with()
    main.run(engine, { command = "complete" })
    assert.equal("action look\nplaybook night\n", table.concat(engine.printed))
    engine = with()
    assert.equal(0, (main.run(engine, { command = "show", target = "look" })))
    assert.matches("FILE\n    /packs/abuse/look.lua\n    Of the pack abuse 1.2.0%.\n",
      table.concat(engine.printed))
    engine = with()
    assert.equal(0, (main.run(engine, { command = "run", target = "night" })))
    assert.equal("Night", engine.finished.playbook)
  end)

  it("is checked with all that is in it", function()
    local engine = with()
    assert.equal(0, (main.run(engine, { command = "check",
      targets = { "/packs/abuse/pack.lua" } })))
    assert.equal("/packs/abuse/look.lua: OK, the action look\n"
      .. "/packs/abuse/books/night.lua: OK, a playbook\n"
      .. "/packs/abuse/pack.lua: OK, the pack abuse 1.2.0: 1 action, 1 playbook\n",
      table.concat(engine.printed))
  end)

  for _, target in ipairs { "pack.lua", "books/night.lua" } do
    it("is checked wherever it is, by its " .. target, function()
      local files = {}
      for path, source in pairs(LOOK) do files[path:gsub("^/packs", "/home")] = source end
      local engine = fake.new { files = files }
      assert.equal(0, (main.run(engine, { command = "check",
        targets = { "/home/abuse/" .. target } })))
    end)
  end

  it("is there for a playbook in it that is named by its path", function()
    local files = {}
    for path, source in pairs(LOOK) do files[path:gsub("^/packs", "/home")] = source end
    local engine = fake.new { files = files }
    assert.equal(0, (main.run(engine, { command = "run", target = "/home/abuse/books/night.lua" })))
    assert.equal("Night", engine.finished.playbook)
  end)

  for target, folder in pairs {
    ["books/night.lua"] = "./", ["./books/night.lua"] = "./", ["night.lua"] = "../",
    ["../books/night.lua"] = "../", ["././night.lua"] = "././../", ["/books/night.lua"] = "/",
    ["a/b/night.lua"] = "./",
  } do
    it("is there for a playbook in it that is named from any folder: " .. target, function()
      local engine = fake.new { files = {
        [folder .. "pack.lua"] = pack("abuse", 'actions = { "look.lua" }'),
        [folder .. "look.lua"] = action "look",
        [target] = PLAYBOOK,
      } }
      assert.equal(0, (main.run(engine, { command = "run", target = target })))
    end)
  end

  it("is there for no playbook three folders below", function()
    local engine = with { ["/packs/abuse/a/b/c/night.lua"] = PLAYBOOK }
    assert.is_nil(loader.pack_around(engine, "/packs/abuse/a/b/c/night.lua"))
  end)

  it("that others may have put around a playbook is not taken", function()
    local engine = with { ["/home/pack.lua"] = pack("abuse", 'actions = { "look.lua" }'),
      ["/home/look.lua"] = action "look", ["/home/night.lua"] = PLAYBOOK }
    engine.strange = { ["/home/pack.lua"] = true }
    assert.equal(0, (main.run(engine, { command = "show", target = "/home/night.lua" })))
    assert.equal("/packs/abuse/look.lua", engine.index.by_id.look.path)
    assert.same({ { "warning", "/home/pack.lua is not taken for the pack of /home/night.lua: "
      .. "it belongs to another user" } }, engine.said)
  end)

  for _, case in ipairs {
    { "an unknown key", "actons = {}", '3: actons: unknown key; did you mean "actions"?' },
    { "files that are no list", 'actions = { look = "look.lua" }',
      '3: actions: must be a list of files: { "abuse_score.lua" }' },
    { "a file that there is not", 'actions = { "look.lua",\n"lok.lua" }',
      '4: actions: there is no file "lok.lua"' },
    { "a file twice", 'actions = { "look.lua", "look.lua" }',
      '3: actions: "look.lua" is there twice' },
    { "a file of another folder", 'playbooks = { "../night.lua" }',
      '3: playbooks: "../night.lua" must be a .lua file in the folder of the pack' },
    { "a file by its whole path", 'actions = { "/packs/abuse/look.lua" }',
      '3: actions: "/packs/abuse/look.lua" must be a .lua file in the folder of the pack' },
    { "a file by a way around", 'actions = { "books/../look.lua" }',
      '3: actions: "books/../look.lua" must be a .lua file in the folder of the pack' },
    { "a capability that there is not", 'needs = { "htp" }',
      '3: needs: unknown "htp"; did you mean "http"?' },
    { "a key of needs that there is not", 'needs = { pack = {} }',
      '3: needs.pack: unknown key; did you mean "packs"?' },
    { "hosts that are none", 'needs = { http = { "https://x" } }',
      '3: needs.http: "https://x" is no host' },
    { "a version of Apogee that is none", 'needs = { apogee = "new" }',
      '3: needs.apogee: must be a version such as "1.2.0"' },
    { "packs that are a list", 'needs = { packs = { "base" } }',
      '3: needs.packs.1: must be a version such as "1.2.0"' },
    { "what can be no pack's name", 'needs = { packs = { ["a\\nb"] = "1.0" } }',
      '3: needs.packs: "a?b" is no name of a pack' },
    { "packs that are no table", 'needs = { packs = "base" }',
      '3: needs.packs: must be packs by name: packs = { base = "1.0" }' },
    { "a newer Apogee", 'needs = { apogee = "0.6" }',
      "3: needs.apogee: this is Apogee 0.5.1, and 0.6 or newer is needed" },
    { "a pack that there is not", 'needs = { packs = { bas = "1.0" } }',
      '3: needs.packs.bas: there is no such pack in actions_path; did you mean "base"?' },
    { "a newer pack", 'needs = { packs = {\nbase = "2.0" } }',
      "4: needs.packs.base: is 1.2.0 (/packs/base/pack.lua), and 2.0 or newer is needed" },
  } do
    it("is refused with file, line and fix: " .. case[1], function()
      local engine = with {
        ["/packs/abuse/pack.lua"] = pack("abuse", case[2]),
        ["/packs/base/pack.lua"] = pack("base", ""),
      }
      local message = "/packs/abuse/pack.lua:" .. case[3]
      assert.equal(2, (main.run(engine, { command = "check",
        targets = { "/packs/abuse/pack.lua" } })))
      assert.equal(message .. "\n", table.concat(engine.printed))
      local index = loader.index(engine)
      assert.equal(message, index.broken[1].message)
      assert.is_nil(index.by_id.look)
    end)
  end

  for _, case in ipairs {
    { 'name = "Abuse", version = "1"',
      "1: name: must be lower-case letters, digits, - and _" },
    { 'name = "abuse", version = "v1"', '1: version: must be a version such as "1.2.0"' },
    { 'name = "abuse"', "1: version: is missing" },
  } do
    it("is refused with file, line and fix: " .. case[1], function()
      local engine = with {
        ["/packs/abuse/pack.lua"] = 'return require "apogee.pack" { ' .. case[1] .. " }",
      }
      assert.equal("/packs/abuse/pack.lua:" .. case[2], loader.index(engine).broken[1].message)
    end)
  end

  it("that is no pack is said to be none", function()
    local engine = with { ["/packs/abuse/pack.lua"] = "return {}" }
    assert.equal("/packs/abuse/pack.lua: is no pack: it does not return pack { ... }",
      loader.index(engine).broken[1].message)
  end)

  it("that lacks something tells who asks for what is in it", function()
    local engine = with {
      ["/packs/abuse/pack.lua"] = pack("abuse", 'actions = { "look.lua" }, '
        .. 'playbooks = { "books/night.lua" }, needs = { apogee = "9" }'),
    }
    local index = loader.index(engine)
    for _, find in ipairs { loader.find, loader.find_playbook } do
      local found, message = find(index, find == loader.find and "look" or "night")
      assert.is_nil(found)
      assert.equal("/packs/abuse/pack.lua:3: needs.apogee: this is Apogee 0.5.1, and 9 or newer is "
        .. "needed", message)
    end
  end)
end)

describe("an action of a pack", function()
  for _, case in ipairs {
    { "a capability", '{ "vt" }', "",
      "look.lua:3: needs: vt is not in the needs of the pack: add it in /packs/abuse/pack.lua" },
    { "a host", '{ http = { "a.test", "b.test" } }', 'needs = { http = { "a.test" } }',
      "look.lua:3: needs.http: b.test is not in the needs of the pack: add it in "
        .. "/packs/abuse/pack.lua" },
  } do
    it("may not need more than the pack says: " .. case[1], function()
      local engine = with {
        ["/packs/abuse/look.lua"] = action("look", case[2]),
        ["/packs/abuse/pack.lua"] = pack("abuse", 'actions = { "look.lua" },' .. case[3]),
      }
      local index = loader.index(engine)
      assert.is_nil(index.by_id.look)
      assert.equal("/packs/abuse/" .. case[4], index.broken[1].message)
      assert.equal(2, (main.run(engine, { command = "check",
        targets = { "/packs/abuse/pack.lua" } })))
      assert.matches(case[4], table.concat(engine.printed), 1, true)
    end)
  end

  it("may need what the pack says", function()
    local index = loader.index(with {
      ["/packs/abuse/look.lua"] = action("look", '{ "vt", http = { "a.test" } }'),
      ["/packs/abuse/pack.lua"] = pack("abuse",
        'actions = { "look.lua" }, needs = { "vt", http = { "a.test", "b.test" } }'),
    })
    assert.same({}, index.broken)
  end)
end)

describe("two files of one name are an error that names both:", function()
  it("actions", function()
    local engine = with { ["/actions/look.lua"] = action "look" }
    local action_found, message = loader.find(loader.index(engine), "look")
    assert.is_nil(action_found)
    assert.equal('two files have the action "look": /actions/look.lua and /packs/abuse/look.lua',
      message)
    main.run(engine, { command = "check", targets = { "/packs/abuse/pack.lua" } })
    assert.matches(message, table.concat(engine.printed), 1, true)
  end)

  it("playbooks", function()
    local engine = with { ["/playbooks/night.lua"] = PLAYBOOK }
    local index = loader.index(engine)
    local found, message = loader.find_playbook(index, "night")
    assert.is_nil(found)
    assert.equal(message, index.broken[1].message)
    assert.equal('two files have the playbook "night": /playbooks/night.lua and '
      .. "/packs/abuse/books/night.lua", message)
  end)

  it("packs, and neither is taken", function()
    local index = loader.index(with { ["/packs/other/pack.lua"] = pack("abuse", "") })
    local conflict = 'two files have the pack "abuse": /packs/abuse/pack.lua and '
      .. "/packs/other/pack.lua"
    assert.is_nil(index.by_id.look)
    for _, file in ipairs(index.broken) do assert.equal(conflict, file.message) end
    assert.equal(2, #index.broken)
  end)
end)

describe("a version", function()
  for text, expected in pairs {
    ["1"] = { 1, 0, 0 }, ["1.20"] = { 1, 20, 0 }, ["0.5.1"] = { 0, 5, 1 },
  } do
    it("is " .. text, function() assert.same(expected, versions.parse(text)) end)
  end

  for _, text in ipairs { "", "1.", ".1", "1..2", "1.2.3.4", "v1", "1.2-rc1", "1234567" } do
    it('is not "' .. text .. '"', function() assert.is_nil(versions.parse(text)) end)
  end

  it("is compared by its numbers", function()
    assert.is_true(versions.is_at_least("1.10", "1.9.9"))
    assert.is_true(versions.is_at_least("1.2.0", "1.2"))
    assert.is_false(versions.is_at_least("1.2", "1.2.1"))
    assert.is_nil(versions.parse(7))
  end)
end)

describe("a pack that needs one that is there", function()
  it("lacks nothing", function()
    local engine = fake.new()
    local base = { version = "1.2" }
    local needy = { path = "/p.lua", packs = { base = "1.1" }, engine = "0.5" }
    assert.is_nil(pack_check.lacks(engine, needy, { base = base }))
  end)
end)
