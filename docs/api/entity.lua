--- What an action runs on, and what the sets of a playbook hold. Its fields can be read wherever a
--- script has it; its methods write on it, and work only in the run of this very entity.
--- @classmod entity
local entity = {}

--- What can be read of it.
--- @table fields
--- @field identifier string the indicator, cleaned
--- @field type string `filehash`, `ip_address`, `url`, `hostname`, `user` or `file`
--- @field original_identifier string|nil as it was first written, where that differs
--- @field internal boolean a private or loopback address, or said to be internal
--- @field suspicious boolean marked by this action or by one before it
--- @field enriched boolean something has written on it
--- @field tlp string|nil `clear`, `green`, `amber`, `amber+strict`, `red`
--- @field properties table what came in with it, by name

--- Writes a field of its enrichment, below the action's provider.
--- @param field string its name
--- @param value any what JSON has; nil writes nothing
--- @usage entity:enrich("Country", report.country)
function entity:enrich(field, value) end

--- Marks it suspicious.
function entity:mark_suspicious() end

--- Says what a person should read.
--- @param insight table `severity` (`info`, `warn`, `error`), `title`, `body`
--- @usage entity:insight { severity = "warn", title = "Seen twice", body = "On the mail and on the proxy." }
function entity:insight(insight) end

--- The verdict.
--- @param verdict table `detections`, `risky` (true or false), and perhaps `total` and `threshold`
--- @usage entity:result { detections = 12, total = 70, threshold = 3, risky = true }
function entity:result(verdict) end

--- A table for reports.
--- @param given table `title`, `columns` (a list of texts), `rows` (a list of lists, or `vt.engines(report).rows`)
--- @usage entity:table { title = "Mails", columns = { "When", "From" }, rows = { { "12:04", "ana" } } }
function entity:table(given) end

--- Where a person reads more.
--- @param url string http or https, at most 8,192 bytes
function entity:link(url) end

--- Its registrable domain: `example.co.uk` of `www.example.co.uk`, of a URL there, of `ana@example.co.uk`.
--- @param exact_host boolean|nil true: the host itself
--- @return string|nil domain
--- @return string|nil message why there is none
--- @return string|nil code `invalid`
function entity:domain(exact_host) end

return entity
