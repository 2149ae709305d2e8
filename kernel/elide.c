// SPDX-License-Identifier: GPL-2.0
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>

#include "elide.h"

#define LAYA_FLOW_MASK	cpu_to_be32(0x0fffffff)

/* TCP super-packets that laya_elide_write() can cut. */
#define LAYA_GSO_TCP	(SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | SKB_GSO_DODGY)
#define LAYA_GSO_UDP	(SKB_GSO_UDP_L4 | SKB_GSO_DODGY)

/*
 * Is the transport checksum one that the receiver can complete from what the inner
 * header says? Only for TCP and UDP right behind the IPv6 header.
 */
static bool laya_elide_partial(const struct sk_buff *skb, u8 nexthdr)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL ||
	    skb_checksum_start_offset(skb) != sizeof(struct ipv6hdr))
		return false;
	switch (nexthdr) {
	case IPPROTO_TCP:
		return skb->csum_offset == offsetof(struct tcphdr, check);
	case IPPROTO_UDP:
		return skb->csum_offset == offsetof(struct udphdr, check);
	}
	return false;
}

/* Length of the TCP header, 0 when it is malformed. */
static unsigned int laya_elide_tcp_header(struct sk_buff *skb)
{
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(struct ipv6hdr) + sizeof(struct tcphdr)))
		return 0;
	len = ((struct tcphdr *)(ipv6_hdr(skb) + 1))->doff * 4;
	if (len < sizeof(struct tcphdr) ||
	    !pskb_may_pull(skb, sizeof(struct ipv6hdr) + len))
		return 0;
	return len;
}

static int laya_elide_cut(struct laya_elide *plan, unsigned int size)
{
	if (!size)
		return -EINVAL;
	plan->size = size;
	plan->count = max(DIV_ROUND_UP(plan->body, size), 1U);
	return 0;
}

static int laya_elide_plan_gso(struct laya_elide *plan, struct sk_buff *skb,
			       unsigned int max)
{
	unsigned int type = skb_shinfo(skb)->gso_type;
	unsigned int size = skb_shinfo(skb)->gso_size;

	if (!(plan->inner.flags & LAYA_IPV6_CSUM_PARTIAL))
		return -EOPNOTSUPP;

	if ((type & SKB_GSO_TCPV6) && !(type & ~LAYA_GSO_TCP) &&
	    plan->inner.nexthdr == IPPROTO_TCP) {
		plan->header = laya_elide_tcp_header(skb);
		if (!plan->header)
			return -EINVAL;
		if (max > LAYA_INNER_SIZE + plan->header)
			size = min(size, max - LAYA_INNER_SIZE - plan->header);
	} else if ((type & SKB_GSO_UDP_L4) && !(type & ~LAYA_GSO_UDP) &&
		   plan->inner.nexthdr == IPPROTO_UDP) {
		plan->header = sizeof(struct udphdr);
		if (!pskb_may_pull(skb, sizeof(struct ipv6hdr) + plan->header))
			return -EINVAL;
	} else {
		return -EOPNOTSUPP;
	}
	plan->body -= plan->header;
	return laya_elide_cut(plan, size);
}

/**
 * laya_elide_plan - how an IPv6 packet becomes inner packets
 * @plan: Filled in.
 * @skb: At its IPv6 header; its headers may be pulled into the linear part, and
 *	a checksum that the far side cannot complete is computed.
 * @max: Largest inner packet that the path carries whole.
 *
 * Return: 0; -EINVAL for a malformed packet; -EOPNOTSUPP for a super-packet of a
 * kind that the device does not announce; -ENOMEM.
 */
int laya_elide_plan(struct laya_elide *plan, struct sk_buff *skb,
		    unsigned int max)
{
	const struct ipv6hdr *ip6;
	unsigned int header;
	int err;

	if (!pskb_may_pull(skb, sizeof(*ip6)))
		return -EINVAL;
	ip6 = ipv6_hdr(skb);

	memset(plan, 0, sizeof(*plan));
	plan->inner.kind = LAYA_INNER_IPV6;
	plan->inner.nexthdr = ip6->nexthdr;
	plan->inner.hop_limit = ip6->hop_limit;
	plan->inner.flow = *(__be32 *)ip6 & LAYA_FLOW_MASK;
	plan->start = sizeof(*ip6);
	plan->body = skb->len - sizeof(*ip6);
	plan->count = 1;

	if (laya_elide_partial(skb, ip6->nexthdr)) {
		plan->inner.flags |= LAYA_IPV6_CSUM_PARTIAL;
	} else if (skb->ip_summed == CHECKSUM_PARTIAL && !skb_is_gso(skb)) {
		err = skb_checksum_help(skb);
		if (err)
			return err;
		ip6 = ipv6_hdr(skb);
	}

	if (skb_is_gso(skb))
		return laya_elide_plan_gso(plan, skb, max);

	/* A packet socket may append what it likes, or send less than it says */
	if (ntohs(ip6->payload_len) > plan->body)
		return -EINVAL;
	plan->body = ntohs(ip6->payload_len);

	if (LAYA_INNER_SIZE + plan->body > max &&
	    (plan->inner.flags & LAYA_IPV6_CSUM_PARTIAL) &&
	    ip6->nexthdr == IPPROTO_TCP) {
		const struct tcphdr *tcp;

		header = laya_elide_tcp_header(skb);
		if (!header || header > plan->body)
			return -EINVAL;
		tcp = (struct tcphdr *)(ipv6_hdr(skb) + 1);
		/* The urgent pointer and SYN count from the segment's start */
		if (!tcp->syn && !tcp->urg && !tcp->rst &&
		    max > LAYA_INNER_SIZE + header) {
			plan->header = header;
			plan->body -= header;
			return laya_elide_cut(plan,
					      max - LAYA_INNER_SIZE - header);
		}
	}
	plan->size = plan->body;
	return 0;
}

/* The transport header of segment @n, made from that of the super-packet. */
static void laya_elide_fix_header(const struct laya_elide *plan, unsigned int n,
				  void *header, unsigned int body)
{
	struct tcphdr *tcp = header;
	struct udphdr *udp = header;

	if (plan->inner.nexthdr == IPPROTO_UDP) {
		udp->len = htons(sizeof(*udp) + body);
		return;
	}
	tcp->seq = htonl(ntohl(tcp->seq) + n * plan->size);
	if (n)
		tcp->cwr = 0;
	if (n + 1 < plan->count) {
		tcp->fin = 0;
		tcp->psh = 0;
	}
}

/**
 * laya_elide_write - write one of the inner packets of an IPv6 packet
 * @plan: From laya_elide_plan().
 * @skb: The same.
 * @n: Number of the inner packet, from 0.
 * @to: Has room for laya_elide_len() bytes.
 *
 * Return: 0, or -EFAULT when the skb's pages cannot be read.
 */
int laya_elide_write(const struct laya_elide *plan, const struct sk_buff *skb,
		     unsigned int n, u8 *to)
{
	unsigned int body = laya_elide_len(plan, n) - LAYA_INNER_SIZE -
			    plan->header;
	u8 *at = to;
	int err;

	memcpy(at, &plan->inner, sizeof(plan->inner));
	at += sizeof(plan->inner);
	if (plan->header) {
		memcpy(at, skb->data + plan->start, plan->header);
		laya_elide_fix_header(plan, n, at, body);
		at += plan->header;
	}
	err = skb_copy_bits(skb, plan->start + plan->header + n * plan->size,
			    at, body);
	if (err)
		return err;

	/* What stands there was for the whole; the receiver makes its own */
	if (plan->inner.flags & LAYA_IPV6_CSUM_PARTIAL)
		memset(to + LAYA_INNER_SIZE + skb->csum_offset, 0,
		       sizeof(__sum16));
	return 0;
}

/* Offset of the checksum in the transport header, 0 when there is none to make. */
static unsigned int laya_elide_check(const struct sk_buff *skb, u8 nexthdr)
{
	const struct tcphdr *tcp = (struct tcphdr *)skb->data;

	switch (nexthdr) {
	case IPPROTO_TCP:
		if (skb_headlen(skb) < sizeof(*tcp) ||
		    tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > skb->len)
			return 0;
		return offsetof(struct tcphdr, check);
	case IPPROTO_UDP:
		if (skb_headlen(skb) < sizeof(struct udphdr))
			return 0;
		return offsetof(struct udphdr, check);
	}
	return 0;
}

/**
 * laya_elide_rebuild - make an IPv6 packet of an inner packet
 * @skb: Behind the inner header, headers linear, with headroom of its own for
 *	the IPv6 header.
 * @inner: The inner header; may be where the IPv6 header will stand.
 * @source: ORCHID of the key under which the packet was opened.
 * @dest: Our ORCHID.
 * @outer_tos: Traffic class of the outer header.
 *
 * Return: 0, or -EINVAL when it is malformed or must be dropped for its congestion
 * mark (RFC 6040, section 4.2); the skb is as it was then.
 */
int laya_elide_rebuild(struct sk_buff *skb, const struct laya_inner_ipv6 *inner,
		       const struct in6_addr *source,
		       const struct in6_addr *dest, u8 outer_tos)
{
	const struct laya_inner_ipv6 header = *inner;
	unsigned int len = skb->len;
	unsigned int check = 0;
	struct ipv6hdr *ip6;
	bool set_ce = false;
	u8 class;

	if ((header.flags & ~LAYA_IPV6_CSUM_PARTIAL) ||
	    (header.flow & ~LAYA_FLOW_MASK) || len > U16_MAX)
		return -EINVAL;
	if (header.flags & LAYA_IPV6_CSUM_PARTIAL) {
		check = laya_elide_check(skb, header.nexthdr);
		if (!check)
			return -EINVAL;
	}
	class = ntohl(header.flow) >> 20;
	if (__INET_ECN_decapsulate(outer_tos, class, &set_ce) > 1)
		return -EINVAL;

	ip6 = __skb_push(skb, sizeof(*ip6));
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(*ip6));
	*(__be32 *)ip6 = htonl(6 << 28) | header.flow;
	ip6->payload_len = htons(len);
	ip6->nexthdr = header.nexthdr;
	ip6->hop_limit = header.hop_limit;
	ip6->saddr = *source;
	ip6->daddr = *dest;
	if (set_ce)
		ipv6_change_dsfield(ip6, INET_ECN_MASK, class | INET_ECN_CE);

	skb->protocol = htons(ETH_P_IPV6);
	skb->ip_summed = CHECKSUM_NONE;
	if (check) {
		/*
		 * The bytes in the field mean nothing; TCP and UDP treat a
		 * partial checksum as right, and whoever needs the real one
		 * computes it from the pseudo-header sum put here.
		 */
		*(__sum16 *)(skb_transport_header(skb) + check) =
			~csum_ipv6_magic(source, dest, len, header.nexthdr, 0);
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = check;
	}
	return 0;
}
