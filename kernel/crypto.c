// SPDX-License-Identifier: GPL-2.0
/*
 * Sealing and opening, synchronously.
 *
 * AES-GCM: up to 6.15, x86 registers its fast "gcm(aes)" as asynchronous, behind
 * a wrapper that reorders packets when it falls back, and what remains after
 * masking that out is generic code. The driver below the wrapper is the internal,
 * synchronous "__gcm(aes)", which may be called only where SIMD may be used. That
 * is almost everywhere; a softirq that came in the midst of someone else's SIMD is
 * not. For that the library's AES and GF(2^128) are put together, by NIST SP
 * 800-38D: slow, and without any memory of its own, where a second key schedule
 * with its tables would take some 6 KiB for each direction of each session. Kernels
 * without the wrapper have the fast code behind the ordinary name.
 *
 * ChaCha20-Poly1305: the kernel's library takes a nonce of 64 bits, and ours has
 * the path id above them. So this puts the library's two halves together by
 * RFC 8439, section 2.8, with the 96 bits that it names.
 */

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/algapi.h>
#include <crypto/gf128mul.h>
#include <crypto/internal/simd.h>
#include <crypto/poly1305.h>
#include <asm/simd.h>
#include <linux/crypto.h>
#include <linux/kmod.h>
#include <linux/scatterlist.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "chacha.h"
#include "crypto.h"
#include "laya.h"

/* Larger requests than this are not put on the stack. */
#define LAYA_AEAD_STACK_CTX	64

/* Key stream made at once, in which the beginning of the text is sealed. */
#define LAYA_CHACHA_BEGIN	(8 * CHACHA_BLOCK_SIZE)

/* The first block of a packet's key stream, by SP 800-38D, is of counter 2. */
#define LAYA_GCM_FIRST		2

/* There is no internal driver: do not have modprobe look for it at each key. */
static bool crypto_no_simd;

static struct crypto_aead *crypto_alloc_gcm(const char *name, u32 type, u32 mask,
					    const u8 *bytes)
{
	struct crypto_aead *aead;
	int err;

	aead = crypto_alloc_aead(name, type, mask);
	if (IS_ERR(aead))
		return aead;
	err = crypto_aead_setauthsize(aead, LAYA_TAG_SIZE);
	if (!err)
		err = crypto_aead_setkey(aead, bytes, LAYA_AEAD_KEY_SIZE);
	if (err) {
		crypto_free_aead(aead);
		return ERR_PTR(err);
	}
	return aead;
}

/* The fast driver under a key; NULL when there is none, as on many CPUs. */
static struct crypto_aead *crypto_alloc_simd(const u8 *bytes)
{
	const u32 mask = CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC;
	struct crypto_aead *aead;

	if (READ_ONCE(crypto_no_simd))
		return NULL;
	aead = crypto_alloc_gcm("__gcm(aes)", CRYPTO_ALG_INTERNAL, mask, bytes);
	if (aead != ERR_PTR(-ENOENT))
		return IS_ERR(aead) ? NULL : aead;
	/*
	 * Its module is not known by that name, but as one of AES. udev loads it
	 * for the CPU's sake; where there is no udev, nobody did.
	 */
	request_module("crypto-aes");
	aead = crypto_alloc_gcm("__gcm(aes)", CRYPTO_ALG_INTERNAL, mask, bytes);
	if (aead == ERR_PTR(-ENOENT))
		WRITE_ONCE(crypto_no_simd, true);
	return IS_ERR(aead) ? NULL : aead;
}

/**
 * laya_crypto_set_key - set a key up for use
 * @key: To be filled.
 * @cipher: enum laya_cipher.
 * @bytes: LAYA_AEAD_KEY_SIZE of them.
 *
 * May sleep.
 *
 * Return: 0, -EINVAL for an unknown cipher, -ENOENT when the kernel does not have
 * it, -ENOMEM. After a failure there is nothing to clear.
 */
int laya_crypto_set_key(struct laya_key *key, u32 cipher, const u8 *bytes)
{
	unsigned int i;
	int err;

	memset(key, 0, sizeof(*key));
	switch (cipher) {
	case LAYA_CIPHER_AES_256_GCM:
		key->simd = crypto_alloc_simd(bytes);
		memcpy(key->aes, bytes, sizeof(key->aes));
		if (key->simd)
			break;
		key->generic = crypto_alloc_gcm("gcm(aes)", 0, CRYPTO_ALG_ASYNC,
						bytes);
		if (IS_ERR(key->generic)) {
			err = PTR_ERR(key->generic);
			memzero_explicit(key, sizeof(*key));
			return err;
		}
		break;
	case LAYA_CIPHER_CHACHA20_POLY1305:
		for (i = 0; i < ARRAY_SIZE(key->chacha); i++)
			key->chacha[i] = get_unaligned_le32(bytes + 4 * i);
		break;
	default:
		return -EINVAL;
	}
	key->cipher = cipher;
	return 0;
}

/**
 * laya_crypto_clear_key - wipe a key
 * @key: Set up, cleared already, or all zero.
 *
 * May sleep: the crypto layer wipes and frees its own.
 */
void laya_crypto_clear_key(struct laya_key *key)
{
	crypto_free_aead(key->simd);
	crypto_free_aead(key->generic);
	memzero_explicit(key, sizeof(*key));
}

/**
 * laya_crypto_nonce - the nonce of a packet
 * @nonce: To be filled.
 * @path_id: As on the wire.
 * @counter: As on the wire.
 */
void laya_crypto_nonce(u8 nonce[LAYA_NONCE_SIZE], __be16 path_id, __be64 counter)
{
	memset(nonce, 0, 2);
	memcpy(nonce + 2, &path_id, sizeof(path_id));
	memcpy(nonce + 4, &counter, sizeof(counter));
}

/* sg_init_one(), without calls: it is done four times for each packet. */
static __always_inline void gcm_buffer(struct scatterlist *sg, const void *at,
				       unsigned int len)
{
	*sg = (struct scatterlist){};
	sg_mark_end(sg);
	sg_set_buf(sg, at, len);
}

static __always_inline int gcm_run(struct aead_request *req, bool seal,
				   const u8 *nonce, const u8 *from,
				   unsigned int len, u8 *to, unsigned int to_len)
{
	struct scatterlist src, dst;
	u8 iv[LAYA_NONCE_SIZE];

	/* The drivers may write to what they are given. */
	memcpy(iv, nonce, sizeof(iv));
	gcm_buffer(&src, from, from == to ? max(len, to_len) : len);
	gcm_buffer(&dst, to, to_len);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, 0);
	aead_request_set_crypt(req, &src, from == to ? &src : &dst, len, iv);
	return seal ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
}

/* A driver whose state between calls is small: the request is on the stack. */
static int gcm_stack(struct crypto_aead *aead, bool seal, const u8 *nonce,
		     const u8 *from, unsigned int len, u8 *to,
		     unsigned int to_len)
{
	u8 space[sizeof(struct aead_request) + LAYA_AEAD_STACK_CTX]
		__aligned(__alignof__(struct aead_request));
	struct aead_request *req = (struct aead_request *)space;

	aead_request_set_tfm(req, aead);
	return gcm_run(req, seal, nonce, from, len, to, to_len);
}

/* Anything else; what it costs is little beside the generic code it is for. */
static noinline int gcm_heap(struct crypto_aead *aead, bool seal,
			     const u8 *nonce, const u8 *from, unsigned int len,
			     u8 *to, unsigned int to_len)
{
	struct aead_request *req;
	int err;

	req = aead_request_alloc(aead, GFP_ATOMIC);
	if (!req)
		return -ENOMEM;
	err = gcm_run(req, seal, nonce, from, len, to, to_len);
	aead_request_free(req);
	return err;
}

/**
 * struct gcm_state - a key as the library takes it, and where it stands
 * @aes: Key schedule.
 * @counter: Nonce, and in the last four bytes the number of the block.
 * @hash: Key of the hash.
 * @stream: A block of key stream.
 */
struct gcm_state {
	struct crypto_aes_ctx	aes;
	u8			counter[AES_BLOCK_SIZE];
	be128			hash;
	u8			stream[AES_BLOCK_SIZE];
};

static void gcm_block(struct gcm_state *state, u32 number)
{
	put_unaligned_be32(number, state->counter + LAYA_NONCE_SIZE);
	aes_encrypt(&state->aes, state->stream, state->counter);
}

static void gcm_text(struct gcm_state *state, const u8 *from, unsigned int len,
		     u8 *to)
{
	unsigned int at, n, number = LAYA_GCM_FIRST;

	for (at = 0; at < len; at += n) {
		n = min_t(unsigned int, len - at, AES_BLOCK_SIZE);
		gcm_block(state, number++);
		crypto_xor_cpy(to + at, from + at, state->stream, n);
	}
}

/* The tag of @len sealed bytes; there is no associated data. */
static void gcm_tag(struct gcm_state *state, const u8 *sealed, unsigned int len,
		    u8 tag[LAYA_TAG_SIZE])
{
	be128 sum = {}, lengths = { .b = cpu_to_be64(8ULL * len) };
	unsigned int at, n;

	for (at = 0; at < len; at += n) {
		n = min_t(unsigned int, len - at, AES_BLOCK_SIZE);
		crypto_xor((u8 *)&sum, sealed + at, n);
		gf128mul_lle(&sum, &state->hash);
	}
	be128_xor(&sum, &sum, &lengths);
	gf128mul_lle(&sum, &state->hash);
	gcm_block(state, LAYA_GCM_FIRST - 1);
	crypto_xor_cpy(tag, (u8 *)&sum, state->stream, LAYA_TAG_SIZE);
}

/* By the library, from the bare key; @len without the tag. */
static noinline int gcm_bare(const struct laya_key *key, bool seal,
			     const u8 *nonce, const u8 *from, unsigned int len,
			     u8 *to)
{
	struct gcm_state state = {};
	u8 tag[LAYA_TAG_SIZE];
	int err;

	err = aes_expandkey(&state.aes, key->aes, sizeof(key->aes));
	if (err)
		return err;
	aes_encrypt(&state.aes, (u8 *)&state.hash, (const u8 *)&state.hash);
	memcpy(state.counter, nonce, LAYA_NONCE_SIZE);
	if (seal) {
		gcm_text(&state, from, len, to);
		gcm_tag(&state, to, len, to + len);
	} else {
		gcm_tag(&state, from, len, tag);
		if (crypto_memneq(tag, from + len, sizeof(tag)))
			err = -EBADMSG;
		else
			gcm_text(&state, from, len, to);
	}
	memzero_explicit(&state, sizeof(state));
	memzero_explicit(tag, sizeof(tag));
	return err;
}

static int gcm(struct laya_key *key, bool seal, const u8 *nonce, const u8 *from,
	       unsigned int len, u8 *to, unsigned int to_len)
{
	struct crypto_aead *aead = key->generic;

	if (key->simd && crypto_simd_usable())
		aead = key->simd;
	if (unlikely(!aead))
		return gcm_bare(key, seal, nonce, from, seal ? len : to_len, to);
	if (crypto_aead_reqsize(aead) <= LAYA_AEAD_STACK_CTX)
		return gcm_stack(aead, seal, nonce, from, len, to, to_len);
	return gcm_heap(aead, seal, nonce, from, len, to, to_len);
}

/*
 * The key stream's beginning: the first block is the authenticator's key, the text
 * begins with the next. One block alone would be made without SIMD, and cost as
 * much as some eight with it.
 */
static unsigned int chacha_begin(const struct laya_key *key, const u8 *nonce,
				 struct chacha_state *state,
				 u8 stream[LAYA_CHACHA_BEGIN], unsigned int len)
{
	u8 iv[CHACHA_IV_SIZE] = {};
	unsigned int size = LAYA_CHACHA_BEGIN;

	if (len <= LAYA_CHACHA_BEGIN / 2 - CHACHA_BLOCK_SIZE)
		size /= 2;
	memcpy(iv + 4, nonce, LAYA_NONCE_SIZE);
	chacha_init(state, key->chacha, iv);
	memset(stream, 0, size);
	/* Whole blocks: the counter stands at the one after them */
	chacha20_crypt(state, stream, stream, size);
	return min(len, size - CHACHA_BLOCK_SIZE);
}

static void chacha_text(struct chacha_state *state, const u8 *stream,
			unsigned int begin, const u8 *from, unsigned int len,
			u8 *to)
{
	crypto_xor_cpy(to, from, stream + CHACHA_BLOCK_SIZE, begin);
	if (len > begin)
		chacha20_crypt(state, to + begin, from + begin, len - begin);
}

static void chacha_tag(const u8 *key, const u8 *sealed, unsigned int len,
		       u8 tag[LAYA_TAG_SIZE])
{
	unsigned int pad = -len & (POLY1305_BLOCK_SIZE - 1);
	u8 tail[2 * POLY1305_BLOCK_SIZE] = {};
	struct poly1305_desc_ctx poly;

	poly1305_init(&poly, key);
	poly1305_update(&poly, sealed, len);
	/* Padding; no associated data; the length */
	put_unaligned_le64(len, tail + pad + 8);
	poly1305_update(&poly, tail, pad + POLY1305_BLOCK_SIZE);
	poly1305_final(&poly, tag);
}

static void chacha_seal(const struct laya_key *key, const u8 *nonce,
			const u8 *plain, unsigned int len, u8 *sealed)
{
	u8 stream[LAYA_CHACHA_BEGIN] __aligned(8);
	struct chacha_state state;
	unsigned int begin;

	begin = chacha_begin(key, nonce, &state, stream, len);
	chacha_text(&state, stream, begin, plain, len, sealed);
	chacha_tag(stream, sealed, len, sealed + len);
	memzero_explicit(&state, sizeof(state));
	memzero_explicit(stream, sizeof(stream));
}

static int chacha_open(const struct laya_key *key, const u8 *nonce,
		       const u8 *sealed, unsigned int len, u8 *plain)
{
	u8 stream[LAYA_CHACHA_BEGIN] __aligned(8);
	struct chacha_state state;
	u8 tag[LAYA_TAG_SIZE];
	unsigned int begin;
	int err = 0;

	begin = chacha_begin(key, nonce, &state, stream, len);
	chacha_tag(stream, sealed, len, tag);
	if (crypto_memneq(tag, sealed + len, sizeof(tag)))
		err = -EBADMSG;
	else
		chacha_text(&state, stream, begin, sealed, len, plain);
	memzero_explicit(&state, sizeof(state));
	memzero_explicit(stream, sizeof(stream));
	memzero_explicit(tag, sizeof(tag));
	return err;
}

/**
 * laya_crypto_seal - encrypt and authenticate
 * @key: Set up.
 * @nonce: Never used before with @key.
 * @plain: @len bytes.
 * @len: Not 0.
 * @sealed: Room for @len + LAYA_TAG_SIZE bytes; @plain itself, or apart from it.
 *
 * Both buffers are in the direct map. Not in hard interrupts.
 *
 * Return: 0, -ENOMEM.
 */
int laya_crypto_seal(struct laya_key *key, const u8 nonce[LAYA_NONCE_SIZE],
		     const u8 *plain, unsigned int len, u8 *sealed)
{
	if (key->cipher == LAYA_CIPHER_AES_256_GCM)
		return gcm(key, true, nonce, plain, len, sealed,
			   len + LAYA_TAG_SIZE);
	chacha_seal(key, nonce, plain, len, sealed);
	return 0;
}

/**
 * laya_crypto_open - check and decrypt
 * @key: Set up.
 * @nonce: What the sender used.
 * @sealed: @len bytes, tag included.
 * @len: Length of @sealed.
 * @plain: Room for @len - LAYA_TAG_SIZE bytes; @sealed itself, or apart from it.
 *
 * Both buffers are in the direct map. Not in hard interrupts. After a failure
 * @plain may hold anything.
 *
 * Return: 0, -EBADMSG when it is not authentic, -ENOMEM.
 */
int laya_crypto_open(struct laya_key *key, const u8 nonce[LAYA_NONCE_SIZE],
		     const u8 *sealed, unsigned int len, u8 *plain)
{
	if (len < LAYA_TAG_SIZE)
		return -EBADMSG;
	if (key->cipher == LAYA_CIPHER_AES_256_GCM)
		return gcm(key, false, nonce, sealed, len, plain,
			   len - LAYA_TAG_SIZE);
	return chacha_open(key, nonce, sealed, len - LAYA_TAG_SIZE, plain);
}
