-- Recorded answers through the client, the action and the document: what VirusTotal sent is what
-- the result holds, byte for byte. The recordings are no part of the project.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local program = require "e2e.support.program"
local workspace = require "e2e.support.workspace"

local FOLDER = "../shared/fixtures/virustotal-v2/"
local has_folder = program.read(FOLDER .. "index.tsv") ~= nil

-- Each recording is the answer for an indicator of its own, so that one run has them all.
local KINDS = {
  file_report = {
    action = "scan_hash", endpoint = "file/report", param = "threshold=3", has_scans = true,
    indicator = function(n) return ("%032x"):format(n) end, type = "filehash",
  },
  url_report = {
    action = "scan_url", endpoint = "url/report", param = "threshold=3", has_scans = true,
    indicator = function(n) return ("http://r%d.example.com/"):format(n) end, type = "url",
  },
  ip_report = {
    action = "scan_ip", endpoint = "ip-address/report", param = "threshold=3",
    indicator = function(n) return "198.51.100." .. n end, type = "ip_address",
  },
  domain_report = {
    action = "get_domain_report", endpoint = "domain/report", param = "exact_host=false",
    indicator = function(n) return ("r%d.com"):format(n) end, type = "hostname",
  },
}

local IS_ANSWERED = { reported = true, scanned = true, not_found = true }

local function recordings(kind)
  local names = {}
  for line in program.read(FOLDER .. "index.tsv"):gmatch "[^\n]+" do
    local name = line:match "([%w_.%-]+%.json)"
    if name and name:find("^" .. kind .. "__") then table.insert(names, name) end
  end
  table.sort(names)
  return names
end

local function body_of(name)
  return program.read(FOLDER .. name):match "^%s*(.-)%s*$"
end

-- One run of the kind's action over all of its recordings: { text, entities by identifier }.
local function run_all(kind, names)
  local rows, result = {}, nil
  local args = { "action", kind.action, "--param", kind.param, "--deadline", "3s" }
  for index, name in ipairs(names) do
    table.insert(rows, ("['%s %s'] = { { file = %q } }"):format(kind.endpoint,
      kind.indicator(index), FOLDER .. name))
    table.insert(args, "--entity")
    table.insert(args, kind.type .. ":" .. kind.indicator(index))
  end
  table.insert(args, "--format")
  table.insert(args, "json")
  workspace.simulated({
    scenario = "return { answers = { " .. table.concat(rows, ", ") .. " } }",
    settings = { virustotal = {
      retries = 0, comments = "none",
      tier = { per_minute = 0, per_day = 0, per_month = 0, list = 1, premium = true },
    } },
  }, function(w)
    local document, ran = w:json(args)
    result = { text = ran.out, entities = {}, shown = {} }
    for _, entity in ipairs(document.entities) do result.entities[entity.identifier] = entity end
    for _, item in ipairs(document.json_result) do result.shown[item.Entity] = true end
  end)
  return result
end

-- A list is of others, and what is queued or has no scans is waited for: another answer follows.
local function is_finished(kind, body)
  if body:find "^%[" then return false end
  return not kind.has_scans or body:find '"scans"' ~= nil
end

--- What the document embeds for an indicator, as many bytes as the recording has.
local function embedded(text, identifier, len)
  local head = ('{"Entity": "%s", "EntityResult": '):format(identifier)
  local _, at = text:find(head, 1, true)
  return at and text:sub(at + 1, at + len)
end

describe("recorded answers", function()
  if not has_folder then
    it("are left out: there is no " .. FOLDER, function() assert.is_false(has_folder) end)
    return
  end

  it("of comments/get are rows of a table, as they came", function()
    local path = FOLDER .. "comments_get__doc_sample.json"
    local recorded = cjson.decode(program.read(path)).comments
    workspace.simulated({
      scenario = ("return { answers = { ['comments/get *'] = { { file = %q } } } }"):format(path),
    }, function(w)
      local document = w:json {
        "action", "scan_hash", "--param", "threshold=3", "--entity",
        "44d88612fea8a8f36de82e1278abb02f", "--format", "json",
      }
      local rows
      for _, found in ipairs(document.tables) do
        if found.title == "VirusTotal comments" then rows = found.rows end
      end
      assert.equal(#recorded, #rows)
      for index, comment in ipairs(recorded) do
        assert.same({ comment.date, comment.comment }, rows[index])
      end
    end)
  end)

  for kind_name, kind in pairs(KINDS) do
    describe("of " .. kind.endpoint, function()
      local names = recordings(kind_name)
      local result
      setup(function() result = run_all(kind, names) end)

      for index, name in ipairs(names) do
        it("such as " .. name .. " are embedded as they came, or the outcome says why", function()
          local identifier = kind.indicator(index)
          local entity, body = result.entities[identifier], body_of(name)
          local has_report = entity.outcome == "reported" or entity.outcome == "scanned"
          assert.equal(has_report, result.shown[identifier] == true)
          if has_report and is_finished(kind, body) then
            assert.equal(body, embedded(result.text, identifier, #body))
          end
          if not IS_ANSWERED[entity.outcome] then
            assert.is_string(entity.reason)
            assert.not_equal("", entity.reason)
          end
        end)
      end
    end)
  end
end)
