/* A real OpenSSH server for tests of the SFTP client: sshd, started for each connection as an
 * ordinary user (nobody, when the tests run as root), with keys, configuration and files of its own
 * in a temporary folder. And the loop that waits for the answers. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/sftp.h"
#include "unit.h"

#define SSHD "/usr/sbin/sshd"

struct heard {
  int times;
  int code;
  char text[1100];
  struct net_sftp_stat stat;
  struct net_sftp_file *file;
  struct ap_buf data;  /* of a read, or the names of a list, each with a newline */
  struct ap_buf types; /* of a list: f, d, l, o */
  size_t count;
  size_t left_out;
  bool is_cut;
  bool is_end; /* a read without bytes */
};

struct server {
  char folder[64];
  char user[64];
  uid_t uid;
  gid_t gid;
  int listener;
  unsigned port;
  pid_t pid; /* accepts, and starts an sshd for each connection */
};

struct world {
  struct server *server;
  struct net_loop *loop;
  struct net_timer *limit;
  struct net_sftp *sftp;
  struct net_sftp_options options;
  char known_hosts[128];
  char key[128];
  char pin[80];
};

/* ---- programs and files ---- */

/* Runs a program with its output in a file, or nowhere; its exit status. */
static inline int run_program(const char *output, const char *const *arguments)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    int out = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int in = open("/dev/null", O_RDONLY);
    (void)dup2(in, 0);
    (void)dup2(out, 1);
    (void)dup2(open("/dev/null", O_WRONLY), 2);
    (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
  }
  int status = 0;
  assert_int_equal(pid, waitpid(pid, &status, 0));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(output, ...) run_program(output, (const char *const[]){__VA_ARGS__, NULL})

static inline const char *path_in(const struct server *server, const char *name)
{
  static char paths[4][256];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  (void)snprintf(path, sizeof(paths[0]), "%s/%s", server->folder, name);
  return path;
}

/* A file that belongs to the server's user. */
static inline void put_file(const struct server *server, const char *name, const void *bytes,
                            size_t len, mode_t mode)
{
  const char *path = path_in(server, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(fd >= 0);
  for (size_t at = 0; at < len;) {
    ssize_t put = write(fd, (const char *)bytes + at, len - at);
    assert_true(put > 0);
    at += (size_t)put;
  }
  assert_int_equal(0, fchmod(fd, mode));
  assert_int_equal(0, fchown(fd, server->uid, server->gid));
  (void)close(fd);
}

static inline void put_text(const struct server *server, const char *name, const char *text)
{
  put_file(server, name, text, strlen(text), 0600);
}

static inline void read_text(const char *path, char *out, size_t size)
{
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);
  if (got < 0)
    fail_msg("%s cannot be read", path);
  (void)close(fd);
  out[got] = '\0';
}

/* ---- the server ---- */

/* Only what may be called after a fork of a process with threads. */
static inline void serve(const struct server *server, char *const *sshd)
{
  (void)setpgid(0, 0);
  if (geteuid() == 0 && (setgid(server->gid) != 0 || setuid(server->uid) != 0))
    _exit(1);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)signal(SIGCHLD, SIG_IGN);
  (void)dup2(open("/dev/null", O_WRONLY), 2);
  for (;;) {
    int fd = accept(server->listener, NULL, NULL);
    if (fd < 0)
      _exit(0);
    if (fork() == 0) {
      (void)signal(SIGCHLD, SIG_DFL);
      (void)dup2(fd, 0);
      (void)dup2(fd, 1);
      (void)close(server->listener);
      (void)execv(SSHD, sshd);
      _exit(127);
    }
    (void)close(fd);
  }
}

static inline int listen_on_loopback(unsigned *port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
  assert_int_equal(0, listen(fd, 16));
  assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
  *port = ntohs(address.sin_port);
  return fd;
}

static inline void server_begin(struct server *server)
{
  char config[128];
  char log[128];
  (void)snprintf(config, sizeof(config), "%s", path_in(server, "sshd_config"));
  (void)snprintf(log, sizeof(log), "%s", path_in(server, "log"));
  char *const sshd[] = {
      (char *)(uintptr_t)SSHD, (char[]){"-i"}, (char[]){"-f"}, config, (char[]){"-E"}, log, NULL};
  server->listener = listen_on_loopback(&server->port);
  server->pid = fork();
  assert_true(server->pid >= 0);
  if (server->pid == 0)
    serve(server, sshd);
  (void)setpgid(server->pid, server->pid);
  (void)close(server->listener);
}

static inline void server_end(struct server *server)
{
  if (server->pid > 0) {
    (void)kill(-server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
  }
  server->pid = 0;
}

static inline void make_key(const struct server *server, const char *name, const char *type,
                            const char *passphrase, bool is_pem)
{
  const char *path = path_in(server, name);
  if (is_pem)
    assert_int_equal(0, RUN(NULL, "ssh-keygen", "-q", "-t", type, "-m", "PEM", "-N", passphrase,
                            "-C", "test", "-f", path));
  else
    assert_int_equal(
        0, RUN(NULL, "ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path));
}

static inline void give_to_server(const struct server *server, const char *name)
{
  assert_int_equal(0, chown(path_in(server, name), server->uid, server->gid));
}

/* The keys whose .pub files are named may log in. */
static inline void authorize(const struct server *server, const char *const *names, size_t count)
{
  struct ap_buf text = {0};
  for (size_t i = 0; i < count; i++) {
    char line[2048];
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.pub", names[i]);
    read_text(path_in(server, name), line, sizeof(line));
    ap_buf_add_str(&text, line);
  }
  put_text(server, "authorized_keys", ap_buf_cstr(&text));
  ap_buf_deinit(&text);
}

static inline void write_config(const struct server *server, const char *more)
{
  char text[2048];
  (void)snprintf(text, sizeof(text),
                 "HostKey %s/host_ed25519\nHostKey %s/host_ecdsa\nAuthorizedKeysFile "
                 "%s/authorized_keys\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\n"
                 "KbdInteractiveAuthentication no\nPidFile none\nLogLevel VERBOSE\n"
                 "Subsystem sftp internal-sftp\n%s",
                 server->folder, server->folder, server->folder, more);
  put_text(server, "sshd_config", text);
}

static inline void server_start(struct server *server)
{
  *server = (struct server){.uid = geteuid(), .gid = getegid()};
  const struct passwd *user = geteuid() == 0 ? getpwnam("nobody") : getpwuid(geteuid());
  assert_non_null(user);
  server->uid = user->pw_uid;
  server->gid = user->pw_gid;
  (void)snprintf(server->user, sizeof(server->user), "%s", user->pw_name);
  (void)snprintf(server->folder, sizeof(server->folder), "/tmp/apogee-sftp-XXXXXX");
  assert_non_null(mkdtemp(server->folder));
  assert_int_equal(0, chmod(server->folder, 0755));
  assert_int_equal(0, chown(server->folder, server->uid, server->gid));
  make_key(server, "host_ed25519", "ed25519", "", false);
  make_key(server, "host_ecdsa", "ecdsa", "", false);
  give_to_server(server, "host_ed25519");
  give_to_server(server, "host_ecdsa");
  make_key(server, "user_ed25519", "ed25519", "", false);
  authorize(server, (const char *const[]){"user_ed25519"}, 1);
  write_config(server, "");
  server_begin(server);
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
  (void)st;
  (void)kind;
  (void)ftw;
  return remove(path);
}

static inline void server_stop(struct server *server)
{
  server_end(server);
  (void)nftw(server->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- the client's side ---- */

static inline void too_long(void *arg)
{
  (void)arg;
  fail_msg("no answer within 60 s");
}

/* A line of known_hosts out of a host key, with these names; "" for those of the server. */
static inline void known_line(const struct server *server, const char *marker, const char *names,
                              const char *key, char *out, size_t size)
{
  char text[1024];
  char name[64];
  char own[64];
  (void)snprintf(name, sizeof(name), "%s.pub", key);
  (void)snprintf(own, sizeof(own), "[127.0.0.1]:%u", server->port);
  read_text(path_in(server, name), text, sizeof(text));
  (void)snprintf(out, size, "%s%s %s", marker, *names ? names : own, text);
}

static inline void know(const struct server *server, const char *key)
{
  char line[1200];
  known_line(server, "", "", key, line, sizeof(line));
  put_text(server, "known_hosts", line);
}

/* Options that work with the server as it is; known_hosts has its ed25519 key. */
static inline void world_open(struct world *world, struct server *server)
{
  *world = (struct world){.server = server};
  assert_int_equal(AP_OK, net_loop_new(&world->loop));
  assert_int_equal(AP_OK, net_timer_new(world->loop, too_long, NULL, &world->limit));
  know(server, "host_ed25519");
  (void)snprintf(world->known_hosts, sizeof(world->known_hosts), "%s",
                 path_in(server, "known_hosts"));
  (void)snprintf(world->key, sizeof(world->key), "%s", path_in(server, "user_ed25519"));
  world->options = (struct net_sftp_options){.host = "127.0.0.1",
                                             .port = server->port,
                                             .user = server->user,
                                             .key_file = world->key,
                                             .known_hosts = world->known_hosts,
                                             .connect_ms = 30000,
                                             .wait_ms = 30000};
}

static inline void world_close(struct world *world)
{
  net_sftp_close(world->sftp);
  net_timer_free(world->limit);
  net_loop_free(world->loop);
}

struct waiting {
  struct heard *heard;
  struct world *world;
  int wanted;
};

static inline void stop_when_heard(void *arg)
{
  struct waiting *waiting = arg;
  if (waiting->heard->times >= waiting->wanted)
    net_loop_stop(waiting->world->loop);
}

static inline void do_nothing(void *arg)
{
  (void)arg;
}

/* Runs the loop until it was heard that often. */
static inline void wait_for(struct world *world, struct heard *heard, int times)
{
  struct waiting waiting = {heard, world, times};
  net_loop_on_turn(world->loop, stop_when_heard, &waiting);
  net_timer_start(world->limit, 60000);
  net_loop_run(world->loop);
  net_timer_stop(world->limit);
  net_loop_on_turn(world->loop, do_nothing, NULL);
  assert_true(heard->times >= times);
}

static inline void note(struct heard *heard, int code, const char *text)
{
  heard->times++;
  heard->code = code;
  (void)snprintf(heard->text, sizeof(heard->text), "%s", text);
  assert_int_equal(code == AP_OK, *text == '\0');
  for (const char *c = text; *c; c++)
    assert_false((unsigned char)*c < 0x20 || *c == 0x7f);
}

static inline void hear_ready(void *arg, int code, const char *text)
{
  note(arg, code, text);
}

static inline void hear_stat(void *arg, int code, const char *text,
                             const struct net_sftp_stat *stat)
{
  struct heard *heard = arg;
  heard->stat = *stat;
  note(heard, code, text);
}

static inline void hear_list(void *arg, int code, const char *text,
                             const struct net_sftp_list *list)
{
  struct heard *heard = arg;
  ap_buf_clear(&heard->data);
  ap_buf_clear(&heard->types);
  for (size_t i = 0; i < list->count; i++) {
    ap_buf_add(&heard->data, list->entries[i].name, list->entries[i].name_len);
    ap_buf_add_char(&heard->data, '\n');
    ap_buf_add_char(&heard->types, "fdlo"[list->entries[i].stat.type]);
  }
  heard->count = list->count;
  heard->left_out = list->left_out;
  heard->is_cut = list->is_cut;
  note(heard, code, text);
}

static inline void hear_file(void *arg, int code, const char *text, struct net_sftp_file *file)
{
  struct heard *heard = arg;
  heard->file = file;
  note(heard, code, text);
}

static inline void hear_data(void *arg, int code, const char *text, struct ap_slice data)
{
  struct heard *heard = arg;
  heard->is_end = code == AP_OK && data.len == 0;
  ap_buf_add(&heard->data, data.ptr, data.len);
  note(heard, code, text);
}

static inline void heard_free(struct heard *heard)
{
  ap_buf_deinit(&heard->data);
  ap_buf_deinit(&heard->types);
}

/* Opens a connection and closes an earlier one. */
static inline struct heard connect_with(struct world *world)
{
  struct heard heard = {0};
  struct ap_error err = {0};
  net_sftp_close(world->sftp);
  world->sftp = NULL;
  int rc = net_sftp_open(world->loop, &world->options, hear_ready, &heard, &world->sftp, &err);
  if (rc != AP_PENDING)
    fail_msg("refused at once: %s", err.text);
  wait_for(world, &heard, 1);
  return heard;
}

static inline void connect_well(struct world *world)
{
  struct heard heard = connect_with(world);
  if (heard.code != AP_OK) {
    char log[8192];
    read_text(path_in(world->server, "log"), log, sizeof(log));
    fail_msg("%s\n%s", heard.text, log);
  }
}

static inline void expect(const struct heard *heard, int code, const char *const *parts,
                          size_t count)
{
  bool is_as_said = heard->code == code;
  for (size_t i = 0; i < count; i++)
    is_as_said = is_as_said && (!parts[i] || strstr(heard->text, parts[i]));
  if (is_as_said)
    return;
  print_error("%d: ", heard->code);
  (void)fputs(heard->text, stderr);
  fail();
}

#define EXPECT(heard, code, ...)                                                                   \
  expect(heard, code, (const char *const[]){__VA_ARGS__},                                          \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
