// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "nat64.h"

/* RFC 6052, 2.2: bits 64 to 71 are zero, and the address goes around them. */
#define RESERVED_BYTE	8

static const unsigned int lengths[] = { 96, 64, 56, 48, 40, 32 };

/* RFC 7050, 8.1 */
static const uint8_t well_known[][4] = {
	{ 192, 0, 0, 170 },
	{ 192, 0, 0, 171 },
};

/* Put an address into a prefix, or take it out. */
static void embed(struct in6_addr *in6, unsigned int len, const uint8_t in4[4])
{
	unsigned int at = len / 8;
	unsigned int i;

	for (i = 0; i < 4; i++, at++) {
		if (at == RESERVED_BYTE)
			at++;
		in6->s6_addr[at] = in4[i];
	}
}

static bool holds(const struct in6_addr *in6, unsigned int len,
		  const uint8_t in4[4])
{
	struct in6_addr other = { 0 };

	memcpy(other.s6_addr, in6->s6_addr, len / 8);
	embed(&other, len, in4);
	/* What follows is zero (RFC 6052, 2.2), so one length fits at most. */
	return !memcmp(&other, in6, sizeof(other));
}

/**
 * laya_nat64_find() - find the prefix in an answer for LAYA_NAT64_NAME
 * @answer: the address
 * @prefix: where to put it
 *
 * Return: 0, or -ENOENT if the answer has none.
 */
int laya_nat64_find(const struct in6_addr *answer,
		    struct laya_nat64_prefix *prefix)
{
	size_t i, j;

	if (IN6_IS_ADDR_V4MAPPED(answer))
		return -ENOENT;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (j = 0; j < 2; j++) {
			if (!holds(answer, lengths[i], well_known[j]))
				continue;
			memset(prefix, 0, sizeof(*prefix));
			memcpy(&prefix->addr, answer, lengths[i] / 8);
			prefix->len = lengths[i];
			return 0;
		}
	}
	return -ENOENT;
}

/**
 * laya_nat64_synthesise() - make the IPv6 address of an IPv4 address
 * @prefix: prefix of this network
 * @in4: the IPv4 address
 * @in6: where to put the IPv6 address
 *
 * Return: 0; -EINVAL for a prefix of a length that there is not.
 */
int laya_nat64_synthesise(const struct laya_nat64_prefix *prefix,
			  const struct in_addr *in4, struct in6_addr *in6)
{
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		if (prefix->len != lengths[i])
			continue;
		memset(in6, 0, sizeof(*in6));
		memcpy(in6, &prefix->addr, prefix->len / 8);
		embed(in6, prefix->len, (const uint8_t *)in4);
		return 0;
	}
	return -EINVAL;
}

static int find_in_list(const struct addrinfo *list,
			struct laya_nat64_prefix *prefix)
{
	const struct sockaddr_in6 *sin6;

	for (; list; list = list->ai_next) {
		sin6 = (const struct sockaddr_in6 *)list->ai_addr;
		if (list->ai_family == AF_INET6 &&
		    !laya_nat64_find(&sin6->sin6_addr, prefix))
			return 0;
	}
	return -ENOENT;
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status,
			 struct addrinfo *list)
{
	struct laya_nat64_query *query = lookup->data;
	struct laya_nat64_prefix prefix = { 0 };
	int error;

	switch (status) {
	case 0:
		error = find_in_list(list, &prefix);
		break;
	case UV_EAI_NONAME:
	case UV_EAI_NODATA:
	case UV_EAI_ADDRFAMILY:
		error = -ENOENT;
		break;
	case UV_ECANCELED:
	case UV_EAI_CANCELED:
		error = -ECANCELED;
		break;
	case UV_EAI_MEMORY:
		error = -ENOMEM;
		break;
	default:
		error = -EAGAIN;
		break;
	}
	uv_freeaddrinfo(list);
	query->done(query, error, &prefix, query->data);
}

/**
 * laya_nat64_discover() - ask for the prefix of this network
 * @query: the question, with its done() and data
 * @loop: the loop
 *
 * Return: 0, or an error, and done() is not called.
 */
int laya_nat64_discover(struct laya_nat64_query *query, uv_loop_t *loop)
{
	const struct addrinfo hints = {
		.ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
	};

	query->lookup.data = query;
	return uv_getaddrinfo(loop, &query->lookup, on_looked_up,
			      LAYA_NAT64_NAME, NULL, &hints);
}

/**
 * laya_nat64_cancel() - do not wait for the answer
 * @query: the question; done() is still called, perhaps with -ECANCELED
 */
void laya_nat64_cancel(struct laya_nat64_query *query)
{
	uv_cancel((uv_req_t *)&query->lookup);
}
