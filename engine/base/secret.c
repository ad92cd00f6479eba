// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ap_secret {
  struct ap_secret *next;
  size_t page_bytes; /* this struct and the bytes share one locked mapping */
  size_t len;
  char name[64];
  char bytes[];
};

/* The longest first: one that is the beginning of another must not leave its rest to be read. */
static struct ap_secret *known;
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

int ap_secret_new(const char *name, const char *bytes, size_t len, struct ap_secret **out,
                  struct ap_error *err)
{
  if (len == 0)
    return ap_fail(err, AP_E_INVALID, "%s is empty", name);
  if (len > AP_SECRET_MAX_BYTES)
    return ap_fail(err, AP_E_INVALID, "%s is longer than %d bytes", name, AP_SECRET_MAX_BYTES);
  if (memchr(bytes, '\0', len) || memchr(bytes, '\n', len) || memchr(bytes, '\r', len))
    return ap_fail(err, AP_E_INVALID, "%s must be one line without NUL bytes", name);

  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t size = (sizeof(struct ap_secret) + len + 1 + page - 1) / page * page;
  struct ap_secret *secret =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (secret == MAP_FAILED)
    return ap_fail(err, AP_E_NO_MEMORY, "out of memory for %s", name);
  /* Both are best effort: a small RLIMIT_MEMLOCK must not stop the run. */
  (void)mlock(secret, size);
  (void)madvise(secret, size, MADV_DONTDUMP);
  secret->page_bytes = size;
  secret->len = len;
  (void)snprintf(secret->name, sizeof(secret->name), "%s", name);
  memcpy(secret->bytes, bytes, len);

  (void)pthread_mutex_lock(&known_lock);
  struct ap_secret **at = &known;
  while (*at && (*at)->len > len)
    at = &(*at)->next;
  secret->next = *at;
  *at = secret;
  (void)pthread_mutex_unlock(&known_lock);
  *out = secret;
  return AP_OK;
}

void ap_secret_free(struct ap_secret *secret)
{
  if (!secret)
    return;
  (void)pthread_mutex_lock(&known_lock);
  for (struct ap_secret **at = &known; *at; at = &(*at)->next)
    if (*at == secret) {
      *at = secret->next;
      break;
    }
  (void)pthread_mutex_unlock(&known_lock);
  size_t size = secret->page_bytes;
  explicit_bzero(secret, size);
  (void)munmap(secret, size);
}

struct ap_slice ap_secret_bytes(const struct ap_secret *secret)
{
  return (struct ap_slice){secret->bytes, secret->len};
}

const char *ap_secret_name(const struct ap_secret *secret)
{
  return secret->name;
}

static const char *strip_prefix(const char *text, const char *prefix)
{
  size_t len = strlen(prefix);
  return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

bool ap_secret_is_source(const char *text)
{
  return strip_prefix(text, "env:") || strip_prefix(text, "file:") ||
         strip_prefix(text, "credential:");
}

static int load_env(const char *name, const char *variable, struct ap_secret **out,
                    struct ap_error *err)
{
  char *value = getenv(variable);
  if (!value || !*value)
    return ap_fail(err, AP_E_INVALID, "%s: the environment variable %s is not set", name, variable);
  int rc = ap_secret_new(name, value, strlen(value), out, err);
  /* unsetenv leaves the text in the memory that /proc/PID/environ shows. */
  explicit_bzero(value, strlen(value));
  return rc;
}

/* systemd lets the service's user in with an access list, whose mask shows as the group's bits. */
enum { CLOSED_FILE = 077, CLOSED_CREDENTIAL = 037 };

static int check_file(int fd, mode_t closed, const char *name, const char *path,
                      struct ap_error *err)
{
  struct stat st;
  if (fstat(fd, &st))
    return ap_fail(err, AP_E_IO, "%s: %s: %s", name, path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return ap_fail(err, AP_E_INVALID, "%s: %s is not a regular file", name, path);
  if (st.st_uid != geteuid() && st.st_uid != 0)
    return ap_fail(err, AP_E_INVALID, "%s: %s belongs to another user", name, path);
  if (st.st_mode & closed)
    return ap_fail(err, AP_E_INVALID, "%s: others can read %s: run chmod 600 on it", name, path);
  if (st.st_size > AP_SECRET_MAX_BYTES)
    return ap_fail(err, AP_E_INVALID, "%s: %s is larger than %d bytes", name, path,
                   AP_SECRET_MAX_BYTES);
  return AP_OK;
}

static int load_file(const char *name, const char *path, mode_t closed, struct ap_secret **out,
                     struct ap_error *err)
{
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return ap_fail(err, AP_E_IO, "%s: cannot open %s: %s", name, path,
                   errno == ELOOP ? "it is a symbolic link" : strerror(errno));
  char bytes[AP_SECRET_MAX_BYTES + 2];
  size_t len = 0;
  int rc = check_file(fd, closed, name, path, err);
  while (rc == AP_OK && len < sizeof(bytes)) {
    ssize_t got = read(fd, bytes + len, sizeof(bytes) - len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      rc = ap_fail(err, AP_E_IO, "%s: cannot read %s: %s", name, path, strerror(errno));
    if (got <= 0)
      break;
    len += (size_t)got;
  }
  (void)close(fd);
  if (rc == AP_OK && len && bytes[len - 1] == '\n')
    len--;
  if (rc == AP_OK && len && bytes[len - 1] == '\r')
    len--;
  if (rc == AP_OK) {
    rc = ap_secret_new(name, bytes, len, out, err);
    if (rc != AP_OK)
      (void)ap_fail_context(err, "%s", path);
  }
  explicit_bzero(bytes, sizeof(bytes));
  return rc;
}

static int load_credential(const char *name, const char *credential, struct ap_secret **out,
                           struct ap_error *err)
{
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  if (!folder || !*folder)
    return ap_fail(err, AP_E_INVALID,
                   "%s: credential:%s works under systemd with LoadCredential= only", name,
                   credential);
  if (!*credential || strchr(credential, '/') || strcmp(credential, "..") == 0)
    return ap_fail(err, AP_E_INVALID, "%s: \"%s\" is not the name of a credential", name,
                   credential);
  char path[PATH_MAX];
  if (snprintf(path, sizeof(path), "%s/%s", folder, credential) >= (int)sizeof(path))
    return ap_fail(err, AP_E_INVALID, "%s: the path of credential:%s is too long", name,
                   credential);
  return load_file(name, path, CLOSED_CREDENTIAL, out, err);
}

int ap_secret_load(const char *name, const char *source, struct ap_secret **out,
                   struct ap_error *err)
{
  const char *rest;
  if ((rest = strip_prefix(source, "env:")))
    return load_env(name, rest, out, err);
  if ((rest = strip_prefix(source, "file:")))
    return load_file(name, rest, CLOSED_FILE, out, err);
  if ((rest = strip_prefix(source, "credential:")))
    return load_credential(name, rest, out, err);
  return ap_fail(err, AP_E_INVALID,
                 "%s: give it as file:PATH, env:NAME or credential:NAME, not as the secret itself",
                 name);
}

void ap_redact(char *text, size_t len)
{
  (void)pthread_mutex_lock(&known_lock);
  for (const struct ap_secret *secret = known; secret; secret = secret->next) {
    if (secret->len < 4)
      continue; /* would blacken half of every line and protects nothing */
    char *from = text;
    char *hit;
    while ((hit = memmem(from, len - (size_t)(from - text), secret->bytes, secret->len))) {
      memset(hit, '*', secret->len);
      from = hit + secret->len;
    }
  }
  (void)pthread_mutex_unlock(&known_lock);
}
