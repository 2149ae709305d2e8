// SPDX-License-Identifier: GPL-2.0
/*
 * CoDel, after RFC 8289, 5. The kernel's own (net/codel_impl.h) takes whole skbs out
 * of a queue and reads the clock; here a packet is a part of a run, which is cut as
 * it is written.
 */
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "codel.h"

/* Less than a packet behind it is no queue. */
#define CODEL_MTU	1500
/* Roots of so many are as good as those of more. */
#define CODEL_COUNT_MAX	10000U

/* The more were dropped in vain, the sooner the next one is. */
static u64 codel_next(const struct laya_codel *codel,
		      const struct laya_codel_params *params, u64 since)
{
	/* In 256ths, since the root of 2 is not 1 */
	return since + div_u64(params->interval_ns * 256,
			       int_sqrt(min(codel->count, CODEL_COUNT_MAX) << 16));
}

/* Has the delay been above the target for an interval? */
static bool codel_stands(struct laya_codel *codel,
			 const struct laya_codel_params *params, u64 now,
			 u64 waited, unsigned int behind)
{
	if (waited < params->target_ns || behind <= CODEL_MTU) {
		codel->above = 0;
		return false;
	}
	if (!codel->above) {
		codel->above = now + params->interval_ns;
		return false;
	}
	return now >= codel->above;
}

/**
 * laya_codel_drops - is a packet to be dropped?
 * @codel: Of its queue.
 * @params: Of its queue.
 * @now: Nanoseconds of a clock.
 * @waited: How long the packet was there.
 * @behind: Bytes that are left in the queue without it.
 *
 * Return: True when it is to be dropped; then ask of the next one. When not, the
 * packet leaves.
 */
bool laya_codel_drops(struct laya_codel *codel,
		      const struct laya_codel_params *params, u64 now,
		      u64 waited, unsigned int behind)
{
	u32 before;

	if (!codel_stands(codel, params, now, waited, behind)) {
		codel->dropping = false;
		return false;
	}
	if (codel->dropping) {
		if (now < codel->next)
			return false;
		if (codel->count < CODEL_COUNT_MAX)
			codel->count++;
		codel->next = codel_next(codel, params, codel->next);
		return true;
	}
	/* It stood a moment ago: go on about where that ended. */
	before = codel->count - codel->last_count;
	if (before > 1 && now < codel->next + 16 * params->interval_ns)
		codel->count = before;
	else
		codel->count = 1;
	codel->last_count = codel->count;
	codel->dropping = true;
	codel->next = codel_next(codel, params, now);
	return true;
}
