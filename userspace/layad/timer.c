// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "timer.h"

struct timer {
	uv_timer_t handle;
	void (*expired)(void *data);
	void *data;
};

static void on_expired(uv_timer_t *handle)
{
	struct timer *timer = handle->data;

	timer->expired(timer->data);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/**
 * timer_new() - make a timer that does not run yet
 * @loop: the loop
 * @expired: what to call
 * @data: its argument
 *
 * Return: the timer; NULL without memory.
 */
struct timer *timer_new(uv_loop_t *loop, void (*expired)(void *data),
			void *data)
{
	struct timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	if (uv_timer_init(loop, &timer->handle)) {
		free(timer);
		return NULL;
	}
	timer->handle.data = timer;
	timer->expired = expired;
	timer->data = data;
	return timer;
}

/**
 * timer_start() - let it expire once, instead of what was set before
 * @timer: the timer
 * @ms: in so many milliseconds
 */
void timer_start(struct timer *timer, uint64_t ms)
{
	/* The loop's idea of now may be as old as this turn of it. */
	uv_update_time(timer->handle.loop);
	uv_timer_start(&timer->handle, on_expired, ms, 0);
}

/**
 * timer_stop() - do not let it expire
 * @timer: the timer
 */
void timer_stop(struct timer *timer)
{
	uv_timer_stop(&timer->handle);
}

/**
 * timer_pending() - will it expire
 * @timer: the timer
 *
 * Return: whether it will.
 */
bool timer_pending(const struct timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->handle);
}

/**
 * timer_free() - give it back; nothing is called after this
 * @timer: the timer, or NULL
 */
void timer_free(struct timer *timer)
{
	if (!timer)
		return;
	uv_timer_stop(&timer->handle);
	uv_close((uv_handle_t *)&timer->handle, on_closed);
}
