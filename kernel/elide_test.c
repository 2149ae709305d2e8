// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>

#include "elide.h"

#define MAX_INNER	1388	/* of the device's MTU */

static const struct in6_addr here = { .s6_addr = { 0x20, 1, 0, 0x25, 1 } };
static const struct in6_addr there = { .s6_addr = { 0x20, 1, 0, 0x25, 2 } };

static u8 pattern(unsigned int n)
{
	return n * 7 + n / 251;
}

/* Memory that KASAN watches, freed with the test. */
static struct sk_buff *test_skb(struct kunit *test, unsigned int headroom,
				unsigned int len)
{
	struct sk_buff *skb = alloc_skb(headroom + len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, headroom);
	return skb;
}

static struct ipv6hdr *put_ipv6(struct sk_buff *skb, u8 nexthdr,
				unsigned int payload)
{
	struct ipv6hdr *ip6 = skb_put_zero(skb, sizeof(*ip6));

	skb_reset_network_header(skb);
	*(__be32 *)ip6 = htonl(0x6a912345);
	ip6->payload_len = htons(payload);
	ip6->nexthdr = nexthdr;
	ip6->hop_limit = 61;
	ip6->saddr = here;
	ip6->daddr = there;
	skb->protocol = htons(ETH_P_IPV6);
	skb_set_transport_header(skb, sizeof(*ip6));
	return ip6;
}

static void put_pattern(struct sk_buff *skb, unsigned int len)
{
	unsigned int n;

	for (n = 0; n < len; n++)
		*(u8 *)skb_put(skb, 1) = pattern(n);
}

static void partial(struct sk_buff *skb, unsigned int offset)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offset;
}

/* A TCP packet with options, a body of @len and a partial checksum. */
static struct sk_buff *tcp_skb(struct kunit *test, unsigned int len)
{
	struct sk_buff *skb = test_skb(test, 64, 40 + 32 + len);
	struct tcphdr *tcp;

	put_ipv6(skb, IPPROTO_TCP, 32 + len);
	tcp = skb_put_zero(skb, 32);
	tcp->source = htons(4000);
	tcp->dest = htons(22);
	tcp->seq = htonl(0xfffff000);
	tcp->ack_seq = htonl(77);
	tcp->doff = 8;
	tcp->ack = 1;
	tcp->psh = 1;
	tcp->fin = 1;
	tcp->cwr = 1;
	tcp->check = (__force __sum16)htons(0x1234);
	memset(tcp + 1, 0xab, 12);
	put_pattern(skb, len);
	partial(skb, offsetof(struct tcphdr, check));
	return skb;
}

static void gso(struct sk_buff *skb, unsigned int type, unsigned int size)
{
	skb_shinfo(skb)->gso_type = type;
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = 2;
}

static u8 *write_one(struct kunit *test, const struct laya_elide *plan,
		     const struct sk_buff *skb, unsigned int n)
{
	u8 *to = kunit_kzalloc(test, laya_elide_len(plan, n), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, to);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_write(plan, skb, n, to));
	return to;
}

static void laya_elide_plan__not_cut(struct kunit *test)
{
	struct sk_buff *skb = test_skb(test, 0, 40 + 100);
	const struct laya_inner_ipv6 *inner;
	struct laya_elide plan;
	u8 *to;

	put_ipv6(skb, IPPROTO_ICMPV6, 100);
	put_pattern(skb, 100);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	KUNIT_EXPECT_EQ(test, 1, plan.count);
	KUNIT_ASSERT_EQ(test, 108, laya_elide_len(&plan, 0));
	to = write_one(test, &plan, skb, 0);
	inner = (struct laya_inner_ipv6 *)to;
	KUNIT_EXPECT_EQ(test, LAYA_INNER_IPV6, inner->kind);
	KUNIT_EXPECT_EQ(test, IPPROTO_ICMPV6, inner->nexthdr);
	KUNIT_EXPECT_EQ(test, 61, inner->hop_limit);
	KUNIT_EXPECT_EQ(test, 0, inner->flags);
	KUNIT_EXPECT_EQ(test, 0x0a912345, ntohl(inner->flow));
	KUNIT_EXPECT_EQ(test, 0, memcmp(to + 8, skb->data + 40, 100));
	kfree_skb(skb);
}

static void laya_elide_plan__trailing_bytes(struct kunit *test)
{
	struct sk_buff *skb = test_skb(test, 0, 40 + 20);
	struct laya_elide plan;

	put_ipv6(skb, IPPROTO_NONE, 10);
	put_pattern(skb, 20);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	KUNIT_EXPECT_EQ(test, 18, laya_elide_len(&plan, 0));
	kfree_skb(skb);
}

static void laya_elide_plan__truncated(struct kunit *test)
{
	struct sk_buff *skb = test_skb(test, 0, 40 + 20);
	struct laya_elide plan;

	put_ipv6(skb, IPPROTO_NONE, 21);
	put_pattern(skb, 20);
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_elide_plan(&plan, skb, MAX_INNER));
	skb_trim(skb, 39);
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_elide_plan(&plan, skb, MAX_INNER));
	kfree_skb(skb);
}

static void laya_elide_plan__tcp_super_packet(struct kunit *test)
{
	const unsigned int len = 3000, size = 1348;
	struct sk_buff *skb = tcp_skb(test, len);
	unsigned int n, i, at = 0, body;
	const struct tcphdr *tcp;
	struct laya_elide plan;
	u8 *to;

	gso(skb, SKB_GSO_TCPV6, size);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	KUNIT_ASSERT_EQ(test, 3, plan.count);
	for (n = 0; n < plan.count; n++) {
		to = write_one(test, &plan, skb, n);
		tcp = (struct tcphdr *)(to + 8);
		body = laya_elide_len(&plan, n) - 8 - 32;
		KUNIT_EXPECT_EQ(test, n < 2 ? size : len - 2 * size, body);
		KUNIT_EXPECT_EQ(test, LAYA_IPV6_CSUM_PARTIAL,
				((struct laya_inner_ipv6 *)to)->flags);
		KUNIT_EXPECT_EQ(test, 0xfffff000 + at, ntohl(tcp->seq));
		KUNIT_EXPECT_EQ(test, 77, ntohl(tcp->ack_seq));
		KUNIT_EXPECT_EQ(test, n == 0, (int)tcp->cwr);
		KUNIT_EXPECT_EQ(test, n == 2, (int)tcp->psh);
		KUNIT_EXPECT_EQ(test, n == 2, (int)tcp->fin);
		KUNIT_EXPECT_EQ(test, 0, (__force u16)tcp->check);
		KUNIT_EXPECT_EQ(test, 0xab, to[8 + 31]);
		for (i = 0; i < body; i++)
			if (to[40 + i] != pattern(at + i))
				break;
		KUNIT_EXPECT_EQ(test, body, i);
		at += body;
	}
	KUNIT_EXPECT_EQ(test, len, at);
	kfree_skb(skb);
}

static void laya_elide_plan__tcp_smaller_for_the_path(struct kunit *test)
{
	struct sk_buff *skb = tcp_skb(test, 1340);
	struct laya_elide plan;

	/* One packet of the device becomes two of the path */
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, 1168));
	KUNIT_EXPECT_EQ(test, 2, plan.count);
	KUNIT_EXPECT_EQ(test, 1168, laya_elide_len(&plan, 0));
	KUNIT_EXPECT_EQ(test, 40 + 1340 - 1128, laya_elide_len(&plan, 1));

	/* And segments of a super-packet are cut anew */
	gso(skb, SKB_GSO_TCPV6, 1000);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, 540));
	KUNIT_EXPECT_EQ(test, 3, plan.count);
	KUNIT_EXPECT_EQ(test, 540, laya_elide_len(&plan, 1));

	/* SYN counts as a byte: such a packet stays whole */
	skb_shinfo(skb)->gso_size = 0;
	tcp_hdr(skb)->syn = 1;
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, 1168));
	KUNIT_EXPECT_EQ(test, 1, plan.count);
	kfree_skb(skb);
}

static void laya_elide_plan__tcp_bad_header(struct kunit *test)
{
	struct sk_buff *skb = tcp_skb(test, 1340);
	struct laya_elide plan;

	gso(skb, SKB_GSO_TCPV6, 500);
	tcp_hdr(skb)->doff = 4;
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_elide_plan(&plan, skb, MAX_INNER));
	tcp_hdr(skb)->doff = 15;
	skb_trim(skb, 40 + 32);
	KUNIT_EXPECT_EQ(test, -EINVAL, laya_elide_plan(&plan, skb, MAX_INNER));
	kfree_skb(skb);
}

static void laya_elide_plan__udp_super_packet(struct kunit *test)
{
	struct sk_buff *skb = test_skb(test, 0, 40 + 8 + 250);
	struct laya_elide plan;
	unsigned int n;
	u8 *to;

	put_ipv6(skb, IPPROTO_UDP, 258);
	skb_put_zero(skb, 8);
	put_pattern(skb, 250);
	partial(skb, offsetof(struct udphdr, check));
	gso(skb, SKB_GSO_UDP_L4, 100);
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	KUNIT_ASSERT_EQ(test, 3, plan.count);
	for (n = 0; n < 3; n++) {
		to = write_one(test, &plan, skb, n);
		KUNIT_EXPECT_EQ(test, n < 2 ? 108 : 58,
				ntohs(((struct udphdr *)(to + 8))->len));
		KUNIT_EXPECT_EQ(test, pattern(n * 100), to[16]);
	}
	kfree_skb(skb);
}

static void laya_elide_plan__unknown_super_packet(struct kunit *test)
{
	struct sk_buff *skb = tcp_skb(test, 1340);
	struct laya_elide plan;

	gso(skb, SKB_GSO_TCPV6 | SKB_GSO_UDP_TUNNEL, 500);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			laya_elide_plan(&plan, skb, MAX_INNER));
	gso(skb, SKB_GSO_TCPV4, 500);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			laya_elide_plan(&plan, skb, MAX_INNER));
	kfree_skb(skb);
}

static void laya_elide_plan__other_checksum(struct kunit *test)
{
	struct sk_buff *skb = tcp_skb(test, 100);
	struct laya_elide plan;

	/* Partial, but of something the inner header cannot tell: computed */
	ipv6_hdr(skb)->nexthdr = IPPROTO_DSTOPTS;
	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	KUNIT_EXPECT_EQ(test, 0, plan.inner.flags);
	KUNIT_EXPECT_NE(test, CHECKSUM_PARTIAL, (int)skb->ip_summed);
	kfree_skb(skb);
}

static struct sk_buff *inner_skb(struct kunit *test, unsigned int len)
{
	struct sk_buff *skb = test_skb(test, 40, len);

	skb_put_zero(skb, len);
	return skb;
}

static void laya_elide_rebuild__there_and_back(struct kunit *test)
{
	struct sk_buff *skb = tcp_skb(test, 100);
	struct laya_elide plan;
	struct sk_buff *back;
	struct ipv6hdr *ip6;
	u8 *to;

	KUNIT_ASSERT_EQ(test, 0, laya_elide_plan(&plan, skb, MAX_INNER));
	to = write_one(test, &plan, skb, 0);
	back = inner_skb(test, 132);
	memcpy(back->data, to + 8, 132);
	KUNIT_ASSERT_EQ(test, 0,
			laya_elide_rebuild(back, (struct laya_inner_ipv6 *)to,
					   &here, &there, 0));
	ip6 = ipv6_hdr(back);
	KUNIT_EXPECT_EQ(test, 0, memcmp(ip6, ipv6_hdr(skb), sizeof(*ip6)));
	KUNIT_EXPECT_EQ(test, skb->len, back->len);

	/* The checksum is right once somebody completes it */
	KUNIT_EXPECT_EQ(test, CHECKSUM_PARTIAL, (int)back->ip_summed);
	KUNIT_ASSERT_EQ(test, 0, skb_checksum_help(back));
	KUNIT_EXPECT_EQ(test, 0,
			(__force u16)csum_ipv6_magic(&here, &there, 132, IPPROTO_TCP,
						     csum_partial(back->data + 40,
								  132, 0)));
	kfree_skb(back);
	kfree_skb(skb);
}

static void laya_elide_rebuild__malformed(struct kunit *test)
{
	struct laya_inner_ipv6 inner = {
		.kind		= LAYA_INNER_IPV6,
		.nexthdr	= IPPROTO_TCP,
		.hop_limit	= 1,
	};
	struct sk_buff *skb = inner_skb(test, 20);

	inner.flags = 0x02;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	inner.flags = 0;
	inner.flow = htonl(0x10000000);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	inner.flow = 0;
	/* A partial checksum of a header that is not whole, or not there */
	inner.flags = LAYA_IPV6_CSUM_PARTIAL;
	((struct tcphdr *)skb->data)->doff = 6;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	((struct tcphdr *)skb->data)->doff = 4;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	inner.nexthdr = IPPROTO_ICMPV6;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	inner.nexthdr = IPPROTO_UDP;
	skb_trim(skb, 7);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_elide_rebuild(skb, &inner, &here, &there, 0));
	KUNIT_EXPECT_EQ(test, 7, skb->len);
	kfree_skb(skb);
}

static void laya_elide_rebuild__congestion(struct kunit *test)
{
	/* Outer, inner, and what RFC 6040, section 4.2 makes of them; -1: drop */
	static const struct {
		u8 outer, inner;
		int result;
	} cases[] = {
		{ INET_ECN_NOT_ECT, INET_ECN_NOT_ECT, INET_ECN_NOT_ECT },
		{ INET_ECN_NOT_ECT, INET_ECN_ECT_0, INET_ECN_ECT_0 },
		{ INET_ECN_NOT_ECT, INET_ECN_CE, INET_ECN_CE },
		{ INET_ECN_ECT_0, INET_ECN_ECT_0, INET_ECN_ECT_0 },
		{ INET_ECN_CE, INET_ECN_ECT_0, INET_ECN_CE },
		{ INET_ECN_CE, INET_ECN_ECT_1, INET_ECN_CE },
		{ INET_ECN_CE, INET_ECN_NOT_ECT, -1 },
	};
	struct laya_inner_ipv6 inner = {
		.kind		= LAYA_INNER_IPV6,
		.nexthdr	= IPPROTO_NONE,
	};
	struct sk_buff *skb;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		skb = inner_skb(test, 8);
		inner.flow = htonl((0xb8 | cases[i].inner) << 20);
		err = laya_elide_rebuild(skb, &inner, &here, &there,
					 cases[i].outer);
		if (cases[i].result < 0) {
			KUNIT_EXPECT_EQ(test, -EINVAL, err);
		} else {
			KUNIT_EXPECT_EQ(test, 0, err);
			KUNIT_EXPECT_EQ(test, 0xb8 | cases[i].result,
					ipv6_get_dsfield(ipv6_hdr(skb)));
		}
		kfree_skb(skb);
	}
}

static struct kunit_case laya_elide_cases[] = {
	KUNIT_CASE(laya_elide_plan__not_cut),
	KUNIT_CASE(laya_elide_plan__trailing_bytes),
	KUNIT_CASE(laya_elide_plan__truncated),
	KUNIT_CASE(laya_elide_plan__tcp_super_packet),
	KUNIT_CASE(laya_elide_plan__tcp_smaller_for_the_path),
	KUNIT_CASE(laya_elide_plan__tcp_bad_header),
	KUNIT_CASE(laya_elide_plan__udp_super_packet),
	KUNIT_CASE(laya_elide_plan__unknown_super_packet),
	KUNIT_CASE(laya_elide_plan__other_checksum),
	KUNIT_CASE(laya_elide_rebuild__there_and_back),
	KUNIT_CASE(laya_elide_rebuild__malformed),
	KUNIT_CASE(laya_elide_rebuild__congestion),
	{}
};

static struct kunit_suite laya_elide_suite = {
	.name = "laya_elide",
	.test_cases = laya_elide_cases,
};

kunit_test_suite(laya_elide_suite);
