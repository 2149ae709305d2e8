/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controlled delay (RFC 8289): which packets of a queue are dropped, so that a queue
 * does not stand. Pure.
 */
#ifndef _LAYA_CODEL_H
#define _LAYA_CODEL_H

#include <linux/types.h>

/**
 * struct laya_codel_params - what a queue may cost
 * @target_ns: Delay that is put up with, of a queue that stands.
 * @interval_ns: For how long, before something is dropped: a round trip of those
 *	who send.
 */
struct laya_codel_params {
	u64	target_ns;
	u64	interval_ns;
};

/**
 * struct laya_codel - how a queue has been doing; all zero at first
 * @above: When the delay will have been above the target for an interval; 0 while it
 *	is below.
 * @next: When to drop the next one, or to have dropped the last.
 * @count: Packets dropped since the queue began to stand.
 * @last_count: What @count began with.
 * @dropping: The queue stands, and packets are being dropped.
 */
struct laya_codel {
	u64	above;
	u64	next;
	u32	count;
	u32	last_count;
	bool	dropping;
};

/* Ask when a packet leaves the queue, of each. */
bool laya_codel_drops(struct laya_codel *codel,
		      const struct laya_codel_params *params, u64 now,
		      u64 waited, unsigned int behind);

#endif /* _LAYA_CODEL_H */
