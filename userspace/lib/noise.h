/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Noise Protocol Framework, revision 34: the two handshakes Laya uses.
 *
 *   LAYA_NOISE_XK        Noise_XK_25519_ChaChaPoly_SHA256
 *	to a rendezvous or a forwarder, whose key is known beforehand:
 *
 *	  <- s
 *	  ...
 *	  -> e, es		48 bytes and the payload
 *	  <- e, ee		48 bytes and the payload
 *	  -> s, se		64 bytes and the payload
 *
 *   LAYA_NOISE_IK_PSK2   Noise_IKpsk2_25519_ChaChaPoly_SHA256
 *	between peers, in one round trip:
 *
 *	  <- s
 *	  ...
 *	  -> e, es, s, ss	96 bytes and the payload
 *	  <- e, ee, se, psk	48 bytes and the payload
 *
 * What a payload is worth when it is read (Noise 7.7): the first message of
 * either pattern has no forward secrecy and can be replayed.  In XK it has no
 * sender at all; in IK the sender is proven by the static keys alone, so that
 * whoever has the responder's key can also forge it.
 *
 * Errors come in two kinds.
 *
 *   -EPROTO	it is not the turn of this call
 *   -EMSGSIZE	a buffer is too small, or a message longer than Noise allows
 *   -ENOKEY	message 2 of IKpsk2 before the PSK is known
 *
 *	are the caller's: nothing was touched, the right call still works.
 *
 *   -EBADMSG	the message is truncated, altered, or of another handshake
 *   -EINVAL	it carries a public key that laya_key_valid() refuses
 *   -EIO	the system has no randomness
 *
 *	kill the state: every secret is wiped, all further calls return
 *	-EPROTO.
 *
 * Where forged answers can come in besides the true one (an offer goes out
 * through several rendezvous servers, none of them trusted), the initiator
 * reads each on a copy, and keeps the copy that lives: struct laya_noise is a
 * plain value.  Only ever *write* from one copy of a state: two messages under
 * one key and nonce break both.
 */
#ifndef LAYA_NOISE_H
#define LAYA_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "key.h"

#define LAYA_NOISE_MAX_MESSAGE	65535
#define LAYA_NOISE_TAG_SIZE	16
#define LAYA_NOISE_HASH_SIZE	32
/* The most that a handshake message adds to its payload */
#define LAYA_NOISE_MAX_OVERHEAD	(2 * LAYA_KEY_SIZE + 2 * LAYA_NOISE_TAG_SIZE)

enum laya_noise_pattern {
	LAYA_NOISE_XK,
	LAYA_NOISE_IK_PSK2,
};

/* Zero is dead, so that a wiped state is one. */
enum laya_noise_status {
	LAYA_NOISE_DEAD,
	LAYA_NOISE_RUNNING,
	LAYA_NOISE_COMPLETE,	/* all messages passed, not split yet */
	LAYA_NOISE_SPLIT,
};

/**
 * struct laya_noise - a handshake; all members are private
 * @status: how far it came
 * @pattern: which handshake it is
 * @initiator: whether we write the first message
 * @message: index of the next message, ours or theirs
 * @have_psk: @psk is set
 * @have_ephemeral: @e was fixed by a test
 * @have_remote_static: @rs is known
 * @s: our static private key
 * @s_public: our static public key
 * @e: our ephemeral private key
 * @e_public: our ephemeral public key
 * @rs: their static public key
 * @re: their ephemeral public key
 * @psk: the pre-shared key
 * @ck: chaining key
 * @h: handshake hash
 * @k: key for the next encryption
 * @n: nonce for the next encryption
 */
struct laya_noise {
	enum laya_noise_status status;
	enum laya_noise_pattern pattern;
	bool initiator;
	unsigned int message;
	bool have_psk;
	bool have_ephemeral;
	bool have_remote_static;
	uint8_t s[LAYA_KEY_SIZE];
	uint8_t s_public[LAYA_KEY_SIZE];
	uint8_t e[LAYA_KEY_SIZE];
	uint8_t e_public[LAYA_KEY_SIZE];
	uint8_t rs[LAYA_KEY_SIZE];
	uint8_t re[LAYA_KEY_SIZE];
	uint8_t psk[LAYA_KEY_SIZE];
	uint8_t ck[LAYA_NOISE_HASH_SIZE];
	uint8_t h[LAYA_NOISE_HASH_SIZE];
	uint8_t k[LAYA_KEY_SIZE];
	uint64_t n;
};

/**
 * struct laya_noise_cipher - one direction of an ordered transport
 * @have_key: set by laya_noise_cipher_init()
 * @key: ChaCha20-Poly1305 key
 * @nonce: the next one; UINT64_MAX is never used
 */
struct laya_noise_cipher {
	bool have_key;
	uint8_t key[LAYA_KEY_SIZE];
	uint64_t nonce;
};

int laya_noise_init(struct laya_noise *hs, enum laya_noise_pattern pattern,
		    bool initiator, const void *prologue, size_t prologue_len,
		    const uint8_t static_private[LAYA_KEY_SIZE],
		    const uint8_t *remote_static, const uint8_t *psk);
int laya_noise_set_psk(struct laya_noise *hs, const uint8_t psk[LAYA_KEY_SIZE]);
int laya_noise_fix_ephemeral(struct laya_noise *hs,
			     const uint8_t private_key[LAYA_KEY_SIZE]);
int laya_noise_write_message(struct laya_noise *hs, const void *payload,
			     size_t len, uint8_t *out, size_t cap,
			     size_t *out_len);
int laya_noise_read_message(struct laya_noise *hs, const uint8_t *in,
			    size_t len, void *payload, size_t cap,
			    size_t *payload_len);
size_t laya_noise_overhead(const struct laya_noise *hs);
bool laya_noise_my_turn(const struct laya_noise *hs);
bool laya_noise_complete(const struct laya_noise *hs);
int laya_noise_remote_static(const struct laya_noise *hs,
			     uint8_t key[LAYA_KEY_SIZE]);
int laya_noise_handshake_hash(const struct laya_noise *hs,
			      uint8_t hash[LAYA_NOISE_HASH_SIZE]);
int laya_noise_split(struct laya_noise *hs, uint8_t send_key[LAYA_KEY_SIZE],
		     uint8_t receive_key[LAYA_KEY_SIZE]);
void laya_noise_wipe(struct laya_noise *hs);

void laya_noise_cipher_init(struct laya_noise_cipher *cipher,
			    const uint8_t key[LAYA_KEY_SIZE]);
int laya_noise_cipher_encrypt(struct laya_noise_cipher *cipher, const void *ad,
			      size_t ad_len, const void *in, size_t len,
			      uint8_t *out, size_t cap, size_t *out_len);
int laya_noise_cipher_decrypt(struct laya_noise_cipher *cipher, const void *ad,
			      size_t ad_len, const uint8_t *in, size_t len,
			      void *out, size_t cap, size_t *out_len);
void laya_noise_cipher_wipe(struct laya_noise_cipher *cipher);

#endif /* LAYA_NOISE_H */
