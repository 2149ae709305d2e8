/* SPDX-License-Identifier: GPL-2.0 */
/* A handshake between two, for the tests of Noise. */
#ifndef LAYA_NOISE_PAIR_H
#define LAYA_NOISE_PAIR_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../noise.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SMALL 256 /* enough for each message with PAYLOAD */
#define PAYLOAD "attack at dawn"
#define PAYLOAD_LEN (sizeof(PAYLOAD) - 1)

/* Short enough to read in an assertion */
#define write_msg laya_noise_write_message
#define read_msg laya_noise_read_message
#define get_hash laya_noise_handshake_hash
#define encrypt laya_noise_cipher_encrypt
#define decrypt laya_noise_cipher_decrypt

/* Both sides of a handshake, at one point of it, and the last message. */
struct pair {
	uint8_t psk[LAYA_KEY_SIZE];
	uint8_t initiator_public[LAYA_KEY_SIZE];
	uint8_t responder_public[LAYA_KEY_SIZE];
	struct laya_noise initiator;
	struct laya_noise responder;
	uint8_t msg[SMALL];
	size_t len;
};

static const enum laya_noise_pattern all_patterns[] = {
	LAYA_NOISE_XK,
	LAYA_NOISE_IK_PSK2,
};

static const unsigned int pattern_messages[] = {
	[LAYA_NOISE_XK] = 3,
	[LAYA_NOISE_IK_PSK2] = 2,
};

static inline void start(struct pair *p, enum laya_noise_pattern pattern)
{
	const bool psk = pattern == LAYA_NOISE_IK_PSK2;
	uint8_t initiator[LAYA_KEY_SIZE];
	uint8_t responder[LAYA_KEY_SIZE];

	memset(p, 0, sizeof(*p));
	assert_int_equal(laya_key_generate(initiator), 0);
	assert_int_equal(laya_key_generate(responder), 0);
	assert_int_equal(laya_key_generate_psk(p->psk), 0);
	assert_int_equal(laya_key_public(p->initiator_public, initiator), 0);
	assert_int_equal(laya_key_public(p->responder_public, responder), 0);
	assert_int_equal(laya_noise_init(&p->initiator, pattern, true, "laya",
					 4, initiator, p->responder_public,
					 psk ? p->psk : NULL),
			 0);
	assert_int_equal(laya_noise_init(&p->responder, pattern, false, "laya",
					 4, responder, NULL,
					 psk ? p->psk : NULL),
			 0);
}

static inline struct laya_noise *writer(struct pair *p)
{
	return laya_noise_my_turn(&p->initiator) ? &p->initiator :
						   &p->responder;
}

static inline struct laya_noise *reader(struct pair *p)
{
	return laya_noise_my_turn(&p->initiator) ? &p->responder :
						   &p->initiator;
}

/*
 * Write the next message into p->msg.  The reader, which is still to read it,
 * is returned.
 */
static inline struct laya_noise *write_next(struct pair *p)
{
	struct laya_noise *r = reader(p);

	assert_int_equal(write_msg(writer(p), PAYLOAD, PAYLOAD_LEN, p->msg,
				   sizeof(p->msg), &p->len),
			 0);
	return r;
}

static inline int read_into_nothing(struct laya_noise *hs, const uint8_t *msg,
				    size_t len)
{
	uint8_t payload[SMALL];
	size_t payload_len;

	return read_msg(hs, msg, len, payload, sizeof(payload), &payload_len);
}

static inline void pass_next(struct pair *p)
{
	struct laya_noise *r = write_next(p);
	uint8_t payload[SMALL];
	size_t len;
	int err;

	err = read_msg(r, p->msg, p->len, payload, sizeof(payload), &len);
	assert_int_equal(err, 0);
	assert_int_equal(len, PAYLOAD_LEN);
	assert_memory_equal(payload, PAYLOAD, PAYLOAD_LEN);
}

static inline void pass_all(struct pair *p)
{
	while (!laya_noise_complete(&p->initiator))
		pass_next(p);
	assert_true(laya_noise_complete(&p->responder));
}

static inline void assert_dead(struct laya_noise *hs)
{
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t other[LAYA_KEY_SIZE];
	uint8_t buf[SMALL] = { 0 };
	size_t len;

	assert_true(sodium_is_zero((const uint8_t *)hs, sizeof(*hs)));
	assert_false(laya_noise_my_turn(hs));
	assert_false(laya_noise_complete(hs));
	assert_int_equal(laya_noise_overhead(hs), 0);
	assert_int_equal(write_msg(hs, NULL, 0, buf, sizeof(buf), &len),
			 -EPROTO);
	assert_int_equal(read_into_nothing(hs, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(laya_noise_set_psk(hs, buf), -EPROTO);
	assert_int_equal(laya_noise_fix_ephemeral(hs, buf), -EPROTO);
	assert_int_equal(laya_noise_remote_static(hs, key), -ENODATA);
	assert_int_equal(get_hash(hs, key), -ENODATA);
	assert_int_equal(laya_noise_split(hs, key, other), -EPROTO);
}

static inline void assert_unchanged(const struct laya_noise *hs,
				    const struct laya_noise *before)
{
	assert_memory_equal(hs, before, sizeof(*hs));
}

#endif /* LAYA_NOISE_PAIR_H */
