// SPDX-License-Identifier: GPL-2.0
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

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SMALL		256	/* enough for each message with PAYLOAD */
#define PAYLOAD		"attack at dawn"
#define PAYLOAD_LEN	(sizeof(PAYLOAD) - 1)

/*
 * Public test vectors: vectors/cacophony.txt of the Cacophony library (public
 * domain), https://github.com/haskell-cryptography/cacophony at commit
 * 8ee9d41e34a1, those of our two patterns.  Prologue and keys are the same in
 * both.
 */
#define VECTOR_PROLOGUE	"4a6f686e2047616c74"
#define VECTOR_PSK \
	"54686973206973206d7920417573747269616e20706572737065637469766521"
#define VECTOR_INIT_STATIC \
	"e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"
#define VECTOR_INIT_EPHEMERAL \
	"893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"
#define VECTOR_RESP_STATIC \
	"4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"
#define VECTOR_RESP_PUBLIC \
	"31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62"
#define VECTOR_RESP_EPHEMERAL \
	"bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"

static const char * const vector_payloads[] = {
	"4c756477696720766f6e204d69736573",
	"4d757272617920526f746862617264",
	"462e20412e20486179656b",
	"4361726c204d656e676572",
	"4a65616e2d426170746973746520536179",
	"457567656e2042f6686d20766f6e2042617765726b",
};

struct vector {
	enum laya_noise_pattern pattern;
	const char *psk;
	const char *hash;
	/* first those of the handshake, then of the transport */
	const char *messages[ARRAY_SIZE(vector_payloads)];
};

static const struct vector vectors[] = {
	{
		.pattern = LAYA_NOISE_XK,
		.hash = "cefffc5d1074126cc980ebfe902587ff36ba61dc77d4447ebe0f96dc"
			"22ae59d7",
		.messages = {
			"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3a"
			"fa4c7944a3785af283c991bab613473804356ef6931f83acf64f99c2"
			"74b93570857cfc5e",
			"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1"
			"448088433a4534805fa9fe4eb8343ace6609160c767ad9b832e8eea1"
			"d9b7a2111818dd",
			"5d8e67b9c1b8e36f5dc674bc5cd2ce243fb5d1710fa57de0370da7cc"
			"979015398eaad94603b05498ba9a613d2fd923dcaa6fd4288dfd8d70"
			"f419bf737efb4cd37f5da37ebb728849318c82",
			"3205e1265f809505e6edc092839d3156745d2abafbfd946b261e41",
			"470bcb1ae099555ff0d729500df550418d6ee5149d9e40bd2f4c6b3d"
			"263cc818d5",
			"d7187ed9d217ba6e91cf596e4871012ccedf7b5bed0d4cb8f7affb02"
			"0fa17a95a23371e0f6",
		},
	},
	{
		.pattern = LAYA_NOISE_IK_PSK2,
		.psk = VECTOR_PSK,
		.hash = "8310f86394dc0dabb40beb8210031556db4403ab1202db7034c52623"
			"2147a700",
		.messages = {
			"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3a"
			"fa4c79442ec9b09893d0f510791784c10cbc959f25b1766e0def6e30"
			"1d14fbca1c7790ac829b8b3674f5f649a5f0e98479662cbfbf2b2c47"
			"cd4b09fcd266cd29d7cb675f1808849707847840f6d178ec4d3733aa",
			"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1"
			"448088439a1b3cebf680b2c74217fcb5eba4ff58a9468cd90c4aca61"
			"94f57479b379a7",
			"a8fde7a0accec190cd306c5950d4fd8e04a205ec288aa747d8b347",
			"59caddd9984a3bbe24c4fb31a2bd455b7eba3fa0980674b1a3a5f9",
			"3b9bfebd210c22ba0cff9de79b4007d7a552fffbf92616881faa8a88"
			"3e25b80258",
			"f37512df1043d564d7c46ac85c53d3b6a9a05724bc297e7142808f21"
			"7561651217fe85b782",
		},
	},
};

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
	LAYA_NOISE_XK, LAYA_NOISE_IK_PSK2,
};

static const unsigned int pattern_messages[] = {
	[LAYA_NOISE_XK] = 3,
	[LAYA_NOISE_IK_PSK2] = 2,
};

static size_t unhex(uint8_t *out, size_t cap, const char *hex)
{
	size_t len;

	assert_int_equal(sodium_hex2bin(out, cap, hex, strlen(hex), NULL, &len,
					NULL), 0);
	return len;
}

static void start(struct pair *p, enum laya_noise_pattern pattern)
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
					 psk ? p->psk : NULL), 0);
	assert_int_equal(laya_noise_init(&p->responder, pattern, false, "laya",
					 4, responder, NULL,
					 psk ? p->psk : NULL), 0);
}

static struct laya_noise *writer(struct pair *p)
{
	return laya_noise_my_turn(&p->initiator) ? &p->initiator :
						   &p->responder;
}

static struct laya_noise *reader(struct pair *p)
{
	return laya_noise_my_turn(&p->initiator) ? &p->responder :
						   &p->initiator;
}

/*
 * Write the next message into p->msg.  The reader, which is still to read it,
 * is returned.
 */
static struct laya_noise *write_next(struct pair *p)
{
	struct laya_noise *r = reader(p);

	assert_int_equal(laya_noise_write_message(writer(p), PAYLOAD,
						  PAYLOAD_LEN, p->msg,
						  sizeof(p->msg), &p->len), 0);
	return r;
}

static int read_into_nothing(struct laya_noise *hs, const uint8_t *msg,
			     size_t len)
{
	uint8_t payload[SMALL];
	size_t payload_len;

	return laya_noise_read_message(hs, msg, len, payload, sizeof(payload),
				       &payload_len);
}

static void pass_next(struct pair *p)
{
	struct laya_noise *r = write_next(p);
	uint8_t payload[SMALL];
	size_t len;

	assert_int_equal(laya_noise_read_message(r, p->msg, p->len, payload,
						 sizeof(payload), &len), 0);
	assert_int_equal(len, PAYLOAD_LEN);
	assert_memory_equal(payload, PAYLOAD, PAYLOAD_LEN);
}

static void pass_all(struct pair *p)
{
	while (!laya_noise_complete(&p->initiator))
		pass_next(p);
	assert_true(laya_noise_complete(&p->responder));
}

static void assert_dead(struct laya_noise *hs)
{
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t other[LAYA_KEY_SIZE];
	uint8_t buf[SMALL] = { 0 };
	size_t len;

	assert_true(sodium_is_zero((const uint8_t *)hs, sizeof(*hs)));
	assert_false(laya_noise_my_turn(hs));
	assert_false(laya_noise_complete(hs));
	assert_int_equal(laya_noise_overhead(hs), 0);
	assert_int_equal(laya_noise_write_message(hs, NULL, 0, buf,
						  sizeof(buf), &len), -EPROTO);
	assert_int_equal(read_into_nothing(hs, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(laya_noise_set_psk(hs, buf), -EPROTO);
	assert_int_equal(laya_noise_fix_ephemeral(hs, buf), -EPROTO);
	assert_int_equal(laya_noise_remote_static(hs, key), -ENODATA);
	assert_int_equal(laya_noise_handshake_hash(hs, key), -ENODATA);
	assert_int_equal(laya_noise_split(hs, key, other), -EPROTO);
}

static void assert_unchanged(const struct laya_noise *hs,
			     const struct laya_noise *before)
{
	assert_memory_equal(hs, before, sizeof(*hs));
}

static void init__refuses_bad_keys(void **state)
{
	uint8_t good[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t bad[LAYA_KEY_SIZE] = { 0 };
	struct laya_noise hs;

	(void)state;
	assert_int_equal(laya_key_generate(good), 0);
	assert_int_equal(laya_key_public(public_key, good), 0);

	/* no private key */
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 bad, public_key, NULL), -EINVAL);
	assert_dead(&hs);
	/* low order */
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 good, bad, NULL), -EINVAL);
	assert_dead(&hs);
	/* not canonical */
	memcpy(bad, public_key, sizeof(bad));
	bad[31] |= 0x80;
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 good, bad, NULL), -EINVAL);
	assert_dead(&hs);
}

static void init__refuses_misplaced_keys(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	struct laya_noise hs;

	(void)state;
	assert_int_equal(laya_key_generate(key), 0);
	assert_int_equal(laya_key_public(public_key, key), 0);
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 key, NULL, NULL), -EINVAL);
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, false, NULL, 0,
					 key, public_key, NULL), -EINVAL);
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 key, public_key, key), -EINVAL);
	assert_int_equal(laya_noise_init(&hs, 2, true, NULL, 0,
					 key, public_key, NULL), -EINVAL);
	assert_dead(&hs);
}

static void handshake__both_patterns(void **state)
{
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];
	uint8_t c[LAYA_KEY_SIZE];
	uint8_t d[LAYA_KEY_SIZE];
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		pass_all(&p);

		assert_int_equal(laya_noise_handshake_hash(&p.initiator, a),
				 0);
		assert_int_equal(laya_noise_handshake_hash(&p.responder, b),
				 0);
		assert_memory_equal(a, b, sizeof(a));
		assert_int_equal(laya_noise_remote_static(&p.initiator, a), 0);
		assert_memory_equal(a, p.responder_public, sizeof(a));
		assert_int_equal(laya_noise_remote_static(&p.responder, a), 0);
		assert_memory_equal(a, p.initiator_public, sizeof(a));

		assert_int_equal(laya_noise_split(&p.initiator, a, b), 0);
		assert_int_equal(laya_noise_split(&p.responder, c, d), 0);
		assert_memory_equal(a, d, sizeof(a));
		assert_memory_equal(b, c, sizeof(b));
		assert_memory_not_equal(a, b, sizeof(a));
	}
}

static void handshake__never_twice_the_same(void **state)
{
	struct laya_noise copy;
	uint8_t msg[SMALL];
	struct pair p;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		copy = p.initiator;
		write_next(&p);
		assert_int_equal(laya_noise_write_message(&copy, PAYLOAD,
							  PAYLOAD_LEN, msg,
							  sizeof(msg), &len),
				 0);
		assert_memory_not_equal(msg, p.msg, LAYA_KEY_SIZE);
	}
}

static void set_psk__after_message_1(void **state)
{
	uint8_t initiator[LAYA_KEY_SIZE];
	uint8_t responder[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t psk[LAYA_KEY_SIZE];
	uint8_t key[LAYA_KEY_SIZE];
	struct laya_noise before;
	struct pair p;
	size_t len;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(laya_key_generate(initiator), 0);
	assert_int_equal(laya_key_generate(responder), 0);
	assert_int_equal(laya_key_generate_psk(psk), 0);
	assert_int_equal(laya_key_public(public_key, responder), 0);
	assert_int_equal(laya_noise_init(&p.initiator, LAYA_NOISE_IK_PSK2,
					 true, NULL, 0, initiator, public_key,
					 NULL), 0);
	assert_int_equal(laya_noise_init(&p.responder, LAYA_NOISE_IK_PSK2,
					 false, NULL, 0, responder, NULL,
					 NULL), 0);

	assert_int_equal(laya_noise_remote_static(&p.responder, key),
			 -ENODATA);
	pass_next(&p);
	assert_int_equal(laya_noise_remote_static(&p.responder, key), 0);
	assert_int_equal(laya_key_public(public_key, initiator), 0);
	assert_memory_equal(key, public_key, sizeof(key));

	/* Without a PSK nothing happens, on either side. */
	before = p.responder;
	assert_int_equal(laya_noise_write_message(&p.responder, NULL, 0, p.msg,
						  sizeof(p.msg), &len),
			 -ENOKEY);
	assert_unchanged(&p.responder, &before);
	assert_int_equal(laya_noise_set_psk(&p.responder, psk), 0);
	write_next(&p);
	before = p.initiator;
	assert_int_equal(read_into_nothing(&p.initiator, p.msg, p.len),
			 -ENOKEY);
	assert_unchanged(&p.initiator, &before);
	assert_int_equal(laya_noise_set_psk(&p.initiator, psk), 0);
	assert_int_equal(read_into_nothing(&p.initiator, p.msg, p.len), 0);

	assert_int_equal(laya_noise_set_psk(&p.initiator, psk), -EPROTO);
	assert_int_equal(laya_noise_set_psk(&p.responder, psk), -EPROTO);
}

static void set_psk__not_in_xk(void **state)
{
	struct pair p;

	(void)state;
	start(&p, LAYA_NOISE_XK);
	assert_int_equal(laya_noise_set_psk(&p.initiator, p.psk), -EPROTO);
}

static void fix_ephemeral__only_once(void **state)
{
	uint8_t zero[LAYA_KEY_SIZE] = { 0 };
	struct pair p;

	(void)state;
	start(&p, LAYA_NOISE_XK);
	assert_int_equal(laya_noise_fix_ephemeral(&p.initiator, zero),
			 -EINVAL);
	assert_int_equal(laya_noise_fix_ephemeral(&p.initiator, p.psk), 0);
	assert_int_equal(laya_noise_fix_ephemeral(&p.initiator, p.psk),
			 -EPROTO);
	pass_next(&p);
	assert_int_equal(laya_noise_fix_ephemeral(&p.initiator, p.psk),
			 -EPROTO);
	pass_next(&p);
	assert_int_equal(laya_noise_fix_ephemeral(&p.responder, p.psk),
			 -EPROTO);
}

static void overhead__as_drawn_in_the_header(void **state)
{
	static const size_t expected[][3] = {
		[LAYA_NOISE_XK] = { 48, 48, 64 },
		[LAYA_NOISE_IK_PSK2] = { 96, 48 },
	};
	struct pair p;
	size_t i;
	size_t m;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		for (m = 0; m < pattern_messages[i]; m++) {
			assert_int_equal(laya_noise_overhead(&p.initiator),
					 expected[i][m]);
			assert_int_equal(laya_noise_overhead(&p.responder),
					 expected[i][m]);
			assert_true(expected[i][m] <= LAYA_NOISE_MAX_OVERHEAD);
			pass_next(&p);
			assert_int_equal(p.len, expected[i][m] + PAYLOAD_LEN);
		}
		assert_int_equal(laya_noise_overhead(&p.initiator), 0);
	}
}

static void run_vector(const struct vector *v)
{
	struct laya_noise_cipher send[2];
	struct laya_noise_cipher receive[2];
	struct laya_noise side[2];
	uint8_t a[2][LAYA_KEY_SIZE];
	uint8_t b[2][LAYA_KEY_SIZE];
	uint8_t resp_public[LAYA_KEY_SIZE];
	uint8_t prologue[16];
	uint8_t expected[SMALL];
	uint8_t plain[SMALL];
	uint8_t back[SMALL];
	uint8_t msg[SMALL];
	uint8_t psk[LAYA_KEY_SIZE];
	size_t prologue_len;
	size_t expected_len;
	size_t plain_len;
	size_t back_len;
	size_t len;
	size_t i;

	prologue_len = unhex(prologue, sizeof(prologue), VECTOR_PROLOGUE);
	if (v->psk)
		unhex(psk, sizeof(psk), v->psk);
	unhex(resp_public, sizeof(resp_public), VECTOR_RESP_PUBLIC);

	unhex(a[0], sizeof(a[0]), VECTOR_INIT_STATIC);
	unhex(b[0], sizeof(b[0]), VECTOR_INIT_EPHEMERAL);
	unhex(a[1], sizeof(a[1]), VECTOR_RESP_STATIC);
	unhex(b[1], sizeof(b[1]), VECTOR_RESP_EPHEMERAL);
	for (i = 0; i < 2; i++) {
		assert_int_equal(laya_noise_init(&side[i], v->pattern, i == 0,
						 prologue, prologue_len, a[i],
						 i == 0 ? resp_public : NULL,
						 v->psk ? psk : NULL), 0);
		assert_int_equal(laya_noise_fix_ephemeral(&side[i], b[i]), 0);
	}

	for (i = 0; i < ARRAY_SIZE(vector_payloads); i++) {
		const size_t from = i % 2;
		const size_t to = 1 - from;

		plain_len = unhex(plain, sizeof(plain), vector_payloads[i]);
		expected_len = unhex(expected, sizeof(expected),
				     v->messages[i]);
		if (i < pattern_messages[v->pattern]) {
			assert_int_equal(laya_noise_write_message(&side[from],
				plain, plain_len, msg, sizeof(msg), &len), 0);
			assert_int_equal(laya_noise_read_message(&side[to],
				msg, len, back, sizeof(back), &back_len), 0);
		} else {
			assert_int_equal(laya_noise_cipher_encrypt(&send[from],
				NULL, 0, plain, plain_len, msg, sizeof(msg),
				&len), 0);
			assert_int_equal(laya_noise_cipher_decrypt(
				&receive[to], NULL, 0, msg, len, back,
				sizeof(back), &back_len), 0);
		}
		assert_int_equal(len, expected_len);
		assert_memory_equal(msg, expected, len);
		assert_int_equal(back_len, plain_len);
		assert_memory_equal(back, plain, plain_len);

		if (i + 1 != pattern_messages[v->pattern])
			continue;
		unhex(expected, sizeof(expected), v->hash);
		for (len = 0; len < 2; len++) {
			assert_int_equal(laya_noise_handshake_hash(&side[len],
								   msg), 0);
			assert_memory_equal(msg, expected,
					    LAYA_NOISE_HASH_SIZE);
			assert_int_equal(laya_noise_split(&side[len], a[len],
							  b[len]), 0);
			laya_noise_cipher_init(&send[len], a[len]);
			laya_noise_cipher_init(&receive[len], b[len]);
		}
	}
}

static void write_message__vectors(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		run_vector(&vectors[i]);
}

static void write_message__small_buffer_touches_nothing(void **state)
{
	struct laya_noise before;
	uint8_t msg[SMALL];
	struct pair p;
	size_t need;
	size_t cap;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			need = laya_noise_overhead(writer(&p)) + PAYLOAD_LEN;
			before = *writer(&p);
			for (cap = 0; cap < need; cap++)
				assert_int_equal(laya_noise_write_message(
					writer(&p), PAYLOAD, PAYLOAD_LEN, msg,
					cap, &len), -EMSGSIZE);
			assert_unchanged(writer(&p), &before);
			pass_next(&p);
		}
	}
}

static void write_message__largest(void **state)
{
	const size_t cap = 2 * LAYA_NOISE_MAX_MESSAGE;
	uint8_t *plain = calloc(1, cap);
	uint8_t *back = calloc(1, cap);
	uint8_t *msg = calloc(1, cap);
	struct laya_noise *r;
	struct pair p;
	size_t most;
	size_t len;
	size_t i;

	(void)state;
	assert_true(plain && back && msg);
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = reader(&p);
			most = LAYA_NOISE_MAX_MESSAGE - laya_noise_overhead(r);
			randombytes_buf(plain, most);
			assert_int_equal(laya_noise_write_message(writer(&p),
				plain, most + 1, msg, cap, &len), -EMSGSIZE);
			assert_int_equal(laya_noise_write_message(writer(&p),
				plain, SIZE_MAX, msg, cap, &len), -EMSGSIZE);
			assert_int_equal(laya_noise_write_message(writer(&p),
				plain, most, msg, cap, &len), 0);
			assert_int_equal(len, LAYA_NOISE_MAX_MESSAGE);
			assert_int_equal(laya_noise_read_message(r, msg,
				len + 1, back, cap, &len), -EMSGSIZE);
			len = LAYA_NOISE_MAX_MESSAGE;
			assert_int_equal(laya_noise_read_message(r, msg,
				len, back, cap, &len), 0);
			assert_int_equal(len, most);
			assert_memory_equal(plain, back, most);
		}
	}
	free(plain);
	free(back);
	free(msg);
}

static void write_message__out_of_order(void **state)
{
	struct laya_noise initiator;
	struct laya_noise responder;
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t other[LAYA_KEY_SIZE];
	uint8_t msg[SMALL] = { 0 };
	struct pair p;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		do {
			initiator = p.initiator;
			responder = p.responder;
			assert_int_equal(laya_noise_write_message(reader(&p),
				NULL, 0, msg, sizeof(msg), &len), -EPROTO);
			assert_int_equal(read_into_nothing(writer(&p), msg,
							   SMALL), -EPROTO);
			assert_int_equal(laya_noise_split(&p.initiator, key,
							  other), -EPROTO);
			assert_int_equal(laya_noise_split(&p.responder, key,
							  other), -EPROTO);
			assert_int_equal(laya_noise_handshake_hash(
				&p.initiator, key), -ENODATA);
			assert_unchanged(&p.initiator, &initiator);
			assert_unchanged(&p.responder, &responder);
			pass_next(&p);
		} while (!laya_noise_complete(&p.initiator));

		/* and when there is no next message */
		assert_int_equal(laya_noise_write_message(&p.initiator, NULL,
			0, msg, sizeof(msg), &len), -EPROTO);
		assert_int_equal(laya_noise_write_message(&p.responder, NULL,
			0, msg, sizeof(msg), &len), -EPROTO);
		assert_int_equal(read_into_nothing(&p.initiator, p.msg, p.len),
				 -EPROTO);
		assert_int_equal(read_into_nothing(&p.responder, p.msg, p.len),
				 -EPROTO);
	}
}

static void read_message__empty_payload(void **state)
{
	struct laya_noise *r;
	struct pair p;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = reader(&p);
			assert_int_equal(laya_noise_write_message(writer(&p),
				NULL, 0, p.msg, sizeof(p.msg), &p.len), 0);
			len = 1;
			assert_int_equal(laya_noise_read_message(r, p.msg,
				p.len, NULL, 0, &len), 0);
			assert_int_equal(len, 0);
		}
	}
}

static void read_message__small_buffer_touches_nothing(void **state)
{
	struct laya_noise before;
	uint8_t payload[SMALL];
	struct laya_noise *r;
	struct pair p;
	size_t cap;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = write_next(&p);
			before = *r;
			for (cap = 0; cap < PAYLOAD_LEN; cap++)
				assert_int_equal(laya_noise_read_message(r,
					p.msg, p.len, payload, cap, &len),
					-EMSGSIZE);
			assert_unchanged(r, &before);
			assert_int_equal(laya_noise_read_message(r, p.msg,
				p.len, payload, PAYLOAD_LEN, &len), 0);
		}
	}
}

/* Each copy of a message comes in memory of its own, for the sanitizer. */
static void read_message__truncated(void **state)
{
	struct laya_noise copy;
	struct laya_noise *r;
	uint8_t *msg;
	struct pair p;
	size_t len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = write_next(&p);
			for (len = 0; len < p.len; len++) {
				msg = malloc(len ? len : 1);
				assert_non_null(msg);
				memcpy(msg, p.msg, len);
				copy = *r;
				assert_int_equal(read_into_nothing(&copy, msg,
								   len),
						 -EBADMSG);
				assert_dead(&copy);
				free(msg);
			}
			assert_int_equal(read_into_nothing(r, p.msg, p.len),
					 0);
		}
	}
}

static void read_message__extended(void **state)
{
	struct laya_noise copy;
	struct laya_noise *r;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = write_next(&p);
			p.msg[p.len] = 0;
			copy = *r;
			assert_int_equal(read_into_nothing(&copy, p.msg,
							   p.len + 1),
					 -EBADMSG);
			assert_dead(&copy);
			assert_int_equal(read_into_nothing(r, p.msg, p.len),
					 0);
		}
	}
}

static void read_message__every_bit_flipped(void **state)
{
	uint8_t payload[SMALL];
	struct laya_noise copy;
	struct laya_noise *r;
	struct pair p;
	size_t bit;
	size_t len;
	size_t i;
	bool top;
	int err;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			/* XK's third message does not start with an e. */
			top = laya_noise_overhead(&p.initiator) != 64;
			r = write_next(&p);
			for (bit = 0; bit < p.len * 8; bit++) {
				p.msg[bit / 8] ^= 1 << (bit % 8);
				copy = *r;
				memset(payload, 0, sizeof(payload));
				err = laya_noise_read_message(&copy, p.msg,
					p.len, payload, sizeof(payload), &len);
				/* the top bit of e: not canonical */
				assert_int_equal(err, top && bit == 255 ?
						 -EINVAL : -EBADMSG);
				assert_dead(&copy);
				assert_true(sodium_is_zero(payload,
							   sizeof(payload)));
				p.msg[bit / 8] ^= 1 << (bit % 8);
			}
			assert_int_equal(read_into_nothing(r, p.msg, p.len),
					 0);
		}
	}
}

static void read_message__random(void **state)
{
	uint8_t msg[SMALL];
	struct laya_noise copy;
	struct pair p;
	size_t len;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		for (n = 0; n < 500; n++) {
			len = randombytes_uniform(sizeof(msg) + 1);
			randombytes_buf(msg, len);
			copy = p.responder;
			assert_int_not_equal(read_into_nothing(&copy, msg,
							       len), 0);
			assert_dead(&copy);
		}
	}
}

static void read_message__reflected(void **state)
{
	struct laya_noise *w;
	struct laya_noise copy;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			w = writer(&p);
			pass_next(&p);
			copy = *w;
			assert_int_equal(read_into_nothing(&copy, p.msg,
							   p.len),
					 laya_noise_complete(w) ? -EPROTO :
								  -EBADMSG);
			if (!laya_noise_complete(w))
				assert_dead(&copy);
		}
	}
}

/* Message N of one handshake into another between the same two. */
static void read_message__of_another_handshake(void **state)
{
	struct laya_noise copy;
	struct laya_noise *r;
	struct pair other;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		other = p;
		/* The first message is a fresh start, and is taken. */
		pass_next(&p);
		pass_next(&other);
		while (!laya_noise_complete(&p.initiator)) {
			r = write_next(&p);
			pass_next(&other);
			copy = *r;
			assert_int_equal(read_into_nothing(&copy, other.msg,
							   other.len),
					 -EBADMSG);
			assert_dead(&copy);
			assert_int_equal(read_into_nothing(r, p.msg, p.len),
					 0);
		}
	}
}

static void read_message__of_another_pattern(void **state)
{
	struct laya_noise ik;
	struct laya_noise xk;
	uint8_t key[LAYA_KEY_SIZE];
	uint8_t public_key[LAYA_KEY_SIZE];
	uint8_t msg[SMALL];
	size_t len;

	(void)state;
	assert_int_equal(laya_key_generate(key), 0);
	assert_int_equal(laya_key_public(public_key, key), 0);
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, true, NULL,
					 0, key, public_key, NULL), 0);
	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, false, NULL, 0,
					 key, NULL, NULL), 0);
	assert_int_equal(laya_noise_write_message(&ik, NULL, 0, msg,
						  sizeof(msg), &len), 0);
	assert_int_equal(read_into_nothing(&xk, msg, len), -EBADMSG);

	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, true, NULL, 0,
					 key, public_key, NULL), 0);
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, false, NULL,
					 0, key, NULL, NULL), 0);
	assert_int_equal(laya_noise_write_message(&xk, PAYLOAD, PAYLOAD_LEN,
						  msg, sizeof(msg), &len), 0);
	assert_int_equal(read_into_nothing(&ik, msg, len), -EBADMSG);
	/* long enough for IK */
	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, true, NULL, 0,
					 key, public_key, NULL), 0);
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, false, NULL,
					 0, key, NULL, NULL), 0);
	assert_int_equal(laya_noise_write_message(&xk, msg, 100, msg + 100,
						  sizeof(msg) - 100, &len), 0);
	assert_int_equal(read_into_nothing(&ik, msg + 100, len), -EBADMSG);
}

static void read_message__wrong_prologue(void **state)
{
	static const char * const prologues[] = { "", "lay", "layb", "laya " };
	struct laya_noise responder;
	uint8_t key[LAYA_KEY_SIZE];
	struct pair p;
	size_t i;
	size_t j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		memcpy(key, p.responder.s, sizeof(key));
		write_next(&p);
		for (j = 0; j < ARRAY_SIZE(prologues); j++) {
			assert_int_equal(laya_noise_init(&responder,
				all_patterns[i], false, prologues[j],
				strlen(prologues[j]), key, NULL, NULL), 0);
			assert_int_equal(read_into_nothing(&responder, p.msg,
							   p.len), -EBADMSG);
			assert_dead(&responder);
		}
		assert_int_equal(read_into_nothing(&p.responder, p.msg, p.len),
				 0);
	}
}

static void read_message__wrong_psk(void **state)
{
	struct pair p;
	int bit;

	(void)state;
	for (bit = 0; bit < LAYA_KEY_SIZE * 8; bit += 37) {
		start(&p, LAYA_NOISE_IK_PSK2);
		pass_next(&p);
		p.psk[bit / 8] ^= 1 << (bit % 8);
		assert_int_equal(laya_noise_set_psk(&p.responder, p.psk), 0);
		write_next(&p);
		assert_int_equal(read_into_nothing(&p.initiator, p.msg, p.len),
				 -EBADMSG);
		assert_dead(&p.initiator);
	}
}

static void read_message__wrong_responder(void **state)
{
	struct pair other;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		start(&other, all_patterns[i]);
		write_next(&p);
		assert_int_equal(read_into_nothing(&other.responder, p.msg,
						   p.len), -EBADMSG);
		assert_dead(&other.responder);
	}
}

/*
 * Somebody who claims another's static key without having it.  In XK they get
 * as far as message 3, in IK not past message 1.
 */
static void read_message__wrong_initiator(void **state)
{
	struct pair other;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		start(&other, all_patterns[i]);
		memcpy(p.initiator.s_public, other.initiator_public,
		       LAYA_KEY_SIZE);
		if (all_patterns[i] == LAYA_NOISE_XK) {
			pass_next(&p);
			pass_next(&p);
		}
		write_next(&p);
		assert_int_equal(read_into_nothing(&p.responder, p.msg, p.len),
				 -EBADMSG);
		assert_dead(&p.responder);
	}
}

static void read_message__bad_ephemeral(void **state)
{
	uint8_t bad[][LAYA_KEY_SIZE] = {
		{ 0 },
		{ 1 },
		/* p - 1, p, p + 9, filled in below */
		{ 0xec }, { 0xed }, { 0xf6 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae,
		  0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd,
		  0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24,
		  0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86,
		  0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};
	struct laya_noise copy;
	struct laya_noise *r;
	uint8_t msg[SMALL];
	struct pair p;
	size_t i;
	size_t j;
	int m;

	(void)state;
	for (j = 2; j < 5; j++) {
		memset(bad[j] + 1, 0xff, LAYA_KEY_SIZE - 1);
		bad[j][31] = 0x7f;
	}
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		for (m = 0; m < 2; m++) {
			r = write_next(&p);
			for (j = 0; j < ARRAY_SIZE(bad); j++) {
				memcpy(msg, p.msg, p.len);
				memcpy(msg, bad[j], LAYA_KEY_SIZE);
				copy = *r;
				assert_int_equal(read_into_nothing(&copy, msg,
								   p.len),
						 -EINVAL);
				assert_dead(&copy);
			}
			assert_int_equal(read_into_nothing(r, p.msg, p.len),
					 0);
		}
	}
}

/* A static key that is sealed as it should be, and still must not be taken. */
static void read_message__bad_static(void **state)
{
	struct pair p;
	size_t i;
	int bad;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		for (bad = 0; bad < 3; bad++) {
			start(&p, all_patterns[i]);
			if (bad < 2) {
				memset(p.initiator.s_public, 0, LAYA_KEY_SIZE);
				p.initiator.s_public[0] = bad;
			} else {
				p.initiator.s_public[31] |= 0x80;
			}
			if (all_patterns[i] == LAYA_NOISE_XK) {
				pass_next(&p);
				pass_next(&p);
			}
			write_next(&p);
			assert_int_equal(read_into_nothing(&p.responder, p.msg,
							   p.len), -EINVAL);
			assert_dead(&p.responder);
		}
	}
}

/* What noise.h says of several untrusted rendezvous servers. */
static void read_message__forged_answer_on_a_copy(void **state)
{
	struct laya_noise attempt;
	struct laya_noise before;
	uint8_t forged[SMALL];
	struct pair p;

	(void)state;
	start(&p, LAYA_NOISE_IK_PSK2);
	pass_next(&p);
	write_next(&p);
	before = p.initiator;
	memcpy(forged, p.msg, p.len);
	forged[p.len - 1] ^= 1;

	attempt = p.initiator;
	assert_int_equal(read_into_nothing(&attempt, forged, p.len),
			 -EBADMSG);
	assert_dead(&attempt);
	assert_unchanged(&p.initiator, &before);

	attempt = p.initiator;
	assert_int_equal(read_into_nothing(&attempt, p.msg, p.len), 0);
	assert_true(laya_noise_complete(&attempt));
}

static void remote_static__when_it_is_known(void **state)
{
	uint8_t key[LAYA_KEY_SIZE];
	struct pair p;

	(void)state;
	start(&p, LAYA_NOISE_XK);
	assert_int_equal(laya_noise_remote_static(&p.initiator, key), 0);
	pass_next(&p);
	pass_next(&p);
	assert_int_equal(laya_noise_remote_static(&p.responder, key),
			 -ENODATA);
	pass_next(&p);
	assert_int_equal(laya_noise_remote_static(&p.responder, key), 0);
	assert_memory_equal(key, p.initiator_public, sizeof(key));
}

static void split__only_once_and_leaves_no_secret(void **state)
{
	uint8_t a[LAYA_KEY_SIZE];
	uint8_t b[LAYA_KEY_SIZE];
	struct laya_noise *hs;
	struct pair p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		pass_all(&p);
		hs = i ? &p.initiator : &p.responder;
		/* The keys that could open it again go first. */
		assert_true(laya_key_is_zero(hs->s));
		assert_true(laya_key_is_zero(hs->e));
		assert_true(laya_key_is_zero(hs->k));
		assert_true(laya_key_is_zero(hs->psk));
		assert_int_equal(laya_noise_split(hs, a, b), 0);
		assert_true(laya_key_is_zero(hs->ck));
		assert_int_equal(laya_noise_split(hs, a, b), -EPROTO);
		assert_int_equal(laya_noise_handshake_hash(hs, a), 0);
		assert_int_equal(laya_noise_remote_static(hs, a), 0);
	}
}

static void wipe__leaves_nothing(void **state)
{
	struct pair p;

	(void)state;
	start(&p, LAYA_NOISE_XK);
	pass_next(&p);
	laya_noise_wipe(&p.initiator);
	assert_dead(&p.initiator);
	laya_noise_wipe(&p.initiator);
	assert_dead(&p.initiator);
}

static void start_ciphers(struct laya_noise_cipher *send,
			  struct laya_noise_cipher *receive)
{
	uint8_t key[LAYA_KEY_SIZE];

	assert_int_equal(laya_key_generate_psk(key), 0);
	laya_noise_cipher_init(send, key);
	laya_noise_cipher_init(receive, key);
}

static void cipher__in_order(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t back[SMALL];
	uint8_t msg[SMALL];
	size_t back_len;
	size_t len;
	int i;

	(void)state;
	start_ciphers(&send, &receive);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(laya_noise_cipher_encrypt(&send, "ad", 2,
			PAYLOAD, i % PAYLOAD_LEN, msg, sizeof(msg), &len), 0);
		assert_int_equal(len, i % PAYLOAD_LEN + LAYA_NOISE_TAG_SIZE);
		assert_int_equal(laya_noise_cipher_decrypt(&receive, "ad", 2,
			msg, len, back, sizeof(back), &back_len), 0);
		assert_int_equal(back_len, i % PAYLOAD_LEN);
		assert_memory_equal(back, PAYLOAD, back_len);
	}
	assert_int_equal(send.nonce, 1000);
	assert_int_equal(receive.nonce, 1000);
}

static void cipher__in_place(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t buf[SMALL] = PAYLOAD;
	size_t len;

	(void)state;
	start_ciphers(&send, &receive);
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, buf,
		PAYLOAD_LEN, buf, sizeof(buf), &len), 0);
	assert_memory_not_equal(buf, PAYLOAD, PAYLOAD_LEN);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, buf, len,
		buf, sizeof(buf), &len), 0);
	assert_int_equal(len, PAYLOAD_LEN);
	assert_memory_equal(buf, PAYLOAD, PAYLOAD_LEN);
}

static void cipher_encrypt__sizes(void **state)
{
	const size_t most = LAYA_NOISE_MAX_MESSAGE - LAYA_NOISE_TAG_SIZE;
	uint8_t *buf = calloc(1, LAYA_NOISE_MAX_MESSAGE + 1);
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	size_t len;

	(void)state;
	assert_non_null(buf);
	start_ciphers(&send, &receive);
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, buf, most,
		buf, LAYA_NOISE_MAX_MESSAGE - 1, &len), -EMSGSIZE);
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, buf,
		most + 1, buf, LAYA_NOISE_MAX_MESSAGE + 1, &len), -EMSGSIZE);
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, buf,
		SIZE_MAX, buf, SIZE_MAX, &len), -EMSGSIZE);
	assert_int_equal(send.nonce, 0);
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, buf, most,
		buf, LAYA_NOISE_MAX_MESSAGE, &len), 0);

	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, buf,
		len + 1, buf, LAYA_NOISE_MAX_MESSAGE, &len), -EMSGSIZE);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, buf,
		len, buf, most - 1, &len), -EMSGSIZE);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, buf,
		len, buf, most, &len), 0);
	assert_int_equal(len, most);
	free(buf);
}

static void cipher_decrypt__altered(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t back[SMALL];
	uint8_t msg[SMALL];
	size_t back_len;
	size_t len;
	size_t i;

	(void)state;
	start_ciphers(&send, &receive);
	assert_int_equal(laya_noise_cipher_encrypt(&send, "ad", 2, PAYLOAD,
		PAYLOAD_LEN, msg, sizeof(msg), &len), 0);
	for (i = 0; i < len * 8; i++) {
		msg[i / 8] ^= 1 << (i % 8);
		assert_int_equal(laya_noise_cipher_decrypt(&receive, "ad", 2,
			msg, len, back, sizeof(back), &back_len), -EBADMSG);
		msg[i / 8] ^= 1 << (i % 8);
	}
	for (i = 0; i < len; i++)
		assert_int_equal(laya_noise_cipher_decrypt(&receive, "ad", 2,
			msg, i, back, sizeof(back), &back_len), -EBADMSG);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, "aD", 2, msg, len,
		back, sizeof(back), &back_len), -EBADMSG);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg, len,
		back, sizeof(back), &back_len), -EBADMSG);
	/* None of these used up the nonce. */
	assert_int_equal(laya_noise_cipher_decrypt(&receive, "ad", 2, msg, len,
		back, sizeof(back), &back_len), 0);
}

static void cipher_decrypt__replayed_or_reordered(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t msg[2][SMALL];
	uint8_t back[SMALL];
	size_t len[2];
	size_t n;
	int i;

	(void)state;
	start_ciphers(&send, &receive);
	for (i = 0; i < 2; i++)
		assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0,
			PAYLOAD, PAYLOAD_LEN, msg[i], sizeof(msg[i]),
			&len[i]), 0);
	assert_memory_not_equal(msg[0], msg[1], len[0]);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg[1],
		len[1], back, sizeof(back), &n), -EBADMSG);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg[0],
		len[0], back, sizeof(back), &n), 0);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg[0],
		len[0], back, sizeof(back), &n), -EBADMSG);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg[1],
		len[1], back, sizeof(back), &n), 0);
}

static void cipher__expires_before_the_last_nonce(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t back[SMALL];
	uint8_t msg[SMALL];
	size_t len;
	size_t n;
	int i;

	(void)state;
	start_ciphers(&send, &receive);
	send.nonce = UINT64_MAX - 1;
	receive.nonce = UINT64_MAX - 1;
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, PAYLOAD,
		PAYLOAD_LEN, msg, sizeof(msg), &len), 0);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg, len,
		back, sizeof(back), &n), 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0,
			PAYLOAD, PAYLOAD_LEN, msg, sizeof(msg), &len),
			-EKEYEXPIRED);
		assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0,
			msg, len, back, sizeof(back), &n), -EKEYEXPIRED);
	}
	assert_int_equal(send.nonce, UINT64_MAX);
}

/* All eight bytes of the nonce count: these two differ in the high half. */
static void cipher__nonce_has_64_bits(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t back[SMALL];
	uint8_t msg[SMALL];
	size_t len;
	size_t n;

	(void)state;
	start_ciphers(&send, &receive);
	send.nonce = 1ULL << 32;
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, PAYLOAD,
		PAYLOAD_LEN, msg, sizeof(msg), &len), 0);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg, len,
		back, sizeof(back), &n), -EBADMSG);
	receive.nonce = 1ULL << 32;
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg, len,
		back, sizeof(back), &n), 0);
}

static void cipher_wipe__has_no_key(void **state)
{
	struct laya_noise_cipher receive;
	struct laya_noise_cipher send;
	uint8_t msg[SMALL] = { 0 };
	size_t len;

	(void)state;
	start_ciphers(&send, &receive);
	laya_noise_cipher_wipe(&send);
	laya_noise_cipher_wipe(&receive);
	assert_true(sodium_is_zero((const uint8_t *)&send, sizeof(send)));
	assert_int_equal(laya_noise_cipher_encrypt(&send, NULL, 0, PAYLOAD,
		PAYLOAD_LEN, msg, sizeof(msg), &len), -ENOKEY);
	assert_int_equal(laya_noise_cipher_decrypt(&receive, NULL, 0, msg, 32,
		msg, sizeof(msg), &len), -ENOKEY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(init__refuses_bad_keys),
		cmocka_unit_test(init__refuses_misplaced_keys),
		cmocka_unit_test(handshake__both_patterns),
		cmocka_unit_test(handshake__never_twice_the_same),
		cmocka_unit_test(set_psk__after_message_1),
		cmocka_unit_test(set_psk__not_in_xk),
		cmocka_unit_test(fix_ephemeral__only_once),
		cmocka_unit_test(overhead__as_drawn_in_the_header),
		cmocka_unit_test(write_message__vectors),
		cmocka_unit_test(write_message__small_buffer_touches_nothing),
		cmocka_unit_test(write_message__largest),
		cmocka_unit_test(write_message__out_of_order),
		cmocka_unit_test(read_message__empty_payload),
		cmocka_unit_test(read_message__small_buffer_touches_nothing),
		cmocka_unit_test(read_message__truncated),
		cmocka_unit_test(read_message__extended),
		cmocka_unit_test(read_message__every_bit_flipped),
		cmocka_unit_test(read_message__random),
		cmocka_unit_test(read_message__reflected),
		cmocka_unit_test(read_message__of_another_handshake),
		cmocka_unit_test(read_message__of_another_pattern),
		cmocka_unit_test(read_message__wrong_prologue),
		cmocka_unit_test(read_message__wrong_psk),
		cmocka_unit_test(read_message__wrong_responder),
		cmocka_unit_test(read_message__wrong_initiator),
		cmocka_unit_test(read_message__bad_ephemeral),
		cmocka_unit_test(read_message__bad_static),
		cmocka_unit_test(read_message__forged_answer_on_a_copy),
		cmocka_unit_test(remote_static__when_it_is_known),
		cmocka_unit_test(split__only_once_and_leaves_no_secret),
		cmocka_unit_test(wipe__leaves_nothing),
		cmocka_unit_test(cipher__in_order),
		cmocka_unit_test(cipher__in_place),
		cmocka_unit_test(cipher_encrypt__sizes),
		cmocka_unit_test(cipher_decrypt__altered),
		cmocka_unit_test(cipher_decrypt__replayed_or_reordered),
		cmocka_unit_test(cipher__expires_before_the_last_nonce),
		cmocka_unit_test(cipher__nonce_has_64_bits),
		cmocka_unit_test(cipher_wipe__has_no_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
