// SPDX-License-Identifier: GPL-2.0
#include "noise_pair.h"
#include "noise_vectors.h"

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
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0, bad,
					 public_key, NULL),
			 -EINVAL);
	assert_dead(&hs);
	/* low order */
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 good, bad, NULL),
			 -EINVAL);
	assert_dead(&hs);
	/* not canonical */
	memcpy(bad, public_key, sizeof(bad));
	bad[31] |= 0x80;
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0,
					 good, bad, NULL),
			 -EINVAL);
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
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0, key,
					 NULL, NULL),
			 -EINVAL);
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, false, NULL, 0,
					 key, public_key, NULL),
			 -EINVAL);
	assert_int_equal(laya_noise_init(&hs, LAYA_NOISE_XK, true, NULL, 0, key,
					 public_key, key),
			 -EINVAL);
	assert_int_equal(laya_noise_init(&hs, 2, true, NULL, 0, key, public_key,
					 NULL),
			 -EINVAL);
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

		assert_int_equal(get_hash(&p.initiator, a), 0);
		assert_int_equal(get_hash(&p.responder, b), 0);
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
		assert_int_equal(write_msg(&copy, PAYLOAD, PAYLOAD_LEN, msg,
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
	assert_int_equal(laya_noise_init(&p.initiator, LAYA_NOISE_IK_PSK2, true,
					 NULL, 0, initiator, public_key, NULL),
			 0);
	assert_int_equal(laya_noise_init(&p.responder, LAYA_NOISE_IK_PSK2,
					 false, NULL, 0, responder, NULL, NULL),
			 0);

	assert_int_equal(laya_noise_remote_static(&p.responder, key), -ENODATA);
	pass_next(&p);
	assert_int_equal(laya_noise_remote_static(&p.responder, key), 0);
	assert_int_equal(laya_key_public(public_key, initiator), 0);
	assert_memory_equal(key, public_key, sizeof(key));

	/* Without a PSK nothing happens, on either side. */
	before = p.responder;
	assert_int_equal(write_msg(&p.responder, NULL, 0, p.msg, sizeof(p.msg),
				   &len),
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
	assert_int_equal(laya_noise_fix_ephemeral(&p.initiator, zero), -EINVAL);
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

static size_t unhex(uint8_t *out, size_t cap, const char *hex)
{
	size_t len;

	assert_int_equal(sodium_hex2bin(out, cap, hex, strlen(hex), NULL, &len,
					NULL),
			 0);
	return len;
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
						 v->psk ? psk : NULL),
				 0);
		assert_int_equal(laya_noise_fix_ephemeral(&side[i], b[i]), 0);
	}

	for (i = 0; i < ARRAY_SIZE(vector_payloads); i++) {
		const size_t from = i % 2;
		const size_t to = 1 - from;

		plain_len = unhex(plain, sizeof(plain), vector_payloads[i]);
		expected_len =
			unhex(expected, sizeof(expected), v->messages[i]);
		if (i < pattern_messages[v->pattern]) {
			assert_int_equal(write_msg(&side[from], plain,
						   plain_len, msg, sizeof(msg),
						   &len),
					 0);
			assert_int_equal(read_msg(&side[to], msg, len, back,
						  sizeof(back), &back_len),
					 0);
		} else {
			assert_int_equal(encrypt(&send[from], NULL, 0, plain,
						 plain_len, msg, sizeof(msg),
						 &len),
					 0);
			assert_int_equal(decrypt(&receive[to], NULL, 0, msg,
						 len, back, sizeof(back),
						 &back_len),
					 0);
		}
		assert_int_equal(len, expected_len);
		assert_memory_equal(msg, expected, len);
		assert_int_equal(back_len, plain_len);
		assert_memory_equal(back, plain, plain_len);

		if (i + 1 != pattern_messages[v->pattern])
			continue;
		unhex(expected, sizeof(expected), v->hash);
		for (len = 0; len < 2; len++) {
			assert_int_equal(get_hash(&side[len], msg), 0);
			assert_memory_equal(msg, expected,
					    LAYA_NOISE_HASH_SIZE);
			assert_int_equal(laya_noise_split(&side[len], a[len],
							  b[len]),
					 0);
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
				assert_int_equal(write_msg(writer(&p), PAYLOAD,
							   PAYLOAD_LEN, msg,
							   cap, &len),
						 -EMSGSIZE);
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
			assert_int_equal(write_msg(writer(&p), plain, most + 1,
						   msg, cap, &len),
					 -EMSGSIZE);
			assert_int_equal(write_msg(writer(&p), plain, SIZE_MAX,
						   msg, cap, &len),
					 -EMSGSIZE);
			assert_int_equal(write_msg(writer(&p), plain, most, msg,
						   cap, &len),
					 0);
			assert_int_equal(len, LAYA_NOISE_MAX_MESSAGE);
			assert_int_equal(read_msg(r, msg, len + 1, back, cap,
						  &len),
					 -EMSGSIZE);
			len = LAYA_NOISE_MAX_MESSAGE;
			assert_int_equal(read_msg(r, msg, len, back, cap, &len),
					 0);
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
			assert_int_equal(write_msg(reader(&p), NULL, 0, msg,
						   sizeof(msg), &len),
					 -EPROTO);
			assert_int_equal(read_into_nothing(writer(&p), msg,
							   SMALL),
					 -EPROTO);
			assert_int_equal(laya_noise_split(&p.initiator, key,
							  other),
					 -EPROTO);
			assert_int_equal(laya_noise_split(&p.responder, key,
							  other),
					 -EPROTO);
			assert_int_equal(get_hash(&p.initiator, key), -ENODATA);
			assert_unchanged(&p.initiator, &initiator);
			assert_unchanged(&p.responder, &responder);
			pass_next(&p);
		} while (!laya_noise_complete(&p.initiator));

		/* and when there is no next message */
		assert_int_equal(write_msg(&p.initiator, NULL, 0, msg,
					   sizeof(msg), &len),
				 -EPROTO);
		assert_int_equal(write_msg(&p.responder, NULL, 0, msg,
					   sizeof(msg), &len),
				 -EPROTO);
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
	int err;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(all_patterns); i++) {
		start(&p, all_patterns[i]);
		while (!laya_noise_complete(&p.initiator)) {
			r = reader(&p);
			assert_int_equal(write_msg(writer(&p), NULL, 0, p.msg,
						   sizeof(p.msg), &p.len),
					 0);
			len = 1;
			err = read_msg(r, p.msg, p.len, NULL, 0, &len);
			assert_int_equal(err, 0);
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
				assert_int_equal(read_msg(r, p.msg, p.len,
							  payload, cap, &len),
						 -EMSGSIZE);
			assert_unchanged(r, &before);
			assert_int_equal(read_msg(r, p.msg, p.len, payload,
						  PAYLOAD_LEN, &len),
					 0);
		}
	}
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
	assert_int_equal(laya_noise_remote_static(&p.responder, key), -ENODATA);
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
		assert_int_equal(get_hash(hs, a), 0);
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
		cmocka_unit_test(remote_static__when_it_is_known),
		cmocka_unit_test(split__only_once_and_leaves_no_secret),
		cmocka_unit_test(wipe__leaves_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
