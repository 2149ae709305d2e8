// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "orchid.h"

#define PREFIX_BYTES	4	/* 28 bits of prefix, 4 of the OGA id */
#define HASH_BYTES	12	/* Encode_96 */
#define HASH_OFFSET	((crypto_hash_sha256_BYTES - HASH_BYTES) / 2)

/* Random but for the first four, and never to change. */
const uint8_t laya_orchid_context[LAYA_ORCHID_CONTEXT_SIZE] = {
	'L',  'a',  'y',  'a',  0x9e, 0x1d, 0x53, 0xb7,
	0x20, 0xc4, 0x8f, 0x6a, 0x31, 0xe5, 0x7b, 0x0d,
};

static const uint8_t prefix[PREFIX_BYTES] = {
	0x20, 0x01, 0x00, 0x20 | LAYA_ORCHID_OGA,
};

/**
 * laya_orchid_from_key() - compute the IPv6 address of a public key
 * @addr: where to put the address
 * @key: the public key
 *
 * RFC 7343 section 2, with SHA-256; Encode_96 takes the middle of the digest.
 *
 * Return: 0, or -EINVAL for a key that laya_key_valid() refuses.
 */
int laya_orchid_from_key(struct in6_addr *addr,
			 const uint8_t key[LAYA_KEY_SIZE])
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state hash;

	if (!laya_key_valid(key))
		return -EINVAL;

	crypto_hash_sha256_init(&hash);
	crypto_hash_sha256_update(&hash, laya_orchid_context,
				  sizeof(laya_orchid_context));
	crypto_hash_sha256_update(&hash, key, LAYA_KEY_SIZE);
	crypto_hash_sha256_final(&hash, digest);

	memcpy(addr->s6_addr, prefix, PREFIX_BYTES);
	memcpy(addr->s6_addr + PREFIX_BYTES, digest + HASH_OFFSET, HASH_BYTES);
	return 0;
}

/**
 * laya_orchid_is() - tell whether an address is any ORCHIDv2
 * @addr: the address
 *
 * Return: true within 2001:20::/28, whatever the 4-bit id.
 */
bool laya_orchid_is(const struct in6_addr *addr)
{
	return memcmp(addr->s6_addr, prefix, PREFIX_BYTES - 1) == 0 &&
	       (addr->s6_addr[PREFIX_BYTES - 1] & 0xf0) ==
	       (prefix[PREFIX_BYTES - 1] & 0xf0);
}

/**
 * laya_orchid_is_ours() - tell whether an address can be that of a Laya key
 * @addr: the address
 *
 * Return: true for an ORCHIDv2 with the id of Laya.
 */
bool laya_orchid_is_ours(const struct in6_addr *addr)
{
	return memcmp(addr->s6_addr, prefix, PREFIX_BYTES) == 0;
}
