/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LAYA_PEER_H
#define _LAYA_PEER_H

#include <linux/kref.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "counts.h"
#include "fragment.h"
#include "laya.h"
#include "session.h"

#define LAYA_PEER_QUEUE_MAX	128	/* packets that wait for a session */
#define LAYA_PEER_USED_KEYS	192	/* remembered, against nonce reuse */
#define LAYA_PEER_USED_FIRST	24	/* room for so many at first; it doubles */
#define LAYA_PEER_WANTED_EVERY	(1 * HZ)	/* event while it stays wanted */
#define LAYA_PEER_WANTED_LIMIT	(10 * HZ)	/* then what waits has failed */
#define LAYA_PEER_ERROR_FRESH	(1 * HZ)	/* an error answers for so long */

/**
 * struct laya_peer - another node
 * @device: Ours; outlives the peer.
 * @ref: See "Lifetime and locking".
 * @rcu: Frees it.
 * @by_key: In device->peers_by_key.
 * @by_orchid: In device->peers_by_orchid.
 * @key: Its public key, never changes.
 * @orchid: The address of @key.
 * @local_key: Our public key as the peer knows it, never changes.
 * @key_greater: @local_key is greater than @key: the top bit of the ids of paths
 *	that we dial.
 * @flags: enum laya_peer_flags; READ_ONCE/WRITE_ONCE.
 * @lock: See laya.h.
 * @slots: Sessions by enum laya_session_slot - 1; RCU readers, @lock writers.
 * @paths: List of struct laya_path, RCU readers, @lock writers.
 * @n_paths: Its length.
 * @best: The path in use, one of @paths, or NULL. RCU readers, @lock writers.
 * @next_path_id: Low 15 bits of the id of the next path that we dial.
 * @queue: Packets (inner, plaintext) that wait for a session and path; @lock.
 * @failed: Packets that failed, whose senders @work has yet to tell; @lock.
 * @wanted_at: jiffies of the last peer-wanted event; 0 when nothing is wanted.
 * @wanted_since: jiffies since which the peer is wanted, or layad last did
 *	something about it.
 * @error_at: jiffies when @error was set.
 * @failed_error: Positive errno of @failed.
 * @error: Positive errno with which waiting packets fail; 0 while hopeful.
 * @failing: Positive errno that @work has yet to tell to sockets; @lock.
 * @used: siphash of keys and indices of sessions that this peer has had;
 *	device->lock.
 * @n_used: How many were ever added to @used, which is a ring once it has
 *	LAYA_PEER_USED_KEYS.
 * @used_room: How many @used has room for.
 * @generation: Of the newest session; device->lock.
 * @reassembly: Fragments.
 * @work: path care: probes, liveness, expiry; runs on the module's workqueue.
 * @no_path_since: jiffies since which there has been no usable path while
 *	streams are open; 0 when there is one. Of @work alone.
 * @impaired: jiffies since which the path in use is none or not usable; 0 when
 *	it is. Of @work alone.
 * @told_path: Id of the path that was last told to be in use; 0 is none. Of @work
 *	alone.
 * @told_usable: Whether that path was said to be usable. Of @work alone.
 * @dead: Not published in both tables yet, or no more: no session, path or
 *	packet is added.
 * @counts: Sealed packets sent to it, probes excluded, and packets of it that were
 *	authenticated; bytes without shims.
 * @last_rx: jiffies of the last authenticated packet; 0 is never.
 * @error_tokens: Token bucket of LAYA_INNER_ERROR.
 * @error_refill: jiffies when it was last filled.
 * @removing: In the list of laya_peer_remove_all; device->lock.
 *
 * Lifetime and locking
 *
 * Published by laya_peer_create in the two tables, which hold one reference
 * together; removed by laya_peer_remove under device->lock: it sets @dead under
 * @lock, takes the peer out of the tables, its sessions out of the index table,
 * purges queue and reassembly, kills @work, drops sessions and paths, and puts
 * the reference. Packets in flight hold the RCU read lock; a datagram socket
 * holds keys, not peers, and looks them up per message.
 */
struct laya_peer {
	struct laya_device		*device;
	struct kref			ref;
	struct rcu_head			rcu;
	struct rhash_head		by_key;
	struct rhash_head		by_orchid;
	u8				key[LAYA_KEY_SIZE];
	struct in6_addr			orchid;
	u8				local_key[LAYA_KEY_SIZE];
	bool				key_greater;
	u32				flags;
	spinlock_t			lock;	/* laya.h */
	struct laya_session __rcu	*slots[3];
	struct list_head		paths;
	unsigned int			n_paths;
	struct laya_path __rcu		*best;
	u16				next_path_id;
	struct sk_buff_head		queue;
	struct sk_buff_head		failed;
	unsigned long			wanted_at;
	unsigned long			wanted_since;
	unsigned long			error_at;
	int				failed_error;
	int				error;
	int				failing;
	u64				*used;
	unsigned int			n_used;
	unsigned int			used_room;
	u32				generation;
	struct laya_reassembly		reassembly;
	struct delayed_work		work;
	unsigned long			no_path_since;
	unsigned long			impaired;
	u16				told_path;
	bool				told_usable;
	bool				dead;
	struct pcpu_sw_netstats __percpu *counts;
	unsigned long			last_rx;
	atomic_t			error_tokens;
	unsigned long			error_refill;
	struct list_head		removing;
};

/* The two tables of a new device, and their end (empty by then). */
int laya_peer_tables_init(struct laya_device *laya);
void laya_peer_tables_destroy(struct laya_device *laya);
/* Under device->lock. ERR_PTR: -EEXIST (key or ORCHID), -EINVAL, -ENOMEM. */
struct laya_peer *laya_peer_create(struct laya_device *laya, const u8 *key,
				   const u8 *local_key, u32 flags,
				   struct netlink_ext_ack *extack);
void laya_peer_remove(struct laya_peer *peer);
void laya_peer_remove_all(struct laya_device *laya);
/* Under rcu_read_lock; the result is valid in that section. NULL: none. */
struct laya_peer *laya_peer_lookup_key(struct laya_device *laya, const u8 *key);
struct laya_peer *laya_peer_lookup_orchid(struct laya_device *laya,
					  const struct in6_addr *orchid);
/* False when the count is zero already. */
bool laya_peer_get(struct laya_peer *peer);
void laya_peer_put(struct laya_peer *peer);

/*
 * Keep @skb (an inner packet, consumed) until there is a session and a path, and
 * tell layad that the peer is wanted. -EHOSTUNREACH at once when there is no
 * layad, peer->error's negative while that is set and fresh. When the queue is
 * full the oldest goes, counted. Local TCP hears of a failure by ICMPv6 or abort,
 * from work. Under rcu_read_lock.
 */
int laya_peer_enqueue(struct laya_peer *peer, struct sk_buff *skb);
/* A session and a path are there: send what waited. */
void laya_peer_flush(struct laya_peer *peer);
/*
 * Nothing will come: fail what waited, and tell its sockets (positive errno).
 * Any context; sockets are told from work. 0 only takes an error back.
 */
void laya_peer_fail(struct laya_peer *peer, int error);
/* (Re)start path care after @delay jiffies at the latest. */
void laya_peer_kick(struct laya_peer *peer, unsigned long delay);

#endif /* _LAYA_PEER_H */
