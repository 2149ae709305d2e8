// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/bitmap.h>

#include "dgram.h"

/* Ports in use, one bit each. */
static void laya_dgram_test_used(unsigned int bucket, unsigned long *bits,
				 void *data)
{
	unsigned int row;

	for (row = 0; row < 65536 / LAYA_DGRAM_BUCKETS; row++)
		if (test_bit(row * LAYA_DGRAM_BUCKETS + bucket, data))
			__set_bit(row, bits);
}

static unsigned long *laya_dgram_test_ports(struct kunit *test)
{
	unsigned long *ports;

	ports = kunit_kzalloc(test, BITS_TO_LONGS(65536) * sizeof(long),
			      GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ports);
	return ports;
}

static void laya_dgram_pick_port__range(struct kunit *test)
{
	unsigned long *ports = laya_dgram_test_ports(test);
	u32 random = 1;
	unsigned int i;
	u16 port;

	for (i = 0; i < 1000; i++) {
		random = random * 1664525 + 1013904223;
		port = laya_dgram_pick_port(random, laya_dgram_test_used, ports);
		KUNIT_EXPECT_GE(test, port, LAYA_DGRAM_PORT_MIN);
		KUNIT_EXPECT_LE(test, port, LAYA_DGRAM_PORT_MAX);
	}
}

static void laya_dgram_pick_port__all_once(struct kunit *test)
{
	unsigned int n = LAYA_DGRAM_PORT_MAX - LAYA_DGRAM_PORT_MIN + 1, i;
	unsigned long *ports = laya_dgram_test_ports(test);
	u32 random = 7;
	u16 port;

	for (i = 0; i < n; i++) {
		random = random * 1664525 + 1013904223;
		port = laya_dgram_pick_port(random, laya_dgram_test_used, ports);
		KUNIT_ASSERT_NE(test, 0, (int)port);
		KUNIT_ASSERT_FALSE(test, test_and_set_bit(port, ports));
	}
	KUNIT_EXPECT_EQ(test, 0, (int)laya_dgram_pick_port(random,
							   laya_dgram_test_used,
							   ports));
}

static void laya_dgram_pick_port__last_one(struct kunit *test)
{
	unsigned long *ports = laya_dgram_test_ports(test);
	static const u16 last[] = {
		LAYA_DGRAM_PORT_MIN, LAYA_DGRAM_PORT_MAX, 40000,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(last); i++) {
		bitmap_fill(ports, 65536);
		clear_bit(last[i], ports);
		KUNIT_EXPECT_EQ(test, last[i],
				laya_dgram_pick_port(0xdeadbeef,
						     laya_dgram_test_used,
						     ports));
	}
	/* a free port outside the range is not taken */
	bitmap_fill(ports, 65536);
	clear_bit(LAYA_DGRAM_PORT_MIN - 1, ports);
	clear_bit(LAYA_DGRAM_PORT_MAX + 1, ports);
	clear_bit(0, ports);
	KUNIT_EXPECT_EQ(test, 0, (int)laya_dgram_pick_port(0,
							   laya_dgram_test_used,
							   ports));
}

static struct kunit_case laya_dgram_cases[] = {
	KUNIT_CASE(laya_dgram_pick_port__range),
	KUNIT_CASE(laya_dgram_pick_port__all_once),
	KUNIT_CASE(laya_dgram_pick_port__last_one),
	{}
};

static struct kunit_suite laya_dgram_suite = {
	.name		= "laya_dgram",
	.test_cases	= laya_dgram_cases,
};

kunit_test_suite(laya_dgram_suite);
