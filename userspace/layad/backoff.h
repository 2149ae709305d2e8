/* SPDX-License-Identifier: GPL-2.0 */
/* How long to wait before trying again what failed. */
#ifndef LAYAD_BACKOFF_H
#define LAYAD_BACKOFF_H

#include <stdint.h>

/**
 * struct backoff - waits that double, jittered
 * @base: first wait in milliseconds
 * @max: longest one
 * @tries: failures so far
 */
struct backoff {
	uint32_t base;
	uint32_t max;
	unsigned int tries;
};

void backoff_init(struct backoff *backoff, uint32_t base, uint32_t max);
void backoff_reset(struct backoff *backoff);
uint32_t backoff_next(struct backoff *backoff);
uint32_t backoff_next_of(struct backoff *backoff, uint32_t random);

#endif /* LAYAD_BACKOFF_H */
