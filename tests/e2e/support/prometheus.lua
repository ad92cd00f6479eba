-- A strict reader of Prometheus' text format, version 0.0.4: what it takes, every collector takes.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local TYPES = { gauge = true, counter = true, untyped = true }
local ESCAPES = { ["\\\\"] = "\\", ['\\"'] = '"', ["\\n"] = "\n" }

--- The labels of `{a="b",c="d"}`, from behind the brace; and where the text goes on.
local function read_labels(text, at, line)
  local labels = {}
  while text:sub(at, at) ~= "}" do
    local name, start = text:match('^([%a_][%w_]*)="()', at)
    assert(name, "no label: " .. line)
    assert(labels[name] == nil, "a label stands twice: " .. line)
    local value = {}
    at = start
    while text:sub(at, at) ~= '"' do
      local char = text:match("^\\.", at) or text:sub(at, at)
      assert(char ~= "", "a value that does not end: " .. line)
      assert(#char == 1 or ESCAPES[char], "an unknown escape: " .. line)
      table.insert(value, ESCAPES[char] or char)
      at = at + #char
    end
    labels[name] = table.concat(value)
    assert(utf8.len(labels[name]), "no UTF-8: " .. line)
    at = at + 1
    if text:sub(at, at) == "," then at = at + 1 else assert(text:sub(at, at) == "}", line) end
  end
  return labels, at + 1
end

local function key_of(name, labels)
  local words = {}
  for label, value in pairs(labels) do table.insert(words, ("%s=%q"):format(label, value)) end
  table.sort(words)
  return name .. "{" .. table.concat(words, ",") .. "}"
end

--- Reads a file. Raises on whatever is not as the format wants it.
---@param text string
---@return table samples { { name =, labels =, value = }, ... } in order
function M.read(text)
  assert(text:sub(-1) == "\n", "the last line does not end")
  local samples, helped, typed, seen, family = {}, {}, {}, {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    local kind, name, rest = line:match "^# (%u+) ([%a_:][%w_:]*) (.+)$"
    if kind == "HELP" then
      assert(not helped[name], "HELP stands twice: " .. line)
      helped[name], family = true, name
    elseif kind == "TYPE" then
      assert(TYPES[rest] and not typed[name] and family == name, "a wrong TYPE: " .. line)
      typed[name] = true
    else
      local metric, at = line:match "^([%a_:][%w_:]*)()"
      assert(metric == family and typed[metric], "a sample outside of its family: " .. line)
      local labels = {}
      if line:sub(at, at) == "{" then labels, at = read_labels(line, at + 1, line) end
      local value = line:match("^ (%-?%d+%.?%d*)$", at)
      assert(value, "no value: " .. line)
      local key = key_of(metric, labels)
      assert(not seen[key], "a sample stands twice: " .. line)
      seen[key] = true
      table.insert(samples, { name = metric, labels = labels, value = tonumber(value) })
    end
  end
  return samples
end

--- The value of the one sample with this name and these labels, others left aside.
---@return number? value nil when there is none
function M.value(samples, name, labels)
  local found
  for _, sample in ipairs(samples) do
    local is_it = sample.name == name
    for label, value in pairs(labels or {}) do is_it = is_it and sample.labels[label] == value end
    if is_it then
      assert(not found, name .. ": more than one sample is meant")
      found = sample
    end
  end
  return found and found.value
end

return M
