-- A `vt` that asks nobody: what it would ask is noted, and answered from the cache or by supposing
-- an answer. An action is run once for each way that its answers may turn out, so that its cost is
-- known from the least to the most without the action having to tell it: a custom one needs nothing
-- more than a packaged one, and cannot say one thing and do another.
-- SPDX-License-Identifier: Apache-2.0
-- luacheck: read globals clock
local M = {}

--- Ways that are tried for one entity: a look-up has up to three, so three in a row are covered.
local MAX_WAYS = 27

local LONG_AGO = "1970-01-01 00:00:00"
local NOT_KNOWN = "VirusTotal does not know it"

--- The problem of an action that asks other hosts.
M.OTHER_HOSTS = "what other hosts hold is not known to a plan"

local Dry = {}
Dry.__index = Dry

-- ---- the ways ----

-- The next answer that is supposed: 1 to `count`; another way takes the next one.
local function choose(dry, count)
  local way = dry.way
  way.at = way.at + 1
  way.choices[way.at] = way.choices[way.at] or 1
  way.counts[way.at] = count
  return way.choices[way.at]
end

-- The choices of the next way; nil when all were tried.
local function next_choices(way)
  for at = way.at, 1, -1 do
    if way.choices[at] < way.counts[at] then
      local choices = table.move(way.choices, 1, at, 1, {})
      choices[at] = choices[at] + 1
      return choices
    end
  end
end

local function new_way(choices)
  return {
    choices = choices, counts = {}, at = 0, calls = {}, cached = 0, shared = 0, bytes = 0,
    outside = 0,
  }
end

-- ---- what would be asked ----

-- What is asked for a second time is one request: of the same step, or what is kept for later ones.
-- A step that may not run keeps nothing for others.
local function is_shared(dry, call, resource, stays)
  local key = call .. "\0" .. resource
  local here = dry.step .. "\0" .. key
  local first = dry.asked[key] or dry.asked[here]
  if first and first ~= dry.subject then return true end
  dry.asked[stays and dry.facts.keeps and dry.is_sure and key or here] = dry.subject
  return false
end

-- The rule of the policy that denies it; nil: none does.
local function denial(dry, call, what, is_unknown)
  local why = dry.engine.denies(call, what, {
    is_unknown = is_unknown or false, is_own = dry.way.has_submitted or false,
  })
  dry.way.denied = dry.way.denied or why
  return why
end

local function note(dry, kind, call, resource, stays)
  if resource and is_shared(dry, call, resource, stays) then
    dry.way.shared = dry.way.shared + 1
    return
  end
  local name = kind .. " " .. call
  dry.way.calls[name] = (dry.way.calls[name] or 0) + 1
end

-- A report that says nothing, but is there and finished, of a scan long ago or of now.
local function supposed(resource, is_old)
  return {
    response_code = 1, resource = resource, positives = 0, total = 0, scans = {},
    scan_date = is_old and LONG_AGO or clock.format(clock.now()):gsub("[TZ]", { T = " ", Z = "" }),
  }
end

-- A report of a domain or an address has no scan that could be old.
local HAS_SCAN = { file_report = true, url_report = true }

local function find(dry, call, resource, options)
  if not (type(options) == "table" and options.cache == false) then
    local report, message, code = dry.engine.cached(call, resource)
    if report ~= false then
      dry.way.cached = dry.way.cached + 1
      return report, message, code
    end
    note(dry, "look_up", call, call == "file_report" and resource:lower() or resource, true)
  else
    note(dry, "look_up", call)
  end
  dry.way.is_supposed = true
  local answer = choose(dry, HAS_SCAN[call] and 3 or 2)
  if answer == 2 then return nil, NOT_KNOWN, "not_found" end
  return supposed(resource, answer == 3)
end

-- What is not known may be submitted under unknown-only.
local function look_up(dry, call, resource, options)
  local why = denial(dry, call, resource)
  if why then return nil, why, "denied" end
  local report, message, code = find(dry, call, resource, options)
  dry.way.unknown = code == "not_found" and { call = call, resource = resource } or nil
  return report, message, code
end

local function submit(dry, kind, call, resource)
  dry.way.has_submitted = true
  note(dry, kind, call, resource, true)
  return { scan_id = "plan-" .. resource, resource = resource }
end

--- The functions of `vt`, as of bind_vt.c; each action gets its own.
function Dry:module()
  local dry = self
  local vt = { engines = dry.facts.engines }
  for _, call in ipairs { "file_report", "url_report", "domain_report", "ip_report" } do
    vt[call] = function(resource, options) return look_up(dry, call, resource, options) end
  end

  function vt.comments(resource, options)
    local why = denial(dry, "comments", resource)
    if why then return nil, why, "denied" end
    local wanted = dry.facts.comments
    local is_risky = dry.way.is_supposed or type(options) == "table" and options.risky
    if wanted == "all" or wanted == "risky" and is_risky then note(dry, "comments", "comments") end
    return {}
  end

  function vt.file_rescan(hash)
    local why = denial(dry, "file_rescan", hash)
    if why then return nil, why, "denied" end
    return submit(dry, "rescan", "file_rescan", hash:lower())
  end

  function vt.url_scan(url, options)
    local unknown = dry.way.unknown
    local why = denial(dry, "url_scan", url,
      unknown and unknown.call == "url_report" and unknown.resource == url)
    if why then return nil, why, "denied" end
    local has_report = type(options) == "table" and options.report ~= nil
    return submit(dry, has_report and "rescan" or "submission", "url_scan", url)
  end

  function vt.file_scan(source)
    local unknown = dry.way.unknown
    local why = denial(dry, "file_scan", source, unknown and unknown.call == "file_report")
    if why then return nil, why, "denied" end
    local name = tostring(source.name or source)
    dry.way.bytes = dry.way.bytes + (math.tointeger(source.size) or 0)
    local receipt = submit(dry, "upload", "file_scan", name)
    receipt.sha256 = name
    return receipt
  end

  function vt.await(kind, receipt, options)
    local resource = type(receipt) == "table" and receipt.scan_id or receipt
    if type(resource) ~= "string" then resource = options and options.resource or "?" end
    local why = not dry.way.has_submitted and denial(dry, kind .. "_report", resource)
    if why then return nil, why, "denied" end
    note(dry, "poll", kind .. "_report", resource)
    dry.way.is_supposed = true
    return supposed(resource)
  end
  return vt
end

--- What reaches out to other hosts is refused, counted, and said: what follows is not known.
---@param functions string[] of the module
---@param is_counted boolean each call is a request
---@return table module
function Dry:refusing(functions, is_counted)
  local module = {}
  for _, name in ipairs(functions) do
    module[name] = function()
      self.way.problem = M.OTHER_HOSTS
      self.way.outside = self.way.outside + (is_counted and 1 or 0)
      return nil, "a plan reaches no host", "denied"
    end
  end
  return module
end

-- ---- exploring ----

local function add_way(found, way)
  local quota = 0
  for name, count in pairs(way.calls) do
    quota = quota + count
    found.most[name] = math.max(found.most[name] or 0, count)
    if not found.has_way then found.least[name] = count end
  end
  for name, count in pairs(found.least) do
    found.least[name] = math.min(count, way.calls[name] or 0)
  end
  found.quota.least = found.has_way and math.min(found.quota.least, quota) or quota
  found.quota.most = math.max(found.quota.most, quota)
  found.outside.least = found.has_way and math.min(found.outside.least, way.outside)
    or way.outside
  found.outside.most = math.max(found.outside.most, way.outside)
  found.bytes = math.max(found.bytes, way.bytes)
  found.cached = math.max(found.cached, way.cached)
  found.shared = math.max(found.shared, way.shared)
  found.has_way = true
end

--- Runs a function in each way that its answers may turn out.
---@param subject string who asks; two of a step that ask the same share it
---@param run function
---@return table found { least, most = { ["KIND CALL"] = count }, quota = { least, most }, bytes,
---  cached, shared, outside = { least, most } of asking other hosts, problem = what it raised,
---  denied = the rule of the policy that denies some of it }, any what it returned in the first way
function Dry:explore(subject, run, ...)
  local found = {
    least = {}, most = {}, quota = { least = 0, most = 0 }, bytes = 0, cached = 0, shared = 0,
    outside = { least = 0, most = 0 },
  }
  local choices, first = {}, nil
  for number = 1, MAX_WAYS do
    self.subject = self.step .. ":" .. subject
    self.way = new_way(choices)
    local ok, result = pcall(run, ...)
    if not ok then self.way.problem = tostring(result) end
    found.problem = found.problem or self.way.problem
    found.denied = found.denied or self.way.denied
    if number == 1 then first = result end
    add_way(found, self.way)
    choices = next_choices(self.way)
    if not choices then break end
  end
  return found, first
end

--- Another step begins.
---@param step integer
---@param is_sure boolean it will run
function Dry:enter(step, is_sure)
  self.step = step
  self.is_sure = is_sure
  self.way = new_way {} -- of what is asked before an entity is, such as a list of items
end

--- What could not be told since the step began, beside its entities.
---@return string?
function Dry:problem() return self.way.problem end

---@param engine table
---@param facts table of engine.facts
---@return table dry; one task at a time may be run with it
function M.new(engine, facts)
  return setmetatable({ engine = engine, facts = facts, asked = {}, step = 0 }, Dry)
end

return M
