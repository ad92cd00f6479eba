-- vt.engines as the engine has it, for reports that specs write down as tables.
-- SPDX-License-Identifier: Apache-2.0

local function text_of(value)
  if type(value) == "string" or type(value) == "number" then return tostring(value) end
  return ""
end

---@param report table
---@return table? { detecting, total, rows }
return function(report)
  if type(report.scans) ~= "table" then return nil end
  local names, engines = {}, { detecting = {}, total = 0, rows = {} }
  for name, verdict in pairs(report.scans) do
    if type(name) == "string" and type(verdict) == "table" then table.insert(names, name) end
  end
  table.sort(names)
  for _, is_detecting in ipairs { true, false } do
    for _, name in ipairs(names) do
      local verdict = report.scans[name]
      if (verdict.detected == true) == is_detecting then
        if is_detecting then table.insert(engines.detecting, name) end
        table.insert(engines.rows, {
          name, is_detecting, text_of(verdict.result), text_of(verdict.version),
          text_of(verdict.update),
        })
      end
    end
  end
  engines.total = #names
  return engines
end
