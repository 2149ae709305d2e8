// SPDX-License-Identifier: GPL-2.0
/*
 * Paths: the ways to a peer, each dialled by one side and carrying both
 * directions. What is dialled comes from netlink, to here; what is answered begins
 * with the first authenticated packet under a new id, in path_receive.c.
 * path_probe.c keeps them alive and path_rank.c compares them.
 */

#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <net/ipv6.h>

#include "addr.h"
#include "device.h"
#include "dgram.h"
#include "netlink.h"
#include "path.h"
#include "peer.h"
#include "session.h"
#include "stream.h"

#define PATH_ID_MASK	(LAYA_PATH_ID_GREATER - 1)

/* An outage shorter than this did not make TCP back off. */
#define PATH_OUTAGE_MS	200

/* Of struct laya_path_window: many, of a size that kmalloc() would round up to twice. */
struct kmem_cache *laya_path_windows;

/**
 * laya_path_init - before any path
 *
 * Return: 0 or -ENOMEM.
 */
int laya_path_init(void)
{
	laya_path_windows = KMEM_CACHE(laya_path_window, 0);
	return laya_path_windows ? 0 : -ENOMEM;
}

/**
 * laya_path_exit - after the last path is freed
 */
void laya_path_exit(void)
{
	kmem_cache_destroy(laya_path_windows);
}

static void path_free(struct laya_path *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path->windows); i++)
		if (path->windows[i])
			kmem_cache_free(laya_path_windows, path->windows[i]);
	dst_cache_destroy(&path->cache);
	free_percpu(path->counts);
	kfree_sensitive(path);
}

static void path_free_rcu(struct rcu_head *rcu)
{
	path_free(container_of(rcu, struct laya_path, rcu));
}

static void path_release(struct kref *ref)
{
	struct laya_path *path = container_of(ref, struct laya_path, ref);

	call_rcu(&path->rcu, path_free_rcu);
}

/**
 * laya_path_put - give a reference back
 * @path: May be freed after a grace period.
 */
void laya_path_put(struct laya_path *path)
{
	kref_put(&path->ref, path_release);
}

/**
 * laya_path_alloc - make a path
 * @peer: Whose it will be.
 * @gfp: How to allocate.
 *
 * Return: A path that nobody else knows, to be probed; NULL without memory.
 */
struct laya_path *laya_path_alloc(struct laya_peer *peer, gfp_t gfp)
{
	struct laya_path *path;

	path = kzalloc(sizeof(*path), gfp);
	if (!path)
		return NULL;
	path->counts = laya_counts_alloc(gfp);
	if (!path->counts || dst_cache_init(&path->cache, gfp)) {
		path_free(path);
		return NULL;
	}
	kref_init(&path->ref);
	path->peer = peer;
	laya_path_mtu_restart(path);
	path->returnable = true;
	spin_lock_init(&path->lock);
	seqcount_spinlock_init(&path->route, &path->lock);
	get_random_bytes(&path->probe.key, sizeof(path->probe.key));
	laya_path_probe_start(path);
	return path;
}

/**
 * laya_path_discard - the end of a path that was never published
 * @path: From laya_path_alloc().
 */
void laya_path_discard(struct laya_path *path)
{
	path_free(path);
}

/**
 * laya_path_same_remote - have two endpoints the same far end?
 * @a: One.
 * @b: The other.
 *
 * Return: True when address, port and scope are equal; of streams, when they are
 * the same one.
 */
bool laya_path_same_remote(const struct laya_endpoint *a,
			   const struct laya_endpoint *b)
{
	if (a->carrier || b->carrier)
		return a->carrier == b->carrier;
	if (a->remote.sa.sa_family != b->remote.sa.sa_family)
		return false;
	if (a->remote.sa.sa_family == AF_INET)
		return a->remote.in.sin_port == b->remote.in.sin_port &&
		       a->remote.in.sin_addr.s_addr == b->remote.in.sin_addr.s_addr;
	return a->remote.in6.sin6_port == b->remote.in6.sin6_port &&
	       a->remote.in6.sin6_scope_id == b->remote.in6.sin6_scope_id &&
	       ipv6_addr_equal(&a->remote.in6.sin6_addr,
			       &b->remote.in6.sin6_addr);
}

/**
 * laya_path_same_endpoint - are two endpoints the same flow?
 * @a: One.
 * @b: The other.
 *
 * Return: True when the far ends and our addresses are equal. The interface is not
 * compared: what arrives on another one is still the same flow.
 */
bool laya_path_same_endpoint(const struct laya_endpoint *a,
			     const struct laya_endpoint *b)
{
	if (!laya_path_same_remote(a, b))
		return false;
	if (a->carrier)
		return true;
	if (a->remote.sa.sa_family == AF_INET)
		return a->local4.s_addr == b->local4.s_addr;
	return ipv6_addr_equal(&a->local6, &b->local6);
}

/**
 * laya_path_unlink - take a path out of its peer's list
 * @peer: The peer; its lock is held.
 * @path: The path; the list's reference is the caller's then.
 *
 * Return: False when it was out already.
 */
bool laya_path_unlink(struct laya_peer *peer, struct laya_path *path)
{
	lockdep_assert_held(&peer->lock);

	if (path->removed)
		return false;
	path->removed = true;
	list_del_rcu(&path->list);
	peer->n_paths--;
	/* Its work chooses another, and tells. */
	if (rcu_access_pointer(peer->best) == path)
		RCU_INIT_POINTER(peer->best, NULL);
	return true;
}

/**
 * laya_path_link - publish a path
 * @peer: The peer; its lock is held, and it is not dead.
 * @path: From laya_path_alloc(), with an id that no other has.
 */
void laya_path_link(struct laya_peer *peer, struct laya_path *path)
{
	lockdep_assert_held(&peer->lock);

	list_add_tail_rcu(&path->list, &peer->paths);
	peer->n_paths++;
}

/**
 * laya_path_oldest_dead - which path to drop for another
 * @peer: Whose; its lock is held.
 * @answered: One that the peer dialled, or that we did.
 *
 * Return: The one that died first; NULL when none is dead.
 */
struct laya_path *laya_path_oldest_dead(struct laya_peer *peer, bool answered)
{
	struct laya_path *path, *oldest = NULL;

	lockdep_assert_held(&peer->lock);

	list_for_each_entry(path, &peer->paths, list)
		if (path->answered == answered &&
		    READ_ONCE(path->state) == LAYA_PATH_STATE_DEAD &&
		    (!oldest || time_before(path->died, oldest->died)))
			oldest = path;
	return oldest;
}

static unsigned int path_count(struct laya_peer *peer, bool answered)
{
	struct laya_path *path;
	unsigned int n = 0;

	lockdep_assert_held(&peer->lock);

	list_for_each_entry(path, &peer->paths, list)
		n += path->answered == answered;
	return n;
}

/**
 * laya_path_lookup - find a path by its id
 * @peer: Whose. Under rcu_read_lock, or its lock.
 * @id: Host byte order.
 *
 * Return: The path, valid as long; NULL when there is none.
 */
struct laya_path *laya_path_lookup(struct laya_peer *peer, u16 id)
{
	struct laya_path *path;

	list_for_each_entry_rcu(path, &peer->paths, list,
				lockdep_is_held(&peer->lock))
		if (READ_ONCE(path->id) == id)
			return path;
	return NULL;
}

static int path_check_remote(const struct laya_endpoint *endpoint,
			     struct netlink_ext_ack *extack)
{
	const struct sockaddr_in6 *in6 = &endpoint->remote.in6;
	const struct sockaddr_in *in = &endpoint->remote.in;
	bool host;

	switch (in->sin_family) {
	case AF_INET:
		host = !ipv4_is_zeronet(in->sin_addr.s_addr) &&
		       !ipv4_is_multicast(in->sin_addr.s_addr) &&
		       !ipv4_is_lbcast(in->sin_addr.s_addr);
		break;
	case AF_INET6:
		/* An ORCHID is a way to nowhere: Laya below Laya. */
		host = !ipv6_addr_any(&in6->sin6_addr) &&
		       !ipv6_addr_is_multicast(&in6->sin6_addr) &&
		       !ipv6_addr_v4mapped(&in6->sin6_addr) &&
		       !laya_addr_is_orchid(&in6->sin6_addr);
		break;
	default:
		NL_SET_ERR_MSG(extack,
			       "Far end has neither an IPv4 nor an IPv6 address");
		return -EINVAL;
	}
	if (!host) {
		NL_SET_ERR_MSG(extack, "Far end has no address of a host");
		return -EINVAL;
	}
	/* In the same place in both. */
	if (!in->sin_port) {
		NL_SET_ERR_MSG(extack, "Port of the far end is 0");
		return -EINVAL;
	}
	return 0;
}

static int path_check_params(const struct laya_path_params *params,
			     struct netlink_ext_ack *extack)
{
	if (params->kind < LAYA_PATH_KIND_LAN ||
	    params->kind > LAYA_PATH_KIND_RELAY) {
		NL_SET_ERR_MSG(extack, "No such kind of path");
		return -EINVAL;
	}
	if (params->n_labels > LAYA_MAX_LABELS) {
		NL_SET_ERR_MSG(extack, "More than two labels");
		return -EINVAL;
	}
	/* A stream leads where it leads */
	if (params->endpoint.carrier)
		return 0;
	return path_check_remote(&params->endpoint, extack);
}

static bool path_has_params(const struct laya_path *path,
			    const struct laya_path_params *params)
{
	return !path->answered &&
	       laya_path_same_endpoint(&path->endpoint, &params->endpoint) &&
	       path->endpoint.oif == params->endpoint.oif &&
	       path->n_labels == params->n_labels &&
	       !memcmp(path->labels, params->labels,
		       params->n_labels * LAYA_LABEL_SIZE);
}

/* A candidate is told again: whoever tells thinks that it works. */
static void path_probe_anew(struct laya_path *path)
{
	spin_lock_bh(&path->lock);
	if (path->state == LAYA_PATH_STATE_USABLE)
		path->probe.wanted = true;
	else if (path->state != LAYA_PATH_STATE_SUSPECT)
		laya_path_probe_start(path);
	spin_unlock_bh(&path->lock);
}

/**
 * laya_path_take_id - give a dialled path an id that was not used for long
 * @peer: Whose; its lock is held.
 * @path: The path.
 *
 * Ids ascend and skip 0, and none that is still there is taken.
 */
void laya_path_take_id(struct laya_peer *peer, struct laya_path *path)
{
	u16 id, top = peer->key_greater ? LAYA_PATH_ID_GREATER : 0;

	lockdep_assert_held(&peer->lock);

	do {
		peer->next_path_id = (peer->next_path_id + 1) & PATH_ID_MASK;
		id = peer->next_path_id | top;
	} while (!peer->next_path_id || laya_path_lookup(peer, id));
	WRITE_ONCE(path->id, id);
	WRITE_ONCE(path->heard, ktime_get_coarse_boottime_ns());
}

/**
 * laya_path_dial - dial a candidate of a peer
 * @peer: The peer; device->lock is held.
 * @params: The candidate.
 * @extack: Told why not.
 *
 * Return: The path, which may have been there already; ERR_PTR: -EINVAL, -ENOSPC
 * when there are too many, -ENOENT when the peer is being removed, -ENOMEM.
 */
struct laya_path *laya_path_dial(struct laya_peer *peer,
				 const struct laya_path_params *params,
				 struct netlink_ext_ack *extack)
{
	struct laya_path *path, *other, *evicted = NULL;
	int err;

	lockdep_assert_held(&peer->device->lock);

	err = path_check_params(params, extack);
	if (err)
		return ERR_PTR(err);
	path = laya_path_alloc(peer, GFP_KERNEL);
	if (!path)
		return ERR_PTR(-ENOMEM);
	path->kind = params->kind;
	path->endpoint = params->endpoint;
	path->n_labels = params->n_labels;
	memcpy(path->labels, params->labels, sizeof(path->labels));
	memcpy(path->forwarder, params->forwarder, sizeof(path->forwarder));
	laya_path_mtu_restart(path);

	spin_lock_bh(&peer->lock);
	if (peer->dead) {
		NL_SET_ERR_MSG(extack, "Peer is being removed");
		err = -ENOENT;
		goto err_unlock;
	}
	list_for_each_entry(other, &peer->paths, list) {
		if (!path_has_params(other, params))
			continue;
		spin_unlock_bh(&peer->lock);
		laya_path_discard(path);
		path_probe_anew(other);
		laya_peer_kick(peer, 0);
		return other;
	}
	if (path_count(peer, false) >= LAYA_MAX_DIALLED ||
	    peer->n_paths >= LAYA_MAX_PATHS) {
		evicted = laya_path_oldest_dead(peer, false);
		if (!evicted) {
			NL_SET_ERR_MSG(extack, "Peer has too many paths");
			err = -ENOSPC;
			goto err_unlock;
		}
		laya_path_unlink(peer, evicted);
	}
	laya_path_take_id(peer, path);
	laya_path_link(peer, path);
	peer->wanted_since = jiffies;
	spin_unlock_bh(&peer->lock);

	if (evicted)
		laya_path_put(evicted);
	laya_peer_kick(peer, 0);
	return path;

err_unlock:
	spin_unlock_bh(&peer->lock);
	laya_path_discard(path);
	return ERR_PTR(err);
}

/**
 * laya_path_remove - forget a path
 * @path: Under rcu_read_lock or device->lock; it may be out of the list already.
 */
void laya_path_remove(struct laya_path *path)
{
	struct laya_peer *peer = path->peer;
	bool removed;

	spin_lock_bh(&peer->lock);
	removed = laya_path_unlink(peer, path);
	spin_unlock_bh(&peer->lock);
	if (!removed)
		return;
	laya_peer_kick(peer, 0);
	laya_path_put(path);
}

/**
 * laya_path_remove_all - forget the paths of a peer
 * @peer: The peer.
 */
void laya_path_remove_all(struct laya_peer *peer)
{
	struct laya_path *path, *tmp;

	spin_lock_bh(&peer->lock);
	list_for_each_entry_safe(path, tmp, &peer->paths, list) {
		laya_path_unlink(peer, path);
		laya_path_put(path);
	}
	spin_unlock_bh(&peer->lock);
}

static void path_carrier_lost(struct laya_path *path, u32 carrier)
{
	spin_lock(&path->lock);
	if (path->challenge.endpoint.carrier == carrier)
		path->challenge.pending = false;
	if (path->endpoint.carrier == carrier) {
		laya_path_die(path, jiffies);
		path->lost = true;
		/* The next packet of a path that the peer dialled tells where it is */
		path->validated = false;
	}
	spin_unlock(&path->lock);
}

/**
 * laya_path_carrier_lost - a stream carrier is gone
 * @laya: The device; its lock is held.
 * @carrier: Id of the carrier, over which no packet comes any more.
 *
 * The paths over it are dead. Nobody waits for probes to find out.
 */
void laya_path_carrier_lost(struct laya_device *laya, u32 carrier)
{
	struct rhashtable_iter iter;
	struct laya_path *path;
	struct laya_peer *peer;

	lockdep_assert_held(&laya->lock);
	rhashtable_walk_enter(&laya->peers_by_key, &iter);
	rhashtable_walk_start(&iter);
	while ((peer = rhashtable_walk_next(&iter))) {
		if (IS_ERR(peer))
			continue;
		spin_lock_bh(&peer->lock);
		list_for_each_entry(path, &peer->paths, list)
			path_carrier_lost(path, carrier);
		spin_unlock_bh(&peer->lock);
		laya_peer_kick(peer, 0);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

static struct laya_path_rank path_rank(struct laya_path *path)
{
	struct laya_path_rank rank;

	spin_lock_bh(&path->lock);
	rank.state = path->state;
	rank.kind = path->kind;
	rank.stream = path->endpoint.carrier;
	rank.rtt_us = path->min_rtt_us;
	rank.loss_permille = path->loss_permille;
	rank.loss_packets = path->loss_packets;
	rank.goodput = path->goodput;
	rank.limited = path->limited;
	spin_unlock_bh(&path->lock);
	return rank;
}

static bool path_carries(const struct laya_path *path)
{
	u8 state = READ_ONCE(path->state);

	return READ_ONCE(path->returnable) &&
	       (state == LAYA_PATH_STATE_USABLE ||
		state == LAYA_PATH_STATE_SUSPECT);
}

/* The best of those whose kind is in @kinds. */
static struct laya_path *path_top(struct laya_peer *peer, u32 kinds,
				  struct laya_path_rank *rank)
{
	struct laya_path *path, *top = NULL;
	struct laya_path_rank other;

	list_for_each_entry_rcu(path, &peer->paths, list,
				lockdep_is_held(&peer->lock)) {
		if (!path_carries(path) || !(kinds & (1U << READ_ONCE(path->kind))))
			continue;
		other = path_rank(path);
		if (!top || laya_path_compare(&other, rank) > 0) {
			top = path;
			*rank = other;
		}
	}
	return top;
}

/**
 * laya_path_choose - choose the path in use anew
 * @peer: Its lock is held.
 *
 * Return: True when it is another one than before.
 */
bool laya_path_choose(struct laya_peer *peer)
{
	struct laya_path_rank top_rank, best_rank;
	struct laya_path *best, *top;

	lockdep_assert_held(&peer->lock);

	best = rcu_dereference_protected(peer->best,
					 lockdep_is_held(&peer->lock));
	top = path_top(peer, ~0U, &top_rank);
	if (top == best)
		return false;
	if (top && best && path_carries(best)) {
		best_rank = path_rank(best);
		if (!laya_path_better(&top_rank, &best_rank))
			return false;
	}
	rcu_assign_pointer(peer->best, top);
	return true;
}

/**
 * laya_path_rechoose - choose the path in use, and tell of a change
 * @peer: From its work.
 */
void laya_path_rechoose(struct laya_peer *peer)
{
	bool changed, usable, back = false;
	struct laya_path *path, *old;

	local_bh_disable();
	rcu_read_lock();
	spin_lock(&peer->lock);
	laya_path_choose(peer);
	path = rcu_dereference_protected(peer->best,
					 lockdep_is_held(&peer->lock));
	/* Not the one that was best: packets choose as well, when the peer moves. */
	old = laya_path_lookup(peer, peer->told_path);
	spin_unlock(&peer->lock);

	usable = path && READ_ONCE(path->state) == LAYA_PATH_STATE_USABLE;
	/* What was under way on a path that failed is lost. */
	if (usable && old && old != path &&
	    READ_ONCE(old->state) != LAYA_PATH_STATE_USABLE)
		back = true;
	if (usable && peer->impaired) {
		if (time_after(jiffies, peer->impaired +
					msecs_to_jiffies(PATH_OUTAGE_MS)))
			back = true;
		peer->impaired = 0;
	} else if (!usable && !peer->impaired) {
		peer->impaired = jiffies ?: 1;
	}

	changed = peer->told_path != (path ? path->id : 0);
	/*
	 * When there is none now, the event is about the one that was. That the
	 * only one has become suspect is told as well: to dial another takes time.
	 */
	if ((changed || usable != peer->told_usable) && (path || old))
		laya_netlink_path_changed(path ?: old);
	peer->told_usable = usable;
	if (changed) {
		peer->told_path = path ? path->id : 0;
		laya_dgram_path_changed(peer);
	}
	rcu_read_unlock();
	local_bh_enable();

	if (back)
		laya_stream_path_back(peer->device, &peer->orchid);
}

/**
 * laya_path_care - do what the paths of a peer need now
 * @peer: From its work.
 *
 * Return: Jiffies until it wants to run again; MAX_JIFFY_OFFSET is not at all.
 */
unsigned long laya_path_care(struct laya_peer *peer)
{
	unsigned long next = MAX_JIFFY_OFFSET, now = jiffies;
	bool sendable, shrunk = false;
	struct laya_path *path;

	local_bh_disable();
	rcu_read_lock();
	sendable = laya_session_to_send(peer);
	list_for_each_entry_rcu(path, &peer->paths, list) {
		bool gone = false;

		next = min(next, laya_path_tend(path, sendable, now, &gone));
		if (gone)
			laya_path_remove(path);
		if (unlikely(path->search.shrunk)) {
			path->search.shrunk = false;
			shrunk = true;
		}
	}
	rcu_read_unlock();
	local_bh_enable();

	laya_path_rechoose(peer);
	/* TCP has backed off while its full packets vanished. */
	if (shrunk)
		laya_stream_path_back(peer->device, &peer->orchid);
	return next;
}

/**
 * laya_path_session_up - there is a session, or a new one
 * @peer: Whose. Its work is to be kicked afterwards.
 */
void laya_path_session_up(struct laya_peer *peer)
{
	struct laya_path *path;

	rcu_read_lock();
	list_for_each_entry_rcu(path, &peer->paths, list) {
		spin_lock_bh(&path->lock);
		switch (path->state) {
		case LAYA_PATH_STATE_PROBING:
			laya_path_probe_start(path);
			break;
		case LAYA_PATH_STATE_DEAD:
			if (!path->answered && !path->lost)
				laya_path_probe_start(path);
			break;
		default:
			/* What was asked under the old one may never be answered. */
			path->probe.outstanding = false;
			path->probe.tries = 0;
			path->probe.first = jiffies;
			path->probe.wanted = true;
			break;
		}
		spin_unlock_bh(&path->lock);
	}
	rcu_read_unlock();
}

/* Data goes out on @path: silence from now on is a reason to ask. */
static void path_note_data(struct laya_path *path)
{
	unsigned long now = jiffies ?: 1, rx;
	unsigned long last = READ_ONCE(path->last_tx_data);

	if (last == now)
		return;
	WRITE_ONCE(path->last_tx_data, now);
	rx = READ_ONCE(path->last_rx);
	/* The first since something came, or since long ago. */
	if (!last || !time_after(last, rx) || time_after(now, last + HZ))
		laya_peer_kick(path->peer, msecs_to_jiffies(LAYA_PROBE_DATA_MS));
}

/**
 * laya_path_to_send - the path for a packet
 * @peer: To whom. Under rcu_read_lock.
 * @kinds: Mask of 1 << enum laya_path_kind that its socket allows.
 *
 * Return: The path, or NULL when there is none now.
 */
struct laya_path *laya_path_to_send(struct laya_peer *peer, u32 kinds)
{
	struct laya_path *path = rcu_dereference(peer->best);
	struct laya_path_rank rank;

	if (path && unlikely(!(kinds & (1U << READ_ONCE(path->kind)))))
		path = path_top(peer, kinds, &rank);
	if (path)
		path_note_data(path);
	return path;
}

/**
 * laya_path_any_hope - does it pay to wait for a path?
 * @peer: Whose. Under rcu_read_lock.
 *
 * Return: True when some path is not dead.
 */
bool laya_path_any_hope(struct laya_peer *peer)
{
	struct laya_path *path;

	list_for_each_entry_rcu(path, &peer->paths, list)
		if (READ_ONCE(path->state) != LAYA_PATH_STATE_DEAD)
			return true;
	return false;
}

/**
 * laya_path_any_usable - can some path carry data?
 * @peer: Whose. Under rcu_read_lock.
 *
 * Return: True when it is so.
 */
bool laya_path_any_usable(struct laya_peer *peer)
{
	return rcu_access_pointer(peer->best);
}

/**
 * laya_path_info - describe a path to userspace
 * @path: Under rcu_read_lock.
 * @info: Filled.
 */
void laya_path_info(const struct laya_path *path, struct laya_path_info *info)
{
	const struct laya_endpoint *endpoint = &path->endpoint;
	spinlock_t *lock = (spinlock_t *)&path->lock;

	memset(info, 0, sizeof(*info));
	spin_lock_bh(lock);
	info->kind = path->kind;
	info->carrier = endpoint->carrier ? endpoint->type :
					    LAYA_CARRIER_TYPE_UDP;
	info->path_id = path->id;
	info->answered = path->answered;
	info->labels = path->n_labels;
	info->mtu = path->mtu - path->n_labels * sizeof(struct laya_shim);
	info->rtt_us = path->srtt_us;
	info->rttvar_us = path->rttvar_us;
	info->remote_family = endpoint->remote.sa.sa_family;
	if (endpoint->remote.sa.sa_family == AF_INET) {
		info->remote_port = endpoint->remote.in.sin_port;
		memcpy(info->remote_addr, &endpoint->remote.in.sin_addr, 4);
	} else {
		info->remote_port = endpoint->remote.in6.sin6_port;
		memcpy(info->remote_addr, &endpoint->remote.in6.sin6_addr, 16);
	}
	spin_unlock_bh(lock);
}
