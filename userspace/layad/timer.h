/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One-shot timers on the loop that may be freed at any time, in their own
 * callback too: libuv wants its handles for a while after they are closed.
 */
#ifndef LAYAD_TIMER_H
#define LAYAD_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct timer;

struct timer *timer_new(uv_loop_t *loop, void (*expired)(void *data),
			void *data);
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);
bool timer_pending(const struct timer *timer);
void timer_free(struct timer *timer);

#endif /* LAYAD_TIMER_H */
