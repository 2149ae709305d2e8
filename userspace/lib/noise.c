// SPDX-License-Identifier: GPL-2.0
/*
 * Section numbers are those of the Noise Protocol Framework, revision 34,
 * https://noiseprotocol.org/noise.html.
 */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "noise.h"

#define MAX_TOKENS	4
#define NONCE_SIZE	crypto_aead_chacha20poly1305_ietf_NPUBBYTES

_Static_assert(crypto_auth_hmacsha256_KEYBYTES == LAYA_NOISE_HASH_SIZE,
	       "a chaining key is used as an HMAC key as it is");
_Static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == LAYA_KEY_SIZE,
	       "every key has one size");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES ==
	       LAYA_NOISE_TAG_SIZE, "the tag of Poly1305");

enum token {
	TOKEN_END,
	TOKEN_E,
	TOKEN_S,
	TOKEN_EE,
	TOKEN_ES,
	TOKEN_SE,
	TOKEN_SS,
	TOKEN_PSK,
};

/*
 * Both patterns start with "<- s", and in each of them a Diffie-Hellman comes
 * before the first thing to encrypt.  So there is neither another pre-message
 * nor a message in clear below.
 */
struct pattern {
	const char *name;
	bool psk;
	unsigned int messages;
	enum token tokens[3][MAX_TOKENS + 1];
};

static const struct pattern patterns[] = {
	[LAYA_NOISE_XK] = {
		.name = "Noise_XK_25519_ChaChaPoly_SHA256",
		.messages = 3,
		.tokens = {
			{ TOKEN_E, TOKEN_ES },
			{ TOKEN_E, TOKEN_EE },
			{ TOKEN_S, TOKEN_SE },
		},
	},
	[LAYA_NOISE_IK_PSK2] = {
		.name = "Noise_IKpsk2_25519_ChaChaPoly_SHA256",
		.psk = true,
		.messages = 2,
		.tokens = {
			{ TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS },
			{ TOKEN_E, TOKEN_EE, TOKEN_SE, TOKEN_PSK },
		},
	},
};

/* 12.3: 32 bits of zero, then the counter, little endian */
static void make_nonce(uint8_t nonce[NONCE_SIZE], uint64_t n)
{
	size_t i;

	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = n >> (8 * i);
}

static void seal(const uint8_t key[LAYA_KEY_SIZE], uint64_t n, const void *ad,
		 size_t ad_len, const void *in, size_t len, uint8_t *out)
{
	uint8_t nonce[NONCE_SIZE];

	make_nonce(nonce, n);
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, len, ad,
						  ad_len, NULL, nonce, key);
}

static int unseal(const uint8_t key[LAYA_KEY_SIZE], uint64_t n, const void *ad,
		  size_t ad_len, const uint8_t *in, size_t len, void *out)
{
	uint8_t nonce[NONCE_SIZE];

	make_nonce(nonce, n);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len,
						      ad, ad_len, nonce, key))
		return -EBADMSG;
	return 0;
}

/* 4.3: HKDF, of which out3 may be NULL */
static void hkdf(const uint8_t ck[LAYA_NOISE_HASH_SIZE], const uint8_t *ikm,
		 size_t ikm_len, uint8_t out1[LAYA_NOISE_HASH_SIZE],
		 uint8_t out2[LAYA_NOISE_HASH_SIZE], uint8_t *out3)
{
	uint8_t input[LAYA_NOISE_HASH_SIZE + 1];
	uint8_t temp[LAYA_NOISE_HASH_SIZE];
	const uint8_t one = 1;

	crypto_auth_hmacsha256(temp, ikm, ikm_len, ck);

	crypto_auth_hmacsha256(out1, &one, 1, temp);
	memcpy(input, out1, LAYA_NOISE_HASH_SIZE);
	input[LAYA_NOISE_HASH_SIZE] = 2;
	crypto_auth_hmacsha256(out2, input, sizeof(input), temp);
	if (out3) {
		memcpy(input, out2, LAYA_NOISE_HASH_SIZE);
		input[LAYA_NOISE_HASH_SIZE] = 3;
		crypto_auth_hmacsha256(out3, input, sizeof(input), temp);
	}

	sodium_memzero(input, sizeof(input));
	sodium_memzero(temp, sizeof(temp));
}

/* 5.2: the symmetric state */

static void mix_hash(struct laya_noise *hs, const void *data, size_t len)
{
	crypto_hash_sha256_state hash;

	crypto_hash_sha256_init(&hash);
	crypto_hash_sha256_update(&hash, hs->h, LAYA_NOISE_HASH_SIZE);
	if (len)
		crypto_hash_sha256_update(&hash, data, len);
	crypto_hash_sha256_final(&hash, hs->h);
}

static void mix_key(struct laya_noise *hs, const uint8_t ikm[LAYA_KEY_SIZE])
{
	hkdf(hs->ck, ikm, LAYA_KEY_SIZE, hs->ck, hs->k, NULL);
	hs->n = 0;
}

static void mix_key_and_hash(struct laya_noise *hs,
			     const uint8_t ikm[LAYA_KEY_SIZE])
{
	uint8_t temp[LAYA_NOISE_HASH_SIZE];

	hkdf(hs->ck, ikm, LAYA_KEY_SIZE, hs->ck, temp, hs->k);
	mix_hash(hs, temp, sizeof(temp));
	hs->n = 0;
	sodium_memzero(temp, sizeof(temp));
}

static void encrypt_and_hash(struct laya_noise *hs, const void *in, size_t len,
			     uint8_t *out)
{
	seal(hs->k, hs->n++, hs->h, LAYA_NOISE_HASH_SIZE, in, len, out);
	mix_hash(hs, out, len + LAYA_NOISE_TAG_SIZE);
}

static int decrypt_and_hash(struct laya_noise *hs, const uint8_t *in,
			    size_t len, void *out)
{
	int err;

	err = unseal(hs->k, hs->n++, hs->h, LAYA_NOISE_HASH_SIZE, in, len, out);
	if (!err)
		mix_hash(hs, in, len);
	return err;
}

/* 5.3: the handshake state */

static const enum token *next_tokens(const struct laya_noise *hs)
{
	return patterns[hs->pattern].tokens[hs->message];
}

static bool next_wants_psk(const struct laya_noise *hs)
{
	const enum token *t;

	for (t = next_tokens(hs); *t != TOKEN_END; t++)
		if (*t == TOKEN_PSK)
			return true;
	return false;
}

static int mix_dh(struct laya_noise *hs, enum token token)
{
	const uint8_t *private_key;
	const uint8_t *public_key;
	uint8_t secret[LAYA_KEY_SIZE];
	bool static_here;
	bool static_there;
	int err;

	/* The first letter is the initiator's key. */
	static_here = token == TOKEN_SS ||
		      token == (hs->initiator ? TOKEN_SE : TOKEN_ES);
	static_there = token == TOKEN_SS ||
		       token == (hs->initiator ? TOKEN_ES : TOKEN_SE);
	private_key = static_here ? hs->s : hs->e;
	public_key = static_there ? hs->rs : hs->re;

	err = laya_key_shared(secret, private_key, public_key);
	if (!err)
		mix_key(hs, secret);
	sodium_memzero(secret, sizeof(secret));
	return err;
}

/* 9.2: with a PSK in the pattern, an ephemeral key is mixed in twice. */
static void mix_ephemeral(struct laya_noise *hs,
			  const uint8_t public_key[LAYA_KEY_SIZE])
{
	mix_hash(hs, public_key, LAYA_KEY_SIZE);
	if (patterns[hs->pattern].psk)
		mix_key(hs, public_key);
}

static int make_ephemeral(struct laya_noise *hs)
{
	int err;

	if (!hs->have_ephemeral) {
		err = laya_key_generate(hs->e);
		if (err)
			return err;
		hs->have_ephemeral = true;
	}
	return laya_key_public(hs->e_public, hs->e);
}

static int write_token(struct laya_noise *hs, enum token token, uint8_t **out)
{
	int err;

	switch (token) {
	case TOKEN_E:
		err = make_ephemeral(hs);
		if (err)
			return err;
		memcpy(*out, hs->e_public, LAYA_KEY_SIZE);
		*out += LAYA_KEY_SIZE;
		mix_ephemeral(hs, hs->e_public);
		return 0;
	case TOKEN_S:
		encrypt_and_hash(hs, hs->s_public, LAYA_KEY_SIZE, *out);
		*out += LAYA_KEY_SIZE + LAYA_NOISE_TAG_SIZE;
		return 0;
	case TOKEN_PSK:
		mix_key_and_hash(hs, hs->psk);
		return 0;
	default:
		return mix_dh(hs, token);
	}
}

/* The caller has seen to it that all of the tokens fit. */
static int read_token(struct laya_noise *hs, enum token token,
		      const uint8_t **in)
{
	int err;

	switch (token) {
	case TOKEN_E:
		memcpy(hs->re, *in, LAYA_KEY_SIZE);
		*in += LAYA_KEY_SIZE;
		if (!laya_key_valid(hs->re))
			return -EINVAL;
		mix_ephemeral(hs, hs->re);
		return 0;
	case TOKEN_S:
		err = decrypt_and_hash(hs, *in,
				       LAYA_KEY_SIZE + LAYA_NOISE_TAG_SIZE,
				       hs->rs);
		if (err)
			return err;
		*in += LAYA_KEY_SIZE + LAYA_NOISE_TAG_SIZE;
		if (!laya_key_valid(hs->rs))
			return -EINVAL;
		hs->have_remote_static = true;
		return 0;
	case TOKEN_PSK:
		mix_key_and_hash(hs, hs->psk);
		return 0;
	default:
		return mix_dh(hs, token);
	}
}

/* All that is needed from here on is the chaining key. */
static void finish_message(struct laya_noise *hs)
{
	if (++hs->message < patterns[hs->pattern].messages)
		return;

	hs->status = LAYA_NOISE_COMPLETE;
	sodium_memzero(hs->s, sizeof(hs->s));
	sodium_memzero(hs->e, sizeof(hs->e));
	sodium_memzero(hs->psk, sizeof(hs->psk));
	sodium_memzero(hs->k, sizeof(hs->k));
}

/* 5.2: a name longer than a hash is hashed, a shorter one padded with zero. */
static void init_hash(struct laya_noise *hs, const char *name)
{
	size_t len = strlen(name);

	memset(hs->h, 0, sizeof(hs->h));
	if (len <= sizeof(hs->h))
		memcpy(hs->h, name, len);
	else
		crypto_hash_sha256(hs->h, (const uint8_t *)name, len);
	memcpy(hs->ck, hs->h, sizeof(hs->ck));
}

/**
 * laya_noise_init() - start a handshake
 * @hs: the handshake; what was in it is overwritten, not wiped
 * @pattern: which handshake
 * @initiator: whether we write the first message
 * @prologue: what both sides must agree on already, or NULL
 * @prologue_len: its length
 * @static_private: our static private key
 * @remote_static: their static public key; the initiator has to know it, the
 *	responder learns it and gives NULL
 * @psk: pre-shared key of LAYA_NOISE_IK_PSK2; NULL to give it later with
 *	laya_noise_set_psk(), and for LAYA_NOISE_XK
 *
 * Return: 0, or -EINVAL if a key is missing, out of place or not valid, or
 * -EIO if libsodium cannot start.  After an error @hs is dead.
 */
int laya_noise_init(struct laya_noise *hs, enum laya_noise_pattern pattern,
		    bool initiator, const void *prologue, size_t prologue_len,
		    const uint8_t static_private[LAYA_KEY_SIZE],
		    const uint8_t *remote_static, const uint8_t *psk)
{
	const struct pattern *p;

	memset(hs, 0, sizeof(*hs));
	if (sodium_init() < 0)
		return -EIO;
	if (pattern != LAYA_NOISE_XK && pattern != LAYA_NOISE_IK_PSK2)
		return -EINVAL;
	p = &patterns[pattern];
	if (initiator != !!remote_static || (psk && !p->psk))
		return -EINVAL;
	if (remote_static && !laya_key_valid(remote_static))
		return -EINVAL;
	if (laya_key_public(hs->s_public, static_private))
		return -EINVAL;

	hs->pattern = pattern;
	hs->initiator = initiator;
	memcpy(hs->s, static_private, LAYA_KEY_SIZE);
	if (remote_static) {
		memcpy(hs->rs, remote_static, LAYA_KEY_SIZE);
		hs->have_remote_static = true;
	}
	if (psk) {
		memcpy(hs->psk, psk, LAYA_KEY_SIZE);
		hs->have_psk = true;
	}

	init_hash(hs, p->name);
	mix_hash(hs, prologue, prologue_len);
	mix_hash(hs, initiator ? hs->rs : hs->s_public, LAYA_KEY_SIZE);
	hs->status = LAYA_NOISE_RUNNING;
	return 0;
}

/**
 * laya_noise_set_psk() - give the pre-shared key, or another one
 * @hs: the handshake
 * @psk: the key; without a secret to share, both sides give 32 bytes of zero
 *
 * The PSK is mixed in at the end of message 2, so that a responder can first
 * read message 1, ask laya_noise_remote_static() who is there, and look up
 * the PSK that belongs to them.
 *
 * Return: 0, or -EPROTO if the pattern has no PSK, or if it is too late.
 */
int laya_noise_set_psk(struct laya_noise *hs, const uint8_t psk[LAYA_KEY_SIZE])
{
	if (hs->status != LAYA_NOISE_RUNNING || !patterns[hs->pattern].psk)
		return -EPROTO;
	memcpy(hs->psk, psk, LAYA_KEY_SIZE);
	hs->have_psk = true;
	return 0;
}

/**
 * laya_noise_fix_ephemeral() - choose the ephemeral key; for tests only
 * @hs: the handshake
 * @private_key: the ephemeral private key
 *
 * Test vectors need this.  Anything else that calls it loses the secrecy of
 * the whole handshake.
 *
 * Return: 0, or -EPROTO if there is an ephemeral key already, or -EINVAL if
 * @private_key is all zero.
 */
int laya_noise_fix_ephemeral(struct laya_noise *hs,
			     const uint8_t private_key[LAYA_KEY_SIZE])
{
	if (hs->status != LAYA_NOISE_RUNNING || hs->have_ephemeral)
		return -EPROTO;
	if (laya_key_is_zero(private_key))
		return -EINVAL;
	memcpy(hs->e, private_key, LAYA_KEY_SIZE);
	hs->have_ephemeral = true;
	return 0;
}

/**
 * laya_noise_my_turn() - tell whose message is next
 * @hs: the handshake
 *
 * Return: true if the handshake goes on, and we have to write; false if they
 * have to, and when there is no next message.
 */
bool laya_noise_my_turn(const struct laya_noise *hs)
{
	/* The initiator has the even ones. */
	return hs->status == LAYA_NOISE_RUNNING &&
	       hs->initiator == (hs->message % 2 == 0);
}

/**
 * laya_noise_overhead() - tell what the next message adds to its payload
 * @hs: the handshake
 *
 * Return: number of bytes, or 0 if there is no next message.
 */
size_t laya_noise_overhead(const struct laya_noise *hs)
{
	const enum token *t;
	size_t len = LAYA_NOISE_TAG_SIZE;

	if (hs->status != LAYA_NOISE_RUNNING)
		return 0;
	for (t = next_tokens(hs); *t != TOKEN_END; t++) {
		if (*t == TOKEN_E)
			len += LAYA_KEY_SIZE;
		else if (*t == TOKEN_S)
			len += LAYA_KEY_SIZE + LAYA_NOISE_TAG_SIZE;
	}
	return len;
}

/**
 * laya_noise_write_message() - write the next message of a handshake
 * @hs: the handshake
 * @payload: what to send along, or NULL
 * @len: length of @payload
 * @out: where to put the message; must not overlap @payload
 * @cap: size of @out
 * @out_len: where to put the length of the message, that is @len and
 *	laya_noise_overhead()
 *
 * Return: 0, or an error as described in noise.h.
 */
int laya_noise_write_message(struct laya_noise *hs, const void *payload,
			     size_t len, uint8_t *out, size_t cap,
			     size_t *out_len)
{
	const size_t overhead = laya_noise_overhead(hs);
	const enum token *t;
	uint8_t *pos = out;
	int err;

	if (!laya_noise_my_turn(hs))
		return -EPROTO;
	if (len > LAYA_NOISE_MAX_MESSAGE - overhead || cap < len + overhead)
		return -EMSGSIZE;
	if (next_wants_psk(hs) && !hs->have_psk)
		return -ENOKEY;

	for (t = next_tokens(hs); *t != TOKEN_END; t++) {
		err = write_token(hs, *t, &pos);
		if (err)
			goto err_kill;
	}
	encrypt_and_hash(hs, payload, len, pos);
	*out_len = len + overhead;
	finish_message(hs);
	return 0;

err_kill:
	laya_noise_wipe(hs);
	return err;
}

/**
 * laya_noise_read_message() - read the next message of a handshake
 * @hs: the handshake
 * @in: the message
 * @len: its length
 * @payload: where to put what was sent along, or NULL if @cap is 0; must not
 *	overlap @in
 * @cap: size of @payload
 * @payload_len: where to put the length of the payload, that is @len less
 *	laya_noise_overhead()
 *
 * A message that is not authentic kills the handshake, on either side; see
 * noise.h for how to survive one.  Nothing of its payload is given out.
 *
 * Return: 0, or an error as described in noise.h.
 */
int laya_noise_read_message(struct laya_noise *hs, const uint8_t *in,
			    size_t len, void *payload, size_t cap,
			    size_t *payload_len)
{
	const size_t overhead = laya_noise_overhead(hs);
	const uint8_t *pos = in;
	const enum token *t;
	int err;

	if (hs->status != LAYA_NOISE_RUNNING || laya_noise_my_turn(hs))
		return -EPROTO;
	if (len > LAYA_NOISE_MAX_MESSAGE)
		return -EMSGSIZE;
	if (next_wants_psk(hs) && !hs->have_psk)
		return -ENOKEY;
	if (len < overhead) {
		err = -EBADMSG;
		goto err_kill;
	}
	if (cap < len - overhead)
		return -EMSGSIZE;

	for (t = next_tokens(hs); *t != TOKEN_END; t++) {
		err = read_token(hs, *t, &pos);
		if (err)
			goto err_kill;
	}
	err = decrypt_and_hash(hs, pos, len - (pos - in), payload);
	if (err)
		goto err_kill;
	*payload_len = len - overhead;
	finish_message(hs);
	return 0;

err_kill:
	laya_noise_wipe(hs);
	return err;
}

/**
 * laya_noise_complete() - tell whether all messages of a handshake passed
 * @hs: the handshake
 *
 * Return: true if they did, before the split and after it.
 */
bool laya_noise_complete(const struct laya_noise *hs)
{
	return hs->status == LAYA_NOISE_COMPLETE ||
	       hs->status == LAYA_NOISE_SPLIT;
}

/**
 * laya_noise_remote_static() - tell who is on the other side
 * @hs: the handshake
 * @key: where to put their static public key
 *
 * For the responder the first message of LAYA_NOISE_IK_PSK2 can be a replay:
 * that they are there *now* is only known from what comes after message 2.
 *
 * Return: 0, or -ENODATA if it is not known yet or the handshake is dead.
 */
int laya_noise_remote_static(const struct laya_noise *hs,
			     uint8_t key[LAYA_KEY_SIZE])
{
	if (!hs->have_remote_static)
		return -ENODATA;
	memcpy(key, hs->rs, LAYA_KEY_SIZE);
	return 0;
}

/**
 * laya_noise_handshake_hash() - get the name of this very handshake
 * @hs: the handshake
 * @hash: where to put the hash, which both sides share and nobody can force;
 *	it is not a secret
 *
 * Return: 0, or -ENODATA unless laya_noise_complete().
 */
int laya_noise_handshake_hash(const struct laya_noise *hs,
			      uint8_t hash[LAYA_NOISE_HASH_SIZE])
{
	if (!laya_noise_complete(hs))
		return -ENODATA;
	memcpy(hash, hs->h, LAYA_NOISE_HASH_SIZE);
	return 0;
}

/**
 * laya_noise_split() - end a handshake with two keys
 * @hs: the handshake; the secrets in it are wiped, the hash and the remote
 *	static key stay
 * @send_key: where to put the key that we send with
 * @receive_key: where to put the key that they send with
 *
 * Return: 0, or -EPROTO if the handshake is not complete, or was split before.
 */
int laya_noise_split(struct laya_noise *hs, uint8_t send_key[LAYA_KEY_SIZE],
		     uint8_t receive_key[LAYA_KEY_SIZE])
{
	if (hs->status != LAYA_NOISE_COMPLETE)
		return -EPROTO;

	/* 5.2: the first of the two is the initiator's to send with. */
	hkdf(hs->ck, NULL, 0, hs->initiator ? send_key : receive_key,
	     hs->initiator ? receive_key : send_key, NULL);
	sodium_memzero(hs->ck, sizeof(hs->ck));
	hs->status = LAYA_NOISE_SPLIT;
	return 0;
}

/**
 * laya_noise_wipe() - forget a handshake
 * @hs: the handshake, dead afterwards
 */
void laya_noise_wipe(struct laya_noise *hs)
{
	sodium_memzero(hs, sizeof(*hs));
}

/**
 * laya_noise_cipher_init() - start one direction of a transport
 * @cipher: the direction
 * @key: one of the keys of laya_noise_split(), for no other use
 */
void laya_noise_cipher_init(struct laya_noise_cipher *cipher,
			    const uint8_t key[LAYA_KEY_SIZE])
{
	memset(cipher, 0, sizeof(*cipher));
	memcpy(cipher->key, key, LAYA_KEY_SIZE);
	cipher->have_key = true;
}

/* 5.1: the last nonce is set apart, and there is no way back to the first. */
static int check_cipher(const struct laya_noise_cipher *cipher)
{
	if (!cipher->have_key)
		return -ENOKEY;
	if (cipher->nonce == UINT64_MAX)
		return -EKEYEXPIRED;
	return 0;
}

/**
 * laya_noise_cipher_encrypt() - encrypt the next message of a transport
 * @cipher: the direction
 * @ad: additional data to authenticate, or NULL
 * @ad_len: length of @ad
 * @in: what to encrypt, or NULL if @len is 0
 * @len: length of @in
 * @out: where to put the message; may be @in, must not overlap it otherwise
 * @cap: size of @out
 * @out_len: where to put the length of the message, @len and
 *	LAYA_NOISE_TAG_SIZE
 *
 * Return: 0, or -EMSGSIZE if the message does not fit @out or is longer than
 * LAYA_NOISE_MAX_MESSAGE, or -EKEYEXPIRED if all nonces are used, or -ENOKEY
 * if @cipher was wiped.
 */
int laya_noise_cipher_encrypt(struct laya_noise_cipher *cipher, const void *ad,
			      size_t ad_len, const void *in, size_t len,
			      uint8_t *out, size_t cap, size_t *out_len)
{
	int err = check_cipher(cipher);

	if (err)
		return err;
	if (len > LAYA_NOISE_MAX_MESSAGE - LAYA_NOISE_TAG_SIZE ||
	    cap < len + LAYA_NOISE_TAG_SIZE)
		return -EMSGSIZE;

	seal(cipher->key, cipher->nonce++, ad, ad_len, in, len, out);
	*out_len = len + LAYA_NOISE_TAG_SIZE;
	return 0;
}

/**
 * laya_noise_cipher_decrypt() - decrypt the next message of a transport
 * @cipher: the direction
 * @ad: additional data to authenticate, or NULL
 * @ad_len: length of @ad
 * @in: the message
 * @len: its length
 * @out: where to put what is in it, or NULL if @cap is 0; may be @in, must not
 *	overlap it otherwise
 * @cap: size of @out
 * @out_len: where to put the length of what is in it
 *
 * The nonce is only used up by an authentic message.
 *
 * Return: 0, or -EBADMSG if the message is not the next one that the other
 * side encrypted, or -EMSGSIZE if its content does not fit @out or it is
 * longer than LAYA_NOISE_MAX_MESSAGE, or -EKEYEXPIRED if all nonces are used,
 * or -ENOKEY if @cipher was wiped.
 */
int laya_noise_cipher_decrypt(struct laya_noise_cipher *cipher, const void *ad,
			      size_t ad_len, const uint8_t *in, size_t len,
			      void *out, size_t cap, size_t *out_len)
{
	int err = check_cipher(cipher);

	if (err)
		return err;
	if (len > LAYA_NOISE_MAX_MESSAGE)
		return -EMSGSIZE;
	if (len < LAYA_NOISE_TAG_SIZE)
		return -EBADMSG;
	if (cap < len - LAYA_NOISE_TAG_SIZE)
		return -EMSGSIZE;

	err = unseal(cipher->key, cipher->nonce, ad, ad_len, in, len, out);
	if (err)
		return err;
	cipher->nonce++;
	*out_len = len - LAYA_NOISE_TAG_SIZE;
	return 0;
}

/**
 * laya_noise_cipher_wipe() - forget one direction of a transport
 * @cipher: the direction
 */
void laya_noise_cipher_wipe(struct laya_noise_cipher *cipher)
{
	sodium_memzero(cipher, sizeof(*cipher));
}
