// SPDX-License-Identifier: GPL-2.0
/*
 * From socket or device to carrier, top to bottom:
 *
 *   laya_send_xmit	an IPv6 packet of the device, maybe a super-packet
 *   laya_send_inner	one inner packet of a socket, or of the waiting queue
 *   laya_send_run	a run of them, of a socket
 *	laya_send_way	    which session, which path, and is it wide enough
 *	laya_send_cargo	    take counters, seal each inner packet, gather equal ones
 *	laya_send_out	    one skb, one run of equal datagrams, to the carrier
 *   laya_send_probe	what paths say to each other
 */
#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <net/dst_cache.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "addr.h"
#include "carrier.h"
#include "crypto.h"
#include "device.h"
#include "elide.h"
#include "fragment.h"
#include "path.h"
#include "peer.h"
#include "run.h"
#include "send.h"
#include "session.h"
#include "stream.h"

/* Traffic that begins after so long a silence has the path looked after at once. */
#define LAYA_SEND_SILENCE_MS	1000

/* Answers about datagrams that could not be delivered, to one peer in a second. */
#define LAYA_SEND_ERRORS	100

/**
 * struct laya_way - how packets to a peer go now
 * @peer: To whom.
 * @session: Seals.
 * @path: Where.
 * @to: Its endpoint, as it was a moment ago.
 * @shims: What stands in front of each packet.
 * @n_shims: Bytes of @shims.
 * @max: Largest inner packet that goes whole.
 * @tos: Outer traffic class.
 */
struct laya_way {
	struct laya_peer	*peer;
	struct laya_session	*session;
	struct laya_path	*path;
	struct laya_endpoint	to;
	u8			shims[2 * LAYA_MAX_LABELS *
				      sizeof(struct laya_shim)];
	unsigned int		n_shims;
	unsigned int		max;
	u8			tos;
};

/**
 * struct laya_cargo - inner packets that go the same way
 * @plan: How @skb is cut into them; NULL when @skb is a list of them.
 * @skb: An IPv6 packet, or the first of a list of inner packets.
 * @count: Number of inner packets.
 * @size: Size of each but the last.
 * @last: Size of the last, not larger.
 */
struct laya_cargo {
	const struct laya_elide	*plan;
	struct sk_buff		*skb;
	unsigned int		count;
	unsigned int		size;
	unsigned int		last;
};

static unsigned int laya_cargo_len(const struct laya_cargo *cargo,
				   unsigned int n)
{
	return n + 1 == cargo->count ? cargo->last : cargo->size;
}

/* Write inner packet @n; a list is walked along. */
static int laya_cargo_write(struct laya_cargo *cargo, unsigned int n, u8 *to)
{
	struct sk_buff *skb = cargo->skb;

	if (cargo->plan)
		return laya_elide_write(cargo->plan, skb, n, to);
	cargo->skb = skb->next;
	return skb_copy_bits(skb, 0, to, skb->len);
}

/* Sealed size of an inner packet of @len bytes. */
static unsigned int laya_way_sealed(const struct laya_way *way, unsigned int len)
{
	return way->n_shims + LAYA_OVERHEAD + len;
}

/*
 * Write shims and header at @at, and seal the inner packet that is there behind
 * them already.
 */
static int laya_way_seal(const struct laya_way *way, u64 counter, u8 *at,
			 unsigned int len)
{
	struct laya_data_header *header;
	u8 nonce[LAYA_NONCE_SIZE];
	u8 *inner;

	memcpy(at, way->shims, way->n_shims);
	header = (struct laya_data_header *)(at + way->n_shims);
	header->type = LAYA_PACKET_DATA;
	header->flags = 0;
	header->path_id = cpu_to_be16(way->path->id);
	header->receiver = way->session->tx_index;
	header->counter = cpu_to_be64(counter);
	inner = (u8 *)(header + 1);
	laya_crypto_nonce(nonce, header->path_id, header->counter);
	return laya_crypto_seal(&way->session->tx_key, nonce, inner, len, inner);
}

/* Take path and session for @peer's next packet. -EAGAIN: it has to wait. */
static int laya_send_way(struct laya_way *way, struct laya_peer *peer, u32 kinds)
{
	struct laya_path_route route;
	struct laya_path *path;

	way->session = laya_session_to_send(peer);
	if (!way->session)
		return -EAGAIN;
	path = laya_path_to_send(peer, kinds);
	if (!path) {
		/* There is one, but not of the kinds that the socket allows */
		if (kinds != LAYA_KINDS_ANY &&
		    laya_path_to_send(peer, LAYA_KINDS_ANY))
			return -EACCES;
		return -EAGAIN;
	}
	if (!laya_path_data_route(path, &route))
		return -EAGAIN;
	way->peer = peer;
	way->path = path;
	way->to = route.endpoint;
	way->n_shims = laya_shims_write(way->shims, route.labels, route.n_labels,
					NULL, 0, 0);
	way->max = READ_ONCE(path->mtu) - LAYA_OVERHEAD - way->n_shims;
	return 0;
}

/*
 * The route is narrower than the path was thought to be: the next packets are cut
 * smaller. Growing again is for the path's own probes.
 */
static void laya_send_narrow(struct laya_path *path)
{
	spin_lock_bh(&path->lock);
	if (path->mtu > LAYA_PATH_BASE_MTU)
		WRITE_ONCE(path->mtu, LAYA_PATH_BASE_MTU);
	spin_unlock_bh(&path->lock);
}

static void laya_send_account(const struct laya_way *way, unsigned int packets,
			      unsigned int bytes, bool data)
{
	const unsigned long now = jiffies ?: 1;
	struct laya_path *path = way->path;
	struct laya_peer *peer = way->peer;
	unsigned long last;

	trace_laya_send(peer->device->dev, path->id, packets, bytes);
	bytes -= packets * way->n_shims;
	laya_counts_tx(path->counts, packets, bytes);
	/* Not written more often than it changes: other CPUs read the line */
	if (READ_ONCE(path->last_tx) != now)
		WRITE_ONCE(path->last_tx, now);
	if (!data)
		return;
	laya_counts_tx(peer->counts, packets, bytes);
	last = READ_ONCE(path->last_tx_data);
	if (last != now)
		WRITE_ONCE(path->last_tx_data, now);
	if (!last ||
	    time_after(now, last + msecs_to_jiffies(LAYA_SEND_SILENCE_MS)))
		laya_peer_kick(peer, msecs_to_jiffies(LAYA_PROBE_MAX_MS) / 2);
}

/* One datagram or run of them, sealed, to the carrier. */
static int laya_send_out(const struct laya_way *way, struct sk_buff *skb,
			 unsigned int packets)
{
	struct laya_device *laya = way->peer->device;
	struct laya_path *path = way->path;
	unsigned int bytes = skb->len;
	int err;

	if (!laya_path_may_send(path, bytes)) {
		laya_device_drop(laya, LAYA_DROP_AMPLIFICATION);
		kfree_skb(skb);
		return 0;
	}
	skb_set_inner_network_header(skb, 0);
	err = laya_carrier_send(laya, skb, &way->to, &path->cache, way->tos, 0);
	/*
	 * The path's address may have changed after we looked: then the route
	 * just kept is another address's.
	 */
	if (memcmp(&path->endpoint.remote, &way->to.remote,
		   sizeof(way->to.remote)))
		dst_cache_reset(&path->cache);
	if (err == -EMSGSIZE)
		laya_send_narrow(path);
	if (!err)
		laya_send_account(way, packets, bytes, true);
	/* A packet lost on its path: that is for the path's probes to find out */
	return err == -ENOMEM ? err : 0;
}

/*
 * TCP counts what of it lies below, until it has left: what the sender's skb was
 * charged for goes over to the sealed one. Only kinds of accounting are taken over
 * that are known to look at nothing but skb->truesize.
 */
static void laya_send_own(struct sk_buff *to, struct sk_buff *from)
{
	struct sock *sk = from->sk;
	int delta;

	if (!sk || !from->destructor || !sk_fullsock(sk) ||
	    from->destructor == sock_efree || from->destructor == sock_edemux)
		return;
	/* Not exported by name: tcp_wfree, __sock_wfree */
	if (sk->sk_protocol != IPPROTO_TCP && from->destructor != sock_wfree)
		return;

	delta = to->truesize - from->truesize;
	swap(to->sk, from->sk);
	swap(to->destructor, from->destructor);
	if (delta >= 0)
		refcount_add(delta, &sk->sk_wmem_alloc);
	else
		WARN_ON_ONCE(refcount_sub_and_test(-delta, &sk->sk_wmem_alloc));
}

/* What of the sender's skb still matters below. */
static void laya_send_inherit(struct sk_buff *to, const struct sk_buff *from)
{
	to->priority = from->priority;
	to->ooo_okay = from->ooo_okay;
	skb_set_queue_mapping(to, skb_get_queue_mapping(from));
}

/* A linear skb of @len bytes behind headroom for all headers. */
static struct sk_buff *laya_send_alloc(unsigned int len)
{
	struct sk_buff *skb = alloc_skb(LAYA_SEND_HEADROOM + len,
					GFP_ATOMIC | __GFP_NOWARN);

	if (skb)
		skb_reserve(skb, LAYA_SEND_HEADROOM);
	return skb;
}

/*
 * Seal inner packets from number @n on into one skb, as many as it takes: equal
 * ones, and the shorter last one.
 */
static struct sk_buff *laya_send_seal_run(const struct laya_way *way,
					  struct laya_cargo *cargo,
					  unsigned int n, u64 counter,
					  unsigned int *packets)
{
	unsigned int before = way->n_shims + sizeof(struct laya_data_header);
	struct laya_run run;
	struct sk_buff *skb;
	unsigned int len;
	u8 *at;

	skb = laya_send_alloc(0);
	if (!skb)
		return NULL;
	laya_run_begin(&run, skb, laya_way_sealed(way, cargo->size));
	for (; n < cargo->count; n++, counter++) {
		at = laya_run_room(&run, cargo->count - n);
		if (!at)
			break;
		len = laya_cargo_len(cargo, n);
		if (laya_cargo_write(cargo, n, at + before) ||
		    laya_way_seal(way, counter, at, len))
			goto err_free;
		laya_run_add(&run, laya_way_sealed(way, len));
	}
	if (!run.count)
		goto err_free;
	*packets = run.count;
	return laya_run_end(&run);

err_free:
	kfree_skb(skb);
	return NULL;
}

/* Seal inner packet @n into a linear skb. */
static struct sk_buff *laya_send_seal_one(const struct laya_way *way,
					  struct laya_cargo *cargo,
					  unsigned int n, u64 counter)
{
	unsigned int before = way->n_shims + sizeof(struct laya_data_header);
	unsigned int len = laya_cargo_len(cargo, n);
	struct sk_buff *skb;
	u8 *at;

	skb = laya_send_alloc(laya_way_sealed(way, len));
	if (!skb)
		return NULL;
	at = skb_put(skb, laya_way_sealed(way, len));
	if (laya_cargo_write(cargo, n, at + before) ||
	    laya_way_seal(way, counter, at, len)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/*
 * Seal and send all of @cargo. What @owner's sender was charged goes over to the
 * last skb. -EAGAIN when the session has no counters left.
 */
static int laya_send_cargo(const struct laya_way *way, struct laya_cargo *cargo,
			   struct sk_buff *owner)
{
	unsigned int packets, n = 0;
	struct sk_buff *skb;
	u64 counter;
	int err = 0;

	counter = laya_session_take_counters(way->session, cargo->count);
	if (!counter)
		return -EAGAIN;

	while (n < cargo->count) {
		packets = 1;
		if (cargo->count - n > 1 &&
		    2 * laya_way_sealed(way, cargo->size) <= LAYA_RUN_BYTES)
			skb = laya_send_seal_run(way, cargo, n, counter + n,
						 &packets);
		else
			skb = laya_send_seal_one(way, cargo, n, counter + n);
		if (!skb) {
			laya_device_drop(way->peer->device, LAYA_DROP_NO_MEMORY);
			return -ENOMEM;
		}
		n += packets;
		laya_send_inherit(skb, owner);
		if (n == cargo->count)
			laya_send_own(skb, owner);
		err = laya_send_out(way, skb, packets);
		if (err)
			break;
	}
	return err;
}

/* An inner packet as an skb of its own: to wait, or to be fragmented. */
static struct sk_buff *laya_send_inner_skb(const struct laya_elide *plan,
					   const struct sk_buff *skb,
					   unsigned int n)
{
	unsigned int len = laya_elide_len(plan, n);
	struct sk_buff *inner;

	inner = laya_send_alloc(len + LAYA_TAG_SIZE);
	if (!inner)
		return NULL;
	if (laya_elide_write(plan, skb, n, skb_put(inner, len))) {
		kfree_skb(inner);
		return NULL;
	}
	inner->priority = skb->priority;
	*LAYA_SEND_CB(inner) = *LAYA_SEND_CB(skb);
	return inner;
}

/* Consumes @skb. */
static int laya_send_cut(const struct laya_way *way, struct sk_buff *skb)
{
	struct laya_cargo cargo = {};
	struct sk_buff *list, *at;
	int err;

	if (skb_linearize(skb))
		list = ERR_PTR(-ENOMEM);
	else
		list = laya_fragment_cut(skb, way->max, get_random_u32());
	if (IS_ERR(list)) {
		err = PTR_ERR(list);
		laya_device_drop(way->peer->device, err == -ENOMEM ?
				 LAYA_DROP_NO_MEMORY : LAYA_DROP_TOO_BIG);
		kfree_skb(skb);
		return err;
	}
	cargo.skb = list;
	cargo.size = list->len;
	for (at = list; at; at = at->next) {
		cargo.last = at->len;
		cargo.count++;
	}
	err = laya_send_cargo(way, &cargo, list);
	kfree_skb_list(list);
	/* Its last counters gone, the session is replaced; this packet is lost */
	return err == -EAGAIN ? -ENOBUFS : err;
}

/* Seal where it lies: the skb is ours alone, and has room before and behind. */
static bool laya_send_seal_in_place(const struct laya_way *way,
				    struct sk_buff *skb)
{
	return !skb_is_nonlinear(skb) && !skb_cloned(skb) && !skb_shared(skb) &&
	       skb_headroom(skb) >= LAYA_SEND_HEADROOM &&
	       skb_tailroom(skb) >= LAYA_TAG_SIZE;
}

/* Consumes @skb, save when it has to wait: -EAGAIN. */
static int laya_send_one(const struct laya_way *way, struct sk_buff *skb)
{
	struct laya_cargo cargo = {
		.skb	= skb,
		.count	= 1,
		.size	= skb->len,
		.last	= skb->len,
	};
	unsigned int len = skb->len;
	u64 counter;
	int err;

	if (!laya_send_seal_in_place(way, skb)) {
		err = laya_send_cargo(way, &cargo, skb);
		if (err != -EAGAIN)
			consume_skb(skb);
		return err;
	}
	counter = laya_session_take_counters(way->session, 1);
	if (!counter)
		return -EAGAIN;
	skb_put(skb, LAYA_TAG_SIZE);
	skb_push(skb, way->n_shims + sizeof(struct laya_data_header));
	err = laya_way_seal(way, counter, skb->data, len);
	if (err) {
		kfree_skb(skb);
		return err;
	}
	return laya_send_out(way, skb, 1);
}

/* The drop's reason for an error of laya_peer_enqueue(). */
static enum laya_drop laya_send_reason(int err)
{
	switch (err) {
	case -ENOBUFS:
		return LAYA_DROP_QUEUE_FULL;
	case -EACCES:
		return LAYA_DROP_NOT_ALLOWED;
	case -ENOMEM:
		return LAYA_DROP_NO_MEMORY;
	}
	return LAYA_DROP_NO_PATH;
}

/**
 * laya_send_inner - send one inner packet
 * @peer: To whom.
 * @skb: At its inner header, with LAYA_SEND_CB set; consumed.
 *
 * Any context that may take a BH lock; a reference on @peer or RCU is held.
 *
 * Return: 0 when it was sent or waits; -EACCES when the peer is not allowed this,
 * or there is no path of the kinds; -EMSGSIZE, -ENOBUFS, -ENOMEM; -EHOSTUNREACH or
 * -ECONNREFUSED when no session can be had.
 */
int laya_send_inner(struct laya_peer *peer, struct sk_buff *skb)
{
	struct laya_device *laya = peer->device;
	struct laya_way way;
	int err;

	if (skb->len < LAYA_INNER_SIZE || skb->len > LAYA_MAX_INNER) {
		err = -EMSGSIZE;
		goto err_free;
	}
	if (!LAYA_SEND_CB(skb)->control &&
	    !(READ_ONCE(peer->flags) & LAYA_PEER_FLAGS_ALLOW)) {
		err = -EACCES;
		goto err_drop;
	}

	local_bh_disable();
	rcu_read_lock();
	err = laya_send_way(&way, peer, LAYA_SEND_CB(skb)->kinds);
	if (err == -EACCES) {
		laya_device_drop(laya, LAYA_DROP_NO_PATH);
		kfree_skb(skb);
		goto out;
	}
	if (!err) {
		way.tos = LAYA_SEND_CB(skb)->tos & INET_ECN_MASK;
		if (skb->len > way.max)
			err = laya_send_cut(&way, skb);
		else
			err = laya_send_one(&way, skb);
	}
	if (err == -EAGAIN) {
		err = laya_peer_enqueue(peer, skb);
		if (err)
			laya_device_drop(laya, laya_send_reason(err));
	}
out:
	rcu_read_unlock();
	local_bh_enable();
	return err;

err_drop:
	laya_device_drop(laya, laya_send_reason(err));
err_free:
	kfree_skb(skb);
	return err;
}

/**
 * laya_send_room - what a run of inner packets for a peer needs
 * @peer: To whom.
 * @kinds: Kinds of path to use.
 * @before: Bytes in front of each inner packet.
 * @max: Largest inner packet.
 *
 * Under RCU.
 *
 * Return: False when a packet would have to wait, or could not go.
 */
bool laya_send_room(struct laya_peer *peer, u32 kinds, unsigned int *before,
		    unsigned int *max)
{
	struct laya_way way;

	if (laya_send_way(&way, peer, kinds))
		return false;
	*before = way.n_shims + sizeof(struct laya_data_header);
	*max = way.max;
	return true;
}

/* The way is not what it was when the run was begun: each packet for itself. */
static int laya_send_apart(struct laya_peer *peer, struct sk_buff *skb,
			   unsigned int size, unsigned int before, u32 kinds)
{
	unsigned int at, len;
	struct sk_buff *inner;
	int err = 0;

	for (at = 0; at < skb->len && !err; at += size) {
		len = min(size, skb->len - at) - before - LAYA_TAG_SIZE;
		inner = laya_send_alloc(len + LAYA_TAG_SIZE);
		if (!inner) {
			laya_device_drop(peer->device, LAYA_DROP_NO_MEMORY);
			return -ENOMEM;
		}
		/* It was written there by laya_run_add()'s caller: it can be read */
		skb_copy_bits(skb, at + before, skb_put(inner, len), len);
		if (skb->sk)
			skb_set_owner_w(inner, skb->sk);
		inner->priority = skb->priority;
		memset(LAYA_SEND_CB(inner), 0, sizeof(*LAYA_SEND_CB(inner)));
		LAYA_SEND_CB(inner)->kinds = kinds;
		err = laya_send_inner(peer, inner);
	}
	return err;
}

/* Seal the inner packets of a run where they lie. */
static int laya_send_seal_all(const struct laya_way *way, struct sk_buff *skb,
			      unsigned int size, u64 counter)
{
	unsigned int i, at, len, end;
	int err;

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];
		u8 *bytes = skb_frag_address(frag);

		end = skb_frag_size(frag);
		for (at = 0; at < end; at += len) {
			len = min(size, end - at);
			err = laya_way_seal(way, counter++, bytes + at, len -
					    laya_way_sealed(way, 0));
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * laya_send_run - send a run of inner packets
 * @peer: To whom; it is allowed them.
 * @run: In the room of each packet is, behind @before bytes, an inner packet, and
 *	then room for a tag; there is no run after it.
 * @before: From laya_send_room().
 * @kinds: Kinds of path to use.
 *
 * Under RCU.
 *
 * Return: As laya_send_inner(), of the first that fails.
 */
int laya_send_run(struct laya_peer *peer, struct laya_run *run,
		  unsigned int before, u32 kinds)
{
	unsigned int size = run->size, count = run->count;
	struct sk_buff *skb = laya_run_end(run);
	struct laya_way way;
	u64 counter = 0;
	int err;

	local_bh_disable();
	err = laya_send_way(&way, peer, kinds);
	if (!err && way.n_shims + sizeof(struct laya_data_header) == before &&
	    size <= laya_way_sealed(&way, way.max))
		counter = laya_session_take_counters(way.session, count);
	if (!counter) {
		err = laya_send_apart(peer, skb, size, before, kinds);
		consume_skb(skb);
		goto out;
	}
	way.tos = 0;
	err = laya_send_seal_all(&way, skb, size, counter);
	if (err) {
		laya_device_drop(peer->device, LAYA_DROP_NO_MEMORY);
		kfree_skb(skb);
		goto out;
	}
	err = laya_send_out(&way, skb, count);
out:
	local_bh_enable();
	return err;
}

/* The code of an ICMPv6 "destination unreachable" for an errno. */
static int laya_send_code(int err)
{
	switch (err) {
	case -ENETUNREACH:
		return ICMPV6_NOROUTE;
	case -EACCES:
		return ICMPV6_ADM_PROHIBITED;
	case -ECONNREFUSED:
		return ICMPV6_PORT_UNREACH;
	case -EHOSTUNREACH:
		return ICMPV6_ADDR_UNREACH;
	}
	return -1;
}

/* Which peer an IPv6 packet is for; ERR_PTR and *@reason when for none. */
static struct laya_peer *laya_send_peer(struct laya_device *laya,
					struct sk_buff *skb,
					enum laya_drop *reason)
{
	const struct ipv6hdr *ip6;
	struct laya_peer *peer;

	*reason = LAYA_DROP_NO_PEER;
	if (skb->protocol != htons(ETH_P_IPV6) ||
	    !pskb_may_pull(skb, sizeof(*ip6)))
		return ERR_PTR(-EAFNOSUPPORT);
	ip6 = ipv6_hdr(skb);
	/* The receiver gives what we send our key's address, whatever it has */
	if (ip6->version != 6 || !ipv6_addr_equal(&ip6->saddr, &laya->orchid) ||
	    !laya_addr_is_orchid(&ip6->daddr))
		return ERR_PTR(-ENETUNREACH);
	peer = laya_peer_lookup_orchid(laya, &ip6->daddr);
	if (!peer)
		return ERR_PTR(-ENETUNREACH);
	if (!(READ_ONCE(peer->flags) & LAYA_PEER_FLAGS_ALLOW)) {
		*reason = LAYA_DROP_NOT_ALLOWED;
		return ERR_PTR(-EACCES);
	}
	return peer;
}

/* One by one: to wait, or to be cut for the path. */
static int laya_send_singly(struct laya_peer *peer, struct laya_way *way,
			    const struct laya_elide *plan, struct sk_buff *skb)
{
	struct sk_buff *inner;
	unsigned int n;
	int err = 0;

	for (n = 0; n < plan->count && !err; n++) {
		inner = laya_send_inner_skb(plan, skb, n);
		if (!inner) {
			laya_device_drop(peer->device, LAYA_DROP_NO_MEMORY);
			return -ENOMEM;
		}
		if (way) {
			err = laya_send_cut(way, inner);
			continue;
		}
		/* A failure is told to the sender from the peer's work */
		if (laya_peer_enqueue(peer, inner))
			laya_device_drop(peer->device, LAYA_DROP_NO_PATH);
	}
	return err;
}

/* An IPv6 packet for @peer; @skb remains the caller's. */
static int laya_send_ipv6(struct laya_peer *peer, struct sk_buff *skb)
{
	struct laya_cargo cargo = { .skb = skb };
	struct laya_elide plan;
	struct laya_way way;
	int err, wait;

	LAYA_SEND_CB(skb)->control = false;
	LAYA_SEND_CB(skb)->tos = ipv6_get_dsfield(ipv6_hdr(skb));

	wait = laya_send_way(&way, peer, LAYA_SEND_CB(skb)->kinds);
	if (wait && wait != -EAGAIN) {
		laya_device_drop(peer->device, LAYA_DROP_NO_PATH);
		return wait;
	}
	err = laya_elide_plan(&plan, skb,
			      wait ? LAYA_PATH_BASE_MTU - LAYA_OVERHEAD :
				     way.max);
	if (err) {
		laya_device_drop(peer->device, LAYA_DROP_MALFORMED);
		return err;
	}
	if (wait)
		return laya_send_singly(peer, NULL, &plan, skb);

	way.tos = LAYA_SEND_CB(skb)->tos & INET_ECN_MASK;
	cargo.plan = &plan;
	cargo.count = plan.count;
	cargo.size = laya_elide_len(&plan, 0);
	cargo.last = laya_elide_len(&plan, plan.count - 1);
	if (cargo.size > way.max)
		return laya_send_singly(peer, &way, &plan, skb);
	err = laya_send_cargo(&way, &cargo, skb);
	if (err == -EAGAIN)
		err = laya_send_singly(peer, NULL, &plan, skb);
	return err;
}

/**
 * laya_send_xmit - ndo_start_xmit of the device
 * @skb: An IPv6 packet; consumed.
 * @dev: The device.
 *
 * Return: NETDEV_TX_OK; what cannot be sent is dropped and counted, and its sender
 * told by ICMPv6.
 */
netdev_tx_t laya_send_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct laya_device *laya = laya_device(dev);
	unsigned int packets, bytes = skb->len;
	enum laya_drop reason;
	struct laya_peer *peer;
	int err, code;

	packets = skb_is_gso(skb) ? max_t(u16, skb_shinfo(skb)->gso_segs, 1) : 1;

	rcu_read_lock();
	peer = laya_send_peer(laya, skb, &reason);
	if (IS_ERR(peer)) {
		err = PTR_ERR(peer);
		laya_device_drop(laya, reason);
		goto err_unreachable;
	}
	LAYA_SEND_CB(skb)->kinds = laya_stream_kinds(skb->sk);
	err = laya_send_ipv6(peer, skb);
	if (err)
		goto err_unreachable;
	rcu_read_unlock();

	dev_sw_netstats_tx_add(dev, packets, bytes);
	consume_skb(skb);
	return NETDEV_TX_OK;

err_unreachable:
	code = laya_send_code(err);
	if (code >= 0)
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, code, 0);
	rcu_read_unlock();
	DEV_STATS_INC(dev, tx_dropped);
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

/**
 * laya_send_probe - send a probe
 * @path: On which path.
 * @to: Where to, when that is not the path's endpoint.
 * @type: enum laya_probe_type.
 * @seq: Of the request.
 * @token: Of the request.
 * @observed: What a reply tells of where the request came from; else NULL.
 * @size: Bytes of UDP payload to make it by padding; 0 is none.
 *
 * Under rcu_read_lock, without path->lock.
 *
 * Return: 0; -EHOSTUNREACH when there is no session; what the carrier says.
 */
int laya_send_probe(struct laya_path *path, const struct laya_endpoint *to,
		    u8 type, u32 seq, __be64 token,
		    const struct laya_probe_observed *observed,
		    unsigned int size)
{
	unsigned int len = sizeof(struct laya_inner_probe);
	struct laya_peer *peer = path->peer;
	struct laya_device *laya = peer->device;
	u64 counter, rx_packets, rx_bytes;
	struct laya_inner_probe probe = {
		.kind		= LAYA_INNER_PROBE,
		.type		= type,
		.path_kind	= path->kind,
		.seq		= cpu_to_be32(seq),
		.token		= token,
	};
	struct laya_path_route route;
	struct laya_way way = {
		.peer	= peer,
		.path	= path,
	};
	struct sk_buff *skb;
	unsigned int bytes;
	u8 *at;
	int err;

	if (observed)
		len += sizeof(*observed);

	local_bh_disable();
	err = -EHOSTUNREACH;
	way.session = laya_session_to_send(peer);
	if (!way.session || !laya_path_route(path, to, &route))
		goto out;
	counter = laya_session_take_counters(way.session, 1);
	if (!counter)
		goto out;
	/* Each forwarder on the way fills a slot, or checks what stands there */
	way.to = route.endpoint;
	way.n_shims = laya_shims_write(way.shims, route.labels, route.n_labels,
				       route.returns, route.n_returns,
				       route.n_slots);
	laya_path_counts(path, way.session, &rx_packets, &rx_bytes);
	probe.rx_packets = cpu_to_be64(rx_packets);
	probe.rx_bytes = cpu_to_be64(rx_bytes);

	bytes = laya_way_sealed(&way, len);
	if (bytes < size) {
		len += size - bytes;
		bytes = size;
	}
	/* A challenged address has an allowance of its own, of the path's */
	if (!to && !laya_path_may_send(path, bytes)) {
		laya_device_drop(laya, LAYA_DROP_AMPLIFICATION);
		err = -ENOBUFS;
		goto out;
	}
	skb = laya_send_alloc(bytes);
	if (!skb) {
		laya_device_drop(laya, LAYA_DROP_NO_MEMORY);
		err = -ENOMEM;
		goto out;
	}
	at = skb_put_zero(skb, bytes);
	memcpy(at + way.n_shims + sizeof(struct laya_data_header), &probe,
	       sizeof(probe));
	if (observed)
		memcpy(at + way.n_shims + sizeof(struct laya_data_header) +
		       sizeof(probe), observed, sizeof(*observed));
	err = laya_way_seal(&way, counter, at, len);
	if (err) {
		kfree_skb(skb);
		goto out;
	}
	skb->priority = TC_PRIO_CONTROL;
	/* Elsewhere than the path leads, the path's route is of no use */
	err = laya_carrier_send(laya, skb, &way.to, to ? NULL : &path->cache,
				0, 0);
	if (!err)
		laya_send_account(&way, 1, bytes, false);
out:
	local_bh_enable();
	return err;
}

/* May another error be told to @peer? */
static bool laya_send_error_allowed(struct laya_peer *peer)
{
	unsigned long now = jiffies;
	unsigned long refill = READ_ONCE(peer->error_refill);

	if (time_after_eq(now, refill + HZ) &&
	    cmpxchg(&peer->error_refill, refill, now) == refill)
		atomic_set(&peer->error_tokens, LAYA_SEND_ERRORS);
	return atomic_dec_if_positive(&peer->error_tokens) >= 0;
}

/**
 * laya_send_error - tell a peer that its datagram was not delivered
 * @peer: Who sent it.
 * @code: enum laya_inner_error.
 * @source: Its source port.
 * @dest: Its destination port.
 */
void laya_send_error(struct laya_peer *peer, u8 code, __be16 source, __be16 dest)
{
	struct laya_inner_error_header *header;
	struct sk_buff *skb;

	if (!laya_send_error_allowed(peer))
		return;
	skb = laya_send_alloc(sizeof(*header) + LAYA_TAG_SIZE);
	if (!skb) {
		laya_device_drop(peer->device, LAYA_DROP_NO_MEMORY);
		return;
	}
	header = skb_put_zero(skb, sizeof(*header));
	header->kind = LAYA_INNER_ERROR;
	header->code = code;
	header->source = source;
	header->dest = dest;
	LAYA_SEND_CB(skb)->kinds = LAYA_KINDS_ANY;
	LAYA_SEND_CB(skb)->tos = 0;
	/* To those who may send nothing else too: they want to know */
	LAYA_SEND_CB(skb)->control = true;
	laya_send_inner(peer, skb);
}
