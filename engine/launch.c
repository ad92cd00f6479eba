/* What people start: it says its version, and for anything else becomes the engine. The engine
 * stands on three dozen libraries, and loading those takes longer than to say a version. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, EXIT_USAGE = 2 };

/* False when it could not be written: then it is the engine that says so. */
static bool say_version(void)
{
  return printf("apogee %s\n", APOGEE_VERSION) > 0 && fflush(stdout) == 0;
}

/* PREFIX/bin/apogee has its engine at PREFIX/libexec/apogee-engine. */
static int find_engine(char *path, size_t size)
{
  static const char engine[] = "/" APOGEE_LIBEXEC "/apogee-engine";
  ssize_t len = readlink("/proc/self/exe", path, size);
  if (len < 0)
    return errno;
  for (int i = 0; i < 2; i++)
    while (len > 0 && path[--len] != '/')
      continue;
  if ((size_t)len + sizeof(engine) > size)
    return ENAMETOOLONG;
  memcpy(path + len, engine, sizeof(engine));
  return 0;
}

/* A run touches tens of megabytes: in large pages, where the system leaves that to its programs,
 * each costs one fault instead of hundreds. glibc reads this when a program starts. */
static void ask_for_large_pages(void)
{
  (void)setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
}

int main(int argc, char **argv)
{
  char path[PATH_BYTES] = "/proc/self/exe";
  if (argc > 1 && strcmp(argv[1], "--version") == 0 && say_version())
    return 0;
  int error = find_engine(path, sizeof(path));
  if (!error) {
    ask_for_large_pages();
    (void)execv(path, argv);
    error = errno;
  }
  (void)fprintf(stderr, "apogee: %s: %s\n", path, strerror(error));
  return EXIT_USAGE;
}
