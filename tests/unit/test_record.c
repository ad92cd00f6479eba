// SPDX-License-Identifier: Apache-2.0
#include "casefile/record.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/spool_io.h"
#include "unit.h"

enum { ALL_VALUES = 100 * 1000 * 1000 };

struct world {
  struct casefile *cf;
  struct store_spool *spool;
  struct case_record *record;
};

static struct ap_slice slice(const char *text)
{
  return (struct ap_slice){text, strlen(text)};
}

static void open_world(struct world *world, const struct store_spool_io *io)
{
  const char *tmp = getenv("TMPDIR");
  assert_int_equal(casefile_new(0, &world->cf), AP_OK);
  assert_int_equal(store_spool_open_with(io, NULL, tmp && *tmp ? tmp : "/tmp", &world->spool, NULL),
                   AP_OK);
  assert_int_equal(case_record_new(world->cf, world->spool, &world->record), AP_OK);
}

static void close_world(struct world *world)
{
  case_record_free(world->record);
  store_spool_close(world->spool);
  casefile_free(world->cf);
}

static uint32_t add_entity(struct world *world, const char *text)
{
  uint32_t index = UINT32_MAX;
  struct case_entity_input input = {.identifier = slice(text), .source = "test"};
  assert_int_equal(casefile_add(world->cf, &input, &index, NULL), AP_OK);
  return index;
}

static const struct case_step_info hash_step = {.name = "hashes",
                                                .action = "scan_hash",
                                                .title = "Scan Hash",
                                                .provider = "VirusTotal",
                                                .result_name = "is_risky"};

static uint32_t add_step(struct world *world, const struct case_step_info *info)
{
  uint32_t step = UINT32_MAX;
  assert_int_equal(case_record_add_step(world->record, info, &step), AP_OK);
  return step;
}

static void put_outcome(struct world *world, uint32_t step, uint32_t entity,
                        enum case_outcome outcome, const char *reason, const char *answer)
{
  struct case_finding finding;
  case_finding_init(&finding);
  finding.outcome = outcome;
  ap_buf_add_str(&finding.reason, reason);
  finding.answer = slice(answer);
  assert_int_equal(case_record_select(world->record, step, entity), AP_OK);
  assert_int_equal(case_record_put(world->record, step, entity, &finding), AP_OK);
  case_finding_deinit(&finding);
}

/* A finding with one of everything. */
static void put_risky(struct world *world, uint32_t step, uint32_t entity, const char *answer)
{
  const char *identifier = casefile_entity(world->cf, entity)->identifier;
  struct case_finding finding;
  case_finding_init(&finding);
  finding.outcome = CASE_OUTCOME_REPORTED;
  finding.risky = finding.suspicious = true;
  finding.detections = 54;
  finding.total = 60;
  finding.threshold = 3;
  ap_buf_add_str(&finding.link, "https://www.virustotal.com/x");
  finding.answer = slice(answer);
  assert_int_equal(case_finding_enrich(&finding, "positives", 9, slice("54")), AP_OK);
  assert_int_equal(case_finding_insight(&finding, identifier, "warn", slice("Risky"),
                                        slice("54/60"), "VirusTotal"),
                   AP_OK);
  assert_int_equal(case_finding_table(&finding, identifier, slice("Engines"), slice("[\"a,b\"]"),
                                      slice("[[\"}\"]]")),
                   AP_OK);
  assert_int_equal(
      case_finding_table(&finding, identifier, slice("Comments"), slice("[]"), slice("[]")), AP_OK);
  assert_int_equal(case_record_select(world->record, step, entity), AP_OK);
  assert_int_equal(case_record_put(world->record, step, entity, &finding), AP_OK);
  case_finding_deinit(&finding);
}

/* ---- documents ---- */

static int gather(void *arg, const char *data, size_t len)
{
  ap_buf_add(arg, data, len);
  return ap_buf_error(arg);
}

static void check_json(const struct ap_buf *document)
{
  struct ap_error err = {0};
  if (ap_json_check(ap_slice_of(document), AP_JSON_MAX_DEPTH, ALL_VALUES, &err))
    fail_msg("%s: %.2000s", err.text, ap_buf_cstr(document));
  assert_int_equal(document->ptr[document->len - 1], '\n');
}

static void write_action(struct world *world, uint32_t step, struct ap_buf *out)
{
  assert_int_equal(case_record_write_action(world->record, step, gather, out), AP_OK);
  check_json(out);
}

static void write_run(struct world *world, struct ap_buf *out)
{
  const struct case_run_info info = {.run = "r1",
                                     .playbook = "triage",
                                     .params = slice("{ \"key\": \"***\" }"),
                                     .started = "2026-11-24T04:11:52Z",
                                     .finished = "2026-11-24T04:12:52Z",
                                     .status = "completed",
                                     .exit_code = 10,
                                     .tags = slice("[\"VT\"]"),
                                     .score = -7};
  assert_int_equal(case_record_write_run(world->record, &info, gather, out), AP_OK);
  check_json(out);
  struct ap_buf line = {0};
  assert_int_equal(case_record_line_run(world->record, &info, &line), AP_OK);
  check_json(&line);
  assert_ptr_equal(strchr(line.ptr, '\n'), line.ptr + line.len - 1);
  ap_buf_deinit(&line);
}

/* The names of an object's members, in their order. */
static void check_keys(struct ap_slice object, const char *expected)
{
  struct ap_buf keys = {0};
  struct ap_json_walk walk = ap_json_walk(object);
  while (ap_json_next(&walk)) {
    if (keys.len)
      ap_buf_add_char(&keys, ' ');
    ap_json_read_string(walk.key, &keys);
  }
  assert_string_equal(ap_buf_cstr(&keys), expected);
  ap_buf_deinit(&keys);
}

static struct ap_slice member(struct ap_slice object, const char *name)
{
  struct ap_slice value = {0};
  if (!ap_json_get(object, name, &value))
    fail_msg("no %s in %.*s", name, (int)object.len, object.ptr);
  return ap_json_trim(value);
}

static struct ap_slice item(struct ap_slice array, size_t index)
{
  struct ap_json_walk walk = ap_json_walk(array);
  for (size_t i = 0; i <= index; i++)
    if (!ap_json_next(&walk))
      fail_msg("no item %zu in %.*s", index, (int)array.len, array.ptr);
  return ap_json_trim(walk.value);
}

static size_t count_items(struct ap_slice container)
{
  size_t count = 0;
  struct ap_json_walk walk = ap_json_walk(container);
  while (ap_json_next(&walk))
    count++;
  return count;
}

static void check_text(struct ap_slice value, const char *expected)
{
  struct ap_buf text = {0};
  ap_json_compact(value, &text);
  assert_string_equal(ap_buf_cstr(&text), expected);
  ap_buf_deinit(&text);
}

static void test_an_action_is_written_as_designed(void **state)
{
  (void)state;
  static const char answer[] = "{ \"positives\" : 54,\n \"e\": [], \"n\": null, \"big\": 1e400 }";
  struct world world;
  struct ap_buf document = {0};
  open_world(&world, &store_spool_system);
  uint32_t bad = add_entity(&world, "evil.com");
  uint32_t missing = add_entity(&world, "b.com");
  (void)add_entity(&world, "not-in-the-step.com");
  (void)add_entity(&world, "EVIL.com");
  uint32_t step = add_step(&world, &hash_step);
  put_outcome(&world, step, missing, CASE_OUTCOME_NOT_FOUND, "", "");
  put_risky(&world, step, bad, answer);
  *case_record_cost(world.record, step) =
      (struct case_cost){.requests = 25, .quota = 97, .cached = 3, .bytes_sent = UINT64_MAX};
  assert_int_equal(case_record_warn(world.record, step, "a \"warning\""), AP_OK);
  assert_int_equal(case_record_warn(world.record, step, "another"), AP_OK);
  const struct case_step_end end = {.status = "completed", .result = true, .message = "1 of 2"};
  assert_int_equal(case_record_end_step(world.record, step, &end), AP_OK);
  write_action(&world, step, &document);

  struct ap_slice action = ap_slice_of(&document);
  check_keys(action, "schema action name provider status result message json_result entities "
                     "insights tables warnings coverage cost");
  check_text(member(action, "schema"), "\"apogee.action/1\"");
  check_text(member(action, "result"), "{\"name\":\"is_risky\",\"value\":true}");
  check_text(member(action, "warnings"), "[\"a \\\"warning\\\"\",\"another\"]");
  check_text(member(action, "coverage"), "{\"checked\":2,\"of\":2}");
  check_text(member(action, "cost"), "{\"requests\":25,\"quota\":97,\"cached\":3,\"shared\":0,"
                                     "\"bytes_sent\":18446744073709551615}");
  struct ap_slice results = member(action, "json_result");
  assert_int_equal(count_items(results), 1);
  check_keys(item(results, 0), "Entity EntityResult");
  assert_true(ap_slice_is(member(item(results, 0), "EntityResult"), answer));
  struct ap_slice entities = member(action, "entities");
  assert_int_equal(count_items(entities), 2);
  check_text(item(entities, 0),
             "{\"identifier\":\"evil.com\",\"type\":\"hostname\",\"outcome\":\"reported\","
             "\"reason\":null,\"suspicious\":true,\"enriched\":true,"
             "\"enrichment\":{\"VirusTotal\":{\"positives\":54}},"
             "\"link\":\"https://www.virustotal.com/x\",\"aliases\":[\"EVIL.com\"],"
             "\"verdict\":{\"risky\":true,\"detections\":54,\"total\":60,"
             "\"threshold\":3}}");
  check_text(item(entities, 1),
             "{\"identifier\":\"b.com\",\"type\":\"hostname\",\"outcome\":\"not_found\","
             "\"reason\":null,\"suspicious\":false,\"enriched\":false,\"enrichment\":{},"
             "\"link\":null}");
  check_text(item(member(action, "insights"), 0),
             "{\"entity\":\"evil.com\",\"severity\":\"warn\",\"title\":\"Risky\","
             "\"body\":\"54/60\",\"triggered_by\":\"VirusTotal\"}");
  assert_int_equal(count_items(member(action, "tables")), 2);
  check_text(item(member(action, "tables"), 0),
             "{\"title\":\"Engines\",\"columns\":[\"a,b\"],\"rows\":[[\"}\"]],"
             "\"entity\":\"evil.com\"}");
  ap_buf_deinit(&document);
  close_world(&world);
}

static void test_results_by_entity_are_an_object(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf document = {0};
  struct case_step_info info = hash_step;
  info.json_by_entity = true;
  open_world(&world, &store_spool_system);
  uint32_t step = add_step(&world, &info);
  put_outcome(&world, step, add_entity(&world, "a.com"), CASE_OUTCOME_SCANNED, "", "[1]");
  put_outcome(&world, step, add_entity(&world, "b.com"), CASE_OUTCOME_FAILED, "why", "");
  put_outcome(&world, step, add_entity(&world, "c.com"), CASE_OUTCOME_SCANNED, "", "{}");
  write_action(&world, step, &document);
  struct ap_slice action = ap_slice_of(&document);
  check_text(member(action, "json_result"), "{\"a.com\":[1],\"c.com\":{}}");
  check_text(member(item(member(action, "entities"), 1), "reason"), "\"why\"");
  check_text(member(action, "coverage"), "{\"checked\":2,\"of\":3}");
  ap_buf_deinit(&document);
  close_world(&world);
}

static void test_an_empty_step_is_a_whole_document(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf document = {0};
  open_world(&world, &store_spool_system);
  uint32_t step = add_step(&world, &hash_step);
  write_action(&world, step, &document);
  check_text(member(ap_slice_of(&document), "status"), "\"not_run\"");
  check_text(member(ap_slice_of(&document), "message"), "null");
  check_text(member(ap_slice_of(&document), "entities"), "[]");
  ap_buf_clear(&document);
  write_run(&world, &document);
  check_text(member(ap_slice_of(&document), "entities"), "[]");
  ap_buf_deinit(&document);
  close_world(&world);
}

static void test_a_run_is_written_as_designed(void **state)
{
  (void)state;
  static const struct case_step_info function = {.name = "mark"};
  struct world world;
  struct ap_buf document = {0};
  open_world(&world, &store_spool_system);
  uint32_t bad = add_entity(&world, "evil.com");
  uint32_t torn = add_entity(&world, "two words");
  (void)add_entity(&world, "EVIL.COM");
  uint32_t first = add_step(&world, &hash_step);
  uint32_t mark = add_step(&world, &function);
  struct case_step_info again = hash_step;
  again.name = "again";
  uint32_t second = add_step(&world, &again);
  put_risky(&world, first, bad, "{}");
  put_outcome(&world, first, torn, CASE_OUTCOME_SKIPPED, "malformed", "");
  put_outcome(&world, second, bad, CASE_OUTCOME_LIMITED, "quota", "");
  assert_int_equal(case_record_select(world.record, mark, bad), AP_OK);
  assert_int_equal(case_record_add_insight(world.record, slice("{ \"entity\":null }")), AP_OK);
  assert_int_equal(case_record_warn_run(world.record, "TLS is not verified"), AP_OK);
  write_run(&world, &document);

  struct ap_slice run = ap_slice_of(&document);
  check_keys(run, "schema run playbook params started finished status exit tags score warnings "
                  "coverage steps entities insights");
  check_text(member(run, "schema"), "\"apogee.run/1\"");
  check_text(member(run, "params"), "{\"key\":\"***\"}");
  check_text(member(run, "exit"), "10");
  check_text(member(run, "score"), "-7");
  check_text(member(run, "tags"), "[\"VT\"]");
  check_text(member(run, "warnings"), "[\"TLS is not verified\"]");
  check_text(member(run, "coverage"), "{\"checked\":1,\"of\":3}");
  struct ap_slice steps = member(run, "steps");
  assert_int_equal(count_items(steps), 3);
  check_keys(item(steps, 0), "schema step action name provider status result message json_result "
                             "entities insights tables warnings coverage cost");
  check_keys(item(steps, 1), "schema step action name provider status result message "
                             "entities insights tables warnings coverage cost");
  check_text(member(item(steps, 1), "action"), "null");
  check_text(member(item(steps, 1), "result"), "null");
  check_text(member(item(member(item(steps, 1), "entities"), 0), "outcome"), "\"not_asked\"");
  check_text(item(member(run, "entities"), 0),
             "{\"identifier\":\"evil.com\",\"type\":\"hostname\",\"internal\":false,"
             "\"suspicious\":true,\"enriched\":true,\"aliases\":[\"EVIL.COM\"],"
             "\"steps\":{\"hashes\":\"reported\",\"mark\":\"not_asked\",\"again\":\"limited\"}}");
  check_text(item(member(run, "entities"), 1),
             "{\"identifier\":\"two words\",\"type\":null,\"internal\":false,"
             "\"suspicious\":false,\"enriched\":false,"
             "\"malformed\":\"no indicator: it has blanks inside\","
             "\"steps\":{\"hashes\":\"skipped\"}}");
  assert_int_equal(count_items(member(run, "insights")), 2);
  check_text(item(member(run, "insights"), 1), "{\"entity\":null}");
  ap_buf_deinit(&document);
  close_world(&world);
}

/* ---- lines ---- */

static void check_line(const struct ap_buf *line)
{
  check_json(line);
  assert_ptr_equal(strchr(line->ptr, '\n'), line->ptr + line->len - 1);
}

static void test_lines_are_lines_with_the_answer_compact(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf line = {0};
  open_world(&world, &store_spool_system);
  uint32_t bad = add_entity(&world, "evil.com");
  uint32_t none = add_entity(&world, "b.com");
  uint32_t step = add_step(&world, &hash_step);
  put_risky(&world, step, bad, "{ \"a b\" :\n [ ] }\n");
  assert_int_equal(case_record_select(world.record, step, none), AP_OK);
  assert_int_equal(case_record_line_entity(world.record, step, bad, &line), AP_OK);
  check_line(&line);
  check_keys(ap_slice_of(&line), "schema step identifier type outcome reason suspicious enriched "
                                 "enrichment link verdict EntityResult");
  assert_true(ap_slice_is(member(ap_slice_of(&line), "EntityResult"), "{\"a b\":[]}"));
  ap_buf_clear(&line);
  assert_int_equal(case_record_line_entity(world.record, step, none, &line), AP_OK);
  check_line(&line);
  check_text(member(ap_slice_of(&line), "EntityResult"), "null");
  ap_buf_clear(&line);
  assert_int_equal(case_record_line_step(world.record, step, &line), AP_OK);
  check_line(&line);
  check_keys(ap_slice_of(&line), "schema step action name provider status result message insights "
                                 "tables warnings coverage cost");
  ap_buf_clear(&line);
  assert_int_equal(case_record_entity_json(world.record, step, bad, &line), AP_OK);
  check_text(member(ap_slice_of(&line), "enrichment"), "{\"VirusTotal\":{\"positives\":54}}");
  assert_int_equal(case_record_entity_json(world.record, step, add_entity(&world, "c.com"), &line),
                   AP_E_INVALID);
  ap_buf_deinit(&line);
  close_world(&world);
}

/* ---- memory side ---- */

static void test_counts_and_flags_follow_what_is_put(void **state)
{
  (void)state;
  struct world world;
  open_world(&world, &store_spool_system);
  uint32_t bad = add_entity(&world, "evil.com");
  uint32_t open = add_entity(&world, "open.com");
  uint32_t other = add_entity(&world, "other.com");
  uint32_t step = add_step(&world, &hash_step);
  put_risky(&world, step, bad, "{}");
  assert_int_equal(case_record_select(world.record, step, open), AP_OK);
  assert_int_equal(case_record_select(world.record, step, open), AP_OK);
  struct case_step_counts counts = case_record_counts(world.record, step);
  assert_int_equal(counts.of, 2);
  assert_int_equal(counts.done, 1);
  assert_int_equal(counts.risky, 1);
  assert_int_equal(counts.outcome[CASE_OUTCOME_REPORTED], 1);
  struct case_step_entity known = case_record_entity(world.record, step, bad);
  assert_true(known.in_step && known.is_done && known.risky);
  assert_int_equal(known.detections, 54);
  known = case_record_entity(world.record, step, open);
  assert_true(known.in_step && !known.is_done);
  assert_int_equal(known.detections, -1);
  assert_false(case_record_entity(world.record, step, other).in_step);
  assert_true(casefile_entity(world.cf, bad)->suspicious);
  assert_true(casefile_entity(world.cf, bad)->enriched);
  close_world(&world);
}

static void test_an_entity_is_put_once_and_only_when_selected(void **state)
{
  (void)state;
  struct world world;
  struct case_finding finding;
  case_finding_init(&finding);
  open_world(&world, &store_spool_system);
  uint32_t entity = add_entity(&world, "evil.com");
  uint32_t step = add_step(&world, &hash_step);
  assert_int_equal(case_record_put(world.record, step, entity, &finding), AP_E_INTERNAL);
  put_outcome(&world, step, entity, CASE_OUTCOME_REPORTED, "", "{}");
  assert_int_equal(case_record_put(world.record, step, entity, &finding), AP_E_INTERNAL);
  assert_int_equal(case_record_counts(world.record, step).done, 1);
  case_finding_deinit(&finding);
  close_world(&world);
}

static void test_warnings_are_bounded_and_stay_whole(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf document = {0};
  open_world(&world, &store_spool_system);
  uint32_t step = add_step(&world, &hash_step);
  char text[1000];
  memset(text, '"', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  int code = AP_OK;
  for (int i = 0; i < 2000 && !code; i++)
    code = case_record_warn(world.record, step, text);
  assert_int_equal(code, AP_E_TOO_LARGE);
  write_action(&world, step, &document);
  ap_buf_deinit(&document);
  close_world(&world);
}

/* ---- failures ---- */

static ssize_t full_pwrite(int fd, const void *data, size_t len, off_t offset)
{
  (void)fd, (void)data, (void)len, (void)offset;
  return 0;
}

static void test_a_failing_spool_fails_the_put_and_the_rest_is_written(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf document = {0};
  struct store_spool_io io = store_spool_system;
  io.pwrite = full_pwrite;
  open_world(&world, &io);
  uint32_t step = add_step(&world, &hash_step);
  struct case_finding finding;
  case_finding_init(&finding);
  finding.outcome = CASE_OUTCOME_REPORTED;
  static char answer[100000];
  memset(answer, 'x', sizeof(answer));
  answer[0] = answer[sizeof(answer) - 1] = '"';
  finding.answer = (struct ap_slice){answer, sizeof(answer)};
  int code = AP_OK;
  char name[32];
  for (int i = 0; i < 20 && !code; i++) {
    (void)snprintf(name, sizeof(name), "host-%d.com", i);
    uint32_t entity = add_entity(&world, name);
    assert_int_equal(case_record_select(world.record, step, entity), AP_OK);
    code = case_record_put(world.record, step, entity, &finding);
    assert_int_equal(case_record_entity(world.record, step, entity).is_done, code == AP_OK);
  }
  assert_int_equal(code, AP_E_IO);
  write_action(&world, step, &document);
  struct case_step_counts counts = case_record_counts(world.record, step);
  assert_int_equal(counts.done + 1, counts.of);
  assert_int_equal(count_items(member(ap_slice_of(&document), "json_result")), counts.done);
  assert_int_equal(count_items(member(ap_slice_of(&document), "entities")), counts.of);
  case_finding_deinit(&finding);
  ap_buf_deinit(&document);
  close_world(&world);
}

struct sink {
  size_t calls;
  size_t bytes;
  size_t largest;
  size_t fail_at; /* which call fails; 0: none */
};

static int pour(void *arg, const char *data, size_t len)
{
  struct sink *sink = arg;
  (void)data;
  sink->calls++;
  sink->bytes += len;
  sink->largest = len > sink->largest ? len : sink->largest;
  return sink->calls == sink->fail_at ? AP_E_IO : AP_OK;
}

static void test_a_writer_that_fails_ends_the_document(void **state)
{
  (void)state;
  struct world world;
  open_world(&world, &store_spool_system);
  uint32_t step = add_step(&world, &hash_step);
  char name[32];
  for (int i = 0; i < 2000; i++) {
    (void)snprintf(name, sizeof(name), "host-%d.com", i);
    put_risky(&world, step, add_entity(&world, name), "[1, 2, 3]");
  }
  struct sink whole = {0};
  assert_int_equal(case_record_write_action(world.record, step, pour, &whole), AP_OK);
  assert_true(whole.largest < (size_t)66 * 1024);
  for (size_t i = 1; i <= whole.calls; i++) {
    struct sink sink = {.fail_at = i};
    assert_int_equal(case_record_write_action(world.record, step, pour, &sink), AP_E_IO);
    assert_int_equal(sink.calls, i);
  }
  close_world(&world);
}

/* ---- many ---- */

static size_t bytes_in_use(void)
{
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

static void test_many_entities_in_many_steps_cost_little_memory(void **state)
{
  (void)state;
  enum { ENTITIES = 100000, STEPS = 3 };
  struct world world;
  char name[32];
  open_world(&world, &store_spool_system);
  for (uint32_t i = 0; i < ENTITIES; i++) {
    (void)snprintf(name, sizeof(name), "host-%u.com", i);
    (void)add_entity(&world, name);
  }
  size_t before = bytes_in_use();
  for (int s = 0; s < STEPS; s++) {
    uint32_t step = add_step(&world, &hash_step);
    for (uint32_t i = ENTITIES; i-- > 0;)
      put_outcome(&world, step, i, CASE_OUTCOME_REPORTED, "", "{\"positives\":0}");
  }
#ifndef __SANITIZE_ADDRESS__
  size_t used = bytes_in_use() - before;
  print_message("%d bytes an entity and step\n", (int)(used / ENTITIES / STEPS));
  assert_true(used / ENTITIES / STEPS <= 34);
#else
  (void)before;
#endif
  struct ap_buf document = {0};
  write_run(&world, &document);
  assert_int_equal(count_items(member(ap_slice_of(&document), "entities")), ENTITIES);
  struct ap_slice last = item(member(ap_slice_of(&document), "steps"), STEPS - 1);
  check_text(member(item(member(last, "json_result"), 1), "Entity"), "\"host-1.com\"");
  ap_buf_deinit(&document);
  close_world(&world);
}

static void check_piece(int rc, struct ap_buf *piece, const char *wanted)
{
  assert_int_equal(rc, AP_OK);
  assert_string_equal(ap_buf_cstr(piece), wanted);
  ap_buf_clear(piece);
}

static void test_renders_read_it_piece_by_piece(void **state)
{
  (void)state;
  struct world world;
  struct ap_buf piece = {0};
  open_world(&world, &store_spool_system);
  uint32_t bad = add_entity(&world, "evil.com");
  uint32_t open = add_entity(&world, "open.com");
  uint32_t step = add_step(&world, &hash_step);
  put_risky(&world, step, bad, "{}");
  assert_int_equal(case_record_select(world.record, step, open), AP_OK);
  check_piece(case_record_list_json(world.record, step, bad, CASE_LIST_INSIGHTS, &piece), &piece,
              "[{\"entity\":\"evil.com\",\"severity\":\"warn\",\"title\":\"Risky\","
              "\"body\":\"54/60\",\"triggered_by\":\"VirusTotal\"}]");
  check_piece(case_record_list_json(world.record, step, bad, CASE_LIST_TABLES, &piece), &piece,
              "[{\"title\":\"Engines\",\"columns\":[\"a,b\"],\"rows\":[[\"}\"]],"
              "\"entity\":\"evil.com\"},{\"title\":\"Comments\",\"columns\":[],\"rows\":[],"
              "\"entity\":\"evil.com\"}]");
  check_piece(case_record_list_json(world.record, step, open, CASE_LIST_TABLES, &piece), &piece,
              "[]");
  check_piece(case_record_run_entity_json(world.record, open, &piece), &piece,
              "{\"identifier\":\"open.com\",\"type\":\"hostname\",\"internal\":false,"
              "\"suspicious\":false,\"enriched\":false,\"steps\":{\"hashes\":\"not_asked\"}}");
  assert_int_equal(case_record_step_json(world.record, step, &piece), AP_OK);
  struct ap_slice head = ap_slice_of(&piece);
  check_text(member(head, "coverage"), "{\"checked\":1,\"of\":2}");
  check_text(member(head, "status"), "\"not_run\"");
  struct ap_slice none;
  assert_false(ap_json_get(head, "tables", &none));
  assert_false(ap_json_get(head, "entities", &none));
  ap_buf_deinit(&piece);
  close_world(&world);
}

static void test_a_report_of_no_engine_is_told_from_one_without_detections(void **state)
{
  (void)state;
  struct world world;
  open_world(&world, &store_spool_system);
  uint32_t step = add_step(&world, &hash_step);
  for (int64_t total = -1; total <= 1; total++) {
    uint32_t entity = add_entity(&world, total < 0 ? "a.com" : total ? "b.com" : "c.com");
    struct case_finding finding;
    case_finding_init(&finding);
    finding.outcome = CASE_OUTCOME_REPORTED;
    finding.detections = 0;
    finding.total = total;
    assert_int_equal(case_record_select(world.record, step, entity), AP_OK);
    assert_int_equal(case_record_put(world.record, step, entity, &finding), AP_OK);
    assert_int_equal(case_record_entity(world.record, step, entity).no_engines, total == 0);
    case_finding_deinit(&finding);
  }
  close_world(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_action_is_written_as_designed),
      cmocka_unit_test(test_results_by_entity_are_an_object),
      cmocka_unit_test(test_an_empty_step_is_a_whole_document),
      cmocka_unit_test(test_a_run_is_written_as_designed),
      cmocka_unit_test(test_lines_are_lines_with_the_answer_compact),
      cmocka_unit_test(test_counts_and_flags_follow_what_is_put),
      cmocka_unit_test(test_an_entity_is_put_once_and_only_when_selected),
      cmocka_unit_test(test_warnings_are_bounded_and_stay_whole),
      cmocka_unit_test(test_a_failing_spool_fails_the_put_and_the_rest_is_written),
      cmocka_unit_test(test_a_writer_that_fails_ends_the_document),
      cmocka_unit_test(test_many_entities_in_many_steps_cost_little_memory),
      cmocka_unit_test(test_renders_read_it_piece_by_piece),
      cmocka_unit_test(test_a_report_of_no_engine_is_told_from_one_without_detections),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
