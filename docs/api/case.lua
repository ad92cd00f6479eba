--- The case, as functions of a playbook and a `run_case` see it. `case.STEP` is what a step found: see `step`.
--- @classmod case
local case = {}

--- The entities of some types.
--- @param ... string types
--- @return set entities
--- @usage on = function(case) return case:of("hostname", "url"):external() end
function case:of(...) end

--- The entities that are not internal.
--- @return set entities
function case:external() end

--- The entities that something has marked.
--- @return set entities
function case:suspicious() end

--- The entities for which a function is true.
--- @param fn function `function(entity)`
--- @return set entities
function case:where(fn) end

--- All entities, and those of a set.
--- @param other set
--- @return set entities
function case:union(other) end

--- Tags the case. The same twice is one; at most 100 of 200 bytes.
--- @param text string
function case:tag(text) end

--- Sets the score, and says what it is.
--- @param score integer|nil nil: only says it
--- @return integer score
--- @usage case:score(case:score() + 10)
function case:score(score) end

--- Says what a person should read.
--- @param insight table `title`, and perhaps `severity` (`info`), `body`, `entity` (an identifier)
function case:insight(insight) end

return case
