-- The word that a pack file begins with: return pack { name = "abuse", version = "1.0", ... }
-- It only says what the table is; the loader checks it.
-- SPDX-License-Identifier: Apache-2.0

---@param manifest table
---@return table
return function(manifest)
  return { kind = "pack", manifest = manifest }
end
