// SPDX-License-Identifier: GPL-2.0
/* Events of the kernel. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "netlink_socket.h"

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/**
 * laya_nl_events_open() - open the socket for events
 * @nl: the connection
 * @ops: what to do about them; copied
 * @ctx: for @ops
 *
 * Nothing arrives before laya_nl_device_claim() or laya_nl_events_monitor().
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_events_open(struct laya_nl *nl,
			const struct laya_nl_event_ops *ops, void *ctx)
{
	int err;

	if (nl->events)
		return laya_nl_fail(nl, -EBUSY, "events: open already");

	nl->events = laya_nl_socket(NETLINK_GENERIC, &err);
	if (!nl->events)
		return laya_nl_fail(nl, err, "events: %s", strerror(-err));

	nl->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	nl->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (nl->event_fd < 0 || nl->epoll_fd < 0 ||
	    watch(nl->epoll_fd, nl->event_fd) ||
	    watch(nl->epoll_fd, nl_socket_get_fd(nl->events))) {
		err = laya_nl_fail(nl, -errno, "events: %s", strerror(errno));
		goto err_close;
	}
	nl->ops = *ops;
	nl->ctx = ctx;
	return 0;

err_close:
	if (nl->epoll_fd >= 0)
		close(nl->epoll_fd);
	if (nl->event_fd >= 0)
		close(nl->event_fd);
	nl->epoll_fd = -1;
	nl->event_fd = -1;
	nl_socket_free(nl->events);
	nl->events = NULL;
	return err;
}

/**
 * laya_nl_events_monitor() - hear the events of all devices
 * @nl: the connection, with laya_nl_events_open()
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_events_monitor(struct laya_nl *nl)
{
	int saved;

	if (!nl->events || nl->monitor < 0)
		return laya_nl_fail(nl, -EINVAL, "monitor: no such group");
	errno = 0;
	if (nl_socket_add_membership(nl->events, nl->monitor)) {
		saved = errno ? errno : EIO;
		return laya_nl_fail(nl, -saved, "monitor: %s",
				    saved == EPERM ?
				    "not permitted: this needs CAP_NET_ADMIN, run it as root" :
				    strerror(saved));
	}
	return 0;
}

/**
 * laya_nl_events_fd() - what to wait for, until it is readable
 * @nl: the connection
 *
 * Return: a file descriptor that stays @nl's, or -1 before
 * laya_nl_events_open().
 */
int laya_nl_events_fd(const struct laya_nl *nl)
{
	return nl->epoll_fd;
}

static int dispatch(struct laya_nl *nl, const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = nlmsg_data(message);
	const uint8_t *attrs = (const uint8_t *)header + GENL_HDRLEN;
	int len = nlmsg_datalen(message) - GENL_HDRLEN;
	struct laya_nl_session session;
	struct laya_nl_carrier carrier;
	struct laya_nl_path path;
	struct laya_nl_peer peer;
	int err = 0;

	if (len < 0)
		return -EBADMSG;
	switch (header->cmd) {
	case LAYA_CMD_PEER_WANTED:
		err = laya_nl_decode_peer(&peer, attrs, len);
		if (!err && nl->ops.peer_wanted)
			nl->ops.peer_wanted(nl->ctx, &peer);
		break;
	case LAYA_CMD_SESSION_AGING:
		err = laya_nl_decode_session(&session, attrs, len);
		if (!err && nl->ops.session_aging)
			nl->ops.session_aging(nl->ctx, &session);
		break;
	case LAYA_CMD_PATH_CHANGED:
		err = laya_nl_decode_path(&path, attrs, len);
		if (!err && nl->ops.path_changed)
			nl->ops.path_changed(nl->ctx, &path);
		break;
	case LAYA_CMD_CARRIER_LOST:
		err = laya_nl_decode_carrier(&carrier, attrs, len);
		if (!err && nl->ops.carrier_lost)
			nl->ops.carrier_lost(nl->ctx, &carrier);
		break;
	}
	return err;
}

/**
 * laya_nl_events_dispatch() - call back for what has arrived; never waits
 * @nl: the connection; not to be closed by a callback
 *
 * Return: 0; -EBADMSG if an event was malformed, when the others have been
 * handled all the same; or another negative errno.
 */
int laya_nl_events_dispatch(struct laya_nl *nl)
{
	struct laya_nl_messages queue;
	struct nlmsghdr *message;
	uint64_t count;
	int result;
	int len;

	if (!nl->events)
		return laya_nl_fail(nl, -EINVAL, "events: not open");
	result = laya_nl_drain(nl);

	/* What callbacks' requests bring in is for the next time. */
	if (read(nl->event_fd, &count, sizeof(count)) < 0)
		count = 0;
	queue = nl->queue;
	nl->queue = (struct laya_nl_messages){};

	message = (struct nlmsghdr *)queue.data;
	len = queue.len;
	for (; nlmsg_ok(message, len); message = nlmsg_next(message, &len))
		if (dispatch(nl, message))
			result = laya_nl_fail(nl, -EBADMSG,
					      "events: malformed");
	laya_nl_messages_free(&queue);

	if (nl->overrun) {
		nl->overrun = false;
		if (nl->ops.overrun)
			nl->ops.overrun(nl->ctx);
	}
	return result;
}
