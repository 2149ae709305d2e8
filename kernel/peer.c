// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: the nodes that a device knows, what waits for them, and who is told when
 * nothing comes of it.
 */

#include <linux/icmpv6.h>
#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "addr.h"
#include "device.h"
#include "dgram.h"
#include "elide.h"
#include "forward.h"
#include "netlink.h"
#include "path.h"
#include "peer.h"
#include "send.h"
#include "stream.h"

/*
 * A SYN that fails before it is queued fails under its socket's lock, where TCP
 * takes an ICMP error for a soft one: its sender is told a little later.
 */
#define LAYA_PEER_FAILED_DELAY	(HZ / 100 + 1)

static const struct rhashtable_params laya_peers_by_key_params = {
	.key_len = sizeof_field(struct laya_peer, key),
	.key_offset = offsetof(struct laya_peer, key),
	.head_offset = offsetof(struct laya_peer, by_key),
	.automatic_shrinking = true,
};

static const struct rhashtable_params laya_peers_by_orchid_params = {
	.key_len = sizeof_field(struct laya_peer, orchid),
	.key_offset = offsetof(struct laya_peer, orchid),
	.head_offset = offsetof(struct laya_peer, by_orchid),
	.automatic_shrinking = true,
};

static void peer_work(struct work_struct *work);

/**
 * laya_peer_tables_init - make the tables of a new device
 * @laya: The device.
 *
 * Return: 0, -ENOMEM.
 */
int laya_peer_tables_init(struct laya_device *laya)
{
	int err;

	err = rhashtable_init(&laya->peers_by_key, &laya_peers_by_key_params);
	if (err)
		return err;
	err = rhashtable_init(&laya->peers_by_orchid,
			      &laya_peers_by_orchid_params);
	if (err)
		goto err_by_key;
	return 0;

err_by_key:
	rhashtable_destroy(&laya->peers_by_key);
	return err;
}

/**
 * laya_peer_tables_destroy - the end of the above
 * @laya: The device, without peers.
 */
void laya_peer_tables_destroy(struct laya_device *laya)
{
	rhashtable_destroy(&laya->peers_by_orchid);
	rhashtable_destroy(&laya->peers_by_key);
}

static void peer_free_rcu(struct rcu_head *rcu)
{
	struct laya_peer *peer = container_of(rcu, struct laya_peer, rcu);

	free_percpu(peer->counts);
	kfree(peer->used);
	kfree(peer);
}

static void peer_release(struct kref *ref)
{
	struct laya_peer *peer = container_of(ref, struct laya_peer, ref);

	call_rcu(&peer->rcu, peer_free_rcu);
}

/**
 * laya_peer_get - take a reference
 * @peer: Found under RCU.
 *
 * Return: False when it is too late.
 */
bool laya_peer_get(struct laya_peer *peer)
{
	return kref_get_unless_zero(&peer->ref);
}

/**
 * laya_peer_put - give a reference back
 * @peer: May be freed after a grace period.
 */
void laya_peer_put(struct laya_peer *peer)
{
	kref_put(&peer->ref, peer_release);
}

/**
 * laya_peer_create - add a peer
 * @laya: The device, with a key; its lock is held.
 * @key: Public key of the peer.
 * @local_key: The key under which the peer knows us; NULL for the device's.
 * @flags: enum laya_peer_flags.
 * @extack: Told why not.
 *
 * Return: The peer, or ERR_PTR: -EEXIST when the device has one with that key or
 * with the same ORCHID, -EINVAL for a bad or our own key, -ENODEV when the device
 * is being deleted, -ENOMEM.
 */
struct laya_peer *laya_peer_create(struct laya_device *laya, const u8 *key,
				   const u8 *local_key, u32 flags,
				   struct netlink_ext_ack *extack)
{
	struct laya_peer *peer;
	int err;

	lockdep_assert_held(&laya->lock);

	if (laya->dead) {
		NL_SET_ERR_MSG(extack, "Device is being deleted");
		return ERR_PTR(-ENODEV);
	}
	if (laya_addr_key_zero(laya->public_key)) {
		NL_SET_ERR_MSG(extack, "Device has no key yet");
		return ERR_PTR(-EINVAL);
	}
	if (!laya_addr_key_valid(key)) {
		NL_SET_ERR_MSG(extack, "Not a valid public key");
		return ERR_PTR(-EINVAL);
	}
	if (!local_key)
		local_key = laya->public_key;
	if (!laya_addr_key_valid(local_key)) {
		NL_SET_ERR_MSG(extack, "Our own key for it is not a valid one");
		return ERR_PTR(-EINVAL);
	}
	if (!memcmp(laya->public_key, key, LAYA_KEY_SIZE) ||
	    !memcmp(local_key, key, LAYA_KEY_SIZE)) {
		NL_SET_ERR_MSG(extack, "A device is no peer of itself");
		return ERR_PTR(-EINVAL);
	}

	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	peer->counts = laya_counts_alloc(GFP_KERNEL);
	if (!peer->counts) {
		kfree(peer);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&peer->ref);
	peer->device = laya;
	memcpy(peer->key, key, LAYA_KEY_SIZE);
	laya_addr_orchid(&peer->orchid, key);
	memcpy(peer->local_key, local_key, LAYA_KEY_SIZE);
	peer->key_greater = memcmp(local_key, key, LAYA_KEY_SIZE) > 0;
	peer->flags = flags;
	peer->dead = true;
	peer->impaired = jiffies ?: 1;
	spin_lock_init(&peer->lock);
	INIT_LIST_HEAD(&peer->paths);
	INIT_LIST_HEAD(&peer->removing);
	__skb_queue_head_init(&peer->queue);
	__skb_queue_head_init(&peer->failed);
	laya_reassembly_init(&peer->reassembly);
	INIT_DELAYED_WORK(&peer->work, peer_work);
	/*
	 * A peer that was deleted and comes back does not begin with ids of paths
	 * that the far side may still hold.
	 */
	peer->next_path_id = get_random_u32();

	err = rhashtable_lookup_insert_fast(&laya->peers_by_orchid,
					    &peer->by_orchid,
					    laya_peers_by_orchid_params);
	if (err) {
		if (err == -EEXIST && laya_peer_lookup_key(laya, key))
			NL_SET_ERR_MSG(extack, "Peer is there already");
		else if (err == -EEXIST)
			NL_SET_ERR_MSG(extack,
				       "Another peer has the same ORCHID");
		goto err_free;
	}
	err = rhashtable_lookup_insert_fast(&laya->peers_by_key, &peer->by_key,
					    laya_peers_by_key_params);
	if (err)
		goto err_orchid;
	spin_lock_bh(&peer->lock);
	WRITE_ONCE(peer->dead, false);
	spin_unlock_bh(&peer->lock);
	laya->n_peers++;
	return peer;

err_orchid:
	rhashtable_remove_fast(&laya->peers_by_orchid, &peer->by_orchid,
			       laya_peers_by_orchid_params);
err_free:
	/* It may have been found meanwhile: a grace period. */
	laya_peer_put(peer);
	return ERR_PTR(err);
}

/* First half of the end: nobody finds it or adds to it any more. */
static void peer_unpublish(struct laya_peer *peer)
{
	struct laya_device *laya = peer->device;

	lockdep_assert_held(&laya->lock);

	spin_lock_bh(&peer->lock);
	WRITE_ONCE(peer->dead, true);
	spin_unlock_bh(&peer->lock);
	rhashtable_remove_fast(&laya->peers_by_key, &peer->by_key,
			       laya_peers_by_key_params);
	rhashtable_remove_fast(&laya->peers_by_orchid, &peer->by_orchid,
			       laya_peers_by_orchid_params);
	laya->n_peers--;
	laya_forward_peer_gone(laya->forward, peer);
	laya_session_remove_all(peer);
}

/* Second half, after a grace period. */
static void peer_finish(struct laya_peer *peer)
{
	struct sk_buff_head queue;

	/* Whoever saw it alive has kicked its work by now, if at all. */
	cancel_delayed_work_sync(&peer->work);
	laya_path_remove_all(peer);

	__skb_queue_head_init(&queue);
	spin_lock_bh(&peer->lock);
	skb_queue_splice_init(&peer->queue, &queue);
	skb_queue_splice_init(&peer->failed, &queue);
	laya_reassembly_purge(&peer->reassembly);
	spin_unlock_bh(&peer->lock);
	__skb_queue_purge(&queue);

	/*
	 * Its streams have nowhere to go: no silent hang. Those of a device that
	 * is deleted have been told already.
	 */
	if (!peer->device->dead)
		laya_stream_abort(peer->device, &peer->orchid, EHOSTUNREACH);
	laya_peer_put(peer);
}

/**
 * laya_peer_remove - forget a peer
 * @peer: Published; device->lock is held. May sleep.
 */
void laya_peer_remove(struct laya_peer *peer)
{
	peer_unpublish(peer);
	synchronize_net();
	peer_finish(peer);
}

/**
 * laya_peer_remove_all - forget all peers of a device
 * @laya: The device; its lock is held. May sleep.
 */
void laya_peer_remove_all(struct laya_device *laya)
{
	struct laya_peer *peer, *tmp;
	struct rhashtable_iter iter;
	LIST_HEAD(removing);

	lockdep_assert_held(&laya->lock);

	/* Nobody adds or removes, but the table may be resized below us. */
	rhashtable_walk_enter(&laya->peers_by_key, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		if (IS_ERR(peer))
			continue;
		if (list_empty(&peer->removing))
			list_add_tail(&peer->removing, &removing);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);

	if (list_empty(&removing))
		return;
	list_for_each_entry(peer, &removing, removing)
		peer_unpublish(peer);
	synchronize_net();
	list_for_each_entry_safe(peer, tmp, &removing, removing)
		peer_finish(peer);
}

/**
 * laya_peer_lookup_key - find a peer by its public key
 * @laya: Whose.
 * @key: LAYA_KEY_SIZE bytes.
 *
 * Return: The peer, valid under RCU or device->lock; NULL when there is none.
 */
struct laya_peer *laya_peer_lookup_key(struct laya_device *laya, const u8 *key)
{
	return rhashtable_lookup_fast(&laya->peers_by_key, key,
				      laya_peers_by_key_params);
}

/**
 * laya_peer_lookup_orchid - find a peer by its address
 * @laya: Whose.
 * @orchid: Its address.
 *
 * Return: The peer, valid under RCU or device->lock; NULL when there is none.
 */
struct laya_peer *laya_peer_lookup_orchid(struct laya_device *laya,
					  const struct in6_addr *orchid)
{
	return rhashtable_lookup_fast(&laya->peers_by_orchid, orchid,
				      laya_peers_by_orchid_params);
}

/**
 * laya_peer_kick - (re)start path care
 * @peer: Whose.
 * @delay: Jiffies after which it runs at the latest.
 */
void laya_peer_kick(struct laya_peer *peer, unsigned long delay)
{
	/* Within the grace period that laya_peer_remove waits for. */
	rcu_read_lock();
	if (READ_ONCE(peer->dead))
		goto out;
	if (queue_delayed_work(laya_wq, &peer->work, delay))
		goto out;
	/*
	 * It waits already: for longer? Read without a lock, so this may be wrong
	 * while another kick is at it, which has the work run soon anyway.
	 */
	if (!delay || time_before(jiffies + delay,
				  READ_ONCE(peer->work.timer.expires)))
		mod_delayed_work(laya_wq, &peer->work, delay);
out:
	rcu_read_unlock();
}

/* Somebody must do something before a packet to @peer can leave. */
static bool peer_needs_layad(struct laya_peer *peer)
{
	return !laya_session_to_send(peer) || !laya_path_any_hope(peer);
}

/* A packet fails before it was queued; under peer->lock. */
static int peer_refuse(struct laya_peer *peer, struct sk_buff *skb, int error)
{
	/* Who sends a datagram is told by what is returned here. */
	if (skb->data[0] != LAYA_INNER_IPV6 ||
	    skb_queue_len(&peer->failed) >= LAYA_PEER_QUEUE_MAX) {
		kfree_skb(skb);
		return -error;
	}
	__skb_queue_tail(&peer->failed, skb);
	peer->failed_error = error;
	laya_peer_kick(peer, LAYA_PEER_FAILED_DELAY);
	return -error;
}

/**
 * laya_peer_enqueue - keep a packet until there is a session and a path
 * @peer: To whom. Under rcu_read_lock.
 * @skb: At its inner header, not empty; consumed.
 *
 * Return: 0 when it waits; -EHOSTUNREACH when nothing is there that could make a
 * session, or the errno of a failure just before.
 */
int laya_peer_enqueue(struct laya_peer *peer, struct sk_buff *skb)
{
	struct laya_device *laya = peer->device;
	bool needs_layad = peer_needs_layad(peer);
	struct sk_buff *oldest = NULL;
	bool tell = false;
	int err = 0;

	spin_lock_bh(&peer->lock);
	if (peer->dead) {
		err = -EHOSTUNREACH;
		kfree_skb(skb);
		goto out_unlock;
	}
	if (peer->error) {
		if (time_before(jiffies, peer->error_at + LAYA_PEER_ERROR_FRESH)) {
			err = peer_refuse(peer, skb, peer->error);
			goto out_unlock;
		}
		peer->error = 0;
	}
	if (needs_layad && !READ_ONCE(laya->owner_portid)) {
		err = peer_refuse(peer, skb, EHOSTUNREACH);
		goto out_unlock;
	}

	if (skb_queue_len(&peer->queue) >= LAYA_PEER_QUEUE_MAX)
		oldest = __skb_dequeue(&peer->queue);
	__skb_queue_tail(&peer->queue, skb);
	if (!peer->wanted_at) {
		peer->wanted_since = jiffies;
		peer->wanted_at = jiffies ?: 1;
		tell = needs_layad;
	}
out_unlock:
	spin_unlock_bh(&peer->lock);

	if (oldest) {
		laya_device_drop(laya, LAYA_DROP_QUEUE_FULL);
		kfree_skb(oldest);
	}
	if (tell)
		laya_netlink_peer_wanted(peer);
	/* Paths that slept may be worth a probe. */
	if (!err)
		laya_peer_kick(peer, needs_layad ? LAYA_PEER_WANTED_EVERY : 0);
	return err;
}

/**
 * laya_peer_flush - send what waited
 * @peer: With a session and a path.
 */
void laya_peer_flush(struct laya_peer *peer)
{
	struct sk_buff_head queue;
	struct sk_buff *skb;

	__skb_queue_head_init(&queue);
	spin_lock_bh(&peer->lock);
	skb_queue_splice_init(&peer->queue, &queue);
	peer->wanted_at = 0;
	spin_unlock_bh(&peer->lock);

	local_bh_disable();
	rcu_read_lock();
	while ((skb = __skb_dequeue(&queue)))
		laya_send_inner(peer, skb);
	rcu_read_unlock();
	local_bh_enable();
}

/**
 * laya_peer_fail - nothing will come
 * @peer: To whom packets wait.
 * @error: Positive errno for their senders and for what is sent in the next
 *	moment; 0 takes the last one back.
 */
void laya_peer_fail(struct laya_peer *peer, int error)
{
	spin_lock_bh(&peer->lock);
	peer->error = error;
	peer->error_at = jiffies;
	if (error && !peer->dead) {
		/* Both are bounded, so their sum is. */
		skb_queue_splice_tail_init(&peer->queue, &peer->failed);
		peer->failed_error = error;
		peer->failing = error;
		peer->wanted_at = 0;
	}
	spin_unlock_bh(&peer->lock);
	if (error)
		laya_peer_kick(peer, 0);
}

static u8 unreachable_code(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return ICMPV6_PORT_UNREACH;
	case EACCES:
		return ICMPV6_ADM_PROHIBITED;
	case ENETUNREACH:
		return ICMPV6_NOROUTE;
	default:
		return ICMPV6_ADDR_UNREACH;
	}
}

/* As icmpv6_err_convert() would, an error about an error is not made. */
static bool packet_may_bounce(const struct sk_buff *skb)
{
	const struct ipv6hdr *header = ipv6_hdr(skb);
	const struct icmp6hdr *icmp;

	if (header->nexthdr != NEXTHDR_ICMP)
		return true;
	if (skb->len < sizeof(*header) + sizeof(*icmp))
		return false;
	icmp = (const struct icmp6hdr *)(header + 1);
	return icmp->icmp6_type & ICMPV6_INFOMSG_MASK;
}

/*
 * Tell the sender of @skb (an inner packet, consumed) that it failed: an ICMPv6
 * error as if from the far side, which comes in on the device. What the stack
 * would send by itself comes in on the loopback device, and sockets that are
 * bound to the Laya device, as all of AF_LAYA, do not hear it there.
 */
static void peer_bounce(struct laya_peer *peer, struct sk_buff *skb, int error)
{
	struct laya_device *laya = peer->device;
	struct laya_inner_ipv6 inner;
	struct icmp6hdr *icmp;
	struct ipv6hdr *header;
	struct sk_buff *reply;
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(inner)) ||
	    skb->data[0] != LAYA_INNER_IPV6 || !netif_running(laya->dev))
		goto out;
	memcpy(&inner, skb->data, sizeof(inner));
	__skb_pull(skb, sizeof(inner));
	if (skb_cow_head(skb, sizeof(*header)) ||
	    laya_elide_rebuild(skb, &inner, &laya->orchid, &peer->orchid, 0) ||
	    skb_linearize(skb) || !packet_may_bounce(skb))
		goto out;

	/* As much of the packet as fits into the least MTU of IPv6. */
	len = min_t(unsigned int, skb->len,
		    IPV6_MIN_MTU - sizeof(*header) - sizeof(*icmp));
	reply = alloc_skb(NET_SKB_PAD + IPV6_MIN_MTU, GFP_ATOMIC);
	if (!reply)
		goto out;
	skb_reserve(reply, NET_SKB_PAD);
	skb_reset_network_header(reply);
	header = skb_put_zero(reply, sizeof(*header));
	icmp = skb_put_zero(reply, sizeof(*icmp));
	skb_put_data(reply, skb->data, len);
	len += sizeof(*icmp);

	header->version = 6;
	header->payload_len = htons(len);
	header->nexthdr = NEXTHDR_ICMP;
	header->hop_limit = 255;
	header->saddr = peer->orchid;
	header->daddr = laya->orchid;
	icmp->icmp6_type = ICMPV6_DEST_UNREACH;
	icmp->icmp6_code = unreachable_code(error);
	icmp->icmp6_cksum = csum_ipv6_magic(&header->saddr, &header->daddr, len,
					    IPPROTO_ICMPV6,
					    csum_partial(icmp, len, 0));
	reply->protocol = htons(ETH_P_IPV6);
	reply->dev = laya->dev;
	reply->ip_summed = CHECKSUM_UNNECESSARY;
	netif_rx(reply);
out:
	kfree_skb(skb);
}

/* Tell all who should know of a failure. */
static void peer_tell_failure(struct laya_peer *peer)
{
	struct laya_device *laya = peer->device;
	int error, failed_error;
	struct sk_buff_head failed;
	struct sk_buff *skb;

	__skb_queue_head_init(&failed);
	spin_lock_bh(&peer->lock);
	error = peer->failing;
	peer->failing = 0;
	failed_error = peer->failed_error;
	skb_queue_splice_init(&peer->failed, &failed);
	spin_unlock_bh(&peer->lock);

	/* A connecting TCP gives up at this, an established one carries on. */
	while ((skb = __skb_dequeue(&failed))) {
		laya_device_drop(laya, LAYA_DROP_NO_PATH);
		peer_bounce(peer, skb, failed_error);
	}
	if (!error)
		return;
	laya_dgram_peer_failed(peer, error);
	/*
	 * Who is refused has nothing to hope for. Otherwise a stream that has
	 * been established waits out the user timeout, as it may get a path yet;
	 * and as long as nothing ever came from the peer, none is established.
	 */
	if (error == ECONNREFUSED || !READ_ONCE(peer->last_rx))
		laya_stream_abort(laya, &peer->orchid, error);
}

/* Ask layad again, or give up. Jiffies until it is to be called again. */
static unsigned long peer_care_wanted(struct laya_peer *peer)
{
	unsigned long next = MAX_JIFFY_OFFSET, now = jiffies;
	bool tell = false, fail = false, needs_layad;

	rcu_read_lock();
	needs_layad = peer_needs_layad(peer);
	rcu_read_unlock();

	spin_lock_bh(&peer->lock);
	if (peer->wanted_at) {
		next = LAYA_PEER_WANTED_EVERY;
		if (skb_queue_empty(&peer->queue)) {
			peer->wanted_at = 0;
			next = MAX_JIFFY_OFFSET;
		} else if (time_after_eq(now, peer->wanted_since +
						LAYA_PEER_WANTED_LIMIT)) {
			fail = true;
		} else if (time_after_eq(now, peer->wanted_at +
						LAYA_PEER_WANTED_EVERY)) {
			peer->wanted_at = now ?: 1;
			tell = needs_layad;
		} else {
			next = peer->wanted_at + LAYA_PEER_WANTED_EVERY - now;
		}
	}
	spin_unlock_bh(&peer->lock);

	if (fail)
		laya_peer_fail(peer, EHOSTUNREACH);
	if (tell)
		laya_netlink_peer_wanted(peer);
	return next;
}

/* Streams without a path do not wait forever. Jiffies until the next look. */
static unsigned long peer_care_streams(struct laya_peer *peer, bool usable)
{
	struct laya_device *laya = peer->device;
	unsigned int timeout = READ_ONCE(laya->user_timeout_ms);

	/* Before the first packet a stream can only be connecting: see above. */
	if (usable || !timeout || !READ_ONCE(peer->last_rx) ||
	    !laya_stream_any(laya, &peer->orchid)) {
		peer->no_path_since = 0;
		return MAX_JIFFY_OFFSET;
	}
	if (!peer->no_path_since)
		peer->no_path_since = jiffies ?: 1;
	if (time_after_eq(jiffies, peer->no_path_since +
					msecs_to_jiffies(timeout))) {
		laya_stream_abort(laya, &peer->orchid, ETIMEDOUT);
		peer->no_path_since = 0;
		return MAX_JIFFY_OFFSET;
	}
	return HZ;
}

static void peer_work(struct work_struct *work)
{
	struct laya_peer *peer = container_of(to_delayed_work(work),
					      struct laya_peer, work);
	unsigned long next;
	bool usable;

	rcu_read_lock();
	next = laya_session_care(peer);
	rcu_read_unlock();
	next = min(next, laya_path_care(peer));

	rcu_read_lock();
	usable = laya_session_to_send(peer) && laya_path_any_usable(peer);
	rcu_read_unlock();
	if (usable && !skb_queue_empty_lockless(&peer->queue))
		laya_peer_flush(peer);

	next = min(next, peer_care_wanted(peer));
	next = min(next, peer_care_streams(peer, usable));
	peer_tell_failure(peer);

	spin_lock_bh(&peer->lock);
	laya_reassembly_expire(&peer->reassembly, jiffies);
	if (peer->reassembly.n_packets)
		next = min_t(unsigned long, next, LAYA_REASSEMBLY_TIMEOUT);
	spin_unlock_bh(&peer->lock);

	if (next < MAX_JIFFY_OFFSET)
		laya_peer_kick(peer, next);
}
