/* The yardstick: the look-ups of Scan Hash, by libcurl's multi interface and nothing else. It sends
 * the requests that Apogee sends (file/report, a form with the key and a list of hashes), as many
 * at a time, on kept connections, and throws the answers away.
 *
 *   APOGEE_BENCH_KEY=KEY bare URL HASHES_FILE JOBS LIST [CA_FILE] */
// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 25, HASH_MAX = 64, JOBS_MAX = 256, FORM_BYTES = 128 + LIST_MAX * (HASH_MAX + 3) };

/* One request in flight; its handle is used again for the next. */
struct job {
  CURL *easy;
  size_t items;
  char form[FORM_BYTES];
};

struct bare {
  CURLM *multi;
  FILE *hashes;
  const char *key;
  char url[512];
  const char *ca_file;
  size_t jobs;
  size_t list;
  size_t running;
  struct job job[JOBS_MAX];
  size_t answered;
  size_t failed;
  size_t bytes;
};

static size_t body_arrived(char *data, size_t size, size_t count, void *arg)
{
  struct bare *bare = arg;
  (void)data;
  bare->bytes += size * count;
  return size * count;
}

/* Writes the next request; false when all hashes were sent. */
static bool fill(struct bare *bare, struct job *job)
{
  char line[HASH_MAX + 2];
  size_t len = (size_t)snprintf(job->form, FORM_BYTES, "apikey=%s&resource=", bare->key);
  job->items = 0;
  while (job->items < bare->list && fgets(line, sizeof(line), bare->hashes)) {
    line[strcspn(line, "\n")] = '\0';
    len +=
        (size_t)snprintf(job->form + len, FORM_BYTES - len, "%s%s", job->items ? "%2C" : "", line);
    job->items++;
  }
  return job->items > 0;
}

static CURL *new_handle(struct bare *bare, struct job *job)
{
  CURL *easy = curl_easy_init();
  if (!easy)
    return NULL;
  CURLcode rc = curl_easy_setopt(easy, CURLOPT_URL, bare->url);
#define SET(option, value) rc = rc ? rc : curl_easy_setopt(easy, option, value)
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_PIPEWAIT, 1L);
  SET(CURLOPT_TIMEOUT_MS, 60000L);
  SET(CURLOPT_WRITEFUNCTION, body_arrived);
  SET(CURLOPT_WRITEDATA, bare);
  SET(CURLOPT_PRIVATE, job);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDS, job->form);
  if (bare->ca_file)
    SET(CURLOPT_CAINFO, bare->ca_file);
#undef SET
  if (rc == CURLE_OK)
    return easy;
  curl_easy_cleanup(easy);
  return NULL;
}

static bool send_next(struct bare *bare, struct job *job)
{
  if (!fill(bare, job))
    return true;
  if (curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(job->form)) ||
      curl_multi_add_handle(bare->multi, job->easy))
    return false;
  bare->running++;
  return true;
}

static bool take_finished(struct bare *bare)
{
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(bare->multi, &left))) {
    struct job *job = NULL;
    long status = 0;
    CURLcode result = message->data.result;
    CURL *easy = message->easy_handle;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &job);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_multi_remove_handle(bare->multi, easy);
    bare->running--;
    if (result == CURLE_OK && status == 200)
      bare->answered += job->items;
    else
      bare->failed += job->items;
    if (!send_next(bare, job))
      return false;
  }
  return true;
}

static bool run(struct bare *bare)
{
  int running;
  for (size_t i = 0; i < bare->jobs; i++) {
    bare->job[i].easy = new_handle(bare, &bare->job[i]);
    if (!bare->job[i].easy || !send_next(bare, &bare->job[i]))
      return false;
  }
  while (bare->running)
    if (curl_multi_perform(bare->multi, &running) || !take_finished(bare) ||
        (bare->running && curl_multi_poll(bare->multi, NULL, 0, 1000, NULL)))
      return false;
  return true;
}

static bool read_arguments(struct bare *bare, int argc, char **argv)
{
  bare->key = getenv("APOGEE_BENCH_KEY");
  if (argc < 5 || argc > 6 || !bare->key || strlen(bare->key) > HASH_MAX)
    return false;
  (void)snprintf(bare->url, sizeof(bare->url), "%s/file/report", argv[1]);
  bare->hashes = fopen(argv[2], "re");
  bare->jobs = strtoul(argv[3], NULL, 10);
  bare->list = strtoul(argv[4], NULL, 10);
  bare->ca_file = argc == 6 ? argv[5] : NULL;
  return bare->hashes && bare->jobs >= 1 && bare->jobs <= JOBS_MAX && bare->list >= 1 &&
         bare->list <= LIST_MAX;
}

int main(int argc, char **argv)
{
  static struct bare bare;
  if (!read_arguments(&bare, argc, argv)) {
    (void)fputs("usage: APOGEE_BENCH_KEY=KEY bare URL HASHES_FILE JOBS LIST [CA_FILE]\n", stderr);
    return 2;
  }
  if (curl_global_init(CURL_GLOBAL_DEFAULT))
    return 3;
  bare.multi = curl_multi_init();
  bool good = bare.multi &&
              !curl_multi_setopt(bare.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)bare.jobs) &&
              run(&bare);
  for (size_t i = 0; i < bare.jobs; i++)
    curl_easy_cleanup(bare.job[i].easy);
  (void)curl_multi_cleanup(bare.multi);
  curl_global_cleanup();
  (void)fclose(bare.hashes);
  (void)printf("{\"answered\": %zu, \"failed\": %zu, \"bytes\": %zu}\n", bare.answered, bare.failed,
               bare.bytes);
  return good && bare.failed == 0 ? 0 : 1;
}
