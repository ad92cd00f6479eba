-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local enrichment = require "apogee.enrichment"
local sightings = require "apogee.sightings"

local IS_SCALAR = { string = true, number = true, boolean = true }

-- How a vendor's object reads as one line: these members first, the others by name.
local RANK = { ["Verdict"] = 1, ["Safety score"] = 2, ["Adult content"] = 3 }
local LAST = 4

local function is_before(a, b)
  local rank_a, rank_b = RANK[a] or LAST, RANK[b] or LAST
  if rank_a ~= rank_b then return rank_a < rank_b end
  return a < b
end

local function joined(list)
  local words = {}
  for _, word in ipairs(list) do table.insert(words, sightings.text(word)) end
  if #words > 0 then return table.concat(words, ", ") end
end

local function line_of(object)
  local names = {}
  for name, value in pairs(object) do
    if type(name) == "string" and IS_SCALAR[type(value)] then table.insert(names, name) end
  end
  table.sort(names, is_before)
  local parts = {}
  for _, name in ipairs(names) do
    local value = object[name]
    local whole = math.type(value) == "float" and math.tointeger(value)
    table.insert(parts, name .. ": " .. tostring(whole or value))
  end
  if #parts > 0 then return table.concat(parts, ", ") end
end

-- A vendor says a text, an object, or a list of texts.
local function said(key)
  return function(report)
    local value = report[key]
    if type(value) == "table" then return joined(value) or line_of(value) end
    if IS_SCALAR[type(value)] then return value end
  end
end

local function categories(report)
  local list = report.categories
  return type(list) == "table" and joined(list) or sightings.text(list)
end

local FIELDS = {
  { "Categories", categories },
  { "BitDefender Category", said "BitDefender category" },
  { "Alexa Category", said "Alexa category" },
  { "verbose_msg", "verbose_msg" },
  { "whois", "whois" },
}

-- What vendors say under names of their own: see vendor_fields.
local OUTPUTS = enrichment.names(FIELDS)
table.insert(OUTPUTS, "* category")
table.insert(OUTPUTS, "* domain info")

local IS_RENAMED = { ["BitDefender category"] = true, ["Alexa category"] = true }

-- Vendors come and go: whatever else one says goes under its own name.
local function vendor_fields(report)
  local fields = {}
  for key in pairs(report) do
    local is_text = type(key) == "string"
    local is_vendors = is_text and (key:find ". category$" or key:find ". domain info$")
    if is_vendors and not IS_RENAMED[key] then table.insert(fields, { key, said(key) }) end
  end
  table.sort(fields, function(a, b) return a[1] < b[1] end)
  return fields
end

local function add_table(entity, given)
  if given then entity:table(given) end
end

local function describe(entity, domain, report)
  enrichment.apply(entity, report, FIELDS)
  enrichment.apply(entity, report, vendor_fields(report))
  add_table(entity, sightings.detected_urls_table(report))
  add_table(entity, sightings.resolutions_table(report, "ip_address", "IP address"))
  entity:link("https://www.virustotal.com/gui/domain/" .. domain)
end

return action {
  id = "get_domain_report",
  name = "Get Domain Report",
  provider = "VirusTotal",
  doc = "Looks the domain of a host name, URL or user up at VirusTotal: its categories, its whois, "
    .. "and what was seen on it. The domain is the registrable one: example.co.uk for "
    .. "www.example.co.uk. Addresses and names of internal networks are not sent. "
    .. "It gives context, no verdict: no threshold marks a domain.",
  accepts = { "hostname", "user", "url" },
  needs = { "vt" },
  params = {
    { "exact_host", type = "boolean", default = false, label = "Exact host",
      doc = "Ask for the host as it is, instead of for its registrable domain." },
  },
  returns = "is_success",
  outputs = OUTPUTS,

  run = function(ctx, entity)
    local domain, why = entity:domain(ctx.params.exact_host)
    if not domain then return ctx.skipped(why) end
    local report, message, code = vt.domain_report(domain)
    if not report then return ctx.from_error(message, code) end
    describe(entity, domain, report)
    return ctx.reported(report)
  end,
}
