-- Every packaged action, as the loader sees it.
-- SPDX-License-Identifier: Apache-2.0
local fake = require "spec.support.engine"
local loader = require "apogee.loader"
local params = require "apogee.params"

local function packaged()
  local actions = {}
  local listing = assert(io.popen "ls lua/actions/*.lua")
  for path in listing:lines() do
    local file = assert(io.open(path))
    local engine = fake.new { files = { [path] = file:read "a" } }
    file:close()
    table.insert(actions, { path = path, read = function() return loader.read(engine, path) end })
  end
  listing:close()
  return actions
end

describe("a packaged action", function()
  for _, file in ipairs(packaged()) do
    it("is in order, and called as its file: " .. file.path, function()
      local action = assert(file.read())
      assert.equal(file.path:match "([^/]+)%.lua$", action.id)
      assert.equal("VirusTotal", action.provider)
    end)

    it("has a threshold of 1 or more, and rescans after 0 days or more: " .. file.path, function()
      local action = assert(file.read())
      local limit = params.find(action.params, "Threshold")
      if limit then
        assert.equal(1, params.parse(limit, "1"))
        local _, message = params.parse(limit, "0")
        assert.equal("0 would mark every entity: it must be 1 or more", message)
      end
      local days = params.find(action.params, "Rescan after days")
      if days then
        assert.equal(0, params.parse(days, "0"))
        assert.is_nil((params.parse(days, "-1")))
        assert.is_nil(days.default)
      end
    end)
  end
end)
