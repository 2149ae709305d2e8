// SPDX-License-Identifier: GPL-2.0
/*
 * Ports of datagram sockets, and what arrives at them: datagrams, errors, news.
 *
 * Several sockets of one user may share a port when all of them asked for it
 * with SO_REUSEPORT, or all with SO_REUSEADDR. A datagram goes to the one that
 * is connected to its sender; else to one that is not connected at all, chosen
 * by the sender among those with SO_REUSEPORT, else the one bound last.
 */

#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <net/sock.h>

#include "af_laya.h"
#include "device.h"
#include "dgram.h"
#include "dgram_port.h"
#include "peer.h"
#include "send.h"
#include "stream.h"

/* --- ports --- */

static struct hlist_head *laya_dgram_bucket(struct laya_device *laya, u16 port)
{
	return &laya->ports.hash[port % LAYA_DGRAM_BUCKETS];
}

/**
 * laya_dgram_pick_port() - choose an ephemeral port
 * @random: Where to start.
 * @used: Says which ports of a bucket are in use.
 * @data: For @used.
 *
 * Bucket by bucket, so that it costs no more than the number of sockets even
 * when nearly all ports are taken.
 *
 * Return: the port, or 0 when all are in use.
 */
u16 laya_dgram_pick_port(u32 random,
			 void (*used)(unsigned int bucket, unsigned long *bits,
				      void *data),
			 void *data)
{
	DECLARE_BITMAP(bits, 65536 / LAYA_DGRAM_BUCKETS);
	unsigned int i, j, bucket, row, port;

	for (i = 0; i < LAYA_DGRAM_BUCKETS; i++) {
		bucket = (random + i) % LAYA_DGRAM_BUCKETS;
		bitmap_zero(bits, 65536 / LAYA_DGRAM_BUCKETS);
		used(bucket, bits, data);
		for (j = 0; j < 65536 / LAYA_DGRAM_BUCKETS; j++) {
			row = (random / LAYA_DGRAM_BUCKETS + j) %
			      (65536 / LAYA_DGRAM_BUCKETS);
			port = row * LAYA_DGRAM_BUCKETS + bucket;
			if (port >= LAYA_DGRAM_PORT_MIN &&
			    port <= LAYA_DGRAM_PORT_MAX && !test_bit(row, bits))
				return port;
		}
	}
	return 0;
}

static void laya_dgram_used(unsigned int bucket, unsigned long *bits, void *data)
{
	struct laya_device *laya = data;
	struct laya_dgram_sock *ls;

	hlist_for_each_entry(ls, &laya->ports.hash[bucket], node)
		__set_bit(ls->port / LAYA_DGRAM_BUCKETS, bits);
}

static bool laya_dgram_may_share(const struct sock *a, const struct sock *b)
{
	return ((a->sk_reuse && b->sk_reuse) ||
		(a->sk_reuseport && b->sk_reuseport)) &&
	       uid_eq(a->sk_uid, b->sk_uid);
}

/**
 * laya_dgram_get_port() - give a socket its port
 * @ls: The socket.
 * @laya: The device.
 * @port: In host byte order; 0 for an ephemeral one.
 *
 * Under the socket's lock, and under RCU since @laya was found: if it is going, it
 * was found before it was taken out of its namespace, so that what is added
 * here is seen by laya_dgram_device_gone().
 *
 * Return: 0 or -EADDRINUSE.
 */
int laya_dgram_get_port(struct laya_dgram_sock *ls, struct laya_device *laya,
			u16 port)
{
	struct laya_dgram_sock *other;

	sock_owned_by_me(&ls->sk);
	spin_lock_bh(&laya->ports.lock);
	if (!port) {
		port = laya_dgram_pick_port(get_random_u32(), laya_dgram_used,
					    laya);
		if (!port)
			goto err_in_use;
	} else {
		hlist_for_each_entry(other, laya_dgram_bucket(laya, port), node)
			if (other->port == port &&
			    !laya_dgram_may_share(&other->sk, &ls->sk))
				goto err_in_use;
	}
	WRITE_ONCE(ls->ifindex, laya->dev->ifindex);
	WRITE_ONCE(ls->port, port);
	hlist_add_head_rcu(&ls->node, laya_dgram_bucket(laya, port));
	rcu_assign_pointer(ls->laya, laya);
	spin_unlock_bh(&laya->ports.lock);
	return 0;

err_in_use:
	spin_unlock_bh(&laya->ports.lock);
	return -EADDRINUSE;
}

/**
 * laya_dgram_put_port() - take a socket off its port
 * @sk: The socket; its device may be gone.
 */
void laya_dgram_put_port(struct sock *sk)
{
	struct laya_dgram_sock *ls = laya_dgram_sk(sk);
	struct laya_device *laya;

	rcu_read_lock();
	laya = rcu_dereference(ls->laya);
	if (laya) {
		spin_lock_bh(&laya->ports.lock);
		if (rcu_access_pointer(ls->laya)) {
			hlist_del_init_rcu(&ls->node);
			RCU_INIT_POINTER(ls->laya, NULL);
		}
		spin_unlock_bh(&laya->ports.lock);
	}
	rcu_read_unlock();
}

/* --- receiving --- */

/* The socket for a datagram; see the top of the file. Under RCU. */
static struct laya_dgram_sock *laya_dgram_lookup(struct laya_device *laya,
						 const u8 *key, __be16 source,
						 __be16 dest)
{
	struct hlist_head *bucket = laya_dgram_bucket(laya, ntohs(dest));
	struct laya_dgram_sock *ls, *found = NULL;
	const struct laya_dgram_dest *to;
	u16 port = ntohs(dest);
	u32 sharing = 0, hash;

	hlist_for_each_entry_rcu(ls, bucket, node) {
		if (ls->port != port)
			continue;
		to = rcu_dereference(ls->dest);
		if (!to) {
			if (!found)
				found = ls;
			sharing += ls->sk.sk_reuseport;
			continue;
		}
		if (to->port == source && !memcmp(to->key, key, LAYA_KEY_SIZE))
			return ls;
	}
	if (sharing < 2)
		return found;

	hash = reciprocal_scale(jhash(key, LAYA_KEY_SIZE, (__force u32)source),
				sharing);
	hlist_for_each_entry_rcu(ls, bucket, node) {
		if (ls->port == port && ls->sk.sk_reuseport &&
		    !rcu_access_pointer(ls->dest) && !hash--)
			return ls;
	}
	return found;
}

static void laya_dgram_queue(struct laya_device *laya, struct laya_dgram_sock *ls,
			     struct sk_buff *skb)
{
	int err = sock_queue_rcv_skb(&ls->sk, skb);

	if (!err)
		return;
	/* Anything else is a filter's will */
	if (err == -ENOMEM || err == -ENOBUFS) {
		laya_device_drop_skb(laya, skb, LAYA_DROP_RCVBUF);
		/* One was counted there, for SO_RXQ_OVFL */
		if (skb_shinfo(skb)->gso_segs)
			atomic_add(skb_shinfo(skb)->gso_segs - 1,
				   &ls->sk.sk_drops);
	}
	kfree_skb(skb);
}

/* Each message of a run as an skb of its own. */
static void laya_dgram_queue_apart(struct laya_device *laya,
				   struct laya_dgram_sock *ls,
				   struct sk_buff *run)
{
	unsigned int at, len;
	struct sk_buff *skb;

	for (at = 0; at < run->len; at += len) {
		LAYA_DGRAM_CB(run)->next = at;
		len = laya_dgram_next(run, &at);
		skb = alloc_skb(len, GFP_ATOMIC | __GFP_NOWARN);
		if (!skb) {
			laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
			continue;
		}
		skb_copy_bits(run, at, skb_put(skb, len), len);
		memcpy(skb->cb, run->cb, sizeof(skb->cb));
		LAYA_DGRAM_CB(skb)->size = 0;
		LAYA_DGRAM_CB(skb)->next = 0;
		skb->tstamp = run->tstamp;
		laya_dgram_queue(laya, ls, skb);
	}
	consume_skb(run);
}

/**
 * laya_dgram_deliver() - hand a datagram to its socket
 * @laya: The device.
 * @key: Of the sender, maybe our own.
 * @skb: The payload, with gso_size those of several datagrams; consumed.
 * @source: Port that it was sent from.
 * @dest: Port that it was sent to.
 *
 * Return: 0, even when it was dropped; -ECONNREFUSED when there is no socket.
 */
int laya_dgram_deliver(struct laya_device *laya, const u8 *key,
		       struct sk_buff *skb, __be16 source, __be16 dest)
{
	struct laya_dgram_sock *ls;

	sock_skb_cb_check_size(sizeof(struct laya_dgram_cb));

	ls = laya_dgram_lookup(laya, key, source, dest);
	if (!ls) {
		laya_device_drop_skb(laya, skb, LAYA_DROP_NO_SOCKET);
		kfree_skb(skb);
		return -ECONNREFUSED;
	}
	skb_orphan(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	memcpy(LAYA_DGRAM_CB(skb)->key, key, LAYA_KEY_SIZE);
	LAYA_DGRAM_CB(skb)->port = source;
	LAYA_DGRAM_CB(skb)->ifindex = laya->dev->ifindex;
	LAYA_DGRAM_CB(skb)->size = skb_shinfo(skb)->gso_size;
	/* When it was opened is as near as can be */
	if (sock_flag(&ls->sk, SOCK_RCVTSTAMP) ||
	    READ_ONCE(ls->sk.sk_tsflags) & SOF_TIMESTAMPING_RX_SOFTWARE)
		__net_timestamp(skb);
	if (READ_ONCE(ls->sk.sk_shutdown) & RCV_SHUTDOWN) {
		kfree_skb(skb);
		return 0;
	}
	/* A filter sees each message */
	if (skb_shinfo(skb)->gso_size && rcu_access_pointer(ls->sk.sk_filter))
		laya_dgram_queue_apart(laya, ls, skb);
	else
		laya_dgram_queue(laya, ls, skb);
	return 0;
}

/**
 * laya_dgram_receive() - a datagram came in
 * @peer: Its sender.
 * @skb: Its payload; consumed.
 * @source: Port that it was sent from.
 * @dest: Port that it was sent to.
 */
void laya_dgram_receive(struct laya_peer *peer, struct sk_buff *skb,
			__be16 source, __be16 dest)
{
	if (laya_dgram_deliver(peer->device, peer->key, skb, source, dest))
		laya_send_error(peer, LAYA_ERROR_PORT_UNREACHABLE, source, dest);
}

/* --- errors and events --- */

static void laya_dgram_set_error(struct sock *sk, int error)
{
	WRITE_ONCE(sk->sk_err, error);
	sk_error_report(sk);
}

/**
 * laya_dgram_refused() - tell sockets that a datagram of theirs failed
 * @laya: The device.
 * @key: To whom it was sent.
 * @source: Port that it was sent from, ours.
 * @dest: Port that it was sent to.
 * @error: Positive errno.
 */
void laya_dgram_refused(struct laya_device *laya, const u8 *key, __be16 source,
			__be16 dest, int error)
{
	const struct laya_dgram_dest *to;
	struct laya_dgram_sock *ls;

	hlist_for_each_entry_rcu(ls, laya_dgram_bucket(laya, ntohs(source)),
				 node) {
		to = rcu_dereference(ls->dest);
		if (ls->port == ntohs(source) && to && to->port == dest &&
		    !memcmp(to->key, key, LAYA_KEY_SIZE))
			laya_dgram_set_error(&ls->sk, error);
	}
}

/**
 * laya_dgram_error() - a node did not deliver a datagram of ours
 * @peer: The node.
 * @source: Port that it was sent from, ours.
 * @dest: Port that it was sent to.
 * @error: Positive errno.
 *
 * As with UDP, only a socket that is connected hears of it, from its next call.
 */
void laya_dgram_error(struct laya_peer *peer, __be16 source, __be16 dest,
		      int error)
{
	rcu_read_lock();
	laya_dgram_refused(peer->device, peer->key, source, dest, error);
	rcu_read_unlock();
}

/* All sockets that are connected to @peer. Under RCU. */
static void laya_dgram_for_each(struct laya_peer *peer,
				void (*visit)(struct laya_dgram_sock *ls,
					      struct laya_peer *peer, int arg),
				int arg)
{
	const struct laya_dgram_dest *to;
	struct laya_dgram_sock *ls;
	unsigned int i;

	for (i = 0; i < LAYA_DGRAM_BUCKETS; i++)
		hlist_for_each_entry_rcu(ls, &peer->device->ports.hash[i], node) {
			to = rcu_dereference(ls->dest);
			if (to && !memcmp(to->key, peer->key, LAYA_KEY_SIZE))
				visit(ls, peer, arg);
		}
}

static void laya_dgram_visit_failed(struct laya_dgram_sock *ls,
				    struct laya_peer *peer, int error)
{
	laya_dgram_set_error(&ls->sk, error);
}

/**
 * laya_dgram_peer_failed() - datagrams that waited for a session are lost
 * @peer: To whom.
 * @error: Positive errno.
 */
void laya_dgram_peer_failed(struct laya_peer *peer, int error)
{
	rcu_read_lock();
	laya_dgram_for_each(peer, laya_dgram_visit_failed, error);
	rcu_read_unlock();
}

static void laya_dgram_visit_changed(struct laya_dgram_sock *ls,
				     struct laya_peer *peer, int unused)
{
	struct laya_path_info info;

	if (READ_ONCE(ls->events) &&
	    !laya_af_path_info(peer, READ_ONCE(ls->kinds), &info))
		laya_af_queue_event(&ls->sk, &info);
}

/**
 * laya_dgram_path_changed() - the path in use changed: tell sockets that asked
 * @peer: To whom the path leads.
 */
void laya_dgram_path_changed(struct laya_peer *peer)
{
	rcu_read_lock();
	laya_dgram_for_each(peer, laya_dgram_visit_changed, 0);
	laya_stream_path_changed(peer);
	rcu_read_unlock();
}

/**
 * laya_dgram_device_gone() - a device goes, or moves to another namespace
 * @laya: The device; nobody finds it any more.
 */
void laya_dgram_device_gone(struct laya_device *laya)
{
	struct laya_dgram_sock *ls;
	struct hlist_node *next;
	unsigned int i;

	spin_lock_bh(&laya->ports.lock);
	for (i = 0; i < LAYA_DGRAM_BUCKETS; i++)
		hlist_for_each_entry_safe(ls, next, &laya->ports.hash[i], node) {
			hlist_del_init_rcu(&ls->node);
			RCU_INIT_POINTER(ls->laya, NULL);
			WRITE_ONCE(ls->gone, true);
			laya_dgram_set_error(&ls->sk, ENODEV);
		}
	spin_unlock_bh(&laya->ports.lock);
	laya_stream_device_gone(laya);
}
