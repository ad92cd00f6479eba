--- What is said on standard error with `-v`. Every script has it. At most 10,000 lines of a run.
--- @module log
log = {}

--- Something is wrong.
--- @param text any a text, or a format as of `string.format` with values behind it
--- @param ... any
function log.error(text, ...) end

--- Something may be wrong.
--- @param text any
--- @param ... any
function log.warn(text, ...) end

--- Worth knowing; shown with `-v`.
--- @param text any
--- @param ... any
--- @usage log.info("%s: %d mails", entity.identifier, count)
function log.info(text, ...) end

--- For who looks for a mistake; shown with `-v -v`.
--- @param text any
--- @param ... any
function log.debug(text, ...) end
