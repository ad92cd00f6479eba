-- The examples of playbooks/examples: their specs succeed, they are fine, and the README is right.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local FOLDER = "playbooks/examples"

local function folders()
  local pipe = assert(io.popen("ls -d " .. FOLDER .. "/*/"))
  local found = {}
  for line in pipe:lines() do table.insert(found, (line:gsub("/$", ""))) end
  pipe:close()
  return found
end

local function names_of(pattern)
  local pipe = assert(io.popen("ls " .. pattern))
  local names = {}
  for name in pipe:lines() do table.insert(names, name) end
  pipe:close()
  return names
end

local function with(use)
  workspace.with(function(w)
    w.env = { APOGEE_CONFIG = "" }
    use(w)
  end)
end

describe("the example", function()
  for _, folder in ipairs(folders()) do
    it(folder:match "[^/]+$" .. " has a spec that succeeds, and is fine", function()
      with(function(w)
        local ran = w:run { "test", folder }
        assert.equal(0, ran.exit, ran.out .. ran.err)
        local count = tonumber(ran.out:match "(%d+) success")
        assert.is_true(count >= 3, ran.out)
        ran = w:run { "check", table.unpack(names_of(folder .. "/*.lua")) }
        assert.equal(0, ran.exit, ran.out)
        assert.matches(": OK, the pack ", ran.out)
        ran = w:run { "list", "--actions-path", FOLDER }
        assert.equal("", ran.err)
        assert.matches("\n" .. folder:match "[^/]+$" .. " +1.0", ran.out)
      end)
    end)
  end

  it("is shown by the README as it works", function()
    local readme = program.read(FOLDER .. "/README.md")
    for _, folder in ipairs(folders()) do
      assert.is_truthy(readme:find("| `" .. folder:match "[^/]+$" .. "/` |", 1, true), folder)
    end
    with(function(w)
      local count = 0
      for line in readme:gmatch "\n    apogee ([^\n]+)" do
        local args = {}
        for word in line:gmatch "%S+" do table.insert(args, word) end
        count = count + 1
        local ran = w:run(args)
        assert.equal(0, ran.exit, line .. ": " .. ran.out .. ran.err)
      end
      assert.equal(5, count)
    end)
  end)
end)
