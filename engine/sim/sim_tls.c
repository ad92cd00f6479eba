// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_tls.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"

enum { VALID_S = 10 * 24 * 3600, BACKDATED_S = 3600 };

static bool add_extension(X509 *cert, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  bool added = extension && X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

static bool set_serial(X509 *cert)
{
  uint64_t serial = 0;
  ap_random_bytes(&serial, sizeof(serial));
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), (serial >> 1) | 1);
}

static bool set_name(X509 *cert)
{
  static const unsigned char name[] = "Apogee simulator";
  X509_NAME *subject = X509_get_subject_name(cert);
  return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, name, -1, -1, 0) &&
         X509_set_issuer_name(cert, subject);
}

static bool fill_certificate(X509 *cert, EVP_PKEY *key)
{
  return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) && set_name(cert) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -BACKDATED_S) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), VALID_S) && X509_set_pubkey(cert, key) &&
         add_extension(cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(cert, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add_extension(cert, NID_ext_key_usage, "serverAuth") &&
         add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1,IP:::1,DNS:localhost") &&
         add_extension(cert, NID_subject_key_identifier, "hash") &&
         X509_sign(cert, key, EVP_sha256());
}

static char *copy_text(BIO *bio)
{
  char *text = NULL;
  long len = BIO_get_mem_data(bio, &text);
  return len > 0 ? ap_memdup(text, (size_t)len) : NULL;
}

static bool write_pem(struct sim_tls *tls, X509 *cert, EVP_PKEY *key)
{
  BIO *cert_bio = BIO_new(BIO_s_mem());
  BIO *key_bio = BIO_new(BIO_s_secmem());
  if (cert_bio && key_bio && PEM_write_bio_X509(cert_bio, cert) &&
      PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL)) {
    tls->cert_pem = copy_text(cert_bio);
    tls->key_pem = copy_text(key_bio);
  }
  BIO_free(cert_bio);
  BIO_free(key_bio);
  return tls->cert_pem && tls->key_pem;
}

int sim_tls_init(struct sim_tls *tls, struct ap_error *err)
{
  *tls = (struct sim_tls){0};
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  bool made = key && cert && fill_certificate(cert, key) && write_pem(tls, cert, key);
  X509_free(cert);
  EVP_PKEY_free(key);
  if (made)
    return AP_OK;
  sim_tls_deinit(tls);
  return ap_fail(err, AP_E_TLS, "the simulator could not make its certificate");
}

void sim_tls_deinit(struct sim_tls *tls)
{
  if (tls->key_pem)
    explicit_bzero(tls->key_pem, strlen(tls->key_pem));
  free(tls->key_pem);
  free(tls->cert_pem);
  *tls = (struct sim_tls){0};
}
