// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/skbuff.h>

#include "carrier.h"
#include "forward.h"

#define SIZE	100
#define SHIMS	16	/* a label and a slot */

/* A packet with a label, a return slot, and bytes that follow from @seed. */
static void fill(u8 *data, unsigned int len, u8 label, u8 seed)
{
	u8 labels[1][LAYA_LABEL_SIZE] = { { label, 2, 3, 4, 5, 6 } };
	unsigned int at, i;

	at = laya_shims_write(data, labels, 1, NULL, 0, 1);
	for (i = at; i < len; i++)
		data[i] = seed + i;
	data[at] = LAYA_PACKET_DATA;
	data[at + 1] = 0;
}

/*
 * A run of @n packets and one of @tail bytes; @linear bytes of it in the head,
 * the rest in pages of @piece bytes each.
 */
static struct sk_buff *run(struct kunit *test, unsigned int n,
			   unsigned int tail, unsigned int linear,
			   unsigned int piece)
{
	unsigned int len = n * SIZE + tail, at, i;
	struct sk_buff *skb;
	struct page *page;
	u8 *data;

	data = kunit_kzalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < n; i++)
		fill(data + i * SIZE, SIZE, 1, i);
	if (tail)
		fill(data + n * SIZE, tail, 1, n);

	skb = alloc_skb(len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	linear = min(linear, len);
	skb_put_data(skb, data, linear);
	for (at = linear; at < len; at += piece) {
		piece = min(piece, len - at);
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
		memcpy(page_address(page) + at % 7, data + at, piece);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, at % 7,
				piece, PAGE_SIZE);
	}
	skb_shinfo(skb)->gso_size = SIZE;
	return skb;
}

static void poke(struct kunit *test, struct sk_buff *skb, unsigned int at,
		 u8 value)
{
	KUNIT_ASSERT_EQ(test, 0, skb_store_bits(skb, at, &value, 1));
}

static void laya_forward_agree__same(struct kunit *test)
{
	/* Whole, and cut in the head, within shims and between packets */
	static const unsigned int linears[] = { 5000, 100, 16, 107, 250 };
	static const unsigned int pieces[] = { 4000, 100, 104, 99 };
	struct sk_buff *skb;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(linears); i++) {
		for (j = 0; j < ARRAY_SIZE(pieces); j++) {
			skb = run(test, 10, 60, linears[i], pieces[j]);
			KUNIT_EXPECT_TRUE(test, laya_forward_agree(skb, SHIMS));
			kfree_skb(skb);
		}
	}
}

static void laya_forward_agree__every_byte_counts(struct kunit *test)
{
	struct sk_buff *skb = run(test, 5, 80, 130, 101);
	unsigned int packet, i, at;
	u8 was;

	for (packet = 1; packet < 6; packet++) {
		for (i = 0; i < SHIMS + 1; i++) {
			at = packet * SIZE + i;
			KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(skb, at, &was, 1));
			poke(test, skb, at, was ^ 0x40);
			KUNIT_EXPECT_FALSE(test, laya_forward_agree(skb, SHIMS));
			poke(test, skb, at, was);
		}
		/* What is sealed is nobody's business */
		poke(test, skb, packet * SIZE + SHIMS + 2, 0x55);
		KUNIT_EXPECT_TRUE(test, laya_forward_agree(skb, SHIMS));
	}
	kfree_skb(skb);
}

static void laya_forward_agree__short_tail(struct kunit *test)
{
	unsigned int least = SHIMS + LAYA_OVERHEAD + LAYA_INNER_SIZE;
	struct sk_buff *skb;

	skb = run(test, 3, least, 100, 100);
	KUNIT_EXPECT_TRUE(test, laya_forward_agree(skb, SHIMS));
	kfree_skb(skb);
	skb = run(test, 3, least - 1, 100, 100);
	KUNIT_EXPECT_FALSE(test, laya_forward_agree(skb, SHIMS));
	kfree_skb(skb);
}

static void laya_forward_agree__no_run(struct kunit *test)
{
	struct sk_buff *skb = run(test, 1, 0, 100, 100);

	skb_shinfo(skb)->gso_size = 0;
	KUNIT_EXPECT_FALSE(test, laya_forward_agree(skb, SHIMS));
	kfree_skb(skb);
}

static void laya_forward_agree__list(struct kunit *test)
{
	struct sk_buff *skb = run(test, 2, 0, 150, 100);
	struct sk_buff *more = run(test, 2, 0, 130, 100);

	/* As GRO does when no frag is left */
	skb_shinfo(more)->gso_size = 0;
	skb_shinfo(skb)->frag_list = more;
	skb->len += more->len;
	skb->data_len += more->len;
	KUNIT_EXPECT_TRUE(test, laya_forward_agree(skb, SHIMS));
	poke(test, skb, 3 * SIZE + 3, 0x77);
	KUNIT_EXPECT_FALSE(test, laya_forward_agree(skb, SHIMS));
	kfree_skb(skb);
}

static void laya_forward_segment__copies(struct kunit *test)
{
	struct sk_buff *skb = run(test, 3, 70, 110, 90), *copy;
	u8 expected[SIZE];
	unsigned int i;

	for (i = 0; i < 4; i++) {
		copy = laya_forward_segment(skb, i * SIZE);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		fill(expected, SIZE, 1, i);
		KUNIT_EXPECT_EQ(test, i < 3 ? SIZE : 70, copy->len);
		KUNIT_EXPECT_EQ(test, 0, copy->data_len);
		KUNIT_EXPECT_EQ(test, 0, skb_shinfo(copy)->gso_size);
		KUNIT_EXPECT_MEMEQ(test, expected, copy->data, copy->len);
		kfree_skb(copy);
	}
	kfree_skb(skb);
}

static void laya_forward_fill__only_the_slot(struct kunit *test)
{
	u8 labels[2][LAYA_LABEL_SIZE] = { { 1 }, { 2 } };
	u8 returns[1][LAYA_LABEL_SIZE] = { { 3 } };
	u8 before[128] = {}, after[128];
	struct laya_shims shims;
	unsigned int len;

	len = laya_shims_write(before, labels, 2, returns, 1, 2);
	before[len] = LAYA_PACKET_DATA;
	KUNIT_ASSERT_EQ(test, 0, laya_shims_parse(&shims, before, 128));
	memcpy(after, before, sizeof(after));
	laya_forward_fill(after, shims.n_labels + 1, 0xa1a2a3a4a5a6ULL);
	memcpy(before + 26, "\xa1\xa2\xa3\xa4\xa5\xa6", 6);
	KUNIT_EXPECT_MEMEQ(test, before, after, sizeof(after));
}

static struct kunit_case laya_forward_cases[] = {
	KUNIT_CASE(laya_forward_agree__same),
	KUNIT_CASE(laya_forward_agree__every_byte_counts),
	KUNIT_CASE(laya_forward_agree__short_tail),
	KUNIT_CASE(laya_forward_agree__no_run),
	KUNIT_CASE(laya_forward_agree__list),
	KUNIT_CASE(laya_forward_segment__copies),
	KUNIT_CASE(laya_forward_fill__only_the_slot),
	{}
};

static struct kunit_suite laya_forward_suite = {
	.name = "laya_forward",
	.test_cases = laya_forward_cases,
};

kunit_test_suite(laya_forward_suite);
