-- `apogee new`: what it writes works as it is.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local function with(use)
  workspace.with(function(w)
    w.env = { APOGEE_CONFIG = "" }
    use(w)
  end)
end

local function files_of(folder)
  local pipe = assert(io.popen("ls " .. program.quote(folder)))
  local text = pipe:read "a"
  pipe:close()
  return text
end

--- The commands that a README shows, each with its words.
local function commands_of(readme)
  local commands = {}
  for line in readme:gmatch "\n    apogee ([^\n]+)" do
    local words = {}
    for word in line:gmatch "%S+" do table.insert(words, word) end
    table.insert(commands, words)
  end
  return commands
end

describe("apogee new", function()
  for kind, case in pairs {
    ["action --http api.example.com"] = { kind = "action", commands = 3, http = "api.example.com",
      files = "README.md\nreputation.lua\nreputation_spec.lua\n" },
    ["action --http 127.0.0.1:8080"] = { kind = "action", commands = 3, http = "127.0.0.1:8080",
      files = "README.md\nreputation.lua\nreputation_spec.lua\n" },
    action = { files = "README.md\nreputation.lua\nreputation_spec.lua\n", commands = 3 },
    playbook = { commands = 4,
      files = "README.md\nreputation-indicators.txt\nreputation.lua\nreputation_spec.lua\n" },
  } do
    it("of " .. kind .. " writes what is fine, tested, and does what its README shows", function()
      with(function(w)
        local folder = w:path "mine/reputation"
        local words_of_host = case.http and { "--http", case.http } or {}
        local ran = w:run { "new", case.kind or kind, folder, table.unpack(words_of_host) }
        assert.equal(0, ran.exit, ran.err)
        assert.matches(folder .. "/reputation.lua\n", ran.out, 1, true)
        assert.matches("apogee test " .. folder, ran.out, 1, true)
        assert.equal(case.files, files_of(folder))
        local readme = program.read(folder .. "/README.md")
        assert.matches("^# Reputation\n", readme)
        local commands = commands_of(readme)
        assert.equal(case.commands, #commands)
        for _, words in ipairs(commands) do
          for i, word in ipairs(words) do
            words[i] = word:gsub("^%./", ""):gsub("^(reputation.*)", folder .. "/%1")
          end
          if words[1] == "test" then table.insert(words, folder) end
          ran = w:run(words)
          assert.equal(0, ran.exit, table.concat(words, " ") .. ": " .. ran.out .. ran.err)
        end
      end)
    end)
  end

  it("writes over nothing", function()
    with(function(w)
      assert(os.execute("mkdir " .. program.quote(w:path "once")))
      w:write("once/README.md", "mine")
      local ran = w:run { "new", "action", w:path "once" }
      assert.equal(2, ran.exit)
      assert.matches("once/README.md is there already", ran.err, 1, true)
      assert.equal("README.md\n", files_of(w:path "once"))
      assert.equal(0, w:run({ "new", "action", w:path "twice/" }).exit)
      w:write("twice/twice.lua", "mine")
      ran = w:run { "new", "action", w:path "twice" }
      assert.equal(2, ran.exit)
      assert.matches("twice/twice.lua is there already", ran.err, 1, true)
      assert.equal("mine", program.read(w:path "twice/twice.lua"))
    end)
  end)

  it("writes through no link", function()
    with(function(w)
      assert(os.execute(("mkdir %s && ln -s %s %s"):format(program.quote(w:path "mine"),
        program.quote(w:path "elsewhere"), program.quote(w:path "mine/mine_spec.lua"))))
      local ran = w:run { "new", "action", w:path "mine" }
      assert.equal(2, ran.exit)
      assert.matches("mine_spec.lua is there already", ran.err, 1, true)
      assert.is_nil(program.read(w:path "elsewhere"))
    end)
  end)

  it("says what is wrong with its words", function()
    with(function(w)
      for words, message in pairs {
        [{ "new" }] = "say what to write",
        [{ "new", "action" }] = "say what to write",
        [{ "new", "action", "a", "b" }] = "say what to write",
        [{ "new", "actoin", "a" }] = '"actoin" is neither action nor playbook',
        [{ "new", "action", w:path "Abuse-Score" }] = 'begins with a letter, like abuse_score',
        [{ "new", "action", w:path "a", "--http", "https://a.example/" }] = "--http: ",
        [{ "new", "playbook", w:path "a", "--http", "a.example" }] = "--http goes with new action",
        [{ "new", "action", w:path "9" }] = "begins with a letter",
      } do
        local ran = w:run(words)
        assert.equal(2, ran.exit)
        assert.equal("", ran.out)
        assert.matches(message, ran.err, 1, true)
      end
      assert.equal("key\n", files_of(w.folder))
      w:write("file", "")
      local ran = w:run { "new", "action", w:path "file/mine" }
      assert.equal(7, ran.exit)
      assert.matches("file/mine: Not a directory", ran.err, 1, true)
    end)
  end)

  it("makes the name of an action as people write it", function()
    with(function(w)
      assert.equal(0, w:run({ "new", "action", w:path "greynoise_ip" }).exit)
      assert.matches("^# Greynoise IP\n", program.read(w:path "greynoise_ip/README.md"))
    end)
  end)

  it("needs no busted", function()
    with(function(w)
      w.env.LUA_PATH_5_4 = "/nowhere/?.lua"
      assert.equal(0, w:run({ "new", "playbook", w:path "nightly" }).exit)
    end)
  end)
end)
