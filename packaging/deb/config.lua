-- Apogee's configuration for everyone on this machine; data only. ~/.config/apogee/config.lua comes
-- before it. apogee(1) lists the keys, `apogee show config` prints what is in force.
return {
  virustotal = {
    -- Owned by who runs Apogee, mode 0600:
    -- api_key = "file:/etc/apogee/vt.key",
    -- tier = "public", -- or "premium", or the numbers of your contract
  },
}
