/* SPDX-License-Identifier: GPL-2.0 */
/* From socket or device to carrier. */
#ifndef _LAYA_SEND_H
#define _LAYA_SEND_H

#include "laya.h"

struct laya_run;

/* Headroom that an inner packet's skb should have: outer headers and shims. */
#define LAYA_SEND_HEADROOM	(LL_MAX_HEADER + 40 + 8 + 4 * 8 + 16)

/* Control block of an inner packet on its way out. */
struct laya_send_cb {
	u32	kinds;		/* mask of 1 << enum laya_path_kind */
	u8	tos;		/* outer traffic class: ECN and DSCP */
	bool	control;	/* port 1: allowed to peers without `allow` */
};

#define LAYA_SEND_CB(skb)	((struct laya_send_cb *)(skb)->cb)
#define LAYA_KINDS_ANY		(~0U)

/* ndo_start_xmit of the device. */
netdev_tx_t laya_send_xmit(struct sk_buff *skb, struct net_device *dev);
/*
 * Send one inner packet (@skb at its inner header, consumed, cb set). Any
 * context. 0: sent or queued. -EHOSTUNREACH, -ECONNREFUSED (peer->error),
 * -EACCES (no path of the kinds), -EMSGSIZE, -ENOBUFS, -ENOMEM.
 */
int laya_send_inner(struct laya_peer *peer, struct sk_buff *skb);
/*
 * A run of inner packets: @before bytes in front of each, and room for a tag behind.
 * Under RCU. laya_send_run() consumes the run; errors as above.
 */
bool laya_send_room(struct laya_peer *peer, u32 kinds, unsigned int *before,
		    unsigned int *max);
int laya_send_run(struct laya_peer *peer, struct laya_run *run,
		  unsigned int before, u32 kinds);
/*
 * Send a probe on @path. To @to instead of the path's own endpoint when that is
 * not NULL (a challenge of a new address). Padded to @size bytes of UDP payload
 * when it is smaller (a probe of the path's MTU). Under rcu_read_lock.
 */
int laya_send_probe(struct laya_path *path, const struct laya_endpoint *to,
		    u8 type, u32 seq, __be64 token,
		    const struct laya_probe_observed *observed,
		    unsigned int size);
/* Tell the peer that a datagram was not delivered; rate limited. */
void laya_send_error(struct laya_peer *peer, u8 code, __be16 source,
		     __be16 dest);

#endif /* _LAYA_SEND_H */
