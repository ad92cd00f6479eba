/* Files of a real sshd: listing, opening, reading, what goes wrong, and a server that stops in the
 * middle. */
// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"
#include "sftp_unit.h"

enum { LARGE = 64 * 1024 * 1024 };

static struct server server;
static char large_sha256[65];

static void put_large(void)
{
  char *bytes = malloc(LARGE);
  assert_non_null(bytes);
  for (uint32_t i = 0, x = 1; i < LARGE; i++) {
    x = x * 1664525 + 1013904223;
    bytes[i] = (char)(x >> 24);
  }
  put_file(&server, "large", bytes, LARGE, 0644);
  assert_int_equal(AP_OK, ap_sha256_hex(bytes, LARGE, large_sha256));
  free(bytes);
}

static int set_up(void **state)
{
  (void)state;
  server_start(&server);
  put_large();
  assert_int_equal(0, mkdir(path_in(&server, "folder"), 0755));
  put_file(&server, "folder/empty", "", 0, 0644);
  put_file(&server, "folder/small", "hello", 5, 0644);
  put_file(&server, "folder/secret", "hidden", 6, 0);
  assert_int_equal(0, mkdir(path_in(&server, "folder/inner"), 0755));
  assert_int_equal(0, symlink("small", path_in(&server, "folder/link")));
  assert_int_equal(0, mkfifo(path_in(&server, "folder/pipe"), 0644));
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  server_stop(&server);
  return 0;
}

static struct heard open_file(struct world *world, const char *path)
{
  struct heard heard = {0};
  assert_int_equal(AP_PENDING, net_sftp_open_file(world->sftp, path, hear_file, &heard, NULL));
  wait_for(world, &heard, 1);
  assert_int_equal(heard.code == AP_OK, heard.file != NULL);
  return heard;
}

static struct net_sftp_file *open_well(struct world *world, const char *path)
{
  struct heard heard = open_file(world, path);
  if (heard.code != AP_OK)
    fail_msg("%s", heard.text);
  return heard.file;
}

static struct heard list(struct world *world, const char *path, size_t max)
{
  struct heard heard = {0};
  assert_int_equal(AP_PENDING, net_sftp_list(world->sftp, path, max, hear_list, &heard, NULL));
  wait_for(world, &heard, 1);
  return heard;
}

/* Reads to the end or to an error. */
static struct heard read_all(struct world *world, struct net_sftp_file *file)
{
  struct heard heard = {0};
  do {
    assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, NULL));
    wait_for(world, &heard, heard.times + 1);
  } while (heard.code == AP_OK && !heard.is_end);
  return heard;
}

static void expect_digest(const struct heard *heard, const char *sha256)
{
  char hex[65];
  EXPECT(heard, AP_OK, "");
  assert_int_equal(AP_OK, ap_sha256_hex(heard->data.ptr, heard->data.len, hex));
  assert_string_equal(sha256, hex);
}

/* ---- what is there ---- */

static void test_a_folder_is_listed_with_types_and_sizes(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  struct heard heard = list(&world, path_in(&server, "folder"), 100);
  EXPECT(&heard, AP_OK, "");
  assert_int_equal(6, heard.count);
  assert_int_equal(0, heard.left_out);
  assert_false(heard.is_cut);
  static const char *const names[] = {"empty\n", "small\n", "secret\n",
                                      "inner\n", "link\n",  "pipe\n"};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    assert_non_null(strstr(heard.data.ptr, names[i]));
  unsigned kinds[256] = {0};
  for (size_t i = 0; i < heard.types.len; i++)
    kinds[(unsigned char)heard.types.ptr[i]]++;
  assert_int_equal(3, kinds['f']);
  assert_int_equal(1, kinds['d']);
  assert_int_equal(1, kinds['l']);
  assert_int_equal(1, kinds['o']);
  heard_free(&heard);
  world_close(&world);
}

static void test_a_list_is_bounded(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  assert_int_equal(0, mkdir(path_in(&server, "many"), 0755));
  for (int i = 0; i < 250; i++) { /* more than one answer of sshd has */
    char name[64];
    (void)snprintf(name, sizeof(name), "many/%d", i);
    put_file(&server, name, "", 0, 0644);
  }
  static const size_t limits[] = {1, 99, 249, 250, 251};
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    struct heard heard = list(&world, path_in(&server, "many"), limits[i]);
    EXPECT(&heard, AP_OK, "");
    assert_int_equal(limits[i] < 250 ? limits[i] : 250, heard.count);
    assert_int_equal(limits[i] < 250, heard.is_cut);
    heard_free(&heard);
  }
  world_close(&world);
}

static void test_stat_tells_type_size_and_time_and_does_not_follow_links(void **state)
{
  struct world world;
  struct heard heard = {0};
  const struct timespec times[] = {{1000000000, 0}, {1234567890, 0}};
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  put_file(&server, "dated", "12345678", 8, 0644);
  assert_int_equal(0, utimensat(AT_FDCWD, path_in(&server, "dated"), times, 0));
  assert_int_equal(AP_PENDING,
                   net_sftp_stat(world.sftp, path_in(&server, "dated"), hear_stat, &heard, NULL));
  wait_for(&world, &heard, 1);
  EXPECT(&heard, AP_OK, "");
  assert_int_equal(NET_SFTP_FILE, heard.stat.type);
  assert_int_equal(8, heard.stat.size);
  assert_int_equal(1234567890, heard.stat.mtime_s);
  assert_int_equal(AP_PENDING, net_sftp_stat(world.sftp, path_in(&server, "folder/link"), hear_stat,
                                             &heard, NULL));
  wait_for(&world, &heard, 2);
  assert_int_equal(NET_SFTP_LINK, heard.stat.type);
  world_close(&world);
}

struct refusal {
  const char *path;
  int code;
  const char *says;
};

static void test_what_is_not_a_readable_file_is_refused_with_its_path(void **state)
{
  static const struct refusal cases[] = {
      {"nothing", AP_E_NOT_FOUND, "no such file"},
      {"folder", AP_E_INVALID, "it is a folder"},
      {"folder/link", AP_E_INVALID, "symbolic link"},
      {"folder/pipe", AP_E_INVALID, "not a regular file"},
      {"folder/secret", AP_E_FORBIDDEN, "permission denied"},
      {"folder/small/x", AP_E_NOT_FOUND, "no such file"},
      {"bad\n\x1b[31m\xe2\x80\xaename", AP_E_NOT_FOUND, "bad??[31m?name: no such file"},
  };
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    struct heard heard = open_file(&world, path_in(&server, cases[i].path));
    EXPECT(&heard, cases[i].code, cases[i].says);
  }
  struct heard heard = list(&world, path_in(&server, "nothing"), 10);
  EXPECT(&heard, AP_E_NOT_FOUND, "nothing: no such file");
  heard_free(&heard);
  net_sftp_file_close(open_well(&world, path_in(&server, "folder/small"))); /* it still works */
  world_close(&world);
}

static void test_names_may_be_anything(void **state)
{
  static const char *const names[] = {"with space",  "a,b",      "quote\"s'",   "new\nline",
                                      "caf\xc3\xa9", "\xff\xfe", "-rf *;$(x)`", "tab\there"};
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  assert_int_equal(0, mkdir(path_in(&server, "odd"), 0755));
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    char path[64];
    (void)snprintf(path, sizeof(path), "odd/%s", names[i]);
    put_file(&server, path, names[i], strlen(names[i]), 0644);
    struct net_sftp_file *file = open_well(&world, path_in(&server, path));
    struct heard heard = read_all(&world, file);
    assert_int_equal(strlen(names[i]), heard.data.len);
    assert_memory_equal(names[i], heard.data.ptr, heard.data.len);
    net_sftp_file_close(file);
    heard_free(&heard);
  }
  struct heard heard = list(&world, path_in(&server, "odd"), 100);
  assert_int_equal(COUNT_OF(names), heard.count);
  for (size_t i = 0; i < COUNT_OF(names); i++)
    assert_non_null(memmem(heard.data.ptr, heard.data.len, names[i], strlen(names[i])));
  heard_free(&heard);
  world_close(&world);
}

/* ---- reading ---- */

static void test_a_large_file_is_read_as_it_is_and_again_after_a_rewind(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
  assert_int_equal(LARGE, net_sftp_file_stat(file)->size);
  for (int i = 0; i < 2; i++) {
    struct heard heard = read_all(&world, file);
    expect_digest(&heard, large_sha256);
    heard_free(&heard);
    assert_int_equal(AP_OK, net_sftp_rewind(file));
  }
  net_sftp_file_close(file);
  world_close(&world);
}

static void test_reading_survives_new_keys_on_the_way(void **state)
{
  struct world world;
  (void)state;
  write_config(&server, "RekeyLimit 4M\n");
  world_open(&world, &server);
  connect_well(&world);
  struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
  struct heard heard = read_all(&world, file);
  expect_digest(&heard, large_sha256);
  heard_free(&heard);
  net_sftp_file_close(file);
  world_close(&world);
  write_config(&server, "");
}

struct crowd {
  struct net_sftp_file *file;
  struct heard heard;
};

static void read_on(void *arg, int code, const char *text, struct ap_slice data)
{
  struct crowd *one = arg;
  hear_data(&one->heard, code, text, data);
  if (code == AP_OK && !one->heard.is_end)
    assert_int_equal(AP_PENDING, net_sftp_read(one->file, read_on, one, NULL));
}

static void test_files_of_many_sizes_are_read_at_the_same_time(void **state)
{
  enum { COUNT = 12, MOST = 3000000 };
  static const size_t sizes[COUNT] = {0,     1,     2,      29999,   30000,   30001,
                                      65536, 99999, 120000, 1048575, 1048576, MOST};
  struct world world;
  struct crowd crowd[COUNT] = {0};
  char *bytes = malloc(MOST + COUNT);
  (void)state;
  assert_non_null(bytes);
  for (size_t i = 0; i < MOST + COUNT; i++)
    bytes[i] = (char)(i * 7 + i / 251);
  world_open(&world, &server);
  connect_well(&world);
  for (size_t i = 0; i < COUNT; i++) {
    char name[32];
    (void)snprintf(name, sizeof(name), "size%zu", i);
    put_file(&server, name, bytes + i, sizes[i], 0644);
    crowd[i].file = open_well(&world, path_in(&server, name));
  }
  for (size_t i = 0; i < COUNT; i++)
    assert_int_equal(AP_PENDING, net_sftp_read(crowd[i].file, read_on, &crowd[i], NULL));
  for (size_t i = 0; i < COUNT; i++) {
    struct heard *heard = &crowd[i].heard;
    while (heard->code == AP_OK && !heard->is_end)
      wait_for(&world, heard, heard->times + 1);
    EXPECT(heard, AP_OK, "");
    assert_int_equal(sizes[i], heard->data.len);
    if (sizes[i])
      assert_memory_equal(bytes + i, heard->data.ptr, sizes[i]);
    net_sftp_file_close(crowd[i].file);
    heard_free(heard);
  }
  free(bytes);
  world_close(&world);
}

static void change(const char *name, const char *how)
{
  int fd = open(path_in(&server, name), O_RDWR);
  assert_true(fd >= 0);
  if (strcmp(how, "shorter") == 0)
    assert_int_equal(0, ftruncate(fd, 3 * 1024 * 1024));
  else if (strcmp(how, "longer") == 0)
    assert_int_equal(4, pwrite(fd, "more", 4, 16 * 1024 * 1024));
  else
    assert_int_equal(4, pwrite(fd, "else", 4, 0));
  const struct timespec times[] = {{1000000000, 0}, {1000000000, 0}};
  assert_int_equal(0, futimens(fd, times));
  (void)close(fd);
}

static void test_a_file_that_changes_while_it_is_read_is_an_error(void **state)
{
  static const char *const ways[] = {"shorter", "longer", "otherwise"};
  struct world world;
  char *bytes = calloc(16, 1024 * 1024);
  (void)state;
  assert_non_null(bytes);
  world_open(&world, &server);
  connect_well(&world);
  for (size_t i = 0; i < COUNT_OF(ways); i++) {
    put_file(&server, "changing", bytes, 16 * 1024 * 1024, 0644);
    struct net_sftp_file *file = open_well(&world, path_in(&server, "changing"));
    struct heard heard = {0};
    assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, NULL));
    wait_for(&world, &heard, 1);
    EXPECT(&heard, AP_OK, "");
    heard_free(&heard);
    change("changing", ways[i]);
    heard = read_all(&world, file);
    EXPECT(&heard, AP_E_IO, "changing: on ", "while it was read");
    heard_free(&heard);
    net_sftp_file_close(file);
  }
  net_sftp_file_close(open_well(&world, path_in(&server, "folder/small"))); /* it still works */
  free(bytes);
  world_close(&world);
}

/* ---- misuse, cancel, close ---- */

static void test_one_read_of_a_file_at_a_time(void **state)
{
  struct world world;
  struct heard heard = {0};
  struct net_sftp_op *op = NULL;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
  assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, &op));
  assert_int_equal(AP_E_BUSY, net_sftp_read(file, hear_data, &heard, NULL));
  assert_int_equal(AP_E_BUSY, net_sftp_rewind(file));
  wait_for(&world, &heard, 1);
  heard_free(&heard);

  /* One that was canceled half-way lost its bytes. */
  heard = (struct heard){0};
  assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, &op));
  for (int i = 0; i < 3; i++)
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
  bool was_done = heard.times == 1;
  if (!was_done) {
    net_sftp_cancel(op);
    assert_int_equal(AP_E_INVALID, net_sftp_read(file, hear_data, &heard, NULL));
  }
  heard_free(&heard);
  assert_int_equal(AP_OK, net_sftp_rewind(file));
  struct heard whole = read_all(&world, file);
  assert_int_equal(was_done ? 1 : 0, heard.times);
  expect_digest(&whole, large_sha256);
  heard_free(&whole);
  net_sftp_file_close(file);
  world_close(&world);
}

/* Begins calls of each kind, lets the loop turn, and ends them in some way. */
static void begin_many(struct world *world, struct net_sftp_file *file, struct heard *heard,
                       struct net_sftp_op **ops)
{
  const char *large = path_in(world->server, "large");
  assert_int_equal(AP_PENDING, net_sftp_open_file(world->sftp, large, hear_file, heard, &ops[0]));
  assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, heard, &ops[1]));
  assert_int_equal(AP_PENDING, net_sftp_list(world->sftp, path_in(world->server, "folder"), 10,
                                             hear_list, heard, &ops[2]));
  assert_int_equal(AP_PENDING, net_sftp_stat(world->sftp, large, hear_stat, heard, &ops[3]));
}

static void test_calls_are_canceled_at_any_moment(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  for (int turns = 0; turns < 24; turns++) {
    struct heard heard = {0};
    struct net_sftp_op *ops[4];
    struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
    begin_many(&world, file, &heard, ops);
    for (int i = 0; i < turns && heard.times == 0; i++)
      (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
    int before = heard.times; /* the first to end is the first of the queue */
    for (int i = before; i < 4; i++)
      net_sftp_cancel(ops[i]);
    net_sftp_file_close(file);
    net_sftp_file_close(heard.file);
    net_sftp_file_close(open_well(&world, path_in(&server, "folder/small")));
    assert_int_equal(before, heard.times);
    heard_free(&heard);
  }
  world_close(&world);
}

static void test_a_file_is_closed_while_it_is_read(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  for (int turns = 0; turns < 8; turns++) {
    struct heard heard = {0};
    struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
    assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, NULL));
    for (int i = 0; i < turns && heard.times == 0; i++)
      (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
    int before = heard.times;
    net_sftp_file_close(file);
    net_sftp_file_close(open_well(&world, path_in(&server, "folder/small")));
    assert_int_equal(before, heard.times);
    heard_free(&heard);
  }
  world_close(&world);
}

static void test_a_file_outlives_its_connection(void **state)
{
  struct world world;
  struct heard heard = {0};
  struct net_sftp_op *ops[4];
  (void)state;
  world_open(&world, &server);
  connect_well(&world);
  struct net_sftp_file *file = open_well(&world, path_in(&server, "large"));
  begin_many(&world, file, &heard, ops);
  (void)uv_run(net_loop_uv(world.loop), UV_RUN_ONCE);
  int before = heard.times; /* a server that is quick has answered some of them */
  net_sftp_close(world.sftp);
  world.sftp = NULL;
  assert_int_equal(AP_E_CLOSED, net_sftp_read(file, hear_data, &heard, NULL));
  assert_int_equal(AP_E_CLOSED, net_sftp_rewind(file));
  (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
  assert_int_equal(before, heard.times);
  net_sftp_file_close(file);
  net_sftp_file_close(heard.file); /* where it was opened in time */
  heard_free(&heard);
  world_close(&world);
}

/* ---- a server that stops in the middle ---- */

static void read_until_lost(struct world *world, int signal_number, int code, const char *says)
{
  struct heard heard = {0};
  connect_well(world);
  struct net_sftp_file *file = open_well(world, path_in(&server, "large"));
  assert_int_equal(AP_PENDING, net_sftp_read(file, hear_data, &heard, NULL));
  wait_for(world, &heard, 1);
  EXPECT(&heard, AP_OK, "");
  heard_free(&heard);
  assert_int_equal(0, kill(-server.pid, signal_number));
  heard = read_all(world, file);
  EXPECT(&heard, code, says);
  heard_free(&heard);

  /* Whatever comes later hears the same. */
  heard = (struct heard){0};
  assert_int_equal(AP_PENDING, net_sftp_stat(world->sftp, "/", hear_stat, &heard, NULL));
  wait_for(world, &heard, 1);
  EXPECT(&heard, code, says);
  net_sftp_file_close(file);
}

static void test_a_server_that_stalls_ends_by_the_deadline(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  world.options.wait_ms = 1000;
  read_until_lost(&world, SIGSTOP, AP_E_TIMEOUT, "did not answer in time");
  world_close(&world);
  server_end(&server);
  server_begin(&server);
}

static void test_a_server_that_hangs_up_ends_at_once(void **state)
{
  struct world world;
  (void)state;
  world_open(&world, &server);
  read_until_lost(&world, SIGKILL, AP_E_NETWORK, "the server closed the connection");
  world_close(&world);
  server_end(&server);
  server_begin(&server);
}

static void test_a_server_that_asks_whether_we_live_is_answered(void **state)
{
  struct world world;
  struct heard heard = {0};
  (void)state;
  write_config(&server, "ClientAliveInterval 1\nClientAliveCountMax 1\n");
  world_open(&world, &server);
  connect_well(&world);
  uint64_t until = uv_hrtime() + 3500ULL * 1000 * 1000;
  while (uv_hrtime() < until) {
    (void)uv_run(net_loop_uv(world.loop), UV_RUN_NOWAIT);
    (void)usleep(20000);
  }
  assert_int_equal(AP_PENDING, net_sftp_stat(world.sftp, "/", hear_stat, &heard, NULL));
  wait_for(&world, &heard, 1);
  EXPECT(&heard, AP_OK, "");
  world_close(&world);
  write_config(&server, "");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_folder_is_listed_with_types_and_sizes),
      cmocka_unit_test(test_a_list_is_bounded),
      cmocka_unit_test(test_stat_tells_type_size_and_time_and_does_not_follow_links),
      cmocka_unit_test(test_what_is_not_a_readable_file_is_refused_with_its_path),
      cmocka_unit_test(test_names_may_be_anything),
      cmocka_unit_test(test_a_large_file_is_read_as_it_is_and_again_after_a_rewind),
      cmocka_unit_test(test_reading_survives_new_keys_on_the_way),
      cmocka_unit_test(test_files_of_many_sizes_are_read_at_the_same_time),
      cmocka_unit_test(test_a_file_that_changes_while_it_is_read_is_an_error),
      cmocka_unit_test(test_one_read_of_a_file_at_a_time),
      cmocka_unit_test(test_calls_are_canceled_at_any_moment),
      cmocka_unit_test(test_a_file_is_closed_while_it_is_read),
      cmocka_unit_test(test_a_file_outlives_its_connection),
      cmocka_unit_test(test_a_server_that_stalls_ends_by_the_deadline),
      cmocka_unit_test(test_a_server_that_hangs_up_ends_at_once),
      cmocka_unit_test(test_a_server_that_asks_whether_we_live_is_answered),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
