// SPDX-License-Identifier: GPL-2.0
/*
 * Suspicion: what the silence of one path says of others, and what the far side's
 * moving says of ours.
 *
 * Paths to the same place fail together more often than not: the one that we
 * dialled and the one that the peer did lie over the same link or relay. And a peer
 * whose packets have begun to come another way has most likely found out before us
 * that the old one is dead. Suspicion costs a probe, and a round trip on the second
 * best path; waiting for each path's own probe to go unanswered costs an outage.
 */

#include <linux/jiffies.h>

#include "path.h"
#include "peer.h"

/* The peer's silence there, before what it sends elsewhere means a move. */
#define SUSPECT_SILENCE_MS	100
/* So long ago it was there for another reason. */
#define SUSPECT_FRESH_MS	2000

/**
 * laya_path_has_moved - has the peer moved?
 * @here: jiffies when its data last came the way that ours goes; 0 is never.
 * @elsewhere: jiffies when its data last came another way.
 *
 * Return: True when it did lately, and now does not. When the two sides always
 * preferred different paths, nothing ever came here.
 */
bool laya_path_has_moved(unsigned long here, unsigned long elsewhere)
{
	return here &&
	       time_after_eq(elsewhere,
			     here + msecs_to_jiffies(SUSPECT_SILENCE_MS)) &&
	       time_before(elsewhere, here + msecs_to_jiffies(SUSPECT_FRESH_MS));
}

/**
 * laya_path_doubt - something is wrong with the way to somewhere
 * @peer: Whose paths. Under rcu_read_lock with BH off.
 * @to: The far end of that way.
 * @since: jiffies; paths to there are suspect when nothing came after it.
 * @now: jiffies.
 *
 * All others are asked whether they would do: a peer that has forgotten a path does
 * not say so.
 */
void laya_path_doubt(struct laya_peer *peer, const struct laya_endpoint *to,
		     unsigned long since, unsigned long now)
{
	struct laya_path *path;
	bool same;

	list_for_each_entry_rcu(path, &peer->paths, list) {
		spin_lock(&path->lock);
		same = laya_path_same_remote(&path->endpoint, to);
		/* Once a move: the peer may just like the other way better. */
		if (same)
			WRITE_ONCE(path->last_rx_data, 0);
		if (path->state != LAYA_PATH_STATE_USABLE || !path->returnable)
			goto next;
		if (!same) {
			path->probe.wanted = true;
		} else if (!time_after(path->last_rx, since)) {
			WRITE_ONCE(path->state, LAYA_PATH_STATE_SUSPECT);
			if (!path->probe.outstanding) {
				path->probe.first = now;
				path->probe.tries = 0;
			}
		}
next:
		spin_unlock(&path->lock);
	}
}

/* When data last came the way that @to is; 0 when @from is that way as well. */
static unsigned long path_heard_data(struct laya_peer *peer,
				     const struct laya_endpoint *to,
				     const struct laya_path *from)
{
	struct laya_path *path;
	unsigned long at, last = 0;
	bool same;

	list_for_each_entry_rcu(path, &peer->paths, list) {
		spin_lock(&path->lock);
		same = laya_path_same_remote(&path->endpoint, to);
		spin_unlock(&path->lock);
		if (!same)
			continue;
		if (path == from)
			return 0;
		at = READ_ONCE(path->last_rx_data);
		if (at && (!last || time_after(at, last)))
			last = at;
	}
	return last;
}

/* Data comes on @path: send there too, and doubt the way to @to. */
static void path_follow(struct laya_path *path, const struct laya_endpoint *to,
			unsigned long now)
{
	struct laya_peer *peer = path->peer;

	laya_path_doubt(peer, to, now, now);
	/*
	 * Now, so that what acknowledges this packet goes there. And there, because
	 * of no other path is so much known: the care moves on when one is better.
	 */
	spin_lock(&peer->lock);
	if (!path->removed)
		rcu_assign_pointer(peer->best, path);
	spin_unlock(&peer->lock);
	laya_peer_kick(peer, 0);
}

/**
 * laya_path_data_came - a packet came in that is no probe
 * @path: On which. Under rcu_read_lock, in softirq.
 * @now: jiffies.
 */
void laya_path_data_came(struct laya_path *path, unsigned long now)
{
	struct laya_peer *peer = path->peer;
	struct laya_path_route route;
	struct laya_path *best;

	now = now ?: 1;
	if (READ_ONCE(path->last_rx_data) == now)
		return;
	WRITE_ONCE(path->last_rx_data, now);
	best = rcu_dereference(peer->best);
	if (!best || best == path ||
	    READ_ONCE(best->state) != LAYA_PATH_STATE_USABLE ||
	    READ_ONCE(path->state) != LAYA_PATH_STATE_USABLE ||
	    !READ_ONCE(path->returnable))
		return;
	laya_path_data_route(best, &route);
	if (laya_path_has_moved(path_heard_data(peer, &route.endpoint, path), now))
		path_follow(path, &route.endpoint, now);
}
