/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end-to-end handshake: three bodies that anybody may carry.
 *
 *   initiator                                         responder
 *
 *   laya_offer_make()      -- offer     -->   laya_offer_read()
 *   laya_answer_read()     <-- answer   --    laya_answer_make()
 *   laya_followup_make()   -- follow-up -->   laya_followup_read()
 *
 *	offer		tag[16], Noise IKpsk2 message 1
 *	answer		Noise IKpsk2 message 2
 *	follow-up	Noise transport message, nonce 0
 *
 * Pure functions: no I/O, no clock, no allocation.  They see to:
 *
 *   - forged offers: the tag is checked against the peers before any
 *     Diffie-Hellman; the claimed sender only says whose tag to try first;
 *   - replayed offers: the stamp must be higher than the highest seen of that
 *     peer; an exact duplicate of the newest is told apart (-EALREADY), since
 *     it deserves the cached answer again;
 *   - forged answers: they are read on a copy, the true one can still come.
 *
 * The caller: caches the answer, resolves simultaneous offers
 * (laya_handshake_ours_wins()), and persists the stamps.
 */
#ifndef LAYA_HANDSHAKE_H
#define LAYA_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/laya_netlink.h>

#include "key.h"
#include "message.h"
#include "noise.h"

#define LAYA_PROLOGUE_RENDEZVOUS	"laya rendezvous 1"
#define LAYA_PROLOGUE_ATTACH		"laya attach 1"
#define LAYA_PROLOGUE_SIGNAL		"laya signal 1"
#define LAYA_PROLOGUE_SESSION		"laya session 1"

#define LAYA_TAG_SIZE			16
#define LAYA_OFFER_HASH_SIZE		32

/**
 * struct laya_identity - who we are
 * @private_key: our static key
 * @public_key: its public half
 * @accelerated: our CPU accelerates AES-256-GCM
 */
struct laya_identity {
	uint8_t private_key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	bool accelerated;
};

/**
 * struct laya_handshake_peer - what the handshake keeps of a peer
 * @key: its public key
 * @psk: pre-shared key, all zero for none
 * @tag_key: key of the tags between us; laya_handshake_peer_init()
 * @stamp: highest stamp seen in an offer of its; restore it after a restart
 * @offer_hash: hash of the offer that had it; all zero after a restart
 */
struct laya_handshake_peer {
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t psk[LAYA_KEY_SIZE];
	uint8_t tag_key[LAYA_KEY_SIZE];
	uint64_t stamp;
	uint8_t offer_hash[LAYA_OFFER_HASH_SIZE];
};

/**
 * struct laya_handshake_table - the peers of whom we read offers
 * @lookup: the peer of that key or NULL.  A forwarder that takes strangers
 *	returns a new entry here for the key that the channel authenticated.
 * @at: the peer at that index, NULL behind the last
 * @data: first argument of both
 */
struct laya_handshake_table {
	struct laya_handshake_peer *(*lookup)(void *data, const uint8_t *key);
	struct laya_handshake_peer *(*at)(void *data, size_t index);
	void *data;
};

/**
 * struct laya_offer - an offer of ours that waits for its answer
 * @noise: after message 1
 * @peer: to whom
 * @stamp: its stamp
 * @index: receiver index that we offered
 */
struct laya_offer {
	struct laya_noise noise;
	uint8_t peer[LAYA_KEY_SIZE];
	uint64_t stamp;
	uint32_t index;
};

/**
 * struct laya_request - an offer of a peer that waits for our answer
 * @noise: after message 1
 * @peer: whose
 * @payload: what it says
 */
struct laya_request {
	struct laya_noise noise;
	struct laya_handshake_peer *peer;
	struct laya_payload payload;
};

/**
 * struct laya_session_keys - what came out of a handshake
 * @initiator: the offer was ours
 * @cipher: enum laya_cipher
 * @rx_index: receiver index on packets to us
 * @tx_index: receiver index on packets to the peer
 * @rx_key: for the kernel
 * @tx_key: for the kernel
 * @followup_key: for the follow-up; wiped when that was made or read
 */
struct laya_session_keys {
	bool initiator;
	uint32_t cipher;
	uint32_t rx_index;
	uint32_t tx_index;
	uint8_t rx_key[LAYA_KEY_SIZE];
	uint8_t tx_key[LAYA_KEY_SIZE];
	uint8_t followup_key[LAYA_KEY_SIZE];
};

int laya_identity_init(struct laya_identity *self,
		       const uint8_t private_key[LAYA_KEY_SIZE],
		       bool accelerated);
int laya_handshake_peer_init(struct laya_handshake_peer *peer,
			     const struct laya_identity *self,
			     const uint8_t key[LAYA_KEY_SIZE],
			     const uint8_t *psk);
bool laya_handshake_ours_wins(const uint8_t own[LAYA_KEY_SIZE],
			      const uint8_t peer[LAYA_KEY_SIZE]);

int laya_offer_make(struct laya_offer *offer, const struct laya_identity *self,
		    const struct laya_handshake_peer *peer, uint64_t stamp,
		    uint32_t index, const struct laya_candidates *candidates,
		    uint8_t *body, size_t cap, size_t *len);
int laya_offer_read(struct laya_request *request,
		    const struct laya_identity *self,
		    const struct laya_handshake_table *table,
		    const uint8_t claimed[LAYA_KEY_SIZE], const uint8_t *body,
		    size_t len);
int laya_answer_make(struct laya_session_keys *keys,
		     struct laya_request *request,
		     const struct laya_identity *self, uint32_t index,
		     const struct laya_candidates *candidates, uint8_t *body,
		     size_t cap, size_t *len);
int laya_answer_read(struct laya_session_keys *keys,
		     struct laya_candidates *candidates,
		     struct laya_offer *offer, const uint8_t *body, size_t len);
int laya_followup_make(struct laya_session_keys *keys,
		       const struct laya_candidates *candidates, uint8_t *body,
		       size_t cap, size_t *len);
int laya_followup_read(struct laya_session_keys *keys,
		       struct laya_candidates *candidates, const uint8_t *body,
		       size_t len);

void laya_offer_wipe(struct laya_offer *offer);
void laya_request_wipe(struct laya_request *request);
void laya_session_keys_wipe(struct laya_session_keys *keys);

#endif /* LAYA_HANDSHAKE_H */
