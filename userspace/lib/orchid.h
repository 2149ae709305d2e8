/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IPv6 address of a key: an ORCHIDv2 (RFC 7343).
 *
 *    0                           28  32                              127
 *   +------------------------------+---+---------------------------------+
 *   |        2001:20::/28          | 5 | middle 96 bits of               |
 *   |                              |   | SHA-256(context id || key)      |
 *   +------------------------------+---+---------------------------------+
 *
 * kernel/addr.c computes the same.  Test vectors, for both:
 *
 *   key 00 01 02 ... 1f
 *       2001:25:14b4:274:f09e:89c7:e21d:14e3
 *   key 31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62
 *       2001:25:3cfe:6636:596e:b6a6:b22b:8639
 */
#ifndef LAYA_ORCHID_H
#define LAYA_ORCHID_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "key.h"

#define LAYA_ORCHID_OGA			0x5	/* the 4-bit id, RFC 7343 2 */
#define LAYA_ORCHID_CONTEXT_SIZE	16

extern const uint8_t laya_orchid_context[LAYA_ORCHID_CONTEXT_SIZE];

int laya_orchid_from_key(struct in6_addr *addr,
			 const uint8_t key[LAYA_KEY_SIZE]);
bool laya_orchid_is(const struct in6_addr *addr);
bool laya_orchid_is_ours(const struct in6_addr *addr);

#endif /* LAYA_ORCHID_H */
