-- SPDX-License-Identifier: Apache-2.0
local action = require "apogee.action"

-- An address that VirusTotal always knows; never from the cache, never waiting for quota.
local ADDRESS = "8.8.8.8"
local OPTIONS = { cache = false, on_limit = "stop" }

-- Any of these is an answer to a key that works.
local IS_ANSWER = { not_found = true, queued = true, rejected = true }

local WORKS = "VirusTotal answers, and the key works."

local REFUSED = {
  failed = true,
  says = "VirusTotal refused the key.",
  advice = "Compare virustotal.api_key with the key on your VirusTotal profile: it may be "
    .. "mistyped, revoked, or of another account.",
}
local SERVER = {
  failed = true,
  says = "VirusTotal was reached, but its answer was of no use.",
  advice = "Check virustotal.url and virustotal.proxy, or try again in a few minutes.",
}

local TROUBLES = {
  unauthorized = REFUSED,
  forbidden = REFUSED,
  limited = {
    says = "The key works, but its quota is spent.",
    advice = "Wait a minute, or until 00:00 UTC when the day's quota is spent: `apogee quota` says "
      .. "which, and who spent it.",
  },
  tls = {
    failed = true,
    says = "The TLS connection to VirusTotal failed.",
    advice = "Check this machine's clock and its CA certificates; behind a proxy that opens TLS, "
      .. "name that proxy's CA in virustotal.ca_file.",
  },
  network = {
    failed = true,
    says = "VirusTotal could not be reached.",
    advice = "Check the network, the name resolution, the firewall, and virustotal.proxy.",
  },
  timeout = {
    failed = true,
    says = "VirusTotal did not answer in time.",
    advice = "Check the network and virustotal.proxy, or raise virustotal.timeout.",
  },
  server = SERVER,
  bad_answer = SERVER,
  too_large = SERVER,
  denied = {
    says = "The local policy denies the request.",
    advice = "Allow look-ups at VirusTotal in the configuration's policy.",
  },
  deadline = {
    says = "The deadline came before an answer.",
    advice = "Raise --deadline.",
  },
  canceled = {
    says = "The run was ended before an answer came.",
    advice = "Run it again.",
  },
}

local OTHER = {
  failed = true,
  says = "The look-up failed.",
  advice = "Run it again with -v to see what happens.",
}

return action {
  id = "ping",
  name = "Ping",
  provider = "VirusTotal",
  doc = "Asks VirusTotal for one report, to see whether it can be reached with this key. "
    .. "When it cannot, the message says what to do.",
  needs = { "vt" },
  returns = "is_success",

  run_case = function(ctx)
    local report, message, code = vt.ip_report(ADDRESS, OPTIONS)
    if report or IS_ANSWER[code] then return ctx.done { success = true, message = WORKS } end
    local trouble = TROUBLES[code] or OTHER
    local detail = message and " (" .. message .. ")" or ""
    return ctx.done {
      success = false,
      failed = trouble.failed,
      message = trouble.says .. detail .. " " .. trouble.advice,
    }
  end,
}
