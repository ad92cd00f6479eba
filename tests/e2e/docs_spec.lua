-- Everything that README.md and docs/*.md show: commands are run, transcripts compared, Lua
-- checked, links followed. A block says what it is behind its fence:
--
--   ```console            commands behind "$ " and what they print (support/transcript.lua)
--   ```sh                 a script of the shell, which must end well
--   ```lua NAME.lua       a file that the commands of the page may use; an action or a playbook is
--                         checked, config.lua is taken as a configuration, and any other file must
--                         be used by a command. Without a name the same, under a name of our own
--   ```lua NAME.lua wrong must be refused by `apogee check`
--   ```lua fields         fields of an action, a playbook or a configuration
--   ```lua fragment       some lines of a script: they must be Lua
--   ```text NAME          a file, also csv, json and markdown; `shown` behind the name: the file
--                         that a command wrote, as a transcript shows it
--   ```crontab            lines of cron, whose commands are run
--   ```ini                the environment of the systemd service
--   ```yaml               alerts: their metrics must be those that a run writes
--
-- All blocks of a page share a folder, in order. What cannot be run is in NOT_RUN, with the reason.
-- APOGEE_WRITE_DOCS=1 writes into the transcripts what is printed: look at it before you commit.
-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local page_of = require "e2e.support.page"
local program = require "e2e.support.program"
local reader_of = require "e2e.support.reader"
local simulator = require "e2e.support.simulator"
local transcript = require "e2e.support.transcript"

local function names_of(pattern)
  local pipe = assert(io.popen("ls " .. pattern))
  local names = {}
  for name in pipe:lines() do table.insert(names, name) end
  pipe:close()
  return names
end

local PAGES = names_of "README.md docs/*.md"

-- ---- what a reader has ----

local EICAR = "44d88612fea8a8f36de82e1278abb02f"

local HASHES = table.concat({
  EICAR, "ed01ebfbc9eb5bbea545af4d01bf5f1071661840480439c6e5babe8e080e41aa",
  "68b329da9893e34099c7d8ad5cb9c940", "d41d8cd98f00b204e9800998ecf8427e",
}, "\n") .. "\n"

-- Files that the pages take for granted, below the folder of the page or, with a slash before, of
-- the machine.
local FILES = {
  ["indicators.txt"] = HASHES, ["list.txt"] = HASHES, ["hashes.txt"] = HASHES,
  ["vt.key"] = simulator.KEY .. "\n",
  ["/srv/feed.csv"] = "identifier\n" .. EICAR .. "\n",
  ["/home/ana/.ssh/id_ed25519"] = "no key\n",
  ["/var/lib/prometheus/node-exporter/"] = false,
  ["/var/lib/apogee/"] = false,
  ["/etc/apogee/abuse.key"] = "a secret\n",
  ["/etc/apogee/vt.key"] = simulator.KEY .. "\n",
  ["/etc/apogee/playbooks/triage.lua"] = program.read "playbooks/triage.lua",
}

-- A reader that has not said yet which key is theirs.
local WITHOUT_KEY = { ["README.md"] = true, ["docs/start.md"] = true }

local INPUTS = { ["apogee init"] = simulator.KEY .. "\n" }

-- ---- what is not run ----

local function is_in_usage(block)
  local usage = program.read "bootstrap"
  for word in page_of.text(block):gmatch "%./bootstrap (%l+)" do
    assert.is_truthy(usage:find("\n  " .. word .. " ", 1, true), word)
  end
end

local function is_planned(block, reader)
  local ran = reader:sh((page_of.text(block):gsub("apogee run ", "apogee plan ")))
  assert.equal(0, ran.exit, ran.err)
end

local function has_its_options(block)
  local source = program.read "tests/bench/run.lua"
  local build = program.read "tests/CMakeLists.txt"
  for option in page_of.text(block):gmatch "run.lua %-%-(%l+)" do
    assert.is_truthy(source:find("--" .. option, 1, true), option)
  end
  for target in page_of.text(block):gmatch "%-%-target (%l+)" do
    assert.is_truthy(build:find("add_custom_target(" .. target, 1, true), target)
  end
end

local function is_of_our_units(block)
  for unit in page_of.text(block):gmatch "(apogee@%S*%.%l+)" do
    local template = "packaging/systemd/apogee@." .. unit:match "%l+$"
    assert.is_truthy(program.read(template) or program.read(template .. ".in"), unit)
  end
  assert.is_truthy(os.execute("sh -n -c " .. program.quote(page_of.text(block))))
end

-- The progress line stands in the test of its making, for a terminal of 80 columns.
local function is_a_progress_line(block)
  local test = program.read "tests/unit/test_progress.c"
  assert.is_truthy(test:find('{79, "' .. block.lines[1] .. '"}', 1, true), block.lines[1])
end

-- By the page and the first line.
local NOT_RUN = {
  ["docs/runs.md: 120/400 · 3 risky · 31 req · left 2/min 380/day · quota in 0:42 · ends 15:34"] =
    { "it is drawn while a run goes on", is_a_progress_line },
  ["README.md: ./bootstrap demo    # runs the playbook above: no key, no network, a simulator "
    .. "answers"] =
    { "it installs packages and builds; .ci/run runs both", is_in_usage },
  ["docs/start.md: ./bootstrap demo"] =
    { "it installs packages and builds; .ci/run runs it", is_in_usage },
  ["README.md: apogee run quarantine_sweep --param server=files.example.com --param user=sweep "
    .. "--param folder=/srv/quarantine \\"] =
    { "the machine is the reader's", is_planned },
  ["docs/benchmarks.md: cmake --preset release -DBUILD_TESTING=ON"] =
    { "it builds, and takes twenty minutes", has_its_options },
  ["docs/benchmarks.md: lua5.4 tests/bench/run.lua --only 50/32       # 50 ms and 32 jobs; also "
    .. "0/1/25, memory, version, tls"] =
    { "it takes twenty minutes", has_its_options },
  ["docs/cron.md: install -d -m 755 /etc/apogee"] =
    { "root and systemd are wanted", is_of_our_units },
  ["docs/cron.md: groupadd --system apogee-metrics"] =
    { "root and systemd are wanted", is_of_our_units },
}

-- ---- blocks ----

local checks = {}

local function write_step(page, block, step, text)
  local lines = {}
  for line in text:gsub("%s+$", ""):gmatch "([^\n]*)\n?" do
    table.insert(lines, block.indent .. line:gsub("%s+$", ""))
  end
  table.insert(page.edits, 1, {
    from = block.line + step.from, to = block.line + step.to, lines = lines,
  })
end

local function check_step(page, block, step, text)
  if transcript.is_shown(table.concat(step.expected, "\n"), text) then return end
  if os.getenv "APOGEE_WRITE_DOCS" then return write_step(page, block, step, text) end
  error(("$ %s\nprints:\n%s"):format(step.command, text), 0)
end

function checks.console(block, reader, page)
  local before = 0
  for _, step in ipairs(transcript.steps(block.lines)) do
    local ran = reader:sh(("set +e; (exit %d)\n%s"):format(before, step.command),
      { is_terminal = true, input = INPUTS[step.command] })
    before = ran.exit
    check_step(page, block, step, ran.err .. ran.out)
  end
end

function checks.sh(block, reader)
  local text = page_of.text(block)
  local ran = reader:sh(text, { is_terminal = true,
    input = text:find "apogee init" and INPUTS["apogee init"] })
  assert(ran.exit == 0, ("ends with %d:\n%s%s"):format(ran.exit, ran.out:sub(-1000), ran.err))
end

function checks.json(block)
  if pcall(cjson.decode, page_of.text(block)) then return end
  for _, line in ipairs(block.lines) do cjson.decode(line) end
end

function checks.crontab(block, reader)
  for _, line in ipairs(block.lines) do
    local command = line:match "^[%d*,/-]+ [%d*,/-]+ [%d*,/-]+ [%d*,/-]+ [%d*,/-]+%s+(.*)$"
    assert(command or line:find "^%u+=" or line:find "^#", "no line of a crontab: " .. line)
    if command then
      assert(not command:find "%%", "cron makes line breaks of %: " .. line)
      local ran = reader:sh(command)
      assert(ran.exit == 0, ("ends with %d: %s"):format(ran.exit, ran.err))
    end
  end
end

-- The command of the systemd service, for the unit apogee@triage, with this environment.
local function command_of_service(values)
  local service = program.read "packaging/systemd/apogee@.service.in"
  local command = assert(service:gsub("\\\n%s*", ""):match "\nExecStart=%S+/(apogee run [^\n]+)")
  local known = { i = "triage", S = "/var/lib" }
  command = command:gsub("%%(%a)", known):gsub("credential:", "file:/etc/apogee/")
  return (command:gsub("%$({?)(APOGEE_%u+)}?", function(_, name)
    return assert(values[name], name .. " is not set")
  end))
end

function checks.ini(block, reader)
  local values = {}
  for _, line in ipairs(block.lines) do
    local name, value = line:match "^(APOGEE_%u+)=(.*)$"
    assert(name or line:find "^#", line)
    if name then values[name] = value end
  end
  local ran = reader:sh(command_of_service(values))
  assert(ran.exit == 0 or ran.exit == 10, ran.err)
  assert.is_truthy(program.read(reader:path "/var/lib/apogee/triage.json"))
end

function checks.yaml(block, reader)
  local ran = reader:sh(("apogee run triage --simulate --entity %s --metrics m.prom"):format(EICAR))
  assert(ran.exit == 0, ran.err)
  local metrics = program.read(reader:path "m.prom")
  for metric in page_of.text(block):gmatch "apogee_[%l_]+" do
    assert(metrics:find("\n" .. metric .. "[{ ]"), metric .. " is not written by a run")
  end
end

local function is_named(block) assert(block.name, "which file is it?") end
checks.text, checks.csv, checks.markdown = is_named, is_named, is_named

-- ---- Lua ----

local SKELETONS = {
  params = 'return require "apogee.action" { id = "a", name = "A", doc = "D",'
    .. ' returns = "is_success",'
    .. ' run_case = function(ctx) log.debug(ctx.params) end,\n%s\n}',
  steps = 'return require "apogee.playbook" { name = "P",\n%s\n}',
  config = "return {\n%s\n}",
}

local function check_script(reader, name, is_wrong)
  local ran = reader:sh("apogee check " .. name)
  if is_wrong then return assert(ran.exit == 2, "apogee check finds nothing wrong") end
  assert(ran.exit == 0 and not ran.out:find "warning: ", ran.out .. ran.err)
end

local function check_configuration(reader, name)
  local ran = reader:sh("apogee show config --config " .. name)
  assert(ran.exit == 0, ran.err)
end

local function check_fields(reader, text)
  local first = text:match "^%s*(%a+) ="
  local kind = SKELETONS[first] and first or "config"
  reader:write("fields.lua", reader:here(SKELETONS[kind]:format(text)))
  if kind == "config" then return check_configuration(reader, "fields.lua") end
  check_script(reader, "fields.lua")
end

local function check_fragment(text)
  assert(load(text, "=fragment", "t") or load("return {\n" .. text .. "\n}", "=fragment", "t"))
end

local function is_script(text)
  return text:find "return playbook {" or text:find "return action {"
    or text:find 'return require "apogee%.%l+" {'
end

function checks.lua(block, reader, page)
  local text = page_of.text(block)
  if block.name == "fields" then return check_fields(reader, text) end
  if block.name == "fragment" then return check_fragment(text) end
  local name = block.name or "unnamed.lua"
  assert(load(text, "=" .. name, "t"))
  if is_script(text) then
    reader:write(name, text)
    return check_script(reader, name, block.mark == "wrong")
  end
  reader:write(name, reader:here(text))
  if name:find "config%.lua$" then return check_configuration(reader, name) end
  for _, other in ipairs(page.blocks) do
    local is_command = other.language == "console" or other.language == "sh"
    local commands = is_command and page_of.text(other) or ""
    if commands:find(name, 1, true) then return end
    if name:find "_spec%.lua$" and commands:find "apogee test" then return end
  end
  error "is no action and no playbook, and no command uses it"
end

-- ---- pages ----

local function check_shown(block, reader)
  local text = program.read(reader:path(block.name))
  assert(text, block.name .. ": was not written")
  assert(transcript.is_shown(page_of.text(block), text), ("%s holds:\n%s"):format(block.name, text))
end

local function check_block(block, reader, page)
  local skip = NOT_RUN[page.path .. ": " .. (block.lines[1] or "")]
  if skip then return skip[2](block, reader) end
  local check = checks[block.language]
  assert(check, ('"%s" is no kind of block that this test knows'):format(block.language))
  if block.mark == "shown" then return check_shown(block, reader) end
  if block.name and block.language ~= "lua" then reader:write(block.name, page_of.text(block)) end
  check(block, reader, page)
end

local function write_page(page)
  if #page.edits == 0 then return end
  local lines = page.lines
  for _, edit in ipairs(page.edits) do -- from the last to the first
    local behind = table.move(lines, edit.to + 1, #lines, 1, {})
    for number = #lines, edit.from, -1 do lines[number] = nil end
    for _, line in ipairs(edit.lines) do table.insert(lines, line) end
    for _, line in ipairs(behind) do table.insert(lines, line) end
  end
  program.write(page.path, table.concat(lines, "\n") .. "\n")
end

local function check_page(path, reader)
  local page, problems = page_of.read(path), {}
  page.edits = {}
  for _, block in ipairs(page.blocks) do
    local good, why = pcall(check_block, block, reader, page)
    if not good then table.insert(problems, page_of.place(block) .. ": " .. tostring(why)) end
  end
  for number, line in pairs(page.prose) do
    if line:find "^    +%S" and page.prose[number - 1] == "" then
      table.insert(problems, ("%s:%d: code without a fence"):format(path, number))
    end
  end
  write_page(page)
  assert(#problems == 0, table.concat(problems, "\n"))
end

local function with_reader(path, use)
  reader_of.with({ files = FILES, has_key = not WITHOUT_KEY[path] }, function(reader)
    simulator.with({}, function(url)
      reader:ask(url)
      use(reader)
    end, { APOGEE_CLOCK = reader.clock, HOME = reader.folder })
  end)
end

describe("what is shown in", function()
  for _, path in ipairs(PAGES) do
    it(path .. " is so", function()
      with_reader(path, function(reader) check_page(path, reader) end)
    end)
  end

  it("no page is left out of NOT_RUN that is in it", function()
    local is_there = {}
    for _, path in ipairs(PAGES) do
      for _, block in ipairs(page_of.read(path).blocks) do
        is_there[path .. ": " .. (block.lines[1] or "")] = true
      end
    end
    for place in pairs(NOT_RUN) do assert.is_true(is_there[place], place) end
  end)
end)

-- ---- manual pages ----

describe("the example of", function()
  for _, path in ipairs(names_of "docs/*.5") do
    it(path .. " is fine", function()
      local text = program.read(path):match "\n%.Bd %-literal[^\n]*\n(.-)\n%.Ed"
      reader_of.with({}, function(reader)
        reader:write("example.lua", text .. "\n")
        check_script(reader, "example.lua")
      end)
    end)
  end
end)

-- ---- commands within sentences ----

-- What stands between backquotes, of the page's sentences and tables.
local function inline_code(page)
  local found = {}
  for number in ipairs(page.lines) do
    for code in (page.prose[number] or ""):gmatch "`([^`]+)`" do
      table.insert(found, { page = page.path, line = number, code = code })
    end
  end
  return found
end

local function help_of(command)
  local ran = program.run(command and { command, "--help" } or { "--help" })
  assert(ran.exit == 0, ran.err)
  return ran.out
end

local function known_words()
  local commands, options = { COMMAND = {} }, { help = true, version = true }
  for name in help_of():match("\nCommands:(\n.*)$"):gmatch "\n  (%l[%l-]*) " do
    commands[name] = {}
    for option in help_of(name):gmatch "%-%-(%l[%l-]*)" do
      commands[name][option], options[option] = true, true
    end
  end
  options["explain-exit"] = true
  return commands, options
end

-- Of an action's parameters.
local OF_ACTIONS = { ["threshold"] = true, ["days"] = true, ["rescan-after-days"] = true }

local BENCH = program.read "tests/bench/run.lua"

local function check_inline(found, commands, options)
  local command, rest = found.code:match "^apogee (%a[%w-]*)(.*)$"
  if command then
    assert(commands[command], "there is no command " .. command)
    for option in rest:gmatch "%-%-(%l[%l-]*)" do
      assert(commands[command][option] or OF_ACTIONS[option] or option == "help",
        ("%s has no option --%s"):format(command, option))
    end
  end
  local option = found.code:match "^%-%-(%l[%l-]*)"
  if found.page == "docs/benchmarks.md" and option and BENCH:find(option, 1, true) then return end
  if option then assert(options[option] or OF_ACTIONS[option], "no option --" .. option) end
end

describe("the sentences of", function()
  local commands, options = known_words()

  for _, path in ipairs(PAGES) do
    it(path .. " name commands and options that there are", function()
      local problems = {}
      for _, found in ipairs(inline_code(page_of.read(path))) do
        local good, why = pcall(check_inline, found, commands, options)
        if not good then table.insert(problems, ("%s:%d: %s"):format(path, found.line, why)) end
      end
      assert(#problems == 0, table.concat(problems, "\n"))
    end)
  end
end)

-- ---- links ----

local function check_link(page, link)
  local target, anchor = link.target:match "^([^#]*)#?(.*)$"
  if link.target:find "^https?://" then return end
  local path = target == "" and page.path or page.path:gsub("[^/]*$", "") .. target
  path = path:gsub("%f[^/\0]docs/%.%./", "")
  assert(os.execute("test -e " .. program.quote(path)), path .. " is not there")
  if anchor ~= "" then
    assert(page_of.anchors(page_of.read(path))[anchor], path .. " has no heading #" .. anchor)
  end
end

describe("links", function()
  for _, path in ipairs(names_of "*.md docs/*.md vendor/*.md") do
    it("of " .. path .. " lead somewhere", function()
      local page, problems = page_of.read(path), {}
      for _, link in ipairs(page_of.links(page)) do
        local good, why = pcall(check_link, page, link)
        if not good then table.insert(problems, ("%s:%d: %s"):format(path, link.line, why)) end
      end
      assert(#problems == 0, table.concat(problems, "\n"))
    end)
  end

  it("of docs/README.md name every page", function()
    local text = program.read "docs/README.md"
    for _, path in ipairs(names_of "docs/*.md") do
      local name = path:match "[^/]+$"
      assert(name == "README.md" or text:find("](" .. name, 1, true), name .. " is not in it")
    end
  end)
end)
