-- Runs the program as a user would and gives back what it printed and how it ended.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local BIN = assert(os.getenv "APOGEE_BIN", "APOGEE_BIN must name the program")

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  os.remove(path)
  return text
end

--- A file of its own with some text; the caller removes it.
function M.file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

---@param args string[]
---@param input string|nil what standard input holds
---@return { out: string, err: string, exit: integer }
function M.run(args, input)
  local words = { quote(BIN) }
  for _, arg in ipairs(args) do
    words[#words + 1] = quote(arg)
  end
  local input_path, out_path, err_path = M.file(input or ""), os.tmpname(), os.tmpname()
  local command = ("timeout 30 %s <%s >%s 2>%s"):format(
    table.concat(words, " "),
    quote(input_path),
    quote(out_path),
    quote(err_path)
  )
  local _, how, code = os.execute(command)
  os.remove(input_path)
  assert(how == "exit", "the program was ended by a signal")
  return { out = read(out_path), err = read(err_path), exit = code }
end

return M
