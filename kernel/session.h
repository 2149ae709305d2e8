/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_SESSION_H
#define _LAYA_SESSION_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/kref.h>
#include <linux/rhashtable.h>
#include <linux/workqueue.h>

#include "crypto.h"
#include "laya.h"
#include "replay.h"

/* Architecture, section 6. Tests lower them by module parameters. */
#define LAYA_REKEY_AFTER_SEC		120
#define LAYA_REKEY_AFTER_PACKETS	BIT_ULL(31)
#define LAYA_REJECT_AFTER_SEC		3600
#define LAYA_REJECT_AFTER_PACKETS	BIT_ULL(33)
#define LAYA_MAX_FAILURES		BIT_ULL(36)	/* AES-GCM, RFC 9001 6.6 */

/**
 * struct laya_session - one set of keys between two nodes
 * @peer: Its peer, on which it holds no reference; cleared never: RCU readers
 *	find a session only while it is published, and the peer outlives that
 *	by a grace period.
 * @by_index: In the module's table of receiver indices.
 * @rx_index: On packets to us; unique in the device's namespace.
 * @tx_index: On packets to the peer, network byte order.
 * @generation: Distinguishes the sessions of a peer: a replay window that was
 *	used with another generation is reset before use.
 * @cipher: enum laya_cipher.
 * @initiator: We began the handshake, so we begin the next.
 * @confirmed: The peer has shown that it has the keys.
 * @aging_told: layad has been told to rekey; atomic.
 * @ref: One reference while published in a slot; a sender in flight takes none,
 *	it holds RCU.
 * @created: Nanoseconds of boot time; suspend counts.
 * @tx_key: Seals.
 * @rx_key: Opens.
 * @rx_packets: Authenticated.
 * @failures: Failed to open.
 * @path_ids: Ids the peer has used, under peer->lock.
 * @tx_counter: The last counter used, whatever the path. All CPUs that seal write
 *	it, once for each run: what only those who open write, and what all
 *	only read, is in other cache lines.
 * @free: Frees it, keys wiped: after a grace period, where it may sleep.
 */
struct laya_session {
	struct laya_peer	*peer;
	struct rhash_head	by_index;
	u32			rx_index;
	__be32			tx_index;
	u32			generation;
	u8			cipher;
	bool			initiator;
	bool			confirmed;
	atomic_t		aging_told;
	struct kref		ref;
	u64			created;
	struct laya_key		tx_key;
	struct laya_key		rx_key;
	atomic64_t		rx_packets;
	atomic64_t		failures;
	struct laya_path_ids	path_ids;
	atomic64_t		tx_counter ____cacheline_aligned_in_smp;
	struct rcu_work		free;
};

/*
 * Care of peers and the wiping of keys run here. Made by laya_session_init, which
 * comes before any device; gone after laya_session_exit.
 */
extern struct workqueue_struct *laya_wq;

/**
 * struct laya_session_limits - how long and how much a session may be used
 * @rekey_ns: Age at which it should be replaced.
 * @reject_ns: Age at which it is gone.
 * @rekey_packets: Packets after which it should be replaced.
 * @reject_packets: Packets after which it is gone.
 */
struct laya_session_limits {
	u64	rekey_ns;
	u64	reject_ns;
	u64	rekey_packets;
	u64	reject_packets;
};

enum laya_session_verdict {
	LAYA_SESSION_FRESH,
	LAYA_SESSION_OLD,	/* usable, to be replaced */
	LAYA_SESSION_EXPIRED,
};

/* Pure: what a session of this age and use is. */
enum laya_session_verdict
laya_session_judge(const struct laya_session_limits *limits, u64 age_ns,
		   u64 packets);

int laya_session_init(void);
void laya_session_exit(void);
/*
 * Under device->lock. -EEXIST: index or key seen before; -EINVAL; -ENOMEM. An
 * initiator's goes to the current slot (the old one to previous); a responder's
 * to next, unless @confirmed.
 */
int laya_session_create(struct laya_peer *peer, u32 cipher, u32 rx_index,
			u32 tx_index, const u8 *rx_key, const u8 *tx_key,
			bool initiator, bool confirmed,
			struct netlink_ext_ack *extack);
/* Promote next to current; from an authenticated packet or from netlink. */
void laya_session_confirm(struct laya_session *session);
/* Unpublish and drop one session; no-op if it is in no slot any more. */
void laya_session_remove(struct laya_session *session);
void laya_session_remove_all(struct laya_peer *peer);
/* Under rcu_read_lock. Receiver indices are unique over the whole module. */
struct laya_session *laya_session_lookup(u32 rx_index);
/*
 * Under rcu_read_lock: the session to seal with, or NULL. Never one that is not
 * confirmed or beyond its limits; tells layad when it should be replaced.
 */
struct laya_session *laya_session_to_send(struct laya_peer *peer);
/*
 * Take @n counters; the first is returned, 0 when the hard limit is reached.
 */
u64 laya_session_take_counters(struct laya_session *session, unsigned int n);
bool laya_session_may_receive(struct laya_session *session);
/* Count a failed open; removes the session at the cap. */
void laya_session_failed(struct laya_session *session);
unsigned long laya_session_age_ms(const struct laya_session *session);
/* From the peer's work: expire sessions; jiffies until the next look. */
unsigned long laya_session_care(struct laya_peer *peer);
/* Under rcu_read_lock or peer->lock: @session is in one of its peer's slots. */
bool laya_session_is_live(const struct laya_session *session);
/* The same by generation. */
bool laya_session_generation_is_live(struct laya_peer *peer, u32 generation);

#endif /* _LAYA_SESSION_H */
