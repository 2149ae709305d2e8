// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets on a path go, and whether they may. Data asks at each run, on any
 * CPU, while others receive on the path: it takes no lock.
 */
#include <linux/jiffies.h>
#include <linux/string.h>

#include "path.h"

/**
 * laya_path_route - where a packet goes
 * @path: On which.
 * @challenge: To the address on probation, with its labels.
 * @route: Filled.
 *
 * Return: False when that is not known.
 */
bool laya_path_route(struct laya_path *path, bool challenge,
		     struct laya_path_route *route)
{
	bool known;

	memset(route, 0, sizeof(*route));
	spin_lock_bh(&path->lock);
	if (challenge) {
		known = path->challenge.pending;
		route->endpoint = path->challenge.endpoint;
		route->n_labels = path->challenge.n_labels;
		memcpy(route->labels, path->challenge.labels,
		       sizeof(route->labels));
	} else {
		known = path->returnable;
		route->endpoint = path->endpoint;
		route->n_labels = path->n_labels;
		memcpy(route->labels, path->labels, sizeof(route->labels));
	}
	/* Only the dialler's flow is what forwarders have to bind. */
	if (!path->answered) {
		route->n_slots = path->n_labels;
		route->n_returns = path->n_returns;
		memcpy(route->returns, path->returns, sizeof(route->returns));
	}
	spin_unlock_bh(&path->lock);
	return known;
}

/**
 * laya_path_data_route - where a packet with data goes
 * @path: On which.
 * @route: Endpoint and labels of it are filled.
 *
 * Return: False when that is not known.
 */
bool laya_path_data_route(const struct laya_path *path,
			  struct laya_path_route *route)
{
	unsigned int seq;
	bool known;

	do {
		seq = read_seqcount_begin(&path->route);
		known = path->returnable;
		route->endpoint = path->endpoint;
		route->n_labels = path->n_labels;
		memcpy(route->labels, path->labels, sizeof(route->labels));
	} while (read_seqcount_retry(&path->route, seq));
	return known;
}

/**
 * laya_path_may_send - may bytes be sent on a path?
 * @path: The path.
 * @bytes: UDP payload.
 *
 * Return: False when the far end has not earned them yet. Otherwise they are
 * counted as sent.
 */
bool laya_path_may_send(struct laya_path *path, unsigned int bytes)
{
	unsigned long now = jiffies ?: 1;
	struct laya_endpoint to;
	bool may = true;

	if (likely(READ_ONCE(path->validated)))
		goto out;
	spin_lock_bh(&path->lock);
	if (path->answered) {
		may = path->tx_unvalidated + bytes <=
			LAYA_AMPLIFICATION * path->rx_unvalidated;
		if (may)
			path->tx_unvalidated += bytes;
		spin_unlock_bh(&path->lock);
	} else {
		to = path->endpoint;
		spin_unlock_bh(&path->lock);
		may = laya_path_budget_take(&to, bytes);
	}
out:
	if (may && READ_ONCE(path->last_tx) != now)
		WRITE_ONCE(path->last_tx, now);
	return may;
}
