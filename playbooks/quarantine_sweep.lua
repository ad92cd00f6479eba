-- SPDX-License-Identifier: Apache-2.0
local playbook = require "apogee.playbook"
local summary = require "apogee.summary"

-- Files may be entities of the case too, by their paths.
local function files_of_the_case(case)
  local paths = {}
  for _, entity in ipairs(case:of("file"):list()) do table.insert(paths, entity.identifier) end
  return paths
end

local function give_verdict(case)
  if not summary.is_complete(case, { "files" }) then case:tag "incomplete" end
  local risky = case.files.entities:suspicious()
  if #risky == 0 then return end
  case:tag "malicious"
  case:score(math.min(100, 60 + 10 * #risky))
  case:insight {
    severity = "warn",
    title = "Malicious files in quarantine: " .. #risky,
    body = "Keep these, and look where they came from: " .. summary.names(risky, 10) .. ".",
  }
end

return playbook {
  name = "Quarantine sweep",
  doc = "Has the files of a quarantine folder judged by VirusTotal, over SFTP from the machine "
    .. "that has it. Each file is read once and asked for by its SHA-256; only what VirusTotal "
    .. "does not have is sent, and can then be downloaded by its customers. Entities of type file "
    .. "are taken too: with server they are paths there, else of this machine.",
  params = {
    { "threshold", type = "integer", min = 1, default = 3, zero = "would mark every file",
      doc = "As many engines, or more, make a file suspicious." },
    { "upload", type = "string", enum = { "unknown", "never" }, default = "unknown",
      doc = "never: send nothing, not even what VirusTotal does not have." },
    { "server", type = "string", example = "files.example.com:22",
      doc = "The machine with the quarantine, as host or host:port." },
    { "user", type = "string", doc = "Who logs in there." },
    { "folder", type = "path", example = "/srv/quarantine",
      doc = "The folder there: its regular files are taken, those below it are not." },
    { "password", type = "secret", doc = "The password there: env:NAME, file:PATH." },
    { "ssh_key", type = "path", private = true,
      doc = "A private key to log in with; without key and password the agent is asked." },
    { "ssh_key_passphrase", type = "secret", doc = "What that key is locked with." },
    { "ssh_known_hosts", type = "path", doc = "The keys to trust; not given: ~/.ssh/known_hosts." },
    { "ssh_host_key", type = "string", doc = "The only key to trust, as SHA256:..." },
  },
  steps = {
    { "files", action = "upload_and_scan_file", on_error = "continue", with = {
      threshold = "$threshold", upload = "$upload", file_paths = files_of_the_case,
      linux_server_address = "$server", linux_user = "$user", linux_password = "$password",
      folder = "$folder", ssh_key = "$ssh_key", ssh_key_passphrase = "$ssh_key_passphrase",
      ssh_known_hosts = "$ssh_known_hosts", ssh_host_key = "$ssh_host_key",
    } },
    { "verdict", run = give_verdict },
  },
}
