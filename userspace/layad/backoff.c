// SPDX-License-Identifier: GPL-2.0
#include <sodium.h>

#include "backoff.h"

/**
 * backoff_init() - begin
 * @backoff: the state
 * @base: first wait in milliseconds, not 0
 * @max: longest one
 */
void backoff_init(struct backoff *backoff, uint32_t base, uint32_t max)
{
	backoff->base = base;
	backoff->max = max;
	backoff->tries = 0;
}

/**
 * backoff_reset() - it worked: the next failure is the first again
 * @backoff: the state
 */
void backoff_reset(struct backoff *backoff)
{
	backoff->tries = 0;
}

/**
 * backoff_next_of() - it failed: how long to wait
 * @backoff: the state
 * @random: any number; it chooses a point in the upper half of the wait, so
 *	that those who failed together do not come back together
 *
 * Return: milliseconds.
 */
uint32_t backoff_next_of(struct backoff *backoff, uint32_t random)
{
	uint64_t wait = backoff->base;

	if (backoff->tries < 32)
		wait <<= backoff->tries++;
	else
		wait = backoff->max;
	if (wait > backoff->max)
		wait = backoff->max;
	return wait - wait / 2 + random % (wait / 2 + 1);
}

/**
 * backoff_next() - it failed: how long to wait
 * @backoff: the state
 *
 * Return: milliseconds.
 */
uint32_t backoff_next(struct backoff *backoff)
{
	return backoff_next_of(backoff, randombytes_random());
}
