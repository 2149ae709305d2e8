/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between Linux 6.1 and those after it, hidden here so that no other
 * file asks which it is. Chosen by what the headers have (detect.sh), because
 * distributions backport.
 */
#ifndef _LAYA_COMPAT_H
#define _LAYA_COMPAT_H

#include <linux/errno.h>
#include <linux/netdevice.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

/* 6.12: a bit of its own instead of a feature */
static inline void laya_compat_set_lltx(struct net_device *dev)
{
#ifdef LAYA_HAVE_DEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* 6.9: the core allocates the statistics of a device that says which it has */
static inline void laya_compat_set_tstats(struct net_device *dev)
{
#ifdef LAYA_HAVE_PCPU_STAT_TYPE
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
#endif
}

static inline int laya_compat_alloc_tstats(struct net_device *dev)
{
#ifndef LAYA_HAVE_PCPU_STAT_TYPE
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
#endif
	return 0;
}

static inline void laya_compat_free_tstats(struct net_device *dev)
{
#ifndef LAYA_HAVE_PCPU_STAT_TYPE
	free_percpu(dev->tstats);
	dev->tstats = NULL;
#endif
}

/* 6.15: newlink() has its arguments in a struct */
#ifdef LAYA_HAVE_RTNL_NEWLINK_PARAMS
#define LAYA_COMPAT_NEWLINK(name)					\
	static int name(struct net_device *dev,				\
			struct rtnl_newlink_params *params,		\
			struct netlink_ext_ack *extack)
#define laya_compat_newlink_net()	(params->src_net)
#else
#define LAYA_COMPAT_NEWLINK(name)					\
	static int name(struct net *src_net, struct net_device *dev,	\
			struct nlattr *tb[], struct nlattr *data[],	\
			struct netlink_ext_ack *extack)
#define laya_compat_newlink_net()	(src_net)
#endif

/* 6.6: a dump has a struct genl_info */
static inline struct nlattr **laya_compat_dump_attrs(struct netlink_callback *cb)
{
#ifdef LAYA_HAVE_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.17: one more argument */
static inline void
laya_compat_udp_tunnel_xmit(struct rtable *rt, struct sock *sk,
			    struct sk_buff *skb, __be32 src, __be32 dst, u8 tos,
			    u8 ttl, __be16 df, __be16 src_port, __be16 dst_port)
{
#ifdef LAYA_HAVE_UDP_TUNNEL_XMIT_IPCB
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, src_port,
			    dst_port, false, false, 0);
#else
	udp_tunnel_xmit_skb(rt, sk, skb, src, dst, tos, ttl, df, src_port,
			    dst_port, false, false);
#endif
}

static inline void
laya_compat_udp_tunnel6_xmit(struct dst_entry *dst, struct sock *sk,
			     struct sk_buff *skb, struct in6_addr *src,
			     struct in6_addr *dest, u8 tos, u8 ttl,
			     __be16 src_port, __be16 dst_port)
{
#ifdef LAYA_HAVE_UDP_TUNNEL6_XMIT_IP6CB
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, src, dest, tos, ttl, 0,
			     src_port, dst_port, false, 0);
#else
	udp_tunnel6_xmit_skb(dst, sk, skb, NULL, src, dest, tos, ttl, 0,
			     src_port, dst_port, false);
#endif
}

#endif /* _LAYA_COMPAT_H */
