/* Which addresses are of the open Internet: by the registries of special-purpose addresses of IANA,
 * IPv4 and IPv6. */
// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first bits of what is not public. */
static const struct {
  uint32_t address;
  unsigned bits;
} special[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* of providers: 100.64.0.0 */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local; 169.254.169.254 is the metadata service */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocols: 192.0.0.0 */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* relays of 6to4 */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks: 198.18.0.0 */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 4},  /* multicast */
    {0xf0000000, 4},  /* reserved, broadcast */
};

static bool is_public_v4(uint32_t address)
{
  for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
    if ((address ^ special[i].address) >> (32 - special[i].bits) == 0)
      return false;
  return true;
}

static uint32_t v4_in(const unsigned char *bytes)
{
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool begins(const unsigned char *bytes, const unsigned char *prefix, size_t len)
{
  return memcmp(bytes, prefix, len) == 0;
}

static bool is_public_v6(const unsigned char bytes[16])
{
  static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
  static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
  static const unsigned char documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
  static const unsigned char protocols[2] = {0x20, 0x01}; /* 2001:0000::/23: Teredo and such */
  if (begins(bytes, mapped, sizeof(mapped)) || begins(bytes, nat64, sizeof(nat64)))
    return is_public_v4(v4_in(bytes + 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4 */
    return is_public_v4(v4_in(bytes + 2));
  if (begins(bytes, protocols, sizeof(protocols)) && bytes[2] < 2)
    return false;
  return bytes[0] >> 5 == 1 && !begins(bytes, documentation, sizeof(documentation));
}

bool net_address_is_public(const struct sockaddr *address)
{
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  switch (address->sa_family) {
  case AF_INET:
    memcpy(&v4, address, sizeof(v4));
    return is_public_v4(ntohl(v4.sin_addr.s_addr));
  case AF_INET6:
    memcpy(&v6, address, sizeof(v6));
    return is_public_v6(v6.sin6_addr.s6_addr);
  default:
    return false;
  }
}
