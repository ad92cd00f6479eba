-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"
local engines = require "apogee.engines"
local enrichment = require "apogee.enrichment"
local scan = require "apogee.scan"
local server = require "apogee.server"
local threshold = require "apogee.threshold"
local verdict = require "apogee.verdict"

local FIELDS = {
  { "resource", "resource" },
  { "permalink", "permalink" },
  { "positives", "positives" },
  { "total", "total" },
  { "verbose_msg", "verbose_msg" },
  { "Scan date", "scan_date" },
  { "Scan ID", "scan_id" },
  { "Total", "total" },
  { "Md5", "md5" },
  { "Sha1", "sha1" },
  { "Sha256", "sha256" },
  { "Detecting Engines", engines.detecting_text },
}

local FOLDER_MAX = 10000

-- What has a meaning only with the address of a machine.
local OF_THE_MACHINE = {
  "linux_user", "linux_password", "folder", "ssh_key", "ssh_key_passphrase", "ssh_known_hosts",
  "ssh_host_key",
}

local function connect(params)
  local host, port = server.parse(params.linux_server_address)
  return sftp.open {
    host = host, port = port, user = params.linux_user, password = params.linux_password,
    key = params.ssh_key, key_passphrase = params.ssh_key_passphrase,
    agent = not params.ssh_key and not params.linux_password,
    known_hosts = params.ssh_known_hosts, host_key = params.ssh_host_key,
  }
end

local function open(params, path)
  if not params.linux_server_address then return files.open(path) end
  local connection, message, code = connect(params)
  if not connection then return nil, message, code end
  local source, why, what = connection:open_file(path)
  connection:close()
  return source, why, what
end

local IS_END = { deadline = true, canceled = true }

-- Whatever is wrong with a file or its machine is a failure: not_found and forbidden are words for
-- what VirusTotal says.
local function not_opened(ctx, message, code)
  if IS_END[code] then return ctx.from_error(message, code) end
  return ctx.failed(message)
end

-- With "always" VirusTotal is not asked before.
local function flow_of(upload, source, digests)
  local flow = { kind = "file", resource = digests and digests.sha256 }
  function flow.look_up()
    if not digests then return nil, nil, "not_found" end
    return vt.file_report(digests.sha256)
  end
  if upload ~= "never" then
    function flow.submit()
      local receipt, message, code = vt.file_scan(source)
      if receipt then flow.resource = receipt.sha256 end
      return receipt, message, code
    end
  end
  return flow
end

local function scan_source(ctx, entity, source, upload)
  if source.size == 0 then return ctx.skipped "the file is empty" end
  local digests
  if upload ~= "always" then
    local message, code
    digests, message, code = source:digests()
    if not digests then return not_opened(ctx, message, code) end
  end
  local flow = flow_of(upload, source, digests)
  local outcome = scan.run(ctx, flow)
  local report = outcome.report
  if report then verdict.write(ctx, entity, flow.resource, report, FIELDS) end
  return outcome
end

-- The policy keeps a file here that should have been sent: what VirusTotal knows of it is asked all
-- the same, and with unknown-only it goes when that is nothing.
local function ask_instead(ctx, entity, path, denied)
  local source = open(ctx.params, path)
  if not source then return denied end
  local outcome = scan_source(ctx, entity, source, "unknown")
  source:close()
  if outcome.outcome ~= "reported" then return outcome end
  return ctx.reported(outcome.report, "not sent (" .. denied.reason .. ")")
end

local function with_slash(folder)
  return folder:find "/$" and folder or folder .. "/"
end

-- The regular files of the folder. When they cannot be listed the folder is the item, and its run
-- says why.
local function files_of(params, ctx)
  local folder = with_slash(params.folder)
  local connection = connect(params)
  local entries, is_cut
  if connection then entries, is_cut = connection:list(folder, FOLDER_MAX) end
  if not entries then return { folder } end
  if is_cut then ctx.warn(folder .. ": only " .. FOLDER_MAX .. " of its files are taken") end
  local paths = {}
  for _, entry in ipairs(entries) do
    if entry.type == "file" then table.insert(paths, folder .. entry.name) end
  end
  table.sort(paths)
  return paths
end

-- A folder as an item: listing it says what is wrong.
local function why_not_listed(ctx, folder)
  local connection, message, code = connect(ctx.params)
  if not connection then return not_opened(ctx, message, code) end
  local entries, why, what = connection:list(folder, 1)
  if not entries then return not_opened(ctx, why, what) end
  return ctx.failed "the folder could not be listed, and could a moment later: run it again"
end

local function machine_problem(params)
  if not params.linux_server_address then
    for _, id in ipairs(OF_THE_MACHINE) do
      if params[id] then return id .. ": is given without linux_server_address" end
    end
    return nil
  end
  local host, problem = server.parse(params.linux_server_address)
  if not host then return "linux_server_address: " .. problem end
  if not params.linux_user then return "linux_user: is needed with linux_server_address" end
  if params.ssh_key_passphrase and not params.ssh_key then
    return "ssh_key_passphrase: is given without ssh_key"
  end
end

return action {
  id = "upload_and_scan_file",
  name = "Upload and Scan File",
  provider = "VirusTotal",
  doc = "Sends files to VirusTotal, from this machine or over SFTP from another, waits for the "
    .. "scan, and marks those suspicious that enough engines call malicious. A file that was sent "
    .. "can be downloaded by VirusTotal's customers: with upload = unknown only what VirusTotal "
    .. "does not have is sent, with upload = never nothing is.",
  needs = { "vt", "files", "sftp" },
  params = {
    threshold.param { required = true, default = 3 },
    { "file_paths", type = "list", required = true, label = "File Paths",
      example = "/srv/quarantine/a.exe,/srv/quarantine/b.doc",
      doc = "The files, with commas between them; a comma in a name is written \\,. May be empty "
        .. "when folder is given." },
    { "linux_server_address", type = "string", label = "Linux Server Address",
      example = "files.example.com:22",
      doc = "The machine that has them, as host or host:port. Not given: this one." },
    { "linux_user", type = "string", label = "Linux User", doc = "Who logs in there." },
    { "linux_password", type = "secret", label = "Linux Password",
      doc = "The password there: env:NAME, file:PATH or credential:NAME." },
    { "folder", type = "path", label = "Folder", example = "/srv/quarantine",
      doc = "A folder there: each regular file in it is taken, those below it are not." },
    { "upload", type = "string", enum = { "always", "unknown", "never" }, default = "always",
      label = "Upload",
      doc = "always: send every file. unknown: ask by SHA-256 first, and send only what "
        .. "VirusTotal does not have. never: only ask." },
    { "ssh_key", type = "path", private = true, label = "SSH Key",
      doc = "A private key to log in with, ed25519 or ecdsa. Without key and password the agent "
        .. "of $SSH_AUTH_SOCK is asked." },
    { "ssh_key_passphrase", type = "secret", label = "SSH Key Passphrase",
      doc = "What that key is locked with." },
    { "ssh_known_hosts", type = "path", label = "SSH Known Hosts",
      doc = "The keys of machines to trust; not given: ~/.ssh/known_hosts, then "
        .. "/etc/ssh/ssh_known_hosts." },
    { "ssh_host_key", type = "string", pattern = "^SHA256:[%w+/]+=*$", label = "SSH Host Key",
      example = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
      doc = "The only key of the machine to trust, by its fingerprint." },
  },
  returns = "is_risky",
  outputs = enrichment.names(FIELDS),

  validate = function(params)
    if #params.file_paths == 0 and not params.folder then
      return "file_paths: there are none: give the paths of files, with commas between them"
    end
    return machine_problem(params)
  end,

  each = function(params, ctx)
    local paths = table.move(params.file_paths, 1, #params.file_paths, 1, {})
    if params.folder then
      for _, path in ipairs(files_of(params, ctx)) do table.insert(paths, path) end
    end
    return paths
  end,

  run = function(ctx, entity)
    local path = entity.identifier
    if ctx.params.folder and path == with_slash(ctx.params.folder) then
      return why_not_listed(ctx, path)
    end
    local source, message, code = open(ctx.params, path)
    if not source then return not_opened(ctx, message, code) end
    local upload = ctx.params.upload
    local outcome = scan_source(ctx, entity, source, upload)
    source:close()
    local is_kept = outcome.outcome == "denied" and upload == "always"
    return is_kept and ask_instead(ctx, entity, path, outcome) or outcome
  end,
}
