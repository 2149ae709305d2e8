/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much anybody may ask for: token buckets, and what comes from one source
 * address.
 */
#ifndef LAYA_LIMIT_H
#define LAYA_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"

/**
 * struct rate - a limit
 * @per_second: what comes back each second
 * @burst: what a full bucket holds
 */
struct rate {
	uint32_t per_second;
	uint32_t burst;
};

/**
 * struct bucket - what is left of a limit; all zero is a full one
 * @used: thousandths that are gone
 * @last: when that was true, milliseconds
 */
struct bucket {
	uint64_t used;
	uint64_t last;
};

bool bucket_take(struct bucket *bucket, const struct rate *rate, uint64_t now,
		 uint32_t amount);

/**
 * struct source - an IPv4 address or an IPv6 /64
 * @chain: others with the same hash
 * @idle: others without connections, the longest so first
 * @prefix: the address, and its family
 * @connections: how many it has
 * @relays: how many of them are relays
 * @arrivals: new connections
 */
struct source {
	LIST_ENTRY(source) chain;
	TAILQ_ENTRY(source) idle;
	uint8_t prefix[9];
	unsigned int connections;
	unsigned int relays;
	struct bucket arrivals;
};

LIST_HEAD(source_chain, source);
TAILQ_HEAD(source_queue, source);

/**
 * struct sources - all that are remembered
 * @chains: hash table
 * @mask: its size less one
 * @hash_key: secret of the hash
 * @n: how many there are
 * @max: how many there may be; those without connections go first
 * @idle: those without connections
 */
struct sources {
	struct source_chain *chains;
	size_t mask;
	uint8_t hash_key[16];
	size_t n;
	size_t max;
	struct source_queue idle;
};

int sources_init(struct sources *sources, size_t max);
void sources_free(struct sources *sources);
struct source *sources_connect(struct sources *sources,
			       const struct laya_address *address,
			       const struct rate *rate,
			       unsigned int max_connections, uint64_t now);
void sources_disconnect(struct sources *sources, struct source *source);

#endif /* LAYA_LIMIT_H */
