/* Names of a folder as an SFTP server lists them, a line each, and its words in our messages. */
// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"
#include "fuzz.h"
#include "net/sftp_private.h"
#include "net/ssh_text.h"

static void check_name(const char *name, size_t len)
{
  ap_require(len && len <= 255 && !memchr(name, '/', len) && strlen(name) == len);
  ap_require(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

static void check_words(struct ap_slice text)
{
  enum { ROOM = 48 };
  char clean[ROOM];
  net_ssh_clean(clean, sizeof(clean), text.ptr, text.len);
  ap_require(strlen(clean) < ROOM && ap_utf8_is_valid(clean, strlen(clean)));
  for (const char *at = clean; *at; at++)
    ap_require((unsigned char)*at >= 0x20 && *at != 0x7f);
  (void)net_ssh_list_has(clean, "publickey");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { ENTRIES_MAX = 20 };
  struct fuzz_input input = fuzz_input(data, size);
  struct net_sftp_op op = {.max_entries = ENTRIES_MAX};
  while (input.left) {
    LIBSSH2_SFTP_ATTRIBUTES attributes = {.flags = fuzz_byte(&input)};
    attributes.permissions = (unsigned long)fuzz_byte(&input) << 9;
    attributes.filesize = fuzz_byte(&input);
    struct ap_slice name = fuzz_line(&input);
    net_sftp_take_entry(&op, name.ptr, name.len, &attributes);
    check_words(name);
  }
  ap_require(op.count <= ENTRIES_MAX);
  const char *name = ap_buf_cstr(&op.names);
  for (size_t i = 0; i < op.count; i++) {
    check_name(name, strlen(name));
    name += strlen(name) + 1;
  }
  ap_require(name == ap_buf_cstr(&op.names) + op.names.len);
  ap_buf_deinit(&op.names);
  ap_buf_deinit(&op.items);
  return 0;
}
