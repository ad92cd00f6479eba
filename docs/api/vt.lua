--- VirusTotal. An action has it with `needs = { "vt" }`.
---
--- All but `vt.engines` wait. What VirusTotal or the network does comes back as nil, a message and a code; what the
--- policy denies is nil, the rule and `denied`, and nothing was sent. What is wrong in the call raises.
--- @module vt
vt = {}

--- The report of a file.
--- @param hash string MD5, SHA-1 or SHA-256
--- @param options table|nil `cache = false`: not from the cache; `on_limit = "stop"`: do not wait for quota
--- @return table|nil report the decoded answer
--- @return string|nil message
--- @return string|nil code
--- @return string|nil scan_id with the code `queued`
--- @usage
--- local report, message, code = vt.file_report(entity.identifier)
--- if not report then return ctx.from_error(message, code) end
function vt.file_report(hash, options) end

--- The report of a URL.
--- @param url string
--- @param options table|nil as of `vt.file_report`
--- @return table|nil report
--- @return string|nil message
--- @return string|nil code
--- @return string|nil scan_id with the code `queued`
function vt.url_report(url, options) end

--- The report of a domain.
--- @param domain string
--- @param options table|nil as of `vt.file_report`
--- @return table|nil report
--- @return string|nil message
--- @return string|nil code
function vt.domain_report(domain, options) end

--- The report of an IPv4 address.
--- @param address string
--- @param options table|nil as of `vt.file_report`
--- @return table|nil report
--- @return string|nil message
--- @return string|nil code
function vt.ip_report(address, options) end

--- What people wrote about a file or a URL. Needs a premium key; an empty list where the configuration wants none.
--- @param resource string a hash or a URL
--- @param options table|nil `risky`: whether it is, for `virustotal.comments = "risky"`
--- @return table|nil comments `{ { date, comment }, ... }`
--- @return string|nil message
--- @return string|nil code
function vt.comments(resource, options) end

--- Has a file scanned again. Needs a premium key.
--- @param hash string
--- @param options table|nil `report`: the one in hand, which makes a refusal no failure
--- @return table|nil receipt `{ scan_id, resource, permalink }`, for `vt.await`
--- @return string|nil message
--- @return string|nil code
function vt.file_rescan(hash, options) end

--- Submits a URL. It becomes public.
--- @param url string
--- @param options table|nil `report`: as of `vt.file_rescan`
--- @return table|nil receipt `{ scan_id, resource, permalink }`
--- @return string|nil message
--- @return string|nil code
function vt.url_scan(url, options) end

--- Sends a file. VirusTotal's customers can download it. The source is closed afterwards.
--- @param source source of `files.open` or `connection:open_file`
--- @param options table|nil `name`: under which it is sent; `report`: as of `vt.file_rescan`
--- @return table|nil receipt `{ scan_id, resource, permalink, md5, sha1, sha256 }`
--- @return string|nil message
--- @return string|nil code
--- @usage
--- local source <close>, message, code = files.open(entity.identifier)
--- if not source then return ctx.failed(message) end
--- local receipt, why, what = vt.file_scan(source)
--- if not receipt then return ctx.from_error(why, what) end
--- local report, reason, word = vt.await("file", receipt)
--- if not report then return ctx.from_error(reason, word) end
--- return ctx.scanned(report)
function vt.file_scan(source, options) end

--- Waits for a scan.
--- @param kind string `file` or `url`
--- @param receipt table|string a receipt, or a scan id
--- @param options table|nil `resource`: what to ask for when the receipt has no scan id
--- @return table|nil report
--- @return string|nil message
--- @return string|nil code `queued` when the run ends first
function vt.await(kind, receipt, options) end

--- The engines of a report of a file or a URL. Does not wait.
--- @param report table
--- @return table|nil engines `{ detecting = { names }, total, rows }`; `rows` is for `entity:table`. nil: the report has none
function vt.engines(report) end
