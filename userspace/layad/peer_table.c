// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "peer.h"
#include "peer_table.h"

#define MIN_CHAINS	16

static struct peer_chain *chain_of(const struct peer_table *table,
				   const uint8_t key[LAYA_KEY_SIZE])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, key, LAYA_KEY_SIZE, table->hash_key);
	memcpy(&index, hash, sizeof(index));
	return &table->chains[index & table->mask];
}

static void insert(struct peer_table *table, struct peer *peer)
{
	LIST_INSERT_HEAD(chain_of(table, peer->handshake.key), peer, chain);
}

static int grow(struct peer_table *table)
{
	size_t size = table->chains ? 2 * (table->mask + 1) : MIN_CHAINS;
	struct peer_table bigger = *table;
	struct peer *peer;
	size_t i;

	bigger.chains = calloc(size, sizeof(*bigger.chains));
	if (!bigger.chains)
		return -ENOMEM;
	bigger.mask = size - 1;
	if (!table->chains)
		randombytes_buf(bigger.hash_key, sizeof(bigger.hash_key));
	for (i = 0; table->chains && i <= table->mask; i++) {
		while ((peer = LIST_FIRST(&table->chains[i]))) {
			LIST_REMOVE(peer, chain);
			insert(&bigger, peer);
		}
	}
	free(table->chains);
	*table = bigger;
	return 0;
}

/**
 * peer_table_add() - one more peer
 * @table: the table
 * @peer: the peer; its key is not there yet, and does not change
 *
 * Return: 0 or -ENOMEM.
 */
int peer_table_add(struct peer_table *table, struct peer *peer)
{
	int ret = 0;

	if (!table->chains || table->n > table->mask)
		ret = grow(table);
	/* Without memory for a bigger one the chains get longer. */
	if (!table->chains)
		return ret;
	insert(table, peer);
	table->n++;
	return 0;
}

/**
 * peer_table_remove() - a peer less
 * @table: the table; with the last one its memory goes
 * @peer: the peer, which is there
 */
void peer_table_remove(struct peer_table *table, struct peer *peer)
{
	LIST_REMOVE(peer, chain);
	if (--table->n > 0)
		return;
	free(table->chains);
	memset(table, 0, sizeof(*table));
}

/**
 * peer_table_find() - by key
 * @table: the table
 * @key: a public key
 *
 * Return: the peer, or NULL.
 */
struct peer *peer_table_find(const struct peer_table *table,
			     const uint8_t key[LAYA_KEY_SIZE])
{
	struct peer *peer;

	if (!table->chains)
		return NULL;
	LIST_FOREACH(peer, chain_of(table, key), chain) {
		if (laya_key_equal(peer->handshake.key, key))
			return peer;
	}
	return NULL;
}
