/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_DEVICE_H
#define _LAYA_DEVICE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "carrier_stream.h"
#include "drop.h"
#include "laya.h"
#include "trace.h"

/* Bound by 40 bytes of IPv6, 8 of UDP, two labels and the sealed packet. */
#define LAYA_DEVICE_MTU		1420

/**
 * struct laya_ports - datagram sockets of a device, by port
 * @lock: Guards @hash for writers; readers use RCU.
 * @hash: Chains of struct laya_dgram_sock.
 */
struct laya_ports {
	spinlock_t		lock;	/* writers of hash */
	struct hlist_head	hash[256];
};

/**
 * struct laya_device - one laya network device: one identity
 * @dev: The net_device; this struct is its private part.
 * @creating_net: Network namespace where it was created and where its carriers
 *	stay, wherever @dev moves. Holds no reference: the namespace's exit
 *	deletes the device's carriers first (as WireGuard does).
 * @list: In the list of all devices, under rtnl; readers use RCU.
 * @lock: See laya.h.
 * @public_key: Our key; all zero until set. Changed only while there are no
 *	peers, under @lock and rtnl.
 * @orchid: Its address.
 * @flags: enum laya_device_flags; changed under @lock and rtnl, READ_ONCE.
 * @fwmark: On carriers' packets.
 * @user_timeout_ms: After that long without a path, streams fail.
 * @owner_portid: Netlink port of the daemon, 0 when there is none.
 * @owner_net: Network namespace of its socket, which holds the reference; only
 *	while @owner_portid is not 0.
 * @peers_by_key: Published peers, by public key.
 * @peers_by_orchid: The same, by address.
 * @n_peers: Number of published peers.
 * @seq: Changes with the set of peers, so that a dump knows that it missed some;
 *	never 0; under @lock.
 * @carrier: UDP sockets, or NULL.
 * @streams: Stream carriers, see carrier_stream.h.
 * @forward: Label and flow tables; always there.
 * @ports: Datagram sockets.
 * @drops: Why packets were dropped.
 * @dead: Set at deletion; nothing new is published after that.
 */
struct laya_device {
	struct net_device		*dev;
	struct net			*creating_net;
	struct list_head		list;
	struct mutex			lock;	/* configuration: laya.h */
	u8				public_key[LAYA_KEY_SIZE];
	struct in6_addr			orchid;
	u32				flags;
	u32				fwmark;
	u32				user_timeout_ms;
	u32				owner_portid;
	struct net			*owner_net;
	struct rhashtable		peers_by_key;
	struct rhashtable		peers_by_orchid;
	unsigned int			n_peers;
	unsigned int			seq;
	struct laya_carrier_udp __rcu	*carrier;
	struct laya_streams		streams;
	struct laya_forward		*forward;
	struct laya_ports		ports;
	struct laya_drop_stats __percpu	*drops;
	bool				dead;
};

extern struct rtnl_link_ops laya_link_ops;

int laya_device_init(void);
void laya_device_exit(void);
/* Under rcu_read_lock, or rtnl. NULL when there is none. */
struct laya_device *laya_device_lookup_ifindex(struct net *net, int ifindex);
struct laya_device *laya_device_lookup_key(struct net *net, const u8 *key);
/*
 * The device for a socket: by @scope_id when that is not 0, else the only one of
 * @net, else the one that has @peer_key as a peer or as its own key. ERR_PTR:
 * -ENODEV, -ENETUNREACH (several, none of which knows the key).
 */
struct laya_device *laya_device_lookup_scope(struct net *net, u32 scope_id,
					     const u8 *peer_key);
struct laya_device *laya_device_lookup_hold(struct net *net, int ifindex,
					    const char *name);
struct laya_device *laya_device_next(struct net *net, struct laya_device *laya);
void laya_device_release_owner(struct net *net, u32 portid);
int laya_device_set_key(struct laya_device *laya, const u8 *key,
			struct netlink_ext_ack *extack);

static inline struct laya_device *laya_device(const struct net_device *dev)
{
	return netdev_priv(dev);
}

static inline bool laya_device_is(const struct net_device *dev)
{
	return dev->rtnl_link_ops == &laya_link_ops;
}

static inline void laya_device_drop(struct laya_device *laya,
				    enum laya_drop reason)
{
	trace_laya_drop(laya->dev, reason);
	this_cpu_inc(laya->drops->packets[reason]);
}

/* All packets that @skb stands for. */
static inline void laya_device_drop_skb(struct laya_device *laya,
					const struct sk_buff *skb,
					enum laya_drop reason)
{
	trace_laya_drop(laya->dev, reason);
	this_cpu_add(laya->drops->packets[reason],
		     skb_shinfo(skb)->gso_segs ?: 1);
}

#endif /* _LAYA_DEVICE_H */
