--- Files of other machines. An action has it with `needs = { "sftp" }`.
--- @module sftp
sftp = {}

--- Logs in. Runs that open the same share one connection.
--- @param options table `host`, `port` (22), `user`, `password` (a secret), `key` (a path), `key_passphrase` (a secret), `agent` (false), `known_hosts` (a path), `host_key` (`SHA256:...`: the only one to trust)
--- @return connection|nil connection
--- @return string|nil message
--- @return string|nil code `denied` (the host key is not known), `forbidden` (the login), `timeout`, `network`
--- @usage
--- local connection <close>, message = sftp.open {
---   host = "files.example.com", user = "sweep", password = ctx.params.password,
--- }
function sftp.open(options) end
