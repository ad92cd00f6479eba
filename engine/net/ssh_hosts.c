// SPDX-License-Identifier: Apache-2.0
#include "net/ssh_hosts.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOB_MAX = 8192, NAME_MAX_BYTES = 300 };

/* ---- base64, types, fingerprints ---- */

bool net_ssh_base64(const char *text, size_t len, unsigned char *out, size_t max, size_t *out_len)
{
  while (len && text[len - 1] == '=')
    len--;
  size_t full = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
  if (len == 0 || len % 4 == 1 || full > max)
    return false;
  uint32_t bits = 0;
  size_t at = 0;
  for (size_t i = 0; i < len; i++) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
    if (!digit)
      return false;
    bits = bits << 6 | (uint32_t)(digit - digits);
    if (i % 4 && at < full)
      out[at++] = (unsigned char)(bits >> (6 - 2 * (i % 4)) & 0xff);
  }
  *out_len = at;
  return true;
}

void net_ssh_blob_type(struct ap_slice blob, char out[64])
{
  const unsigned char *bytes = (const unsigned char *)blob.ptr;
  (void)snprintf(out, 64, "?");
  if (blob.len < 4)
    return;
  size_t len = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
  if (len == 0 || len > blob.len - 4 || len >= 64)
    return;
  for (size_t i = 0; i < len; i++)
    if (!isgraph(bytes[4 + i]))
      return;
  memcpy(out, bytes + 4, len);
  out[len] = '\0';
}

void net_ssh_fingerprint(struct ap_slice blob, char out[NET_SSH_FINGERPRINT_TEXT])
{
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned char text[4 * (SHA256_DIGEST_LENGTH + 2) / 3 + 1];
  (void)SHA256((const unsigned char *)blob.ptr, blob.len, digest);
  (void)EVP_EncodeBlock(text, digest, sizeof(digest));
  (void)snprintf(out, NET_SSH_FINGERPRINT_TEXT, "SHA256:%.43s", (const char *)text);
}

/* ---- which names a line means ---- */

/* "*" is any number of characters, "?" is one; case does not matter. */
static bool matches_pattern(struct ap_slice pattern, const char *name)
{
  size_t p = 0;
  size_t star = SIZE_MAX;
  const char *again = NULL;
  while (*name) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      star = p++;
      again = name;
    } else if (p < pattern.len &&
               (pattern.ptr[p] == '?' ||
                tolower((unsigned char)pattern.ptr[p]) == tolower((unsigned char)*name))) {
      p++;
      name++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      name = ++again;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.ptr[p] == '*')
    p++;
  return p == pattern.len;
}

/* "|1|SALT|HMAC-SHA1 of the name with it". */
static bool matches_hash(struct ap_slice field, const char *name)
{
  unsigned char salt[64];
  unsigned char wanted[64];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned digest_len = 0;
  size_t salt_len;
  size_t wanted_len;
  const char *salt_text = field.ptr + 3;
  const char *end = field.ptr + field.len;
  const char *bar = memchr(salt_text, '|', (size_t)(end - salt_text));
  if (!bar ||
      !net_ssh_base64(salt_text, (size_t)(bar - salt_text), salt, sizeof(salt), &salt_len) ||
      !net_ssh_base64(bar + 1, (size_t)(end - bar - 1), wanted, sizeof(wanted), &wanted_len))
    return false;
  if (!HMAC(EVP_sha1(), salt, (int)salt_len, (const unsigned char *)name, strlen(name), digest,
            &digest_len))
    return false;
  return digest_len == wanted_len && memcmp(digest, wanted, wanted_len) == 0;
}

static bool matches_names(struct ap_slice field, const char *name)
{
  if (field.len > 3 && memcmp(field.ptr, "|1|", 3) == 0)
    return matches_hash(field, name);
  bool is_hit = false;
  const char *at = field.ptr;
  const char *end = field.ptr + field.len;
  while (at < end) {
    const char *comma = memchr(at, ',', (size_t)(end - at));
    const char *stop = comma ? comma : end;
    bool is_negated = at < stop && *at == '!';
    const char *from = at + (is_negated ? 1 : 0);
    if (matches_pattern((struct ap_slice){from, (size_t)(stop - from)}, name)) {
      if (is_negated)
        return false;
      is_hit = true;
    }
    at = stop + 1;
  }
  return is_hit;
}

/* ---- lines ---- */

static struct ap_slice next_field(struct ap_slice *line)
{
  while (line->len && (*line->ptr == ' ' || *line->ptr == '\t')) {
    line->ptr++;
    line->len--;
  }
  struct ap_slice field = {line->ptr, 0};
  while (line->len && *line->ptr != ' ' && *line->ptr != '\t') {
    line->ptr++;
    line->len--;
    field.len++;
  }
  return field;
}

struct fields {
  struct ap_slice marker; /* empty: none */
  struct ap_slice names;
  struct ap_slice type;
  struct ap_slice key;
};

static struct fields split(struct ap_slice line)
{
  struct fields fields = {0};
  struct ap_slice first = next_field(&line);
  if (first.len && *first.ptr == '@') {
    fields.marker = first;
    first = next_field(&line);
  }
  fields.names = first;
  fields.type = next_field(&line);
  fields.key = next_field(&line);
  return fields;
}

static bool is_about(const struct net_ssh_hosts *hosts, struct ap_slice names, bool *is_exact)
{
  char name[NAME_MAX_BYTES];
  *is_exact = true;
  if (hosts->port == 22)
    return matches_names(names, hosts->host);
  (void)snprintf(name, sizeof(name), "[%s]:%u", hosts->host, hosts->port);
  if (matches_names(names, name))
    return true;
  *is_exact = false;
  return matches_names(names, hosts->host);
}

static bool decode_key(const struct fields *fields, unsigned char *blob, size_t *len, char type[64])
{
  if (!fields->key.len || !net_ssh_base64(fields->key.ptr, fields->key.len, blob, BLOB_MAX, len))
    return false;
  net_ssh_blob_type((struct ap_slice){(const char *)blob, *len}, type);
  return ap_slice_is(fields->type, type);
}

static int take_line(struct net_ssh_hosts *hosts, const char *file, unsigned number,
                     struct ap_slice text)
{
  struct fields fields = split(text);
  unsigned char blob[BLOB_MAX];
  struct net_ssh_host_line line = {.file = file, .number = number};
  if (!fields.names.len || *fields.names.ptr == '#')
    return AP_OK;
  line.is_revoked = ap_slice_is(fields.marker, "@revoked");
  bool is_authority = ap_slice_is(fields.marker, "@cert-authority");
  if (!decode_key(&fields, blob, &line.blob_len, line.type) ||
      (fields.marker.len && !line.is_revoked && !is_authority)) {
    if (!hosts->bad++)
      hosts->first_bad = number;
    return AP_OK;
  }
  if (!is_about(hosts, fields.names, &line.is_exact))
    return AP_OK;
  if (is_authority) {
    hosts->authorities++;
    return AP_OK;
  }
  if (hosts->count == NET_SSH_HOST_LINES_MAX)
    return AP_E_TOO_LARGE; /* one left out might be the one that is revoked */
  line.blob = ap_memdup((const char *)blob, line.blob_len);
  if (!line.blob)
    return AP_E_NO_MEMORY;
  hosts->lines[hosts->count++] = line;
  return AP_OK;
}

int net_ssh_hosts_add(struct net_ssh_hosts *hosts, const char *file, struct ap_slice text)
{
  unsigned number = 0;
  const char *at = text.ptr;
  const char *end = text.ptr + text.len;
  hosts->bad = hosts->first_bad = 0;
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline ? newline : end;
    struct ap_slice line = {at, (size_t)(stop - at)};
    if (line.len && line.ptr[line.len - 1] == '\r')
      line.len--;
    int rc = take_line(hosts, file, ++number, line);
    if (rc != AP_OK)
      return rc;
    at = stop + 1;
  }
  return AP_OK;
}

void net_ssh_hosts_deinit(struct net_ssh_hosts *hosts)
{
  for (size_t i = 0; i < hosts->count; i++)
    free(hosts->lines[i].blob);
  hosts->count = 0;
}

/* ---- the verdict ---- */

static bool is_key(const struct net_ssh_host_line *line, struct ap_slice blob)
{
  return line->blob_len == blob.len && memcmp(line->blob, blob.ptr, blob.len) == 0;
}

enum net_ssh_verdict net_ssh_hosts_check(const struct net_ssh_hosts *hosts, struct ap_slice blob,
                                         const struct net_ssh_host_line **line)
{
  char type[64];
  const struct net_ssh_host_line *match = NULL;
  const struct net_ssh_host_line *other = NULL;
  net_ssh_blob_type(blob, type);
  for (size_t i = 0; i < hosts->count; i++) {
    const struct net_ssh_host_line *at = &hosts->lines[i];
    if (at->is_revoked && is_key(at, blob)) {
      *line = at;
      return NET_SSH_REVOKED;
    }
    if (at->is_revoked)
      continue;
    if (is_key(at, blob)) {
      match = match ? match : at;
    } else if (at->is_exact &&
               (!other || (strcmp(at->type, type) == 0 && strcmp(other->type, type) != 0))) {
      other = at; /* a name without our port may be about another server of that host */
    }
  }
  *line = match ? match : other;
  if (match)
    return NET_SSH_MATCH;
  return other ? NET_SSH_CHANGED : NET_SSH_UNKNOWN;
}

bool net_ssh_hosts_has_type(const struct net_ssh_hosts *hosts, const char *type)
{
  for (size_t i = 0; i < hosts->count; i++)
    if (!hosts->lines[i].is_revoked && strcmp(hosts->lines[i].type, type) == 0)
      return true;
  return false;
}
