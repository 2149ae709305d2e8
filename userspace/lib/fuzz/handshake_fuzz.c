// SPDX-License-Identifier: GPL-2.0
/*
 * Bodies from anybody, and from a peer that is out to harm: the first byte
 * chooses what the rest is given as, and how far it is made to look right.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "../handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct laya_identity alice;
static struct laya_identity bob;
static struct laya_handshake_peer bob_of_alice;
static struct laya_handshake_peer alice_of_bob;

static struct laya_handshake_peer *at(void *data, size_t index)
{
	(void)data;
	return index == 0 ? &alice_of_bob : NULL;
}

static const struct laya_handshake_table table = { .at = at };

static void check(int condition)
{
	if (!condition)
		abort();
}

static void prepare(void)
{
	static int done;
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];

	if (done)
		return;
	done = 1;
	check(sodium_init() >= 0);
	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	check(laya_identity_init(&alice, a, true) == 0);
	check(laya_identity_init(&bob, b, false) == 0);
	check(laya_handshake_peer_init(&bob_of_alice, &alice, bob.public_key,
				       NULL) == 0);
	check(laya_handshake_peer_init(&alice_of_bob, &bob, alice.public_key,
				       NULL) == 0);
}

/* Whatever was read, it can be answered. */
static void read_offer(const uint8_t *body, size_t len)
{
	static const struct laya_candidates none;
	struct laya_session_keys keys;
	struct laya_request request;
	uint8_t answer[LAYA_MAX_BODY];
	size_t answer_len;

	alice_of_bob.stamp = 0;
	if (laya_offer_read(&request, &bob, &table, alice.public_key, body,
			    len))
		return;
	laya_answer_make(&keys, &request, &bob, 1, &none, answer,
			 sizeof(answer), &answer_len);
	laya_session_keys_wipe(&keys);
}

/* A true message of a peer whose payload is @data */
static void sealed_offer(const uint8_t *data, size_t size)
{
	uint8_t body[LAYA_MAX_BODY];
	struct laya_noise noise;
	uint8_t mac[32];
	size_t len;

	if (laya_noise_init(&noise, LAYA_NOISE_IK_PSK2, true,
			    LAYA_PROLOGUE_SESSION,
			    strlen(LAYA_PROLOGUE_SESSION), alice.private_key,
			    bob.public_key, bob_of_alice.psk) ||
	    laya_noise_write_message(&noise, data, size, body + LAYA_TAG_SIZE,
				     sizeof(body) - LAYA_TAG_SIZE, &len))
		return;
	crypto_auth_hmacsha256(mac, body + LAYA_TAG_SIZE, len,
			       bob_of_alice.tag_key);
	memcpy(body, mac, LAYA_TAG_SIZE);
	read_offer(body, LAYA_TAG_SIZE + len);
}

static void read_answer(const uint8_t *data, size_t size)
{
	static const struct laya_candidates none;
	struct laya_candidates candidates;
	struct laya_session_keys keys;
	uint8_t body[LAYA_MAX_BODY];
	struct laya_offer offer;
	size_t len;

	check(laya_offer_make(&offer, &alice, &bob_of_alice, 1, 1, &none, body,
			      sizeof(body), &len) == 0);
	check(laya_answer_read(&keys, &candidates, &offer, data, size) != 0);
	laya_offer_wipe(&offer);
}

static void sealed_followup(const uint8_t *data, size_t size)
{
	struct laya_session_keys keys = { .cipher = 1 };
	struct laya_noise_cipher cipher;
	struct laya_candidates candidates;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;

	memset(keys.followup_key, 7, LAYA_KEY_SIZE);
	laya_noise_cipher_init(&cipher, keys.followup_key);
	if (laya_noise_cipher_encrypt(&cipher, NULL, 0, data, size, body,
				      sizeof(body), &len))
		return;
	if (!laya_followup_read(&keys, &candidates, body, len))
		check(candidates.n <= LAYA_MAX_CANDIDATES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	if (size == 0)
		return 0;
	switch (*data % 4) {
	case 0:
		read_offer(data + 1, size - 1);
		break;
	case 1:
		sealed_offer(data + 1, size - 1);
		break;
	case 2:
		read_answer(data + 1, size - 1);
		break;
	case 3:
		sealed_followup(data + 1, size - 1);
		break;
	}
	return 0;
}
