// SPDX-License-Identifier: GPL-2.0
/* Labels, and the return labels bound through them: the table. */
#include <linux/math64.h>
#include <linux/once.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "label.h"
#include "path.h"
#include "peer.h"

/* Strangers choose the addresses that are hashed: they must not aim at one chain. */
static siphash_aligned_key_t laya_label_hash_key __read_mostly;

static u32 laya_label_hash(const void *data, u32 len, u32 seed)
{
	return siphash(data, len, &laya_label_hash_key) ^ seed;
}

/* Labels are random and ours: nobody chooses which of them share a chain. */
static u32 laya_label_hash_value(const void *data, u32 len, u32 seed)
{
	return *(const u64 *)data ^ seed;
}

static const struct rhashtable_params laya_issued_params = {
	.head_offset = offsetof(struct laya_issued, node),
	.key_offset = offsetof(struct laya_issued, value),
	.key_len = sizeof_field(struct laya_issued, value),
	.hashfn = laya_label_hash_value,
	.automatic_shrinking = true,
};

static const struct rhashtable_params laya_flow_params = {
	.head_offset = offsetof(struct laya_flow, by_key),
	.key_offset = offsetof(struct laya_flow, key),
	.key_len = sizeof_field(struct laya_flow, key),
	.hashfn = laya_label_hash,
	.automatic_shrinking = true,
};

static const struct rhashtable_params laya_attachment_params = {
	.head_offset = offsetof(struct laya_attachment, node),
	.key_offset = offsetof(struct laya_attachment, peer),
	.key_len = sizeof_field(struct laya_attachment, peer),
	.automatic_shrinking = true,
};

/**
 * laya_label_value - the number that a label is
 * @label: Six bytes, as on the wire.
 *
 * Return: The number; 0 for an empty slot.
 */
u64 laya_label_value(const u8 *label)
{
	return (u64)label[0] << 40 | (u64)label[1] << 32 |
	       (u64)label[2] << 24 | (u64)label[3] << 16 |
	       (u64)label[4] << 8 | (u64)label[5];
}

/**
 * laya_label_bytes - a label as on the wire
 * @label: Where its six bytes go.
 * @value: The number.
 */
void laya_label_bytes(u8 *label, u64 value)
{
	int i;

	for (i = LAYA_LABEL_SIZE - 1; i >= 0; i--, value >>= 8)
		label[i] = value;
}

/**
 * laya_label_table_init - make an empty table
 * @table: The table.
 *
 * Return: 0, or a negative errno.
 */
int laya_label_table_init(struct laya_label_table *table)
{
	int err;

	/* Keys are hashed whole */
	BUILD_BUG_ON(sizeof(struct laya_flow_key) != 56);

	get_random_once(&laya_label_hash_key, sizeof(laya_label_hash_key));
	spin_lock_init(&table->lock);
	xa_init_flags(&table->labels, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_BH);
	INIT_LIST_HEAD(&table->unvalidated);
	table->limits.labels = LAYA_LABEL_MAX;
	table->limits.labels_attachment = LAYA_LABEL_MAX_ATTACHMENT;
	table->limits.flows = LAYA_LABEL_MAX_FLOWS;
	table->limits.flows_label = LAYA_LABEL_MAX_FLOWS_LABEL;
	table->n_labels = 0;
	table->n_flows = 0;

	err = rhashtable_init(&table->issued, &laya_issued_params);
	if (err)
		return err;
	err = rhashtable_init(&table->flows, &laya_flow_params);
	if (err)
		goto err_flows;
	err = rhashtable_init(&table->attachments, &laya_attachment_params);
	if (err)
		goto err_attachments;
	return 0;

err_attachments:
	rhashtable_destroy(&table->flows);
err_flows:
	rhashtable_destroy(&table->issued);
	return err;
}

static void laya_label_flow_free(struct rcu_head *rcu)
{
	struct laya_flow *flow = container_of(rcu, struct laya_flow, rcu);

	dst_cache_destroy(&flow->cache);
	kfree(flow);
}

/* Packets that found the flow still use it: it is freed when they are done. */
static void laya_label_flow_remove(struct laya_label_table *table,
				   struct laya_flow *flow)
{
	lockdep_assert_held(&table->lock);
	WRITE_ONCE(flow->dead, true);
	rhashtable_remove_fast(&table->issued, &flow->issued.node,
			       laya_issued_params);
	rhashtable_remove_fast(&table->flows, &flow->by_key, laya_flow_params);
	list_del(&flow->list);
	list_del(&flow->oldest);
	flow->label->n_flows--;
	table->n_flows--;
	call_rcu(&flow->rcu, laya_label_flow_free);
}

/*
 * Unpublish @label with its flows. Returns the peer on which a reference is to be
 * put when the lock was released, or NULL: the attachment has other labels.
 */
static struct laya_peer *laya_label_remove(struct laya_label_table *table,
					   struct laya_label *label)
{
	struct laya_attachment *attachment = label->attachment;
	struct laya_peer *peer = NULL;
	struct laya_flow *flow, *next;

	lockdep_assert_held(&table->lock);
	WRITE_ONCE(label->dead, true);
	rhashtable_remove_fast(&table->issued, &label->issued.node,
			       laya_issued_params);
	xa_erase_bh(&table->labels, label->id);
	list_for_each_entry_safe(flow, next, &label->validated, list)
		laya_label_flow_remove(table, flow);
	list_for_each_entry_safe(flow, next, &label->unvalidated, list)
		laya_label_flow_remove(table, flow);
	list_del(&label->list);
	table->n_labels--;
	if (label->user)
		laya_peer_put(label->user);
	if (!--attachment->n_labels) {
		peer = attachment->peer;
		rhashtable_remove_fast(&table->attachments, &attachment->node,
				       laya_attachment_params);
		kfree(attachment);
	}
	kfree_rcu(label, rcu);
	return peer;
}

/**
 * laya_label_table_exit - remove everything
 * @table: The table. No packet can reach it any more.
 *
 * rcu_barrier() must run before the module goes.
 */
void laya_label_table_exit(struct laya_label_table *table)
{
	struct laya_label *label;
	struct laya_peer *peer;
	unsigned long id;

	xa_for_each(&table->labels, id, label) {
		spin_lock_bh(&table->lock);
		peer = laya_label_remove(table, label);
		spin_unlock_bh(&table->lock);
		if (peer)
			laya_peer_put(peer);
		cond_resched();
	}
	xa_destroy(&table->labels);
	rhashtable_destroy(&table->attachments);
	rhashtable_destroy(&table->flows);
	rhashtable_destroy(&table->issued);
}

static void laya_label_update(struct laya_label *label,
			      const struct laya_label_params *params,
			      unsigned long now)
{
	u32 lifetime = params->expires_ms ?: LAYA_LABEL_LIFETIME_MS;

	WRITE_ONCE(label->bucket.rate, params->rate);
	WRITE_ONCE(label->bucket.burst, params->burst);
	WRITE_ONCE(label->expires, now + msecs_to_jiffies(lifetime));
}

/* Publish @label; the caller has reserved its id. */
static int laya_label_insert(struct laya_label_table *table,
			     struct laya_label *label,
			     struct netlink_ext_ack *extack)
{
	struct laya_attachment *attachment;
	bool fresh = false;
	int err;

	lockdep_assert_held(&table->lock);
	if (table->n_labels >= table->limits.labels) {
		NL_SET_ERR_MSG(extack, "the device has all the labels it may have");
		return -ENOSPC;
	}
	attachment = rhashtable_lookup_fast(&table->attachments, &label->peer,
					    laya_attachment_params);
	if (attachment &&
	    attachment->n_labels >= table->limits.labels_attachment) {
		NL_SET_ERR_MSG(extack, "the peer has all the labels it may have");
		return -ENOSPC;
	}
	if (!attachment) {
		attachment = kzalloc(sizeof(*attachment), GFP_ATOMIC);
		if (!attachment)
			return -ENOMEM;
		if (!laya_peer_get(label->peer)) {
			kfree(attachment);
			NL_SET_ERR_MSG(extack, "the peer is being removed");
			return -ENOENT;
		}
		fresh = true;
		attachment->peer = label->peer;
		INIT_LIST_HEAD(&attachment->labels);
		err = rhashtable_insert_fast(&table->attachments,
					     &attachment->node,
					     laya_attachment_params);
		if (err)
			goto err_attachment;
	}
	label->attachment = attachment;
	err = -ENOENT;
	if (label->user && !laya_peer_get(label->user)) {
		NL_SET_ERR_MSG(extack, "the user is being removed");
		goto err_issued;
	}

	err = rhashtable_lookup_insert_fast(&table->issued,
					    &label->issued.node,
					    laya_issued_params);
	if (err == -EEXIST)
		NL_SET_ERR_MSG(extack, "the label is in use");
	if (err)
		goto err_user;
	/* The slot was reserved, so this needs no memory */
	xa_store_bh(&table->labels, label->id, label, GFP_ATOMIC);
	list_add_tail(&label->list, &attachment->labels);
	attachment->n_labels++;
	table->n_labels++;
	return 0;

err_user:
	if (label->user)
		laya_peer_put(label->user);
err_issued:
	if (fresh)
		rhashtable_remove_fast(&table->attachments, &attachment->node,
				       laya_attachment_params);
err_attachment:
	if (fresh) {
		/* The caller holds a reference too: this is not the last */
		laya_peer_put(attachment->peer);
		kfree(attachment);
	}
	return err;
}

/**
 * laya_label_set - add or renew a label
 * @table: The table.
 * @peer: The attachment to which packets with the label go.
 * @user: Who alone may send with the label; NULL: everybody may.
 * @params: The label and what it may carry.
 * @now: jiffies.
 * @extack: For the reason of a failure; or NULL.
 *
 * Under device->lock.
 *
 * Return: 0; -EEXIST when the label belongs to another pair; -ENOSPC at a limit;
 * -EINVAL for the label that means an empty slot; -ENOENT, -ENOMEM.
 */
int laya_label_set(struct laya_label_table *table, struct laya_peer *peer,
		   struct laya_peer *user,
		   const struct laya_label_params *params, unsigned long now,
		   struct netlink_ext_ack *extack)
{
	u64 value = laya_label_value(params->label);
	struct laya_issued *issued;
	struct laya_label *label;
	int err = -EEXIST;

	if (!value) {
		NL_SET_ERR_MSG(extack, "a label of zero is an empty slot");
		return -EINVAL;
	}

	spin_lock_bh(&table->lock);
	issued = rhashtable_lookup_fast(&table->issued, &value,
					laya_issued_params);
	if (issued) {
		label = laya_label_of(issued);
		if (!issued->is_flow && label->peer == peer &&
		    label->user == user &&
		    !memcmp(label->for_key, params->for_key, LAYA_KEY_SIZE)) {
			laya_label_update(label, params, now);
			err = 0;
		} else {
			NL_SET_ERR_MSG(extack, "the label is in use for another pair");
		}
	}
	spin_unlock_bh(&table->lock);
	if (issued)
		return err;

	label = kzalloc(sizeof(*label), GFP_KERNEL);
	if (!label)
		return -ENOMEM;
	label->issued.value = value;
	label->peer = peer;
	label->user = user;
	memcpy(label->for_key, params->for_key, LAYA_KEY_SIZE);
	INIT_LIST_HEAD(&label->validated);
	INIT_LIST_HEAD(&label->unvalidated);
	laya_label_update(label, params, now);

	/* Only a place: nobody meets the label before it is complete */
	err = xa_alloc_bh(&table->labels, &label->id, NULL, xa_limit_32b,
			  GFP_KERNEL);
	if (err)
		goto err_id;
	spin_lock_bh(&table->lock);
	err = laya_label_insert(table, label, extack);
	spin_unlock_bh(&table->lock);
	if (err)
		goto err_insert;
	return 0;

err_insert:
	xa_erase_bh(&table->labels, label->id);
err_id:
	kfree(label);
	return err;
}

/**
 * laya_label_del - remove a label, and the flows through it
 * @table: The table.
 * @value: The label.
 *
 * Return: 0, or -ENOENT when there is no such label.
 */
int laya_label_del(struct laya_label_table *table, u64 value)
{
	struct laya_peer *peer = NULL;
	struct laya_issued *issued;
	int err = -ENOENT;

	spin_lock_bh(&table->lock);
	issued = rhashtable_lookup_fast(&table->issued, &value,
					laya_issued_params);
	if (issued && !issued->is_flow) {
		peer = laya_label_remove(table, laya_label_of(issued));
		err = 0;
	}
	spin_unlock_bh(&table->lock);
	if (peer)
		laya_peer_put(peer);
	return err;
}

/**
 * laya_label_del_peer - remove all labels of an attachment
 * @table: The table.
 * @peer: The attachment.
 */
void laya_label_del_peer(struct laya_label_table *table,
			 struct laya_peer *peer)
{
	struct laya_attachment *attachment;
	struct laya_peer *put;

	/* A label at a time, each with up to 256 flows: others need the lock */
	do {
		put = NULL;
		spin_lock_bh(&table->lock);
		attachment = rhashtable_lookup_fast(&table->attachments, &peer,
						    laya_attachment_params);
		if (attachment)
			put = laya_label_remove(table,
						list_first_entry(&attachment->labels,
								 struct laya_label,
								 list));
		spin_unlock_bh(&table->lock);
		if (put)
			laya_peer_put(put);
		cond_resched();
	} while (attachment && !put);
}

/**
 * laya_label_each_route - for the cached route of each flow that has one
 * @table: The table.
 * @fn: What to do. It must not sleep.
 */
void laya_label_each_route(struct laya_label_table *table,
			   void (*fn)(struct dst_cache *cache))
{
	struct laya_label *label;
	struct laya_flow *flow;
	unsigned long id;

	spin_lock_bh(&table->lock);
	xa_for_each(&table->labels, id, label)
		list_for_each_entry(flow, &label->validated, list)
			fn(&flow->cache);
	spin_unlock_bh(&table->lock);
}

static bool laya_label_expired(const struct laya_label *label,
			       unsigned long now)
{
	return time_after_eq(now, READ_ONCE(label->expires));
}

static void laya_label_expire_flows(struct laya_label_table *table,
				    struct list_head *flows, unsigned long now,
				    u32 carrier)
{
	struct laya_flow *flow, *next;

	list_for_each_entry_safe(flow, next, flows, list)
		if ((carrier && flow->endpoint.carrier == carrier) ||
		    time_after_eq(now, READ_ONCE(flow->last) +
				       LAYA_LABEL_FLOW_IDLE))
			laya_label_flow_remove(table, flow);
}

/* Remove what is over at @now, and the flows to @carrier. */
static void laya_label_sweep(struct laya_label_table *table, unsigned long now,
			     u32 carrier)
{
	unsigned long id, start = 0;
	struct laya_label *label;
	unsigned int batch;

	do {
		batch = 0;
		rcu_read_lock();
		xa_for_each_start(&table->labels, id, label, start) {
			struct laya_peer *peer = NULL;

			/* The next batch begins with this one */
			if (++batch > 256) {
				start = id;
				break;
			}
			if (!laya_label_expired(label, now) &&
			    !READ_ONCE(label->n_flows))
				continue;
			spin_lock_bh(&table->lock);
			if (label->dead) {
				;
			} else if (laya_label_expired(label, now)) {
				peer = laya_label_remove(table, label);
			} else {
				laya_label_expire_flows(table,
							&label->validated, now,
							carrier);
				laya_label_expire_flows(table,
							&label->unvalidated,
							now, carrier);
			}
			spin_unlock_bh(&table->lock);
			if (peer)
				laya_peer_put(peer);
		}
		rcu_read_unlock();
		cond_resched();
	} while (label);
}

/**
 * laya_label_expire - remove labels whose time is over, and idle flows
 * @table: The table.
 * @now: jiffies.
 *
 * Walks over all of them; may sleep.
 */
void laya_label_expire(struct laya_label_table *table, unsigned long now)
{
	laya_label_sweep(table, now, 0);
}

/**
 * laya_label_carrier_lost - remove the flows to a stream carrier that is gone
 * @table: The table.
 * @carrier: Its id.
 * @now: jiffies.
 *
 * Walks over all of them; may sleep.
 */
void laya_label_carrier_lost(struct laya_label_table *table, u32 carrier,
			     unsigned long now)
{
	laya_label_sweep(table, now, carrier);
}

/**
 * laya_label_find - a label, or a return label, that this node issued
 * @table: The table.
 * @value: What a packet carries.
 * @now: jiffies.
 *
 * Under RCU.
 *
 * Return: It, or NULL.
 */
struct laya_issued *laya_label_find(struct laya_label_table *table, u64 value,
				    unsigned long now)
{
	struct laya_issued *issued;
	struct laya_label *label;

	issued = rhashtable_lookup(&table->issued, &value, laya_issued_params);
	if (!issued)
		return NULL;
	label = issued->is_flow ? laya_flow_of(issued)->label :
				  laya_label_of(issued);
	/* Removal may be late; a label ends when layad said that it would */
	return laya_label_expired(label, now) ? NULL : issued;
}

/**
 * laya_label_next - walk over the labels
 * @table: The table.
 * @pos: Where to begin, 0 at first; set to where the label that is returned was
 *	found. One more is where to go on.
 * @now: jiffies.
 *
 * Under RCU.
 *
 * Return: A label, or NULL at the end.
 */
struct laya_label *laya_label_next(struct laya_label_table *table,
				   unsigned long *pos, unsigned long now)
{
	struct laya_label *label;

	label = xa_find(&table->labels, pos, ULONG_MAX, XA_PRESENT);
	while (label && laya_label_expired(label, now))
		label = xa_find_after(&table->labels, pos, ULONG_MAX,
				      XA_PRESENT);
	return label;
}

/**
 * laya_label_info - what netlink tells of a label
 * @label: The label.
 * @now: jiffies.
 * @info: Filled in.
 */
void laya_label_info(const struct laya_label *label, unsigned long now,
		     struct laya_label_info *info)
{
	long left = READ_ONCE(label->expires) - now;

	memset(info, 0, sizeof(*info));
	laya_label_bytes(info->params.label, label->issued.value);
	memcpy(info->params.for_key, label->for_key, LAYA_KEY_SIZE);
	info->params.rate = READ_ONCE(label->bucket.rate);
	info->params.burst = READ_ONCE(label->bucket.burst);
	info->params.expires_ms = left > 0 ? jiffies_to_msecs(left) : 0;
	info->params.bound = label->user;
	memcpy(info->key, label->peer->key, LAYA_KEY_SIZE);
	info->packets = atomic64_read(&label->packets);
	info->bytes = atomic64_read(&label->bytes);
	info->dropped = atomic64_read(&label->dropped);
	info->flows = READ_ONCE(label->n_flows);
}

static void laya_label_flow_key(struct laya_flow_key *key, u64 label,
				u64 previous, const struct laya_endpoint *from)
{
	/* Compared and hashed as bytes */
	memset(key, 0, sizeof(*key));
	key->label = label;
	key->previous = previous;
	if (from->carrier) {
		key->scope = from->carrier;
		return;
	}
	key->family = from->remote.sa.sa_family;
	if (key->family == AF_INET6) {
		key->remote = from->remote.in6.sin6_addr;
		key->local = from->local6;
		key->port = from->remote.in6.sin6_port;
		if (ipv6_addr_type(&key->remote) & IPV6_ADDR_LINKLOCAL)
			key->scope = from->remote.in6.sin6_scope_id;
	} else {
		key->remote.s6_addr32[0] = from->remote.in.sin_addr.s_addr;
		key->local.s6_addr32[0] = from->local4.s_addr;
		key->port = from->remote.in.sin_port;
	}
}

/**
 * laya_label_slot - which return slot of a packet to write
 * @table: The table.
 * @label: The label on which this node acts.
 * @shims: What the packet carries.
 * @at: Which of its labels @label is.
 * @from: Where it came from.
 * @now: jiffies.
 * @previous: Set to the return label in front of the slot.
 * @flow: Set to the flow that the packet is of, or to NULL.
 *
 * Forwarders write return slots in the order in which a packet meets them, which
 * is that of its labels; so where there is a slot for each label, ours has the
 * place of our label. Otherwise it is the first that is ours or empty.
 *
 * A slot that holds a return label bound to this very dialler is left alone. One
 * that holds something else in our place is written anew: it is what only the
 * dialler has seen (see laya_label_prove()), its NAT has given it another address,
 * or the flow is one that we forgot. (The far end learns the new return label from
 * the packet that carries it, once it has authenticated that.)
 *
 * Under RCU.
 *
 * Return: The slot to write, or -1 when there is none.
 */
int laya_label_slot(struct laya_label_table *table, struct laya_label *label,
		    const struct laya_shims *shims, unsigned int at,
		    const struct laya_endpoint *from, unsigned long now,
		    u64 *previous, struct laya_flow **flow)
{
	bool placed = shims->n_returns == shims->n_labels;
	unsigned int i = placed ? at : 0;

	*flow = NULL;
	*previous = i ? laya_label_value(shims->returns[i - 1]) : 0;
	for (; i < shims->n_returns; i++) {
		u64 value = laya_label_value(shims->returns[i]);
		struct laya_issued *issued;
		struct laya_flow_key key;
		struct laya_flow *found;

		if (!value)
			return i;
		laya_label_flow_key(&key, label->issued.value, *previous, from);
		issued = laya_label_find(table, value, now);
		if (issued && issued->is_flow) {
			if (memcmp(&key, &laya_flow_of(issued)->key,
				   sizeof(key)))
				return i;
			*flow = laya_flow_of(issued);
			return -1;
		}
		if (placed)
			return i;
		found = rhashtable_lookup(&table->flows, &key,
					  laya_flow_params);
		if (found && found->proof == value)
			return i;
		*previous = value;
	}
	return -1;
}

/* The oldest flow that no dialler has confirmed makes room. */
static bool laya_label_make_room(struct laya_label_table *table,
				 struct laya_label *label)
{
	lockdep_assert_held(&table->lock);
	if (label->n_flows >= table->limits.flows_label) {
		if (list_empty(&label->unvalidated))
			return false;
		laya_label_flow_remove(table,
				       list_first_entry(&label->unvalidated,
							struct laya_flow,
							list));
	}
	if (table->n_flows >= table->limits.flows) {
		if (list_empty(&table->unvalidated))
			return false;
		laya_label_flow_remove(table,
				       list_first_entry(&table->unvalidated,
							struct laya_flow,
							oldest));
	}
	return true;
}

/* Under a return label that nothing else has. */
static int laya_label_flow_insert(struct laya_label_table *table,
				  struct laya_flow *flow)
{
	int tries, err;

	lockdep_assert_held(&table->lock);
	for (tries = 0; tries < 4; tries++) {
		flow->issued.value = get_random_u64() >> 16;
		if (!flow->issued.value)
			continue;
		err = rhashtable_lookup_insert_fast(&table->issued,
						    &flow->issued.node,
						    laya_issued_params);
		if (err == -EEXIST)
			continue;
		if (err)
			return err;
		err = rhashtable_insert_fast(&table->flows, &flow->by_key,
					     laya_flow_params);
		if (err)
			rhashtable_remove_fast(&table->issued,
					       &flow->issued.node,
					       laya_issued_params);
		return err;
	}
	return -EEXIST;
}

/**
 * laya_label_bind - the flow of a dialler: the one there is, or a new one
 * @table: The table.
 * @label: The label through which it came.
 * @previous: The return label of a forwarder between it and us, or 0.
 * @from: Where it came from.
 * @now: jiffies.
 *
 * Under RCU, in softirq.
 *
 * Return: The flow, or NULL when there is no room.
 */
struct laya_flow *laya_label_bind(struct laya_label_table *table,
				  struct laya_label *label, u64 previous,
				  const struct laya_endpoint *from,
				  unsigned long now)
{
	struct laya_flow *flow, *fresh;
	struct laya_flow_key key;

	laya_label_flow_key(&key, label->issued.value, previous, from);
	flow = rhashtable_lookup(&table->flows, &key, laya_flow_params);
	if (flow && !READ_ONCE(flow->dead))
		return flow;

	fresh = kzalloc(sizeof(*fresh), GFP_ATOMIC | __GFP_NOWARN);
	if (!fresh)
		return NULL;
	fresh->issued.is_flow = true;
	fresh->proof = get_random_u64() >> 16 ?: 1;
	fresh->key = key;
	fresh->label = label;
	fresh->endpoint = *from;
	fresh->last = now;

	spin_lock_bh(&table->lock);
	/* Another CPU may have been faster */
	flow = rhashtable_lookup(&table->flows, &key, laya_flow_params);
	if (!flow && !label->dead && laya_label_make_room(table, label) &&
	    !laya_label_flow_insert(table, fresh)) {
		list_add_tail(&fresh->list, &label->unvalidated);
		list_add_tail(&fresh->oldest, &table->unvalidated);
		label->n_flows++;
		table->n_flows++;
		flow = fresh;
		fresh = NULL;
	}
	spin_unlock_bh(&table->lock);
	kfree(fresh);
	return flow;
}

/**
 * laya_label_prove - a dialler shows something in the place of its return label
 * @table: The table.
 * @flow: The flow of its address.
 * @value: What it shows.
 *
 * If that is what stood before an answer in place of the return label, it receives
 * what is sent to it (RFC 9000, 8.1).
 *
 * Under RCU, in softirq.
 */
void laya_label_prove(struct laya_label_table *table, struct laya_flow *flow,
		      u64 value)
{
	if (READ_ONCE(flow->validated) || value != flow->proof)
		return;
	spin_lock_bh(&table->lock);
	if (!flow->dead && !flow->validated) {
		/* Without a cache each packet looks its route up */
		dst_cache_init(&flow->cache, GFP_ATOMIC | __GFP_NOWARN);
		list_move_tail(&flow->list, &flow->label->validated);
		list_del_init(&flow->oldest);
		/* Pairs with the acquire of who sends by @cache */
		smp_store_release(&flow->validated, true);
	}
	spin_unlock_bh(&table->lock);
}

/**
 * laya_label_credit - a dialler has sent something
 * @flow: Its flow.
 * @bytes: How much.
 */
void laya_label_credit(struct laya_flow *flow, unsigned int bytes)
{
	atomic64_add((u64)bytes * LAYA_AMPLIFICATION, &flow->allowance);
}

/**
 * laya_label_debit - something is to go to a dialler that has confirmed nothing
 * @flow: Its flow.
 * @bytes: How much.
 *
 * Return: False when that would be more than three times what it sent.
 */
bool laya_label_debit(struct laya_flow *flow, unsigned int bytes)
{
	s64 left = atomic64_read(&flow->allowance);

	do {
		if (left < bytes)
			return false;
	} while (!atomic64_try_cmpxchg(&flow->allowance, &left, left - bytes));
	return true;
}

/**
 * laya_label_bucket_take - pay for a packet or a run of them
 * @bucket: The bucket.
 * @bytes: How much.
 * @now_ns: Time in nanoseconds, monotonic.
 *
 * As long as anything is in the bucket, the whole is taken, and the bucket may
 * owe: so a run larger than the burst is not stuck forever, and the rate holds
 * all the same.
 *
 * Return: False when the bucket is empty.
 */
bool laya_label_bucket_take(struct laya_bucket *bucket, unsigned int bytes,
			    u64 now_ns)
{
	u64 rate = READ_ONCE(bucket->rate);
	s64 full_at, cost, fill, wait;

	if (!rate)
		return true;
	cost = div64_u64((u64)bytes * NSEC_PER_SEC, rate);
	fill = div64_u64((u64)READ_ONCE(bucket->burst) * NSEC_PER_SEC, rate);
	full_at = atomic64_read(&bucket->full_at);
	do {
		wait = max_t(s64, full_at - (s64)now_ns, 0);
		if (wait && wait >= fill)
			return false;
	} while (!atomic64_try_cmpxchg(&bucket->full_at, &full_at,
				       (s64)now_ns + wait + cost));
	return true;
}
