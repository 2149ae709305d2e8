// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/jiffies.h>
#include <linux/skbuff.h>

#include "fragment.h"
#include "send.h"
#include "wire.h"

#define MTU	1168

static struct laya_reassembly *reassembly(struct kunit *test)
{
	return test->priv;
}

static int fragment_init(struct kunit *test)
{
	struct laya_reassembly *r;

	r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r);
	laya_reassembly_init(r);
	test->priv = r;
	return 0;
}

static void fragment_exit(struct kunit *test)
{
	struct laya_reassembly *r = reassembly(test);

	laya_reassembly_purge(r);
	KUNIT_EXPECT_EQ(test, 0, r->n_packets);
	KUNIT_EXPECT_EQ(test, 0, r->bytes);
}

static u8 byte_at(unsigned int offset)
{
	return offset < LAYA_INNER_SIZE ? 0 : offset ^ offset >> 8;
}

/* An inner datagram of @len bytes, inner header included. */
static struct sk_buff *inner(struct kunit *test, unsigned int len)
{
	struct sk_buff *skb;
	unsigned int i;

	skb = alloc_skb(LAYA_SEND_HEADROOM + len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, LAYA_SEND_HEADROOM);
	for (i = 0; i < len; i++)
		skb_put_u8(skb, byte_at(i));
	skb->data[0] = LAYA_INNER_DGRAM;
	return skb;
}

/* A fragment made by hand: @len bytes of what inner() has at @offset. */
static struct sk_buff *piece(struct kunit *test, u32 id, unsigned int offset,
			     unsigned int len, bool more)
{
	struct laya_inner_fragment *header;
	struct sk_buff *skb;
	unsigned int i;

	skb = alloc_skb(sizeof(*header) + len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	header = skb_put_zero(skb, sizeof(*header));
	header->kind = LAYA_INNER_FRAGMENT;
	header->flags = more ? LAYA_FRAGMENT_MORE : 0;
	header->offset = htons(offset / 8);
	header->id = htonl(id);
	for (i = offset; i < offset + len; i++)
		skb_put_u8(skb, i ? byte_at(i) : LAYA_INNER_DGRAM);
	return skb;
}

static struct sk_buff *add(struct kunit *test, struct sk_buff *skb)
{
	return laya_reassembly_add(reassembly(test), skb, jiffies);
}

#define WAITS(skb) \
	KUNIT_EXPECT_NULL(test, add(test, skb))
#define REFUSED(error, skb) \
	KUNIT_EXPECT_PTR_EQ(test, add(test, skb), (struct sk_buff *)ERR_PTR(error))

static void expect_whole(struct kunit *test, struct sk_buff *whole,
			 unsigned int len)
{
	unsigned int i, wrong = 0;
	u8 byte;

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(whole));
	KUNIT_EXPECT_EQ(test, len, whole->len);
	KUNIT_EXPECT_GE(test, skb_headlen(whole),
			min_t(unsigned int, len, LAYA_REASSEMBLY_HEAD));
	if (len <= LAYA_REASSEMBLY_LINEAR)
		KUNIT_EXPECT_FALSE(test, skb_is_nonlinear(whole));
	KUNIT_EXPECT_EQ(test, LAYA_INNER_DGRAM, whole->data[0]);
	for (i = 1; i < len; i++) {
		KUNIT_ASSERT_EQ(test, 0, skb_copy_bits(whole, i, &byte, 1));
		wrong += byte != byte_at(i);
	}
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, 0, reassembly(test)->n_packets);
	KUNIT_EXPECT_EQ(test, 0, reassembly(test)->bytes);
	kfree_skb(whole);
}

static struct sk_buff *cut(struct kunit *test, unsigned int len,
			   unsigned int mtu)
{
	struct sk_buff *list = laya_fragment_cut(inner(test, len), mtu, 7);

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(list));
	return list;
}

static void cut__sizes(struct kunit *test)
{
	const struct laya_inner_fragment *header;
	unsigned int len = 3001, offset = 0;
	struct sk_buff *list, *skb;

	list = cut(test, len, MTU);
	for (skb = list; skb; skb = skb->next) {
		header = (const struct laya_inner_fragment *)skb->data;
		KUNIT_EXPECT_LE(test, skb->len, MTU);
		KUNIT_EXPECT_EQ(test, LAYA_INNER_FRAGMENT, header->kind);
		KUNIT_EXPECT_EQ(test, offset, ntohs(header->offset) * 8);
		KUNIT_EXPECT_EQ(test, 7, ntohl(header->id));
		KUNIT_EXPECT_EQ(test, skb->next ? LAYA_FRAGMENT_MORE : 0,
				header->flags);
		KUNIT_EXPECT_GE(test, skb_headroom(skb), LAYA_SEND_HEADROOM);
		KUNIT_EXPECT_GE(test, skb_tailroom(skb), LAYA_TAG_SIZE);
		/* As large as they may be, but for units of 8. */
		if (skb->next)
			KUNIT_EXPECT_EQ(test, round_down(MTU, 8), skb->len);
		offset += skb->len - sizeof(*header);
	}
	KUNIT_EXPECT_EQ(test, len, offset);
	kfree_skb_list(list);
}

static void cut__keeps_control_block(struct kunit *test)
{
	struct sk_buff *skb = inner(test, 2000), *list;

	LAYA_SEND_CB(skb)->kinds = 5;
	LAYA_SEND_CB(skb)->tos = 3;
	skb->priority = 6;
	list = laya_fragment_cut(skb, MTU, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(list));
	for (skb = list; skb; skb = skb->next) {
		KUNIT_EXPECT_EQ(test, 5, LAYA_SEND_CB(skb)->kinds);
		KUNIT_EXPECT_EQ(test, 3, LAYA_SEND_CB(skb)->tos);
		KUNIT_EXPECT_EQ(test, 6, skb->priority);
	}
	kfree_skb_list(list);
}

static void cut__impossible(struct kunit *test)
{
	struct sk_buff *skb = inner(test, 100);

	/* Not consumed. */
	KUNIT_EXPECT_PTR_EQ(test, laya_fragment_cut(skb, 15, 1),
			    (struct sk_buff *)ERR_PTR(-EMSGSIZE));
	kfree_skb(skb);
	skb = inner(test, LAYA_MAX_INNER + 1);
	KUNIT_EXPECT_PTR_EQ(test, laya_fragment_cut(skb, MTU, 1),
			    (struct sk_buff *)ERR_PTR(-EMSGSIZE));
	kfree_skb(skb);
}

static void round_trip(struct kunit *test, unsigned int len, unsigned int mtu)
{
	struct sk_buff *list = cut(test, len, mtu), *skb, *next, *whole = NULL;

	for (skb = list; skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		KUNIT_ASSERT_NULL(test, whole);
		whole = add(test, skb);
	}
	expect_whole(test, whole, len);
}

static void add__in_order(struct kunit *test)
{
	static const unsigned int lens[] = {
		9, 16, 17, 1159, 1160, 1161, 2320, 2321, 8192, 8193, 20000,
		LAYA_MAX_INNER - 1, LAYA_MAX_INNER,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		round_trip(test, lens[i], MTU);
	round_trip(test, 4000, 16);
	round_trip(test, LAYA_MAX_INNER, 60000);
}

static void add__any_order(struct kunit *test)
{
	static const u8 orders[][4] = {
		{ 3, 2, 1, 0 }, { 0, 2, 1, 3 }, { 1, 3, 0, 2 }, { 2, 0, 3, 1 },
		{ 3, 0, 1, 2 }, { 1, 0, 2, 3 },
	};
	unsigned int i, j, at, len = 3 * 800 + 13;
	struct sk_buff *whole;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		whole = NULL;
		for (j = 0; j < 4; j++) {
			KUNIT_ASSERT_NULL(test, whole);
			at = orders[i][j] * 800;
			whole = add(test, piece(test, i, at,
						min(800U, len - at),
						orders[i][j] < 3));
		}
		expect_whole(test, whole, len);
	}
}

static void add__nonlinear_piece(struct kunit *test)
{
	struct sk_buff *skb = piece(test, 1, 0, 0, true), *whole;
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i;
	u8 *at;

	KUNIT_ASSERT_NOT_NULL(test, page);
	at = page_address(page);
	for (i = 0; i < 1024; i++)
		at[i] = i ? byte_at(i) : LAYA_INNER_DGRAM;
	skb_add_rx_frag(skb, 0, page, 0, 1024, PAGE_SIZE);
	WAITS(skb);
	whole = add(test, piece(test, 1, 1024, 5, false));
	expect_whole(test, whole, 1029);
}

static void add__duplicates(struct kunit *test)
{
	WAITS(piece(test, 1, 0, 800, true));
	WAITS(piece(test, 1, 0, 800, true));
	WAITS(piece(test, 1, 1600, 3, false));
	WAITS(piece(test, 1, 1600, 3, false));
	KUNIT_EXPECT_EQ(test, 1, reassembly(test)->n_packets);
	expect_whole(test, add(test, piece(test, 1, 800, 800, true)), 1603);
}

static void add__gap_waits(struct kunit *test)
{
	WAITS(piece(test, 1, 0, 800, true));
	WAITS(piece(test, 1, 1600, 800, false));
	KUNIT_EXPECT_EQ(test, 1, reassembly(test)->n_packets);
	/* Another packet does not fill it. */
	WAITS(piece(test, 2, 800, 800, true));
	KUNIT_EXPECT_EQ(test, 2, reassembly(test)->n_packets);
}

/* The whole packet goes, not just the piece. */
static void add__overlap(struct kunit *test)
{
	static const struct {
		unsigned int offset, len;
		bool more;
	} bad[] = {
		{ 792, 16, true }, { 1592, 16, true }, { 800, 808, true },
		{ 800, 792, true }, { 1600, 8, false }, { 792, 900, false },
		{ 0, 2400, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		WAITS(piece(test, i, 800, 800, true));
		WAITS(piece(test, i, 2400, 800, true));
		REFUSED(-EINVAL, piece(test, i, bad[i].offset, bad[i].len,
				       bad[i].more));
		KUNIT_EXPECT_EQ(test, 0, reassembly(test)->n_packets);
	}
}

static void add__two_ends(struct kunit *test)
{
	WAITS(piece(test, 1, 800, 100, false));
	REFUSED(-EINVAL, piece(test, 1, 1600, 100, false));
	KUNIT_EXPECT_EQ(test, 0, reassembly(test)->n_packets);
	WAITS(piece(test, 1, 800, 100, false));
	REFUSED(-EINVAL, piece(test, 1, 400, 100, false));
	WAITS(piece(test, 1, 800, 100, false));
	REFUSED(-EINVAL, piece(test, 1, 1600, 80, true));
}

static void add__malformed(struct kunit *test)
{
	struct sk_buff *skb;

	/* Empty; not a multiple of 8; beyond the largest; flags; shorter than
	 * its header; of a kind that is never cut.
	 */
	REFUSED(-EINVAL, piece(test, 1, 0, 0, true));
	REFUSED(-EINVAL, piece(test, 1, 0, 804, true));
	REFUSED(-EINVAL, piece(test, 1, 65536, 8, false));
	REFUSED(-EINVAL, piece(test, 1, 0xffff * 8, 8, true));
	skb = piece(test, 1, 0, 800, true);
	skb->data[1] |= 0x80;
	REFUSED(-EINVAL, skb);
	skb = piece(test, 1, 0, 800, true);
	__skb_trim(skb, 7);
	REFUSED(-EINVAL, skb);
	skb = piece(test, 1, 0, 800, true);
	skb->data[sizeof(struct laya_inner_fragment)] = LAYA_INNER_FRAGMENT;
	REFUSED(-EINVAL, skb);
	REFUSED(-EINVAL, piece(test, 1, 0, 7, false));
	KUNIT_EXPECT_EQ(test, 0, reassembly(test)->n_packets);
}

static void add__too_many_packets(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < LAYA_REASSEMBLY_MAX_PACKETS + 5; i++)
		WAITS(piece(test, i, 0, 800, true));
	KUNIT_EXPECT_EQ(test, LAYA_REASSEMBLY_MAX_PACKETS,
			reassembly(test)->n_packets);
	/* The oldest went, the newest can still be finished. */
	WAITS(piece(test, 0, 800, 8, false));
	laya_reassembly_purge(reassembly(test));
	WAITS(piece(test, i, 0, 800, true));
	expect_whole(test, add(test, piece(test, i, 800, 8, false)), 808);
}

static void add__too_many_bytes(struct kunit *test)
{
	struct laya_reassembly *r = reassembly(test);
	struct sk_buff *skb;
	unsigned int i;

	/* 60,000 bytes each: the oldest has to go for the newest. */
	for (i = 0; i < LAYA_REASSEMBLY_MAX_PACKETS; i++) {
		WAITS(piece(test, i, 0, 60000, true));
		KUNIT_EXPECT_LE(test, r->bytes, LAYA_REASSEMBLY_MAX_BYTES);
	}
	KUNIT_EXPECT_LT(test, r->n_packets, LAYA_REASSEMBLY_MAX_PACKETS);
	laya_reassembly_purge(r);

	/* One that costs too much by itself is given up. */
	skb = piece(test, 1, 0, 800, true);
	skb->truesize += LAYA_REASSEMBLY_MAX_BYTES;
	REFUSED(-ENOBUFS, skb);
	KUNIT_EXPECT_EQ(test, 0, r->n_packets);
	KUNIT_EXPECT_EQ(test, 0, r->bytes);
}

static void expire__old_ones(struct kunit *test)
{
	struct laya_reassembly *r = reassembly(test);
	unsigned long now = INITIAL_JIFFIES;

	laya_reassembly_add(r, piece(test, 1, 0, 800, true), now);
	now += LAYA_REASSEMBLY_TIMEOUT / 2;
	laya_reassembly_add(r, piece(test, 2, 0, 800, true), now);
	now += LAYA_REASSEMBLY_TIMEOUT / 2 - 1;
	laya_reassembly_expire(r, now);
	KUNIT_EXPECT_EQ(test, 2, r->n_packets);
	laya_reassembly_expire(r, now + 1);
	KUNIT_EXPECT_EQ(test, 1, r->n_packets);
	/* Late: it founds a packet of which the rest never comes. */
	KUNIT_EXPECT_NULL(test, laya_reassembly_add(r, piece(test, 1, 800, 8, false),
						    now + 1));
}

static struct kunit_case fragment_cases[] = {
	KUNIT_CASE(cut__sizes),
	KUNIT_CASE(cut__keeps_control_block),
	KUNIT_CASE(cut__impossible),
	KUNIT_CASE(add__in_order),
	KUNIT_CASE(add__any_order),
	KUNIT_CASE(add__nonlinear_piece),
	KUNIT_CASE(add__duplicates),
	KUNIT_CASE(add__gap_waits),
	KUNIT_CASE(add__overlap),
	KUNIT_CASE(add__two_ends),
	KUNIT_CASE(add__malformed),
	KUNIT_CASE(add__too_many_packets),
	KUNIT_CASE(add__too_many_bytes),
	KUNIT_CASE(expire__old_ones),
	{}
};

static struct kunit_suite fragment_suite = {
	.name = "laya_fragment",
	.init = fragment_init,
	.exit = fragment_exit,
	.test_cases = fragment_cases,
};

kunit_test_suite(fragment_suite);
