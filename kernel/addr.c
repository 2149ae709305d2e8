// SPDX-License-Identifier: GPL-2.0
/* Keys, and their addresses: ORCHIDv2 (RFC 7343). */

#include <crypto/sha2.h>
#include <linux/string.h>

#include "addr.h"

#define LAYA_ORCHID_HASH_BYTES	12	/* Encode_96: the middle of the digest */
#define LAYA_ORCHID_HASH_OFFSET	((SHA256_DIGEST_SIZE - LAYA_ORCHID_HASH_BYTES) / 2)
#define LAYA_CONTEXT_SIZE	16

/* 2001:20::/28, and 5 for SHA-256 in the four bits of the OGA id */
static const u8 laya_orchid_prefix[] = { 0x20, 0x01, 0x00, 0x25 };

/* Never to change: every address depends on it. */
static const u8 laya_orchid_context[LAYA_CONTEXT_SIZE] = {
	'L',  'a',  'y',  'a',  0x9e, 0x1d, 0x53, 0xb7,
	0x20, 0xc4, 0x8f, 0x6a, 0x31, 0xe5, 0x7b, 0x0d,
};

/*
 * u coordinates of order 1, 2, 4 and 8 on Curve25519 and its twist, other than 0
 * and 1 and p - 1, which a rule finds. Any others in circulation are these
 * plus p: not canonical. (RFC 7748, 6.1)
 */
static const u8 laya_order_eight[][LAYA_KEY_SIZE] = {
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
	  0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
	  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24,
	  0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
	  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
	  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
};

/**
 * laya_addr_orchid() - the IPv6 address of a public key
 * @orchid: Where to put it.
 * @key: LAYA_KEY_SIZE bytes.
 *
 * RFC 7343, section 2, with SHA-256.
 */
void laya_addr_orchid(struct in6_addr *orchid, const u8 *key)
{
	u8 input[LAYA_CONTEXT_SIZE + LAYA_KEY_SIZE];
	u8 digest[SHA256_DIGEST_SIZE];

	memcpy(input, laya_orchid_context, LAYA_CONTEXT_SIZE);
	memcpy(input + LAYA_CONTEXT_SIZE, key, LAYA_KEY_SIZE);
	sha256(input, sizeof(input), digest);

	memcpy(orchid->s6_addr, laya_orchid_prefix, sizeof(laya_orchid_prefix));
	memcpy(orchid->s6_addr + sizeof(laya_orchid_prefix),
	       digest + LAYA_ORCHID_HASH_OFFSET, LAYA_ORCHID_HASH_BYTES);
}

/**
 * laya_addr_key_zero() - tell whether a key is all zero: not set
 * @key: LAYA_KEY_SIZE bytes.
 *
 * Return: true when it is.
 */
bool laya_addr_key_zero(const u8 *key)
{
	return !memchr_inv(key, 0, LAYA_KEY_SIZE);
}

/**
 * laya_addr_key_valid() - tell whether a public key may name a node
 * @key: LAYA_KEY_SIZE bytes, little endian as in RFC 7748.
 *
 * A key with two spellings would be two peers with one secret, and a key of low
 * order has a secret that everybody knows.
 *
 * Return: false when @key is not below 2^255 - 19, or has low order.
 */
bool laya_addr_key_valid(const u8 *key)
{
	unsigned int i;

	/* 0 and 1 */
	if (key[0] <= 1 && !memchr_inv(key + 1, 0, LAYA_KEY_SIZE - 1))
		return false;
	/* the top bit, p - 1, p and the 18 above it */
	if (key[31] & 0x80)
		return false;
	if (key[31] == 0x7f && key[0] >= 0xec &&
	    !memchr_inv(key + 1, 0xff, LAYA_KEY_SIZE - 2))
		return false;
	for (i = 0; i < ARRAY_SIZE(laya_order_eight); i++)
		if (!memcmp(key, laya_order_eight[i], LAYA_KEY_SIZE))
			return false;
	return true;
}

/**
 * laya_addr_check() - check the form of a name from userspace
 * @addr: The name.
 * @len: Its length as the caller says.
 *
 * Return: 0, -EINVAL when it is too short, -EAFNOSUPPORT for another family.
 */
int laya_addr_check(const struct sockaddr_laya *addr, int len)
{
	if (len < (int)sizeof(addr->slaya_family))
		return -EINVAL;
	if (addr->slaya_family != AF_LAYA)
		return -EAFNOSUPPORT;
	if (len < (int)sizeof(*addr))
		return -EINVAL;
	return 0;
}

/**
 * laya_addr_name() - write the name of a socket
 * @name: Where to.
 * @key: Of the node, or NULL while there is none.
 * @port: In network byte order.
 * @scope_id: Index of the device, 0 while there is none.
 *
 * Return: the length of the name.
 */
int laya_addr_name(struct sockaddr_laya *name, const u8 *key, __be16 port,
		   u32 scope_id)
{
	memset(name, 0, sizeof(*name));
	name->slaya_family = AF_LAYA;
	name->slaya_port = port;
	name->slaya_scope_id = scope_id;
	if (key)
		memcpy(name->slaya_key, key, LAYA_KEY_SIZE);
	return sizeof(*name);
}
