// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: the keys between two nodes, and for how long they may be used.
 *
 * A peer has three slots. Current is what we seal with; previous still opens what
 * is on its way; next is a responder's session of which the initiator has not
 * shown yet that it has the keys, so it opens only. The first packet that opens
 * under next makes it current.
 */

#include <crypto/algapi.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/timekeeping.h>

#include "device.h"
#include "netlink.h"
#include "path.h"
#include "peer.h"
#include "session.h"

static unsigned int rekey_after_sec = LAYA_REKEY_AFTER_SEC;
module_param(rekey_after_sec, uint, 0444);
MODULE_PARM_DESC(rekey_after_sec,
		 "Age at which a session should be replaced; only lower than the default, for tests");

static unsigned int reject_after_sec = LAYA_REJECT_AFTER_SEC;
module_param(reject_after_sec, uint, 0444);
MODULE_PARM_DESC(reject_after_sec,
		 "Age at which a session is gone; only lower than the default, for tests");

struct workqueue_struct *laya_wq;

static struct rhashtable laya_sessions;
static struct laya_session_limits laya_limits __ro_after_init;
static siphash_key_t laya_used_key;

static const struct rhashtable_params laya_sessions_params = {
	.key_len = sizeof_field(struct laya_session, rx_index),
	.key_offset = offsetof(struct laya_session, rx_index),
	.head_offset = offsetof(struct laya_session, by_index),
	.automatic_shrinking = true,
};

/* Where a slot is in peer->slots. */
#define SLOT(name)	(LAYA_SESSION_SLOT_##name - 1)

static struct laya_session *slot_get(struct laya_peer *peer, unsigned int slot)
{
	return rcu_dereference_protected(peer->slots[slot],
					 lockdep_is_held(&peer->lock));
}

/*
 * The first use of AES-GCM has modprobe fetch what it is made of, which may take
 * longer than a handshake may: it is had beforehand.
 */
static void session_warm_up(struct work_struct *work)
{
	static const u8 bytes[LAYA_AEAD_KEY_SIZE];
	struct laya_key key;

	if (!laya_crypto_set_key(&key, LAYA_CIPHER_AES_256_GCM, bytes))
		laya_crypto_clear_key(&key);
}

static DECLARE_WORK(laya_warm_up, session_warm_up);

/**
 * laya_session_init - make the table of receiver indices and the work queue
 *
 * Before any device is made.
 *
 * Return: 0, -ENOMEM.
 */
int laya_session_init(void)
{
	int err;

	laya_limits.rekey_ns = min(rekey_after_sec, LAYA_REKEY_AFTER_SEC) *
		(u64)NSEC_PER_SEC;
	laya_limits.reject_ns = min(reject_after_sec, LAYA_REJECT_AFTER_SEC) *
		(u64)NSEC_PER_SEC;
	laya_limits.rekey_packets = LAYA_REKEY_AFTER_PACKETS;
	laya_limits.reject_packets = LAYA_REJECT_AFTER_PACKETS;

	get_random_bytes(&laya_used_key, sizeof(laya_used_key));
	laya_wq = alloc_workqueue("laya", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!laya_wq)
		return -ENOMEM;
	err = rhashtable_init(&laya_sessions, &laya_sessions_params);
	if (err)
		goto err_wq;
	queue_work(laya_wq, &laya_warm_up);
	return 0;

err_wq:
	destroy_workqueue(laya_wq);
	return err;
}

/**
 * laya_session_exit - the end of the above
 *
 * After the last device has gone. What RCU still has to free is freed here.
 */
void laya_session_exit(void)
{
	/* queue_rcu_work queues from a callback; then the queue runs empty. */
	rcu_barrier();
	destroy_workqueue(laya_wq);
	rhashtable_destroy(&laya_sessions);
	memzero_explicit(&laya_used_key, sizeof(laya_used_key));
}

static void session_free(struct laya_session *session)
{
	laya_crypto_clear_key(&session->tx_key);
	laya_crypto_clear_key(&session->rx_key);
	kfree_sensitive(session);
}

static void session_free_work(struct work_struct *work)
{
	session_free(container_of(to_rcu_work(work), struct laya_session, free));
}

static void session_release(struct kref *ref)
{
	struct laya_session *session = container_of(ref, struct laya_session, ref);

	INIT_RCU_WORK(&session->free, session_free_work);
	queue_rcu_work(laya_wq, &session->free);
}

/* Out of its slot already. */
static void session_drop(struct laya_session *session)
{
	if (!session)
		return;
	rhashtable_remove_fast(&laya_sessions, &session->by_index,
			       laya_sessions_params);
	kref_put(&session->ref, session_release);
}

/**
 * laya_session_judge - may a session of this age and use be used?
 * @limits: What is allowed.
 * @age_ns: Its age.
 * @packets: Packets sealed under it.
 *
 * Return: enum laya_session_verdict.
 */
enum laya_session_verdict
laya_session_judge(const struct laya_session_limits *limits, u64 age_ns,
		   u64 packets)
{
	if (age_ns >= limits->reject_ns || packets >= limits->reject_packets)
		return LAYA_SESSION_EXPIRED;
	if (age_ns >= limits->rekey_ns || packets >= limits->rekey_packets)
		return LAYA_SESSION_OLD;
	return LAYA_SESSION_FRESH;
}

static u64 session_age_ns(const struct laya_session *session)
{
	return ktime_get_coarse_boottime_ns() - session->created;
}

static enum laya_session_verdict session_judge(const struct laya_session *session)
{
	return laya_session_judge(&laya_limits, session_age_ns(session),
				  atomic64_read(&session->tx_counter));
}

/**
 * laya_session_age_ms - how old a session is
 * @session: The session.
 *
 * Return: Its age in milliseconds; suspend counts.
 */
unsigned long laya_session_age_ms(const struct laya_session *session)
{
	return div_u64(session_age_ns(session), NSEC_PER_MSEC);
}

/*
 * What a peer has used is remembered as siphashes in a ring, a few entries for
 * each session: each key (in whichever direction) and the receiver index.
 */
static bool used_find(const struct laya_peer *peer, u64 hash)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, peer->n_used, LAYA_PEER_USED_KEYS); i++)
		if (peer->used[i] == hash)
			return true;
	return false;
}

/* Room for @n more: few peers ever need all of it. Under device->lock. */
static int used_grow(struct laya_peer *peer, unsigned int n)
{
	unsigned int room = peer->used_room;
	u64 *used;

	if (room == LAYA_PEER_USED_KEYS || peer->n_used + n <= room)
		return 0;
	room = room ? 2 * room : LAYA_PEER_USED_FIRST;
	used = krealloc_array(peer->used, room, sizeof(*used), GFP_KERNEL);
	if (!used)
		return -ENOMEM;
	peer->used = used;
	peer->used_room = room;
	return 0;
}

static void used_add(struct laya_peer *peer, u64 hash)
{
	peer->used[peer->n_used % peer->used_room] = hash;
	peer->n_used++;
	/* The ring stays full: no wrap of the count may empty it. */
	if (peer->n_used == 2 * LAYA_PEER_USED_KEYS)
		peer->n_used = LAYA_PEER_USED_KEYS;
}

/* Counters go by atomics; the peer's lock holders have them to themselves. */
static void session_tell_aging(struct laya_session *session, u32 reason)
{
	if (reason == LAYA_SESSION_AGING_REASON_REKEY &&
	    (atomic_read(&session->aging_told) ||
	     atomic_xchg(&session->aging_told, 1)))
		return;
	laya_netlink_session_aging(session, reason);
}

/* Put @session where it belongs. What falls out is in @out, for session_drop. */
static void session_publish(struct laya_peer *peer, struct laya_session *session,
			    struct laya_session *out[2])
{
	lockdep_assert_held(&peer->lock);

	if (!session->confirmed) {
		out[0] = slot_get(peer, SLOT(NEXT));
		rcu_assign_pointer(peer->slots[SLOT(NEXT)], session);
		return;
	}
	out[0] = slot_get(peer, SLOT(PREVIOUS));
	rcu_assign_pointer(peer->slots[SLOT(PREVIOUS)],
			   slot_get(peer, SLOT(CURRENT)));
	rcu_assign_pointer(peer->slots[SLOT(CURRENT)], session);
}

/**
 * laya_session_create - install the keys of a handshake
 * @peer: With whom; device->lock is held.
 * @cipher: enum laya_cipher.
 * @rx_index: Receiver index on packets to us.
 * @tx_index: Receiver index on packets to @peer.
 * @rx_key: LAYA_AEAD_KEY_SIZE bytes that open.
 * @tx_key: LAYA_AEAD_KEY_SIZE bytes that seal.
 * @initiator: We began the handshake: the session becomes current at once, since
 *	the answer has shown that @peer has the keys.
 * @confirmed: As a responder: @peer has shown that it has the keys.
 * @extack: Told why not.
 *
 * Return: 0; -EEXIST when an index or a key was seen before, for a counter that
 * starts anew under an old key would repeat nonces; -EINVAL, -ENOMEM, -ENOENT
 * (no such peer any more, or no such cipher in this kernel).
 */
int laya_session_create(struct laya_peer *peer, u32 cipher, u32 rx_index,
			u32 tx_index, const u8 *rx_key, const u8 *tx_key,
			bool initiator, bool confirmed,
			struct netlink_ext_ack *extack)
{
	struct laya_session *session, *out[2] = {};
	u64 used[3];
	unsigned int i;
	int err;

	lockdep_assert_held(&peer->device->lock);

	if (!rx_index || !tx_index) {
		NL_SET_ERR_MSG(extack, "A receiver index is never 0");
		return -EINVAL;
	}
	if (!crypto_memneq(rx_key, tx_key, LAYA_AEAD_KEY_SIZE)) {
		NL_SET_ERR_MSG(extack, "Both directions have the same key");
		return -EINVAL;
	}
	used[0] = siphash(tx_key, LAYA_AEAD_KEY_SIZE, &laya_used_key);
	used[1] = siphash(rx_key, LAYA_AEAD_KEY_SIZE, &laya_used_key);
	used[2] = siphash_1u32(rx_index, &laya_used_key);
	for (i = 0; i < ARRAY_SIZE(used); i++) {
		if (!used_find(peer, used[i]))
			continue;
		if (i == 2)
			NL_SET_ERR_MSG(extack,
				       "Receiver index was used with this peer before");
		else
			NL_SET_ERR_MSG(extack,
				       "Key was used with this peer before");
		return -EEXIST;
	}
	if (used_grow(peer, ARRAY_SIZE(used)))
		return -ENOMEM;

	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	kref_init(&session->ref);
	session->peer = peer;
	session->rx_index = rx_index;
	session->tx_index = cpu_to_be32(tx_index);
	session->cipher = cipher;
	session->created = ktime_get_coarse_boottime_ns();
	session->initiator = initiator;
	session->confirmed = initiator || confirmed;
	err = laya_crypto_set_key(&session->tx_key, cipher, tx_key);
	if (!err)
		err = laya_crypto_set_key(&session->rx_key, cipher, rx_key);
	if (err) {
		NL_SET_ERR_MSG(extack, "Cipher cannot be set up");
		goto err_free;
	}
	session->generation = ++peer->generation;

	err = rhashtable_lookup_insert_fast(&laya_sessions, &session->by_index,
					    laya_sessions_params);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG(extack, "Receiver index is in use");
		goto err_free;
	}

	spin_lock_bh(&peer->lock);
	if (peer->dead) {
		spin_unlock_bh(&peer->lock);
		NL_SET_ERR_MSG(extack, "Peer is being removed");
		err = -ENOENT;
		goto err_index;
	}
	for (i = 0; i < ARRAY_SIZE(used); i++)
		used_add(peer, used[i]);
	session_publish(peer, session, out);
	/* layad works for us: it has that long again. */
	peer->error = 0;
	peer->wanted_since = jiffies;
	spin_unlock_bh(&peer->lock);

	session_drop(out[0]);
	/*
	 * The initiator sends at once, on all paths: it is how the far side
	 * learns that it may, too.
	 */
	laya_path_session_up(peer);
	laya_peer_kick(peer, 0);
	return 0;

err_index:
	rhashtable_remove_fast(&laya_sessions, &session->by_index,
			       laya_sessions_params);
	/* A packet may have found it by its index. */
	kref_put(&session->ref, session_release);
	return err;
err_free:
	session_free(session);
	return err;
}

/**
 * laya_session_confirm - the far side has shown that it has the keys
 * @session: A packet opened under it, or netlink says so. Under rcu_read_lock or
 *	device->lock.
 */
void laya_session_confirm(struct laya_session *session)
{
	struct laya_peer *peer = session->peer;
	struct laya_session *out[2] = {};

	spin_lock_bh(&peer->lock);
	if (session->confirmed || slot_get(peer, SLOT(NEXT)) != session) {
		spin_unlock_bh(&peer->lock);
		return;
	}
	RCU_INIT_POINTER(peer->slots[SLOT(NEXT)], NULL);
	WRITE_ONCE(session->confirmed, true);
	session_publish(peer, session, out);
	spin_unlock_bh(&peer->lock);

	session_drop(out[0]);
	laya_path_session_up(peer);
	laya_peer_kick(peer, 0);
}

/**
 * laya_session_remove - unpublish and drop one session
 * @session: Under rcu_read_lock or device->lock; nothing happens when it is in no
 *	slot any more.
 */
void laya_session_remove(struct laya_session *session)
{
	struct laya_peer *peer = session->peer;
	bool found = false;
	unsigned int i;

	spin_lock_bh(&peer->lock);
	for (i = 0; i < ARRAY_SIZE(peer->slots); i++) {
		if (slot_get(peer, i) != session)
			continue;
		RCU_INIT_POINTER(peer->slots[i], NULL);
		found = true;
	}
	spin_unlock_bh(&peer->lock);
	if (found)
		session_drop(session);
}

/**
 * laya_session_remove_all - drop the sessions of a peer
 * @peer: The peer.
 */
void laya_session_remove_all(struct laya_peer *peer)
{
	struct laya_session *out[ARRAY_SIZE(peer->slots)];
	unsigned int i;

	spin_lock_bh(&peer->lock);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		out[i] = slot_get(peer, i);
		RCU_INIT_POINTER(peer->slots[i], NULL);
	}
	spin_unlock_bh(&peer->lock);
	for (i = 0; i < ARRAY_SIZE(out); i++)
		session_drop(out[i]);
}

/**
 * laya_session_lookup - the session of a packet that came in
 * @rx_index: Its receiver index.
 *
 * Return: The session, valid in this RCU section; NULL when there is none.
 */
struct laya_session *laya_session_lookup(u32 rx_index)
{
	return rhashtable_lookup(&laya_sessions, &rx_index, laya_sessions_params);
}

/**
 * laya_session_to_send - the session to seal with
 * @peer: To whom. Under rcu_read_lock.
 *
 * Return: A session that is confirmed and within its limits, or NULL.
 */
struct laya_session *laya_session_to_send(struct laya_peer *peer)
{
	struct laya_session *session;

	session = rcu_dereference(peer->slots[SLOT(CURRENT)]);
	if (!session)
		return NULL;
	switch (session_judge(session)) {
	case LAYA_SESSION_FRESH:
		break;
	case LAYA_SESSION_OLD:
		session_tell_aging(session, LAYA_SESSION_AGING_REASON_REKEY);
		break;
	case LAYA_SESSION_EXPIRED:
		laya_peer_kick(peer, 0);
		return NULL;
	}
	return session;
}

/**
 * laya_session_take_counters - numbers for packets that will be sealed
 * @session: From laya_session_to_send.
 * @n: How many.
 *
 * Return: The first of @n in a row that nobody else gets; 0 at the hard limit.
 */
u64 laya_session_take_counters(struct laya_session *session, unsigned int n)
{
	u64 last = atomic64_add_return(n, &session->tx_counter);

	if (unlikely(last > LAYA_REJECT_AFTER_PACKETS))
		return 0;
	return last - n + 1;
}

/**
 * laya_session_may_receive - may packets be opened under a session?
 * @session: From laya_session_lookup.
 *
 * Return: False beyond its limits.
 */
bool laya_session_may_receive(struct laya_session *session)
{
	return session_age_ns(session) < laya_limits.reject_ns &&
	       atomic64_read(&session->failures) < LAYA_MAX_FAILURES;
}

/**
 * laya_session_failed - a packet did not open
 * @session: Under which it claimed to be sealed. Under rcu_read_lock.
 *
 * At the cap the session goes: each failure was a guess at a forgery.
 */
void laya_session_failed(struct laya_session *session)
{
	if (atomic64_inc_return(&session->failures) != LAYA_MAX_FAILURES)
		return;
	session_tell_aging(session, LAYA_SESSION_AGING_REASON_FAILURES);
	laya_session_remove(session);
}

/**
 * laya_session_generation_is_live - is there such a session?
 * @peer: Whose. Under rcu_read_lock or its lock.
 * @generation: Which.
 *
 * Return: True when one of the slots has it.
 */
bool laya_session_generation_is_live(struct laya_peer *peer, u32 generation)
{
	struct laya_session *session;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(peer->slots); i++) {
		session = rcu_dereference_check(peer->slots[i],
						lockdep_is_held(&peer->lock));
		if (session && session->generation == generation)
			return true;
	}
	return false;
}

/**
 * laya_session_is_live - is a session still published?
 * @session: Under rcu_read_lock or peer->lock.
 *
 * Return: True when it is in one of its peer's slots.
 */
bool laya_session_is_live(const struct laya_session *session)
{
	return laya_session_generation_is_live(session->peer,
					       session->generation);
}

/**
 * laya_session_care - expire what is too old
 * @peer: Whose sessions; from its work, under rcu_read_lock.
 *
 * Return: Jiffies until a session of @peer next reaches a limit of age.
 */
unsigned long laya_session_care(struct laya_peer *peer)
{
	unsigned long next = MAX_JIFFY_OFFSET;
	struct laya_session *session;
	u64 age, limit;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(peer->slots); i++) {
		session = rcu_dereference(peer->slots[i]);
		if (!session)
			continue;
		limit = laya_limits.reject_ns;
		switch (session_judge(session)) {
		case LAYA_SESSION_EXPIRED:
			if (i == SLOT(CURRENT))
				session_tell_aging(session,
						   LAYA_SESSION_AGING_REASON_EXPIRED);
			laya_session_remove(session);
			continue;
		case LAYA_SESSION_OLD:
			if (i == SLOT(CURRENT))
				session_tell_aging(session,
						   LAYA_SESSION_AGING_REASON_REKEY);
			break;
		case LAYA_SESSION_FRESH:
			limit = laya_limits.rekey_ns;
			break;
		}
		age = session_age_ns(session);
		/* Some limit of packets, not of age, may be behind the verdict. */
		if (age < limit)
			next = min(next, nsecs_to_jiffies(limit - age) + 1);
	}
	return next;
}
