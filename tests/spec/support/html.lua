-- Reads HTML strictly: every tag is known and closed in order, every attribute known and quoted,
-- ids are there once, links have their targets, no entity is unknown. What a browser would forgive
-- is an error here.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local function set(words)
  local all = {}
  for word in words:gmatch "%S+" do all[word] = true end
  return all
end

local VOID = set "meta br input rect"
local KNOWN = set [[html head meta title style body header main footer section div p h1 h2 h3 h4
  ul li b strong small span code a button svg rect table thead tbody tr th td dl dt dd details
  summary form input select option script]]
local ATTRIBUTES = set [[lang charset http-equiv content name class id hidden href rel target
  type data-copy data-real data-verdict data-sort data-label viewBox preserveAspectRatio role
  aria-label aria-hidden x y width height rx open placeholder autocomplete value]]
local RAW = { style = true, script = true }
local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', ["#39"] = "'" }

local function plain(text)
  assert(not text:find "[<>]", "a bare bracket: " .. text:sub(1, 80))
  return (text:gsub("&([^;]*);?", function(name)
    return assert(ENTITIES[name], "no entity: &" .. name:sub(1, 20))
  end))
end

local function attributes_of(text, element)
  local rest = text
  while rest:find "%S" do
    local name, value, after = rest:match '^%s+([%w-]+)="([^"]*)"(.*)$'
    if not name then
      name, after = rest:match "^%s+([%w-]+)(.*)$"
      assert(name == "hidden" or name == "open", "an attribute without a value: " .. rest)
      value = ""
    end
    assert(ATTRIBUTES[name], "an unknown attribute: " .. tostring(name))
    assert(not element[name], "twice: " .. name)
    element[name] = plain(value)
    rest = after
  end
end

local function check_links(page)
  for _, link in ipairs(page.elements.a or {}) do
    local target = link.href:match "^#(.*)$"
    if target then
      assert(page.ids[target], "a link to nowhere: " .. link.href)
    else
      assert(link.href:find "^https?://%w", "a link that is none: " .. link.href)
      assert(link.rel == "noreferrer noopener")
    end
  end
end

--- @param text string
--- @return table page { elements = { by tag name: lists of attributes, with `text` }, ids, text }
function M.parse(text)
  local page = { elements = {}, ids = {} }
  local open, words = {}, {}
  local at = assert(text:match "^<!DOCTYPE html>\n()", "no doctype")
  while at <= #text do
    local from = text:find("<", at, true) or #text + 1
    local said = plain(text:sub(at, from - 1))
    table.insert(words, said)
    for _, element in ipairs(open) do table.insert(element.words, said) end
    if from > #text then break end
    local closing, name, rest, stop = text:match("^<(/?)(%w+)([^<>]*)>()", from)
    assert(name, "no tag: " .. text:sub(from, from + 60))
    assert(KNOWN[name], "an unknown tag: " .. name)
    local is_empty = rest:sub(-1) == "/"
    if closing == "/" then
      local last = table.remove(open)
      assert(last and last.tag == name, "</" .. name .. "> closes " .. (last and last.tag or "?"))
      last.text = table.concat(last.words)
    else
      local element = { tag = name, words = {} }
      attributes_of(is_empty and rest:sub(1, -2) or rest, element)
      page.elements[name] = page.elements[name] or {}
      table.insert(page.elements[name], element)
      if element.id then
        assert(not page.ids[element.id], "an id twice: " .. element.id)
        page.ids[element.id] = element
      end
      if RAW[name] then
        local raw, after = text:match("^(.-)</" .. name .. ">()", stop)
        assert(raw, "no end of " .. name)
        element.text, stop = raw, after
      elseif not VOID[name] then
        table.insert(open, element)
      end
    end
    at = stop
  end
  assert(#open == 0, "not closed: " .. (open[#open] and open[#open].tag or ""))
  page.text = table.concat(words)
  check_links(page)
  return page
end

return M
