// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "run.h"

/* Packets of @size bytes until no more fit, the last of them of @last bytes. */
static struct sk_buff *run_fill(struct kunit *test, struct laya_run *run,
				unsigned int size, unsigned int most,
				unsigned int last)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);
	unsigned int len = size;
	u8 *at;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	laya_run_begin(run, skb, size);
	while (run->count < most) {
		at = laya_run_room(run, 16);
		if (!at)
			break;
		if (run->count + 1 == most)
			len = last;
		memset(at, run->count, len);
		laya_run_add(run, len);
	}
	return skb;
}

/* Each packet is as it was written, whatever pieces it lies in. */
static void run_expect(struct kunit *test, struct sk_buff *skb,
		       unsigned int size, unsigned int count, unsigned int len)
{
	unsigned int i, wrong = 0;
	u8 byte;

	KUNIT_EXPECT_EQ(test, len, skb->len);
	KUNIT_EXPECT_EQ(test, count > 1 ? size : 0, skb_shinfo(skb)->gso_size);
	KUNIT_EXPECT_LE(test, skb_shinfo(skb)->nr_frags, MAX_SKB_FRAGS);
	for (i = 0; i < skb->len; i++) {
		skb_copy_bits(skb, i, &byte, 1);
		wrong += byte != (u8)(i / size);
	}
	KUNIT_EXPECT_EQ(test, 0, wrong);
}

/* Sizes that are paged and that are not, and those at the edges. */
static const unsigned int run_sizes[] = {
	1, 41, 104, 1023, 1024, 1025, 1139, 1240, 1365, 1366, 1420, 1433,
	2048, 2049, 4096, 4097, 9000,
};

static void laya_run__full(struct kunit *test)
{
	unsigned int i, most, size;
	struct laya_run run;
	struct sk_buff *skb;

	for (i = 0; i < ARRAY_SIZE(run_sizes); i++) {
		size = run_sizes[i];
		skb = run_fill(test, &run, size, UINT_MAX, size);
		KUNIT_EXPECT_TRUE(test, laya_run_full(&run));
		most = min_t(unsigned int, LAYA_RUN_PACKETS,
			     LAYA_RUN_BYTES / size);
		KUNIT_EXPECT_LE_MSG(test, run.count, most, "%u", size);
		/* A page may have been begun already */
		KUNIT_EXPECT_GE_MSG(test, run.count, most - most / 8 - 1, "%u",
				    size);
		most = run.count;
		KUNIT_EXPECT_PTR_EQ(test, skb, laya_run_end(&run));
		KUNIT_EXPECT_PTR_EQ(test, NULL, run.skb);
		run_expect(test, skb, size, most, most * size);
		kfree_skb(skb);
	}
}

static void laya_run__last_shorter(struct kunit *test)
{
	struct laya_run run;
	struct sk_buff *skb;
	unsigned int i, size;

	for (i = 1; i < ARRAY_SIZE(run_sizes); i++) {
		size = run_sizes[i];
		skb = run_fill(test, &run, size, 4, 1);
		KUNIT_EXPECT_EQ(test, 4, run.count);
		laya_run_end(&run);
		run_expect(test, skb, size, 4, 3 * size + 1);
		kfree_skb(skb);
	}
}

/* A datagram of 1200 bytes, sealed: none on two pages. */
static void laya_run__paged(struct kunit *test)
{
	const unsigned int size = 1240;
	const skb_frag_t *frag;
	struct laya_run run;
	struct sk_buff *skb;
	unsigned int i;

	skb = run_fill(test, &run, size, UINT_MAX, size);
	KUNIT_EXPECT_TRUE(test, run.paged);
	laya_run_end(&run);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		KUNIT_EXPECT_EQ(test, 0, skb_frag_size(frag) % size);
		KUNIT_EXPECT_LE(test, offset_in_page(skb_frag_off(frag)) +
				skb_frag_size(frag), PAGE_SIZE);
	}
	kfree_skb(skb);
}

/* One alone is no run, and room that was only taken is given back. */
static void laya_run__one(struct kunit *test)
{
	struct laya_run run;
	struct sk_buff *skb;

	skb = run_fill(test, &run, 1240, 1, 7);
	laya_run_end(&run);
	run_expect(test, skb, 1240, 1, 7);
	kfree_skb(skb);

	skb = run_fill(test, &run, 1240, 0, 0);
	KUNIT_EXPECT_NOT_NULL(test, laya_run_room(&run, 16));
	laya_run_end(&run);
	KUNIT_EXPECT_EQ(test, 0, skb->len);
	KUNIT_EXPECT_EQ(test, 0, skb_shinfo(skb)->nr_frags);
	kfree_skb(skb);
}

/* Runs that are under way at once, and those begun when others are gone. */
static void laya_run__apart(struct kunit *test)
{
	struct sk_buff *skb[4];
	struct laya_run run;
	unsigned int i, round;

	for (round = 0; round < 8; round++) {
		for (i = 0; i < ARRAY_SIZE(skb); i++) {
			skb[i] = run_fill(test, &run, 1000 + 140 * i, 20, 500);
			KUNIT_EXPECT_EQ(test, 20, run.count);
			laya_run_end(&run);
		}
		for (i = 0; i < ARRAY_SIZE(skb); i++) {
			run_expect(test, skb[i], 1000 + 140 * i, 20,
				   19 * (1000 + 140 * i) + 500);
			kfree_skb(skb[i]);
		}
	}
}

static struct kunit_case laya_run_cases[] = {
	KUNIT_CASE(laya_run__full),
	KUNIT_CASE(laya_run__last_shorter),
	KUNIT_CASE(laya_run__paged),
	KUNIT_CASE(laya_run__one),
	KUNIT_CASE(laya_run__apart),
	{}
};

static struct kunit_suite laya_run_suite = {
	.name		= "laya_run",
	.test_cases	= laya_run_cases,
};

kunit_test_suite(laya_run_suite);
