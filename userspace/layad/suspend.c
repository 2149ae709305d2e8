// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "node.h"
#include "suspend.h"

/* Less is the time between looking at one clock and at the other. */
#define LEAST_MS	1000
#define NS_PER_MS	1000000
/* Never reached; but not so far that the kernel cannot count to it */
#define FAR_S		(1 << 30)

/**
 * struct suspend - looks whether this machine has been suspended
 * @node: ours
 * @fd: a timer that ends at once when the time of day is set, or kept going while
 *	nothing else did (TFD_TIMER_CANCEL_ON_SET): so nothing has to look all the time
 * @poll: on @fd
 * @asleep: nanoseconds that this machine was suspended for, ever
 */
struct suspend {
	struct node *node;
	int fd;
	uv_poll_t poll;
	uint64_t asleep;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {};

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/**
 * suspend_slept_ms() - has this machine been suspended
 * @asleep: nanoseconds that it was, ever, when this was asked last; changed
 * @boot: CLOCK_BOOTTIME, which goes on meanwhile
 * @monotonic: CLOCK_MONOTONIC, which does not
 *
 * Return: for how long since then, in milliseconds; 0 if it was not.
 */
uint64_t suspend_slept_ms(uint64_t *asleep, uint64_t boot, uint64_t monotonic)
{
	/* In a time namespace either clock may be ahead of the other */
	int64_t slept = boot - monotonic - *asleep;

	*asleep = boot - monotonic;
	return slept < (int64_t)LEAST_MS * NS_PER_MS ? 0 : slept / NS_PER_MS;
}

static uint64_t look(struct suspend *suspend)
{
	uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);

	return suspend_slept_ms(&suspend->asleep, clock_ns(CLOCK_BOOTTIME),
				monotonic);
}

static int arm(struct suspend *suspend)
{
	struct itimerspec far = {
		.it_value.tv_sec = time(NULL) + FAR_S,
	};

	if (timerfd_settime(suspend->fd,
			    TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
			    NULL))
		return -errno;
	return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct suspend *suspend = poll->data;
	uint64_t expired;
	uint64_t slept;

	(void)status;
	(void)events;
	if (read(suspend->fd, &expired, sizeof(expired)) < 0 && errno == EAGAIN)
		return;
	if (arm(suspend))
		uv_poll_stop(&suspend->poll);
	slept = look(suspend);
	if (slept)
		node_resumed(suspend->node, slept);
}

static void on_closed(uv_handle_t *handle)
{
	struct suspend *suspend = handle->data;

	close(suspend->fd);
	free(suspend);
}

/**
 * suspend_start() - look whether this machine is suspended and resumed
 * @node: ours; node_resumed() each time
 *
 * Return: 0, or a negative errno, which was logged.
 */
int suspend_start(struct node *node)
{
	struct suspend *suspend = calloc(1, sizeof(*suspend));
	int ret;

	if (!suspend)
		return -ENOMEM;
	suspend->node = node;
	look(suspend);
	suspend->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (suspend->fd < 0) {
		ret = -errno;
		goto err_free;
	}
	ret = arm(suspend);
	if (!ret)
		ret = uv_poll_init(node->loop, &suspend->poll, suspend->fd);
	if (ret)
		goto err_close;
	suspend->poll.data = suspend;
	uv_poll_start(&suspend->poll, UV_READABLE, on_poll);
	node->suspend = suspend;
	return 0;

err_close:
	close(suspend->fd);
err_free:
	free(suspend);
	laya_error("cannot watch the clock: %s", uv_strerror(ret));
	return ret;
}

/**
 * suspend_stop() - look no more
 * @node: ours
 */
void suspend_stop(struct node *node)
{
	struct suspend *suspend = node->suspend;

	if (!suspend)
		return;
	node->suspend = NULL;
	uv_close((uv_handle_t *)&suspend->poll, on_closed);
}
