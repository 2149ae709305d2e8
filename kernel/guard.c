// SPDX-License-Identifier: GPL-2.0
/*
 * Identity is route: ORCHIDs come and go through Laya devices only.
 *
 * Linux takes a packet for any of its addresses on any of its interfaces (the
 * weak host model), so without this a neighbour on the LAN could speak to a
 * socket bound to an ORCHID, in the name of any other. And while no Laya device
 * is there, ORCHIDs would follow the default route, in clear.
 *
 * Packets are looked at where they come in, before anything may rewrite them,
 * and where they leave, after everything that may. Packets of the host's own
 * are looked at where they are made too: only there can their sender be told.
 */

#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>

#include "addr.h"
#include "device.h"
#include "guard.h"

/**
 * laya_guard_passes() - may a packet pass?
 * @where: The device that it comes from or goes to.
 * @source: Its source address.
 * @dest: Its destination address.
 *
 * On loopback are the packets that a host sends to itself, so an ORCHID there is
 * its own or it is forged. What a Laya device carries is not judged here: it
 * checks both addresses against keys.
 *
 * Return: true when it may.
 */
bool laya_guard_passes(enum laya_guard_where where,
		       enum laya_guard_address source,
		       enum laya_guard_address dest)
{
	switch (where) {
	case LAYA_GUARD_LAYA:
		return true;
	case LAYA_GUARD_LOOPBACK:
		return source != LAYA_GUARD_FOREIGN &&
		       dest != LAYA_GUARD_FOREIGN;
	case LAYA_GUARD_ELSEWHERE:
		break;
	}
	return source == LAYA_GUARD_ORDINARY && dest == LAYA_GUARD_ORDINARY;
}

static struct laya_device *laya_guard_owner(struct net *net,
					    const struct in6_addr *addr)
{
	struct net_device *dev = ipv6_dev_find(net, addr, NULL);

	return dev && laya_device_is(dev) ? laya_device(dev) : NULL;
}

/* Count a drop where a person would look; cheap enough for a flood. */
static void laya_guard_count(struct net *net, const struct net_device *dev,
			     struct laya_device *laya, bool in)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	if (!laya) {
		laya = laya_device_lookup_scope(net, 0, NULL);
		if (IS_ERR(laya))
			laya = NULL;
	}
	if (laya)
		laya_device_drop(laya, LAYA_DROP_GUARD);
	/* `nstat` shows these, with or without a Laya device */
	if (in)
		__IP6_INC_STATS(net, idev, IPSTATS_MIB_INADDRERRORS);
	else
		IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTNOROUTES);
}

/*
 * A TCP that connects takes no notice of what became of its SYN, save by ICMP.
 * Others get the error from the call itself.
 */
static void laya_guard_tell(struct sk_buff *skb, const struct net_device *dev)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);

	if (ip6->nexthdr != IPPROTO_TCP || !skb->sk || !sk_fullsock(skb->sk))
		return;
	/* As for a packet that was received: that is what ICMP answers */
	if (!skb->dev)
		skb->dev = (struct net_device *)dev;
	icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_NOROUTE, 0);
}

/*
 * The ICMPv6 errors about what could not be sent through a Laya device come to its
 * sockets over loopback. TCP looks for the socket by the device that an error came
 * in on, and would not find one that is bound to the Laya device.
 */
static void laya_guard_adopt(struct sk_buff *skb, struct laya_device *laya)
{
	if (ipv6_hdr(skb)->nexthdr == NEXTHDR_ICMP)
		skb->dev = laya->dev;
}

static unsigned int laya_guard_hook(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	bool in = state->hook == NF_INET_PRE_ROUTING;
	const struct net_device *dev = in ? state->in : state->out;
	enum laya_guard_address source = LAYA_GUARD_ORDINARY;
	enum laya_guard_address dest = LAYA_GUARD_ORDINARY;
	struct laya_device *owner = NULL, *other = NULL;
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	enum laya_guard_where where;
	bool from, to;

	from = laya_addr_is_orchid(&ip6->saddr);
	to = laya_addr_is_orchid(&ip6->daddr);
	if (likely(!from && !to))
		return NF_ACCEPT;
	if (laya_device_is(dev))
		return NF_ACCEPT;

	where = dev->flags & IFF_LOOPBACK ? LAYA_GUARD_LOOPBACK :
					    LAYA_GUARD_ELSEWHERE;
	if (from) {
		other = laya_guard_owner(state->net, &ip6->saddr);
		source = other ? LAYA_GUARD_OWN : LAYA_GUARD_FOREIGN;
	}
	if (to) {
		owner = laya_guard_owner(state->net, &ip6->daddr);
		dest = owner ? LAYA_GUARD_OWN : LAYA_GUARD_FOREIGN;
	}
	if (laya_guard_passes(where, source, dest)) {
		if (in && owner)
			laya_guard_adopt(skb, owner);
		return NF_ACCEPT;
	}

	laya_guard_count(state->net, dev, owner ?: other, in);
	if (state->hook == NF_INET_LOCAL_OUT) {
		laya_guard_tell(skb, dev);
		return NF_DROP_ERR(-ENETUNREACH);
	}
	return NF_DROP;
}

static const struct nf_hook_ops laya_guard_ops[] = {
	{
		.hook		= laya_guard_hook,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= NF_IP6_PRI_FIRST,
	}, {
		.hook		= laya_guard_hook,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= NF_IP6_PRI_LAST,
	}, {
		.hook		= laya_guard_hook,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_POST_ROUTING,
		.priority	= NF_IP6_PRI_LAST,
	},
};

static int __net_init laya_guard_net_init(struct net *net)
{
	return nf_register_net_hooks(net, laya_guard_ops,
				     ARRAY_SIZE(laya_guard_ops));
}

static void __net_exit laya_guard_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, laya_guard_ops,
				ARRAY_SIZE(laya_guard_ops));
}

static struct pernet_operations laya_guard_net_ops = {
	.init	= laya_guard_net_init,
	.exit	= laya_guard_net_exit,
};

/**
 * laya_guard_init() - stand guard in every network namespace
 *
 * Before any device can be created, so that no ORCHID is ever without it.
 *
 * Return: 0 or a negative errno.
 */
int laya_guard_init(void)
{
	return register_pernet_subsys(&laya_guard_net_ops);
}

/**
 * laya_guard_exit() - stand down
 */
void laya_guard_exit(void)
{
	unregister_pernet_subsys(&laya_guard_net_ops);
}
