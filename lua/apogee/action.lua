-- The word that an action file begins with: return action { id = "scan_hash", ... }
-- It only says what the table is; the loader checks it.
-- SPDX-License-Identifier: Apache-2.0

---@param manifest table
---@return table
return function(manifest)
  return { kind = "action", manifest = manifest }
end
