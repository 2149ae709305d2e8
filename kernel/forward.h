/* SPDX-License-Identifier: GPL-2.0 */
/* Labels, return labels, and what is done with packets that carry them. */
#ifndef _LAYA_FORWARD_H
#define _LAYA_FORWARD_H

#include "laya.h"

struct dst_cache;

/* A label as netlink sets it. */
struct laya_label_params {
	u8	label[LAYA_LABEL_SIZE];
	u8	for_key[LAYA_KEY_SIZE];
	u64	rate;		/* bytes a second, 0 is no limit */
	u32	burst;		/* bytes */
	u32	expires_ms;	/* 0: 180 s */
	bool	bound;		/* only for_key may use it; see label.h */
};

/* A label as netlink tells it. */
struct laya_label_info {
	struct laya_label_params	params;	/* expires_ms: time left */
	u8				key[LAYA_KEY_SIZE];
	u64				packets;
	u64				bytes;
	u64				dropped;
	u32				flows;
};

/* One per device. */
struct laya_forward *laya_forward_create(struct laya_device *laya);
void laya_forward_destroy(struct laya_forward *forward);
/* Under device->lock: add or renew. -EEXIST: label of another pair. -ENOSPC. */
int laya_forward_label_set(struct laya_forward *forward, struct laya_peer *peer,
			   struct laya_peer *user,
			   const struct laya_label_params *params,
			   struct netlink_ext_ack *extack);
int laya_forward_label_del(struct laya_forward *forward, const u8 *label);
/* The flows to a stream carrier go with it. */
void laya_forward_carrier_lost(struct laya_forward *forward, u32 carrier);
/* An attachment goes: its labels and flows with it. */
void laya_forward_peer_gone(struct laya_forward *forward,
			    struct laya_peer *peer);
/* Whoever resets the routes of paths resets these too. */
void laya_forward_each_route(struct laya_forward *forward,
			     void (*fn)(struct dst_cache *cache));
/*
 * Walk the labels (dump). *@pos is a cookie, 0 to start. @emit returns non-zero
 * to stop (message full); it is then called again for the same label next time.
 */
int laya_forward_label_dump(struct laya_forward *forward, unsigned long *pos,
			    int (*emit)(const struct laya_label_info *info,
					void *data), void *data);
int laya_forward_label_get(struct laya_forward *forward, const u8 *label,
			   struct laya_label_info *info);
/* Whether a packet with these shims is for laya_forward_packet. Under RCU. */
bool laya_forward_knows(struct laya_forward *forward,
			const struct laya_shims *shims);
unsigned int laya_forward_label_count(struct laya_forward *forward);
/*
 * A packet (or a run of equal ones: gso_size) with labels. True when one of them
 * is ours: then the skb is consumed, forwarded or dropped and counted. False:
 * none is ours, the skb is untouched, it may be for this host. Under RCU, BH.
 */
bool laya_forward_packet(struct laya_device *laya, struct sk_buff *skb,
			 const struct laya_shims *shims,
			 const struct laya_endpoint *from, u8 ttl, u8 tos);

/* Pure, so that they are tested without a device. */
bool laya_forward_agree(struct sk_buff *skb, unsigned int len);
struct sk_buff *laya_forward_segment(const struct sk_buff *skb,
				     unsigned int at);
void laya_forward_fill(u8 *data, unsigned int shim, u64 value);

#endif /* _LAYA_FORWARD_H */
