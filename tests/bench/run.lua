-- The benchmark: Apogee beside a bare libcurl program. docs/benchmarks.md explains it.
--
--   lua5.4 tests/bench/run.lua [OPTION VALUE]...
--
--   --build DIR     the build whose programs are run (build/release)
--   --out DIR       where the report and the files of the runs go (build/bench)
--   --hashes N      hashes of a cell (4000)
--   --memory N      hashes of the run whose peak memory counts (100000)
--   --rounds N      runs of a cell, of which the median counts (3; short ones five times as often)
--   --wait N        seconds that a run of a cell may wait for its server (30): where it would be
--                   more, fewer hashes are asked for. 0: never fewer
--   --large no      without the uploads of 650 MiB, which want 2 GB of disk for a while
--   --only CELL     cells whose name begins so: "50/32/1" is 50 ms, 32 jobs, lists of 1; or
--                   "memory", "version", "tls", "upload/30", "upload/650", "sftp/0/30" and so on
--                   (0 or 40 ms of delay), "files"
--   --check yes     the bare program in Apogee's place: every ratio should be 1
--
-- Ends with 1 when an aim is missed.
-- SPDX-License-Identifier: Apache-2.0
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. here .. "/../?.lua;" .. package.path

local cells = require "cells"
local process = require "process"
local report = require("report").new()
local uploads = require "uploads"

local VERSION_ROUNDS, TLS_ROUNDS = 41, 21
local TOUCHED_KIB, BLOCK_KIB = 4 * 1024 * 1024, 64 * 1024

local options = {
  build = "build/release", out = "build/bench", hashes = "4000", memory = "100000", rounds = "3",
  wait = "30", large = "yes", only = "", check = "no",
}
for i = 1, #arg, 2 do
  local name = arg[i]:match "^%-%-(%l+)$"
  if not (name and options[name] and arg[i + 1]) then
    io.stderr:write("bench: ", arg[i], ": an unknown option, or its value is missing\n")
    os.exit(2)
  end
  options[name] = arg[i + 1]
end

local bench = {
  programs = options.build .. "/tests",
  apogee = options.build .. "/bin/apogee",
  out = options.out,
  rounds = math.tointeger(options.rounds),
  check = options.check == "yes",
  key = ("b"):rep(64),
}
process.sh("mkdir", "-p", bench.out)

--- Touches memory and gives it back. A virtual machine gets a page from its host when it is first
--- touched, and whoever touches it pays: in a fresh machine that was a quarter of a run's CPU.
---@return integer bytes
local function touch_memory()
  local meminfo = assert(io.open("/proc/meminfo")):read "a"
  local free_kib = math.tointeger(meminfo:match "MemAvailable:%s+(%d+)")
  local blocks = {}
  for i = 1, math.min(free_kib // 2, TOUCHED_KIB) // BLOCK_KIB do
    blocks[i] = ("x"):rep(BLOCK_KIB * 1024)
  end
  return #blocks * BLOCK_KIB * 1024
end

local function is_wanted(name)
  return name:sub(1, #options.only) == options.only
end

--- Runs a part and reports it; an error in it is a row of the report.
local function part(name, run)
  if not is_wanted(name) then return end
  local good, message = pcall(run)
  if not good then report:broken(name, message) end
end

local hashes, wait_s = math.tointeger(options.hashes), math.tointeger(options.wait)

--- As many hashes as a run can ask for within the wait.
local function hashes_of(delay_ms, jobs, list)
  if wait_s == 0 or delay_ms == 0 then return hashes end
  return math.min(hashes, wait_s * 1000 // delay_ms * jobs * list)
end

touch_memory()
collectgarbage()
report:cells_begin()
for _, delay_ms in ipairs { 50, 0 } do
  for _, jobs in ipairs { 1, 32 } do
    for _, list in ipairs { 1, 4, 25 } do
      part(("%d/%d/%d"):format(delay_ms, jobs, list), function()
        local cell = { delay_ms = delay_ms, jobs = jobs, list = list }
        cell.hashes = hashes_of(delay_ms, jobs, list)
        local results = cells.run(bench, cell)
        report:cell(cell, "memory", results.memory)
        report:cell(cell, "disk", results.disk)
      end)
    end
  end
end

report:add ""
report:add "## Memory and start-up"
report:add ""
report:add "| what | measured | aim | |"
report:add "|---|---|---|---|"
part("memory", function()
  local count = math.tointeger(options.memory)
  local cell = { delay_ms = 0, jobs = 32, list = 25, hashes = count, rounds = 1 }
  local results = cells.run(bench, cell)
  report:memory(cell, "memory", results.memory)
  report:memory(cell, "disk", results.disk)
end)
part("version", function()
  report:version(cells.version(bench, VERSION_ROUNDS))
end)
part("tls", function()
  report:one_hash(cells.one_hash(bench, TLS_ROUNDS))
end)

report:add ""
report:uploads_begin()
local idle_mib
local function upload(name, cell)
  part(name, function()
    if cell.mib > 100 and options.large == "no" then return end
    idle_mib = idle_mib or uploads.idle(bench)
    report:upload(cell, uploads.one(bench, cell), idle_mib)
  end)
end
for _, mib in ipairs { 30, 650 } do
  upload("upload/" .. mib, { mib = mib, is_remote = false })
  for _, delay_ms in ipairs { 0, 40 } do
    upload(("sftp/%d/%d"):format(delay_ms, mib),
      { mib = mib, is_remote = true, delay_ms = delay_ms })
  end
end
part("files", function()
  report:many(uploads.many(bench))
end)

report:add ""
report:add("%d missed.", report.missed)
report:save(bench.out .. "/report.md")
os.exit(report.missed == 0)
