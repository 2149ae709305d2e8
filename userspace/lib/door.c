// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"
#include "transport.h"

#define BACKLOG		512
#define REST_MS		500
/* Others on the loop have their turn after so many. */
#define MOST_AT_ONCE	64

/* Lifetime: one reference for each of the two handles. */
struct laya_door {
	struct laya_door_ops ops;
	void *data;
	unsigned int refs;
	bool closed;
	int fd;
	uv_poll_t poll;
	uv_timer_t rest;
	struct laya_address address;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void on_closed(uv_handle_t *handle)
{
	struct laya_door *door = handle->data;

	if (--door->refs == 0)
		free(door);
}

static void on_rested(uv_timer_t *timer)
{
	struct laya_door *door = timer->data;

	uv_poll_start(&door->poll, UV_READABLE, on_poll);
}

static void rest(struct laya_door *door)
{
	uv_poll_stop(&door->poll);
	uv_timer_start(&door->rest, on_rested, REST_MS, 0);
	if (door->ops.resting)
		door->ops.resting(door->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct laya_door *door = poll->data;
	struct laya_address remote;
	struct sockaddr_storage ss;
	socklen_t size;
	unsigned int i;
	int fd;

	(void)status;
	(void)events;
	for (i = 0; i < MOST_AT_ONCE && !door->closed; i++) {
		size = sizeof(ss);
		fd = accept4(door->fd, (struct sockaddr *)&ss, &size,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			laya_address_from_sockaddr(&remote,
						   (struct sockaddr *)&ss);
			door->ops.came(fd, &remote, door->data);
			continue;
		}
		switch (errno) {
		case EAGAIN:
			return;
		case EMFILE:
		case ENFILE:
		case ENOMEM:
		case ENOBUFS:
			rest(door);
			return;
		default:
			/* That connection was broken; not the socket. */
			break;
		}
	}
}

static int make_socket(const struct laya_address *address, bool both)
{
	struct sockaddr_storage ss;
	int v6only = !both;
	socklen_t size;
	int one = 1;
	int fd;
	int ret;

	size = laya_address_to_sockaddr(address, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	/* Also for whoever connects on behalf of others, as proxies do */
	laya_transport_limit_segments(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (ss.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
			sizeof(v6only))) ||
	    bind(fd, (struct sockaddr *)&ss, size) || listen(fd, BACKLOG)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

/**
 * laya_door_open() - listen
 * @door: where to put the door
 * @loop: the loop
 * @address: where; port 0 takes a free one
 * @both: "::" takes IPv4 too
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0 or a negative errno.
 */
int laya_door_open(struct laya_door **door, uv_loop_t *loop,
		   const struct laya_address *address, bool both,
		   const struct laya_door_ops *ops, void *data)
{
	struct laya_door *new = calloc(1, sizeof(*new));
	struct sockaddr_storage ss;
	socklen_t size = sizeof(ss);
	int ret;

	if (!new)
		return -ENOMEM;
	ret = make_socket(address, both);
	if (ret < 0)
		goto err_free;
	new->fd = ret;
	new->ops = *ops;
	new->data = data;
	if (getsockname(new->fd, (struct sockaddr *)&ss, &size)) {
		ret = -errno;
		goto err_close;
	}
	laya_address_from_sockaddr(&new->address, (struct sockaddr *)&ss);
	ret = uv_poll_init(loop, &new->poll, new->fd);
	if (ret)
		goto err_close;
	uv_timer_init(loop, &new->rest);
	new->poll.data = new;
	new->rest.data = new;
	new->refs = 2;
	ret = uv_poll_start(&new->poll, UV_READABLE, on_poll);
	if (ret) {
		laya_door_close(new);
		return ret;
	}
	*door = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return ret;
}

/**
 * laya_door_close() - listen no more
 * @door: the door; the pointer is dead after this
 */
void laya_door_close(struct laya_door *door)
{
	door->closed = true;
	uv_close((uv_handle_t *)&door->poll, on_closed);
	uv_close((uv_handle_t *)&door->rest, on_closed);
	close(door->fd);
}

/**
 * laya_door_address() - where it is
 * @door: the door
 *
 * Return: its address, with the port that it really has.
 */
const struct laya_address *laya_door_address(const struct laya_door *door)
{
	return &door->address;
}
