// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../packet.h"

#define L(n)	0x82, 0, 0, 0, 0, 0, 0, n
#define R(n)	0x83, 0, 0, 0, 0, 0, 0, n

/* Shims, and something that looks sealed behind them */
static size_t make(uint8_t *to, const uint8_t *shims, size_t n, size_t size)
{
	memset(to, 0x55, size);
	if (n > 0)
		memcpy(to, shims, n);
	to[n] = LAYA_PACKET_DATA;
	to[n + 1] = 0;
	return size;
}

static int parse(struct laya_shims *shims, const uint8_t *bytes, size_t n)
{
	uint8_t data[128];

	return laya_shims_parse(shims, data,
				make(data, bytes, n, n + LAYA_SEALED_MIN));
}

static void numbers__round_trip(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t out[8];

	(void)state;
	assert_int_equal(laya_get16(bytes), 0x0102);
	assert_int_equal(laya_get32(bytes), 0x01020304);
	assert_true(laya_get48(bytes) == 0x010203040506ull);
	assert_true(laya_get64(bytes) == 0x0102030405060708ull);
	laya_put64(out, 0x0102030405060708ull);
	assert_memory_equal(out, bytes, 8);
	laya_put48(out, 0x010203040506ull);
	assert_memory_equal(out, bytes, 6);
	laya_put32(out, 0x01020304);
	laya_put16(out + 4, 0x0506);
	assert_memory_equal(out, bytes, 6);
}

static void shims_parse__orders(void **state)
{
	static const uint8_t full[] = { L(1), L(2), R(3), R(0) };
	static const uint8_t three[] = { L(1), L(2), L(3) };
	static const uint8_t slots[] = { L(1), R(1), R(2), R(3) };
	static const uint8_t mixed[] = { L(1), R(0), L(2) };
	static const uint8_t alone[] = { R(0) };
	static const uint8_t flags[] = { 0x82, 1, 0, 0, 0, 0, 0, 1 };
	static const uint8_t type[] = { 0x84, 0, 0, 0, 0, 0, 0, 1 };
	struct laya_shims shims;

	(void)state;
	assert_int_equal(parse(&shims, NULL, 0), 0);
	assert_int_equal(shims.n_labels + shims.n_returns + shims.len, 0);
	assert_int_equal(parse(&shims, full, sizeof(full)), 0);
	assert_int_equal(shims.n_labels, 2);
	assert_int_equal(shims.n_returns, 2);
	assert_int_equal(shims.len, sizeof(full));
	assert_int_equal(shims.labels[0], 1);
	assert_int_equal(shims.labels[1], 2);
	assert_int_equal(shims.returns[0], 3);
	assert_int_equal(shims.returns[1], 0);

	assert_int_equal(parse(&shims, three, sizeof(three)), -EBADMSG);
	assert_int_equal(parse(&shims, slots, sizeof(slots)), -EBADMSG);
	assert_int_equal(parse(&shims, mixed, sizeof(mixed)), -EBADMSG);
	assert_int_equal(parse(&shims, alone, sizeof(alone)), -EBADMSG);
	assert_int_equal(parse(&shims, flags, sizeof(flags)), -EBADMSG);
	assert_int_equal(parse(&shims, type, sizeof(type)), -EBADMSG);
}

static void shims_parse__lengths(void **state)
{
	static const uint8_t one[] = { L(1), R(0) };
	struct laya_shims shims;
	uint8_t data[64];
	size_t len;

	(void)state;
	len = make(data, one, sizeof(one), sizeof(one) + LAYA_SEALED_MIN);
	assert_int_equal(laya_shims_parse(&shims, data, len), 0);
	while (len-- > 0)
		assert_int_equal(laya_shims_parse(&shims, data, len),
				 -EBADMSG);
}

static void shims_run__splits(void **state)
{
	static const uint8_t one[] = { L(1) };
	static const uint8_t two[] = { L(2) };
	static const uint8_t slot[] = { L(1), R(0) };
	uint8_t data[6 * 100];

	(void)state;
	make(data, one, sizeof(one), 100);
	make(data + 100, one, sizeof(one), 100);
	make(data + 200, two, sizeof(two), 100);
	make(data + 300, one, sizeof(one), 100);
	make(data + 400, slot, sizeof(slot), 100);
	make(data + 500, slot, sizeof(slot), 60);
	assert_int_equal(laya_shims_run(data, 560, 100), 200);
	assert_int_equal(laya_shims_run(data + 200, 360, 100), 100);
	/* The same label, but a slot behind it */
	assert_int_equal(laya_shims_run(data + 300, 260, 100), 100);
	assert_int_equal(laya_shims_run(data + 400, 160, 100), 160);
	/* The last is too short for what it must hold */
	assert_int_equal(laya_shims_run(data + 400, 150, 100), 100);
	/* A single packet, and a run of one */
	assert_int_equal(laya_shims_run(data, 100, 100), 100);
	/* Flags that make the second malformed */
	data[100 + 9] = 1;
	assert_int_equal(laya_shims_run(data, 560, 100), 100);
}

static void shims_fill__slot(void **state)
{
	static const uint8_t full[] = { L(1), L(2), R(3), R(0) };
	struct laya_shims shims;
	uint8_t before[128];
	uint8_t data[128];
	size_t len;

	(void)state;
	len = make(data, full, sizeof(full), 128);
	memcpy(before, data, len);
	assert_int_equal(laya_shims_parse(&shims, data, len), 0);
	laya_shims_fill(data, shims.n_labels + 1, 0xa1b2c3d4e5f6);
	assert_memory_equal(data + 26, "\xa1\xb2\xc3\xd4\xe5\xf6", 6);
	assert_memory_equal(data, before, 26);
	assert_memory_equal(data + 32, before + 32, len - 32);
}

static void data_header__round_trip(void **state)
{
	const struct laya_data_header header = {
		.path_id = 0x8001,
		.receiver = 0xdeadbeef,
		.counter = 0x1122334455667788,
	};
	struct laya_data_header read;
	uint8_t data[LAYA_DATA_HEADER];

	(void)state;
	laya_data_header_write(data, &header);
	assert_memory_equal(data, "\x81\0\x80\x01\xde\xad\xbe\xef", 8);
	laya_data_header_read(&read, data);
	assert_int_equal(read.path_id, header.path_id);
	assert_int_equal(read.receiver, header.receiver);
	assert_true(read.counter == header.counter);
}

static void probe__round_trip(void **state)
{
	const struct laya_probe probe = {
		.type = LAYA_PROBE_REPLY,
		.path_kind = 6,
		.seq = 7,
		.token = 0x0102030405060708,
		.rx_packets = 9,
		.rx_bytes = 10,
	};
	const struct laya_address observed = {
		.family = AF_INET,
		.port = 0x1234,
		.addr = { 192, 0, 2, 1 },
	};
	uint8_t data[LAYA_PROBE_SIZE + LAYA_PROBE_OBSERVED];
	struct laya_probe read;

	(void)state;
	assert_int_equal(laya_probe_write(data, &probe, NULL),
			 LAYA_PROBE_SIZE);
	assert_int_equal(laya_probe_write(data, &probe, &observed),
			 sizeof(data));
	assert_memory_equal(data, "\3\2\6\0\0\0\0\7\1\2\3\4\5\6\7\10", 16);
	assert_memory_equal(data + LAYA_PROBE_SIZE,
			    "\4\0\x12\x34\xc0\0\2\1\0\0", 10);
	assert_int_equal(laya_probe_read(&read, data, sizeof(data)), 0);
	assert_int_equal(read.seq, 7);
	assert_true(read.token == probe.token && read.rx_packets == 9 &&
		    read.rx_bytes == 10 && read.type == LAYA_PROBE_REPLY);
	assert_int_equal(laya_probe_read(&read, data, LAYA_PROBE_SIZE - 1),
			 -EBADMSG);
	data[3] = 1;
	assert_int_equal(laya_probe_read(&read, data, sizeof(data)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers__round_trip),
		cmocka_unit_test(shims_parse__orders),
		cmocka_unit_test(shims_parse__lengths),
		cmocka_unit_test(shims_run__splits),
		cmocka_unit_test(shims_fill__slot),
		cmocka_unit_test(data_header__round_trip),
		cmocka_unit_test(probe__round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
