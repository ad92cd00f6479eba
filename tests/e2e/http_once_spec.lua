-- What is sent once in a run: a notification that a run of a playbook ends with, cut off by
-- kill -9 before and after each durable step, and gone on with.
-- SPDX-License-Identifier: Apache-2.0
local kept = require "e2e.support.kept"
local service = require "e2e.support.service"
local workspace = require "e2e.support.workspace"

local NOTIFY = [[
return require "apogee.action" {
  id = "notify", name = "Notify", doc = "Tells a chat.", returns = "is_success",
  needs = { http = { %q } },
  run_case = function(ctx, case)
    local summary = ctx.summary()
    local answer, message, code = http.post(%q, {
      once = "summary", json = { text = summary.text, risky = #case:suspicious() },
      headers = { Authorization = "Bearer " .. secret "chat" },
    })
    if not answer then return ctx.done { success = false, message = code .. ": " .. message } end
    return ctx.done { success = answer.status == 200,
      message = (answer.is_repeat and "again " or "") .. answer.status .. " " .. answer.body }
  end,
}
]]

local PLAYBOOK = [[
return require "apogee.playbook" {
  name = "Told",
  steps = { { "notify", action = "notify" }, { "mark", run = function(case) case:tag "told" end } },
}
]]

local function with(use, path)
  workspace.with(function(w)
    service.with(w.folder, nil, function(s)
      os.execute("mkdir " .. w:path "actions")
      w:write("actions/notify.lua", NOTIFY:format(s.host, s.url .. (path or "/hook")))
      w:write("chat.secret", "chat-secret-1234\n")
      os.execute("chmod 600 " .. w:path "chat.secret")
      w:configure {
        virustotal = { url = "http://127.0.0.1:1" }, actions_path = { "actions" },
        secrets = { chat = "file:chat.secret" },
      }
      w:write("p.lua", PLAYBOOK)
      use(w, s)
    end)
  end)
end

local function arguments(w)
  return { "run", w:path "p.lua", "--entity", "hostname:evil.example.com", "--format", "json" }
end

local function message(document) return document.steps[1].message end

describe("a notification", function()
  it("is sent by each run, with what was found", function()
    with(function(w, s)
      for _ = 1, 2 do
        local document, ran = w:json(arguments(w))
        assert.equal(0, ran.exit, ran.err)
        assert.equal('200 {"ok":true,"n":7}', message(document))
      end
      local requests = s:requests()
      assert.equal(2, #requests)
      assert.equal("Bearer chat-secret-1234", requests[1].headers.authorization)
      assert.matches("Told: 0 of 1 entities suspicious", requests[1].body, 1, true)
    end)
  end)

  -- How often it arrives, and what the run that goes on says of it.
  for point, case in pairs {
    before_once = { 1, "^200 " },
    after_once = { 0, "^in_doubt: " },
    before_request = { 0, "^in_doubt: " },
    after_answer = { 1, "^in_doubt: " },
    before_once_sent = { 1, "^in_doubt: " },
    after_once_sent = { 1, "^again 200 " },
  } do
    it("is never sent twice: killed at " .. point, function()
      with(function(w, s)
        assert.equal(137, kept.run_into(w, arguments(w), point .. ":1").exit)
        local document = w:json { "resume", "last", "--format", "json" }
        assert.matches(case[2], message(document))
        assert.equal(case[1], #s:requests())
        document = w:json { "resume", "last", "--format", "json" }
        assert.equal(case[1], #s:requests(), "gone on with a second time")
        assert.same({ "told" }, document.tags)
      end)
    end)
  end

  it("that nobody answered is not sent again when the run goes on", function()
    with(function(w, s)
      local document = w:json(arguments(w))
      assert.matches("^network: ", message(document))
      document = w:json { "resume", "last", "--format", "json" }
      assert.matches("^in_doubt: ", message(document))
      assert.equal(1, #s:requests())
    end, "/cut")
  end)

  it("that never left is sent when the run goes on", function()
    with(function(w, s)
      local sent = NOTIFY:format(s.host, s.url .. "/hook")
      w:write("actions/notify.lua", NOTIFY:format("127.0.0.1:1", "http://127.0.0.1:1/hook"))
      assert.matches("^network: ", message((w:json(arguments(w)))))
      w:write("actions/notify.lua", sent)
      local document = w:json { "resume", "last", "--format", "json" }
      assert.matches("^200 ", message(document))
      assert.equal(1, #s:requests())
    end)
  end)
end)

describe("two entities that send the same", function()
  it("send it once, and both have the answer", function()
    with(function(w, s)
      w:write("actions/tell.lua", ([[
        return require "apogee.action" {
          id = "tell", name = "Tell", doc = "Tells.", accepts = { "hostname" },
          returns = "is_success", needs = { http = { %q } },
          run = function(ctx, entity)
            local answer = assert(http.post(%q, { once = "k", body = "hi" }))
            entity:enrich("status", answer.status)
            entity:enrich("repeat", answer.is_repeat)
            return ctx.reported()
          end,
        }]]):format(s.host, s.url .. "/hook"))
      local args = { "action", "tell", "--format", "json" }
      for number = 1, 6 do
        table.insert(args, "--entity")
        table.insert(args, "hostname:h" .. number .. ".example.com")
      end
      local repeats = 0
      for _, entity in ipairs((w:json(args)).entities) do
        assert.equal(200, entity.enrichment.Tell.status)
        if entity.enrichment.Tell["repeat"] then repeats = repeats + 1 end
      end
      assert.equal(5, repeats)
      assert.equal(1, #s:requests())
    end)
  end)
end)
