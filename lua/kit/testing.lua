-- What a spec of an action or a playbook requires as "apogee.testing": runs it as `apogee action`
-- and `apogee run` do, in a process of its own, in the sandbox, with the real bindings. VirusTotal
-- is the simulator; other services answer what the spec says, or what a cassette holds.
--
--   local testing = require "apogee.testing"
--   local run = testing.action("abuse_score.lua", { entities = { "ip_address:192.0.2.1" }, ... })
--
-- Options, each of which may be left out:
--   entities  texts "TYPE:VALUE", or tables as in a file of entities in JSON
--   params    values by their names
--   http      what services answer: rows { url =, status =, json = | body =, ... }, as in the field
--             `http` of a scenario, or testing.cassette "FILE"
--   secrets   their values by their names; a list of names: made-up values
--   scenario  of the simulator, as in docs/simulator.md
--   clock     when the run begins: "2026-01-15T12:00:00Z", which it is without
--   speed     how many times as fast its time runs: 1000
--   config    more of the configuration: policy, limits, ...
--   actions   folders with more actions; that of the spec is one
--   args      more words of the command line
--   exit      the exit code that is meant, where there will be no result
--   limit     seconds, after which it is ended: 120
--
-- A run: { exit, document = the result as tables, entities = those of it by their identifiers,
--   steps = those of a playbook by their names, requests = to services { { service, method, url,
--   headers, body, status, answer } }, vt = to the simulator { { endpoint, resources, status } },
--   out, err = as printed }. Secrets read "***".
--
-- A request that no row is for ends the test: nothing is ever sent to anybody.
-- SPDX-License-Identifier: Apache-2.0
local cassette = require "kit.cassette"
local trial = require "kit.trial"

local M = {}

-- What is wrong is the matter of the line of the spec, two calls above; so nobody calls it last.
local function run(command, word, options)
  local good, result = pcall(trial.run, command, word, options or {})
  if not good then error(result, 3) end
  return result
end

--- Runs an action.
---@param word string its file, as the spec's folder sees it, or the id of a packaged one
---@param options table?
---@return table run
function M.action(word, options)
  local result = run("action", word, options)
  return result
end

--- Runs a playbook.
---@param word string its file, as the spec's folder sees it, or the name of a packaged one
---@param options table?
---@return table run
function M.playbook(word, options)
  local result = run("run", word, options)
  return result
end

--- For the option http: answers that were recorded. `apogee test --record` asks the real services,
--- with the user's configuration, and writes the file; else it answers from there.
---@param path string as the spec's folder sees it
---@return table
function M.cassette(path) return cassette.of(trial.path(path)) end

return M
