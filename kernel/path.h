/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_PATH_H
#define _LAYA_PATH_H

#include <linux/kref.h>
#include <linux/seqlock.h>
#include <linux/siphash.h>
#include <net/dst_cache.h>

#include "counts.h"
#include "drop.h"
#include "laya.h"
#include "replay.h"

#define LAYA_MAX_PATHS		32	/* per peer, dialled and answered */
#define LAYA_MAX_DIALLED	16	/* candidates per peer */
#define LAYA_PROBE_TRIES	3	/* before a path that never answered is dead */
#define LAYA_PROBE_MAX_MS	300	/* longest wait with data outstanding */
#define LAYA_KEEPALIVE_MS	10000	/* idle; below the NATs' 15 s of networks.md */
#define LAYA_AMPLIFICATION	3	/* RFC 9000, 8.1 */
#define LAYA_PATH_BASE_MTU	1200	/* sealed UDP payload carried by almost all */
#define LAYA_PATH_MIN_MTU	548	/* what every path carries: 576 of IPv4 */
#define LAYA_PATH_MAX_MTU	1436	/* a full packet of the device, and two labels */
#define LAYA_PROBE_RING		16	/* probes that may be under way */
#define LAYA_PROBE_MIN_MS	20	/* shortest patience with a probe */
#define LAYA_PROBE_DATA_MS	100	/* silence after data before a probe */
#define LAYA_PROBE_BUSY_MS	1000	/* between probes that measure */
#define LAYA_PROBE_DEAD_MS	3000	/* unanswered so long: dead */
#define LAYA_PATH_FORGET_MS	60000	/* a dead answered path */
#define LAYA_PATH_STALE_MS	45000	/* unheard of, it may be forgotten */
#define LAYA_PATH_BACKOFF_MS	20000	/* longest between probes of a dead one */

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
 * @stream: Over a stream carrier.
 * @rtt_us: Round-trip time without the queues of our own traffic.
 * @loss_permille: Smoothed loss.
 * @loss_packets: How many packets that tells of; 0 of none.
 * @goodput: Bytes a second delivered when it was busy; 0 is not known.
 * @limited: That was all it could: packets waited on the way.
 */
struct laya_path_rank {
	u8	state;
	u8	kind;
	bool	stream;
	bool	limited;
	u32	rtt_us;
	u32	loss_permille;
	u32	loss_packets;
	u64	goodput;
};

/**
 * struct laya_path_challenge - a changed address of the far end, on probation
 * @pending: It is.
 * @endpoint: The address.
 * @labels: Return labels that came with it.
 * @n_labels: How many.
 * @seq: Number of the last challenge sent; its token follows from it.
 * @tries: Challenges sent.
 * @sent: jiffies of the last.
 * @allowance: Bytes that may still be sent there (RFC 9000, 8.1).
 */
struct laya_path_challenge {
	bool			pending;
	struct laya_endpoint	endpoint;
	u8			labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_labels;
	u32			seq;
	u8			tries;
	unsigned long		sent;
	u32			allowance;
};

/**
 * struct laya_path_probes - probe requests of ours on a path
 * @key: The token of a request is the siphash of its number under this key, so
 *	none need be remembered, and none can be guessed.
 * @seq: Number of the last one.
 * @answered: Number of the last one that was answered.
 * @sent_at: When they were sent, by number modulo the size.
 * @tx_packets: Sealed packets sent on the path until then, likewise.
 * @sent: jiffies of the last.
 * @first: jiffies of the first of those unanswered in a row.
 * @tries: How many are unanswered in a row.
 * @unanswered: jiffies of the first of @tries, which @first is no more when the
 *	path has died.
 * @backoff_ms: Of a dead path.
 * @outstanding: The last one is unanswered.
 * @wanted: One is wanted now, whatever the timers say.
 */
struct laya_path_probes {
	siphash_key_t		key;
	u32			seq;
	u32			answered;
	ktime_t			sent_at[LAYA_PROBE_RING];
	u64			tx_packets[LAYA_PROBE_RING];
	unsigned long		sent;
	unsigned long		first;
	unsigned int		tries;
	unsigned long		unanswered;
	unsigned int		backoff_ms;
	bool			outstanding;
	bool			wanted;
};

/**
 * struct laya_path_delivery - what the far end told of our packets, last time
 * @generation: Session that the counts are of; 0 is none yet.
 * @tx_packets: Packets we had sent on the path when we asked.
 * @rx_packets: Packets the far end had authenticated.
 * @rx_bytes: Their bytes.
 * @at: When we were told.
 */
struct laya_path_delivery {
	u32	generation;
	u64	tx_packets;
	u64	rx_packets;
	u64	rx_bytes;
	ktime_t	at;
};

/**
 * struct laya_path_mtu - search for what a path carries (RFC 8899)
 * @size: UDP payload being tried; 0 is none.
 * @tries: Probes of that size that were sent.
 * @seq: Number of the last; its token follows from it.
 * @since: jiffies of the first.
 * @sent: jiffies of the last.
 * @next: jiffies when to try again, when none is being tried.
 * @began: jiffies when the search last began at the top.
 * @found: What it found; more than the path's MTU when a sender hit a limit.
 * @lost: Padded probes that were not answered, which are no loss of the path's.
 * @shrunk: The path carries less than it did; what was under way is lost.
 */
struct laya_path_mtu {
	u16		size;
	u8		tries;
	u32		seq;
	unsigned long	since;
	unsigned long	sent;
	unsigned long	next;
	unsigned long	began;
	u16		found;
	u64		lost;
	bool		shrunk;
};

/**
 * struct laya_path_route - where a packet on a path goes: a snapshot
 * @endpoint: The far end of the carrier.
 * @labels: In front of the packet, the outer one first.
 * @returns: Return labels that are known, for the slots of a probe.
 * @n_labels: How many.
 * @n_returns: How many are known.
 * @n_slots: Return slots that a probe request should have.
 */
struct laya_path_route {
	struct laya_endpoint	endpoint;
	u8			labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			returns[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_labels;
	u8			n_returns;
	u8			n_slots;
};

/**
 * struct laya_path - one way to a peer, carrying both directions
 * @peer: Its peer; the path is published only while the peer is.
 * @list: In peer->paths.
 * @id: See struct laya_data_header. A dialled path that was silent for so long
 *	that the far side may have forgotten it is dialled anew under another:
 *	READ_ONCE, written under peer->lock.
 * @kind: enum laya_path_kind.
 * @answered: The peer dialled it.
 * @route: Readers of @endpoint, @labels, @n_labels and @returnable retry while it
 *	changes; so who sends takes no lock, and writes nothing that others read.
 * @endpoint: Where packets go.
 * @labels: In front of our packets: those of the candidate when we dialled, the
 *	return labels when the peer did; the outer one first.
 * @n_labels: How many.
 * @returnable: We know how to send on it. False while packets came through a
 *	forwarder but none has brought the return labels yet.
 * @state: enum laya_path_state.
 * @validated: The far end has answered at @endpoint, or is where a stream carrier
 *	leads, so no amplification limit.
 * @removed: Out of peer->paths; under peer->lock.
 * @lost: Its stream carrier is gone: it never lives again, if we dialled it.
 * @mtu: Largest UDP payload that it carries, shims included; READ_ONCE.
 * @cache: Route.
 * @counts: Sealed packets sent, segment by segment, and authenticated packets
 *	received; bytes without shims.
 * @last_tx: jiffies of the last packet, of any kind; 0 is never; READ_ONCE.
 * @last_tx_data: The same of packets that are no probes.
 * @rx_unvalidated: Bytes received before it was validated.
 * @tx_unvalidated: Bytes sent before that.
 * @ref: One while in peer->paths.
 * @rcu: Frees it.
 * @forwarder: Public key of the forwarder, all zero when there is none.
 * @returns: Return labels as we saw them on the peer's packets on a path that we
 *	dialled: put in the slots of our later probes, to validate the flow at
 *	the forwarder.
 * @n_returns: How many.
 * @challenge: A changed address of the far end, on probation: used when it
 *	answered a probe (RFC 9000, 9.3).
 * @probe: Probes of ours, and how patient we are with them.
 * @delivery: What the far end has told of our packets.
 * @srtt_us: Smoothed round-trip time (RFC 6298); 0 is not known.
 * @rttvar_us: Its mean deviation.
 * @min_rtt_us: Least round-trip time of late: what paths are compared by.
 * @min_rtt_at: jiffies when it was set.
 * @loss_permille: Smoothed loss of our packets.
 * @loss_packets: How many packets that tells of; 0 of none.
 * @goodput: Bytes a second of ours that arrived when it was busy.
 * @limited: As in struct laya_path_rank.
 * @search: How @mtu is found out.
 * @observed_valid: @observed is set.
 * @observed: Our address as the far end of a path without labels saw it.
 * @died: jiffies when it became dead.
 * @lock: See laya.h; guards all, save what is atomic or READ_ONCE. From here on it
 *	is what each packet that comes in writes.
 * @highest_generation: Generation of the session of @highest.
 * @highest: Counter of the packet that set @endpoint of an answered path; an
 *	address is taken only from a higher one.
 * @windows: Replay windows, one for each session that lives and has sent on the
 *	path; NULL where there never was one.
 * @last_rx: jiffies of the last authenticated packet; 0 is never; READ_ONCE.
 * @last_rx_data: The same of packets that are no probes; 0 as well when the peer is
 *	known to have moved away since.
 * @heard: Nanoseconds of boot time when something last came, or @id was taken.
 *
 * Lifetime and locking: laya_path_link publishes; laya_path_remove under
 * peer->lock unpublishes, moves peer->best, drops. Packets hold RCU.
 */
struct laya_path {
	struct laya_peer	*peer;
	struct list_head	list;
	u16			id;
	u8			kind;
	bool			answered;

	seqcount_spinlock_t	route;
	struct laya_endpoint	endpoint;
	u8			labels[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_labels;
	bool			returnable;

	u8			state;
	bool			validated;
	bool			removed;
	bool			lost;
	u16			mtu;
	struct dst_cache	cache;
	struct pcpu_sw_netstats __percpu *counts;
	unsigned long		last_tx;	/* jiffies; 0 is never */
	unsigned long		last_tx_data;
	u32			rx_unvalidated;
	u32			tx_unvalidated;

	struct kref		ref;
	struct rcu_head		rcu;
	u8			forwarder[LAYA_KEY_SIZE];
	u8			returns[LAYA_MAX_LABELS][LAYA_LABEL_SIZE];
	u8			n_returns;
	struct laya_path_challenge challenge;

	struct laya_path_probes	probe;
	struct laya_path_delivery delivery;
	u32			srtt_us;
	u32			rttvar_us;
	u32			min_rtt_us;
	unsigned long		min_rtt_at;
	u32			loss_permille;
	u32			loss_packets;
	u64			goodput;
	bool			limited;

	struct laya_path_mtu	search;
	bool			observed_valid;
	struct laya_probe_observed observed;
	unsigned long		died;

	spinlock_t		lock ____cacheline_aligned_in_smp;	/* laya.h */
	u32			highest_generation;
	u64			highest;
	struct laya_path_window	*windows[3];
	unsigned long		last_rx;
	unsigned long		last_rx_data;
	u64			heard;
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
/* Under rcu_read_lock or peer->lock. */
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
/* Something else than a probe came in on @path: has the peer moved there? */
void laya_path_data_came(struct laya_path *path, unsigned long now);
/* A probe (request, reply, keepalive) came in on @path. */
void laya_path_probe(struct laya_path *path, struct laya_session *session,
		     const struct laya_inner_probe *probe, unsigned int len,
		     const struct laya_endpoint *from);
/* Path care of a peer, from its work: returns jiffies until it wants to run. */
unsigned long laya_path_care(struct laya_peer *peer);
/* Choose peer->best anew; under peer->lock. True when it changed. */
bool laya_path_choose(struct laya_peer *peer);
/* The same, with lock, and all that follows from a change; from peer->work. */
void laya_path_rechoose(struct laya_peer *peer);
/* Set out anew: a session is there. Dead and unanswered paths are probed. */
void laya_path_session_up(struct laya_peer *peer);
/*
 * Where a packet on @path goes; to the challenged address and with its labels
 * when @challenge (laya_send_probe with @to). False: it cannot be sent, the
 * return labels are not known or there is no challenge any more.
 */
bool laya_path_route(struct laya_path *path, bool challenge,
		     struct laya_path_route *route);
/* Where data goes: the same, without @returns and slots, and without a lock. */
bool laya_path_data_route(const struct laya_path *path,
			  struct laya_path_route *route);
/* A stream carrier is gone: its paths are dead. Under device->lock. */
void laya_path_carrier_lost(struct laya_device *laya, u32 carrier);
/* What a probe under @session tells: received on this path under it. */
void laya_path_counts(struct laya_path *path, const struct laya_session *session,
		      u64 *rx_packets, u64 *rx_bytes);
/* There is a path that is not dead: it pays to wait. Under rcu_read_lock. */
bool laya_path_any_hope(struct laya_peer *peer);
/* Some path can carry data. Under rcu_read_lock. */
bool laya_path_any_usable(struct laya_peer *peer);
/*
 * Ask before each packet, @bytes of UDP payload: the limit of RFC 9000, 8.1 on an
 * answered path that is not validated, the budget of unanswered bytes for a
 * destination on a dialled one.
 */
bool laya_path_may_send(struct laya_path *path, unsigned int bytes);
void laya_path_info(const struct laya_path *path, struct laya_path_info *info);

/* Pure; path_rank.c. Positive when @a is better than @b, 0 when neither. */
int laya_path_compare(const struct laya_path_rank *a,
		      const struct laya_path_rank *b);
/* True when traffic should move from @from to @to: hysteresis included. */
bool laya_path_better(const struct laya_path_rank *to,
		      const struct laya_path_rank *from);
/* A round-trip sample into the smoothed time and its deviation: RFC 6298. */
void laya_path_rtt_sample(u32 *srtt_us, u32 *rttvar_us, u32 sample_us);
/* How long to wait for the answer to a probe. */
unsigned int laya_path_patience_ms(u32 srtt_us, u32 rttvar_us);
/* @rx of @tx packets arrived: into the smoothed loss. */
u32 laya_path_loss_packets(u32 packets, u64 tx);
u32 laya_path_loss_sample(u32 loss_permille, u64 tx, u64 rx);
/* @rate bytes a second arrived; more of them would have had to wait if @queued. */
void laya_path_goodput_sample(u64 *goodput, bool *limited, u64 rate, bool queued);

int laya_path_init(void);
void laya_path_exit(void);

/* Within path*.c. */
extern struct kmem_cache *laya_path_windows;
struct laya_path *laya_path_alloc(struct laya_peer *peer, gfp_t gfp);
void laya_path_discard(struct laya_path *path);
void laya_path_put(struct laya_path *path);
void laya_path_link(struct laya_peer *peer, struct laya_path *path);
bool laya_path_unlink(struct laya_peer *peer, struct laya_path *path);
struct laya_path *laya_path_oldest_dead(struct laya_peer *peer, bool answered);
void laya_path_take_id(struct laya_peer *peer, struct laya_path *path);
void laya_path_probe_start(struct laya_path *path);
void laya_path_die(struct laya_path *path, unsigned long now);
unsigned long laya_path_tend(struct laya_path *path, bool sendable,
			     unsigned long now, bool *gone);
/* path_suspect.c */
void laya_path_doubt(struct laya_peer *peer, const struct laya_endpoint *to,
		     unsigned long since, unsigned long now);
/* Pure: data came here until lately, and now comes elsewhere. */
bool laya_path_has_moved(unsigned long here, unsigned long elsewhere);
/* path_mtu.c; all under path->lock. */
u16 laya_path_mtu_due(struct laya_path *path, unsigned long now,
		      unsigned long *next);
void laya_path_mtu_restart(struct laya_path *path);
void laya_path_mtu_refused(struct laya_path *path, u16 size);
bool laya_path_mtu_answered(struct laya_path *path, u32 seq, __be64 token);
__be64 laya_path_mtu_token(const struct laya_path *path, u32 seq);
/* Pure: the next size to try below @size; 0 when there is none. */
u16 laya_path_mtu_below(u16 size);
/* Two endpoints with the same far end. */
bool laya_path_same_remote(const struct laya_endpoint *a,
			   const struct laya_endpoint *b);
bool laya_path_same_endpoint(const struct laya_endpoint *a,
			     const struct laya_endpoint *b);
/* Unanswered bytes to a destination, over all peers. */
bool laya_path_budget_take(const struct laya_endpoint *to, unsigned int bytes);
void laya_path_budget_answered(const struct laya_endpoint *to);

#endif /* _LAYA_PATH_H */
