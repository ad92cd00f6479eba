--- Entities, in the order of the case. A set does not change; `#set` is how many there are.
--- @classmod set
local set = {}

--- Those of some types.
--- @param ... string
--- @return set entities
function set:of(...) end

--- Those that are not internal.
--- @return set entities
function set:external() end

--- Those that something has marked.
--- @return set entities
function set:suspicious() end

--- Those for which a function is true.
--- @param fn function `function(entity)`
--- @return set entities
function set:where(fn) end

--- Those of both.
--- @param other set
--- @return set entities
function set:union(other) end

--- Them as a list.
--- @param max integer|nil how many at most
--- @return table entities a list of entities, to read
function set:list(max) end

return set
