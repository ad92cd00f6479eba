-- What the linker and the compiler left in a program of what they were asked for (readelf).
-- SPDX-License-Identifier: Apache-2.0
local program = require "e2e.support.program"

local M = {}

local function readelf(options, path)
  local pipe = assert(io.popen(("LC_ALL=C readelf -W %s %s 2>&1")
    :format(options, program.quote(path))))
  local text = pipe:read "a"
  assert(pipe:close(), text)
  return text
end

-- A segment's flags, as "R E"; nil: there is none.
local function segment(headers, name)
  return headers:match("\n%s*" .. name .. "%s+0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([R ][W ][E ])")
end

local function has_writable_code(headers)
  for flags in headers:gmatch "\n%s*LOAD%s+0x%x+ 0x%x+ 0x%x+ 0x%x+ 0x%x+ ([R ][W ][E ])" do
    if flags:sub(2) == "WE" then return true end
  end
  return false
end

--- The protections that a program lacks, by name, sorted; an empty table where it has them all.
---@param path string
---@return string[]
function M.missing(path)
  local headers, dynamic = readelf("-hl", path), readelf("-d", path)
  local symbols = readelf("--dyn-syms", path)
  local has_sanitizer = symbols:find("__asan_init", 1, true)
  local has = {
    ["position independent"] = headers:find "Type:%s+DYN" and dynamic:find "FLAGS_1[^\n]* PIE",
    ["read-only relocations"] = segment(headers, "GNU_RELRO"),
    ["bound at start"] = dynamic:find "FLAGS_1[^\n]* NOW",
    ["stack without code"] = segment(headers, "GNU_STACK") == "RW ",
    ["no writable code"] = not has_writable_code(headers) and not dynamic:find "TEXTREL",
    ["no search path"] = not dynamic:find "R[UN]*PATH",
    ["stack protector"] = symbols:find("__stack_chk_fail", 1, true),
    ["fortified calls"] = has_sanitizer or symbols:find "__%w+_chk@",
  }
  local missing = {}
  for _, name in ipairs { "position independent", "read-only relocations", "bound at start",
    "stack without code", "no writable code", "no search path", "stack protector",
    "fortified calls" } do
    if not has[name] then table.insert(missing, name) end
  end
  return missing
end

--- Objects of an archive that do not say that their branches are guarded; nil where the machine has
--- no such guard.
---@param path string
---@return string[]? names
function M.unguarded(path)
  local wanted = readelf("-h", path):find "X86%-64" and "IBT, SHSTK"
    or readelf("-h", path):find "AArch64" and "BTI, PAC"
  if not wanted then return nil end
  local names = {}
  local notes = readelf("-n", path):gsub("File: ", "\0")
  for name, of_it in notes:gmatch "%z[^\n]*%((.-)%)([^%z]*)" do
    if not of_it:find(wanted, 1, true) then table.insert(names, name) end
  end
  return names
end

return M
