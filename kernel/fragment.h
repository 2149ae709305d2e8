/* SPDX-License-Identifier: GPL-2.0 */
/* Laya fragments: inner packets that the path in use does not carry whole. */
#ifndef _LAYA_FRAGMENT_H
#define _LAYA_FRAGMENT_H

#include "laya.h"

#define LAYA_REASSEMBLY_MAX_BYTES	(512 * 1024)	/* per peer */
#define LAYA_REASSEMBLY_MAX_PACKETS	16		/* per peer */
#define LAYA_REASSEMBLY_TIMEOUT		(2 * HZ)
#define LAYA_REASSEMBLY_LINEAR		8192	/* bytes; beyond it in pages */
#define LAYA_REASSEMBLY_HEAD		256	/* of it, before the pages */

/**
 * struct laya_reassembly - packets of one peer that have not all arrived
 * @packets: List of struct laya_partial, oldest first; under peer->lock.
 * @n_packets: Their number.
 * @bytes: Memory they take.
 */
struct laya_reassembly {
	struct list_head	packets;
	unsigned int		n_packets;
	unsigned int		bytes;
};

void laya_reassembly_init(struct laya_reassembly *r);
void laya_reassembly_purge(struct laya_reassembly *r);
void laya_reassembly_expire(struct laya_reassembly *r, unsigned long now);
/*
 * Add a fragment (@skb at its inner header, consumed). NULL: not whole yet;
 * ERR_PTR: overlap, over the limits, malformed; else the whole inner packet,
 * linear unless it is large. Under peer->lock.
 */
struct sk_buff *laya_reassembly_add(struct laya_reassembly *r,
				    struct sk_buff *skb, unsigned long now);
/*
 * Cut @skb (an inner packet, linear, consumed on success) into a list of
 * fragments of at most @mtu bytes each (inner header included). ERR_PTR.
 */
struct sk_buff *laya_fragment_cut(struct sk_buff *skb, unsigned int mtu, u32 id);

#endif /* _LAYA_FRAGMENT_H */
