/* Uploads against the simulator: what each answer, and each missing one, ends in. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "vt_unit.h"

/* A file of letters, made as it is read. */
struct letters {
  uint64_t size;
  uint64_t at;
  uint64_t fails_at; /* 0: nowhere */
  uint64_t ends_at;  /* earlier than it said; 0: it does not */
  unsigned reads;
  unsigned rewinds;
  bool is_gone; /* must not be read any more */
};

static int64_t read_letters(void *arg, char *data, size_t len)
{
  struct letters *letters = arg;
  assert_false(letters->is_gone);
  letters->reads++;
  if (letters->fails_at && letters->at >= letters->fails_at)
    return AP_E_IO;
  uint64_t end = letters->ends_at ? letters->ends_at : letters->size;
  if (len > end - letters->at)
    len = (size_t)(end - letters->at);
  for (size_t i = 0; i < len; i++)
    data[i] = (char)('a' + (int)((letters->at + i) % 26));
  letters->at += len;
  return (int64_t)len;
}

static int rewind_letters(void *arg)
{
  struct letters *letters = arg;
  letters->at = 0;
  letters->rewinds++;
  return AP_OK;
}

static void digest_of(struct letters letters, char sha256[65])
{
  struct ap_hasher *hasher = NULL;
  struct ap_digests digests;
  char data[4096];
  int64_t got;
  letters = (struct letters){.size = letters.size};
  assert_int_equal(AP_OK, ap_hasher_new(&hasher));
  while ((got = read_letters(&letters, data, sizeof(data))) > 0)
    assert_int_equal(AP_OK, ap_hasher_add(hasher, data, (size_t)got));
  assert_int_equal(AP_OK, ap_hasher_finish(hasher, &digests));
  ap_hasher_free(hasher);
  memcpy(sha256, digests.sha256, 65);
}

static struct vt_source source_of(struct letters *letters, const char *name)
{
  return (struct vt_source){.name = name,
                            .size = letters->size,
                            .read = read_letters,
                            .rewind = rewind_letters,
                            .arg = letters};
}

static struct vt_upload *upload_with(struct world *world, struct letters *letters, const char *name,
                                     const struct vt_ask_options *options)
{
  struct vt_source source = source_of(letters, name);
  struct vt_upload *upload = NULL;
  char sha256[65];
  digest_of(*letters, sha256);
  assert_int_equal(AP_PENDING, vt_upload(world->client, &source, sha256, options, hear,
                                         ear_new(world), &upload));
  return upload;
}

static struct vt_upload *upload(struct world *world, struct letters *letters)
{
  const struct vt_ask_options options = {.cost = &world->cost};
  return upload_with(world, letters, "/home/ana/sample.exe", &options);
}

static void test_an_upload_is_journalled_and_waited_for(void **state)
{
  struct world world;
  struct letters file = {.size = 100000};
  char sha256[65];
  (void)state;
  world_open_plain(&world, "return {scan_ms = 1}");
  digest_of(file, sha256);
  upload(&world, &file);
  assert_int_equal(0, store_submission_open_count(world.store));
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_memory_equal(sha256, world.heard[0].scan_id, 64);
  assert_int_equal(1, store_submission_open_count(world.store));
  assert_int_equal(1, world.cost.requests);
  assert_int_equal(1, world.cost.quota);
  assert_true(world.cost.bytes_sent > file.size && world.cost.bytes_sent < file.size + 1024);
  await(&world, world.heard[0].scan_id);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

struct upload_case {
  const char *name;
  const char *scenario;
  int code;
  unsigned scans;   /* requests of file/scan */
  unsigned reports; /* and of file/report */
  unsigned open;    /* in the journal */
  const char *says; /* in the message; NULL: anything */
};

static void test_each_answer_to_an_upload_ends_as_the_rules_say(void **state)
{
  static const struct upload_case cases[] = {
      {"5xx, and it is queued",
       "return {answers={['file/scan *']={{status=503}},['file/report *']={{code=-2}}}}", AP_OK, 1,
       1, 1, NULL},
      {"5xx, and it is known",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{code=1}}}}", AP_OK, 1,
       1, 1, NULL},
      {"5xx, and it is not known",
       "return {answers={['file/scan *']={{status=500},{pass=true}},['file/report *']={{code=0}}}}",
       AP_OK, 2, 1, 1, NULL},
      {"5xx again, and it is not known",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{code=0}}}}",
       AP_E_SERVER, 2, 1, 0, "HTTP 500"},
      {"5xx, and the look-up fails too",
       "return {answers={['file/scan *']={{status=500}},['file/report *']={{status=502}}}}",
       AP_E_SERVER, 1, 4, 1, "HTTP 502"},
      {"broken JSON, and it is queued", "return {answers={['file/scan *']={{truncated=true}}}}",
       AP_OK, 1, 1, 1, NULL},
      {"JSON that is no receipt, and it is not known",
       "return {answers={['file/scan *']={'[]',{pass=true}},['file/report *']={{code=0}}}}", AP_OK,
       2, 1, 1, NULL},
      {"no answer, and it is queued", "return {answers={['file/scan *']={{cut='before'}}}}", AP_OK,
       1, 1, 1, NULL},
      {"no answer, and it is known late",
       "return {answers={['file/scan *']={{cut='before'}},"
       "['file/report *']={{code=0},{code=0},{pass=true}}}}",
       AP_OK, 1, 3, 1, NULL},
      {"no answer, and it is not known",
       "return {answers={['file/scan *']={{cut='before'}},['file/report *']={{code=0}}}}",
       AP_E_NETWORK, 1, 3, 0, "may have arrived"},
      {"half an answer is none",
       "return {answers={['file/scan *']={{cut='middle'}},['file/report *']={{code=0}}}}",
       AP_E_NETWORK, 1, 3, 0, "may have arrived"},
      {"413", "return {answers={['file/scan *']={{status=413}}}}", AP_E_TOO_LARGE, 1, 0, 0, "413"},
      {"400", "return {answers={['file/scan *']={{status=400}}}}", AP_E_REJECTED, 1, 0, 0, "400"},
      {"-1", "return {answers={['file/scan *']={{code=-1, verbose_msg='no thanks'}}}}",
       AP_E_REJECTED, 1, 0, 0, "no thanks"},
      {"no scan id", "return {answers={['file/scan *']={'{\"response_code\":1}'}}}", AP_OK, 1, 0, 1,
       NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct world world;
    struct letters file = {.size = 1000};
    const struct upload_case *c = &cases[i];
    world_open_plain(&world, c->scenario);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, c->code, c->name);
    if (requests_of(&world, "file/scan") != c->scans ||
        requests_of(&world, "file/report") != c->reports ||
        store_submission_open_count(world.store) != c->open)
      fail_msg("%s: %u uploads, %u look-ups, %zu open", c->name, requests_of(&world, "file/scan"),
               requests_of(&world, "file/report"), store_submission_open_count(world.store));
    if (c->says && !strstr(world.heard[0].message, c->says))
      fail_msg("%s: %s", c->name, world.heard[0].message);
    world_close(&world);
  }
}

static void test_a_receipt_without_scan_id_is_waited_for_by_the_hash(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  char sha256[65];
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan *']={'{\"response_code\":1}'}, "
                           "['file/report *']={{code=1}}}}");
  upload(&world, &file);
  settle(&world);
  assert_string_equal("", world.heard[0].scan_id);
  assert_int_equal(1, store_submission_open_count(world.store));
  digest_of(file, sha256);
  await(&world, sha256);
  settle(&world);
  expect_code(&world, 1, AP_OK, "the wait");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_403_is_about_the_key_when_nothing_was_accepted_before(void **state)
{
  static const char scenario[] = "return {answers={['file/scan *']={{status=403}}}}";
  struct world world;
  struct letters file = {.size = 1000};
  const struct vt_ask_options with_report = {.has_report = true};
  (void)state;
  world_open_plain(&world, scenario);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_UNAUTHORIZED, "a first upload");
  assert_true(vt_client_is_refused(world.client));
  assert_string_equal("HTTP 403", vt_client_refusal(world.client));
  world_close(&world);

  world_open_plain(&world, scenario);
  file.at = 0;
  upload_with(&world, &file, "a", &with_report);
  settle(&world);
  expect_code(&world, 0, AP_E_FORBIDDEN, "with a report in hand");
  assert_null(vt_client_refusal(world.client));
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  file.at = 0;
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 2, AP_E_FORBIDDEN, "after a look-up");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_of_a_name_only_its_last_part_is_sent_and_nothing_that_ends_a_header(void **state)
{
  static const char *const names[][2] = {
      {"/home/ana/q1.exe", "q1.exe"},
      {"C:\\Users\\ana\\q2.exe", "q2.exe"},
      {"q\"3\r\nX: y.exe", "q_3__X: y.exe"},
      {"/home/ana/", "file"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    struct world world;
    struct letters file = {.size = 1000};
    const struct vt_ask_options options = {0};
    char scenario[200];
    (void)snprintf(scenario, sizeof(scenario),
                   "return {answers={[ [[file/scan %s]] ]={{code=-1}}}}", names[i][1]);
    world_open_plain(&world, scenario);
    upload_with(&world, &file, names[i][0], &options);
    settle(&world);
    expect_code(&world, 0, AP_E_REJECTED, names[i][0]); /* the name is what the scenario knows */
    world_close(&world);
  }
}

static void test_a_source_that_fails_or_ends_early_submits_nothing(void **state)
{
  const struct letters broken[] = {{.size = 300000, .fails_at = 200000},
                                   {.size = 300000, .ends_at = 200000}};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(broken); i++) {
    struct world world;
    struct letters file = broken[i];
    world_open_plain(&world, NULL);
    upload(&world, &file);
    settle(&world);
    expect_code(&world, 0, AP_E_IO, "a broken source");
    assert_int_equal(0, store_submission_open_count(world.store));
    assert_int_equal(1, world.cost.requests);
    world_close(&world);
  }
}

static void test_two_uploads_of_the_same_contents_are_one(void **state)
{
  struct world world;
  struct letters first = {.size = 1000};
  struct letters second = {.size = 1000};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &first);
  upload(&world, &second);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the first");
  expect_code(&world, 1, AP_OK, "the second");
  assert_string_equal(world.heard[0].scan_id, world.heard[1].scan_id);
  assert_int_equal(1, requests_of(&world, "file/scan"));
  assert_int_equal(1, world.cost.shared);
  assert_int_equal(0, second.reads);
  world_close(&world);
}

static void test_when_one_source_fails_that_of_another_is_sent(void **state)
{
  struct world world;
  struct letters broken = {.size = 300000, .fails_at = 200000};
  struct letters good = {.size = 300000};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &broken);
  upload(&world, &good);
  settle(&world);
  expect_code(&world, 0, AP_E_IO, "the broken one");
  expect_code(&world, 1, AP_OK, "the good one");
  world_close(&world);
}

/* ---- canceling ---- */

static struct vt_upload *to_cancel;
static struct letters *its_letters;

static void cancel_when_it_is_read(struct world *world)
{
  (void)world;
  if (!to_cancel || its_letters->at == 0)
    return;
  vt_upload_cancel(to_cancel);
  its_letters->is_gone = true;
  to_cancel = NULL;
}

static void never(void *arg, const struct vt_answer *answer)
{
  (void)arg;
  fail_msg("a canceled upload was answered: %s", answer->message);
}

static struct vt_upload *upload_unheard(struct world *world, struct letters *letters)
{
  struct vt_source source = source_of(letters, "a");
  const struct vt_ask_options options = {.cost = &world->cost};
  struct vt_upload *made = NULL;
  char sha256[65];
  digest_of(*letters, sha256);
  assert_int_equal(AP_PENDING,
                   vt_upload(world->client, &source, sha256, &options, never, NULL, &made));
  return made;
}

static void test_an_upload_that_is_canceled_before_its_turn_sends_nothing(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  (void)state;
  world_open_plain(&world, NULL);
  vt_upload_cancel(upload_unheard(&world, &file));
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  assert_int_equal(0, requests_of(&world, "file/scan"));
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_a_canceled_upload_leaves_the_other_its_own_source(void **state)
{
  struct world world;
  struct letters first = {.size = 30 * 1024 * 1024}; /* more than the sockets take at once */
  struct letters second = {.size = 30 * 1024 * 1024};
  (void)state;
  world_open_plain(&world, NULL);
  to_cancel = upload_unheard(&world, &first);
  its_letters = &first;
  world.each_turn = cancel_when_it_is_read;
  upload(&world, &second);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the second");
  assert_true(first.is_gone && first.at < first.size);
  assert_true(second.at == second.size);
  world_close(&world);
}

static void test_an_upload_that_is_all_read_goes_on_for_the_journal(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  char scan_id[100];
  char sha256[65];
  (void)state;
  options_without_quota(&options);
  options.jobs = 1; /* the look-up goes out when the upload is over */
  world_open(&world, "return {answers={['file/scan *']={{delay_ms=50}}}}", &options);
  to_cancel = upload_unheard(&world, &file);
  its_letters = &file;
  until_requested(&world, 1);
  world.each_turn = cancel_when_it_is_read;
  ask(&world, VT_IP_REPORT, "8.8.8.8");
  settle(&world);
  assert_true(file.is_gone);
  assert_int_equal(1, store_submission_open_count(world.store));
  digest_of(file, sha256);
  for (int64_t s = ap_clock_unix_ms() / 1000; store_submission_open_count(world.store); s--) {
    (void)snprintf(scan_id, sizeof(scan_id), "%s-%lld", sha256, (long long)s);
    store_submission_scanned(world.store, scan_id);
    if (ap_clock_unix_ms() / 1000 - s > 100)
      break;
  }
  assert_int_equal(0, store_submission_open_count(world.store)); /* its scan id was there */
  world_close(&world);
}

static void test_the_deadline_leaves_an_upload_on_the_wire_open(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  (void)state;
  world_open_plain(&world, "return {answers={['* *']={{pass=true, delay_ms=2000}}}}");
  upload(&world, &file);
  until_requested(&world, 1);
  vt_client_stop(world.client, AP_E_DEADLINE);
  assert_int_equal(1, world.answered);
  expect_code(&world, 0, AP_E_QUEUED, "the upload");
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_without_quota_an_upload_waits_behind_look_ups(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  (void)state;
  options_without_quota(&options);
  options.limits.per_minute = 1;
  options.stop_on_limit = true;
  world_open(&world, NULL, &options);
  upload(&world, &file);
  ask(&world, VT_FILE_REPORT, EICAR);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the upload");
  expect_code(&world, 1, AP_OK, "the look-up");
  assert_int_equal(0, requests_of(&world, "file/scan"));
  world_close(&world);
}

static void test_a_204_to_an_upload_is_not_a_submission(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1000};
  (void)state;
  options_without_quota(&options);
  options.stop_on_limit = true;
  world_open(&world, "return {answers={['file/scan *']={{status=204}}}}", &options);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_LIMITED, "the upload");
  assert_int_equal(0, store_submission_open_count(world.store));
  world_close(&world);
}

/* ---- large files ---- */

enum { LARGE_BYTES = 33 * 1024 * 1024 };

static void test_a_file_over_32_mib_goes_to_an_upload_url(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(0, requests_of(&world, "file/scan"));
  assert_int_equal(1, requests_of(&world, "file/scan/upload_url"));
  assert_int_equal(1, requests_of(&world, "_ah/upload"));
  assert_int_equal(2, world.cost.quota);
  assert_int_equal(1, store_submission_open_count(world.store));
  world_close(&world);
}

static void test_the_limit_of_32_mib_is_of_the_whole_request(void **state)
{
  struct world world;
  struct letters file = {.size = 32 * 1024 * 1024 - 10};
  (void)state;
  world_open_plain(&world, NULL);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(1, requests_of(&world, "_ah/upload"));
  world_close(&world);
}

static void test_each_upload_url_that_is_not_virustotals_is_refused(void **state)
{
  static const char *const urls[] = {
      "https://evil.example/upload",
      "https://virustotal.com.evil.example/upload",
      "https://evilvirustotal.com/upload",
      "https://www.virustotal.com@evil.example/upload",
      "http://www.virustotal.com/upload", /* the base is not https: no upgrade */
      "http://127.0.0.1:1/upload",
      "http://localhost/upload",
      "file:///etc/passwd",
      "ftp://www.virustotal.com/upload",
      "",
      "https://evil.example\\u0000.virustotal.com/",
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(urls); i++) {
    struct world world;
    struct letters file = {.size = LARGE_BYTES};
    const struct vt_ask_options options = {0};
    struct vt_source source = source_of(&file, "a");
    char scenario[300];
    (void)snprintf(scenario, sizeof(scenario),
                   "return {answers={['file/scan/upload_url *']={[[{\"upload_url\":\"%s\"}]]}}}",
                   urls[i]);
    world_open_plain(&world, scenario);
    assert_int_equal(AP_PENDING, vt_upload(world.client, &source, EICAR_SHA256, &options, hear,
                                           ear_new(&world), NULL));
    settle(&world);
    expect_code(&world, 0, AP_E_BAD_ANSWER, urls[i]);
    assert_int_equal(0, file.reads);
    assert_null(strstr(world.heard[0].message, "evil"));
    assert_int_equal(0, store_submission_open_count(world.store));
    world_close(&world);
  }
}

static void test_a_key_without_upload_urls_is_forbidden_large_files_alone(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan/upload_url *']={{status=403}}}}");
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_FORBIDDEN, "the upload");
  assert_false(vt_client_is_refused(world.client));
  world_close(&world);
}

static void test_an_upload_url_is_asked_for_again_as_a_look_up_is(void **state)
{
  struct world world;
  struct letters file = {.size = LARGE_BYTES};
  (void)state;
  world_open_plain(&world, "return {answers={['file/scan/upload_url *']={{status=500},"
                           "{cut='before'},{pass=true}}}}");
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_OK, "the upload");
  assert_int_equal(3, requests_of(&world, "file/scan/upload_url"));
  world_close(&world);
}

static void test_a_file_over_the_limit_is_not_sent(void **state)
{
  struct world world = {0};
  struct vt_options options;
  struct letters file = {.size = 1001};
  (void)state;
  options_without_quota(&options);
  assert_int_equal(200000000, options.upload_max_bytes);
  options.upload_max_bytes = 1000;
  world_open(&world, NULL, &options);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, AP_E_TOO_LARGE, "the upload");
  assert_non_null(strstr(world.heard[0].message, "1001"));
  assert_int_equal(0, requests_of(&world, NULL));
  world_close(&world);
}

static void test_what_is_no_sha256_is_refused(void **state)
{
  struct world world;
  struct letters file = {.size = 1000};
  struct vt_source source = source_of(&file, "a");
  const struct vt_ask_options options = {0};
  (void)state;
  world_open_plain(&world, NULL);
  assert_int_equal(AP_E_INVALID,
                   vt_upload(world.client, &source, EICAR, &options, hear, NULL, NULL));
  assert_int_equal(AP_E_INVALID,
                   vt_ask(world.client, VT_FILE_SCAN, EICAR_SHA256, &options, hear, NULL, NULL));
  world_close(&world);
}

/* ---- a connection that is cut while the file is on its way ---- */

/* Relays to the simulator, but hangs up on the first `cuts` connections after some of the file. */
struct relay {
  pthread_t thread;
  int listener;
  int target_port;
  unsigned cuts;
  char url[64];
};

static int dial(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? -1 : fd;
}

static void cut_connection(int fd)
{
  static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
  const struct linger reset = {.l_onoff = 1};
  char data[4096];
  size_t got = 0;
  (void)!read(fd, data, sizeof(data));
  (void)!write(fd, go_on, sizeof(go_on) - 1);
  while (got < 100000) {
    ssize_t n = read(fd, data, sizeof(data));
    if (n <= 0)
      break;
    got += (size_t)n;
  }
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  (void)close(fd);
}

static bool pass_on(int from, int to)
{
  char data[16384];
  ssize_t n = read(from, data, sizeof(data));
  return n > 0 && send(to, data, (size_t)n, MSG_NOSIGNAL) == n;
}

static void relay_connection(int fd, int port)
{
  struct pollfd ends[] = {{.fd = fd, .events = POLLIN}, {.fd = dial(port), .events = POLLIN}};
  bool goes_on = true;
  while (goes_on && poll(ends, 2, 20000) > 0)
    for (int i = 0; i < 2 && goes_on; i++)
      if (ends[i].revents)
        goes_on = pass_on(ends[i].fd, ends[1 - i].fd);
  (void)close(ends[0].fd);
  (void)close(ends[1].fd);
}

static void *relay_run(void *arg)
{
  struct relay *relay = arg;
  int fd;
  while ((fd = accept(relay->listener, NULL, NULL)) >= 0)
    if (relay->cuts && relay->cuts--)
      cut_connection(fd);
    else
      relay_connection(fd, relay->target_port);
  return NULL;
}

static void relay_open(struct relay *relay)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(0, bind(relay->listener, (struct sockaddr *)&address, len));
  assert_int_equal(0, listen(relay->listener, 8));
  assert_int_equal(0, getsockname(relay->listener, (struct sockaddr *)&address, &len));
  (void)snprintf(relay->url, sizeof(relay->url), "http://127.0.0.1:%u/vtapi/v2",
                 (unsigned)ntohs(address.sin_port));
}

static void relay_start(struct relay *relay, const struct world *world)
{
  relay->target_port = (int)strtol(strrchr(sim_url(world->sim), ':') + 1, NULL, 10);
  assert_int_equal(0, pthread_create(&relay->thread, NULL, relay_run, relay));
}

static void relay_close(struct relay *relay)
{
  (void)shutdown(relay->listener, SHUT_RDWR);
  assert_int_equal(0, pthread_join(relay->thread, NULL));
  (void)close(relay->listener);
}

static void upload_through_cuts(unsigned cuts, int code, unsigned arrived)
{
  struct relay relay = {.cuts = cuts};
  relay_open(&relay);
  struct world world = {.url = relay.url};
  struct vt_options options;
  struct letters file = {.size = 30 * 1024 * 1024};
  options_without_quota(&options);
  world_open(&world, NULL, &options);
  relay_start(&relay, &world);
  upload(&world, &file);
  settle(&world);
  expect_code(&world, 0, code, "the upload");
  assert_int_equal(arrived, requests_of(&world, NULL));
  assert_int_equal(1, file.rewinds);
  assert_int_equal(arrived, store_submission_open_count(world.store));
  world_close(&world);
  relay_close(&relay);
}

static void test_cut_before_the_last_byte_it_is_sent_once_more(void **state)
{
  (void)state;
  upload_through_cuts(1, AP_OK, 1);
}

static void test_cut_before_the_last_byte_twice_it_fails(void **state)
{
  (void)state;
  upload_through_cuts(2, AP_E_NETWORK, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_upload_is_journalled_and_waited_for),
      cmocka_unit_test(test_each_answer_to_an_upload_ends_as_the_rules_say),
      cmocka_unit_test(test_a_receipt_without_scan_id_is_waited_for_by_the_hash),
      cmocka_unit_test(test_a_403_is_about_the_key_when_nothing_was_accepted_before),
      cmocka_unit_test(test_of_a_name_only_its_last_part_is_sent_and_nothing_that_ends_a_header),
      cmocka_unit_test(test_a_source_that_fails_or_ends_early_submits_nothing),
      cmocka_unit_test(test_two_uploads_of_the_same_contents_are_one),
      cmocka_unit_test(test_when_one_source_fails_that_of_another_is_sent),
      cmocka_unit_test(test_an_upload_that_is_canceled_before_its_turn_sends_nothing),
      cmocka_unit_test(test_a_canceled_upload_leaves_the_other_its_own_source),
      cmocka_unit_test(test_an_upload_that_is_all_read_goes_on_for_the_journal),
      cmocka_unit_test(test_the_deadline_leaves_an_upload_on_the_wire_open),
      cmocka_unit_test(test_without_quota_an_upload_waits_behind_look_ups),
      cmocka_unit_test(test_a_204_to_an_upload_is_not_a_submission),
      cmocka_unit_test(test_a_file_over_32_mib_goes_to_an_upload_url),
      cmocka_unit_test(test_the_limit_of_32_mib_is_of_the_whole_request),
      cmocka_unit_test(test_each_upload_url_that_is_not_virustotals_is_refused),
      cmocka_unit_test(test_a_key_without_upload_urls_is_forbidden_large_files_alone),
      cmocka_unit_test(test_an_upload_url_is_asked_for_again_as_a_look_up_is),
      cmocka_unit_test(test_a_file_over_the_limit_is_not_sent),
      cmocka_unit_test(test_what_is_no_sha256_is_refused),
      cmocka_unit_test(test_cut_before_the_last_byte_it_is_sent_once_more),
      cmocka_unit_test(test_cut_before_the_last_byte_twice_it_fails),
  };
  return cmocka_run_group_tests(tests, vt_unit_init, NULL);
}
