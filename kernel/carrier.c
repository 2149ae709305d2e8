// SPDX-License-Identifier: GPL-2.0
/* What UDP and stream carriers have in common. */
#include <linux/if_vlan.h>
#include <linux/skbuff.h>

#include "carrier.h"
#include "carrier_stream.h"

/**
 * laya_carrier_scrub - take from a packet what it was before
 * @skb: Received, or ours. Who is charged for it stays.
 */
void laya_carrier_scrub(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	__vlan_hwaccel_clear_tag(skb);
	skb_clear_hash(skb);
	skb_mark_not_on_list(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	skb->dev = NULL;
}

/**
 * laya_carrier_send - send a packet, or a run of equal ones
 * @laya: The device.
 * @skb: At the packet; consumed. With gso_size set, its packets are of that size,
 *	save the last, which may be shorter.
 * @to: Where to.
 * @cache: Route to @to, or NULL.
 * @tos: Traffic class; streams have none.
 * @ttl: TTL or hop limit, 0 for the default; streams have none.
 *
 * Under rcu_read_lock, BH off.
 *
 * Return: 0; a negative errno when it was dropped, which is counted.
 */
int laya_carrier_send(struct laya_device *laya, struct sk_buff *skb,
		      const struct laya_endpoint *to, struct dst_cache *cache,
		      u8 tos, u8 ttl)
{
	if (to->carrier)
		return laya_carrier_stream_send(laya, skb, to->carrier);
	return laya_carrier_udp_send(laya, skb, to, cache, tos, ttl);
}
