--- The time, UTC. Every script has it.
--- @module clock
clock = {}

--- The time now.
--- @return integer seconds since 1970
function clock.now() end

--- Reads a time.
--- @param text string `2026-11-24 04:11:52`, as VirusTotal writes it, `2026-11-24T04:11:52Z`, `20261124041152`, `2026-11-24`
--- @return integer|nil seconds since 1970
--- @return string|nil message
--- @return string|nil code `invalid`
function clock.parse(text) end

--- Writes a time.
--- @param seconds integer since 1970
--- @return string text `2026-11-24T04:11:52Z`
function clock.format(seconds) end

--- Waits, while others go on.
--- @param seconds number at most 604,800
--- @return boolean|nil ok
--- @return string|nil message
--- @return string|nil code `deadline`, `canceled`
function clock.sleep(seconds) end
