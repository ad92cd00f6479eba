--- Files of this machine. An action has it with `needs = { "files" }`.
--- @module files
files = {}

--- Opens a regular file. Waits; few are open at a time.
--- @param path string
--- @return source|nil source
--- @return string|nil message
--- @return string|nil code
--- @usage local source <close>, message = files.open(entity.identifier)
function files.open(path) end
