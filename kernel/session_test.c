// SPDX-License-Identifier: GPL-2.0
#include "fixture_test.h"

#define CURRENT		LAYA_SESSION_SLOT_CURRENT
#define PREVIOUS	LAYA_SESSION_SLOT_PREVIOUS
#define NEXT		LAYA_SESSION_SLOT_NEXT

/* Indices that no other test has, nor, likely, a program. */
#define INDEX		0xfee10000

static int session_init(struct kunit *test)
{
	struct laya_device *laya = fixture_device(test);

	test->priv = fixture_peer(test, laya, 1);
	return 0;
}

static void session_exit(struct kunit *test)
{
	struct laya_peer *peer = test->priv;

	if (peer)
		fixture_free(peer->device);
}

static struct laya_session *lookup(u32 index)
{
	struct laya_session *session;

	rcu_read_lock();
	session = laya_session_lookup(index);
	rcu_read_unlock();
	return session;
}

static struct laya_session *to_send(struct laya_peer *peer)
{
	struct laya_session *session;

	rcu_read_lock();
	session = laya_session_to_send(peer);
	rcu_read_unlock();
	return session;
}

static const struct laya_session_limits limits = {
	.rekey_ns	= 120 * NSEC_PER_SEC,
	.reject_ns	= 3600ULL * NSEC_PER_SEC,
	.rekey_packets	= LAYA_REKEY_AFTER_PACKETS,
	.reject_packets	= LAYA_REJECT_AFTER_PACKETS,
};

static void judge__age(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_FRESH, laya_session_judge(&limits, 0, 0));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_FRESH,
			laya_session_judge(&limits, limits.rekey_ns - 1, 0));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_OLD,
			laya_session_judge(&limits, limits.rekey_ns, 0));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_OLD,
			laya_session_judge(&limits, limits.reject_ns - 1, 0));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_EXPIRED,
			laya_session_judge(&limits, limits.reject_ns, 0));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_EXPIRED,
			laya_session_judge(&limits, U64_MAX, 0));
}

static void judge__packets(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_FRESH,
			laya_session_judge(&limits, 0, (1ULL << 31) - 1));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_OLD,
			laya_session_judge(&limits, 0, 1ULL << 31));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_OLD,
			laya_session_judge(&limits, 0, (1ULL << 33) - 1));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_EXPIRED,
			laya_session_judge(&limits, 0, 1ULL << 33));
	KUNIT_EXPECT_EQ(test, LAYA_SESSION_EXPIRED,
			laya_session_judge(&limits, 0, U64_MAX));
}

static void create__initiator_is_current(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_EXPECT_NULL(test, to_send(peer));
	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	session = lookup(INDEX);
	KUNIT_ASSERT_NOT_NULL(test, session);
	KUNIT_EXPECT_PTR_EQ(test, session, fixture_slot(peer, CURRENT));
	KUNIT_EXPECT_PTR_EQ(test, session, to_send(peer));
	KUNIT_EXPECT_PTR_EQ(test, peer, session->peer);
	KUNIT_EXPECT_TRUE(test, session->confirmed);
}

static void create__responder_waits_for_confirmation(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, false));
	session = lookup(INDEX);
	KUNIT_EXPECT_PTR_EQ(test, session, fixture_slot(peer, NEXT));
	KUNIT_EXPECT_NULL(test, fixture_slot(peer, CURRENT));
	KUNIT_EXPECT_NULL(test, to_send(peer));
	KUNIT_EXPECT_TRUE(test, laya_session_may_receive(session));

	laya_session_confirm(session);
	KUNIT_EXPECT_PTR_EQ(test, session, fixture_slot(peer, CURRENT));
	KUNIT_EXPECT_NULL(test, fixture_slot(peer, NEXT));
	KUNIT_EXPECT_PTR_EQ(test, session, to_send(peer));
	/* Once more changes nothing. */
	laya_session_confirm(session);
	KUNIT_EXPECT_PTR_EQ(test, session, fixture_slot(peer, CURRENT));
	KUNIT_EXPECT_NULL(test, fixture_slot(peer, PREVIOUS));
}

static void create__rotation(struct kunit *test)
{
	struct laya_peer *peer = test->priv;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX + 1, true));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX), fixture_slot(peer, PREVIOUS));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX + 1), fixture_slot(peer, CURRENT));

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX + 2, false));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX + 1), to_send(peer));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX), fixture_slot(peer, PREVIOUS));
	/* A newer one that waits takes the place of one that does. */
	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX + 3, false));
	KUNIT_EXPECT_NULL(test, lookup(INDEX + 2));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX + 3), fixture_slot(peer, NEXT));

	laya_session_confirm(lookup(INDEX + 3));
	KUNIT_EXPECT_NULL(test, lookup(INDEX));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX + 1), fixture_slot(peer, PREVIOUS));
	KUNIT_EXPECT_PTR_EQ(test, lookup(INDEX + 3), to_send(peer));
}

static void create__used_key_or_index(struct kunit *test)
{
	struct laya_peer *peer = test->priv, *other;
	u8 a[LAYA_AEAD_KEY_SIZE] = { 1, 2, 3 }, b[LAYA_AEAD_KEY_SIZE] = { 4 };
	u8 c[LAYA_AEAD_KEY_SIZE] = { 5 }, d[LAYA_AEAD_KEY_SIZE] = { 6 };
	const u32 cipher = LAYA_CIPHER_CHACHA20_POLY1305;

	other = fixture_peer(test, peer->device, 2);
	mutex_lock(&peer->device->lock);
#define CREATE(peer, index, rx_key, tx_key)				\
	laya_session_create(peer, cipher, index, 1, rx_key, tx_key,	\
			    true, false, NULL)
	KUNIT_EXPECT_EQ(test, 0, CREATE(peer, INDEX, a, b));
	/* The very same, pushed twice; then each part of it. */
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX, a, b));
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX, c, d));
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX + 1, a, d));
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX + 1, c, b));
	/* The wrong way round is the same key. */
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX + 1, b, c));
	/* The index is another peer's. */
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(other, INDEX, c, d));
	KUNIT_EXPECT_EQ(test, 0, CREATE(other, INDEX + 1, c, d));

	KUNIT_EXPECT_EQ(test, -EINVAL, CREATE(peer, INDEX + 2, d, d));
	KUNIT_EXPECT_EQ(test, -EINVAL, CREATE(peer, 0, c, d));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			laya_session_create(peer, 77, INDEX + 3, 1, c, d, true,
					    false, NULL));
	/* Gone, and still remembered. */
	laya_session_remove_all(peer);
	KUNIT_EXPECT_EQ(test, -EEXIST, CREATE(peer, INDEX, a, b));
	/* A refusal uses nothing up. */
	KUNIT_EXPECT_EQ(test, 0, CREATE(peer, INDEX + 3, c, d));
#undef CREATE
	mutex_unlock(&peer->device->lock);
}

static void create__memory_of_used_ones(struct kunit *test)
{
	unsigned int i, n = LAYA_PEER_USED_KEYS / 3;
	struct laya_peer *peer = test->priv;

	for (i = 0; i < 3 * n; i++)
		KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX + i, true));
	for (i = 2 * n; i < 3 * n; i++)
		KUNIT_EXPECT_EQ(test, -EEXIST,
				fixture_session(peer, INDEX + i, true));
}

static void take_counters__each_once(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	session = lookup(INDEX);
	KUNIT_EXPECT_EQ(test, 1ULL, laya_session_take_counters(session, 1));
	KUNIT_EXPECT_EQ(test, 2ULL, laya_session_take_counters(session, 45));
	KUNIT_EXPECT_EQ(test, 47ULL, laya_session_take_counters(session, 1));

	atomic64_set(&session->tx_counter, LAYA_REJECT_AFTER_PACKETS - 2);
	KUNIT_EXPECT_EQ(test, LAYA_REJECT_AFTER_PACKETS - 1,
			laya_session_take_counters(session, 2));
	KUNIT_EXPECT_EQ(test, 0ULL, laya_session_take_counters(session, 1));
	atomic64_set(&session->tx_counter, LAYA_REJECT_AFTER_PACKETS - 2);
	KUNIT_EXPECT_EQ(test, 0ULL, laya_session_take_counters(session, 3));
}

static void to_send__limits(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	session = lookup(INDEX);
	KUNIT_EXPECT_PTR_EQ(test, session, to_send(peer));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&session->aging_told));

	atomic64_set(&session->tx_counter, LAYA_REKEY_AFTER_PACKETS);
	KUNIT_EXPECT_PTR_EQ(test, session, to_send(peer));
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&session->aging_told));
	/* Nothing is sent at the hard limit, and it is cleared away. */
	atomic64_set(&session->tx_counter, LAYA_REJECT_AFTER_PACKETS);
	KUNIT_EXPECT_NULL(test, to_send(peer));
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_NULL(test, lookup(INDEX));
	KUNIT_EXPECT_NULL(test, fixture_slot(peer, CURRENT));
}

static void may_receive__age(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, false));
	session = lookup(INDEX);
	KUNIT_EXPECT_TRUE(test, laya_session_may_receive(session));
	KUNIT_EXPECT_LT(test, laya_session_age_ms(session), 60000UL);
	session->created -= LAYA_REJECT_AFTER_SEC * (u64)NSEC_PER_SEC;
	KUNIT_EXPECT_FALSE(test, laya_session_may_receive(session));
	KUNIT_EXPECT_GE(test, laya_session_age_ms(session),
			LAYA_REJECT_AFTER_SEC * MSEC_PER_SEC);
	/* Its own work finds that out, too. */
	laya_peer_kick(peer, 0);
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_NULL(test, lookup(INDEX));
}

static void failed__cap(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	session = lookup(INDEX);
	rcu_read_lock();
	laya_session_failed(session);
	KUNIT_EXPECT_PTR_EQ(test, session, lookup(INDEX));
	atomic64_set(&session->failures, LAYA_MAX_FAILURES - 1);
	laya_session_failed(session);
	KUNIT_EXPECT_NULL(test, lookup(INDEX));
	KUNIT_EXPECT_FALSE(test, laya_session_may_receive(session));
	rcu_read_unlock();
}

static void remove__twice(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_session *session;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX, true));
	rcu_read_lock();
	session = laya_session_lookup(INDEX);
	KUNIT_EXPECT_TRUE(test, laya_session_is_live(session));
	laya_session_remove(session);
	KUNIT_EXPECT_FALSE(test, laya_session_is_live(session));
	laya_session_remove(session);
	rcu_read_unlock();
	KUNIT_EXPECT_NULL(test, to_send(peer));
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(judge__age),
	KUNIT_CASE(judge__packets),
	KUNIT_CASE(create__initiator_is_current),
	KUNIT_CASE(create__responder_waits_for_confirmation),
	KUNIT_CASE(create__rotation),
	KUNIT_CASE(create__used_key_or_index),
	KUNIT_CASE(create__memory_of_used_ones),
	KUNIT_CASE(take_counters__each_once),
	KUNIT_CASE(to_send__limits),
	KUNIT_CASE(may_receive__age),
	KUNIT_CASE(failed__cap),
	KUNIT_CASE(remove__twice),
	{}
};

static struct kunit_suite session_suite = {
	.name = "laya_session",
	.init = session_init,
	.exit = session_exit,
	.test_cases = session_cases,
};

kunit_test_suite(session_suite);
