// SPDX-License-Identifier: GPL-2.0
/*
 * Replay windows after RFC 6479: a ring of words that is never shifted. Moving
 * the window on only clears the words that it runs into, and one word is always
 * given up so that the newest one may be partly in the future.
 */

#include <linux/bitops.h>
#include <linux/string.h>

#include "replay.h"

#define PATH_ID_MASK	0x7fff		/* the top bit names the dialler */
#define PATH_ID_HALF	0x4000

/**
 * laya_replay_init - forget everything
 * @replay: Window.
 */
void laya_replay_init(struct laya_replay *replay)
{
	memset(replay, 0, sizeof(*replay));
}

/**
 * laya_replay_plausible - may a packet be new?
 * @replay: Window.
 * @counter: Of the packet, which is not authenticated yet.
 *
 * Return: False when it is not new; nothing is marked.
 */
bool laya_replay_plausible(const struct laya_replay *replay, u64 counter)
{
	if (!counter)
		return false;
	if (counter > replay->highest)
		return true;
	if (replay->highest - counter >= LAYA_REPLAY_WINDOW)
		return false;
	return !test_bit(counter % LAYA_REPLAY_BITS, replay->bitmap);
}

/**
 * laya_replay_check - is an authenticated packet new?
 * @replay: Window.
 * @counter: Of the packet. 0 is never new: counters start at 1.
 *
 * Return: True when it is; it is marked as seen then.
 */
bool laya_replay_check(struct laya_replay *replay, u64 counter)
{
	u64 word, steps;

	if (!laya_replay_plausible(replay, counter))
		return false;
	if (counter > replay->highest) {
		word = replay->highest / BITS_PER_LONG;
		steps = counter / BITS_PER_LONG - word;
		if (steps >= LAYA_REPLAY_WORDS)
			memset(replay->bitmap, 0, sizeof(replay->bitmap));
		else
			while (steps--)
				replay->bitmap[++word % LAYA_REPLAY_WORDS] = 0;
		replay->highest = counter;
	}
	__set_bit(counter % LAYA_REPLAY_BITS, replay->bitmap);
	return true;
}

/**
 * laya_path_ids_accept - may an id found a new path in a session?
 * @ids: What the session has seen.
 * @id: The id; its top bit is not looked at, since all that the far side dials
 *	have the same.
 *
 * Newer and older are those of serial numbers (RFC 1982) of 15 bits. An id much
 * older than the newest may have been seen and is refused.
 *
 * Return: True when it was not seen before; it is marked as seen then.
 */
bool laya_path_ids_accept(struct laya_path_ids *ids, u16 id)
{
	u16 ahead, behind;

	id &= PATH_ID_MASK;
	if (!id)
		return false;
	if (!ids->any) {
		ids->any = true;
		ids->highest = id;
		ids->seen = 1;
		return true;
	}
	ahead = (id - ids->highest) & PATH_ID_MASK;
	if (ahead && ahead < PATH_ID_HALF) {
		ids->seen = ahead < 64 ? ids->seen << ahead : 0;
		ids->seen |= 1;
		ids->highest = id;
		return true;
	}
	behind = (ids->highest - id) & PATH_ID_MASK;
	if (behind >= 64 || ids->seen & BIT_ULL(behind))
		return false;
	ids->seen |= BIT_ULL(behind);
	return true;
}
