// SPDX-License-Identifier: GPL-2.0
/* What must not be taken, and must leave nothing to go on with. */
#include "noise_pair.h"

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
			assert_int_equal(read_into_nothing(r, p.msg, p.len), 0);
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
			assert_int_equal(read_into_nothing(r, p.msg, p.len), 0);
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
				err = read_msg(&copy, p.msg, p.len, payload,
					       sizeof(payload), &len);
				/* the top bit of e: not canonical */
				assert_int_equal(err, top && bit == 255 ?
							      -EINVAL :
							      -EBADMSG);
				assert_dead(&copy);
				assert_true(sodium_is_zero(payload,
							   sizeof(payload)));
				p.msg[bit / 8] ^= 1 << (bit % 8);
			}
			assert_int_equal(read_into_nothing(r, p.msg, p.len), 0);
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
			assert_int_not_equal(read_into_nothing(&copy, msg, len),
					     0);
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
			assert_int_equal(read_into_nothing(&copy, p.msg, p.len),
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
			assert_int_equal(read_into_nothing(r, p.msg, p.len), 0);
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
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, true, NULL, 0,
					 key, public_key, NULL),
			 0);
	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, false, NULL, 0,
					 key, NULL, NULL),
			 0);
	assert_int_equal(write_msg(&ik, NULL, 0, msg, sizeof(msg), &len), 0);
	assert_int_equal(read_into_nothing(&xk, msg, len), -EBADMSG);

	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, true, NULL, 0, key,
					 public_key, NULL),
			 0);
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, false, NULL,
					 0, key, NULL, NULL),
			 0);
	assert_int_equal(write_msg(&xk, PAYLOAD, PAYLOAD_LEN, msg, sizeof(msg),
				   &len),
			 0);
	assert_int_equal(read_into_nothing(&ik, msg, len), -EBADMSG);
	/* long enough for IK */
	assert_int_equal(laya_noise_init(&xk, LAYA_NOISE_XK, true, NULL, 0, key,
					 public_key, NULL),
			 0);
	assert_int_equal(laya_noise_init(&ik, LAYA_NOISE_IK_PSK2, false, NULL,
					 0, key, NULL, NULL),
			 0);
	assert_int_equal(write_msg(&xk, msg, 100, msg + 100, sizeof(msg) - 100,
				   &len),
			 0);
	assert_int_equal(read_into_nothing(&ik, msg + 100, len), -EBADMSG);
}

static void read_message__wrong_prologue(void **state)
{
	static const char *const prologues[] = { "", "lay", "layb", "laya " };
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
							 all_patterns[i], false,
							 prologues[j],
							 strlen(prologues[j]),
							 key, NULL, NULL),
					 0);
			assert_int_equal(read_into_nothing(&responder, p.msg,
							   p.len),
					 -EBADMSG);
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
						   p.len),
				 -EBADMSG);
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
		{ 0xec },
		{ 0xed },
		{ 0xf6 },
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
			assert_int_equal(read_into_nothing(r, p.msg, p.len), 0);
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
							   p.len),
					 -EINVAL);
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
	assert_int_equal(read_into_nothing(&attempt, forged, p.len), -EBADMSG);
	assert_dead(&attempt);
	assert_unchanged(&p.initiator, &before);

	attempt = p.initiator;
	assert_int_equal(read_into_nothing(&attempt, p.msg, p.len), 0);
	assert_true(laya_noise_complete(&attempt));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
