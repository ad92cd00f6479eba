-- SFTP servers that lie behind a login that is right: about lengths, sizes, names and types, at
-- each step, and that go mute there. Each run ends by its deadline, takes little more memory than
-- with an honest server, and sends nothing that was not read whole.
-- SPDX-License-Identifier: Apache-2.0
local hostile = require "e2e.support.hostile"
local program = require "e2e.support.program"
local sshd = require "e2e.support.sshd"
local workspace = require "e2e.support.workspace"

local DEADLINE_S, LONG_S = 2, 30

-- What it lists rather than opens.
local function is_folder(lie) return lie:find "^list" or lie:find "dir$" end

local function case_of(server, address, path, deadline, is_listed)
  local args = {
    "action", "upload_and_scan_file", "--threshold", "3", "--deadline", deadline,
    "--poll-interval", "10ms", "-vv",
  }
  for name, value in pairs {
    linux_server_address = address, linux_user = "ana", ssh_host_key = server.fingerprint,
    linux_password = "file:" .. server.password_file, upload = "always",
    file_paths = is_listed and "" or path, folder = is_listed and path or nil,
  } do
    table.insert(args, "--param")
    table.insert(args, name .. "=" .. value)
  end
  return { args = args }
end

local function with(beginnings, use)
  sshd.with_liars(beginnings, function(server)
    workspace.simulated({ scenario = "return { scan_ms = 1 }" }, function(w)
      server.password_file = w:write("password", server.password .. "\n")
      assert(os.execute("chmod 600 " .. program.quote(server.password_file)))
      use(w, server)
    end)
  end)
end

local BEGINNINGS = {
  "", "init-mute", "init-gone", "init-garbage", "init-flood", "init-length-of-4-gib",
  "init-length-of-0", "init-version-0", "init-version-cut", "init-status",
}

-- By the lie, or how it begins or ends; what is said of it. Whatever else lies is "failed".
local NO_SFTP = { "the server does not offer SFTP", "the server closed the connection" }
local WRONG = { "SSH went wrong", "the answer to a list makes no sense" }
local SAID = {
  ["init-"] = { NO_SFTP[1], NO_SFTP[2], "no memory is left", WRONG[1] },
  ["mute-"] = {}, ["other-id-"] = {}, ["ok-open"] = {}, ["ok-opendir"] = {}, ["init-mute"] = {},
  ["init-status"] = {},
  ["ok-"] = { WRONG[1], "it is not a regular file", "does not say how large" },
  ["gone-"] = { "the server closed the connection" }, ["garbage-"] = WRONG,
  ["length-of-4-gib-"] = WRONG, ["length-of-0-"] = { "no memory is left", WRONG[1] },
  ["flood-"] = { "no memory is left" },
  ["status-of-escapes-"] = { "reading it failed on" }, ["status-cut-"] = WRONG,
  ["unknown-status-"] = { "with status 4294967295" }, ["unknown-type-"] = WRONG,
  ["attributes-"] = { WRONG[1], "does not say how large", "it is not a regular file" },
  ["folder-"] = { "it is a folder" }, ["link-"] = { "it is a symbolic link" },
  ["device-"] = { "it is not a regular file" }, ["pipe-"] = { "it is not a regular file" },
  ["untyped-"] = { "it is not a regular file" }, ["sizeless"] = { "does not say how large" },
  ["size-of-1"] = { "it grew" }, ["size-of-1-more"] = { "it became shorter" },
  ["size-of-2-to-the-63"] = { "more than the 200000000" },
  ["size-of-2-to-the-64"] = { "more than the 200000000" },
  ["size-of-a-gib"] = { "more than the 200000000" },
  ["data-"] = WRONG, ["data-none"] = { "it became shorter" }, ["data-endless"] = { "it grew" },
  ["data-drip"] = { "it changed its length" }, ["handle-"] = WRONG, ["list-"] = WRONG,
}
-- Who never answers: the run's deadline ends it.
local function is_silent(said) return #said == 0 end

--- What is expected of a lie: of the longest beginning of its name that is listed.
local function said_of(lie)
  local found = ""
  for prefix in pairs(SAID) do
    if lie:sub(1, #prefix) == prefix and #prefix > #found then found = prefix end
  end
  return SAID[found] or {}
end

-- What was read whole before it lied was read; and of a folder the names that are some.
local HARMLESS = { ["handle-cut"] = true, ["handle-huge"] = true }
local LISTED = {
  ["list-odd"] = true, ["list-twice"] = true, ["list-endless"] = true, ["list-folders"] = true,
  ["list-huge-name"] = true, ["list-of-nothing"] = true,
}
local function is_honest(lie) return lie == "honest" or HARMLESS[lie] or lie:find "close$" end

local function check_failed(lie, ran)
  local entity = ran.document.entities[1]
  local reason, expected = tostring(entity.reason), said_of(lie)
  local said = ("%s: exit %d, %s: %s"):format(lie, ran.exit, entity.outcome, reason)
  assert(ran.exit == 1 and #ran.document.entities == 1, said)
  assert(entity.outcome == (is_silent(expected) and "not_asked" or "failed"), said)
  local is_said = is_silent(expected)
  for _, words in ipairs(expected) do is_said = is_said or reason:find(words, 1, true) ~= nil end
  assert(is_said, said)
  assert(not reason:find "[%c]", said)
end

--- Nothing was uploaded but what an honest server has.
local function check_uploads(w, allowed)
  for _, request in ipairs(w:requests()) do
    if request.endpoint == "file/scan" then
      assert(allowed == nil or request.sha256 == allowed, tostring(request.filename))
      allowed = request.sha256
    end
  end
end

describe("an SFTP server that lies", function()
  it("is found out at each step, by its deadline, with no more memory", function()
    with(BEGINNINGS, function(w, server)
      local cases, deadlines = {}, {}
      for _, lie in ipairs { "honest", table.unpack(server.lies) } do
        local address = server.addresses[lie] or server.addresses[""]
        local folder = is_folder(lie)
        local is_to_end = is_silent(said_of(lie)) or lie == "list-endless"
        deadlines[lie] = is_to_end and DEADLINE_S or LONG_S
        cases[lie] = case_of(server, address, "/" .. lie .. (folder and "" or "/file"),
          deadlines[lie] .. "s", folder)
      end
      local all = hostile.run(w, cases)
      for lie, ran in pairs(all) do
        assert(ran.document, lie .. ": no document: " .. ran.err)
        hostile.check_end(w, lie, cases[lie], ran, deadlines[lie])
        local more_kib = ran.peak_kib - all.honest.peak_kib
        assert(more_kib <= hostile.MORE_KIB, ("%s: %d KiB more"):format(lie, more_kib))
        assert(not ran.err:find "[%z\1-\9\11-\31\127]", lie .. ": a control character")
        assert(not ran.err:find("\napogee: error: forged", 1, true), lie)
        if is_honest(lie) then
          assert(ran.exit == 0 and ran.document.entities[1].outcome == "scanned", lie .. ran.err)
        elseif not LISTED[lie] then
          check_failed(lie, ran)
        end
      end
      check_uploads(w)
    end)
  end)

  it("has names left out that are none, and that could mean another place", function()
    with({ "" }, function(w, server)
      local cases = {}
      for _, lie in ipairs { "list-odd", "list-twice", "list-folders", "list-huge-name" } do
        cases[lie] = case_of(server, server.addresses[""], "/" .. lie, LONG_S .. "s", true)
      end
      local all = hostile.run(w, cases)
      local names = {}
      for _, entity in ipairs(all["list-odd"].document.entities) do
        names[entity.identifier:match "^/list%-odd/(.*)$"] = entity.outcome
      end
      assert.equal("scanned", names.good)
      assert.equal("scanned", names["-rf"])
      assert.equal("skipped", names["new\nline"])
      for name in pairs(names) do
        assert.is_nil(name:find("[/%z]"), name)
        assert.is_true(#name > 0 and #name <= 255 and name ~= "." and name ~= "..", name)
      end
      assert.equal(1, #all["list-twice"].document.entities)
      assert.same({}, all["list-folders"].document.entities)
      assert.same({}, all["list-huge-name"].document.entities)
      check_uploads(w)
    end)
  end)
end)
