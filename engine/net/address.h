/* Addresses: which are of the open Internet. */
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* False for what a machine or a site has for itself (loopback, private, link-local, the metadata
 * service of clouds), for what is reserved or for documentation, and for multicast; the same for an
 * IPv4 address inside of an IPv6 one (mapped, NAT64, 6to4). False for other families too. */
bool net_address_is_public(const struct sockaddr *address);
