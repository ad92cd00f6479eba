/* Allocations that fail, for `bootstrap torture`. The program is the engine, whose calls to the
 * allocators the linker leads through here (--wrap), and SQLite is given an allocator of ours.
 *
 * APOGEE_TORTURE is FILE, or FILE:KIND:N to let the Nth allocation of a kind fail, or FILE:KIND:N+
 * for that and all that follow. FILE is mapped, so that what is counted is there however the
 * process ends. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"
#include "net/ssh_memory.h"
#include "script/pool.h"

enum kind { OWN, LUA, CJSON, CURL, SSH, SQLITE, KINDS };
static const char *const words[KINDS] = {"own", "lua", "cjson", "curl", "ssh", "sqlite"};

struct tally {
  _Atomic(uint64_t) counts[KINDS];
  _Atomic(uint64_t) failed;
  _Atomic(uint64_t) caller; /* of the first that failed, from where the program is loaded */
};

static struct tally nowhere; /* where nobody asks */
static struct tally *tally = &nowhere;
static enum kind wanted = KINDS;
static uint64_t wanted_at;
static bool from_there_on;
static _Thread_local enum kind current;

/* True when this allocation is to fail. */
static bool fails(enum kind kind, const void *caller)
{
  extern const char __ehdr_start;
  uint64_t at = atomic_fetch_add(&tally->counts[kind], 1) + 1;
  if (kind != wanted || at < wanted_at || (at > wanted_at && !from_there_on))
    return false;
  if (atomic_fetch_add(&tally->failed, 1) == 0)
    atomic_store(&tally->caller, (uint64_t)((const char *)caller - &__ehdr_start));
  errno = ENOMEM;
  return true;
}

/* ---- the allocators of C ---- */

#define CALLER __builtin_return_address(0)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *ptr, size_t size);
void *__real_reallocarray(void *ptr, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void *__wrap_reallocarray(void *ptr, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);

void *__wrap_malloc(size_t size)
{
  return fails(current, CALLER) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
  return fails(current, CALLER) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
  return fails(current, CALLER) ? NULL : __real_realloc(ptr, size);
}

void *__wrap_reallocarray(void *ptr, size_t count, size_t size)
{
  return fails(current, CALLER) ? NULL : __real_reallocarray(ptr, count, size);
}

char *__wrap_strdup(const char *text)
{
  return fails(current, CALLER) ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
  return fails(current, CALLER) ? NULL : __real_strndup(text, len);
}

/* ---- whose they are ---- */

#define AS(whose, type, call)                                                                      \
  enum kind outer = current;                                                                       \
  current = (whose);                                                                               \
  type result = (call);                                                                            \
  current = outer;                                                                                 \
  return result

void *__real_script_pool_resize(struct script_pool *pool, void *ptr, size_t old, size_t size);
void *__wrap_script_pool_resize(struct script_pool *pool, void *ptr, size_t old, size_t size);
void *__wrap_script_pool_resize(struct script_pool *pool, void *ptr, size_t old, size_t size)
{
  AS(LUA, void *, __real_script_pool_resize(pool, ptr, old, size));
}

void *__real_net_ssh_memory_new(struct net_ssh_memory *memory, size_t size);
void *__wrap_net_ssh_memory_new(struct net_ssh_memory *memory, size_t size);
void *__wrap_net_ssh_memory_new(struct net_ssh_memory *memory, size_t size)
{
  AS(SSH, void *, __real_net_ssh_memory_new(memory, size));
}

void *__real_net_ssh_memory_resize(struct net_ssh_memory *memory, void *ptr, size_t size);
void *__wrap_net_ssh_memory_resize(struct net_ssh_memory *memory, void *ptr, size_t size);
void *__wrap_net_ssh_memory_resize(struct net_ssh_memory *memory, void *ptr, size_t size)
{
  AS(SSH, void *, __real_net_ssh_memory_resize(memory, ptr, size));
}

void *__real_net_http_malloc(size_t size);
void *__wrap_net_http_malloc(size_t size);
void *__wrap_net_http_malloc(size_t size)
{
  AS(CURL, void *, __real_net_http_malloc(size));
}

void *__real_net_http_calloc(size_t count, size_t size);
void *__wrap_net_http_calloc(size_t count, size_t size);
void *__wrap_net_http_calloc(size_t count, size_t size)
{
  AS(CURL, void *, __real_net_http_calloc(count, size));
}

void *__real_net_http_realloc(void *ptr, size_t size);
void *__wrap_net_http_realloc(void *ptr, size_t size);
void *__wrap_net_http_realloc(void *ptr, size_t size)
{
  AS(CURL, void *, __real_net_http_realloc(ptr, size));
}

char *__real_net_http_strdup(const char *text);
char *__wrap_net_http_strdup(const char *text);
char *__wrap_net_http_strdup(const char *text)
{
  AS(CURL, char *, __real_net_http_strdup(text));
}

/* The buffers of lua-cjson. */
struct strbuf;
void __real_strbuf_init(struct strbuf *buf, int len);
void __wrap_strbuf_init(struct strbuf *buf, int len);
void __wrap_strbuf_init(struct strbuf *buf, int len)
{
  enum kind outer = current;
  current = CJSON;
  __real_strbuf_init(buf, len);
  current = outer;
}

struct strbuf *__real_strbuf_new(int len);
struct strbuf *__wrap_strbuf_new(int len);
struct strbuf *__wrap_strbuf_new(int len)
{
  AS(CJSON, struct strbuf *, __real_strbuf_new(len));
}

void __real_strbuf_resize(struct strbuf *buf, int len);
void __wrap_strbuf_resize(struct strbuf *buf, int len);
void __wrap_strbuf_resize(struct strbuf *buf, int len)
{
  enum kind outer = current;
  current = CJSON;
  __real_strbuf_resize(buf, len);
  current = outer;
}

/* ---- SQLite ---- */

static sqlite3_mem_methods usual;

static void *sqlite_new(int size)
{
  return fails(SQLITE, CALLER) ? NULL : usual.xMalloc(size);
}

static void *sqlite_resize(void *ptr, int size)
{
  return fails(SQLITE, CALLER) ? NULL : usual.xRealloc(ptr, size);
}

static void lead_sqlite_here(void)
{
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
    abort();
  sqlite3_mem_methods ours = usual;
  ours.xMalloc = sqlite_new;
  ours.xRealloc = sqlite_resize;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) != SQLITE_OK)
    abort();
}

/* ---- what is asked for ---- */

static void map_tally(const char *path)
{
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(*tally)) != 0)
    abort();
  tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  (void)close(fd);
  if (tally == MAP_FAILED)
    abort();
}

void torture_fail(const char *word, uint64_t at)
{
  wanted = KINDS;
  for (enum kind kind = OWN; kind < KINDS; kind++) {
    atomic_store(&tally->counts[kind], 0);
    if (word && strcmp(words[kind], word) == 0)
      wanted = kind;
  }
  wanted_at = at;
  from_there_on = true;
}

__attribute__((constructor)) static void begin(void)
{
  char path[256] = "";
  char word[16] = "";
  char rest = '\0';
  const char *asked = getenv("APOGEE_TORTURE");
  if (!asked)
    return;
  lead_sqlite_here();
  unsigned long long at = 0;
  int found = sscanf(asked, "%255[^:]:%15[^:]:%llu%c", path, word, &at, &rest);
  if (found != 1 && found != 3 && found != 4)
    abort();
  map_tally(path);
  for (enum kind kind = OWN; kind < KINDS; kind++)
    if (strcmp(words[kind], word) == 0)
      wanted = kind;
  wanted_at = at;
  from_there_on = rest == '+';
  for (enum kind kind = OWN; kind < KINDS; kind++)
    atomic_store(&tally->counts[kind], 0); /* from main on */
}
