/* SPDX-License-Identifier: GPL-2.0 */
/* Replay window: RFC 6479. */
#ifndef _LAYA_REPLAY_H
#define _LAYA_REPLAY_H

#include <linux/types.h>

#define LAYA_REPLAY_BITS	2048	/* of bitmap; the window is one word less */
#define LAYA_REPLAY_WORDS	(LAYA_REPLAY_BITS / BITS_PER_LONG)
#define LAYA_REPLAY_WINDOW	(LAYA_REPLAY_BITS - BITS_PER_LONG)

/**
 * struct laya_replay - which counters have been seen
 * @highest: The highest counter seen.
 * @bitmap: A ring of bits, indexed by counter.
 */
struct laya_replay {
	u64		highest;
	unsigned long	bitmap[LAYA_REPLAY_WORDS];
};

void laya_replay_init(struct laya_replay *replay);
/* True when @counter is new; marks it. Only for authenticated packets. */
bool laya_replay_check(struct laya_replay *replay, u64 counter);
/* True when @counter could be new; marks nothing: a cheap test beforehand. */
bool laya_replay_plausible(const struct laya_replay *replay, u64 counter);

/**
 * struct laya_path_ids - which path ids a session has seen the far side use
 * @highest: The newest, of 15 bits, in serial-number order (RFC 1982).
 * @seen: Bit n: @highest - n was seen.
 * @any: @highest is valid.
 *
 * An id that was seen is not taken for a new path again, so a dropped path's
 * packets cannot be replayed against a fresh replay window.
 */
struct laya_path_ids {
	u64	seen;
	u16	highest;
	bool	any;
};

/* True when @id may found a new path in this session; marks it as seen. */
bool laya_path_ids_accept(struct laya_path_ids *ids, u16 id);

#endif /* _LAYA_REPLAY_H */
