// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/ssh_hosts.h"

enum { KEY_FILE_MAX = 32 * 1024 };

const char net_ssh_rsa_reason[] =
    "libssh2 signs with RSA by SHA-1 only, which OpenSSH has refused since 8.8: make another key "
    "with ssh-keygen -t ed25519 (or ecdsa)";

static int check_file(int fd, const char *path, struct ap_error *err)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return ap_fail(err, AP_E_INVALID, "the key file %s cannot be read: %s", path, strerror(errno));
  if (!S_ISREG(st.st_mode))
    return ap_fail(err, AP_E_INVALID, "the key file %s is not a regular file", path);
  if (st.st_uid != geteuid() && st.st_uid != 0)
    return ap_fail(err, AP_E_INVALID, "the key file %s belongs to another user", path);
  if (st.st_mode & 077)
    return ap_fail(err, AP_E_INVALID, "the key file %s is open to others: chmod 600 %s", path,
                   path);
  if (st.st_size > KEY_FILE_MAX)
    return ap_fail(err, AP_E_INVALID, "the key file %s is too large for a key", path);
  return AP_OK;
}

int net_ssh_key_read(const char *path, struct ap_buf *out, struct ap_error *err)
{
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return ap_fail(err, AP_E_INVALID, "the key file %s cannot be read: %s", path,
                   errno == ELOOP ? "it is a symbolic link" : strerror(errno));
  int rc = check_file(fd, path, err);
  char *room = rc == AP_OK ? ap_buf_room(out, KEY_FILE_MAX + 1) : NULL;
  if (rc == AP_OK && !room)
    rc = ap_fail(err, AP_E_NO_MEMORY, "out of memory");
  while (rc == AP_OK && out->len <= KEY_FILE_MAX) {
    ssize_t got = read(fd, room + out->len, KEY_FILE_MAX + 1 - out->len);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      rc = ap_fail(err, AP_E_INVALID, "the key file %s cannot be read: %s", path, strerror(errno));
    if (got <= 0)
      break;
    out->len += (size_t)got;
  }
  (void)close(fd);
  if (room)
    room[out->len] = '\0';
  if (rc == AP_OK && room && strlen(room) != out->len)
    rc = ap_fail(err, AP_E_INVALID, "the key file %s is not a private key", path);
  return rc;
}

/* ---- what kind of key ---- */

static int check_type(const char *type, struct ap_error *err)
{
  if (strcmp(type, "ssh-rsa") == 0)
    return ap_fail(err, AP_E_INVALID, "it is an RSA key; %s", net_ssh_rsa_reason);
  if (strcmp(type, "ssh-dss") == 0)
    return ap_fail(err, AP_E_INVALID,
                   "it is a DSA key, which servers refuse: make another one with ssh-keygen -t "
                   "ed25519");
  if (strncmp(type, "sk-", 3) == 0)
    return ap_fail(err, AP_E_INVALID, "it is the key of a hardware token, which cannot be used");
  if (strcmp(type, "ssh-ed25519") != 0 && strncmp(type, "ecdsa-sha2-nistp", 16) != 0)
    return ap_fail(err, AP_E_INVALID, "it is not an ed25519 or ecdsa key");
  return AP_OK;
}

/* Takes a string with its length before it; false at the end. */
static bool take_string(struct ap_slice *bytes, struct ap_slice *out)
{
  const unsigned char *c = (const unsigned char *)bytes->ptr;
  if (bytes->len < 4)
    return false;
  size_t len = (size_t)c[0] << 24 | (size_t)c[1] << 16 | (size_t)c[2] << 8 | c[3];
  if (len > bytes->len - 4)
    return false;
  *out = (struct ap_slice){bytes->ptr + 4, len};
  bytes->ptr += 4 + len;
  bytes->len -= 4 + len;
  return true;
}

/* The public half and the cipher stand before what is encrypted (PROTOCOL.key of OpenSSH). */
static int check_openssh_bytes(struct ap_slice bytes, bool has_passphrase, struct ap_error *err)
{
  static const char magic[] = "openssh-key-v1"; /* its NUL belongs to it */
  struct ap_slice cipher;
  struct ap_slice skipped;
  struct ap_slice blob;
  char type[64];
  if (bytes.len < sizeof(magic) || memcmp(bytes.ptr, magic, sizeof(magic)) != 0)
    return ap_fail(err, AP_E_INVALID, "it is not a private key");
  bytes.ptr += sizeof(magic);
  bytes.len -= sizeof(magic);
  if (!take_string(&bytes, &cipher) || !take_string(&bytes, &skipped) ||
      !take_string(&bytes, &skipped) || bytes.len < 4)
    return ap_fail(err, AP_E_INVALID, "it is not a private key");
  bytes.ptr += 4;
  bytes.len -= 4;
  if (!take_string(&bytes, &blob))
    return ap_fail(err, AP_E_INVALID, "it is not a private key");
  net_ssh_blob_type(blob, type);
  int rc = check_type(type, err);
  if (rc == AP_OK && !has_passphrase && !ap_slice_is(cipher, "none"))
    return ap_fail(err, AP_E_INVALID, "it is encrypted, and no passphrase was given");
  return rc;
}

static int check_openssh(const char *body, bool has_passphrase, struct ap_error *err)
{
  const char *end = strstr(body, "-----END");
  struct ap_buf text;
  struct ap_buf bytes;
  size_t len = 0;
  ap_buf_init(&text, KEY_FILE_MAX);
  ap_buf_init(&bytes, KEY_FILE_MAX);
  (void)ap_buf_room(&text, KEY_FILE_MAX); /* so that it never moves and leaves a copy behind */
  for (const char *at = body; end && at < end; at++)
    if (!strchr("\r\n \t", *at))
      ap_buf_add_char(&text, *at);
  char *room = ap_buf_room(&bytes, KEY_FILE_MAX);
  int rc;
  if (!end || !room ||
      !net_ssh_base64(ap_buf_cstr(&text), text.len, (unsigned char *)room, KEY_FILE_MAX, &len))
    rc = ap_fail(err, AP_E_INVALID, "it is not a private key");
  else
    rc = check_openssh_bytes((struct ap_slice){room, len}, has_passphrase, err);
  bytes.len = len;
  ap_buf_wipe(&text);
  ap_buf_wipe(&bytes);
  return rc;
}

static int give_passphrase(char *out, int size, int is_writing, void *arg)
{
  const char *passphrase = arg;
  size_t len = passphrase ? strlen(passphrase) : 0;
  (void)is_writing;
  if (len == 0 || len > (size_t)size)
    return -1;
  memcpy(out, passphrase, len);
  return (int)len;
}

static int check_pem(const struct ap_buf *key, const char *passphrase, struct ap_error *err)
{
  BIO *bio = BIO_new_mem_buf(key->ptr, (int)key->len);
  char *wanted = passphrase ? strdup(passphrase) : NULL;
  EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, wanted) : NULL;
  int kind = pair ? EVP_PKEY_base_id(pair) : 0;
  EVP_PKEY_free(pair);
  BIO_free(bio);
  if (wanted)
    explicit_bzero(wanted, strlen(wanted));
  free(wanted);
  if (!pair && strstr(key->ptr, "ENCRYPTED"))
    return ap_fail(err, AP_E_INVALID, "%s",
                   passphrase ? "the passphrase is wrong"
                              : "it is encrypted, and no passphrase was given");
  if (!pair)
    return ap_fail(err, AP_E_INVALID, "it is not a private key");
  return check_type(kind == EVP_PKEY_RSA       ? "ssh-rsa"
                    : kind == EVP_PKEY_DSA     ? "ssh-dss"
                    : kind == EVP_PKEY_ED25519 ? "ssh-ed25519"
                    : kind == EVP_PKEY_EC      ? "ecdsa-sha2-nistp"
                                               : "?",
                    err);
}

int net_ssh_key_check(const struct ap_buf *key, const char *passphrase, struct ap_error *err)
{
  static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
  const char *text = ap_buf_cstr(key);
  const char *begin = strstr(text, openssh);
  if (begin)
    return check_openssh(begin + sizeof(openssh) - 1, passphrase != NULL, err);
  if (strstr(text, "PRIVATE KEY-----"))
    return check_pem(key, passphrase, err);
  if (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0)
    return ap_fail(err, AP_E_INVALID, "it is a public key: name the private one, without .pub");
  return ap_fail(err, AP_E_INVALID, "it is not a private key");
}
