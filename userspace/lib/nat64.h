/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NAT64: the prefix of this network (RFC 7050), and IPv4 addresses in it
 * (RFC 6052).
 */
#ifndef LAYA_NAT64_H
#define LAYA_NAT64_H

#include <netinet/in.h>
#include <uv.h>

#include "address.h"

#define LAYA_NAT64_NAME	"ipv4only.arpa"

/**
 * struct laya_nat64_prefix - a prefix for IPv4 addresses
 * @addr: the prefix; the rest is zero
 * @len: 32, 40, 48, 56, 64 or 96
 */
struct laya_nat64_prefix {
	struct in6_addr addr;
	unsigned int len;
};

/**
 * struct laya_nat64_query - a question that is being asked; the caller's
 *	memory, which lives until @done was called
 * @lookup: libuv's
 * @done: 0 and the prefix; -ENOENT if the network has none; or another errno
 * @data: last argument of @done
 */
struct laya_nat64_query {
	uv_getaddrinfo_t lookup;
	void (*done)(struct laya_nat64_query *query, int error,
		     const struct laya_nat64_prefix *prefix, void *data);
	void *data;
};

int laya_nat64_find(const struct in6_addr *answer,
		    struct laya_nat64_prefix *prefix);
int laya_nat64_synthesise(const struct laya_nat64_prefix *prefix,
			  const struct in_addr *in4, struct in6_addr *in6);
int laya_nat64_discover(struct laya_nat64_query *query, uv_loop_t *loop);
void laya_nat64_cancel(struct laya_nat64_query *query);

#endif /* LAYA_NAT64_H */
