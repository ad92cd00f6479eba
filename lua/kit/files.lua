-- Files and folders of the kit's own.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

--- The text of a file; nil and why when it cannot be read.
function M.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text = file:read "a"
  file:close()
  return text, "it is a folder"
end

--- Writes a file. Raises when it cannot be written.
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- The folder of a path: "." for none.
function M.folder_of(path) return path:match "^(.*)/[^/]*$" or "." end

--- A path that is meant from a folder.
function M.join(folder, path)
  if path:find "^/" or folder == "." then return path end
  return folder .. "/" .. path
end

--- The same path from anywhere.
function M.absolute(path)
  if path:find "^/" then return path end
  return require("lfs").currentdir() .. "/" .. path
end

--- Removes a folder and all in it.
function M.remove(folder)
  local lfs = require "lfs"
  for name in lfs.dir(folder) do
    if name ~= "." and name ~= ".." then
      local path = folder .. "/" .. name
      if lfs.symlinkattributes(path, "mode") == "directory" then
        M.remove(path)
      else
        os.remove(path)
      end
    end
  end
  lfs.rmdir(folder)
end

--- Gives a folder of its own to `use`, and removes it.
---@param given table with make_temporary
---@return any what `use` returned
function M.with_folder(given, use)
  local folder, why = given.make_temporary()
  if not folder then error(why, 0) end
  local results = table.pack(pcall(use, folder))
  M.remove(folder)
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

return M
