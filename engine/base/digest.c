// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { DIGEST_COUNT = 3 };

struct ap_hasher {
  EVP_MD_CTX *ctx[DIGEST_COUNT];
};

static void write_hex(const unsigned char *bytes, size_t len, char *out)
{
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < len; i++) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  out[2 * len] = '\0';
}

int ap_hasher_new(struct ap_hasher **out)
{
  const EVP_MD *const kinds[DIGEST_COUNT] = {EVP_md5(), EVP_sha1(), EVP_sha256()};
  struct ap_hasher *hasher = calloc(1, sizeof(*hasher));
  if (!hasher)
    return AP_E_NO_MEMORY;
  for (int i = 0; i < DIGEST_COUNT; i++) {
    hasher->ctx[i] = EVP_MD_CTX_new();
    if (!hasher->ctx[i] || !EVP_DigestInit_ex(hasher->ctx[i], kinds[i], NULL)) {
      ap_hasher_free(hasher);
      return AP_E_NO_MEMORY;
    }
  }
  *out = hasher;
  return AP_OK;
}

int ap_hasher_add(struct ap_hasher *hasher, const void *data, size_t len)
{
  for (int i = 0; i < DIGEST_COUNT; i++)
    if (!EVP_DigestUpdate(hasher->ctx[i], data, len))
      return AP_E_INTERNAL;
  return AP_OK;
}

int ap_hasher_finish(struct ap_hasher *hasher, struct ap_digests *out)
{
  char *const texts[DIGEST_COUNT] = {out->md5, out->sha1, out->sha256};
  for (int i = 0; i < DIGEST_COUNT; i++) {
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (!EVP_DigestFinal_ex(hasher->ctx[i], raw, &len))
      return AP_E_INTERNAL;
    write_hex(raw, len, texts[i]);
  }
  return AP_OK;
}

void ap_hasher_free(struct ap_hasher *hasher)
{
  if (!hasher)
    return;
  for (int i = 0; i < DIGEST_COUNT; i++)
    EVP_MD_CTX_free(hasher->ctx[i]);
  free(hasher);
}

int ap_sha256_hex(const void *data, size_t len, char out[65])
{
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int raw_len = 0;
  if (!EVP_Digest(data, len, raw, &raw_len, EVP_sha256(), NULL))
    return AP_E_INTERNAL;
  write_hex(raw, raw_len, out);
  return AP_OK;
}

int ap_sha256_base64(const void *data, size_t len, char out[45])
{
  unsigned char raw[EVP_MAX_MD_SIZE];
  unsigned int raw_len = 0;
  if (!EVP_Digest(data, len, raw, &raw_len, EVP_sha256(), NULL))
    return AP_E_INTERNAL;
  (void)EVP_EncodeBlock((unsigned char *)out, raw, (int)raw_len);
  return AP_OK;
}

int ap_hmac_sha256(struct ap_slice key, struct ap_slice message, unsigned char out[32])
{
  unsigned int len = 0;
  if (key.len > INT_MAX || !HMAC(EVP_sha256(), key.ptr, (int)key.len,
                                 (const unsigned char *)message.ptr, message.len, out, &len))
    return AP_E_NO_MEMORY;
  return AP_OK;
}

void ap_random_bytes(void *out, size_t len)
{
  ap_require(RAND_bytes(out, (int)len) == 1);
}

uint64_t ap_random_below(uint64_t limit)
{
  uint64_t value = 0;
  ap_random_bytes(&value, sizeof(value));
  return limit ? value % limit : 0;
}
