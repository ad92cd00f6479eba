-- The report: a table of Markdown with a verdict beside each number that has an aim.
-- SPDX-License-Identifier: Apache-2.0
local M = {}
M.__index = M

-- The aims; docs/benchmarks.md has them too.
local RATE_RATIO, CPU_RATIO, CPU_MORE_US = 0.95, 2.5, 200
local VERSION_MS, ONE_HASH_MORE_MS, PEAK_MIB = 5, 15, 96
local UPLOAD_MORE_MIB, MANY_RATIO = 32, 5
local UPLOAD_RATIO, FETCH_RATIO, FAR_FETCH_RATIO = 1.6, 1.1, 1.5

local HEAD = {
  "| server | jobs | list | hashes | store | look-ups/s: bare | Apogee | ratio | aim "
    .. "| CPU µs a look-up: bare | Apogee | ratio | more | aim "
    .. "| peak MiB: bare | Apogee | requests: bare | Apogee | at once: bare | Apogee |",
  "|" .. ("--:|"):rep(20),
}

function M.new()
  return setmetatable({ lines = {}, missed = 0 }, M)
end

function M:add(fmt, ...)
  local line = fmt:format(...)
  table.insert(self.lines, line)
  print(line)
  io.stdout:flush()
end

function M:verdict(good)
  if good then return "pass" end
  self.missed = self.missed + 1
  return "**FAIL**"
end

function M:cells_begin()
  self:add "## Scan Hash"
  self:add ""
  for _, line in ipairs(HEAD) do
    self:add("%s", line)
  end
end

--- The aims are those of the store in memory; the other stands beside it.
function M:cell(cell, store, result)
  local bare, apogee = result.bare, result.apogee
  local rate_aim, cpu_aim = "-", "-"
  if store == "memory" then
    local is_cheap = result.more_us <= CPU_MORE_US
    if cell.list == 1 then is_cheap = result.cpu <= CPU_RATIO end
    cpu_aim = self:verdict(is_cheap)
    if cell.delay_ms > 0 then rate_aim = self:verdict(result.rate >= RATE_RATIO) end
  end
  self:add(
    "| %d ms | %d | %d | %d | %s | %.0f | %.0f | %.3f | %s | %.1f | %.1f | %.2f | %+.1f | %s "
      .. "| %.1f | %.1f | %d | %d | %d | %d |",
    cell.delay_ms, cell.jobs, cell.list, cell.hashes, store,
    bare.rate, apogee.rate, result.rate, rate_aim,
    bare.cpu_us, apogee.cpu_us, result.cpu, result.more_us, cpu_aim,
    bare.peak_mib, apogee.peak_mib, bare.requests // 1, apogee.requests // 1,
    bare.in_flight // 1, apogee.in_flight // 1
  )
end

function M:broken(what, message)
  self:add("| %s | %s | %s |", what, self:verdict(false), (tostring(message):gsub("|", "/")))
end

function M:memory(cell, store, result)
  local peak = result.apogee.peak_mib
  self:add(
    "| %d hashes, lists of %d, store %s | peak %.1f MiB (bare %.1f), %.0f look-ups/s (bare %.0f) "
      .. "| at most %d MiB | %s |",
    cell.hashes, cell.list, store == "memory" and "in memory" or "on disk",
    peak, result.bare.peak_mib, result.apogee.rate, result.bare.rate,
    PEAK_MIB, self:verdict(peak <= PEAK_MIB)
  )
end

function M:version(ms)
  self:add(
    "| `apogee --version` | %.1f ms | at most %d ms | %s |",
    ms, VERSION_MS, self:verdict(ms <= VERSION_MS)
  )
end

function M:one_hash(bare_ms, apogee_ms)
  self:add(
    "| one hash over TLS | %.1f ms (bare %.1f) | at most %d ms more | %s |",
    apogee_ms, bare_ms, ONE_HASH_MORE_MS, self:verdict(apogee_ms - bare_ms <= ONE_HASH_MORE_MS)
  )
end

function M:uploads_begin()
  self:add "## Uploads"
  self:add ""
  self:add("| file | from | others, s | Apogee, s | ratio | aim | | peak MiB | idle | aim | |")
  self:add("|%s", ("--:|"):rep(11))
end

function M:upload(cell, result, idle_mib)
  local from, aim = "this machine", UPLOAD_RATIO
  if cell.is_remote then
    from, aim = "SFTP", FETCH_RATIO
    if cell.delay_ms > 0 then
      from, aim = ("SFTP, +%d ms"):format(cell.delay_ms), FAR_FETCH_RATIO
    end
  end
  self:add(
    "| %d MiB | %s | %.2f | %.2f | %.2f | %.1f | %s | %.1f | %.1f | idle + %d | %s |",
    cell.mib, from, result.theirs_s, result.ours_s, result.ratio, aim,
    self:verdict(result.ratio <= aim), result.peak_mib, idle_mib, UPLOAD_MORE_MIB,
    self:verdict(result.peak_mib - idle_mib <= UPLOAD_MORE_MIB)
  )
end

function M:many(together, alone)
  self:add ""
  self:add(
    "Files of 100 KiB over SFTP: %.1f a second over one connection, %.1f with one for each: "
      .. "%.1f times as many, at least %d: %s",
    together, alone, together / alone, MANY_RATIO, self:verdict(together >= MANY_RATIO * alone)
  )
end

function M:save(path)
  local file = assert(io.open(path, "w"))
  assert(file:write(table.concat(self.lines, "\n"), "\n"))
  assert(file:close())
end

return M
