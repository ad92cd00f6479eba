-- What is run: the same look-ups by the bare program, by Apogee with its store in memory, and by
-- Apogee with its store on disk, in turns, each run with a server and a state folder of its own.
-- SPDX-License-Identifier: Apache-2.0
local process = require "process"

local M = {}

-- A run that waits long for its server is done once: noise is nothing beside it. A short one is
-- done more often.
local LONG_S, SHORT_S, SHORT_TIMES = 20, 5, 3

local CONFIG = [[
return {
  virustotal = {
    url = %q,
    api_key = "env:APOGEE_BENCH_KEY",
    ca_file = %s,
    tier = { per_minute = 0, per_day = 0, per_month = 0, list = %d, premium = true },
    comments = "none",
  },
  jobs = %d,
  state_dir = %q,
  no_state = %s,
}
]]

function M.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = #sorted // 2
  if #sorted % 2 == 1 then return sorted[middle + 1] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

--- A file with as many SHA-256 hashes, the same ones every time.
---@return string path
function M.hashes(bench, count)
  local path = ("%s/hashes-%d.txt"):format(bench.out, count)
  local lines = {}
  math.randomseed(1)
  for i = 1, count do
    local words = {}
    for j = 1, 8 do
      words[j] = ("%08x"):format(math.random(0, 0xffffffff))
    end
    lines[i] = table.concat(words) .. "\n"
  end
  process.write(path, table.concat(lines))
  return path
end

-- ---- the two clients ----

local function bare(bench, job)
  return { bench.programs .. "/bench_bare", job.url, job.hashes, job.jobs, job.list, job.ca }
end

local function apogee(bench, job, is_in_memory)
  local config, state = bench.out .. "/config.lua", bench.out .. "/state"
  local ca = job.ca and ("%q"):format(job.ca) or "nil"
  process.sh("rm", "-rf", state)
  process.sh("mkdir", "-m", "700", state)
  process.write(config, CONFIG:format(job.url, ca, job.list, job.jobs, state, is_in_memory))
  process.sh("chmod", "600", config)
  return {
    bench.apogee, "action", "scan_hash", "--config", config, "--param", "threshold=3",
    "--entities", job.hashes, "--jobs", job.jobs, "--format", "json", "--output", "/dev/null",
  }
end

--- `bare` in Apogee's place tells how far two equal programs lie apart.
function M.clients(bench)
  if bench.check then return { bare = bare, memory = bare, disk = bare } end
  return {
    bare = bare,
    memory = function(_, job) return apogee(bench, job, true) end,
    disk = function(_, job) return apogee(bench, job, false) end,
  }
end

-- ---- cells ----

local function run_once(bench, command, cell, hashes)
  local server <close> = process.serve { bench.programs .. "/bench_server", cell.delay_ms }
  local job = {
    url = server.url .. "/vtapi/v2", hashes = hashes, jobs = cell.jobs, list = cell.list,
  }
  local run = process.measure(bench, command(bench, job))
  local seen = server:stop()
  assert(run.exit == 0, ("exit code %d, see %s/stderr"):format(run.exit, bench.out))
  assert(seen.bad == 0, "the server did not understand some requests")
  assert(
    seen.items == cell.hashes,
    ("%d hashes were asked for, not %d"):format(seen.items, cell.hashes)
  )
  return {
    rate = cell.hashes / run.wall_s,
    cpu_us = run.cpu_s / cell.hashes * 1e6,
    peak_mib = run.peak_kib / 1024,
    requests = seen.requests,
    in_flight = seen.in_flight,
  }
end

local function rounds_of(bench, cell)
  if cell.rounds then return cell.rounds end
  local waits_s = cell.hashes / (cell.jobs * cell.list) * cell.delay_ms / 1000
  if waits_s > LONG_S then return 1 end
  return waits_s < SHORT_S and bench.rounds * SHORT_TIMES or bench.rounds
end

--- The median over the rounds of what `get` makes of each.
local function over(rounds, get)
  local values = {}
  for i, round in ipairs(rounds) do
    values[i] = get(round)
  end
  return M.median(values)
end

local function medians(rounds, name)
  local result = {}
  for key in pairs(rounds[1][name]) do
    result[key] = over(rounds, function(round) return round[name][key] end)
  end
  return result
end

local function compare(rounds, store)
  return {
    bare = medians(rounds, "bare"),
    apogee = medians(rounds, store),
    rate = over(rounds, function(round) return round[store].rate / round.bare.rate end),
    cpu = over(rounds, function(round) return round[store].cpu_us / round.bare.cpu_us end),
    more_us = over(rounds, function(round) return round[store].cpu_us - round.bare.cpu_us end),
  }
end

--- Runs the clients in turns, and compares those of each round: what disturbs the machine for a
--- while disturbs all.
---@return table<string, table> results by store, "memory" and "disk": medians of both clients'
---   numbers, and of `rate`, `cpu` and `more_us`
function M.run(bench, cell)
  local clients, hashes, rounds = M.clients(bench), M.hashes(bench, cell.hashes), {}
  for i = 1, rounds_of(bench, cell) do
    rounds[i] = {}
    for _, name in ipairs { "bare", "memory", "disk" } do
      rounds[i][name] = run_once(bench, clients[name], cell, hashes)
    end
  end
  return { memory = compare(rounds, "memory"), disk = compare(rounds, "disk") }
end

-- ---- start-up ----

local function wall_ms(bench, words)
  local run = process.measure(bench, words)
  assert(run.exit == 0, ("exit code %d, see %s/stderr"):format(run.exit, bench.out))
  return run.wall_s * 1000
end

--- The median time of `apogee --version`, in ms.
function M.version(bench, rounds)
  local times = {}
  for i = 1, rounds do
    times[i] = wall_ms(bench, { bench.apogee, "--version" })
  end
  return M.median(times)
end

--- The median times of one look-up over TLS, in ms, in turns.
---@return number bare, number apogee
function M.one_hash(bench, rounds)
  local hashes, ca = M.hashes(bench, 1), bench.out .. "/ca.pem"
  local server <close> = process.serve {
    bench.apogee, "simulate", "--tls", "--ca-out", ca, "--premium", "--no-quota",
  }
  local job = { url = server.url, hashes = hashes, jobs = 1, list = 25, ca = ca }
  local clients, times = M.clients(bench), { bare = {}, memory = {} }
  for i = 1, rounds do
    for _, name in ipairs { "bare", "memory" } do
      times[name][i] = wall_ms(bench, clients[name](bench, job))
    end
  end
  return M.median(times.bare), M.median(times.memory)
end

return M
