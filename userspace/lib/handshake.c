// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "cipher.h"
#include "handshake.h"

/* Largest payload: 16 candidates with two labels, and the rest with room */
#define PAYLOAD_MAX	(LAYA_MAX_BODY - LAYA_TAG_SIZE - \
			 LAYA_NOISE_MAX_OVERHEAD)

static const uint8_t zero_key[LAYA_KEY_SIZE];

/**
 * laya_identity_init() - become somebody
 * @self: the identity
 * @private_key: our static key
 * @accelerated: our CPU accelerates AES-256-GCM, laya_cipher_accelerated()
 *
 * Return: 0, or the error of laya_key_public().
 */
int laya_identity_init(struct laya_identity *self,
		       const uint8_t private_key[LAYA_KEY_SIZE],
		       bool accelerated)
{
	memset(self, 0, sizeof(*self));
	memcpy(self->private_key, private_key, LAYA_KEY_SIZE);
	self->accelerated = accelerated;
	return laya_key_public(self->public_key, private_key);
}

/**
 * laya_handshake_peer_init() - know a peer
 * @peer: the peer
 * @self: we
 * @key: its public key
 * @psk: pre-shared key; NULL for none
 *
 * Return: 0; -EINVAL for a key that laya_key_valid() refuses, and for our own.
 */
int laya_handshake_peer_init(struct laya_handshake_peer *peer,
			     const struct laya_identity *self,
			     const uint8_t key[LAYA_KEY_SIZE],
			     const uint8_t *psk)
{
	static const char context[] = "laya tag 1";
	crypto_hash_sha256_state hash;
	uint8_t secret[LAYA_KEY_SIZE];
	int ret;

	memset(peer, 0, sizeof(*peer));
	if (!laya_key_valid(key) || laya_key_equal(key, self->public_key))
		return -EINVAL;
	ret = laya_key_shared(secret, self->private_key, key);
	if (ret)
		return ret;
	crypto_hash_sha256_init(&hash);
	crypto_hash_sha256_update(&hash, (const uint8_t *)context,
				  sizeof(context) - 1);
	crypto_hash_sha256_update(&hash, secret, sizeof(secret));
	crypto_hash_sha256_final(&hash, peer->tag_key);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(&hash, sizeof(hash));

	memcpy(peer->key, key, LAYA_KEY_SIZE);
	if (psk)
		memcpy(peer->psk, psk, LAYA_KEY_SIZE);
	return 0;
}

/**
 * laya_handshake_ours_wins() - of two offers that crossed, which one counts
 * @own: our public key
 * @peer: theirs
 *
 * Return: true if our offer counts and theirs is to be ignored; false if we
 * are to drop ours and answer.
 */
bool laya_handshake_ours_wins(const uint8_t own[LAYA_KEY_SIZE],
			      const uint8_t peer[LAYA_KEY_SIZE])
{
	return memcmp(own, peer, LAYA_KEY_SIZE) < 0;
}

static void make_tag(uint8_t tag[LAYA_TAG_SIZE],
		     const uint8_t tag_key[LAYA_KEY_SIZE],
		     const uint8_t *message, size_t len)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256(mac, message, len, tag_key);
	memcpy(tag, mac, LAYA_TAG_SIZE);
	sodium_memzero(mac, sizeof(mac));
}

static bool tag_fits(const struct laya_handshake_peer *peer,
		     const uint8_t *body, size_t len)
{
	uint8_t tag[LAYA_TAG_SIZE];
	bool fits;

	make_tag(tag, peer->tag_key, body + LAYA_TAG_SIZE,
		 len - LAYA_TAG_SIZE);
	fits = sodium_memcmp(tag, body, LAYA_TAG_SIZE) == 0;
	sodium_memzero(tag, sizeof(tag));
	return fits;
}

static struct laya_handshake_peer *
find_sender(const struct laya_handshake_table *table, const uint8_t *claimed,
	    const uint8_t *body, size_t len)
{
	struct laya_handshake_peer *first = NULL;
	struct laya_handshake_peer *peer;
	size_t i;

	if (table->lookup)
		first = table->lookup(table->data, claimed);
	if (first && tag_fits(first, body, len))
		return first;
	if (!table->at)
		return NULL;
	for (i = 0; (peer = table->at(table->data, i)); i++) {
		if (peer != first && tag_fits(peer, body, len))
			return peer;
	}
	return NULL;
}

static void hash_offer(uint8_t hash[LAYA_OFFER_HASH_SIZE], const uint8_t *body,
		       size_t len)
{
	crypto_hash_sha256(hash, body, len);
}

/**
 * laya_offer_make() - begin a handshake
 * @offer: what to keep until the answer comes; laya_offer_wipe() it
 * @self: we
 * @peer: to whom
 * @stamp: higher than that of each offer before
 * @index: receiver index on packets to us, not 0
 * @candidates: only forwarders' addresses: this message has no forward
 *	secrecy
 * @body: where to put it, LAYA_MAX_BODY bytes are enough
 * @cap: size of @body
 * @len: where to put its length
 *
 * Return: 0; -EMSGSIZE, -EINVAL, or the error of laya_noise_write_message();
 * @offer is wiped then.
 */
int laya_offer_make(struct laya_offer *offer, const struct laya_identity *self,
		    const struct laya_handshake_peer *peer, uint64_t stamp,
		    uint32_t index, const struct laya_candidates *candidates,
		    uint8_t *body, size_t cap, size_t *len)
{
	struct laya_payload payload = {
		.stamp = stamp,
		.index = index,
		.candidates = *candidates,
	};
	uint8_t plain[PAYLOAD_MAX];
	size_t plain_len;
	size_t noise_len;
	int ret;

	memset(offer, 0, sizeof(*offer));
	memcpy(offer->peer, peer->key, LAYA_KEY_SIZE);
	offer->stamp = stamp;
	offer->index = index;
	if (cap > LAYA_MAX_BODY)
		cap = LAYA_MAX_BODY;
	if (cap < LAYA_TAG_SIZE)
		return -EMSGSIZE;

	payload.n_ciphers = laya_cipher_order(payload.ciphers,
					      self->accelerated);
	ret = laya_payload_encode(&payload, LAYA_PAYLOAD_OFFER, plain,
				  sizeof(plain), &plain_len);
	if (ret)
		return ret;

	ret = laya_noise_init(&offer->noise, LAYA_NOISE_IK_PSK2, true,
			      LAYA_PROLOGUE_SESSION,
			      strlen(LAYA_PROLOGUE_SESSION), self->private_key,
			      peer->key, peer->psk);
	if (!ret)
		ret = laya_noise_write_message(&offer->noise, plain, plain_len,
					       body + LAYA_TAG_SIZE,
					       cap - LAYA_TAG_SIZE, &noise_len);
	sodium_memzero(plain, sizeof(plain));
	if (ret) {
		laya_offer_wipe(offer);
		return ret;
	}
	make_tag(body, peer->tag_key, body + LAYA_TAG_SIZE, noise_len);
	*len = LAYA_TAG_SIZE + noise_len;
	return 0;
}

/**
 * laya_offer_read() - read an offer of a peer
 * @request: what to keep until it is answered; laya_request_wipe() it
 * @self: we
 * @table: the peers
 * @claimed: who the carrier says that it is from; not believed
 * @body: the offer
 * @len: its length
 *
 * On success the peer's stamp and hash are those of this offer.
 *
 * Return: 0; -EALREADY for an exact copy of the peer's newest offer, whose
 * cached answer should be sent again, if there is one; -ESTALE for one that is
 * not newer than the newest: a replay; -ENOENT for one that is of no peer:
 * stay silent; -EBADMSG for one that does not open or cannot be read.
 * @request->peer is set for 0, -EALREADY and -ESTALE.
 */
int laya_offer_read(struct laya_request *request,
		    const struct laya_identity *self,
		    const struct laya_handshake_table *table,
		    const uint8_t claimed[LAYA_KEY_SIZE], const uint8_t *body,
		    size_t len)
{
	struct laya_handshake_peer *peer;
	uint8_t hash[LAYA_OFFER_HASH_SIZE];
	uint8_t remote[LAYA_KEY_SIZE];
	uint8_t plain[LAYA_MAX_BODY];
	size_t plain_len;
	int ret;

	memset(request, 0, sizeof(*request));
	if (len <= LAYA_TAG_SIZE || len > LAYA_MAX_BODY)
		return -EBADMSG;
	peer = find_sender(table, claimed, body, len);
	if (!peer)
		return -ENOENT;
	hash_offer(hash, body, len);
	if (sodium_memcmp(hash, peer->offer_hash, sizeof(hash)) == 0) {
		request->peer = peer;
		return -EALREADY;
	}

	ret = laya_noise_init(&request->noise, LAYA_NOISE_IK_PSK2, false,
			      LAYA_PROLOGUE_SESSION,
			      strlen(LAYA_PROLOGUE_SESSION), self->private_key,
			      NULL, peer->psk);
	if (ret)
		goto err_wipe;
	ret = laya_noise_read_message(&request->noise, body + LAYA_TAG_SIZE,
				      len - LAYA_TAG_SIZE, plain, sizeof(plain),
				      &plain_len);
	/* A tag of one peer on a message of another */
	if (ret || laya_noise_remote_static(&request->noise, remote) ||
	    !laya_key_equal(remote, peer->key)) {
		ret = -EBADMSG;
		goto err_wipe;
	}
	ret = laya_payload_decode(&request->payload, LAYA_PAYLOAD_OFFER, plain,
				  plain_len);
	if (ret)
		goto err_wipe;
	request->peer = peer;
	if (request->payload.stamp <= peer->stamp) {
		ret = -ESTALE;
		goto err_stale;
	}
	peer->stamp = request->payload.stamp;
	memcpy(peer->offer_hash, hash, sizeof(hash));
	sodium_memzero(plain, sizeof(plain));
	return 0;

err_wipe:
	laya_request_wipe(request);
err_stale:
	laya_noise_wipe(&request->noise);
	sodium_memzero(plain, sizeof(plain));
	return ret;
}

static void derive_key(uint8_t out[LAYA_KEY_SIZE],
		       const uint8_t key[LAYA_KEY_SIZE])
{
	static const char context[] = "laya session key 1";

	crypto_auth_hmacsha256(out, (const uint8_t *)context,
			       sizeof(context) - 1, key);
}

/* The kernel's keys are not the ones that seal the follow-up. */
static int take_keys(struct laya_session_keys *keys, struct laya_noise *noise)
{
	uint8_t receive[LAYA_KEY_SIZE];
	uint8_t send[LAYA_KEY_SIZE];
	int ret;

	ret = laya_noise_split(noise, send, receive);
	if (ret)
		return ret;
	derive_key(keys->tx_key, send);
	derive_key(keys->rx_key, receive);
	memcpy(keys->followup_key, keys->initiator ? send : receive,
	       LAYA_KEY_SIZE);
	sodium_memzero(send, sizeof(send));
	sodium_memzero(receive, sizeof(receive));
	return 0;
}

/**
 * laya_answer_make() - answer an offer
 * @keys: where to put what the session needs; laya_session_keys_wipe() it
 * @request: the offer, wiped by this except for its peer and payload
 * @self: we
 * @index: receiver index on packets to us, not 0
 * @candidates: all of ours
 * @body: where to put the answer, LAYA_MAX_BODY bytes are enough
 * @cap: size of @body
 * @len: where to put its length
 *
 * Return: 0; -EPROTONOSUPPORT if no cipher is common; -EMSGSIZE, -EINVAL, or
 * the error of Noise.  @keys are wiped on failure.
 */
int laya_answer_make(struct laya_session_keys *keys,
		     struct laya_request *request,
		     const struct laya_identity *self, uint32_t index,
		     const struct laya_candidates *candidates, uint8_t *body,
		     size_t cap, size_t *len)
{
	struct laya_payload payload = {
		.stamp = request->payload.stamp,
		.index = index,
		.n_ciphers = 1,
		.candidates = *candidates,
	};
	uint8_t plain[PAYLOAD_MAX];
	size_t plain_len;
	int ret;

	memset(keys, 0, sizeof(*keys));
	keys->cipher = laya_cipher_choose(request->payload.ciphers,
					  request->payload.n_ciphers,
					  self->accelerated);
	if (keys->cipher == 0) {
		ret = -EPROTONOSUPPORT;
		goto out;
	}
	payload.ciphers[0] = keys->cipher;
	keys->rx_index = index;
	keys->tx_index = request->payload.index;

	ret = laya_payload_encode(&payload, LAYA_PAYLOAD_ANSWER, plain,
				  sizeof(plain), &plain_len);
	if (ret)
		goto out;
	ret = laya_noise_write_message(&request->noise, plain, plain_len, body,
				       cap, len);
	if (!ret)
		ret = take_keys(keys, &request->noise);
	sodium_memzero(plain, sizeof(plain));
out:
	laya_noise_wipe(&request->noise);
	if (ret)
		laya_session_keys_wipe(keys);
	return ret;
}

/**
 * laya_answer_read() - read the answer to an offer of ours
 * @keys: where to put what the session needs; laya_session_keys_wipe() it
 * @candidates: where to put the peer's
 * @offer: the offer; wiped on success, as good as before on failure, so that
 *	a forged answer does not keep the true one out
 * @body: the answer
 * @len: its length
 *
 * Return: 0; -EBADMSG for an answer that is not the peer's to this offer (or
 * made with another pre-shared key); -EPROTO if @offer is wiped.
 */
int laya_answer_read(struct laya_session_keys *keys,
		     struct laya_candidates *candidates,
		     struct laya_offer *offer, const uint8_t *body, size_t len)
{
	struct laya_noise noise = offer->noise;
	uint8_t plain[LAYA_MAX_BODY];
	struct laya_payload payload;
	size_t plain_len;
	int ret;

	memset(keys, 0, sizeof(*keys));
	if (len > LAYA_MAX_BODY) {
		ret = -EBADMSG;
		goto out;
	}
	ret = laya_noise_read_message(&noise, body, len, plain, sizeof(plain),
				      &plain_len);
	if (ret) {
		/* A bad key in it is but one more way to be malformed. */
		if (ret != -EPROTO)
			ret = -EBADMSG;
		goto out;
	}
	ret = laya_payload_decode(&payload, LAYA_PAYLOAD_ANSWER, plain,
				  plain_len);
	sodium_memzero(plain, sizeof(plain));
	if (ret)
		goto out;
	if (payload.stamp != offer->stamp ||
	    laya_cipher_choose(payload.ciphers, 1, true) == 0) {
		ret = -EBADMSG;
		goto out;
	}

	keys->initiator = true;
	keys->cipher = payload.ciphers[0];
	keys->rx_index = offer->index;
	keys->tx_index = payload.index;
	ret = take_keys(keys, &noise);
	if (ret)
		goto out;
	*candidates = payload.candidates;
	laya_offer_wipe(offer);
out:
	laya_noise_wipe(&noise);
	if (ret)
		laya_session_keys_wipe(keys);
	return ret;
}

/**
 * laya_followup_make() - tell the responder our candidates
 * @keys: of laya_answer_read(); followup_key is wiped, so that there is one
 *	message only under it: keep the body to send it again
 * @candidates: all of ours
 * @body: where to put it, LAYA_MAX_BODY bytes are enough
 * @cap: size of @body
 * @len: where to put its length
 *
 * Return: 0; -EPROTO if @keys are not of an initiator, or are used up;
 * -EMSGSIZE or -EINVAL.
 */
int laya_followup_make(struct laya_session_keys *keys,
		       const struct laya_candidates *candidates, uint8_t *body,
		       size_t cap, size_t *len)
{
	struct laya_payload payload = { .candidates = *candidates };
	struct laya_noise_cipher cipher;
	uint8_t plain[PAYLOAD_MAX];
	size_t plain_len;
	int ret;

	if (!keys->initiator || laya_key_equal(keys->followup_key, zero_key))
		return -EPROTO;
	ret = laya_payload_encode(&payload, LAYA_PAYLOAD_FOLLOWUP, plain,
				  sizeof(plain), &plain_len);
	if (ret)
		return ret;
	if (cap < plain_len + LAYA_NOISE_TAG_SIZE)
		return -EMSGSIZE;
	laya_noise_cipher_init(&cipher, keys->followup_key);
	ret = laya_noise_cipher_encrypt(&cipher, NULL, 0, plain, plain_len,
					body, cap, len);
	laya_noise_cipher_wipe(&cipher);
	sodium_memzero(keys->followup_key, LAYA_KEY_SIZE);
	sodium_memzero(plain, sizeof(plain));
	return ret;
}

/**
 * laya_followup_read() - learn the initiator's candidates
 * @keys: of laya_answer_make(); followup_key is wiped on success, as good as
 *	before on failure
 * @candidates: where to put them
 * @body: the follow-up
 * @len: its length
 *
 * Return: 0, which also proves that the initiator has the keys; -EALREADY if
 * the follow-up was read before; -EPROTO if @keys are of an initiator;
 * -EBADMSG.
 */
int laya_followup_read(struct laya_session_keys *keys,
		       struct laya_candidates *candidates, const uint8_t *body,
		       size_t len)
{
	struct laya_noise_cipher cipher;
	uint8_t plain[LAYA_MAX_BODY];
	struct laya_payload payload;
	size_t plain_len;
	int ret;

	if (keys->initiator)
		return -EPROTO;
	if (laya_key_equal(keys->followup_key, zero_key))
		return -EALREADY;
	if (len > LAYA_MAX_BODY)
		return -EBADMSG;
	laya_noise_cipher_init(&cipher, keys->followup_key);
	ret = laya_noise_cipher_decrypt(&cipher, NULL, 0, body, len, plain,
					sizeof(plain), &plain_len);
	laya_noise_cipher_wipe(&cipher);
	if (ret)
		return -EBADMSG;
	ret = laya_payload_decode(&payload, LAYA_PAYLOAD_FOLLOWUP, plain,
				  plain_len);
	sodium_memzero(plain, sizeof(plain));
	if (ret)
		return ret;
	*candidates = payload.candidates;
	sodium_memzero(keys->followup_key, LAYA_KEY_SIZE);
	return 0;
}

/**
 * laya_offer_wipe() - forget an offer of ours
 * @offer: the offer
 */
void laya_offer_wipe(struct laya_offer *offer)
{
	laya_noise_wipe(&offer->noise);
	sodium_memzero(offer, sizeof(*offer));
}

/**
 * laya_request_wipe() - forget an offer of a peer
 * @request: the offer
 */
void laya_request_wipe(struct laya_request *request)
{
	laya_noise_wipe(&request->noise);
	sodium_memzero(request, sizeof(*request));
}

/**
 * laya_session_keys_wipe() - forget keys, once the kernel has them
 * @keys: the keys
 */
void laya_session_keys_wipe(struct laya_session_keys *keys)
{
	sodium_memzero(keys, sizeof(*keys));
}
