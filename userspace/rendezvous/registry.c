// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "client.h"
#include "registry.h"

static struct client_chain *chain_of(struct registry *registry,
				     const uint8_t key[LAYA_KEY_SIZE])
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, key, LAYA_KEY_SIZE, registry->hash_key);
	memcpy(&index, hash, sizeof(index));
	return &registry->chains[index & registry->mask];
}

/**
 * registry_init() - begin with nobody
 * @registry: the registry
 * @expected: how many clients to be fast with
 *
 * Return: 0 or -ENOMEM.
 */
int registry_init(struct registry *registry, size_t expected)
{
	size_t size = 16;

	memset(registry, 0, sizeof(*registry));
	while (size < expected)
		size *= 2;
	registry->chains = calloc(size, sizeof(*registry->chains));
	if (!registry->chains)
		return -ENOMEM;
	registry->mask = size - 1;
	randombytes_buf(registry->hash_key, sizeof(registry->hash_key));
	return 0;
}

/**
 * registry_free() - end; the clients are somebody else's
 * @registry: the registry
 */
void registry_free(struct registry *registry)
{
	free(registry->chains);
	registry->chains = NULL;
}

/**
 * registry_find() - find a client
 * @registry: the registry
 * @key: its key
 *
 * Return: the client or NULL.
 */
struct client *registry_find(struct registry *registry,
			     const uint8_t key[LAYA_KEY_SIZE])
{
	struct client *client;

	LIST_FOREACH(client, chain_of(registry, key), chain) {
		if (laya_key_equal(client->key, key))
			return client;
	}
	return NULL;
}

/**
 * registry_add() - add a client, whose key is not there
 * @registry: the registry
 * @client: the client
 */
void registry_add(struct registry *registry, struct client *client)
{
	LIST_INSERT_HEAD(chain_of(registry, client->key), client, chain);
	registry->n++;
}

/**
 * registry_remove() - remove a client that was added
 * @registry: the registry
 * @client: the client
 */
void registry_remove(struct registry *registry, struct client *client)
{
	LIST_REMOVE(client, chain);
	registry->n--;
}
