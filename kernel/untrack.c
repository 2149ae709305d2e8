// SPDX-License-Identifier: GPL-2.0
/*
 * A gateway's packets pass beside connection tracking, and so beside NAT.
 *
 * On a router that masquerades, a host inside can send from the port that Laya
 * has (masquerading keeps ports where it can), and what comes back to that port
 * from outside would be turned round to the host: it could steal the gateway's
 * packets. So those that carry a label or a receiver index of ours are taken out
 * before that. All others to the port are left alone: they may be the answers to
 * a host inside that uses the same port by chance, or since it is a forwarder too.
 *
 * It is the module that does this, not layad with nftables: it has to know labels,
 * has to last as long as the forwarding, which goes on without layad, and must not
 * depend on which firewall is in use.
 */
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "carrier.h"
#include "device.h"
#include "forward.h"
#include "peer.h"
#include "session.h"
#include "untrack.h"
#include "wire.h"

/* All shims, and what laya_shims_parse() wants to see behind them. */
#define LAYA_UNTRACK_HEAD	(2 * LAYA_MAX_LABELS * sizeof(struct laya_shim) + \
				 LAYA_OVERHEAD + LAYA_INNER_SIZE)

/* Where the UDP header is; negative when there is none to be looked at. */
static int laya_untrack_udp(const struct sk_buff *skb, u8 pf)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	const struct iphdr *ip = ip_hdr(skb);

	if (pf == NFPROTO_IPV6)
		return ip6->nexthdr == IPPROTO_UDP ? (int)sizeof(*ip6) : -1;
	if (ip->protocol != IPPROTO_UDP || ip_is_fragment(ip))
		return -1;
	return ip->ihl * 4;
}

static bool laya_untrack_local(struct net *net, const struct sk_buff *skb, u8 pf)
{
	if (pf == NFPROTO_IPV6)
		return ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, NULL, 0);
	return inet_addr_type(net, ip_hdr(skb)->daddr) == RTN_LOCAL;
}

/* Whether the UDP payload at @at was sealed for us, or has a label of ours. */
static bool laya_untrack_ours(struct laya_device *laya,
			      const struct sk_buff *skb, unsigned int at)
{
	const struct laya_data_header *header;
	struct laya_session *session;
	u8 buffer[LAYA_UNTRACK_HEAD];
	struct laya_shims shims;
	unsigned int len;
	const u8 *head;

	if (at >= skb->len)
		return false;
	len = min_t(unsigned int, skb->len - at, sizeof(buffer));
	head = skb_header_pointer(skb, at, len, buffer);
	if (!head || laya_shims_parse(&shims, head, len))
		return false;
	if (laya_forward_knows(laya->forward, &shims))
		return true;
	header = (const struct laya_data_header *)(head + shims.len);
	session = laya_session_lookup(get_unaligned_be32(&header->receiver));
	return session && session->peer->device == laya;
}

static bool laya_untrack_received(struct laya_carrier_udp *udp,
				  const struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	const struct udphdr *header;
	struct udphdr buffer;
	int at;

	at = laya_untrack_udp(skb, state->pf);
	if (at < 0)
		return false;
	header = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	return header && header->dest == htons(udp->port) &&
	       laya_untrack_ours(udp->carrier.device, skb, at + sizeof(*header)) &&
	       laya_untrack_local(state->net, skb, state->pf);
}

static bool laya_untrack_sent(struct laya_carrier_udp *udp,
			      const struct sock *sk)
{
	struct socket *sock4 = rcu_dereference(udp->sock4);
	struct socket *sock6 = rcu_dereference(udp->sock6);

	return sk && ((sock4 && sock4->sk == sk) || (sock6 && sock6->sk == sk));
}

static unsigned int laya_untrack_hook(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct laya_carrier_udp *udp = priv;

	/* Somebody else has decided */
	if (skb_nfct(skb))
		return NF_ACCEPT;
	if (state->hook == NF_INET_LOCAL_OUT ?
	    laya_untrack_sent(udp, state->sk) :
	    laya_untrack_received(udp, skb, state))
		nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	return NF_ACCEPT;
}

static int laya_untrack_start(struct laya_carrier_udp *udp)
{
	static const unsigned int hooks[] = {
		NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT,
	};
	struct net *net = udp->carrier.device->creating_net;
	unsigned int i;
	int err;

	BUILD_BUG_ON(ARRAY_SIZE(hooks) != ARRAY_SIZE(udp->untrack));
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		udp->untrack[i] = (struct nf_hook_ops){
			.hook		= laya_untrack_hook,
			.priv		= udp,
			.pf		= NFPROTO_INET,
			.hooknum	= hooks[i],
			/* Before connection tracking */
			.priority	= NF_IP_PRI_RAW,
		};
	}
	err = nf_register_net_hooks(net, udp->untrack, ARRAY_SIZE(hooks));
	udp->untracked = err ? NULL : net;
	return err;
}

/**
 * laya_untrack_stop - leave a carrier's packets to connection tracking
 * @udp: The sockets of a device; one whose packets are left to it already is left alone.
 *
 * Under device->lock. Who frees the carrier waits for a grace period first.
 */
void laya_untrack_stop(struct laya_carrier_udp *udp)
{
	if (!udp->untracked)
		return;
	nf_unregister_net_hooks(udp->untracked, udp->untrack,
				ARRAY_SIZE(udp->untrack));
	udp->untracked = NULL;
}

/**
 * laya_untrack_update - do with a device's packets what its flags say
 * @laya: The device.
 * @extack: For the reason of a failure.
 *
 * Under device->lock and rtnl, after the flags or the carrier have changed.
 *
 * Return: 0 or a negative errno.
 */
int laya_untrack_update(struct laya_device *laya, struct netlink_ext_ack *extack)
{
	struct laya_carrier_udp *udp;
	bool wanted;
	int err;

	udp = rcu_dereference_protected(laya->carrier,
					lockdep_is_held(&laya->lock));
	if (!udp || !laya->creating_net)
		return 0;
	wanted = laya->flags & LAYA_DEVICE_FLAGS_GATEWAY;
	if (wanted == !!udp->untracked)
		return 0;
	if (!wanted) {
		laya_untrack_stop(udp);
		/* They may be set again at once */
		synchronize_net();
		return 0;
	}
	err = laya_untrack_start(udp);
	if (err)
		NL_SET_ERR_MSG(extack,
			       "Its packets could not be kept out of connection tracking");
	return err;
}
