--- A file that `files.open` or `connection:open_file` opened. It works in the run of the entity that opened it, and is
--- closed with it.
--- @classmod source
local source = {}

--- What can be read of it.
--- @table fields
--- @field name string the path it was opened by
--- @field size integer bytes, when it was opened

--- Reads all of it. Waits.
--- @return table|nil digests `{ md5, sha1, sha256 }`
--- @return string|nil message
--- @return string|nil code
function source:digests() end

--- Closes it. Again is fine.
function source:close() end

return source
