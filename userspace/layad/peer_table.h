/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Peers by key: a relay has thousands of hosts.  Whoever attaches chooses its key,
 * but not the chain that it is in.
 */
#ifndef LAYAD_PEER_TABLE_H
#define LAYAD_PEER_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "key.h"

struct peer;

LIST_HEAD(peer_chain, peer);

/**
 * struct peer_table - all peers of a node; all zero is an empty one
 * @chains: hash table, with as many chains as peers or more
 * @mask: its size less one
 * @n: peers
 * @hash_key: secret of the hash
 */
struct peer_table {
	struct peer_chain *chains;
	size_t mask;
	size_t n;
	uint8_t hash_key[16];
};

int peer_table_add(struct peer_table *table, struct peer *peer);
void peer_table_remove(struct peer_table *table, struct peer *peer);
struct peer *peer_table_find(const struct peer_table *table,
			     const uint8_t key[LAYA_KEY_SIZE]);

#endif /* LAYAD_PEER_TABLE_H */
