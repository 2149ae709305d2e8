// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "limit.h"

/**
 * bucket_take() - use some of a limit
 * @bucket: what is left of it
 * @rate: the limit
 * @now: milliseconds, of a clock that does not go back
 * @amount: how much
 *
 * Return: true; false, and nothing is used, if there is not enough left.
 */
bool bucket_take(struct bucket *bucket, const struct rate *rate, uint64_t now,
		 uint32_t amount)
{
	uint64_t elapsed = now - bucket->last;
	uint64_t back;

	/* thousandths a millisecond are units a second; mind the overflow */
	if (elapsed > 1000ull * rate->burst)
		elapsed = 1000ull * rate->burst;
	back = elapsed * rate->per_second;
	bucket->used = bucket->used > back ? bucket->used - back : 0;
	bucket->last = now;
	if (bucket->used + 1000ull * amount > 1000ull * rate->burst)
		return false;
	bucket->used += 1000ull * amount;
	return true;
}

/* A subscriber has a /64 of IPv6 at least, so that counts as one. */
static void make_prefix(uint8_t prefix[9], const struct laya_address *address)
{
	memset(prefix, 0, 9);
	prefix[0] = address->family == AF_INET6 ? 6 : 4;
	memcpy(prefix + 1, address->addr, address->family == AF_INET6 ? 8 : 4);
}

static struct source_chain *chain_of(struct sources *sources,
				     const uint8_t prefix[9])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, prefix, 9, sources->hash_key);
	memcpy(&index, hash, sizeof(index));
	return &sources->chains[index & sources->mask];
}

/**
 * sources_init() - remember nothing yet
 * @sources: the sources
 * @max: how many to remember at most
 *
 * Return: 0 or -ENOMEM.
 */
int sources_init(struct sources *sources, size_t max)
{
	size_t size = 16;

	memset(sources, 0, sizeof(*sources));
	while (size < max)
		size *= 2;
	sources->chains = calloc(size, sizeof(*sources->chains));
	if (!sources->chains)
		return -ENOMEM;
	sources->mask = size - 1;
	sources->max = max;
	randombytes_buf(sources->hash_key, sizeof(sources->hash_key));
	TAILQ_INIT(&sources->idle);
	return 0;
}

static void forget(struct sources *sources, struct source *source)
{
	TAILQ_REMOVE(&sources->idle, source, idle);
	LIST_REMOVE(source, chain);
	free(source);
	sources->n--;
}

/**
 * sources_free() - forget all; no connection may be left
 * @sources: the sources
 */
void sources_free(struct sources *sources)
{
	while (!TAILQ_EMPTY(&sources->idle))
		forget(sources, TAILQ_FIRST(&sources->idle));
	free(sources->chains);
	sources->chains = NULL;
}

/**
 * sources_connect() - count a connection that came in
 * @sources: the sources
 * @address: from where
 * @rate: limit for new connections of a source
 * @max_connections: limit for connections of a source at one time
 * @now: milliseconds
 *
 * Return: the source, for sources_disconnect(); NULL if it has too many, or if
 * there are too many sources.
 */
struct source *sources_connect(struct sources *sources,
			       const struct laya_address *address,
			       const struct rate *rate,
			       unsigned int max_connections, uint64_t now)
{
	struct source_chain *chain;
	struct source *source;
	uint8_t prefix[9];

	make_prefix(prefix, address);
	chain = chain_of(sources, prefix);
	LIST_FOREACH(source, chain, chain) {
		if (memcmp(source->prefix, prefix, sizeof(prefix)) == 0)
			break;
	}
	if (!source) {
		if (sources->n >= sources->max) {
			if (TAILQ_EMPTY(&sources->idle))
				return NULL;
			forget(sources, TAILQ_FIRST(&sources->idle));
		}
		source = calloc(1, sizeof(*source));
		if (!source)
			return NULL;
		memcpy(source->prefix, prefix, sizeof(prefix));
		LIST_INSERT_HEAD(chain, source, chain);
		TAILQ_INSERT_TAIL(&sources->idle, source, idle);
		sources->n++;
	}
	if (source->connections >= max_connections ||
	    !bucket_take(&source->arrivals, rate, now, 1))
		return NULL;
	if (source->connections++ == 0)
		TAILQ_REMOVE(&sources->idle, source, idle);
	return source;
}

/**
 * sources_disconnect() - a connection of a source is gone
 * @sources: the sources
 * @source: the source
 */
void sources_disconnect(struct sources *sources, struct source *source)
{
	/* Its bucket is remembered, or reconnecting would empty it. */
	if (--source->connections == 0)
		TAILQ_INSERT_TAIL(&sources->idle, source, idle);
}
