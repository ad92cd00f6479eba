-- Uploads beside what people would do without Apogee: `curl -F` of a file that is here, and for one
-- on another machine OpenSSH's sftp and then `curl -F`. Over TLS to the simulator, in turns.
-- SPDX-License-Identifier: Apache-2.0
local median = require("cells").median
local process = require "process"
local sshd = require "e2e.support.sshd"

local M = {}

local MIB = 1024 * 1024
local PLAIN_MIB = 31 -- what is larger goes through upload_url

-- A small sample is over soon, and is sent more often.
local LARGE_ROUNDS, SMALL_ROUNDS = 3, 9
local IDLE_ROUNDS = 5
local FILES, FILE_KIB, ALONE = 200, 100, 40

-- Scans are done at once and asked for at once, so that a run is an upload and little else.
local CONFIG = [[
return {
  virustotal = {
    url = %q,
    api_key = "env:APOGEE_BENCH_KEY",
    ca_file = %q,
    tier = { per_minute = 0, per_day = 0, per_month = 0, list = 25, premium = true },
    comments = "none",
    poll_interval = "1ms",
    upload_max = "650MiB",
  },
  state_dir = %q,
}
]]

local function output(...)
  local command = process.quote { ... }
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), "this failed: " .. command)
  return (text:gsub("%s+$", ""))
end

local function absolute(path)
  return output("realpath", path)
end

local function measure(bench, words)
  local run = process.measure(bench, words)
  assert(run.exit == 0, ("exit code %d, see %s/stderr"):format(run.exit, bench.out))
  return run
end

-- ---- the two ways ----

local function simulate(bench)
  local ca, scenario = absolute(bench.out) .. "/ca.pem", bench.out .. "/scenario.lua"
  process.write(scenario, "return { scan_ms = 0 }\n")
  local server = process.serve {
    bench.apogee, "simulate", "--tls", "--ca-out", ca, "--premium", "--no-quota",
    "--scenario", scenario, "--upload-max", "1GiB",
  }
  server.ca = ca
  return server
end

local function place_of(bench, server, sample)
  if sample.mib <= PLAIN_MIB then return server.url .. "/file/scan" end
  local answer = output("curl", "-sS", "--fail", "--cacert", server.ca,
    server.url .. "/file/scan/upload_url?apikey=" .. bench.key)
  local url = answer:match '"upload_url": *"([^"]+)"'
  return url or error(answer)
end

local function curl(bench, server, sample, path)
  return measure(bench, {
    "curl", "-sS", "--fail", "--noproxy", "*", "--cacert", server.ca,
    "-F", "apikey=" .. bench.key, "-F", "file=@" .. path, place_of(bench, server, sample),
  })
end

local function fetch_and_curl(bench, server, sample)
  local remote, path = sample.remote, bench.out .. "/fetched"
  local fetched = measure(bench, {
    "sftp", "-q", "-P", remote.port, "-i", remote.key, "-o", "IdentitiesOnly=yes",
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    remote.user .. "@127.0.0.1:" .. sample.path, path,
  })
  local sent = curl(bench, server, sample, path)
  process.sh("rm", path)
  return { wall_s = fetched.wall_s + sent.wall_s }
end

local function configure(bench, server)
  local config, state = bench.out .. "/uploads.lua", absolute(bench.out) .. "/state"
  process.sh("rm", "-rf", state)
  process.sh("mkdir", "-m", "700", state)
  process.write(config, CONFIG:format(server.url, server.ca, state))
  process.sh("chmod", "600", config)
  return config
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

--- Uploads the paths in one run.
local function apogee(bench, config, paths, bytes, remote)
  local result = bench.out .. "/uploads.json"
  local words = {
    bench.apogee, "action", "upload_and_scan_file", "--config", config, "--format", "json",
    "--output", result, "--param", "file_paths=" .. table.concat(paths, ","),
  }
  if remote then
    for name, value in pairs {
      linux_server_address = "127.0.0.1:" .. remote.port, linux_user = remote.user,
      ssh_key = remote.key, ssh_host_key = remote.fingerprint,
    } do
      table.insert(words, "--param")
      table.insert(words, name .. "=" .. value)
    end
  end
  local run = measure(bench, words)
  local sent = tonumber(read(result):match '"bytes_sent": (%d+)')
  assert(sent and sent >= bytes, ("only %s bytes were sent, not %d"):format(sent, bytes))
  return run
end

-- ---- samples ----

--- Gives a folder that everybody may read to `use`, and removes it.
local function with_folder(use)
  local folder = output("mktemp", "-d", "/tmp/apogee-bench-XXXXXX")
  process.sh("chmod", "755", folder)
  local good, why = pcall(use, folder)
  process.sh("rm", "-rf", folder)
  assert(good, why)
end

local function make(path, bytes)
  local command = ("head -c %d /dev/urandom >%s"):format(bytes, process.quote { path })
  assert(os.execute(command), "this failed: " .. command)
  process.sh("chmod", "644", path)
  return path
end

local function remote_of(server, port)
  return {
    port = port or server.port, user = server.user, key = server:path "user_ed25519",
    fingerprint = server:fingerprint "host_ed25519",
  }
end

-- ---- what is measured ----

--- The peak of an engine that has read its actions and sends nothing, in MiB.
function M.idle(bench)
  local peaks = {}
  for i = 1, IDLE_ROUNDS do
    peaks[i] = measure(bench, { bench.apogee, "list" }).peak_kib / 1024
  end
  return median(peaks)
end

local function run_rounds(bench, sample)
  local server <close> = simulate(bench)
  local theirs, ours, ratios, peak_kib = {}, {}, {}, 0
  for i = 1, sample.mib > PLAIN_MIB and LARGE_ROUNDS or SMALL_ROUNDS do
    local other = sample.remote and fetch_and_curl(bench, server, sample)
      or curl(bench, server, sample, sample.path)
    local own = apogee(bench, configure(bench, server), { sample.path }, sample.mib * MIB,
      sample.remote)
    theirs[i], ours[i], ratios[i] = other.wall_s, own.wall_s, own.wall_s / other.wall_s
    peak_kib = math.max(peak_kib, own.peak_kib)
  end
  return {
    theirs_s = median(theirs), ours_s = median(ours), ratio = median(ratios),
    peak_mib = peak_kib / 1024,
  }
end

--- Sends one file in turns: medians of both times and of the ratio, and the highest peak.
---@param cell table mib, is_remote, delay_ms of the round trip
---@return table result theirs_s, ours_s, ratio, peak_mib
function M.one(bench, cell)
  local result
  with_folder(function(folder)
    local sample = { mib = cell.mib, path = make(folder .. "/sample", cell.mib * MIB) }
    if not cell.is_remote then
      result = run_rounds(bench, sample)
      return
    end
    sshd.with(function(server)
      sample.remote = remote_of(server)
      if cell.delay_ms == 0 then
        result = run_rounds(bench, sample)
        return
      end
      local proxy <close> = process.serve {
        bench.programs .. "/bench_delay", server.port, cell.delay_ms // 2,
      }
      sample.remote.port = proxy.url:match "%d+$"
      result = run_rounds(bench, sample)
    end)
  end)
  return result
end

--- Files a second: many in one run and so over one connection, and each in a run of its own.
---@return number together
---@return number alone
function M.many(bench)
  local together, alone
  with_folder(function(folder)
    local paths = {}
    for i = 1, FILES do paths[i] = make(("%s/%d"):format(folder, i), FILE_KIB * 1024) end
    sshd.with(function(ssh)
      local server <close> = simulate(bench)
      local remote = remote_of(ssh)
      local all = apogee(bench, configure(bench, server), paths, FILES * FILE_KIB * 1024, remote)
      together = FILES / all.wall_s
      local spent_s, config = 0, configure(bench, server)
      for i = 1, ALONE do
        spent_s = spent_s + apogee(bench, config, { paths[i] }, FILE_KIB * 1024, remote).wall_s
      end
      alone = ALONE / spent_s
    end)
  end)
  return together, alone
end

return M
