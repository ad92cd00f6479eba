-- What outlives a run: fetched reports, quota, and what becomes of a state that cannot be used.
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local EICAR = "44d88612fea8a8f36de82e1278abb02f"
local EICAR_SHA256 = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
local LIMITED = { per_minute = 4, per_day = 500, per_month = 15500, list = 4, premium = false }

local function look_up(hash, ...)
  return { "action", "scan_hash", "--param", "threshold=3", "--format", "json",
    "--entity", hash, ... }
end

local function modes(path)
  local pipe = assert(io.popen("stat -c %a " .. program.quote(path)))
  local mode = pipe:read "l"
  pipe:close()
  return mode
end

--- Changes the file's header: the user version is at 60, the application id at 68.
local function patch(w, offset, bytes)
  local file = assert(io.open(w:path "state/apogee.db", "r+b"))
  file:seek("set", offset)
  assert(file:write(bytes))
  file:close()
end

describe("the state", function()
  it("answers what was fetched before, under each of a file's hashes", function()
    workspace.simulated({ settings = { virustotal = { tier = LIMITED } } }, function(w)
      local first = w:json(look_up(EICAR))
      assert.equal(1, first.cost.requests)
      assert.equal(0, first.cost.cached)
      local second, ran = w:json(look_up(EICAR_SHA256))
      assert.equal(0, ran.exit)
      assert.equal(0, second.cost.requests)
      assert.equal(0, second.cost.quota)
      assert.equal(1, second.cost.cached)
      assert.same(first.json_result[1].EntityResult, second.json_result[1].EntityResult)
      assert.equal("reported", second.entities[1].outcome)
    end)
  end)

  it("is not asked with --no-cache, and not touched with --no-state", function()
    workspace.simulated({ settings = { virustotal = { tier = LIMITED } } }, function(w)
      w:json(look_up(EICAR, "--no-state"))
      assert.is_nil(program.read(w:path "state/apogee.db"))
      assert.equal(0, w:json(look_up(EICAR)).cost.cached)
      assert.equal(0, w:json(look_up(EICAR, "--no-cache")).cost.cached)
      assert.equal(1, w:json(look_up(EICAR)).cost.cached)
    end)
  end)

  it("is closed to others and knows no key", function()
    workspace.simulated({}, function(w)
      w:json(look_up(EICAR))
      assert.equal("700", modes(w:path "state"))
      assert.equal("600", modes(w:path "state/apogee.db"))
      local text = assert(program.read(w:path "state/apogee.db"))
      local key = assert(program.read(w:path "key")):match "%x+"
      assert.is_nil(text:find(key, 1, true))
      assert.is_nil(text:find(key:sub(1, 16), 1, true))
    end)
  end)

  it("shares the quota of a key between runs", function()
    workspace.simulated({ settings = { virustotal = { tier = LIMITED } } }, function(w)
      local spent = 0
      for i = 1, 5 do
        local document = w:json(look_up(("%032x"):format(i), "--on-limit", "stop"))
        spent = spent + document.cost.quota
        assert.equal(i > 4, document.entities[1].outcome == "limited")
      end
      assert.equal(4, spent)
    end)
  end)

  it("is not that of a simulated run", function()
    workspace.simulated({}, function(w)
      local document = w:json(look_up(EICAR, "--simulate"))
      assert.equal("reported", document.entities[1].outcome)
      assert.equal(0, w:json(look_up(EICAR)).cost.cached)
    end)
  end)

  local function refuses(what, prepare, sentence)
    it("that is " .. what .. " ends the run with a sentence before anything is sent", function()
      workspace.simulated({}, function(w)
        w:json(look_up(EICAR))
        prepare(w)
        local ran = w:run(look_up(EICAR))
        assert.equal(2, ran.exit)
        assert.equal("", ran.out)
        assert.matches(sentence, ran.err)
        assert.matches("%-%-no%-state", ran.err)
        local document = w:json(look_up(EICAR, "--no-state"))
        assert.equal("reported", document.entities[1].outcome)
      end)
    end)
  end

  refuses("damaged", function(w) w:write("state/apogee.db", ("x"):rep(8192)) end,
    "is damaged: move it away")
  refuses("another program's", function(w) patch(w, 68, "\0\0\0\1") end,
    "is not a file of Apogee's")
  refuses("from a newer version", function(w) patch(w, 60, "\0\0\0\99") end,
    "written by a newer Apogee")
  refuses("a link", function(w)
    assert(os.execute(("cd %s && mv apogee.db other.db && ln -s other.db apogee.db"):format(
      program.quote(w:path "state"))))
  end, "is not a regular file")
end)
