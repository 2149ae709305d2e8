// SPDX-License-Identifier: GPL-2.0
#include <linux/ipv6.h>

#include "fixture_test.h"
#include "gather.h"
#include "path.h"
#include "run.h"

#define BODY	1000
#define MORE	30000
#define HEADER	(LAYA_INNER_SIZE + sizeof(struct tcphdr))

struct gather_test {
	struct laya_device	*laya;
	struct laya_session	session, other;
	struct laya_path	paths[2];
	struct laya_path	*path;
	struct napi_struct	napi;
	struct laya_gather	gather;
	u8			packet[LAYA_GATHER_HEADER + 2 * BODY];
	unsigned int		len;
};

static int gather_test_init(struct kunit *test)
{
	struct gather_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->laya = fixture_device(test);
	t->napi.dev = t->laya->dev;
	t->path = &t->paths[0];
	test->priv = t;
	return 0;
}

static void gather_test_exit(struct kunit *test)
{
	struct gather_test *t = test->priv;

	kfree_skb(laya_gather_end(&t->gather));
	laya_gather_free(&t->gather);
	fixture_free(t->laya);
}

static u8 gather_byte(unsigned int at)
{
	return at * 7 + at / 251;
}

/* A segment of a stream, whose bytes follow from its sequence number. */
static struct tcphdr *gather_segment(struct gather_test *t, u32 seq,
				     unsigned int body)
{
	struct laya_inner_ipv6 *inner = (struct laya_inner_ipv6 *)t->packet;
	struct tcphdr *tcp = (struct tcphdr *)(inner + 1);
	unsigned int i;

	memset(t->packet, 0, HEADER);
	inner->kind = LAYA_INNER_IPV6;
	inner->nexthdr = IPPROTO_TCP;
	inner->hop_limit = 64;
	inner->flags = LAYA_IPV6_CSUM_PARTIAL;
	tcp->source = htons(1);
	tcp->dest = htons(2);
	tcp->seq = htonl(seq);
	tcp->doff = sizeof(*tcp) / 4;
	tcp->ack = 1;
	tcp->window = htons(500);
	for (i = 0; i < body; i++)
		t->packet[HEADER + i] = gather_byte(seq + i);
	t->len = HEADER + body;
	return tcp;
}

static void gather_dgram(struct gather_test *t, u16 port, unsigned int seq,
			 unsigned int body)
{
	struct laya_inner_dgram *inner = (struct laya_inner_dgram *)t->packet;
	unsigned int i;

	memset(inner, 0, sizeof(*inner));
	inner->kind = LAYA_INNER_DGRAM;
	inner->source = htons(9);
	inner->dest = htons(port);
	for (i = 0; i < body; i++)
		t->packet[LAYA_INNER_SIZE + i] = gather_byte(seq + i);
	t->len = LAYA_INNER_SIZE + body;
}

/* Open the packet: 1 it was gathered, 0 it does not fit, -1 it is of no such kind. */
static int gather_open(struct kunit *test, struct laya_session *session)
{
	struct gather_test *t = test->priv;
	int result = -1, err = 0;
	u8 *at;

	local_bh_disable();
	at = laya_gather_room(&t->gather, t->len, MORE);
	if (!at)
		goto out;
	memcpy(at, t->packet, t->len);
	if (!laya_gather_opened(&t->gather, at, t->len)) {
		err = memcmp(at, t->packet, t->len);
		laya_gather_undo(&t->gather, at);
		goto out;
	}
	result = laya_gather_fits(&t->gather, session, t->path);
	if (result)
		err = laya_gather_add(&t->gather, session, t->path, &t->napi,
				      64);
out:
	local_bh_enable();
	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_ASSERT_EQ(test, 0, err);
	return result;
}

/* What was gathered is @count packets with @len bytes that begin at @seq. */
static void gather_expect(struct kunit *test, unsigned int count,
			  unsigned int header, u32 seq, unsigned int len)
{
	struct gather_test *t = test->priv;
	unsigned int i, wrong = 0;
	struct sk_buff *skb;
	u8 byte;

	skb = laya_gather_end(&t->gather);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_EXPECT_EQ(test, count, skb_shinfo(skb)->gso_segs ?: 1);
	KUNIT_EXPECT_EQ(test, header + len, skb->len);
	KUNIT_EXPECT_EQ(test, header, skb_headlen(skb));
	for (i = 0; i < len && header + i < skb->len; i++) {
		skb_copy_bits(skb, header + i, &byte, 1);
		wrong += byte != gather_byte(seq + i);
	}
	KUNIT_EXPECT_EQ(test, 0, wrong);
	kfree_skb(skb);
}

static void laya_gather__stream(struct kunit *test)
{
	struct gather_test *t = test->priv;
	struct tcphdr *tcp;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		gather_segment(t, 5000 + i * BODY, BODY);
		KUNIT_ASSERT_EQ(test, 1, gather_open(test, &t->session));
	}
	/* The last is shorter; after it nothing fits */
	gather_segment(t, 5000 + i * BODY, 10)->psh = 1;
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	tcp = (struct tcphdr *)(t->gather.skb->data + LAYA_INNER_SIZE);
	KUNIT_EXPECT_TRUE(test, tcp->psh);
	gather_segment(t, 5010 + i * BODY, 10);
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	/* Wherever memory came from, few pieces of it */
	KUNIT_EXPECT_LE(test, skb_shinfo(t->gather.skb)->nr_frags, 3);
	KUNIT_EXPECT_EQ(test, BODY, t->gather.size);
	gather_expect(test, 21, HEADER, 5000, 20 * BODY + 10);
	/* What did not fit begins the next */
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_expect(test, 1, HEADER, 5010 + i * BODY, 10);
}

static void laya_gather__as_large_as_can_be(struct kunit *test)
{
	struct gather_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		gather_segment(t, i * BODY, BODY);
		if (gather_open(test, &t->session) != 1)
			break;
	}
	KUNIT_EXPECT_EQ(test, LAYA_RUN_BYTES / BODY - 1, i);
	gather_expect(test, i, HEADER, 0, i * BODY);
}

/* One that did not open, or was seen before, takes nothing from those around it. */
static void laya_gather__undone(struct kunit *test)
{
	struct gather_test *t = test->priv;
	unsigned int i, done = 0;
	u8 *at;

	for (i = 0; i < 9; i++) {
		if (i % 3 == 1) {
			local_bh_disable();
			at = laya_gather_room(&t->gather, HEADER + BODY, MORE);
			KUNIT_EXPECT_NOT_NULL(test, at);
			if (at) {
				memset(at, 0xff, HEADER + BODY);
				laya_gather_undo(&t->gather, at);
			}
			local_bh_enable();
			continue;
		}
		gather_dgram(t, 7, done * BODY, BODY);
		KUNIT_ASSERT_EQ(test, 1, gather_open(test, &t->session));
		done++;
	}
	gather_expect(test, done, LAYA_INNER_SIZE, 0, done * BODY);
}

/* The first of a run did not open, and those that begin new memory. */
static void laya_gather__undone_first(struct kunit *test)
{
	struct gather_test *t = test->priv;
	unsigned int i, done = 0;
	u8 *at;

	for (i = 0; i < 120; i++) {
		local_bh_disable();
		at = laya_gather_room(&t->gather, HEADER + BODY, MORE);
		if (at) {
			memset(at, 0xff, HEADER + BODY);
			laya_gather_undo(&t->gather, at);
		}
		local_bh_enable();
		KUNIT_ASSERT_NOT_NULL(test, at);
		gather_segment(t, done * 500, 500);
		KUNIT_ASSERT_EQ(test, 1, gather_open(test, &t->session));
		done++;
	}
	gather_expect(test, done, HEADER, 0, done * 500);
}

static void laya_gather__hole(struct kunit *test)
{
	struct gather_test *t = test->priv;

	gather_segment(t, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_segment(t, 2 * BODY, BODY);
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	gather_expect(test, 1, HEADER, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_segment(t, 3 * BODY, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_expect(test, 2, HEADER, 2 * BODY, 2 * BODY);
}

/* Another session, path, kind, flow, header or size: not with those before. */
static void laya_gather__mixed(struct kunit *test)
{
	struct gather_test *t = test->priv;
	struct laya_inner_ipv6 *inner = (struct laya_inner_ipv6 *)t->packet;
	unsigned int i;

	gather_segment(t, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	for (i = 0; i < 12; i++) {
		struct tcphdr *tcp = gather_segment(t, BODY, BODY);
		struct laya_session *session = &t->session;

		switch (i) {
		case 0:
			session = &t->other;
			break;
		case 1:
			inner->flow = htonl(7);
			break;
		case 2:
			tcp->dest = htons(3);
			break;
		case 3:
			tcp->source = htons(3);
			break;
		case 4:
			tcp->ack_seq = htonl(1);
			break;
		case 5:
			tcp->window = htons(1);
			break;
		case 6:
			inner->flow = htonl(1 << 20);
			break;
		case 7:
			inner->hop_limit--;
			break;
		case 8:
			tcp->doff++;
			break;
		case 9:
			tcp->ece = 1;
			break;
		case 10:
			gather_segment(t, BODY, BODY + 1);
			break;
		case 11:
			t->path = &t->paths[1];
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, 0, gather_open(test, session), "%u", i);
		t->path = &t->paths[0];
	}
	/* Nothing of all that did harm */
	gather_segment(t, BODY, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_expect(test, 2, HEADER, 0, 2 * BODY);
}

static void laya_gather__not_gathered(struct kunit *test)
{
	struct gather_test *t = test->priv;
	struct laya_inner_ipv6 *inner = (struct laya_inner_ipv6 *)t->packet;
	unsigned int i;

	gather_segment(t, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	for (i = 0; i < 12; i++) {
		struct tcphdr *tcp = gather_segment(t, BODY, BODY);

		switch (i) {
		case 0:
			tcp->syn = 1;
			break;
		case 1:
			tcp->rst = 1;
			break;
		case 2:
			tcp->urg = 1;
			break;
		case 3:
			tcp->cwr = 1;
			break;
		case 4:
			tcp->ack = 0;
			tcp->doff = 4;
			break;
		case 5:
			tcp->doff = 15;
			t->len = HEADER + 40;
			break;
		case 6:
			inner->flags = 0;
			break;
		case 7:
			inner->nexthdr = IPPROTO_UDP;
			break;
		case 8:
			inner->kind = LAYA_INNER_PROBE;
			break;
		case 9:
			inner->kind = LAYA_INNER_FRAGMENT;
			break;
		case 10:	/* an ACK alone */
			t->len = HEADER;
			break;
		case 11:
			t->len = LAYA_INNER_SIZE;
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, -1, gather_open(test, &t->session),
				    "%u", i);
	}
	gather_segment(t, BODY, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_expect(test, 2, HEADER, 0, 2 * BODY);
}

/* A datagram behind segments has a shorter header than was thought. */
static void laya_gather__shorter_header(struct kunit *test)
{
	struct gather_test *t = test->priv;

	gather_segment(t, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_dgram(t, 7, 0, BODY);
	KUNIT_EXPECT_EQ(test, -1, gather_open(test, &t->session));
	gather_expect(test, 1, HEADER, 0, BODY);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_expect(test, 1, LAYA_INNER_SIZE, 0, BODY);
}

static void laya_gather__datagrams(struct kunit *test)
{
	struct gather_test *t = test->priv;

	gather_dgram(t, 7, 0, 100);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_dgram(t, 7, 100, 100);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_dgram(t, 8, 200, 100);
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	gather_dgram(t, 7, 200, 1);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_dgram(t, 7, 201, 1);
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	gather_expect(test, 3, LAYA_INNER_SIZE, 0, 201);
}

/* They cannot be told apart in a run, so each is one. */
static void laya_gather__empty_datagrams(struct kunit *test)
{
	struct gather_test *t = test->priv;

	gather_dgram(t, 7, 0, 0);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	gather_expect(test, 1, LAYA_INNER_SIZE, 0, 0);
	gather_dgram(t, 7, 0, 5);
	KUNIT_EXPECT_EQ(test, 1, gather_open(test, &t->session));
	gather_dgram(t, 7, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, gather_open(test, &t->session));
	gather_expect(test, 1, LAYA_INNER_SIZE, 0, 5);
}

static struct kunit_case laya_gather_cases[] = {
	KUNIT_CASE(laya_gather__stream),
	KUNIT_CASE(laya_gather__as_large_as_can_be),
	KUNIT_CASE(laya_gather__undone),
	KUNIT_CASE(laya_gather__undone_first),
	KUNIT_CASE(laya_gather__hole),
	KUNIT_CASE(laya_gather__mixed),
	KUNIT_CASE(laya_gather__not_gathered),
	KUNIT_CASE(laya_gather__shorter_header),
	KUNIT_CASE(laya_gather__datagrams),
	KUNIT_CASE(laya_gather__empty_datagrams),
	{}
};

static struct kunit_suite laya_gather_suite = {
	.name		= "laya_gather",
	.init		= gather_test_init,
	.exit		= gather_test_exit,
	.test_cases	= laya_gather_cases,
};

kunit_test_suite(laya_gather_suite);
