/* SPDX-License-Identifier: GPL-2.0 */
/* Keys, and their addresses: ORCHIDv2 (RFC 7343). */
#ifndef _LAYA_ADDR_H
#define _LAYA_ADDR_H

#include <linux/in6.h>

#include "laya.h"

/* 2001:20::/28 */
static inline bool laya_addr_is_orchid(const struct in6_addr *addr)
{
	return (addr->s6_addr32[0] & cpu_to_be32(0xfffffff0)) ==
		cpu_to_be32(0x20010020);
}

/* Bytes 20 01 00 25, then bytes 10 to 21 of SHA-256(context id || key). */
void laya_addr_orchid(struct in6_addr *orchid, const u8 *key);
/* Canonical, and of no low order; what every interface demands of a key. */
bool laya_addr_key_valid(const u8 *key);
bool laya_addr_key_zero(const u8 *key);
/* Checks of a sockaddr from userspace: length, family. -EINVAL, -EAFNOSUPPORT. */
int laya_addr_check(const struct sockaddr_laya *addr, int len);
/* The name of a socket; @key NULL is not known yet. Returns its length. */
int laya_addr_name(struct sockaddr_laya *name, const u8 *key, __be16 port,
		   u32 scope_id);

#endif /* _LAYA_ADDR_H */
