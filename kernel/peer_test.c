// SPDX-License-Identifier: GPL-2.0
#include "addr.h"
#include "fixture_test.h"
#include "send.h"

static int peer_init(struct kunit *test)
{
	test->priv = fixture_device(test);
	return 0;
}

static void peer_exit(struct kunit *test)
{
	if (test->priv)
		fixture_free(test->priv);
}

static long create(struct kunit *test, const u8 *key)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer;

	mutex_lock(&laya->lock);
	peer = laya_peer_create(laya, key, NULL, 0, NULL);
	mutex_unlock(&laya->lock);
	return PTR_ERR_OR_ZERO(peer);
}

static struct sk_buff *packet(struct kunit *test, u8 kind, u8 number)
{
	struct sk_buff *skb = alloc_skb(LAYA_SEND_HEADROOM + 100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, LAYA_SEND_HEADROOM);
	skb_put_zero(skb, 60);
	skb->data[0] = kind;
	skb->data[LAYA_INNER_SIZE] = number;
	LAYA_SEND_CB(skb)->kinds = LAYA_KINDS_ANY;
	return skb;
}

static int enqueue(struct laya_peer *peer, struct sk_buff *skb)
{
	int err;

	rcu_read_lock();
	err = laya_peer_enqueue(peer, skb);
	rcu_read_unlock();
	return err;
}

static u64 dropped(struct laya_device *laya, enum laya_drop reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(laya->drops, cpu)->packets[reason];
	return sum;
}

static void create__lookup(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);
	u8 key[LAYA_KEY_SIZE];
	struct in6_addr orchid;

	fixture_key(key, 1);
	laya_addr_orchid(&orchid, key);
	KUNIT_EXPECT_PTR_EQ(test, peer, laya_peer_lookup_key(laya, key));
	KUNIT_EXPECT_PTR_EQ(test, peer, laya_peer_lookup_orchid(laya, &orchid));
	KUNIT_EXPECT_EQ(test, 1, laya->n_peers);
	/* Ours is number 100, which is greater. */
	KUNIT_EXPECT_TRUE(test, peer->key_greater);
	KUNIT_EXPECT_FALSE(test, fixture_peer(test, laya, 101)->key_greater);

	fixture_key(key, 2);
	laya_addr_orchid(&orchid, key);
	KUNIT_EXPECT_NULL(test, laya_peer_lookup_key(laya, key));
	KUNIT_EXPECT_NULL(test, laya_peer_lookup_orchid(laya, &orchid));
}

static void create__under_another_key(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	u8 key[LAYA_KEY_SIZE], local[LAYA_KEY_SIZE];
	struct laya_peer *peer;

	/* The device's is number 100: greater than 2, as 1 is not. */
	fixture_key(key, 2);
	fixture_key(local, 1);
	mutex_lock(&laya->lock);
	peer = laya_peer_create(laya, key, local, 0, NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(peer));
	KUNIT_EXPECT_FALSE(test, peer->key_greater);
	KUNIT_EXPECT_MEMEQ(test, local, peer->local_key, LAYA_KEY_SIZE);

	/* Not the peer's own, and a valid one. */
	fixture_key(key, 3);
	peer = laya_peer_create(laya, key, key, 0, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(peer));
	memset(local, 0xff, sizeof(local));
	peer = laya_peer_create(laya, key, local, 0, NULL);
	KUNIT_EXPECT_EQ(test, -EINVAL, PTR_ERR_OR_ZERO(peer));
	mutex_unlock(&laya->lock);
	KUNIT_EXPECT_EQ(test, 1, laya->n_peers);
}

static void create__refused(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	u8 key[LAYA_KEY_SIZE];

	fixture_peer(test, laya, 1);
	fixture_key(key, 1);
	KUNIT_EXPECT_EQ(test, -EEXIST, create(test, key));
	/* Our own. */
	fixture_key(key, 100);
	KUNIT_EXPECT_EQ(test, -EINVAL, create(test, key));
	/* Of low order; not canonical. */
	memset(key, 0, sizeof(key));
	KUNIT_EXPECT_EQ(test, -EINVAL, create(test, key));
	memset(key, 0xff, sizeof(key));
	KUNIT_EXPECT_EQ(test, -EINVAL, create(test, key));
	KUNIT_EXPECT_EQ(test, 1, laya->n_peers);

	fixture_key(key, 2);
	laya->dead = true;
	KUNIT_EXPECT_EQ(test, -ENODEV, create(test, key));
	laya->dead = false;
	memset(laya->public_key, 0, sizeof(laya->public_key));
	KUNIT_EXPECT_EQ(test, -EINVAL, create(test, key));
	fixture_key(laya->public_key, 100);
}

static void remove__and_back(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);
	u8 key[LAYA_KEY_SIZE];

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, 0xfee20000, true));
	laya->owner_portid = 1;
	KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test, LAYA_INNER_DGRAM, 1)));
	/* Held by somebody, it can be looked at after its end. */
	KUNIT_ASSERT_TRUE(test, laya_peer_get(peer));
	mutex_lock(&laya->lock);
	laya_peer_remove(peer);
	mutex_unlock(&laya->lock);

	fixture_key(key, 1);
	KUNIT_EXPECT_NULL(test, laya_peer_lookup_key(laya, key));
	KUNIT_EXPECT_EQ(test, 0, laya->n_peers);
	KUNIT_EXPECT_TRUE(test, peer->dead);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->queue));
	KUNIT_EXPECT_EQ(test, -EHOSTUNREACH,
			enqueue(peer, packet(test, LAYA_INNER_DGRAM, 2)));
	laya_peer_kick(peer, 0);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&peer->work));
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, laya_session_lookup(0xfee20000));
	rcu_read_unlock();
	laya_peer_put(peer);

	KUNIT_EXPECT_PTR_NE(test, NULL, (void *)fixture_peer(test, laya, 1));
}

static void enqueue__without_layad(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);

	KUNIT_EXPECT_EQ(test, -EHOSTUNREACH,
			enqueue(peer, packet(test, LAYA_INNER_DGRAM, 1)));
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->failed));
	/* TCP is told from work. */
	KUNIT_EXPECT_EQ(test, -EHOSTUNREACH,
			enqueue(peer, packet(test, LAYA_INNER_IPV6, 1)));
	KUNIT_EXPECT_EQ(test, 1, skb_queue_len(&peer->failed));
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&peer->work));
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->failed));
	KUNIT_EXPECT_EQ(test, 1ULL, dropped(laya, LAYA_DROP_NO_PATH));
}

static void enqueue__bounded(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);
	unsigned int i;

	laya->owner_portid = 1;
	for (i = 0; i < LAYA_PEER_QUEUE_MAX + 3; i++)
		KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test,
							      LAYA_INNER_DGRAM, i)));
	KUNIT_EXPECT_EQ(test, LAYA_PEER_QUEUE_MAX, skb_queue_len(&peer->queue));
	/* The oldest went. */
	KUNIT_EXPECT_EQ(test, 3, skb_peek(&peer->queue)->data[LAYA_INNER_SIZE]);
	KUNIT_EXPECT_EQ(test, 3ULL, dropped(laya, LAYA_DROP_QUEUE_FULL));
	KUNIT_EXPECT_NE(test, 0UL, peer->wanted_at);
}

static void fail__what_waits_and_what_comes(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);

	laya->owner_portid = 1;
	KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test, LAYA_INNER_DGRAM, 1)));
	laya_peer_fail(peer, ECONNREFUSED);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->queue));
	KUNIT_EXPECT_EQ(test, 0UL, peer->wanted_at);
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->failed));
	KUNIT_EXPECT_EQ(test, 0, peer->failing);

	/* While it is fresh it answers for the next ones, then it is asked anew. */
	KUNIT_EXPECT_EQ(test, -ECONNREFUSED,
			enqueue(peer, packet(test, LAYA_INNER_DGRAM, 2)));
	peer->error_at = jiffies - LAYA_PEER_ERROR_FRESH - 1;
	KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test, LAYA_INNER_DGRAM, 3)));

	laya_peer_fail(peer, EHOSTUNREACH);
	KUNIT_EXPECT_EQ(test, -EHOSTUNREACH,
			enqueue(peer, packet(test, LAYA_INNER_DGRAM, 4)));
	/* Taken back. */
	laya_peer_fail(peer, 0);
	KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test, LAYA_INNER_DGRAM, 5)));
}

static void wanted__gives_up(struct kunit *test)
{
	struct laya_device *laya = test->priv;
	struct laya_peer *peer = fixture_peer(test, laya, 1);

	laya->owner_portid = 1;
	KUNIT_EXPECT_EQ(test, 0, enqueue(peer, packet(test, LAYA_INNER_DGRAM, 1)));
	laya_peer_kick(peer, 0);
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_EQ(test, 1, skb_queue_len(&peer->queue));
	KUNIT_EXPECT_EQ(test, 0, peer->error);

	peer->wanted_since = jiffies - LAYA_PEER_WANTED_LIMIT;
	laya_peer_kick(peer, 0);
	flush_delayed_work(&peer->work);
	KUNIT_EXPECT_TRUE(test, skb_queue_empty(&peer->queue));
	KUNIT_EXPECT_EQ(test, EHOSTUNREACH, peer->error);
}

static struct kunit_case peer_cases[] = {
	KUNIT_CASE(create__lookup),
	KUNIT_CASE(create__under_another_key),
	KUNIT_CASE(create__refused),
	KUNIT_CASE(remove__and_back),
	KUNIT_CASE(enqueue__without_layad),
	KUNIT_CASE(enqueue__bounded),
	KUNIT_CASE(fail__what_waits_and_what_comes),
	KUNIT_CASE(wanted__gives_up),
	{}
};

static struct kunit_suite peer_suite = {
	.name = "laya_peer",
	.init = peer_init,
	.exit = peer_exit,
	.test_cases = peer_cases,
};

kunit_test_suite(peer_suite);
