/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_PATH_H
#define _LAYA_PATH_H

#include <linux/kref.h>
#include <net/dst_cache.h>

#include "laya.h"
#include "replay.h"

#define LAYA_MAX_PATHS		32	/* per peer, dialled and answered */
#define LAYA_MAX_DIALLED	16	/* candidates per peer */
#define LAYA_PROBE_TRIES	3	/* before a path that never answered is dead */
#define LAYA_PROBE_MAX_MS	300	/* longest wait with data outstanding */
#define LAYA_KEEPALIVE_MS	10000	/* idle; below the NATs' 15 s of networks.md */
#define LAYA_AMPLIFICATION	3	/* RFC 9000, 8.1 */
#define LAYA_PATH_BASE_MTU	1200	/* sealed UDP payload carried everywhere */

/**
 * struct laya_path_window - replay window of one session on one path
 * @generation: Of the session it belongs to; 0 is none.
 * @replay: The window.
 * @rx_packets: Authenticated under this session on this path.
 * @rx_bytes: Their bytes.
 */
struct laya_path_window {
	u32			generation;
	struct laya_replay	replay;
	u64			rx_packets;
	u64			rx_bytes;
};

/**
 * struct laya_path_rank - what paths are compared by; pure, see path_rank.c
 * @state: enum laya_path_state.
 * @kind: enum laya_path_kind.
 * @rtt_us: Smoothed round-trip time.
 * @loss_permille: Smoothed loss.
 * @goodput: Bytes a second delivered when it was busy; 0 is not known.
 */
struct laya_path_rank {
	u8	state;
	u8	kind;
	u32	rtt_us;
	u32	loss_permille;
	u64	goodput;
};

/**
 * struct laya_path - one way to a peer, carrying both directions
 * @peer: Its peer; the path is published only while the peer is.
 * @ref: One while in peer->paths.
 * @rcu: Frees it.
 * @list: In peer->paths.
 * @id: See struct laya_data_header.
 * @kind: enum laya_path_kind.
 * @answered: The peer dialled it.
 * @forwarder: Public key of the forwarder, all zero when there is none.
 * @lock: See laya.h; guards all below, save what is atomic or READ_ONCE.
 * @endpoint: Where packets go.
 * @labels: In front of our packets: those of the candidate when we dialled, the
 *	return labels when the peer did; the outer one first.
 * @n_labels: How many.
 * @returns: Return labels as we saw them on the peer's packets on a path that we
 *	dialled: put in the slots of our later probes, to validate the flow at
 *	the forwarder.
 * @n_returns: How many.
 * @state: enum laya_path_state.
 * @validated: The far end has answered at @endpoint, so no amplification limit.
 * @rx_unvalidated: Bytes received before that.
 * @tx_unvalidated: Bytes sent before that.
 * @challenge: A changed address of the far end, on probation: used when it
 *	answered a probe (RFC 9000, 9.3).
 * @highest: Counter of the packet that set @endpoint of an answered path; an
 *	address is taken only from a higher one.
 * @cache: Route.
 * @mtu: Largest UDP payload that it carries.
 * ...
 *
 * Lifetime and locking: laya_path_create publishes; laya_path_remove under
 * peer->lock unpublishes, moves peer->best, drops. Packets hold RCU.
 */
struct laya_path {
	struct laya_peer	*peer;
	struct kref		ref;
	struct rcu_head		rcu;
	struct list_head	list;
	u16			id;
	u8			kind;
	bool			answered;
	u8			forwarder[LAYA_KEY_SIZE];

	spinlock_t		lock;
	struct laya_endpoint	endpoint;
	u8			labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_labels;
	u8			returns[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_returns;

	u8			state;
	bool			validated;
	u32			rx_unvalidated;
	u32			tx_unvalidated;

	struct {
		bool			pending;
		struct laya_endpoint	endpoint;
		__be64			token;
		u8			tries;
		unsigned long		sent;
	} challenge;
	u64			highest;
	u32			highest_generation;

	/* the probe that is outstanding */
	struct {
		u32			seq;
		__be64			token;
		ktime_t			sent;
		unsigned long		sent_jiffies;
		u8			tries;
		bool			outstanding;
	} probe;
	u32			srtt_us;
	u32			rttvar_us;
	u32			loss_permille;
	u64			goodput;
	u64			peer_rx_packets;
	u64			peer_rx_bytes;
	ktime_t			peer_rx_at;

	struct laya_path_window	windows[3];
	struct dst_cache	cache;
	u16			mtu;
	bool			observed_valid;
	struct laya_probe_observed observed;

	unsigned long		last_tx;	/* jiffies; 0 is never */
	unsigned long		last_tx_data;
	unsigned long		last_rx;
	unsigned long		died;
	atomic64_t		tx_packets;
	atomic64_t		tx_bytes;
	atomic64_t		rx_packets;
	atomic64_t		rx_bytes;
};

/* What a netlink request asks to dial. */
struct laya_path_params {
	u8			kind;
	struct laya_endpoint	endpoint;
	u8			labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_labels;
	u8			forwarder[LAYA_KEY_SIZE];
};

/* Under device->lock. A candidate that has a path already is probed anew. */
struct laya_path *laya_path_dial(struct laya_peer *peer,
				 const struct laya_path_params *params,
				 struct netlink_ext_ack *extack);
void laya_path_remove(struct laya_path *path);
void laya_path_remove_all(struct laya_peer *peer);
/* Under rcu_read_lock. */
struct laya_path *laya_path_lookup(struct laya_peer *peer, u16 id);
/* The path for a packet whose socket allows @kinds (mask of 1 << kind). */
struct laya_path *laya_path_to_send(struct laya_peer *peer, u32 kinds);
/*
 * An authenticated packet: find its path, or found an answered one; check the
 * replay window; note address, return labels, counters. NULL and *@reason when
 * the packet must be dropped. Under rcu_read_lock, softirq.
 */
struct laya_path *laya_path_received(struct laya_session *session, u16 id,
				     u64 counter, unsigned int bytes,
				     const struct laya_shims *shims,
				     const struct laya_endpoint *from,
				     enum laya_drop *reason);
/* A probe (request, reply, keepalive) came in on @path. */
void laya_path_probe(struct laya_path *path, struct laya_session *session,
		     const struct laya_inner_probe *probe, unsigned int len,
		     const struct laya_endpoint *from);
/* Path care of a peer, from its work: returns jiffies until it wants to run. */
unsigned long laya_path_care(struct laya_peer *peer);
/* Choose peer->best anew; under peer->lock. True when it changed. */
bool laya_path_choose(struct laya_peer *peer);
/* Bytes of amplification allowance; false when @bytes would exceed it. */
bool laya_path_may_send(struct laya_path *path, unsigned int bytes);
void laya_path_info(const struct laya_path *path, struct laya_path_info *info);

/* Pure; path_rank.c. Positive when @a is better than @b, 0 when neither. */
int laya_path_compare(const struct laya_path_rank *a,
		      const struct laya_path_rank *b);
/* True when traffic should move from @from to @to: hysteresis included. */
bool laya_path_better(const struct laya_path_rank *to,
		      const struct laya_path_rank *from);

#endif /* _LAYA_PATH_H */
