/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which key is connected where.
 */
#ifndef RENDEZVOUS_REGISTRY_H
#define RENDEZVOUS_REGISTRY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "key.h"

struct client;

LIST_HEAD(client_chain, client);

/**
 * struct registry - a hash table of clients by key
 * @chains: the table
 * @mask: its size less one
 * @hash_key: secret of the hash, since clients choose their keys
 * @n: how many there are
 */
struct registry {
	struct client_chain *chains;
	size_t mask;
	uint8_t hash_key[16];
	size_t n;
};

int registry_init(struct registry *registry, size_t expected);
void registry_free(struct registry *registry);
struct client *registry_find(struct registry *registry,
			     const uint8_t key[LAYA_KEY_SIZE]);
void registry_add(struct registry *registry, struct client *client);
void registry_remove(struct registry *registry, struct client *client);

#endif /* RENDEZVOUS_REGISTRY_H */
