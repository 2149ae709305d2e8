/* SPDX-License-Identifier: GPL-2.0 */
/* Carriers: UDP sockets (carrier_udp.c) and connected streams (carrier_stream.c). */
#ifndef _LAYA_CARRIER_H
#define _LAYA_CARRIER_H

#include <linux/netfilter.h>

#include "counts.h"
#include "laya.h"

#define LAYA_CARRIER_UDP_ID	1

/**
 * struct laya_carrier - what both kinds have in common
 * @device: Whose it is.
 * @napi: What it received goes up from here.
 * @counts: Packets received and sent, segment by segment.
 */
struct laya_carrier {
	struct laya_device	*device;
	struct napi_struct	napi;
	struct pcpu_sw_netstats __percpu *counts;
};

/**
 * struct laya_carrier_udp - the UDP sockets of a device
 * @carrier: Its NAPI drains both, and is scheduled by their sk_data_ready.
 * @sock4: IPv4 socket, or NULL when IPv4 is not there.
 * @sock6: IPv6 socket, or NULL when IPv6 is not there.
 * @port: Bound by both, host byte order.
 * @untracked: Network namespace where @untrack is registered, or NULL; under
 *	device->lock.
 * @untrack: Of untrack.c.
 *
 * Lifetime: device->carrier publishes it under device->lock and rtnl; removed
 * by laya_carrier_close: unpublish, restore callbacks, synchronize_net, disable
 * NAPI, release sockets (which are in device->creating_net, without a netns
 * reference), free.
 */
struct laya_carrier_udp {
	struct laya_carrier	carrier;
	struct socket __rcu	*sock4;
	struct socket __rcu	*sock6;
	u16			port;
	struct net		*untracked;
	struct nf_hook_ops	untrack[2];
};

/* Under device->lock. */
int laya_carrier_open(struct laya_device *laya, u16 port,
		      struct netlink_ext_ack *extack);
void laya_carrier_close(struct laya_device *laya);
/* Routes of all paths are looked up anew. Under device->lock. */
void laya_carrier_reroute(struct laya_device *laya);
/*
 * Send @skb (consumed): a packet, or with gso_size set a run of equal ones of
 * which the last may be shorter; @cache may be NULL. @ttl 0 is the default.
 * Under rcu_read_lock_bh. -ENETUNREACH, -ELOOP, -EMSGSIZE, -ENOMEM.
 */
int laya_carrier_send(struct laya_device *laya, struct sk_buff *skb,
		      const struct laya_endpoint *to, struct dst_cache *cache,
		      u8 tos, u8 ttl);

/* The same for one kind of carrier. */
int laya_carrier_udp_send(struct laya_device *laya, struct sk_buff *skb,
			  const struct laya_endpoint *to,
			  struct dst_cache *cache, u8 tos, u8 ttl);
/* As a packet of ours from now on, whatever it was before. */
void laya_carrier_scrub(struct sk_buff *skb);

/*
 * Parse the shims at @data; -EBADMSG when malformed (wrong order, flags, too
 * many, no room for what must follow). Pure; shim.c.
 */
int laya_shims_parse(struct laya_shims *shims, const u8 *data, unsigned int len);
/* Write labels and @n_slots return slots; returns the bytes written. */
unsigned int laya_shims_write(u8 *to, const u8 labels[][LAYA_LABEL_SIZE],
			      unsigned int n_labels,
			      const u8 returns[][LAYA_LABEL_SIZE],
			      unsigned int n_returns, unsigned int n_slots);

#endif /* _LAYA_CARRIER_H */
