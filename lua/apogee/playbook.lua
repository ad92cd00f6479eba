-- The word that a playbook file begins with: return playbook { name = "Triage", steps = { ... } }
-- It only says what the table is; the loader checks it.
-- SPDX-License-Identifier: Apache-2.0

---@param manifest table
---@return table
return function(manifest)
  return { kind = "playbook", manifest = manifest }
end
