--- JSON. Every script has it.
--- @module json
json = {}

--- What it holds.
--- @table fields
--- @field null userdata a null within a list, and one to write; a null of an object is nil

--- Decodes. Whole numbers are integers.
--- @param text string at most 8 MiB
--- @return any value
--- @return string|nil message
--- @return string|nil code `bad_answer`, `too_large`
function json.decode(text) end

--- Encodes. A table with whole numbers from 1 on is an array, and so is an empty one.
--- @param value any
--- @return string text
function json.encode(value) end

--- Marks a table as an array.
--- @param list table
--- @return table list
function json.array(list) end

--- Marks a table as an object, also when it is empty.
--- @param map table
--- @return table map
--- @usage json.encode { tags = json.object {} }
function json.object(map) end
