// SPDX-License-Identifier: GPL-2.0
/*
 * Which of two paths is better. Pure.
 *
 * Paths are compared by what they would cost a packet, in microseconds: the
 * round trip, more by what is lost, and more by how much longer a burst takes than
 * on the other path, where that was seen to carry more and this could not. A path
 * that had little to carry looks just like a narrow one, save that no packet waits.
 * A forwarder's time and bandwidth belong to somebody, and a detour is one even when
 * it is quick, so kinds add a little: enough to settle near ties, not enough to keep
 * a bad direct path against a good relay. So do streams: what is lost there is not
 * lost, but holds up all that comes after.
 */

#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "path.h"

#define RANK_BASE_US		1000	/* so that noise below it means little */
#define RANK_UNKNOWN_RTT_US	300000
#define RANK_BURST_BYTES	65536
#define RANK_BURST_TIMES	8	/* most that it counts, as a multiple of the rest */
#define RANK_STEP_US		500	/* least gain worth a move */
#define RANK_STREAM_US		1000
/* Packets that a path which has not carried any is trusted for. */
#define RANK_LOSS_PACKETS	16

static const struct {
	u8	percent;
	u16	us;
} rank_kinds[] = {
	[LAYA_PATH_KIND_LAN]		= { 0, 0 },
	[LAYA_PATH_KIND_DIRECT]		= { 10, 500 },
	[LAYA_PATH_KIND_MAPPED]		= { 15, 1000 },
	[LAYA_PATH_KIND_GATEWAY]	= { 20, 1500 },
	[LAYA_PATH_KIND_PEER_RELAY]	= { 40, 3000 },
	[LAYA_PATH_KIND_RELAY]		= { 50, 4000 },
};

static unsigned int rank_state(u8 state)
{
	switch (state) {
	case LAYA_PATH_STATE_USABLE:
		return 3;
	case LAYA_PATH_STATE_SUSPECT:
		return 2;
	case LAYA_PATH_STATE_PROBING:
		return 1;
	default:
		return 0;
	}
}

/*
 * What of the loss is no chance: three standard errors less than was seen. Of several
 * paths that lose alike one always seems to lose less, and most of them are detours.
 */
static u32 rank_loss(const struct laya_path_rank *rank)
{
	u32 loss = min_t(u32, rank->loss_permille, 1000);
	u32 chance = 3 * int_sqrt(loss * (1000 - loss) /
				  (rank->loss_packets ?: RANK_LOSS_PACKETS));

	return loss > chance ? loss - chance : 0;
}

/* How much longer a burst takes than on @other, which was seen to carry more. */
static u64 rank_burst_us(const struct laya_path_rank *rank,
			 const struct laya_path_rank *other)
{
	u64 bytes = (u64)RANK_BURST_BYTES * USEC_PER_SEC;

	if (!rank->limited || !rank->goodput || other->goodput <= rank->goodput)
		return 0;
	return div64_u64(bytes, rank->goodput) - div64_u64(bytes, other->goodput);
}

static u64 rank_cost(const struct laya_path_rank *rank,
		     const struct laya_path_rank *other)
{
	u64 cost;
	u8 kind;

	cost = (u64)(rank->rtt_us ?: RANK_UNKNOWN_RTT_US) + RANK_BASE_US;
	/* One percent lost halves what TCP gets out of a path, more or less. */
	cost += div_u64(cost * rank_loss(rank), 10);
	cost += min(rank_burst_us(rank, other), RANK_BURST_TIMES * cost);
	kind = rank->kind < ARRAY_SIZE(rank_kinds) ? rank->kind :
						     LAYA_PATH_KIND_RELAY;
	cost += div_u64(cost * rank_kinds[kind].percent, 100) +
		rank_kinds[kind].us;
	return rank->stream ? cost + cost / 4 + RANK_STREAM_US : cost;
}

/**
 * laya_path_compare - which path is better?
 * @a: One.
 * @b: The other.
 *
 * Return: Positive when @a is, negative when @b is, 0 when neither.
 */
int laya_path_compare(const struct laya_path_rank *a,
		      const struct laya_path_rank *b)
{
	u64 cost_a, cost_b;

	if (rank_state(a->state) != rank_state(b->state))
		return rank_state(a->state) > rank_state(b->state) ? 1 : -1;
	cost_a = rank_cost(a, b);
	cost_b = rank_cost(b, a);
	if (cost_a == cost_b)
		return 0;
	return cost_a < cost_b ? 1 : -1;
}

/**
 * laya_path_better - should traffic move?
 * @to: There.
 * @from: From here.
 *
 * Return: True when @from is in a worse state, or @to is so much cheaper that it
 * is worth a move: never true both ways.
 */
bool laya_path_better(const struct laya_path_rank *to,
		      const struct laya_path_rank *from)
{
	u64 cost_to, cost_from;

	if (rank_state(to->state) != rank_state(from->state))
		return rank_state(to->state) > rank_state(from->state);
	cost_to = rank_cost(to, from);
	cost_from = rank_cost(from, to);
	return cost_to + max_t(u64, cost_from / 8, RANK_STEP_US) < cost_from;
}

/**
 * laya_path_rtt_sample - take a round-trip time into account (RFC 6298, 2)
 * @srtt_us: Smoothed; 0 before the first sample.
 * @rttvar_us: Its mean deviation.
 * @sample_us: What was measured.
 */
void laya_path_rtt_sample(u32 *srtt_us, u32 *rttvar_us, u32 sample_us)
{
	u32 off;

	/* 0 means not known, and nothing takes longer than a minute. */
	sample_us = clamp_t(u32, sample_us, 1, 60 * USEC_PER_SEC);
	if (!*srtt_us) {
		*srtt_us = sample_us;
		*rttvar_us = sample_us / 2;
		return;
	}
	off = sample_us > *srtt_us ? sample_us - *srtt_us : *srtt_us - sample_us;
	*rttvar_us = (3 * *rttvar_us + off) / 4;
	*srtt_us = max_t(u32, (7 * (u64)*srtt_us + sample_us) / 8, 1);
}

/**
 * laya_path_patience_ms - how long to wait for the answer to a probe
 * @srtt_us: Smoothed round-trip time; 0 is not known.
 * @rttvar_us: Its mean deviation.
 *
 * Return: Milliseconds. Beyond LAYA_PROBE_MAX_MS only on a path whose very round
 * trip takes about as long.
 */
unsigned int laya_path_patience_ms(u32 srtt_us, u32 rttvar_us)
{
	u32 most = max_t(u32, LAYA_PROBE_MAX_MS,
			 (srtt_us + srtt_us / 2) / USEC_PER_MSEC);
	u64 wait;

	if (!srtt_us)
		return LAYA_PROBE_MAX_MS;
	wait = DIV_ROUND_UP_ULL(srtt_us + 4 * (u64)rttvar_us, USEC_PER_MSEC);
	return clamp_t(u64, wait, LAYA_PROBE_MIN_MS, most);
}

/**
 * laya_path_loss_packets - how many packets the smoothed loss tells of
 * @packets: So many before; 0 at first.
 * @tx: Packets sent since the last sample.
 *
 * As laya_path_loss_sample() weighs them: from so many independent packets an average
 * would be as sure.
 *
 * Return: So many now.
 */
u32 laya_path_loss_packets(u32 packets, u64 tx)
{
	u64 n = packets ?: RANK_LOSS_PACKETS;
	u64 weight = min_t(u64, tx, 32);

	if (!tx)
		return packets;
	/* Variances add up, by the squares of their weights. */
	tx = min_t(u64, tx, U16_MAX);
	return DIV64_U64_ROUND_UP(64 * 64 * n * tx,
				  (64 - weight) * (64 - weight) * tx +
				  weight * weight * n);
}

/**
 * laya_path_loss_sample - take lost packets into account
 * @loss_permille: Smoothed loss.
 * @tx: Packets sent since the last sample.
 * @rx: How many of them arrived; more when some are of before.
 *
 * Return: The new smoothed loss. The more packets tell, the more they count.
 */
u32 laya_path_loss_sample(u32 loss_permille, u64 tx, u64 rx)
{
	s64 sample = 0, weight;

	if (!tx)
		return loss_permille;
	if (rx < tx)
		sample = div64_u64((tx - rx) * 1000, tx);
	weight = min_t(u64, tx, 32);
	return loss_permille + div_s64((sample - loss_permille) * weight, 64);
}

/**
 * laya_path_goodput_sample - take what arrived into account
 * @goodput: Bytes a second; 0 is not known.
 * @limited: Whether that is all that the path can.
 * @rate: Bytes a second that arrived now.
 * @queued: Packets waited on the way. When not, there was no more to carry.
 */
void laya_path_goodput_sample(u64 *goodput, bool *limited, u64 rate, bool queued)
{
	/* What a path once carried it can, unless it is seen not to. */
	if (rate >= *goodput)
		*goodput = rate;
	else if (queued)
		*goodput -= (*goodput - rate) / 4;
	*limited = queued;
}
