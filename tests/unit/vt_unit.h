/* A client, a simulator and a store for tests of the VirusTotal client: real HTTP on loopback. The
 * world counts what it asked and what was answered, and runs the loop until all is. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "folder.h"
#include "script/data.h"
#include "sim/sim.h"
#include "unit.h"
#include "vt/await.h"
#include "vt/client.h"
#include "vt/upload.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EICAR "44d88612fea8a8f36de82e1278abb02f"
#define EICAR_SHA256 "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

enum { ASKS_MAX = 64 };

struct heard {
  int code;
  bool is_cached;
  int times;
  unsigned place; /* the how manieth to be answered */
  char message[400];
  char scan_id[128];
  char body[256];  /* its beginning */
  char sha256[65]; /* of an upload; "": not known */
};

struct world {
  struct sim *sim;
  struct ap_value scenario;
  struct ap_secret *key;
  struct net_loop *loop;
  struct net_http *http;
  struct store *store;
  struct folder folder; /* of the store; "": it is in memory */
  struct vt_client *client;
  struct case_cost cost;
  struct heard heard[ASKS_MAX];
  struct net_timer *limit;
  const char *url; /* NULL: the simulator's own */
  unsigned asked;
  unsigned answered;
  void (*each_turn)(struct world *world); /* NULL: nothing */
};

static inline void world_turn(void *arg)
{
  struct world *world = arg;
  vt_client_turn(world->client);
  if (world->each_turn)
    world->each_turn(world);
  if (world->answered == world->asked)
    net_loop_stop(world->loop);
}

static inline void world_too_long(void *arg)
{
  (void)arg;
  fail_msg("no answer within 30 s");
}

/* Options of a premium key without limits: `options` may be changed before world_open. */
static inline void options_without_quota(struct vt_options *options)
{
  vt_options_init(options);
  options->limits = (struct store_limits){0};
  options->poll_interval_ms = 4;
}

/* APOGEE_TEST_STORE=disk: the tests run on the store that is on disk. */
static inline void world_open_store(struct world *world)
{
  struct ap_error err = {0};
  struct store_options options;
  const char *kind = getenv("APOGEE_TEST_STORE");
  if (!kind || strcmp(kind, "disk") != 0) {
    assert_int_equal(AP_OK, store_memory_new(world->loop, 1024 * 1024, &world->store));
    return;
  }
  folder_make(&world->folder);
  store_options_init(&options);
  options.service = sim_url(world->sim);
  options.key = world->key;
  if (store_open(world->loop, world->folder.path, &options, &world->store, &err) != AP_OK)
    fail_msg("%s", err.text);
}

static inline void world_open(struct world *world, const char *scenario, struct vt_options *options)
{
  struct ap_error err = {0};
  struct sim_options sim_options;
  const char *url = world->url;
  *world = (struct world){0};
  sim_options_init(&sim_options);
  sim_options.premium = true;
  sim_options.per_minute = sim_options.per_day = sim_options.per_month = 0;
  if (scenario) {
    struct ap_slice source = {scenario, strlen(scenario)};
    if (script_data_parse("scenario", source, &world->scenario, &err) != AP_OK)
      fail_msg("%s", err.text);
    sim_options.scenario = &world->scenario;
  }
  if (sim_start(&sim_options, &world->sim, &err) != AP_OK)
    fail_msg("%s", err.text);
  assert_int_equal(AP_OK, ap_secret_new("key", KEY, strlen(KEY), &world->key, &err));
  assert_int_equal(AP_OK, net_loop_new(&world->loop));
  const struct net_http_options http = {
      .allow_plain = true, .verify_tls = true, .connect_timeout_ms = 5000, .max_connections = 8};
  assert_int_equal(AP_OK, net_http_new(world->loop, &http, &world->http, &err));
  world_open_store(world);
  options->url = url ? url : sim_url(world->sim);
  options->key = world->key;
  options->retry_delay_ms = 1;
  assert_int_equal(
      AP_OK, vt_client_new(world->loop, world->http, world->store, options, &world->client, &err));
  assert_int_equal(AP_OK, net_timer_new(world->loop, world_too_long, world, &world->limit));
  net_loop_on_turn(world->loop, world_turn, world);
}

/* Opens a world without quota. */
static inline void world_open_plain(struct world *world, const char *scenario)
{
  struct vt_options options;
  options_without_quota(&options);
  *world = (struct world){0};
  world_open(world, scenario, &options);
}

static inline void world_close(struct world *world)
{
  net_timer_free(world->limit);
  vt_client_free(world->client);
  store_free(world->store);
  if (*world->folder.path)
    folder_remove(&world->folder);
  net_http_free(world->http);
  net_loop_free(world->loop);
  ap_secret_free(world->key);
  sim_stop(world->sim);
  ap_value_deinit(&world->scenario);
}

struct ear {
  struct world *world;
  unsigned index;
};

static inline void hear(void *arg, const struct vt_answer *answer)
{
  struct ear *ear = arg;
  struct heard *heard = &ear->world->heard[ear->index];
  heard->code = answer->code;
  heard->is_cached = answer->is_cached;
  heard->times++;
  heard->place = ear->world->answered++;
  (void)snprintf(heard->message, sizeof(heard->message), "%s", answer->message);
  (void)snprintf(heard->scan_id, sizeof(heard->scan_id), "%s", answer->scan_id);
  (void)snprintf(heard->body, sizeof(heard->body), "%.*s", (int)answer->body.len,
                 answer->body.ptr ? answer->body.ptr : "");
  (void)snprintf(heard->sha256, sizeof(heard->sha256), "%s",
                 answer->digests ? answer->digests->sha256 : "");
  assert_null(strstr(heard->message, KEY));
  free(ear);
}

static inline struct ear *ear_new(struct world *world)
{
  struct ear *ear = calloc(1, sizeof(*ear));
  assert_non_null(ear);
  assert_true(world->asked < ASKS_MAX);
  *ear = (struct ear){world, world->asked++};
  return ear;
}

static inline void ask_with(struct world *world, enum vt_call call, const char *resource,
                            const struct vt_ask_options *options)
{
  assert_int_equal(AP_PENDING,
                   vt_ask(world->client, call, resource, options, hear, ear_new(world), NULL));
}

static inline void ask(struct world *world, enum vt_call call, const char *resource)
{
  const struct vt_ask_options options = {.priority = VT_LOOKUP, .cost = &world->cost};
  ask_with(world, call, resource, &options);
}

static inline void await(struct world *world, const char *scan_id)
{
  const struct vt_about about = {0};
  assert_int_equal(AP_PENDING, vt_await(world->client, VT_FILE_REPORT, scan_id, &about,
                                        &world->cost, hear, ear_new(world), NULL));
}

/* Runs the loop until so many requests have arrived. */
static inline void until_requested(struct world *world, unsigned count)
{
  net_timer_start(world->limit, (uint64_t)(30000 * ap_clock_scale()));
  while (sim_request_count(world->sim, NULL) < count)
    (void)uv_run(net_loop_uv(world->loop), UV_RUN_NOWAIT);
  net_timer_stop(world->limit);
}

static inline void settle(struct world *world)
{
  net_timer_start(world->limit, (uint64_t)(30000 * ap_clock_scale()));
  net_loop_run(world->loop);
  net_timer_stop(world->limit);
  for (unsigned i = 0; i < world->asked; i++)
    assert_int_equal(1, world->heard[i].times);
}

static inline void expect_code(const struct world *world, unsigned index, int code,
                               const char *what)
{
  const struct heard *heard = &world->heard[index];
  if (heard->code != code)
    fail_msg("%s: %s (%s), not %s", what, ap_error_word(heard->code), heard->message,
             ap_error_word(code));
}

static inline unsigned requests_of(const struct world *world, const char *endpoint)
{
  return (unsigned)sim_request_count(world->sim, endpoint);
}

static inline int vt_unit_init(void **state)
{
  struct ap_error err = {0};
  (void)state;
  return ap_clock_init(&err) == AP_OK && net_http_global_init(&err) == AP_OK ? 0 : -1;
}
