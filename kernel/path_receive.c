// SPDX-License-Identifier: GPL-2.0
/*
 * What an authenticated packet says about its path: that it is no replay, where
 * the far side is, how to answer it, and, under a new id, that the far side dials.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/random.h>
#include <linux/string.h>

#include "path.h"
#include "peer.h"
#include "session.h"

#define PATH_ID_MASK	(LAYA_PATH_ID_GREATER - 1)

/*
 * Return labels as the far side's forwarders filled them in; the last one filled
 * is of the forwarder nearest to us, which is the first to see our answer.
 * -1: the packet does not tell; else how many there are.
 */
static int path_returns(const struct laya_shims *shims,
			u8 labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE])
{
	unsigned int i, n = shims->n_returns;

	memset(labels, 0, LAYA_MAX_LABELS * LAYA_LABEL_SIZE);
	if (!shims->n_labels && !n)
		return 0;
	if (n != shims->n_labels)
		return -1;
	for (i = 0; i < n; i++) {
		/* Not filled: the forwarder would not, and the way back is not known. */
		if (!memchr_inv(shims->returns[i], 0, LAYA_LABEL_SIZE))
			return -1;
		memcpy(labels[n - 1 - i], shims->returns[i], LAYA_LABEL_SIZE);
	}
	return n;
}

/* Under path->lock. */
static void path_set_source(struct laya_path *path,
			    const struct laya_endpoint *from,
			    u8 labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE],
			    int n_labels)
{
	write_seqcount_begin(&path->route);
	path->endpoint = *from;
	path->returnable = n_labels >= 0;
	path->n_labels = max(n_labels, 0);
	memcpy(path->labels, labels, sizeof(path->labels));
	/* Who has seen the new address sees this as well */
	path->validated = from->carrier;
	write_seqcount_end(&path->route);
	path->lost = false;
	laya_path_mtu_restart(path);
	dst_cache_reset(&path->cache);
}

/*
 * The peer dials a path of its own: the first authenticated packet under an id
 * that the session has not seen.
 */
static struct laya_path *path_answer(struct laya_session *session, u16 id,
				     const struct laya_shims *shims,
				     const struct laya_endpoint *from,
				     enum laya_drop *reason)
{
	u8 labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	struct laya_path *path, *evicted = NULL, *other;
	struct laya_peer *peer = session->peer;
	u16 top;

	*reason = LAYA_DROP_PATH_ID;
	top = peer->key_greater ? LAYA_PATH_ID_GREATER : 0;
	/* An id of ours that is not there: the path was dropped. */
	if (!(id & PATH_ID_MASK) || (id & LAYA_PATH_ID_GREATER) == top)
		return NULL;
	path = laya_path_alloc(peer, GFP_ATOMIC);
	if (!path) {
		*reason = LAYA_DROP_NO_MEMORY;
		return NULL;
	}
	path->id = id;
	path->answered = true;
	/* Until a probe tells how the dialler sees it. */
	path->kind = shims->n_labels ? LAYA_PATH_KIND_RELAY :
				       LAYA_PATH_KIND_DIRECT;
	spin_lock_bh(&path->lock);
	path_set_source(path, from, labels, path_returns(shims, labels));
	spin_unlock_bh(&path->lock);

	spin_lock_bh(&peer->lock);
	other = laya_path_lookup(peer, id);
	if (other) {
		/* Another CPU had the next packet. */
		spin_unlock_bh(&peer->lock);
		laya_path_discard(path);
		return other;
	}
	if (peer->dead || !laya_session_is_live(session) ||
	    !laya_path_ids_accept(&session->path_ids, id))
		goto err_unlock;
	if (peer->n_paths >= LAYA_MAX_PATHS) {
		evicted = laya_path_oldest_dead(peer, true);
		if (!evicted)
			goto err_unlock;
		laya_path_unlink(peer, evicted);
	}
	laya_path_link(peer, path);
	spin_unlock_bh(&peer->lock);

	if (evicted)
		laya_path_put(evicted);
	laya_peer_kick(peer, 0);
	return path;

err_unlock:
	spin_unlock_bh(&peer->lock);
	laya_path_discard(path);
	return NULL;
}

/*
 * The replay window of a session, under path->lock. A window is given to another
 * session only when its own is gone for good, and no session gets one when it is
 * gone: so no window is ever begun anew for packets that it has seen.
 */
static struct laya_path_window *path_window(struct laya_path *path,
					    const struct laya_session *session)
{
	struct laya_path_window *window;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path->windows); i++) {
		window = path->windows[i];
		if (window && window->generation == session->generation)
			return window;
	}
	return NULL;
}

/* A place for another window: a new one, or one whose session is gone. */
static struct laya_path_window *path_window_room(struct laya_path *path)
{
	struct laya_path_window **window;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(path->windows); i++) {
		window = &path->windows[i];
		if (!*window)
			*window = kmem_cache_alloc(laya_path_windows,
						   GFP_ATOMIC | __GFP_NOWARN);
		else if (laya_session_generation_is_live(path->peer,
							 (*window)->generation))
			continue;
		return *window;
	}
	return NULL;
}

/* 0; -ENOMEM; -ENOENT: the session is gone, or the path. */
static int path_window_begin(struct laya_path *path,
			     struct laya_session *session)
{
	struct laya_peer *peer = path->peer;
	struct laya_path_window *window;
	int err = -ENOENT;

	spin_lock_bh(&peer->lock);
	if (path->removed || !laya_session_is_live(session))
		goto out;
	/*
	 * That the path was there before the session first used it does not mean
	 * that it lives as long: the id is used up.
	 */
	if (path->answered)
		laya_path_ids_accept(&session->path_ids, path->id);
	spin_lock(&path->lock);
	window = path_window(path, session);
	err = 0;
	if (!window) {
		window = path_window_room(path);
		if (window) {
			memset(window, 0, sizeof(*window));
			laya_replay_init(&window->replay);
			window->generation = session->generation;
		} else {
			err = -ENOMEM;
		}
	}
	spin_unlock(&path->lock);
out:
	spin_unlock_bh(&peer->lock);
	return err;
}

/*
 * Where a packet of an answered path came from; it is newer than all before it.
 * True when the peer's work has something to do. Under path->lock.
 */
static bool path_note_source(struct laya_path *path,
			     const struct laya_shims *shims,
			     const struct laya_endpoint *from,
			     unsigned int bytes)
{
	struct laya_path_challenge *challenge = &path->challenge;
	u8 labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	int n_labels;

	n_labels = path_returns(shims, labels);
	if (laya_path_same_endpoint(&path->endpoint, from) &&
	    (n_labels < 0 ||
	     (path->returnable && n_labels == path->n_labels &&
	      !memcmp(labels, path->labels, sizeof(labels))))) {
		/* Back from where it was challenged, or never away. */
		challenge->pending = false;
		return false;
	}
	if (n_labels < 0)
		return false;
	if (!path->validated || !path->returnable) {
		/* Nobody was there before whom this could take it from. */
		path_set_source(path, from, labels, n_labels);
		path->rx_unvalidated = 0;
		path->tx_unvalidated = 0;
		path->probe.seq += LAYA_PROBE_RING;	/* of which none was asked here */
		laya_path_probe_start(path);
		return true;
	}
	if (challenge->pending &&
	    laya_path_same_endpoint(&challenge->endpoint, from) &&
	    challenge->n_labels == n_labels &&
	    !memcmp(challenge->labels, labels, sizeof(labels))) {
		challenge->allowance = min_t(u32, U16_MAX, challenge->allowance +
					     LAYA_AMPLIFICATION * bytes);
		return false;
	}
	/* A peer that hops back and forth is not followed at each hop. */
	if (challenge->tries &&
	    time_before(jiffies, challenge->sent +
				 msecs_to_jiffies(LAYA_PROBE_MAX_MS)))
		return false;
	challenge->pending = true;
	challenge->endpoint = *from;
	challenge->n_labels = n_labels;
	memcpy(challenge->labels, labels, sizeof(labels));
	challenge->tries = 0;
	challenge->seq += 0x100;	/* old answers are for the old address */
	challenge->allowance = LAYA_AMPLIFICATION * bytes;
	return true;
}

/* Return labels, as they stand before an answer: the nearest forwarder's first. */
static void path_note_returns(struct laya_path *path,
			      const struct laya_shims *shims)
{
	unsigned int i, n = shims->n_labels;

	if (!n || n != path->n_labels)
		return;
	for (i = 0; i < n; i++)
		memcpy(path->returns[n - 1 - i], shims->labels[i],
		       LAYA_LABEL_SIZE);
	path->n_returns = n;
}

/**
 * laya_path_received - an authenticated packet came in
 * @session: Under which it opened. Under rcu_read_lock, in softirq.
 * @id: Its path, host byte order.
 * @counter: Its counter.
 * @bytes: Its length, header and tag included.
 * @shims: What stood before it.
 * @from: Where it came from.
 * @reason: Set when it must be dropped.
 *
 * Finds its path or founds it, checks the replay window, notes where the packet
 * came from, and counts it for the path.
 *
 * Return: The path, or NULL when the packet must be dropped.
 */
struct laya_path *laya_path_received(struct laya_session *session, u16 id,
				     u64 counter, unsigned int bytes,
				     const struct laya_shims *shims,
				     const struct laya_endpoint *from,
				     enum laya_drop *reason)
{
	struct laya_peer *peer = session->peer;
	struct laya_path_window *window;
	struct laya_path *path;
	unsigned long now;
	bool kick = false;
	s32 ahead;

	if (counter > LAYA_REJECT_AFTER_PACKETS) {
		*reason = LAYA_DROP_SESSION_LIMIT;
		return NULL;
	}
	path = laya_path_lookup(peer, id);
	if (!path) {
		path = path_answer(session, id, shims, from, reason);
		if (!path)
			return NULL;
	}

	spin_lock(&path->lock);
	window = path_window(path, session);
	if (!window) {
		spin_unlock(&path->lock);
		if (path_window_begin(path, session) == -ENOMEM) {
			*reason = LAYA_DROP_NO_MEMORY;
			return NULL;
		}
		spin_lock(&path->lock);
		window = path_window(path, session);
	}
	if (!window) {
		*reason = LAYA_DROP_NO_SESSION;
		goto err_unlock;
	}
	if (!laya_replay_check(&window->replay, counter)) {
		*reason = LAYA_DROP_REPLAY;
		goto err_unlock;
	}
	window->rx_packets++;
	window->rx_bytes += bytes;

	now = jiffies ?: 1;
	if (path->last_rx != now) {
		WRITE_ONCE(path->last_rx, now);
		WRITE_ONCE(path->heard, ktime_get_coarse_boottime_ns());
	}
	ahead = session->generation - path->highest_generation;
	if (ahead > 0 || (!ahead && counter > path->highest)) {
		path->highest_generation = session->generation;
		path->highest = counter;
		if (path->answered)
			kick = path_note_source(path, shims, from, bytes);
		else
			path_note_returns(path, shims);
	}
	if (!path->validated)
		path->rx_unvalidated = min_t(u32, U16_MAX,
					     path->rx_unvalidated + bytes);
	if (path->state == LAYA_PATH_STATE_DEAD) {
		if (path->answered)
			laya_path_probe_start(path);
		kick |= !path->probe.wanted || path->answered;
		path->probe.wanted = true;
	}
	spin_unlock(&path->lock);

	laya_counts_rx(path->counts, 1, bytes);
	if (kick)
		laya_peer_kick(peer, 0);
	return path;

err_unlock:
	spin_unlock(&path->lock);
	return NULL;
}

/**
 * laya_path_counts - what has come in on a path under a session
 * @path: The path.
 * @session: The session.
 * @rx_packets: Authenticated packets.
 * @rx_bytes: Their bytes, header and tag included.
 */
void laya_path_counts(struct laya_path *path, const struct laya_session *session,
		      u64 *rx_packets, u64 *rx_bytes)
{
	struct laya_path_window *window;

	spin_lock_bh(&path->lock);
	window = path_window(path, session);
	*rx_packets = window ? window->rx_packets : 0;
	*rx_bytes = window ? window->rx_bytes : 0;
	spin_unlock_bh(&path->lock);
}
