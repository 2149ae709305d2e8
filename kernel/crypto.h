/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_CRYPTO_H
#define _LAYA_CRYPTO_H

#include <linux/types.h>

#include "wire.h"

#define LAYA_AEAD_KEY_SIZE	32

struct crypto_aead;

/**
 * struct laya_key - one direction's AEAD key, set up
 * @cipher: enum laya_cipher.
 * @simd: AES-GCM on the CPU's instructions, synchronous; NULL when there is
 *	none. Used only while crypto_simd_usable().
 * @generic: AES-GCM anywhere, synchronous; NULL when there is @simd, since it takes
 *	several KiB.
 * @aes: AES-GCM key, as it is: for when neither can be used.
 * @chacha: ChaCha20-Poly1305 key, in the words that the library takes.
 */
struct laya_key {
	u32			cipher;
	struct crypto_aead	*simd;
	struct crypto_aead	*generic;
	union {
		u8		aes[LAYA_AEAD_KEY_SIZE];
		u32		chacha[LAYA_AEAD_KEY_SIZE / sizeof(u32)];
	};
};

/* May sleep. */
int laya_crypto_set_key(struct laya_key *key, u32 cipher, const u8 *bytes);
/* Wipes. May be called from RCU callbacks' work, not from softirq. */
void laya_crypto_clear_key(struct laya_key *key);
/*
 * Seal @len bytes at @plain to @len + LAYA_TAG_SIZE bytes at @sealed; the
 * buffers are linear (direct map) and equal or disjoint. Any context with BH
 * off or process context. 0 or negative errno.
 */
int laya_crypto_seal(struct laya_key *key, const u8 nonce[LAYA_NONCE_SIZE],
		     const u8 *plain, unsigned int len, u8 *sealed);
/* Open @len bytes, tag included; -EBADMSG when they are not authentic. */
int laya_crypto_open(struct laya_key *key, const u8 nonce[LAYA_NONCE_SIZE],
		     const u8 *sealed, unsigned int len, u8 *plain);
/* 16 zero bits, path id, counter. */
void laya_crypto_nonce(u8 nonce[LAYA_NONCE_SIZE], __be16 path_id, __be64 counter);

#endif /* _LAYA_CRYPTO_H */
