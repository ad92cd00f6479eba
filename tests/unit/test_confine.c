/* cli/confine: what a process can still do once it is confined. Each test confines a child. */
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli/confine.h"
#include "folder.h"

struct place {
  struct folder ours;
  struct folder theirs;
};

static void path_in(const struct folder *folder, const char *name, char path[512])
{
  (void)snprintf(path, 512, "%s/%s", folder->path, name);
}

/* 0, or why the file could not be made. */
static int make_file(const struct folder *folder, const char *name)
{
  char path[512];
  path_in(folder, name, path);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno;
  (void)close(fd);
  return 0;
}

static int bind_a_port(void)
{
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int rc = bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 ? 0 : errno;
  (void)close(fd);
  return rc;
}

/* Runs `in_child` in a process of its own. It returns 0, or the number of what went wrong. */
static int in_a_child(int (*in_child)(const struct place *place))
{
  struct place place;
  int status = 0;
  folder_make(&place.ours);
  folder_make(&place.theirs);
  assert_int_equal(make_file(&place.theirs, "old"), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(in_child(&place));
  assert_int_equal(waitpid(child, &status, 0), child);
  static const char *const names[] = {"new", "moved", "old", "link"};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    char path[512];
    path_in(&place.ours, names[i], path);
    (void)unlink(path);
    path_in(&place.theirs, names[i], path);
    (void)unlink(path);
  }
  folder_remove(&place.ours);
  folder_remove(&place.theirs);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static int confine_to(const struct place *place, bool may_serve)
{
  const char *const folders[] = {NULL, place->ours.path, "/there/is/no/such/folder"};
  return confine(folders, COUNT_OF(folders), may_serve);
}

static int writes_in_its_folders(const struct place *place)
{
  char from[512];
  char to[512];
  if (confine_to(place, false) != confine_version())
    return 1;
  path_in(&place->ours, "new", from);
  path_in(&place->ours, "moved", to);
  if (make_file(&place->ours, "new") != 0)
    return 2;
  if (rename(from, to) != 0)
    return 3;
  if (unlink(to) != 0)
    return 4;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  return null < 0 ? 5 : 0;
}

static int changes_nothing_elsewhere(const struct place *place)
{
  char path[512];
  if (confine_to(place, false) == 0)
    return 0;
  path_in(&place->theirs, "old", path);
  if (make_file(&place->theirs, "new") != EACCES)
    return 1;
  if (open(path, O_WRONLY | O_CLOEXEC) >= 0 || errno != EACCES)
    return 2;
  if (unlink(path) == 0 || errno != EACCES)
    return 3;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? 4 : 0;
}

/* A link in a folder of ours leads nowhere else. */
static int follows_no_link_out(const struct place *place)
{
  char target[512];
  char link_path[512];
  path_in(&place->theirs, "old", target);
  path_in(&place->ours, "link", link_path);
  if (symlink(target, link_path) != 0)
    return 1;
  if (confine_to(place, false) == 0)
    return 0;
  return open(link_path, O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 2;
}

static int executes_nothing(const struct place *place)
{
  char *const argv[] = {(char[]){"true"}, NULL};
  char *const envp[] = {NULL};
  if (confine_to(place, false) == 0)
    return 0;
  (void)execve("/bin/true", argv, envp);
  return errno == EACCES ? 0 : 1;
}

static int serves_nobody(const struct place *place)
{
  return confine_to(place, false) >= 4 && bind_a_port() != EACCES;
}

static int serves_when_it_may(const struct place *place)
{
  (void)confine_to(place, true);
  return bind_a_port();
}

static void test_it_writes_in_its_folders_and_to_devices(void **state)
{
  (void)state;
  assert_int_equal(in_a_child(writes_in_its_folders), 0);
}

static void test_it_changes_nothing_elsewhere_but_reads(void **state)
{
  (void)state;
  assert_int_equal(in_a_child(changes_nothing_elsewhere), 0);
  assert_int_equal(in_a_child(follows_no_link_out), 0);
}

static void test_it_executes_nothing(void **state)
{
  (void)state;
  assert_int_equal(in_a_child(executes_nothing), 0);
}

static void test_it_binds_a_port_only_where_it_may(void **state)
{
  (void)state;
  assert_int_equal(in_a_child(serves_nobody), 0);
  assert_int_equal(in_a_child(serves_when_it_may), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_it_writes_in_its_folders_and_to_devices),
      cmocka_unit_test(test_it_changes_nothing_elsewhere_but_reads),
      cmocka_unit_test(test_it_executes_nothing),
      cmocka_unit_test(test_it_binds_a_port_only_where_it_may),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
