/* A store with its loop, and its calls as if they waited: for tests of both stores. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "folder.h"
#include "net/loop.h"
#include "store/store.h"
#include "unit.h"

enum { HOUR_MS = 3600000 };

#define STORE_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* One process's view of a store. */
struct desk {
  struct net_loop *loop;
  struct store *store;
  struct ap_secret *key;
  /* the last answer */
  bool is_told;
  int code;
  struct store_grant grant;
  struct store_submission submission;
  char waited_for[256];
  struct ap_buf raw;
  int report_code;
  int64_t fetched_ms;
};

static inline void desk_options(struct desk *desk, struct store_options *options)
{
  struct ap_error err = {0};
  store_options_init(options);
  if (!desk->key)
    assert_int_equal(AP_OK, ap_secret_new("key", STORE_KEY, strlen(STORE_KEY), &desk->key, &err));
  options->service = "https://api.example/";
  options->spender = "run test";
  options->key = desk->key;
}

static inline void desk_open_with(struct desk *desk, const struct folder *folder,
                                  const struct store_options *options)
{
  struct ap_error err = {0};
  assert_int_equal(AP_OK, net_loop_new(&desk->loop));
  if (store_open(desk->loop, folder->path, options, &desk->store, &err) != AP_OK)
    fail_msg("%s", err.text);
}

static inline void desk_open(struct desk *desk, const struct folder *folder)
{
  struct store_options options;
  desk_options(desk, &options);
  desk_open_with(desk, folder, &options);
}

static inline void desk_close(struct desk *desk)
{
  store_free(desk->store);
  if (desk->loop)
    net_loop_drain(desk->loop);
  net_loop_free(desk->loop);
  ap_secret_free(desk->key);
  ap_buf_deinit(&desk->raw);
  *desk = (struct desk){0};
}

static inline void desk_wait(struct desk *desk)
{
  while (!desk->is_told)
    (void)uv_run(net_loop_uv(desk->loop), UV_RUN_ONCE);
  desk->is_told = false;
}

static inline void told_report(void *arg, int code, const struct store_report *report)
{
  struct desk *desk = arg;
  assert_false(desk->is_told);
  desk->is_told = true;
  desk->code = code;
  ap_buf_clear(&desk->raw);
  assert_int_equal(code == AP_OK, report != NULL);
  if (!report)
    return;
  ap_buf_add(&desk->raw, report->raw.ptr, report->raw.len);
  desk->report_code = report->code;
  desk->fetched_ms = report->fetched_unix_ms;
}

static inline void told_grant(void *arg, int code, const struct store_grant *grant)
{
  struct desk *desk = arg;
  assert_false(desk->is_told);
  desk->is_told = true;
  desk->code = code;
  desk->grant = grant ? *grant : (struct store_grant){0};
}

static inline void told_submission(void *arg, int code, const struct store_submission *submission)
{
  struct desk *desk = arg;
  assert_false(desk->is_told);
  desk->is_told = true;
  desk->code = code;
  assert_int_equal(code == AP_OK, submission != NULL);
  if (!submission)
    return;
  desk->submission = *submission;
  (void)snprintf(desk->waited_for, sizeof(desk->waited_for), "%s", submission->waited_for);
  desk->submission.waited_for = desk->waited_for;
}

static inline int desk_get_within(struct desk *desk, const char *key, uint64_t lifetime_ms)
{
  const struct store_lifetimes lifetimes = {lifetime_ms, lifetime_ms};
  assert_int_equal(AP_PENDING,
                   store_report_get(desk->store, key, &lifetimes, told_report, desk, NULL));
  desk_wait(desk);
  return desk->code;
}

static inline bool desk_holds(struct desk *desk, const char *key, const char *expected)
{
  if (desk_get_within(desk, key, HOUR_MS) != AP_OK)
    return false;
  assert_string_equal(expected, ap_buf_cstr(&desk->raw));
  return true;
}

static inline void desk_put(struct desk *desk, const char *a, const char *b, const char *bytes)
{
  const char *keys[] = {a, b};
  store_report_put(desk->store, keys, b ? 2 : 1, (struct ap_slice){bytes, strlen(bytes)}, AP_OK);
}

static inline uint32_t desk_take(struct desk *desk, const struct store_limits *limits,
                                 uint32_t want)
{
  assert_int_equal(AP_PENDING, store_quota_take(desk->store, limits, want, told_grant, desk, NULL));
  desk_wait(desk);
  assert_int_equal(AP_OK, desk->code);
  return desk->grant.granted;
}

static inline int desk_find(struct desk *desk, enum store_submission_kind kind,
                            const char *resource)
{
  assert_int_equal(AP_PENDING,
                   store_submission_find(desk->store, kind, resource, told_submission, desk, NULL));
  desk_wait(desk);
  return desk->code;
}

static inline uint64_t desk_intend(struct desk *desk, enum store_submission_kind kind,
                                   const char *resource)
{
  assert_int_equal(AP_PENDING, store_submission_intend(desk->store, kind, resource, told_submission,
                                                       desk, NULL));
  desk_wait(desk);
  assert_int_equal(AP_OK, desk->code);
  return desk->submission.id;
}

/* A folder for each test, for cmocka. */
static struct folder folder;

static inline int make_folder(void **state)
{
  (void)state;
  folder_make(&folder);
  return 0;
}

static inline int remove_folder(void **state)
{
  (void)state;
  folder_remove(&folder);
  return 0;
}
