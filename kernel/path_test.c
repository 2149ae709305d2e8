// SPDX-License-Identifier: GPL-2.0
#include <linux/siphash.h>

#include "fixture_test.h"

/* Indices that no other test has, nor, likely, a program. */
#define INDEX	0xfee30000

/* Our key is the greater: the far side dials without the top bit. */
#define THEIRS	5
#define OURS	(LAYA_PATH_ID_GREATER | THEIRS)

static const struct laya_shims no_shims;

static int path_init(struct kunit *test)
{
	struct laya_device *laya = fixture_device(test);

	test->priv = fixture_peer(test, laya, 1);
	return 0;
}

static void path_exit(struct kunit *test)
{
	struct laya_peer *peer = test->priv;

	if (peer)
		fixture_free(peer->device);
}

/*
 * A responder's session that nobody has confirmed: packets may come, but nothing
 * can be sent, so that the peer's work does not probe while a test looks on.
 */
static struct laya_session *session(struct kunit *test, unsigned int number)
{
	struct laya_peer *peer = test->priv;

	KUNIT_ASSERT_EQ(test, 0, fixture_session(peer, INDEX + number, false));
	return fixture_slot(peer, LAYA_SESSION_SLOT_NEXT);
}

/* A test address, 192.0.2.@host. */
#define at(host, port)						\
	((struct laya_endpoint) {				\
		.remote.in = {					\
			.sin_family	= AF_INET,		\
			.sin_addr	= { htonl(0xc0000200 | (host)) }, \
			.sin_port	= htons(port),		\
		},						\
	})

static struct laya_path *dial_params(struct kunit *test,
				     const struct laya_path_params *params)
{
	struct laya_peer *peer = test->priv;
	struct laya_path *path;

	mutex_lock(&peer->device->lock);
	path = laya_path_dial(peer, params, NULL);
	mutex_unlock(&peer->device->lock);
	return path;
}

static struct laya_path *dial(struct kunit *test, u8 host)
{
	struct laya_path_params params = {
		.kind		= LAYA_PATH_KIND_DIRECT,
		.endpoint	= at(host, 1000),
	};

	return dial_params(test, &params);
}

static struct laya_path *receive(struct laya_session *session, u16 id,
				 u64 counter, const struct laya_shims *shims,
				 const struct laya_endpoint *from,
				 enum laya_drop *reason)
{
	struct laya_path *path;

	local_bh_disable();
	rcu_read_lock();
	path = laya_path_received(session, id, counter, 100, shims, from, reason);
	rcu_read_unlock();
	local_bh_enable();
	return path;
}

static enum laya_drop refused(struct laya_session *session, u16 id, u64 counter)
{
	enum laya_drop reason = LAYA_DROP_COUNT;
	struct laya_endpoint from = at(1, 1);

	if (receive(session, id, counter, &no_shims, &from, &reason))
		return LAYA_DROP_COUNT;
	return reason;
}

/* The far side answers request @seq of ours. */
static void answer(struct laya_path *path, struct laya_session *session, u32 seq,
		   bool challenge, const struct laya_endpoint *from)
{
	struct {
		struct laya_inner_probe		probe;
		struct laya_probe_observed	observed;
	} __packed reply = {
		.probe.kind	= LAYA_INNER_PROBE,
		.probe.type	= LAYA_PROBE_REPLY,
		.probe.seq	= cpu_to_be32(seq),
		.probe.token	= (__force __be64)siphash_2u32(seq, challenge,
							       &path->probe.key),
		.observed	= { .family = 4, .port = htons(77) },
	};

	local_bh_disable();
	rcu_read_lock();
	laya_path_probe(path, session, &reply.probe, sizeof(reply), from);
	rcu_read_unlock();
	local_bh_enable();
}

/* Care at @now; there is no carrier, so that no probe goes anywhere. */
static unsigned long tend(struct laya_path *path, unsigned long now, bool *gone)
{
	unsigned long next;
	bool ignored;

	local_bh_disable();
	rcu_read_lock();
	next = laya_path_tend(path, true, now, gone ?: &ignored);
	rcu_read_unlock();
	local_bh_enable();
	return next;
}

static unsigned long ms(unsigned int ms)
{
	return msecs_to_jiffies(ms);
}

/* dial */

static void dial__ids(struct kunit *test)
{
	struct laya_peer *peer = test->priv;
	struct laya_path *a, *b;

	peer->next_path_id = 0x7ffe;
	a = dial(test, 1);
	b = dial(test, 2);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a) || IS_ERR(b));
	/* Ours have the top bit, and 0 is skipped. */
	KUNIT_EXPECT_EQ(test, 0xffff, a->id);
	KUNIT_EXPECT_EQ(test, 0x8001, b->id);
	KUNIT_EXPECT_PTR_EQ(test, b, laya_path_lookup(peer, 0x8001));
	KUNIT_EXPECT_NULL(test, laya_path_lookup(peer, 1));
	/* Those that are still there are skipped too. */
	peer->next_path_id = 0;
	KUNIT_EXPECT_EQ(test, 0x8002, dial(test, 3)->id);
}

static void dial__again_is_the_same(struct kunit *test)
{
	struct laya_path_params params = {
		.kind		= LAYA_PATH_KIND_RELAY,
		.endpoint	= at(1, 1000),
		.n_labels	= 1,
		.labels		= { { 1, 2, 3, 4, 5, 6 } },
	};
	struct laya_peer *peer = test->priv;
	struct laya_path *path = dial_params(test, &params);

	KUNIT_ASSERT_FALSE(test, IS_ERR(path));
	path->state = LAYA_PATH_STATE_DEAD;
	KUNIT_EXPECT_PTR_EQ(test, path, dial_params(test, &params));
	/* And gets another chance. */
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_PROBING, path->state);
	KUNIT_EXPECT_EQ(test, 1, peer->n_paths);
	/* Other label, other port, no label: other candidates. */
	params.labels[0][0]++;
	KUNIT_EXPECT_PTR_NE(test, path, dial_params(test, &params));
	params.endpoint = at(1, 1001);
	KUNIT_EXPECT_PTR_NE(test, path, dial_params(test, &params));
	KUNIT_EXPECT_PTR_NE(test, path, dial(test, 1));
	KUNIT_EXPECT_EQ(test, 4, peer->n_paths);
}

static void dial__bad_candidates(struct kunit *test)
{
	struct laya_path_params good = {
		.kind		= LAYA_PATH_KIND_DIRECT,
		.endpoint	= at(1, 1000),
	}, bad;

#define BAD(change)	do {						\
		bad = good;						\
		change;							\
		KUNIT_EXPECT_EQ(test, -EINVAL,				\
				PTR_ERR(dial_params(test, &bad)));	\
	} while (0)
	BAD(bad.kind = 0);
	BAD(bad.kind = LAYA_PATH_KIND_RELAY + 1);
	BAD(bad.n_labels = 3);
	BAD(bad.endpoint.remote.sa.sa_family = AF_UNIX);
	BAD(bad.endpoint.remote.in.sin_port = 0);
	BAD(bad.endpoint.remote.in.sin_addr.s_addr = 0);
	BAD(bad.endpoint.remote.in.sin_addr.s_addr = htonl(INADDR_BROADCAST));
	BAD(bad.endpoint.remote.in.sin_addr.s_addr = htonl(0xe0000001));
	good.endpoint.remote.in6 = (struct sockaddr_in6) {
		.sin6_family	= AF_INET6,
		.sin6_port	= htons(1),
		.sin6_addr	= in6addr_any,
	};
	BAD();
	BAD(bad.endpoint.remote.in6.sin6_addr = in6addr_linklocal_allnodes);
	BAD(bad.endpoint.remote.in6.sin6_addr.s6_addr32[0] = htonl(0x20010025));
	BAD(ipv6_addr_set_v4mapped(htonl(0xc0000201),
				   &bad.endpoint.remote.in6.sin6_addr));
#undef BAD
	good.endpoint.remote.in6.sin6_addr.s6_addr32[0] = htonl(0x20010db8);
	KUNIT_EXPECT_FALSE(test, IS_ERR(dial_params(test, &good)));
}

static void dial__limit(struct kunit *test)
{
	struct laya_path *path = NULL, *dead;
	unsigned int i;
	u16 id;

	for (i = 0; i < LAYA_MAX_DIALLED; i++) {
		path = dial(test, i + 1);
		KUNIT_ASSERT_FALSE(test, IS_ERR(path));
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR(dial(test, 100)));
	/* A dead one makes room. */
	dead = path;
	id = dead->id;
	rcu_read_lock();
	dead->died = jiffies;
	WRITE_ONCE(dead->state, LAYA_PATH_STATE_DEAD);
	rcu_read_unlock();
	KUNIT_EXPECT_FALSE(test, IS_ERR(dial(test, 100)));
	KUNIT_EXPECT_NULL(test, laya_path_lookup(test->priv, id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, PTR_ERR(dial(test, 101)));
}

/* received */

static void received__founds(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(9, 900);
	struct laya_peer *peer = test->priv;
	struct rtnl_link_stats64 sum;
	struct laya_path *path;
	enum laya_drop reason;

	path = receive(next, THEIRS, 1, &no_shims, &from, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	KUNIT_EXPECT_TRUE(test, path->answered);
	KUNIT_EXPECT_EQ(test, THEIRS, path->id);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_PROBING, path->state);
	KUNIT_EXPECT_FALSE(test, path->validated);
	KUNIT_EXPECT_TRUE(test, laya_path_same_endpoint(&path->endpoint, &from));
	KUNIT_EXPECT_EQ(test, 1, peer->n_paths);
	KUNIT_EXPECT_PTR_EQ(test, path, receive(next, THEIRS, 2, &no_shims, &from,
						&reason));
	laya_counts_sum(&sum, path->counts);
	KUNIT_EXPECT_EQ(test, 2, sum.rx_packets);
	KUNIT_EXPECT_EQ(test, 200, sum.rx_bytes);
}

static void received__ids_of_ours(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path;

	/* What we did not dial, nobody answers; and 0 is no id. */
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, OURS, 1));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, 0, 1));
	path = dial(test, 1);
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, path->id, 1));
}

static void received__replay(struct kunit *test)
{
	struct laya_session *next = session(test, 0);

	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 7));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY, refused(next, THEIRS, 7));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 6));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY, refused(next, THEIRS, 0));
	/* Windows are per path. */
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS + 1, 7));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_SESSION_LIMIT,
			refused(next, THEIRS, LAYA_REJECT_AFTER_PACKETS + 1));
}

static void received__dropped_path_stays_dropped(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_peer *peer = test->priv;

	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 7));
	laya_path_remove(laya_path_lookup(peer, THEIRS));
	KUNIT_EXPECT_EQ(test, 0, peer->n_paths);
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, THEIRS, 7));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, THEIRS, 8));
	/* In another session it is new; there, it is used up as well then. */
	next = session(test, 1);
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 7));
}

static void received__path_older_than_session(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_peer *peer = test->priv;

	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 1));
	/* The path lives on under the next session; its id is used up there. */
	next = session(test, 1);
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, THEIRS, 1));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY, refused(next, THEIRS, 1));
	laya_path_remove(laya_path_lookup(peer, THEIRS));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, THEIRS, 1));
}

/* Windows come and go with sessions, and no packet is taken twice by that. */
static void received__windows(struct kunit *test)
{
	struct laya_session *live[3], *gone;
	struct laya_peer *peer = test->priv;
	unsigned int i, round;

	/* What a packet that is late still holds of a session that went. */
	gone = kunit_kzalloc(test, sizeof(*gone), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gone);
	gone->peer = peer;

	live[0] = session(test, 0);
	laya_session_confirm(live[0]);
	live[1] = session(test, 1);
	laya_session_confirm(live[1]);
	live[2] = session(test, 2);
	for (round = 3; round < 12; round++) {
		for (i = 0; i < 3; i++) {
			u64 counter = 100 * round;

			KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT,
					refused(live[i], THEIRS, counter));
			KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY,
					refused(live[i], THEIRS, counter));
		}
		if (round % 2) {
			/* The one that waits is replaced: not the oldest goes. */
			gone->generation = live[2]->generation;
			live[2] = session(test, round);
		} else {
			gone->generation = live[0]->generation;
			laya_session_confirm(live[2]);
			live[0] = live[1];
			live[1] = live[2];
			live[2] = session(test, round);
		}
		/* The newest takes a window, of which there are three. */
		KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT,
				refused(live[2], THEIRS, 1));
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY,
					refused(live[i], THEIRS, 100 * round));
		/* A packet of the one that went, already past the index table. */
		KUNIT_EXPECT_EQ(test, LAYA_DROP_NO_SESSION,
				refused(gone, THEIRS, 100 * round));
		KUNIT_EXPECT_EQ(test, LAYA_DROP_NO_SESSION,
				refused(gone, THEIRS, 100 * round + 1));
		for (i = 0; i < 2; i++)
			KUNIT_EXPECT_EQ(test, LAYA_DROP_REPLAY,
					refused(live[i], THEIRS, 100 * round));
	}
	KUNIT_EXPECT_EQ(test, 1, peer->n_paths);
}

static void received__too_many(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_peer *peer = test->priv;
	unsigned int i;

	for (i = 1; i <= LAYA_MAX_PATHS; i++)
		KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, i, 1));
	KUNIT_EXPECT_EQ(test, LAYA_DROP_PATH_ID, refused(next, i, 1));
	KUNIT_EXPECT_EQ(test, LAYA_MAX_PATHS, peer->n_paths);
	/* A dead one makes room. */
	WRITE_ONCE(laya_path_lookup(peer, 3)->state, LAYA_PATH_STATE_DEAD);
	KUNIT_EXPECT_EQ(test, LAYA_DROP_COUNT, refused(next, i + 1, 1));
	KUNIT_EXPECT_NULL(test, laya_path_lookup(peer, 3));
}

/* The way back over two forwarders: the one nearest to us comes first. */
static void received__return_labels(struct kunit *test)
{
	struct laya_shims shims = {
		.n_labels	= 2,
		.n_returns	= 2,
		.returns	= { { 1, 1, 1 }, { 2, 2, 2 } },
		.len		= 32,
	};
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(9, 900);
	struct laya_path_route route;
	struct laya_path *path;
	enum laya_drop reason;

	path = receive(next, THEIRS, 1, &shims, &from, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	KUNIT_EXPECT_TRUE(test, laya_path_route(path, false, &route));
	KUNIT_EXPECT_EQ(test, 2, route.n_labels);
	KUNIT_EXPECT_MEMEQ(test, route.labels[0], shims.returns[1],
			   LAYA_LABEL_SIZE);
	KUNIT_EXPECT_MEMEQ(test, route.labels[1], shims.returns[0],
			   LAYA_LABEL_SIZE);
	/* The dialler asks for return labels, who answers does not. */
	KUNIT_EXPECT_EQ(test, 0, route.n_slots);
	/* Data does not bring any, and changes none. */
	shims.n_returns = 0;
	KUNIT_EXPECT_PTR_EQ(test, path, receive(next, THEIRS, 2, &shims, &from,
						&reason));
	KUNIT_EXPECT_EQ(test, 2, path->n_labels);
	KUNIT_EXPECT_FALSE(test, path->challenge.pending);
}

static void received__no_way_back_yet(struct kunit *test)
{
	struct laya_shims shims = { .n_labels = 1, .len = 8 };
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(9, 900);
	struct laya_path_route route;
	struct laya_path *path;
	enum laya_drop reason;

	/* Data overtook the first probe. */
	path = receive(next, THEIRS, 1, &shims, &from, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	KUNIT_EXPECT_FALSE(test, laya_path_route(path, false, &route));
	/* A slot that no forwarder filled is of no use either. */
	shims.n_returns = 1;
	receive(next, THEIRS, 2, &shims, &from, &reason);
	KUNIT_EXPECT_FALSE(test, laya_path_route(path, false, &route));
	shims.returns[0][5] = 7;
	receive(next, THEIRS, 3, &shims, &from, &reason);
	KUNIT_EXPECT_TRUE(test, laya_path_route(path, false, &route));
	KUNIT_EXPECT_EQ(test, 1, route.n_labels);
	KUNIT_EXPECT_EQ(test, 7, route.labels[0][5]);
}

/* On a path that we dialled, the labels of answers fill our slots. */
static void received__labels_of_answers(struct kunit *test)
{
	struct laya_path_params params = {
		.kind		= LAYA_PATH_KIND_RELAY,
		.endpoint	= at(1, 1000),
		.n_labels	= 2,
		.labels		= { { 1 }, { 2 } },
	};
	struct laya_shims shims = {
		.n_labels	= 2,
		.labels		= { { 8 }, { 9 } },
		.len		= 16,
	};
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(1, 1000);
	struct laya_path_route route;
	struct laya_path *path;
	enum laya_drop reason;

	path = dial_params(test, &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(path));
	laya_path_route(path, false, &route);
	KUNIT_EXPECT_EQ(test, 2, route.n_slots);
	KUNIT_EXPECT_EQ(test, 0, route.n_returns);

	KUNIT_EXPECT_PTR_EQ(test, path, receive(next, path->id, 1, &shims, &from,
						&reason));
	laya_path_route(path, false, &route);
	KUNIT_EXPECT_EQ(test, 2, route.n_returns);
	KUNIT_EXPECT_EQ(test, 9, route.returns[0][0]);
	KUNIT_EXPECT_EQ(test, 8, route.returns[1][0]);
	KUNIT_EXPECT_EQ(test, 1, route.labels[0][0]);
}

/* changes of address */

static struct laya_path *validated(struct kunit *test,
				   struct laya_session *next,
				   const struct laya_endpoint *from)
{
	enum laya_drop reason;
	struct laya_path *path;

	path = receive(next, THEIRS, 10, &no_shims, from, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	tend(path, jiffies, NULL);
	answer(path, next, path->probe.seq, false, from);
	KUNIT_ASSERT_TRUE(test, path->validated);
	KUNIT_ASSERT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	return path;
}

static bool is_at(const struct laya_path *path, const struct laya_endpoint *end)
{
	return laya_path_same_endpoint(&path->endpoint, end);
}

static void challenge__before_new_address(struct kunit *test)
{
	struct laya_endpoint old = at(9, 900), new = at(10, 901);
	struct laya_session *next = session(test, 0);
	struct laya_path_route route;
	struct laya_path *path;
	enum laya_drop reason;

	path = validated(test, next, &old);
	KUNIT_EXPECT_FALSE(test, laya_path_route(path, true, &route));
	receive(next, THEIRS, 11, &no_shims, &new, &reason);
	/* Data goes on to the old one. */
	KUNIT_EXPECT_TRUE(test, is_at(path, &old));
	KUNIT_EXPECT_TRUE(test, path->challenge.pending);
	tend(path, jiffies, NULL);
	KUNIT_EXPECT_EQ(test, 1, path->challenge.tries);
	KUNIT_EXPECT_TRUE(test, laya_path_route(path, true, &route));
	KUNIT_EXPECT_TRUE(test, laya_path_same_endpoint(&route.endpoint, &new));
	/* An answer to something else, or a made-up one, is none. */
	answer(path, next, path->probe.seq, false, &new);
	answer(path, next, path->challenge.seq + 1, true, &new);
	answer(path, next, path->challenge.seq - 1, true, &new);
	KUNIT_EXPECT_TRUE(test, is_at(path, &old));
	answer(path, next, path->challenge.seq, true, &new);
	KUNIT_EXPECT_TRUE(test, is_at(path, &new));
	KUNIT_EXPECT_FALSE(test, path->challenge.pending);
}

/* Whoever was asked elsewhere cannot answer for an address that he only claims. */
static void challenge__of_the_address_before(struct kunit *test)
{
	struct laya_endpoint own = at(9, 900), claimed = at(10, 901);
	struct laya_session *next = session(test, 0);
	enum laya_drop reason;
	struct laya_path *path;
	u32 asked;

	path = receive(next, THEIRS, 10, &no_shims, &own, &reason);
	tend(path, jiffies, NULL);
	asked = path->probe.seq;
	receive(next, THEIRS, 11, &no_shims, &claimed, &reason);
	KUNIT_EXPECT_TRUE(test, is_at(path, &claimed));
	tend(path, jiffies, NULL);
	answer(path, next, asked, false, &own);
	KUNIT_EXPECT_FALSE(test, path->validated);
	answer(path, next, path->probe.seq, false, &claimed);
	KUNIT_EXPECT_TRUE(test, path->validated);
}

static void challenge__only_from_the_newest(struct kunit *test)
{
	struct laya_endpoint old = at(9, 900), new = at(10, 901);
	struct laya_session *next = session(test, 0);
	struct laya_path *path;
	enum laya_drop reason;

	path = validated(test, next, &old);
	/* Held back by somebody, and sent on from elsewhere. */
	receive(next, THEIRS, 9, &no_shims, &new, &reason);
	KUNIT_EXPECT_FALSE(test, path->challenge.pending);
	receive(next, THEIRS, 11, &no_shims, &new, &reason);
	KUNIT_EXPECT_TRUE(test, path->challenge.pending);
	/* Overtaken packets from the old address do not end it, newer ones do. */
	receive(next, THEIRS, 8, &no_shims, &old, &reason);
	KUNIT_EXPECT_TRUE(test, path->challenge.pending);
	receive(next, THEIRS, 12, &no_shims, &old, &reason);
	KUNIT_EXPECT_FALSE(test, path->challenge.pending);
	KUNIT_EXPECT_TRUE(test, is_at(path, &old));
}

static void challenge__return_label_too(struct kunit *test)
{
	struct laya_shims shims = {
		.n_labels = 1, .n_returns = 1, .returns = { { 1 } },
	};
	struct laya_endpoint relay = at(9, 900);
	struct laya_session *next = session(test, 0);
	struct laya_path_route route;
	struct laya_path *path;
	enum laya_drop reason;

	path = receive(next, THEIRS, 1, &shims, &relay, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	tend(path, jiffies, NULL);
	answer(path, next, path->probe.seq, false, &relay);
	KUNIT_ASSERT_TRUE(test, path->validated);
	/* The dialler's NAT gave it another port: same relay, other label. */
	shims.returns[0][0] = 2;
	receive(next, THEIRS, 2, &shims, &relay, &reason);
	KUNIT_EXPECT_EQ(test, 1, path->labels[0][0]);
	KUNIT_EXPECT_TRUE(test, laya_path_route(path, true, &route));
	KUNIT_EXPECT_EQ(test, 2, route.labels[0][0]);
	tend(path, jiffies, NULL);
	answer(path, next, path->challenge.seq, true, &relay);
	KUNIT_EXPECT_EQ(test, 2, path->labels[0][0]);
}

static void challenge__gives_up(struct kunit *test)
{
	struct laya_endpoint old = at(9, 900), new = at(10, 901);
	struct laya_session *next = session(test, 0);
	unsigned long now = jiffies;
	struct laya_path *path;
	enum laya_drop reason;
	unsigned int i;

	path = validated(test, next, &old);
	receive(next, THEIRS, 11, &no_shims, &new, &reason);
	path->challenge.allowance = 10000;
	for (i = 0; i < 10; i++, now += ms(301))
		tend(path, now, NULL);
	KUNIT_EXPECT_EQ(test, 3, path->challenge.tries);
	KUNIT_EXPECT_FALSE(test, path->challenge.pending);
	KUNIT_EXPECT_TRUE(test, is_at(path, &old));
}

static void challenge__amplifies_nothing(struct kunit *test)
{
	struct laya_endpoint old = at(9, 900), new = at(10, 901);
	struct laya_session *next = session(test, 0);
	unsigned long now = jiffies;
	struct laya_path *path;
	enum laya_drop reason;
	unsigned int i;

	path = validated(test, next, &old);
	/* 100 bytes from there: not more than 300 go there. */
	receive(next, THEIRS, 11, &no_shims, &new, &reason);
	KUNIT_EXPECT_EQ(test, 300, path->challenge.allowance);
	for (i = 0; i < 10; i++, now += ms(301))
		tend(path, now, NULL);
	KUNIT_EXPECT_LT(test, path->challenge.allowance, 100);
}

/* tend: what care does, at times that the tests choose */

static void tend__nobody_answers(struct kunit *test)
{
	unsigned long start = jiffies, now = start, died = 0;
	struct laya_path *path = dial(test, 1);
	unsigned int probes = 0;
	u32 seq = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(path));
	for (; time_before(now, start + ms(130000)); now += ms(20)) {
		tend(path, now, NULL);
		if (path->probe.seq != seq)
			probes++;
		seq = path->probe.seq;
		if (!died && path->state == LAYA_PATH_STATE_DEAD) {
			died = now;
			KUNIT_EXPECT_EQ(test, LAYA_PROBE_TRIES, probes);
		}
	}
	KUNIT_EXPECT_NE(test, 0UL, died);
	KUNIT_EXPECT_LE(test, died - start, ms(2000));
	/* 2, 4, 8, 16, 20, 20 ... seconds apart. */
	KUNIT_EXPECT_GE(test, probes, LAYA_PROBE_TRIES + 8);
	KUNIT_EXPECT_LE(test, probes, LAYA_PROBE_TRIES + 10);
	/* All of them are unanswered, and since the first one. */
	KUNIT_EXPECT_EQ(test, probes, path->probe.tries);
	KUNIT_EXPECT_EQ(test, start, path->probe.unanswered);
}

static void tend__late_answer_revives(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(1, 1000);
	struct laya_path *path = dial(test, 1);
	unsigned long now = jiffies;
	unsigned int i;

	for (i = 0; i < 10; i++, now += ms(301))
		tend(path, now, NULL);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_DEAD, path->state);
	answer(path, next, 1, false, &from);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	KUNIT_EXPECT_TRUE(test, path->validated);
	KUNIT_EXPECT_NE(test, 0, path->srtt_us);
	KUNIT_EXPECT_TRUE(test, path->observed_valid);
	KUNIT_EXPECT_EQ(test, 77, ntohs(path->observed.port));
}

static void tend__wrong_answers(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(1, 1000);
	struct laya_path *path = dial(test, 1);

	tend(path, jiffies, NULL);
	KUNIT_EXPECT_EQ(test, 1, path->probe.seq);
	/* Numbers that were never sent, whatever their token. */
	answer(path, next, 0, false, &from);
	answer(path, next, 2, false, &from);
	answer(path, next, U32_MAX, false, &from);
	/* The token of a challenge is not that of a request. */
	answer(path, next, 1, true, &from);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_PROBING, path->state);
	answer(path, next, 1, false, &from);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
}

/* A path of the fixture that works, seen from @now on. */
static struct laya_path *usable(struct kunit *test, struct laya_session *next,
				u8 host)
{
	struct laya_endpoint from = at(host, 1000);
	struct laya_path *path = dial(test, host);

	KUNIT_ASSERT_FALSE(test, IS_ERR(path));
	tend(path, jiffies, NULL);
	answer(path, next, path->probe.seq, false, &from);
	KUNIT_ASSERT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	flush_delayed_work(&path->peer->work);
	path->srtt_us = 10000;
	path->rttvar_us = 1000;
	path->min_rtt_us = 10000;
	return path;
}

static void tend__idle_keepalive(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_endpoint from = at(1, 1000);
	unsigned long now = path->probe.sent, end = now + ms(60000);
	u32 seq = path->probe.seq;

	for (; time_before(now, end); now += ms(20)) {
		tend(path, now, NULL);
		if (path->probe.outstanding)
			answer(path, next, path->probe.seq, false, &from);
	}
	KUNIT_EXPECT_GE(test, path->probe.seq - seq, 5);
	KUNIT_EXPECT_LE(test, path->probe.seq - seq, 6);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
}

/* The other side keeps an answered path alive; its round trip is ours to see. */
static void tend__answered_is_measured(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_endpoint from = at(1, 1000);
	unsigned long now = path->probe.sent, end = now + ms(70000);
	u32 seq = path->probe.seq;

	path->answered = true;
	for (; time_before(now, end); now += ms(20)) {
		path->last_rx = now;
		tend(path, now, NULL);
		if (path->probe.outstanding)
			answer(path, next, path->probe.seq, false, &from);
	}
	KUNIT_EXPECT_EQ(test, 2, path->probe.seq - seq);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
}

static void tend__silence_after_data(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	unsigned long start = path->probe.sent + ms(500), now = start;
	unsigned long suspect = 0, dead = 0;

	path->last_rx = start - ms(10);
	for (; !dead && time_before(now, start + ms(10000)); now += ms(10)) {
		path->last_tx_data = now;
		tend(path, now, NULL);
		if (!suspect && path->state == LAYA_PATH_STATE_SUSPECT)
			suspect = now;
		if (path->state == LAYA_PATH_STATE_DEAD)
			dead = now;
	}
	/* Well below a second, as nothing that carries data may hang for one. */
	KUNIT_ASSERT_NE(test, 0UL, suspect);
	KUNIT_EXPECT_LE(test, suspect - start, ms(250));
	KUNIT_ASSERT_NE(test, 0UL, dead);
	KUNIT_EXPECT_GE(test, dead - start, ms(2900));
	KUNIT_EXPECT_LE(test, dead - start, ms(3500));
}

/* Data that goes one way only, and is heard of by answers alone. */
static void tend__one_way_data(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_endpoint from = at(1, 1000);
	unsigned long start = path->probe.sent, now = start;
	u32 seq = path->probe.seq;

	for (; time_before(now, start + ms(3000)); now += ms(10)) {
		path->last_tx_data = now;
		if (path->probe.outstanding) {
			path->last_rx = now;
			answer(path, next, path->probe.seq, false, &from);
		}
		tend(path, now, NULL);
		KUNIT_ASSERT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	}
	KUNIT_EXPECT_GE(test, path->probe.seq - seq, 10);
	KUNIT_EXPECT_LE(test, path->probe.seq - seq, 32);
}

/* A lost probe is no reason to leave a path on which things arrive. */
static void tend__lost_probe_on_a_busy_path(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_endpoint from = at(1, 1000);
	unsigned long start = path->probe.sent, now = start;

	for (; time_before(now, start + ms(20000)); now += ms(10)) {
		path->last_tx_data = now;
		path->last_rx = now;
		tend(path, now, NULL);
		/* Every other one is answered. */
		if (path->probe.outstanding && path->probe.seq % 2)
			answer(path, next, path->probe.seq, false, &from);
		KUNIT_ASSERT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	}
}

static void tend__suspect_recovers(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_endpoint from = at(1, 1000);
	unsigned long now = path->probe.sent + ms(500);

	path->last_rx = now - ms(10);
	for (; path->state == LAYA_PATH_STATE_USABLE; now += ms(10)) {
		path->last_tx_data = now;
		tend(path, now, NULL);
	}
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_SUSPECT, path->state);
	answer(path, next, path->probe.seq, false, &from);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
	KUNIT_EXPECT_EQ(test, 0, path->probe.tries);
}

/* The far side may not know it any more, and must not take its id anew. */
static void tend__long_silence_is_a_new_dial(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_peer *peer = test->priv;
	u16 id = path->id;

	path->probe.wanted = true;
	tend(path, jiffies, NULL);
	KUNIT_EXPECT_EQ(test, id, path->id);
	path->heard -= (LAYA_PATH_STALE_MS + 1) * (u64)NSEC_PER_MSEC;
	path->probe.outstanding = false;
	path->probe.wanted = true;
	tend(path, jiffies, NULL);
	KUNIT_EXPECT_NE(test, id, path->id);
	KUNIT_EXPECT_PTR_EQ(test, path, laya_path_lookup(peer, path->id));
	KUNIT_EXPECT_NULL(test, laya_path_lookup(peer, id));
	/* Once: this one is new. */
	id = path->id;
	path->probe.outstanding = false;
	path->probe.wanted = true;
	tend(path, jiffies, NULL);
	KUNIT_EXPECT_EQ(test, id, path->id);
}

static void tend__dead_answered_path_is_forgotten(struct kunit *test)
{
	struct laya_endpoint from = at(9, 900);
	struct laya_session *next = session(test, 0);
	struct laya_path *path = validated(test, next, &from);
	unsigned long now = jiffies;
	bool gone = false;

	path->state = LAYA_PATH_STATE_DEAD;
	path->died = now;
	tend(path, now + ms(59000), &gone);
	KUNIT_EXPECT_FALSE(test, gone);
	tend(path, now + ms(60001), &gone);
	KUNIT_EXPECT_TRUE(test, gone);
}

/* The same far end as @usable's, dialled by it. */
static struct laya_path *answering(struct kunit *test, struct laya_session *next,
				   u8 host)
{
	struct laya_endpoint from = at(host, 1000);

	return validated(test, next, &from);
}

static void until_suspect(struct kunit *test, struct laya_path *path,
			  unsigned long now)
{
	path->last_rx = now - ms(10);
	for (; path->state == LAYA_PATH_STATE_USABLE; now += ms(10)) {
		path->last_tx_data = now;
		tend(path, now, NULL);
	}
	KUNIT_ASSERT_EQ(test, LAYA_PATH_STATE_SUSPECT, path->state);
}

static void doubt__silence_is_shared(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *other = usable(test, next, 2);
	struct laya_path *path = usable(test, next, 1);
	struct laya_path *same = answering(test, next, 1);
	unsigned long now = path->probe.sent + ms(500);
	u32 seq;

	same->last_rx = now;
	until_suspect(test, path, now);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_SUSPECT, same->state);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, other->state);
	/* All are asked, also where no data goes. */
	seq = same->probe.seq;
	tend(same, now + ms(200), NULL);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_SUSPECT, same->state);
	KUNIT_EXPECT_EQ(test, seq + 1, same->probe.seq);
	seq = other->probe.seq;
	tend(other, now + ms(200), NULL);
	KUNIT_EXPECT_EQ(test, seq + 1, other->probe.seq);
}

static void doubt__not_where_something_comes(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_path *same = answering(test, next, 1);
	unsigned long now = path->probe.sent + ms(500);

	same->last_rx = now + ms(3000);
	until_suspect(test, path, now);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, same->state);
}

static void has_moved__lately_and_not_now(struct kunit *test)
{
	unsigned long now = 0;
	unsigned int i;

	/* Also where jiffies wrap. */
	for (i = 0; i < 2; i++, now = jiffies) {
		KUNIT_EXPECT_FALSE(test, laya_path_has_moved(0, now));
		KUNIT_EXPECT_FALSE(test, laya_path_has_moved(now - ms(50), now));
		KUNIT_EXPECT_TRUE(test, laya_path_has_moved(now - ms(100), now));
		KUNIT_EXPECT_TRUE(test, laya_path_has_moved(now - ms(1900), now));
		KUNIT_EXPECT_FALSE(test, laya_path_has_moved(now - ms(2000), now));
		/* It was there first. */
		KUNIT_EXPECT_FALSE(test, laya_path_has_moved(now + ms(10), now));
	}
}

/* choose, to_send, may_send, data_came */

static bool choose(struct laya_peer *peer)
{
	bool changed;

	spin_lock_bh(&peer->lock);
	changed = laya_path_choose(peer);
	spin_unlock_bh(&peer->lock);
	return changed;
}

static struct laya_path *best(struct laya_peer *peer)
{
	return rcu_access_pointer(peer->best);
}

static void choose__follows_state(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_peer *peer = test->priv;
	struct laya_path *a, *b;

	a = usable(test, next, 1);
	b = usable(test, next, 2);
	b->min_rtt_us = 12000;
	choose(peer);
	KUNIT_EXPECT_PTR_EQ(test, a, best(peer));
	WRITE_ONCE(a->state, LAYA_PATH_STATE_SUSPECT);
	KUNIT_EXPECT_TRUE(test, choose(peer));
	KUNIT_EXPECT_PTR_EQ(test, b, best(peer));
	/* Back again, and not worth a move. */
	WRITE_ONCE(a->state, LAYA_PATH_STATE_USABLE);
	a->min_rtt_us = 11000;
	KUNIT_EXPECT_FALSE(test, choose(peer));
	/* A suspect one is better than none, a dead one is not. */
	WRITE_ONCE(a->state, LAYA_PATH_STATE_DEAD);
	WRITE_ONCE(b->state, LAYA_PATH_STATE_SUSPECT);
	choose(peer);
	KUNIT_EXPECT_PTR_EQ(test, b, best(peer));
	WRITE_ONCE(b->state, LAYA_PATH_STATE_DEAD);
	KUNIT_EXPECT_TRUE(test, choose(peer));
	KUNIT_EXPECT_NULL(test, best(peer));
}

static void data_came(struct laya_path *path, unsigned long now)
{
	local_bh_disable();
	rcu_read_lock();
	laya_path_data_came(path, now);
	rcu_read_unlock();
	local_bh_enable();
}

static void data_came__follows_the_peer(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_path *same = answering(test, next, 1);
	struct laya_path *other = usable(test, next, 2);
	struct laya_peer *peer = test->priv;
	unsigned long now = jiffies;

	/* We answer on a path of ours to where the peer dials from. */
	same->min_rtt_us = 12000;
	other->min_rtt_us = 30000;
	choose(peer);
	KUNIT_ASSERT_PTR_EQ(test, path, best(peer));
	data_came(same, now);
	data_came(other, now + ms(50));
	KUNIT_EXPECT_PTR_EQ(test, path, best(peer));
	data_came(other, now + ms(150));
	KUNIT_EXPECT_PTR_EQ(test, other, best(peer));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_SUSPECT, path->state);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_SUSPECT, same->state);
	choose(peer);
	KUNIT_EXPECT_PTR_EQ(test, other, best(peer));
	/* It works, and we like it better: the peer may think what it pleases. */
	WRITE_ONCE(path->state, LAYA_PATH_STATE_USABLE);
	choose(peer);
	KUNIT_ASSERT_PTR_EQ(test, path, best(peer));
	data_came(other, now + ms(300));
	KUNIT_EXPECT_PTR_EQ(test, path, best(peer));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
}

static void data_came__different_tastes(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_path *path = usable(test, next, 1);
	struct laya_path *other = usable(test, next, 2);
	struct laya_path *same = answering(test, next, 1);
	struct laya_peer *peer = test->priv;
	unsigned long now = jiffies, end = now + ms(3000);

	same->min_rtt_us = 12000;
	other->min_rtt_us = 30000;
	choose(peer);
	for (; time_before(now, end); now += ms(100))
		data_came(other, now);
	KUNIT_EXPECT_PTR_EQ(test, path, best(peer));
	/* Nor is it a move when it was long ago, or to the same place. */
	path->last_rx_data = now - ms(5000);
	data_came(other, now);
	KUNIT_EXPECT_PTR_EQ(test, path, best(peer));
	path->last_rx_data = now - ms(500);
	data_came(same, now);
	KUNIT_EXPECT_PTR_EQ(test, path, best(peer));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_USABLE, path->state);
}

static void to_send__kinds(struct kunit *test)
{
	struct laya_path_params params = {
		.kind		= LAYA_PATH_KIND_RELAY,
		.endpoint	= at(7, 1000),
	};
	struct laya_session *next = session(test, 0);
	struct laya_peer *peer = test->priv;
	struct laya_path *direct, *relay;

	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, laya_path_to_send(peer, ~0U));
	rcu_read_unlock();
	direct = usable(test, next, 1);
	relay = dial_params(test, &params);
	relay->state = LAYA_PATH_STATE_USABLE;
	choose(peer);
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, direct, laya_path_to_send(peer, ~0U));
	KUNIT_EXPECT_PTR_EQ(test, relay,
			    laya_path_to_send(peer, 1 << LAYA_PATH_KIND_RELAY));
	KUNIT_EXPECT_NULL(test,
			  laya_path_to_send(peer, 1 << LAYA_PATH_KIND_LAN));
	rcu_read_unlock();
}

static void may_send__three_times_what_came(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(9, 900);
	struct laya_path *path;
	enum laya_drop reason;

	path = receive(next, THEIRS, 1, &no_shims, &from, &reason);
	KUNIT_EXPECT_TRUE(test, laya_path_may_send(path, 200));
	KUNIT_EXPECT_FALSE(test, laya_path_may_send(path, 101));
	KUNIT_EXPECT_TRUE(test, laya_path_may_send(path, 100));
	KUNIT_EXPECT_FALSE(test, laya_path_may_send(path, 1));
	receive(next, THEIRS, 2, &no_shims, &from, &reason);
	KUNIT_EXPECT_TRUE(test, laya_path_may_send(path, 300));
	KUNIT_EXPECT_FALSE(test, laya_path_may_send(path, 1));
	tend(path, jiffies, NULL);
	answer(path, next, path->probe.seq, false, &from);
	KUNIT_EXPECT_TRUE(test, laya_path_may_send(path, 100000));
}

/* The same far end, over a stream. */
static void over(struct laya_endpoint *end, u32 carrier)
{
	end->carrier = carrier;
	end->type = LAYA_CARRIER_TYPE_TLS;
}

static void same_endpoint__streams(struct kunit *test)
{
	struct laya_endpoint udp = at(9, 900), stream = udp, other = udp;
	struct laya_endpoint unnamed = { .carrier = 5 };

	over(&stream, 5);
	over(&other, 6);
	KUNIT_EXPECT_TRUE(test, laya_path_same_remote(&stream, &unnamed));
	KUNIT_EXPECT_TRUE(test, laya_path_same_endpoint(&stream, &unnamed));
	KUNIT_EXPECT_FALSE(test, laya_path_same_remote(&stream, &other));
	KUNIT_EXPECT_FALSE(test, laya_path_same_endpoint(&stream, &other));
	KUNIT_EXPECT_FALSE(test, laya_path_same_remote(&stream, &udp));
	KUNIT_EXPECT_FALSE(test, laya_path_same_remote(&udp, &stream));
	KUNIT_EXPECT_FALSE(test, laya_path_same_endpoint(&udp, &stream));
}

static void carrier__nothing_to_earn(struct kunit *test)
{
	struct laya_session *next = session(test, 0);
	struct laya_endpoint from = at(9, 900);
	struct laya_path_info info;
	struct laya_path *path;
	enum laya_drop reason;

	over(&from, 5);
	path = receive(next, THEIRS, 1, &no_shims, &from, &reason);
	KUNIT_ASSERT_NOT_NULL(test, path);
	KUNIT_EXPECT_TRUE(test, laya_path_may_send(path, 100000));
	KUNIT_EXPECT_EQ(test, LAYA_PATH_MAX_MTU, path->mtu);
	laya_path_info(path, &info);
	KUNIT_EXPECT_EQ(test, LAYA_CARRIER_TYPE_TLS, info.carrier);
}

static void carrier__lost(struct kunit *test)
{
	struct laya_endpoint udp = at(9, 901), stream = at(9, 900);
	struct laya_path_params params = { .kind = LAYA_PATH_KIND_LAN };
	struct laya_session *next = session(test, 0);
	struct laya_path *dialled, *answered, *other;
	struct laya_peer *peer = test->priv;
	enum laya_drop reason;
	bool gone = false;

	over(&stream, 5);
	params.endpoint = stream;
	dialled = dial_params(test, &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dialled));
	answered = receive(next, THEIRS, 1, &no_shims, &stream, &reason);
	other = receive(next, THEIRS + 1, 2, &no_shims, &udp, &reason);
	mutex_lock(&peer->device->lock);
	laya_path_carrier_lost(peer->device, 5);
	mutex_unlock(&peer->device->lock);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_DEAD, dialled->state);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_DEAD, answered->state);
	KUNIT_EXPECT_NE(test, LAYA_PATH_STATE_DEAD, other->state);

	/* Nobody asks whether it lives again, not even under a new session */
	laya_path_session_up(peer);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_STATE_DEAD, dialled->state);
	tend(dialled, jiffies, &gone);
	KUNIT_EXPECT_FALSE(test, gone);
	KUNIT_EXPECT_EQ(test, 0, dialled->probe.seq);
	tend(dialled, jiffies + msecs_to_jiffies(LAYA_PATH_FORGET_MS), &gone);
	KUNIT_EXPECT_TRUE(test, gone);

	/* The peer goes on elsewhere: nobody is asked where it was */
	receive(next, THEIRS, 3, &no_shims, &udp, &reason);
	KUNIT_EXPECT_TRUE(test, is_at(answered, &udp));
	KUNIT_EXPECT_FALSE(test, answered->challenge.pending);
	KUNIT_EXPECT_FALSE(test, answered->validated);
	KUNIT_EXPECT_EQ(test, LAYA_PATH_BASE_MTU, answered->mtu);
}

static void budget__over_all_peers(struct kunit *test)
{
	struct laya_endpoint to = at(201, 1), other_port = at(201, 2);
	unsigned int n = 0;

	laya_path_budget_answered(&to);
	while (n < 1000 && laya_path_budget_take(n % 2 ? &to : &other_port, 100))
		n++;
	/* A burst, and what came back while this ran. */
	KUNIT_EXPECT_GE(test, n, 81);
	KUNIT_EXPECT_LT(test, n, 200);
	laya_path_budget_answered(&to);
	KUNIT_EXPECT_TRUE(test, laya_path_budget_take(&to, 100));
	laya_path_budget_answered(&to);
}

static struct kunit_case path_cases[] = {
	KUNIT_CASE(dial__ids),
	KUNIT_CASE(dial__again_is_the_same),
	KUNIT_CASE(dial__bad_candidates),
	KUNIT_CASE(dial__limit),
	KUNIT_CASE(received__founds),
	KUNIT_CASE(received__ids_of_ours),
	KUNIT_CASE(received__replay),
	KUNIT_CASE(received__dropped_path_stays_dropped),
	KUNIT_CASE(received__path_older_than_session),
	KUNIT_CASE(received__windows),
	KUNIT_CASE(received__too_many),
	KUNIT_CASE(received__return_labels),
	KUNIT_CASE(received__no_way_back_yet),
	KUNIT_CASE(received__labels_of_answers),
	KUNIT_CASE(challenge__before_new_address),
	KUNIT_CASE(challenge__of_the_address_before),
	KUNIT_CASE(challenge__only_from_the_newest),
	KUNIT_CASE(challenge__return_label_too),
	KUNIT_CASE(challenge__gives_up),
	KUNIT_CASE(challenge__amplifies_nothing),
	KUNIT_CASE(tend__nobody_answers),
	KUNIT_CASE(tend__late_answer_revives),
	KUNIT_CASE(tend__wrong_answers),
	KUNIT_CASE(tend__idle_keepalive),
	KUNIT_CASE(tend__answered_is_measured),
	KUNIT_CASE(tend__silence_after_data),
	KUNIT_CASE(tend__one_way_data),
	KUNIT_CASE(tend__lost_probe_on_a_busy_path),
	KUNIT_CASE(tend__suspect_recovers),
	KUNIT_CASE(tend__long_silence_is_a_new_dial),
	KUNIT_CASE(tend__dead_answered_path_is_forgotten),
	KUNIT_CASE(doubt__silence_is_shared),
	KUNIT_CASE(doubt__not_where_something_comes),
	KUNIT_CASE(has_moved__lately_and_not_now),
	KUNIT_CASE(choose__follows_state),
	KUNIT_CASE(data_came__follows_the_peer),
	KUNIT_CASE(data_came__different_tastes),
	KUNIT_CASE(to_send__kinds),
	KUNIT_CASE(may_send__three_times_what_came),
	KUNIT_CASE(same_endpoint__streams),
	KUNIT_CASE(carrier__nothing_to_earn),
	KUNIT_CASE(carrier__lost),
	KUNIT_CASE(budget__over_all_peers),
	{}
};

static struct kunit_suite path_suite = {
	.name = "laya_path",
	.init = path_init,
	.exit = path_exit,
	.test_cases = path_cases,
};

kunit_test_suite(path_suite);
