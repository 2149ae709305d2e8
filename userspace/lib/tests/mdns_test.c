// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../mdns.h"

static void token__same_on_both_sides(void **state)
{
	const uint8_t private_a[LAYA_KEY_SIZE] = { 8, 1 };
	const uint8_t private_b[LAYA_KEY_SIZE] = { 8, 2 };
	uint8_t public_a[LAYA_KEY_SIZE], public_b[LAYA_KEY_SIZE];
	uint8_t secret_a[LAYA_KEY_SIZE], secret_b[LAYA_KEY_SIZE];
	uint8_t one[LAYA_MDNS_TOKEN_SIZE], other[LAYA_MDNS_TOKEN_SIZE];

	(void)state;
	assert_int_equal(laya_key_public(public_a, private_a), 0);
	assert_int_equal(laya_key_public(public_b, private_b), 0);
	assert_int_equal(laya_mdns_secret(secret_a, private_a, public_b), 0);
	assert_int_equal(laya_mdns_secret(secret_b, private_b, public_a), 0);
	laya_mdns_token(one, secret_a, public_b, 7);
	laya_mdns_token(other, secret_b, public_b, 7);
	assert_memory_equal(one, other, sizeof(one));
	/* of the other one, and of the next hour */
	laya_mdns_token(other, secret_b, public_a, 7);
	assert_memory_not_equal(one, other, sizeof(one));
	laya_mdns_token(other, secret_b, public_b, 8);
	assert_memory_not_equal(one, other, sizeof(one));
	memset(public_a, 0, sizeof(public_a));
	assert_int_equal(laya_mdns_secret(secret_b, private_b, public_a),
			 -EINVAL);
}

static void fill(struct laya_mdns_message *message, bool answer)
{
	struct laya_mdns_service *service;

	memset(message, 0, sizeof(*message));
	service = message->services;
	message->answer = answer;
	message->n = 2;
	memset(service[0].token, 0xab, LAYA_MDNS_TOKEN_SIZE);
	memset(service[1].token, 0x10, LAYA_MDNS_TOKEN_SIZE);
	if (!answer)
		return;
	service[0].port = 5292;
	service[0].n = 2;
	laya_address_parse(&service[0].addresses[0], "192.0.2.1:5292");
	laya_address_parse(&service[0].addresses[1], "[2001:db8::1]:5292");
	service[1].port = 1;
}

static void prove__each_part(void **state)
{
	const uint8_t secret[LAYA_KEY_SIZE] = { 1 }, other[LAYA_KEY_SIZE] = { 2 };
	struct laya_mdns_message message;
	struct laya_mdns_service *service = message.services;

	(void)state;
	fill(&message, true);
	assert_false(laya_mdns_is_proven(service, secret));
	laya_mdns_prove(service, secret);
	assert_true(laya_mdns_is_proven(service, secret));
	assert_false(laya_mdns_is_proven(service, other));
	service->port++;
	assert_false(laya_mdns_is_proven(service, secret));
	service->port--;
	service->addresses[1].addr[15]++;
	assert_false(laya_mdns_is_proven(service, secret));
	service->n--;
	assert_false(laya_mdns_is_proven(service, secret));
	service->n++;
	service->addresses[1].addr[15]--;
	service->token[0]++;
	assert_false(laya_mdns_is_proven(service, secret));
}

static void write__is_read_again(void **state)
{
	struct laya_mdns_message message, again;
	uint8_t bytes[LAYA_MDNS_MAX];
	uint8_t part[LAYA_MDNS_MAX];
	unsigned int answer;
	size_t len, cut;

	(void)state;
	for (answer = 0; answer < 2; answer++) {
		fill(&message, answer);
		assert_int_equal(laya_mdns_write(&message, bytes,
						 sizeof(bytes), &len), 0);
		assert_int_equal(laya_mdns_read(&again, bytes, len), 0);
		assert_memory_equal(&message, &again, sizeof(message));
		/* Cut anywhere it is refused, and does not fit. */
		for (cut = 0; cut < len; cut++) {
			assert_int_equal(laya_mdns_read(&again, bytes, cut),
					 -EBADMSG);
			assert_int_equal(laya_mdns_write(&message, part, cut,
							 &(size_t){ 0 }),
					 -EMSGSIZE);
		}
	}
}

/* A full message of either kind is one packet. */
static void write__largest(void **state)
{
	struct laya_mdns_message message = { .n = LAYA_MDNS_TOKENS };
	uint8_t bytes[LAYA_MDNS_MAX];
	size_t len;

	(void)state;
	assert_int_equal(laya_mdns_write(&message, bytes, sizeof(bytes), &len),
			 0);
	fill(&message, true);
	message.n = 1;
	message.services[0].n = LAYA_MDNS_ADDRESSES;
	message.services[0].addresses[2] = message.services[0].addresses[1];
	message.services[0].addresses[3] = message.services[0].addresses[1];
	assert_int_equal(laya_mdns_write(&message, bytes, sizeof(bytes), &len),
			 0);
}

/* What other responders say, compressed */
static void read__others(void **state)
{
	static const uint8_t others[] =
		"\0\0\x84\0\0\0\0\2\0\0\0\0"
		"\x05printer\x04" /* the label is too short: no text of ours */;
	static const uint8_t compressed[] =
		"\0\0\0\0\0\2\0\0\0\0\0\0"
		"\x05_LAYA\4_tcp\5local\0\0\x21\0\1"
		"\x20" "ABABABABABABABABABABABABABABABAB\xc0\x0c\0\xff\x80\1";
	struct laya_mdns_message message;

	(void)state;
	assert_int_equal(laya_mdns_read(&message, others, sizeof(others) - 1),
			 -EBADMSG);
	assert_int_equal(laya_mdns_read(&message, compressed,
					sizeof(compressed) - 1), 0);
	assert_false(message.answer);
	assert_int_equal(message.n, 1);
	assert_int_equal(message.services[0].token[15], 0xab);
}

static void read__pointers(void **state)
{
	/* to itself, forward, to each other, out of the message */
	static const uint8_t bad[][4] = {
		{ 0xc0, 12, 0, 0 }, { 0xc0, 14, 0, 0 },
		{ 0xc0, 14, 0xc0, 12 }, { 0xff, 0xff, 0, 0 },
		{ 0x80, 0, 0, 0 }, { 0x40, 0, 0, 0 },
	};
	uint8_t bytes[64] = { [5] = 1 };
	struct laya_mdns_message message;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(bytes + 12, bad[i], 4);
		assert_int_equal(laya_mdns_read(&message, bytes,
						sizeof(bytes)), -EBADMSG);
	}
}

static void read__too_many(void **state)
{
	struct laya_mdns_message message;
	uint8_t bytes[8192] = { [4] = 1, [5] = 1 };

	(void)state;
	assert_int_equal(laya_mdns_read(&message, bytes, sizeof(bytes)),
			 -EBADMSG);
	/* another opcode, an error */
	bytes[4] = 0;
	bytes[2] = 0x28;
	assert_int_equal(laya_mdns_read(&message, bytes, sizeof(bytes)),
			 -EBADMSG);
	bytes[2] = 0x80;
	bytes[3] = 3;
	assert_int_equal(laya_mdns_read(&message, bytes, sizeof(bytes)),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token__same_on_both_sides),
		cmocka_unit_test(prove__each_part),
		cmocka_unit_test(write__is_read_again),
		cmocka_unit_test(write__largest),
		cmocka_unit_test(read__others),
		cmocka_unit_test(read__pointers),
		cmocka_unit_test(read__too_many),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
