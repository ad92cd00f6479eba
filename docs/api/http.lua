--- Other services. An action has it with `needs = { http = { "HOST", ... } }`, and reaches no other host: see http.md.
--- @module http
http = {}

--- Sends a request and waits for the answer. Every status is an answer, 404 and 500 too.
--- @param request table `url`; `method` (GET), `headers`, `query`, one of `body`, `form` and `json`, `timeout` (30 seconds), `max_bytes` (1 MiB), `once` (a text; needed by methods other than GET and HEAD)
--- @return answer|nil answer
--- @return string|nil message
--- @return string|nil code `denied`, `in_doubt`, `timeout`, `network`, `tls`, `too_large`, `bad_answer`, `io`, `deadline`, `canceled`
--- @usage
--- local answer, message, code = http.request {
---   method = "PUT", url = "https://hive.example.com/api/case/7", once = "case 7", json = { tags = { "vt" } },
---   headers = { Authorization = "Bearer " .. secret "hive_key" },
--- }
function http.request(request) end

--- The same with GET.
--- @param url string|secret
--- @param options table|nil as of `http.request`
--- @return answer|nil answer
--- @return string|nil message
--- @return string|nil code
function http.get(url, options) end

--- The same with POST.
--- @param url string|secret
--- @param options table as of `http.request`; `once` is needed
--- @return answer|nil answer
--- @return string|nil message
--- @return string|nil code
function http.post(url, options) end
