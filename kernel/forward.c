// SPDX-License-Identifier: GPL-2.0
/*
 * The forwarder: packets that carry a label of ours go on, unchanged.
 *
 *	   dialler A                 this node                 attachment B
 *	  [L][slot][data] -----> L is a label: to B -----> [L][R][data]
 *	      [R][data] <------ R is a return label: <-----  [R][data]
 *	                        to where A's slot came from
 *
 * A label goes down an attachment, by that peer's path; one that is bound to a
 * user, who is attached too, only for packets from there. A return label goes to
 * the address from which the first packet with an empty slot came; only the
 * attachment may use it. Until the dialler has shown that it receives there,
 * another value stands in its place, which it has to show: see
 * laya_label_prove(). See label.h for what is kept, architecture.rst for why.
 *
 * A run of packets that the carrier received in one piece (UDP_GRO) is sent on in
 * one piece (UDP GSO), its pages untouched: all that is read of it is the shims.
 */
#include <linux/workqueue.h>

#include "carrier.h"
#include "device.h"
#include "forward.h"
#include "label.h"
#include "path.h"
#include "peer.h"
#include "receive.h"
#include "send.h"

/* All shims, and the type of what follows. */
#define LAYA_FORWARD_SHIMS	(2 * LAYA_MAX_LABELS * sizeof(struct laya_shim))
#define LAYA_FORWARD_CARE	(10 * HZ)

/**
 * struct laya_forward - the forwarder of one device
 * @device: The device, which owns it.
 * @table: Labels and flows.
 * @care: Removes what has expired; runs while there are labels.
 *
 * Lifetime: as long as the device. laya_forward_destroy runs when no carrier is
 * left that could bring packets.
 */
struct laya_forward {
	struct laya_device	*device;
	struct laya_label_table	table;
	struct delayed_work	care;
};

static void laya_forward_care(struct work_struct *work)
{
	struct laya_forward *forward = container_of(work, struct laya_forward,
						    care.work);

	laya_label_expire(&forward->table, jiffies);
	if (READ_ONCE(forward->table.n_labels))
		queue_delayed_work(system_power_efficient_wq, &forward->care,
				   LAYA_FORWARD_CARE);
}

/**
 * laya_forward_create - the forwarder of a new device
 * @laya: The device.
 *
 * Return: The forwarder, or an ERR_PTR.
 */
struct laya_forward *laya_forward_create(struct laya_device *laya)
{
	struct laya_forward *forward;
	int err;

	forward = kzalloc(sizeof(*forward), GFP_KERNEL);
	if (!forward)
		return ERR_PTR(-ENOMEM);
	forward->device = laya;
	INIT_DELAYED_WORK(&forward->care, laya_forward_care);
	err = laya_label_table_init(&forward->table);
	if (err) {
		kfree(forward);
		return ERR_PTR(err);
	}
	return forward;
}

/**
 * laya_forward_destroy - remove a forwarder with all labels
 * @forward: The forwarder; no label is set any more.
 */
void laya_forward_destroy(struct laya_forward *forward)
{
	cancel_delayed_work_sync(&forward->care);
	/* The hash tables go without waiting for their readers */
	synchronize_net();
	laya_label_table_exit(&forward->table);
	kfree(forward);
}

/**
 * laya_forward_label_set - add or renew a label
 * @forward: The forwarder.
 * @peer: The attachment to which packets with the label go.
 * @user: The attachment that alone may send with it; NULL: everybody may.
 * @params: The label and what it may carry.
 * @extack: For the reason of a failure; or NULL.
 *
 * Under device->lock.
 *
 * Return: 0; -EEXIST when the label belongs to another pair; -ENOSPC at a limit;
 * -EINVAL for the label that means an empty slot; -ENOENT, -ENOMEM.
 */
int laya_forward_label_set(struct laya_forward *forward, struct laya_peer *peer,
			   struct laya_peer *user,
			   const struct laya_label_params *params,
			   struct netlink_ext_ack *extack)
{
	int err;

	err = laya_label_set(&forward->table, peer, user, params, jiffies,
			     extack);
	if (!err)
		queue_delayed_work(system_power_efficient_wq, &forward->care,
				   LAYA_FORWARD_CARE);
	return err;
}

/**
 * laya_forward_label_del - remove a label, and the flows through it
 * @forward: The forwarder.
 * @label: The label.
 *
 * Return: 0, or -ENOENT.
 */
int laya_forward_label_del(struct laya_forward *forward, const u8 *label)
{
	return laya_label_del(&forward->table, laya_label_value(label));
}

/**
 * laya_forward_peer_gone - an attachment goes: its labels and flows with it
 * @forward: The forwarder.
 * @peer: The attachment; any peer may be given.
 */
void laya_forward_peer_gone(struct laya_forward *forward,
			    struct laya_peer *peer)
{
	laya_label_del_peer(&forward->table, peer);
}

/**
 * laya_forward_carrier_lost - the flows to a stream carrier go with it
 * @forward: The forwarder.
 * @carrier: Id of the carrier.
 */
void laya_forward_carrier_lost(struct laya_forward *forward, u32 carrier)
{
	laya_label_carrier_lost(&forward->table, carrier, jiffies);
}

/**
 * laya_forward_each_route - for each cached route of the forwarder's own
 * @forward: The forwarder.
 * @fn: What to do. It must not sleep.
 *
 * As for those of paths: looked up anew when marks change, dropped when the
 * carriers are closed, since no route may outlive the namespace it leads through.
 */
void laya_forward_each_route(struct laya_forward *forward,
			     void (*fn)(struct dst_cache *cache))
{
	laya_label_each_route(&forward->table, fn);
}

/**
 * laya_forward_label_dump - tell all labels
 * @forward: The forwarder.
 * @pos: Where to go on; 0 to start.
 * @emit: Told each; what it returns, if not 0, ends the walk, and the next begins
 *	with the same label. It must not sleep.
 * @data: For @emit.
 *
 * Return: 0 at the end, else what @emit returned.
 */
int laya_forward_label_dump(struct laya_forward *forward, unsigned long *pos,
			    int (*emit)(const struct laya_label_info *info,
					void *data), void *data)
{
	struct laya_label_info info;
	struct laya_label *label;
	int err = 0;

	rcu_read_lock();
	for (;; ++*pos) {
		label = laya_label_next(&forward->table, pos, jiffies);
		if (!label)
			break;
		laya_label_info(label, jiffies, &info);
		err = emit(&info, data);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

/**
 * laya_forward_label_get - tell one label
 * @forward: The forwarder.
 * @label: The label.
 * @info: Filled in.
 *
 * Return: 0, or -ENOENT.
 */
int laya_forward_label_get(struct laya_forward *forward, const u8 *label,
			   struct laya_label_info *info)
{
	struct laya_issued *issued;
	int err = -ENOENT;

	rcu_read_lock();
	issued = laya_label_find(&forward->table, laya_label_value(label),
				 jiffies);
	if (issued && !issued->is_flow) {
		laya_label_info(laya_label_of(issued), jiffies, info);
		err = 0;
	}
	rcu_read_unlock();
	return err;
}

/**
 * laya_forward_label_count - how many labels there are
 * @forward: The forwarder.
 *
 * Return: That.
 */
unsigned int laya_forward_label_count(struct laya_forward *forward)
{
	return READ_ONCE(forward->table.n_labels);
}

static unsigned int laya_forward_segments(const struct sk_buff *skb)
{
	unsigned int size = skb_shinfo(skb)->gso_size;

	return size ? DIV_ROUND_UP(skb->len, size) : 1;
}

static void laya_forward_drop(struct laya_device *laya, struct sk_buff *skb,
			      enum laya_drop reason)
{
	laya_device_drop(laya, reason);
	this_cpu_add(laya->drops->packets[reason],
		     laya_forward_segments(skb) - 1);
	kfree_skb(skb);
}

/* Bytes @at ... @at + @len of what is read; copied only if they are in pieces. */
static const u8 *laya_forward_peek(struct sk_buff *skb,
				   struct skb_seq_state *state, unsigned int at,
				   unsigned int len, u8 *buffer)
{
	const u8 *data;

	if (skb_seq_read(at, &data, state) >= len)
		return data;
	return skb_copy_bits(skb, at, buffer, len) ? NULL : buffer;
}

/**
 * laya_forward_agree - whether a run can be forwarded in one piece
 * @skb: A run (gso_size), at its first packet.
 * @len: Bytes of the shims of its first packet.
 *
 * Return: True when all its packets have the same shims, and what follows these
 * is a sealed packet that is long enough.
 */
bool laya_forward_agree(struct sk_buff *skb, unsigned int len)
{
	u8 first[LAYA_FORWARD_SHIMS + 1], buffer[LAYA_FORWARD_SHIMS + 1];
	unsigned int size = skb_shinfo(skb)->gso_size;
	unsigned int shortest = len + LAYA_OVERHEAD + LAYA_INNER_SIZE;
	struct skb_seq_state state;
	unsigned int last, at;
	const u8 *data;

	if (!size || size < shortest || len > LAYA_FORWARD_SHIMS)
		return false;
	last = (skb->len - 1) / size * size;
	if (skb->len - last < shortest)
		return false;

	/* The type of what follows too: shims must end at the same place */
	if (skb_copy_bits(skb, 0, first, len + 1))
		return false;
	skb_prepare_seq_read(skb, 0, skb->len, &state);
	for (at = size; at <= last; at += size) {
		data = laya_forward_peek(skb, &state, at, len + 1,
					 buffer);
		if (!data || memcmp(first, data, len + 1))
			break;
	}
	skb_abort_seq_read(&state);
	return at > last;
}

/**
 * laya_forward_segment - a packet of its own from one of a run
 * @skb: The run, or a single packet; only read.
 * @at: Where the packet begins.
 *
 * Return: A copy that no one shares, with room for outer headers; NULL when there
 * is no memory.
 */
struct sk_buff *laya_forward_segment(const struct sk_buff *skb,
				     unsigned int at)
{
	unsigned int size = skb_shinfo(skb)->gso_size ?: skb->len;
	unsigned int len = min(size, skb->len - at);
	struct sk_buff *copy;

	copy = alloc_skb(LAYA_SEND_HEADROOM + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!copy)
		return NULL;
	skb_reserve(copy, LAYA_SEND_HEADROOM);
	if (skb_copy_bits(skb, at, skb_put(copy, len), len)) {
		kfree_skb(copy);
		return NULL;
	}
	return copy;
}

/**
 * laya_forward_fill - write a label
 * @data: A packet.
 * @shim: Which of its shims.
 * @value: What is to stand there.
 */
void laya_forward_fill(u8 *data, unsigned int shim, u64 value)
{
	laya_label_bytes(((struct laya_shim *)data)[shim].label, value);
}

/* What a path's far end and ours are; false when nothing may be sent there. */
static bool laya_forward_path_end(struct laya_path *path,
				  struct laya_endpoint *end)
{
	struct laya_path_route route;
	u8 state;

	/*
	 * Of a path over a forwarder the labels would have to stand in front of
	 * those of the packet, which goes on as it came.
	 */
	if (!laya_path_data_route(path, &route) || route.n_labels)
		return false;
	state = READ_ONCE(path->state);
	if (!READ_ONCE(path->validated) || (state != LAYA_PATH_STATE_USABLE &&
					    state != LAYA_PATH_STATE_SUSPECT))
		return false;
	*end = route.endpoint;
	return true;
}

/* The way down an attachment: the path in use, or else another that will do. */
static struct laya_path *laya_forward_path(struct laya_peer *peer,
					   struct laya_endpoint *end)
{
	struct laya_path *path;

	path = laya_path_to_send(peer, LAYA_KINDS_ANY);
	if (path && laya_forward_path_end(path, end))
		return path;
	list_for_each_entry_rcu(path, &peer->paths, list)
		if (laya_forward_path_end(path, end))
			return path;
	return NULL;
}

/* Whether @from is where an attachment is, by one of its paths. */
static bool laya_forward_is_from(struct laya_peer *peer,
				 const struct laya_endpoint *from)
{
	struct laya_endpoint end;
	struct laya_path *path;

	path = rcu_dereference(peer->best);
	if (path && laya_forward_path_end(path, &end) &&
	    laya_path_same_remote(&end, from))
		return true;
	list_for_each_entry_rcu(path, &peer->paths, list)
		if (laya_forward_path_end(path, &end) &&
		    laya_path_same_remote(&end, from))
			return true;
	return false;
}

/* @skb (consumed) goes out as a packet of ours; the carrier counts failures. */
static void laya_forward_send(struct laya_device *laya, struct sk_buff *skb,
			      const struct laya_endpoint *to,
			      struct dst_cache *cache, u8 ttl, u8 tos)
{
	skb_orphan(skb);
	skb->priority = 0;
	laya_carrier_send(laya, skb, to, cache, tos, ttl);
}

/*
 * Send the packets of @skb (consumed) with @shim written. What came in may share
 * its bytes with others, so it is copies that are written to; these are probes, and
 * few.
 */
static void laya_forward_send_filled(struct laya_device *laya,
				     struct sk_buff *skb,
				     unsigned int shim, u64 value,
				     const struct laya_endpoint *to,
				     struct dst_cache *cache, u8 ttl, u8 tos)
{
	unsigned int size = skb_shinfo(skb)->gso_size ?: skb->len;
	struct sk_buff *copy;
	unsigned int at;

	for (at = 0; at < skb->len; at += size) {
		copy = laya_forward_segment(skb, at);
		if (!copy) {
			laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
			continue;
		}
		laya_forward_fill(copy->data, shim, value);
		laya_forward_send(laya, copy, to, cache, ttl, tos);
	}
	consume_skb(skb);
}

static bool laya_forward_pay(struct laya_label *label, unsigned int bytes,
			     unsigned int packets)
{
	if (READ_ONCE(label->bucket.rate) &&
	    !laya_label_bucket_take(&label->bucket, bytes, ktime_get_ns())) {
		atomic64_add(packets, &label->dropped);
		return false;
	}
	return true;
}

static void laya_forward_count(struct laya_label *label, unsigned int bytes,
			       unsigned int packets)
{
	atomic64_add(packets, &label->packets);
	atomic64_add(bytes, &label->bytes);
}

/* From a dialler, with @label: down the attachment. */
static void laya_forward_down(struct laya_device *laya, struct sk_buff *skb,
			      struct laya_label *label,
			      const struct laya_shims *shims, unsigned int at,
			      const struct laya_endpoint *from, u8 ttl, u8 tos)
{
	struct laya_label_table *table = &laya->forward->table;
	unsigned int packets = laya_forward_segments(skb);
	unsigned int bytes = skb->len;
	struct laya_endpoint end;
	struct laya_flow *flow;
	struct laya_path *path;
	u64 previous;
	int slot;

	if (label->user && !laya_forward_is_from(label->user, from)) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_SOURCE);
		return;
	}
	if (!laya_forward_pay(label, bytes, packets)) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_RATE);
		return;
	}
	path = laya_forward_path(label->peer, &end);
	if (!path) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_NO_PATH);
		return;
	}

	slot = laya_label_slot(table, label, shims, at, from, jiffies,
			       &previous, &flow);
	if (slot >= 0) {
		flow = laya_label_bind(table, label, previous, from, jiffies);
		if (!flow) {
			atomic64_add(packets, &label->dropped);
			laya_forward_drop(laya, skb, LAYA_DROP_LABEL_NO_FLOW);
			return;
		}
		laya_label_prove(table, flow,
				 laya_label_value(shims->returns[slot]));
	} else if (flow && from->carrier) {
		/* By connecting, its far end has shown that it is there */
		laya_label_prove(table, flow, flow->proof);
	}
	if (flow) {
		laya_label_credit(flow, bytes);
		WRITE_ONCE(flow->last, jiffies);
	}

	laya_forward_count(label, bytes, packets);
	if (slot >= 0)
		laya_forward_send_filled(laya, skb, shims->n_labels + slot,
					 flow->issued.value, &end,
					 &path->cache, ttl, tos);
	else
		laya_forward_send(laya, skb, &end, &path->cache, ttl, tos);
}

/* From an attachment, with the return label of @flow: to the dialler. */
static void laya_forward_back(struct laya_device *laya, struct sk_buff *skb,
			      struct laya_flow *flow, unsigned int at,
			      const struct laya_endpoint *from, u8 ttl, u8 tos)
{
	unsigned int packets = laya_forward_segments(skb);
	struct laya_label *label = flow->label;
	unsigned int bytes = skb->len;
	unsigned long now = jiffies;
	bool validated, proven;

	if (!laya_forward_is_from(label->peer, from)) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_SOURCE);
		return;
	}
	if (!laya_forward_pay(label, bytes, packets)) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_RATE);
		return;
	}
	/* The cache is there once the flow is validated */
	validated = smp_load_acquire(&flow->validated);
	proven = validated || flow->endpoint.carrier;
	if (!proven && !laya_label_debit(flow, bytes)) {
		laya_forward_drop(laya, skb, LAYA_DROP_AMPLIFICATION);
		return;
	}
	/* Not written more often than it changes: other CPUs read the line */
	if (READ_ONCE(flow->last) != now)
		WRITE_ONCE(flow->last, now);

	laya_forward_count(label, bytes, packets);
	if (proven)
		laya_forward_send(laya, skb, &flow->endpoint,
				  validated ? &flow->cache : NULL, ttl, tos);
	else
		laya_forward_send_filled(laya, skb, at, flow->proof,
					 &flow->endpoint, NULL, ttl, tos);
}

/*
 * The packets of a run (consumed) go different ways: as if they came singly. Runs
 * come from UDP only.
 */
static void laya_forward_split(struct laya_device *laya, struct sk_buff *skb,
			       const struct laya_endpoint *from, u8 ttl, u8 tos)
{
	struct laya_carrier_udp *udp = rcu_dereference(laya->carrier);
	unsigned int size = skb_shinfo(skb)->gso_size;
	struct sk_buff *copy;
	unsigned int at;

	for (at = 0; udp && at < skb->len; at += size) {
		copy = laya_forward_segment(skb, at);
		if (!copy)
			laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
		else
			laya_receive(&udp->carrier, copy, from, ttl, tos);
	}
	consume_skb(skb);
}

static struct laya_issued *laya_forward_find(struct laya_label_table *table,
					     const struct laya_shims *shims,
					     unsigned int *at)
{
	struct laya_issued *issued;

	for (*at = 0; *at < shims->n_labels; ++*at) {
		issued = laya_label_find(table,
					 laya_label_value(shims->labels[*at]),
					 jiffies);
		if (issued)
			return issued;
	}
	return NULL;
}

/**
 * laya_forward_knows - whether a packet has a label of ours
 * @forward: The forwarder.
 * @shims: Of the packet.
 *
 * Under RCU.
 *
 * Return: true when laya_forward_packet() would take it.
 */
bool laya_forward_knows(struct laya_forward *forward,
			const struct laya_shims *shims)
{
	unsigned int at;

	return laya_forward_find(&forward->table, shims, &at);
}

/**
 * laya_forward_packet - act on a packet's labels, if one is ours
 * @laya: The device that received it.
 * @skb: The packet, or a run of them (gso_size).
 * @shims: Its shims, or those of the first packet.
 * @from: Where it came from.
 * @ttl: TTL with which it arrived.
 * @tos: TOS with which it arrived.
 *
 * Under RCU, BH.
 *
 * Return: True when it was ours: @skb is consumed. False: @skb is untouched, and
 * may be for this host.
 */
bool laya_forward_packet(struct laya_device *laya, struct sk_buff *skb,
			 const struct laya_shims *shims,
			 const struct laya_endpoint *from, u8 ttl, u8 tos)
{
	struct laya_label_table *table = &laya->forward->table;
	struct laya_issued *issued;
	unsigned int at;

	if (!(READ_ONCE(laya->flags) & LAYA_DEVICE_FLAGS_FORWARD))
		return false;
	issued = laya_forward_find(table, shims, &at);
	if (!issued)
		return false;

	if (laya_forward_segments(skb) > 1 &&
	    !laya_forward_agree(skb, shims->len)) {
		laya_forward_split(laya, skb, from, ttl, tos);
		return true;
	}
	if (ttl <= 1) {
		laya_forward_drop(laya, skb, LAYA_DROP_LABEL_TTL);
		return true;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
		return true;
	}
	if (issued->is_flow)
		laya_forward_back(laya, skb, laya_flow_of(issued), at, from,
				  ttl - 1, tos);
	else
		laya_forward_down(laya, skb, laya_label_of(issued), shims, at,
				  from, ttl - 1, tos);
	return true;
}
