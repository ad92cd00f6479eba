/* What the files of the policy share: its lists.
 *
 *   policy.c        the rules, and the order in which an ask is judged by them
 *   policy_hosts.c  domains and networks, and the hosts that a text names
 *   policy_paths.c  files and folders */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/buf.h"
#include "vt/policy.h"

/* One item of a list. */
struct vt_policy_item {
  struct vt_policy_item *next;
  bool of_playbook;
  unsigned char network[16]; /* of a network: an IPv6 address; IPv4 ones are mapped */
  unsigned prefix;           /* its bits that count */
  const char *shown;         /* as it was written, behind `text` */
  char text[];               /* as it is compared */
};

/* A new item; NULL: out of memory. The caller links it, or frees it with free(). */
struct vt_policy_item *vt_policy_item_new(const char *text, const char *shown);

/* Each reads a value of its list: AP_E_INVALID with the reason, AP_E_NO_MEMORY. */
int vt_policy_read_domain(const char *value, struct vt_policy_item **out, struct ap_error *err);
int vt_policy_read_network(const char *value, struct vt_policy_item **out, struct ap_error *err);
int vt_policy_read_path(const char *value, struct vt_policy_item **out, struct ap_error *err);

/* The item of where a path of this machine really lies; NULL: there, or there is no such file. */
struct vt_policy_item *vt_policy_real_path(const struct vt_policy_item *path);

/* The hosts that a text names: of a URL its own, and those of URLs within it, percent-encoded or
 * not; else the whole text. Names are in lower case and in ASCII, without a dot at the end. Calls
 * visit for each until one is not AP_OK, which it returns. AP_E_NO_MEMORY. */
int vt_policy_hosts(const char *text, int (*visit)(void *arg, const char *host), void *arg);

bool vt_policy_is_below(const char *host, const char *domain); /* or it itself */
const struct vt_policy_item *vt_policy_find_domain(const struct vt_policy_item *list,
                                                   const char *host);
const struct vt_policy_item *vt_policy_find_network(const struct vt_policy_item *list,
                                                    const char *host);
/* By the path as it stands, without its "." and ".."; a relative one is none of the list's. */
const struct vt_policy_item *vt_policy_find_path(const struct vt_policy_item *list,
                                                 const char *path);

/* Adds text with what is percent-encoded in it decoded, again until nothing is (some rounds). */
void vt_policy_decode(const char *text, struct ap_buf *out);
