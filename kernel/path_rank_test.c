// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>

#include "path.h"

#define MS	1000

static struct laya_path_rank usable(u8 kind, u32 rtt_us)
{
	return (struct laya_path_rank) {
		.state	= LAYA_PATH_STATE_USABLE,
		.kind	= kind,
		.rtt_us	= rtt_us,
	};
}

static void compare__state_before_all(struct kunit *test)
{
	static const u8 order[] = {
		LAYA_PATH_STATE_USABLE, LAYA_PATH_STATE_SUSPECT,
		LAYA_PATH_STATE_PROBING, LAYA_PATH_STATE_DEAD,
	};
	struct laya_path_rank a, b;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		for (j = i + 1; j < ARRAY_SIZE(order); j++) {
			a = usable(LAYA_PATH_KIND_RELAY, 500 * MS);
			b = usable(LAYA_PATH_KIND_LAN, 1 * MS);
			a.state = order[i];
			b.state = order[j];
			KUNIT_EXPECT_GT(test, laya_path_compare(&a, &b), 0);
			KUNIT_EXPECT_LT(test, laya_path_compare(&b, &a), 0);
			KUNIT_EXPECT_TRUE(test, laya_path_better(&a, &b));
			KUNIT_EXPECT_FALSE(test, laya_path_better(&b, &a));
		}
	}
}

static void compare__equal(struct kunit *test)
{
	struct laya_path_rank a = usable(LAYA_PATH_KIND_DIRECT, 20 * MS);

	KUNIT_EXPECT_EQ(test, 0, laya_path_compare(&a, &a));
	KUNIT_EXPECT_FALSE(test, laya_path_better(&a, &a));
}

static void compare__kind_breaks_ties(struct kunit *test)
{
	struct laya_path_rank a, b;
	u32 rtt_us;
	u8 kind;

	for (rtt_us = 100; rtt_us < 400 * MS; rtt_us *= 3) {
		for (kind = LAYA_PATH_KIND_LAN; kind < LAYA_PATH_KIND_RELAY; kind++) {
			a = usable(kind, rtt_us);
			b = usable(kind + 1, rtt_us);
			KUNIT_EXPECT_GT(test, laya_path_compare(&a, &b), 0);
			/* Slightly slower is a tie as well. */
			a.rtt_us += rtt_us / 50;
			KUNIT_EXPECT_GT(test, laya_path_compare(&a, &b), 0);
		}
	}
}

static void compare__quick_relay_beats_bad_direct(struct kunit *test)
{
	struct laya_path_rank direct = usable(LAYA_PATH_KIND_DIRECT, 200 * MS);
	struct laya_path_rank relay = usable(LAYA_PATH_KIND_RELAY, 30 * MS);

	KUNIT_EXPECT_GT(test, laya_path_compare(&relay, &direct), 0);
	KUNIT_EXPECT_TRUE(test, laya_path_better(&relay, &direct));
}

static void compare__loss(struct kunit *test)
{
	struct laya_path_rank clean = usable(LAYA_PATH_KIND_RELAY, 40 * MS);
	struct laya_path_rank lossy = usable(LAYA_PATH_KIND_DIRECT, 20 * MS);

	KUNIT_EXPECT_GT(test, laya_path_compare(&lossy, &clean), 0);
	lossy.loss_permille = 100;
	lossy.loss_packets = 1000;
	KUNIT_EXPECT_GT(test, laya_path_compare(&clean, &lossy), 0);
	KUNIT_EXPECT_TRUE(test, laya_path_better(&clean, &lossy));
}

/* Of paths that lose alike the one that seems not to is no better. */
static void compare__loss_by_chance(struct kunit *test)
{
	struct laya_path_rank relay = usable(LAYA_PATH_KIND_RELAY, 180 * MS);
	struct laya_path_rank direct = usable(LAYA_PATH_KIND_DIRECT, 180 * MS);

	relay.loss_packets = 100;
	direct.loss_permille = 50;
	direct.loss_packets = 100;
	KUNIT_EXPECT_GT(test, laya_path_compare(&direct, &relay), 0);
	KUNIT_EXPECT_TRUE(test, laya_path_better(&direct, &relay));
	/* So many are no chance. */
	direct.loss_packets = 3000;
	KUNIT_EXPECT_TRUE(test, laya_path_better(&relay, &direct));
	/* Nor is it when most are lost. */
	direct.loss_packets = 0;
	direct.loss_permille = 700;
	KUNIT_EXPECT_TRUE(test, laya_path_better(&relay, &direct));
}

static void compare__goodput(struct kunit *test)
{
	struct laya_path_rank slow = usable(LAYA_PATH_KIND_DIRECT, 20 * MS);
	struct laya_path_rank fast = usable(LAYA_PATH_KIND_DIRECT, 40 * MS);

	slow.goodput = 125000;
	slow.limited = true;
	KUNIT_EXPECT_GT(test, laya_path_compare(&slow, &fast), 0);
	/* Only when both are known. */
	fast.goodput = 2000000;
	KUNIT_EXPECT_GT(test, laya_path_compare(&fast, &slow), 0);
	KUNIT_EXPECT_TRUE(test, laya_path_better(&fast, &slow));
	/* And only when it is all that the path can. */
	slow.limited = false;
	KUNIT_EXPECT_GT(test, laya_path_compare(&slow, &fast), 0);
	slow.limited = true;
	/* It never counts for more than a multiple of the delay. */
	fast.rtt_us = 250 * MS;
	KUNIT_EXPECT_GT(test, laya_path_compare(&slow, &fast), 0);
}

static void compare__unknown_and_absurd(struct kunit *test)
{
	struct laya_path_rank known = usable(LAYA_PATH_KIND_RELAY, 100 * MS);
	struct laya_path_rank unknown = usable(LAYA_PATH_KIND_RELAY, 0);
	struct laya_path_rank absurd = {
		.state		= LAYA_PATH_STATE_USABLE,
		.kind		= 255,
		.rtt_us		= U32_MAX,
		.loss_permille	= U32_MAX,
		.goodput	= 1,
		.limited	= true,
	};

	KUNIT_EXPECT_GT(test, laya_path_compare(&known, &unknown), 0);
	KUNIT_EXPECT_GT(test, laya_path_compare(&unknown, &absurd), 0);
	known.goodput = U64_MAX;
	known.limited = true;
	KUNIT_EXPECT_GT(test, laya_path_compare(&known, &absurd), 0);
}

static void better__noise_moves_nothing(struct kunit *test)
{
	struct laya_path_rank a, b;
	u32 rtt_us;

	for (rtt_us = 200; rtt_us < 1000 * MS; rtt_us *= 2) {
		a = usable(LAYA_PATH_KIND_DIRECT, rtt_us);
		b = usable(LAYA_PATH_KIND_DIRECT, rtt_us - rtt_us / 10);
		KUNIT_EXPECT_FALSE(test, laya_path_better(&b, &a));
		KUNIT_EXPECT_FALSE(test, laya_path_better(&a, &b));
	}
}

#define N_RANKS		(6 * 6 * 3 * 3)

/* All kinds with all sorts of delay, loss and goodput. */
static struct laya_path_rank rank_number(unsigned int i)
{
	static const u32 rtts[] = { 50, 700, 3 * MS, 8 * MS, 20 * MS, 300 * MS };
	static const u32 losses[] = { 0, 10, 200 };
	static const u64 goodputs[] = { 0, 125000, 12500000 };
	struct laya_path_rank rank;

	rank = usable(LAYA_PATH_KIND_LAN + i % 6, rtts[i / 6 % 6]);
	rank.loss_permille = losses[i / 36 % 3];
	rank.loss_packets = 3000;
	rank.goodput = goodputs[i / 108];
	rank.limited = rank.goodput;
	return rank;
}

static void better__never_both_ways(struct kunit *test)
{
	struct laya_path_rank a, b;
	unsigned int i, j;

	for (i = 0; i < N_RANKS; i++) {
		for (j = 0; j < N_RANKS; j++) {
			a = rank_number(i);
			b = rank_number(j);
			if (!laya_path_better(&a, &b))
				continue;
			KUNIT_EXPECT_FALSE(test, laya_path_better(&b, &a));
			/* Who is moved to is preferred, too. */
			KUNIT_EXPECT_GT(test, laya_path_compare(&a, &b), 0);
		}
	}
}

static void better__direct_and_lan_are_taken(struct kunit *test)
{
	struct laya_path_rank relay = usable(LAYA_PATH_KIND_RELAY, 200);
	struct laya_path_rank direct = usable(LAYA_PATH_KIND_DIRECT, 150);
	struct laya_path_rank lan = usable(LAYA_PATH_KIND_LAN, 150);

	/* On networks without delay, as those of tests. */
	KUNIT_EXPECT_TRUE(test, laya_path_better(&direct, &relay));
	KUNIT_EXPECT_TRUE(test, laya_path_better(&lan, &direct));
	/* And on others. */
	relay.rtt_us = 50 * MS;
	direct.rtt_us = 50 * MS;
	KUNIT_EXPECT_TRUE(test, laya_path_better(&direct, &relay));
}

static void rtt_sample__rfc6298(struct kunit *test)
{
	u32 srtt_us = 0, rttvar_us = 0;

	laya_path_rtt_sample(&srtt_us, &rttvar_us, 80 * MS);
	KUNIT_EXPECT_EQ(test, 80 * MS, srtt_us);
	KUNIT_EXPECT_EQ(test, 40 * MS, rttvar_us);
	laya_path_rtt_sample(&srtt_us, &rttvar_us, 160 * MS);
	KUNIT_EXPECT_EQ(test, 90 * MS, srtt_us);
	KUNIT_EXPECT_EQ(test, 50 * MS, rttvar_us);
	laya_path_rtt_sample(&srtt_us, &rttvar_us, 10 * MS);
	KUNIT_EXPECT_EQ(test, 80 * MS, srtt_us);
	KUNIT_EXPECT_EQ(test, 57500, rttvar_us);
}

static void rtt_sample__bounds(struct kunit *test)
{
	u32 srtt_us = 0, rttvar_us = 0;

	/* 0 means not known: it must not come out. */
	laya_path_rtt_sample(&srtt_us, &rttvar_us, 0);
	KUNIT_EXPECT_EQ(test, 1, srtt_us);
	laya_path_rtt_sample(&srtt_us, &rttvar_us, 0);
	KUNIT_EXPECT_EQ(test, 1, srtt_us);
	laya_path_rtt_sample(&srtt_us, &rttvar_us, U32_MAX);
	KUNIT_EXPECT_LT(test, srtt_us, 60 * MS * MS);
}

static void patience__limits(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, LAYA_PROBE_MAX_MS, laya_path_patience_ms(0, 0));
	KUNIT_EXPECT_EQ(test, LAYA_PROBE_MIN_MS, laya_path_patience_ms(100, 10));
	KUNIT_EXPECT_EQ(test, 60, laya_path_patience_ms(20 * MS, 10 * MS));
	KUNIT_EXPECT_EQ(test, LAYA_PROBE_MAX_MS,
			laya_path_patience_ms(100 * MS, 200 * MS));
	/* A satellite is not suspect for being far. */
	KUNIT_EXPECT_EQ(test, 640, laya_path_patience_ms(600 * MS, 10 * MS));
	KUNIT_EXPECT_EQ(test, 900, laya_path_patience_ms(600 * MS, 400 * MS));
	KUNIT_EXPECT_GE(test, laya_path_patience_ms(U32_MAX, U32_MAX),
			LAYA_PROBE_MAX_MS);
}

static void loss_sample__follows(struct kunit *test)
{
	u32 loss = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, laya_path_loss_sample(0, 0, 0));
	KUNIT_EXPECT_EQ(test, 100, laya_path_loss_sample(100, 0, 0));
	/* More than was sent: late ones of before. */
	KUNIT_EXPECT_EQ(test, 0, laya_path_loss_sample(0, 10, 12));
	KUNIT_EXPECT_LT(test, laya_path_loss_sample(500, 10, 12), 500);
	/* A lone packet says little, many say much. */
	KUNIT_EXPECT_LT(test, laya_path_loss_sample(0, 1, 0), 20);
	KUNIT_EXPECT_EQ(test, 500, laya_path_loss_sample(0, 1000, 0));
	for (i = 0; i < 50; i++)
		loss = laya_path_loss_sample(loss, 100, 95);
	KUNIT_EXPECT_GE(test, loss, 45);
	KUNIT_EXPECT_LE(test, loss, 50);
	for (i = 0; i < 50; i++)
		loss = laya_path_loss_sample(loss, 100, 100);
	KUNIT_EXPECT_LE(test, loss, 1);
	for (i = 0; i < 50; i++)
		loss = laya_path_loss_sample(loss, 100, 0);
	KUNIT_EXPECT_LE(test, loss, 1000);
	KUNIT_EXPECT_GE(test, loss, 990);
}

/* Two relays at 20 and 18 ms, a flow that sends much for a while, then little. */
static void goodput_sample__little_to_send_moves_nothing(struct kunit *test)
{
	struct laya_path_rank paths[] = {
		usable(LAYA_PATH_KIND_RELAY, 20 * MS),
		usable(LAYA_PATH_KIND_RELAY, 18 * MS),
	};
	unsigned int second, used = 0, moves = 0;
	bool much;

	/* Both have carried all that they can, once. */
	paths[0].goodput = 10000000;
	paths[0].limited = true;
	paths[1].goodput = 10000000;
	paths[1].limited = true;
	for (second = 0; second < 600; second++) {
		much = second % 60 < 10;
		laya_path_goodput_sample(&paths[used].goodput, &paths[used].limited,
					 much ? 10000000 : 100000, much);
		if (laya_path_better(&paths[!used], &paths[used])) {
			used = !used;
			moves++;
		}
	}
	KUNIT_EXPECT_EQ(test, 0, moves);
}

static void goodput_sample__falls_when_packets_wait(struct kunit *test)
{
	u64 goodput = 0;
	bool limited = false;
	unsigned int i;

	laya_path_goodput_sample(&goodput, &limited, 5000000, false);
	KUNIT_EXPECT_EQ(test, 5000000, goodput);
	KUNIT_EXPECT_FALSE(test, limited);
	laya_path_goodput_sample(&goodput, &limited, 70000, false);
	KUNIT_EXPECT_EQ(test, 5000000, goodput);
	/* Shaped from now on */
	for (i = 0; i < 20; i++)
		laya_path_goodput_sample(&goodput, &limited, 125000, true);
	KUNIT_EXPECT_LT(test, goodput, 150000);
	KUNIT_EXPECT_GE(test, goodput, 125000);
	KUNIT_EXPECT_TRUE(test, limited);
	/* And not any more */
	laya_path_goodput_sample(&goodput, &limited, 1000000, true);
	KUNIT_EXPECT_EQ(test, 1000000, goodput);
}

static void loss_packets__count(struct kunit *test)
{
	u32 packets = 0;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0, laya_path_loss_packets(0, 0));
	KUNIT_EXPECT_EQ(test, 90, laya_path_loss_packets(90, 0));
	/* One by one they are forgotten as they come, */
	for (i = 0; i < 20; i++)
		packets = laya_path_loss_packets(packets, 1);
	KUNIT_EXPECT_GE(test, packets, 20);
	KUNIT_EXPECT_LE(test, packets, 40);
	for (i = 0; i < 1000; i++)
		packets = laya_path_loss_packets(packets, 1);
	KUNIT_EXPECT_EQ(test, 127, packets);
	/* while the last thousand is three quarters of it. */
	for (i = 0; i < 20; i++)
		packets = laya_path_loss_packets(packets, 1000);
	KUNIT_EXPECT_GE(test, packets, 2900);
	KUNIT_EXPECT_LE(test, packets, 3000);
	KUNIT_EXPECT_GT(test, laya_path_loss_packets(U32_MAX, U64_MAX), 0);
}

static void compare__streams_lose_near_ties(struct kunit *test)
{
	struct laya_path_rank udp = {
		.state	= LAYA_PATH_STATE_USABLE,
		.kind	= LAYA_PATH_KIND_RELAY,
		.rtt_us	= 20000,
	};
	struct laya_path_rank stream = udp;

	stream.stream = true;
	KUNIT_EXPECT_GT(test, laya_path_compare(&udp, &stream), 0);
	KUNIT_EXPECT_TRUE(test, laya_path_better(&udp, &stream));
	/* Far quicker, it is worth it; and so it is when the other loses */
	stream.rtt_us = 5000;
	KUNIT_EXPECT_GT(test, laya_path_compare(&stream, &udp), 0);
	stream.rtt_us = 20000;
	udp.loss_permille = 50;
	udp.loss_packets = 1000;
	KUNIT_EXPECT_GT(test, laya_path_compare(&stream, &udp), 0);
}

static struct kunit_case path_rank_cases[] = {
	KUNIT_CASE(compare__state_before_all),
	KUNIT_CASE(compare__equal),
	KUNIT_CASE(compare__kind_breaks_ties),
	KUNIT_CASE(compare__quick_relay_beats_bad_direct),
	KUNIT_CASE(compare__loss),
	KUNIT_CASE(compare__loss_by_chance),
	KUNIT_CASE(compare__goodput),
	KUNIT_CASE(compare__unknown_and_absurd),
	KUNIT_CASE(better__noise_moves_nothing),
	KUNIT_CASE(better__never_both_ways),
	KUNIT_CASE(better__direct_and_lan_are_taken),
	KUNIT_CASE(rtt_sample__rfc6298),
	KUNIT_CASE(rtt_sample__bounds),
	KUNIT_CASE(patience__limits),
	KUNIT_CASE(loss_packets__count),
	KUNIT_CASE(loss_sample__follows),
	KUNIT_CASE(goodput_sample__little_to_send_moves_nothing),
	KUNIT_CASE(goodput_sample__falls_when_packets_wait),
	KUNIT_CASE(compare__streams_lose_near_ties),
	{}
};

static struct kunit_suite path_rank_suite = {
	.name = "laya_path_rank",
	.test_cases = path_rank_cases,
};

kunit_test_suite(path_rank_suite);
