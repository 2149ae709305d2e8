/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a forwarder issued: labels, and the return labels bound through them.
 *
 * The table knows peers only as pointers on which it holds references, and takes
 * the time as an argument, so that it is tested without a device. What is done
 * with packets is forward.c's.
 *
 *	attachment (peer) --< label (for one peer) --< flow (return label)
 *
 * A label may be bound to a user: another attachment here, which alone may send
 * with it. So are those that lead to another forwarder. With both labels bound, two
 * forwarders that lead to each other are no circle, which two labels could be sent
 * around in until the TTL ends.
 *
 * Labels and return labels share one hash table: a packet's label costs one
 * look-up, whichever of the two it is, and so does one that is neither.
 */
#ifndef _LAYA_LABEL_H
#define _LAYA_LABEL_H

#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <net/dst_cache.h>

#include "forward.h"
#include "laya.h"

#define LAYA_LABEL_MAX			1048576
#define LAYA_LABEL_MAX_ATTACHMENT	4096
#define LAYA_LABEL_MAX_FLOWS		262144
#define LAYA_LABEL_MAX_FLOWS_LABEL	256
#define LAYA_LABEL_FLOW_IDLE		(180 * HZ)
/* Of a label whose lifetime layad does not tell. */
#define LAYA_LABEL_LIFETIME_MS		180000

/**
 * struct laya_label_limits - how much a table may hold
 * @labels: Labels in all.
 * @labels_attachment: Labels of one attachment.
 * @flows: Flows in all.
 * @flows_label: Flows through one label.
 */
struct laya_label_limits {
	u32	labels;
	u32	labels_attachment;
	u32	flows;
	u32	flows_label;
};

/**
 * struct laya_label_table - everything that one device has issued
 * @lock: Writers; see laya.h. Readers of the hash tables use RCU.
 * @issued: struct laya_issued by value.
 * @flows: struct laya_flow by struct laya_flow_key.
 * @attachments: struct laya_attachment by peer; under @lock only.
 * @labels: The labels once more, by a number, for walking over them.
 * @unvalidated: Flows that the dialler has not confirmed, the oldest first:
 *	these go when there is no room.
 * @limits: How much fits.
 * @n_labels: How many there are.
 * @n_flows: How many there are.
 */
struct laya_label_table {
	spinlock_t			lock;	/* writers */
	struct rhashtable		issued;
	struct rhashtable		flows;
	struct rhashtable		attachments;
	struct xarray			labels;
	struct list_head		unvalidated;
	struct laya_label_limits	limits;
	u32				n_labels;
	u32				n_flows;
};

/**
 * struct laya_bucket - token bucket without a lock
 * @full_at: Time (ns) at which the bucket would be full if nothing were taken
 *	from now on. A bucket of @burst bytes at @rate holds something while
 *	this is no later than the present plus the time to fill it.
 * @rate: Bytes a second, 0 is no limit.
 * @burst: Bytes.
 */
struct laya_bucket {
	atomic64_t	full_at;
	u64		rate;
	u32		burst;
};

/**
 * struct laya_issued - what labels and return labels have in common
 * @node: In the table's @issued.
 * @value: The 48 bits, first byte highest; never 0, which is an empty slot.
 * @is_flow: A return label: inside a struct laya_flow, else a struct laya_label.
 */
struct laya_issued {
	struct rhash_head	node;
	u64			value;
	bool			is_flow;
};

/**
 * struct laya_attachment - a peer that has labels here
 * @node: In the table's @attachments.
 * @peer: The peer; a reference is held.
 * @labels: Its labels.
 * @n_labels: How many.
 *
 * Comes with the first label of the peer and goes with the last.
 */
struct laya_attachment {
	struct rhash_head	node;
	struct laya_peer	*peer;
	struct list_head	labels;
	u32			n_labels;
};

/**
 * struct laya_label - whatever carries it goes down one attachment
 * @issued: Its value.
 * @rcu: Frees it.
 * @peer: The attachment's peer.
 * @attachment: Whose it is; under the table's lock.
 * @list: In @attachment's labels.
 * @id: In the table's @labels.
 * @for_key: The peer to which the attachment tells the label.
 * @user: Who alone may send with it, of key @for_key; a reference is held. NULL:
 *	everybody may.
 * @expires: jiffies.
 * @bucket: Both directions are paid from it.
 * @packets: Forwarded, both directions.
 * @bytes: Theirs.
 * @dropped: Packets over the rate, or for which no flow could be had.
 * @validated: Flows that the dialler has confirmed.
 * @unvalidated: Those that it has not, the oldest first.
 * @n_flows: Both.
 * @dead: Unpublished.
 *
 * Lifetime and locking: published in @issued and the table's @labels under the
 * table's lock until it is deleted, expires, or its attachment goes. Packets
 * hold RCU. @peer and @user are safe as long: their references are put after the
 * label was unpublished, and their memory goes a grace period later. Lists and counts are
 * under the table's lock.
 */
struct laya_label {
	struct laya_issued	issued;
	struct rcu_head		rcu;
	struct laya_peer	*peer;
	struct laya_attachment	*attachment;
	struct list_head	list;
	u32			id;
	u8			for_key[LAYA_KEY_SIZE];
	struct laya_peer	*user;
	unsigned long		expires;
	struct list_head	validated;
	struct list_head	unvalidated;
	u32			n_flows;
	bool			dead;

	struct laya_bucket	bucket ____cacheline_aligned_in_smp;
	atomic64_t		packets;
	atomic64_t		bytes;
	atomic64_t		dropped;
};

/**
 * struct laya_flow_key - what a return label is bound to
 * @label: Through which the dialler came.
 * @previous: The return label in front of this one, which a forwarder nearer to
 *	the dialler wrote; 0 when there is none. Diallers behind one forwarder
 *	have the same address here.
 * @remote: Address of the dialler, or of that forwarder.
 * @local: The address of ours to which the packet came.
 * @scope: Of a link-local @remote; without a @family, id of a stream carrier.
 * @port: Port of @remote.
 * @family: Of the addresses; 0 of a stream.
 */
struct laya_flow_key {
	u64		label;
	u64		previous;
	struct in6_addr	remote;
	struct in6_addr	local;
	u32		scope;
	__be16		port;
	u16		family;
};

/**
 * struct laya_flow - the way back to a dialler
 * @issued: The return label.
 * @by_key: In the table's @flows.
 * @key: What it is bound to.
 * @rcu: Frees it.
 * @label: Its label.
 * @endpoint: Where packets with the return label go.
 * @list: In one of the lists of @label.
 * @oldest: In the table's @unvalidated while it is unvalidated.
 * @proof: What the dialler sees in place of the return label until it is
 *	validated. It goes nowhere but to @endpoint: not to the attachment, which
 *	could tell it to somebody who forges his address.
 * @validated: The dialler has shown @proof, so it receives what is sent to it.
 *	Stored with release after @cache is there.
 * @dead: Unpublished.
 * @last: jiffies of the last packet.
 * @allowance: Bytes that may still go to the dialler before that.
 * @cache: Route to @endpoint.
 *
 * Lifetime and locking: as of its label, within which it lives.
 */
struct laya_flow {
	struct laya_issued	issued;
	struct rhash_head	by_key;
	struct laya_flow_key	key;
	struct rcu_head		rcu;
	struct laya_label	*label;
	struct laya_endpoint	endpoint;
	struct list_head	list;
	struct list_head	oldest;
	u64			proof;
	bool			validated;
	bool			dead;
	unsigned long		last;
	atomic64_t		allowance;
	struct dst_cache	cache;
};

u64 laya_label_value(const u8 *label);
void laya_label_bytes(u8 *label, u64 value);

int laya_label_table_init(struct laya_label_table *table);
void laya_label_table_exit(struct laya_label_table *table);

int laya_label_set(struct laya_label_table *table, struct laya_peer *peer,
		   struct laya_peer *user,
		   const struct laya_label_params *params, unsigned long now,
		   struct netlink_ext_ack *extack);
int laya_label_del(struct laya_label_table *table, u64 value);
void laya_label_del_peer(struct laya_label_table *table,
			 struct laya_peer *peer);
void laya_label_each_route(struct laya_label_table *table,
			   void (*fn)(struct dst_cache *cache));
void laya_label_expire(struct laya_label_table *table, unsigned long now);
void laya_label_carrier_lost(struct laya_label_table *table, u32 carrier,
			     unsigned long now);
struct laya_issued *laya_label_find(struct laya_label_table *table, u64 value,
				    unsigned long now);
struct laya_label *laya_label_next(struct laya_label_table *table,
				   unsigned long *pos, unsigned long now);
void laya_label_info(const struct laya_label *label, unsigned long now,
		     struct laya_label_info *info);

int laya_label_slot(struct laya_label_table *table, struct laya_label *label,
		    const struct laya_shims *shims, unsigned int at,
		    const struct laya_endpoint *from, unsigned long now,
		    u64 *previous, struct laya_flow **flow);
struct laya_flow *laya_label_bind(struct laya_label_table *table,
				  struct laya_label *label, u64 previous,
				  const struct laya_endpoint *from,
				  unsigned long now);
void laya_label_prove(struct laya_label_table *table, struct laya_flow *flow,
		      u64 value);
void laya_label_credit(struct laya_flow *flow, unsigned int bytes);
bool laya_label_debit(struct laya_flow *flow, unsigned int bytes);
bool laya_label_bucket_take(struct laya_bucket *bucket, unsigned int bytes,
			    u64 now_ns);

static inline struct laya_label *laya_label_of(struct laya_issued *issued)
{
	return container_of(issued, struct laya_label, issued);
}

static inline struct laya_flow *laya_flow_of(struct laya_issued *issued)
{
	return container_of(issued, struct laya_flow, issued);
}

#endif /* _LAYA_LABEL_H */
