--- What `http` gives.
--- @module answer
local answer = {}

--- What it holds.
--- @table fields
--- @field status integer
--- @field headers table by their names in lower case; several of one name are joined by ", "
--- @field body string secrets in it are `***`
--- @field is_repeat boolean|nil true: it was sent before in this run, and this is the answer of then

--- The body, decoded. Called with a dot.
--- @return any value
--- @return string|nil message
--- @return string|nil code `bad_answer`, `too_large`
--- @usage local found = answer.status == 200 and answer.json()
function answer.json() end

return answer
