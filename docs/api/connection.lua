--- What `sftp.open` gives. All but `close` wait.
--- @classmod connection
local connection = {}

--- What is in a folder, without `.` and `..`.
--- @param folder string
--- @param max integer|nil 1,000 without; 10,000 at most
--- @return table|nil entries `{ { name, type, size, mtime }, ... }`; `type` is `file`, `folder`, `link` or `other`
--- @return boolean|string is_cut there are more; or the message
--- @return string|nil code
function connection:list(folder, max) end

--- What a path is; of a link itself.
--- @param path string
--- @return table|nil entry `{ type, size, mtime }`
--- @return string|nil message
--- @return string|nil code
function connection:stat(path) end

--- Opens a regular file.
--- @param path string
--- @return source|nil source
--- @return string|nil message
--- @return string|nil code
function connection:open_file(path) end

--- Closes it. Again is fine.
function connection:close() end

return connection
