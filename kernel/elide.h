/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IPv6 packets between the two ORCHIDs of a session, to inner packets and back.
 * The addresses stay at home, since both ends know them. Pure: skbs in, bytes out.
 */
#ifndef _LAYA_ELIDE_H
#define _LAYA_ELIDE_H

#include "laya.h"

/**
 * struct laya_elide - how an IPv6 packet becomes inner packets
 * @inner: Header of all of them.
 * @header: Bytes of transport header that stand in front of each of them; 0 when
 *	the packet stays whole.
 * @start: Where in the skb the transport header is.
 * @body: Bytes behind @header.
 * @size: Bytes of body in each inner packet, save the last.
 * @count: Number of inner packets.
 *
 * A super-packet of TCP or UDP is cut into its segments here and not by
 * skb_gso_segment(), so that a segment is copied once, to where it is sealed. A
 * TCP segment may also be cut smaller than its sender meant, when the path
 * carries less than the device's MTU.
 */
struct laya_elide {
	struct laya_inner_ipv6	inner;
	unsigned int		header;
	unsigned int		start;
	unsigned int		body;
	unsigned int		size;
	unsigned int		count;
};

/*
 * Plan for @skb, at its IPv6 header, with inner packets of at most @max bytes
 * where that is possible (they may be larger: see laya_elide_len). -EINVAL:
 * malformed; -EOPNOTSUPP: a kind of super-packet that the device does not have.
 */
int laya_elide_plan(struct laya_elide *plan, struct sk_buff *skb,
		    unsigned int max);
/* Write the inner packet number @n, laya_elide_len() bytes. */
int laya_elide_write(const struct laya_elide *plan, const struct sk_buff *skb,
		     unsigned int n, u8 *to);
/*
 * Rebuild the IPv6 packet: @skb is behind the inner header, with 40 bytes of
 * headroom. ECN as RFC 6040. -EINVAL: malformed; then the skb is as it was.
 */
int laya_elide_rebuild(struct sk_buff *skb, const struct laya_inner_ipv6 *inner,
		       const struct in6_addr *source,
		       const struct in6_addr *dest, u8 outer_tos);

static inline unsigned int laya_elide_len(const struct laya_elide *plan,
					  unsigned int n)
{
	unsigned int body = plan->size;

	if (n + 1 == plan->count)
		body = plan->body - n * plan->size;
	return LAYA_INNER_SIZE + plan->header + body;
}

#endif /* _LAYA_ELIDE_H */
