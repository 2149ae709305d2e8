// SPDX-License-Identifier: GPL-2.0
#include "noise_pair.h"

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
		assert_int_equal(encrypt(&send, "ad", 2, PAYLOAD,
					 i % PAYLOAD_LEN, msg, sizeof(msg),
					 &len),
				 0);
		assert_int_equal(len, i % PAYLOAD_LEN + LAYA_NOISE_TAG_SIZE);
		assert_int_equal(decrypt(&receive, "ad", 2, msg, len, back,
					 sizeof(back), &back_len),
				 0);
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
	assert_int_equal(encrypt(&send, NULL, 0, buf, PAYLOAD_LEN, buf,
				 sizeof(buf), &len),
			 0);
	assert_memory_not_equal(buf, PAYLOAD, PAYLOAD_LEN);
	assert_int_equal(decrypt(&receive, NULL, 0, buf, len, buf, sizeof(buf),
				 &len),
			 0);
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
	assert_int_equal(encrypt(&send, NULL, 0, buf, most, buf,
				 LAYA_NOISE_MAX_MESSAGE - 1, &len),
			 -EMSGSIZE);
	assert_int_equal(encrypt(&send, NULL, 0, buf, most + 1, buf,
				 LAYA_NOISE_MAX_MESSAGE + 1, &len),
			 -EMSGSIZE);
	assert_int_equal(encrypt(&send, NULL, 0, buf, SIZE_MAX, buf, SIZE_MAX,
				 &len),
			 -EMSGSIZE);
	assert_int_equal(send.nonce, 0);
	assert_int_equal(encrypt(&send, NULL, 0, buf, most, buf,
				 LAYA_NOISE_MAX_MESSAGE, &len),
			 0);

	assert_int_equal(decrypt(&receive, NULL, 0, buf, len + 1, buf,
				 LAYA_NOISE_MAX_MESSAGE, &len),
			 -EMSGSIZE);
	assert_int_equal(decrypt(&receive, NULL, 0, buf, len, buf, most - 1,
				 &len),
			 -EMSGSIZE);
	assert_int_equal(decrypt(&receive, NULL, 0, buf, len, buf, most, &len),
			 0);
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
	assert_int_equal(encrypt(&send, "ad", 2, PAYLOAD, PAYLOAD_LEN, msg,
				 sizeof(msg), &len),
			 0);
	for (i = 0; i < len * 8; i++) {
		msg[i / 8] ^= 1 << (i % 8);
		assert_int_equal(decrypt(&receive, "ad", 2, msg, len, back,
					 sizeof(back), &back_len),
				 -EBADMSG);
		msg[i / 8] ^= 1 << (i % 8);
	}
	for (i = 0; i < len; i++)
		assert_int_equal(decrypt(&receive, "ad", 2, msg, i, back,
					 sizeof(back), &back_len),
				 -EBADMSG);
	assert_int_equal(decrypt(&receive, "aD", 2, msg, len, back,
				 sizeof(back), &back_len),
			 -EBADMSG);
	assert_int_equal(decrypt(&receive, NULL, 0, msg, len, back,
				 sizeof(back), &back_len),
			 -EBADMSG);
	/* None of these used up the nonce. */
	assert_int_equal(decrypt(&receive, "ad", 2, msg, len, back,
				 sizeof(back), &back_len),
			 0);
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
		assert_int_equal(encrypt(&send, NULL, 0, PAYLOAD, PAYLOAD_LEN,
					 msg[i], sizeof(msg[i]), &len[i]),
				 0);
	assert_memory_not_equal(msg[0], msg[1], len[0]);
	assert_int_equal(decrypt(&receive, NULL, 0, msg[1], len[1], back,
				 sizeof(back), &n),
			 -EBADMSG);
	assert_int_equal(decrypt(&receive, NULL, 0, msg[0], len[0], back,
				 sizeof(back), &n),
			 0);
	assert_int_equal(decrypt(&receive, NULL, 0, msg[0], len[0], back,
				 sizeof(back), &n),
			 -EBADMSG);
	assert_int_equal(decrypt(&receive, NULL, 0, msg[1], len[1], back,
				 sizeof(back), &n),
			 0);
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
	assert_int_equal(encrypt(&send, NULL, 0, PAYLOAD, PAYLOAD_LEN, msg,
				 sizeof(msg), &len),
			 0);
	assert_int_equal(decrypt(&receive, NULL, 0, msg, len, back,
				 sizeof(back), &n),
			 0);
	for (i = 0; i < 3; i++) {
		assert_int_equal(encrypt(&send, NULL, 0, PAYLOAD, PAYLOAD_LEN,
					 msg, sizeof(msg), &len),
				 -EKEYEXPIRED);
		assert_int_equal(decrypt(&receive, NULL, 0, msg, len, back,
					 sizeof(back), &n),
				 -EKEYEXPIRED);
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
	assert_int_equal(encrypt(&send, NULL, 0, PAYLOAD, PAYLOAD_LEN, msg,
				 sizeof(msg), &len),
			 0);
	assert_int_equal(decrypt(&receive, NULL, 0, msg, len, back,
				 sizeof(back), &n),
			 -EBADMSG);
	receive.nonce = 1ULL << 32;
	assert_int_equal(decrypt(&receive, NULL, 0, msg, len, back,
				 sizeof(back), &n),
			 0);
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
	assert_int_equal(encrypt(&send, NULL, 0, PAYLOAD, PAYLOAD_LEN, msg,
				 sizeof(msg), &len),
			 -ENOKEY);
	assert_int_equal(decrypt(&receive, NULL, 0, msg, 32, msg, sizeof(msg),
				 &len),
			 -ENOKEY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
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
