// SPDX-License-Identifier: GPL-2.0
/*
 * One request, its answers, and what the kernel says about a failure.
 *
 * libnl's own receive loop is not used, since it drops the text and the
 * attribute of an extended acknowledgement, and the error at the end of a
 * dump.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <linux/netlink.h>

#include "netlink_socket.h"

/* The kernel answers while the request is being sent, so this is for bugs. */
#define ANSWER_MS	5000
/* Of an owner that does not read its events */
#define MAX_QUEUE	(4 * 1024 * 1024)
#define RECEIVE_BUFFER	(1024 * 1024)

/**
 * laya_nl_fail() - remember what failed
 * @nl: the connection
 * @err: negative errno
 * @format: in words
 *
 * Return: @err.
 */
int laya_nl_fail(struct laya_nl *nl, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(nl->error, sizeof(nl->error), format, args);
	va_end(args);
	return err;
}

/**
 * laya_nl_socket() - open a netlink socket that does not block
 * @protocol: NETLINK_GENERIC or NETLINK_ROUTE
 * @err: where to put a negative errno
 *
 * Return: the socket, or NULL.
 */
struct nl_sock *laya_nl_socket(int protocol, int *err)
{
	struct nl_sock *sock = nl_socket_alloc();
	int size = RECEIVE_BUFFER;
	int one = 1;
	int fd;

	if (!sock) {
		*err = -ENOMEM;
		return NULL;
	}
	errno = 0;
	if (nl_connect(sock, protocol)) {
		*err = errno ? -errno : -EPROTONOSUPPORT;
		nl_socket_free(sock);
		return NULL;
	}
	fd = nl_socket_get_fd(sock);
	/* Words for people; and no copy of the request, which may hold keys */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	nl_socket_set_nonblocking(sock);
	*err = 0;
	return sock;
}

/**
 * laya_nl_messages_add() - append a copy of a message
 * @messages: to these
 * @message: the message
 *
 * Return: 0 or -ENOMEM.
 */
int laya_nl_messages_add(struct laya_nl_messages *messages,
			 const struct nlmsghdr *message)
{
	size_t len = NLMSG_ALIGN(message->nlmsg_len);

	if (messages->size - messages->len < len) {
		size_t size = (messages->size + len) * 2;
		uint8_t *data = realloc(messages->data, size);

		if (!data)
			return -ENOMEM;
		messages->data = data;
		messages->size = size;
	}
	memset(messages->data + messages->len, 0, len);
	memcpy(messages->data + messages->len, message, message->nlmsg_len);
	messages->len += len;
	return 0;
}

/**
 * laya_nl_messages_free() - free what messages hold
 * @messages: the messages; empty afterwards
 */
void laya_nl_messages_free(struct laya_nl_messages *messages)
{
	free(messages->data);
	*messages = (struct laya_nl_messages){};
}

/**
 * laya_nl_event_queue() - keep an event for laya_nl_events_dispatch()
 * @nl: the connection
 * @message: the event
 */
void laya_nl_event_queue(struct laya_nl *nl, const struct nlmsghdr *message)
{
	uint64_t one = 1;

	if (nl->queue.len > MAX_QUEUE ||
	    laya_nl_messages_add(&nl->queue, message))
		nl->overrun = true;
	/* Fails only when it is readable already */
	if (write(nl->event_fd, &one, sizeof(one)) < 0)
		return;
}

/**
 * laya_nl_read() - read one datagram, without waiting
 * @nl: the connection
 * @sock: from this socket
 * @messages: where to append its messages
 *
 * Return: 0, -EAGAIN when there is nothing, -ENOBUFS when messages were lost,
 * or another error.
 */
int laya_nl_read(struct laya_nl *nl, struct nl_sock *sock,
		 struct laya_nl_messages *messages)
{
	struct sockaddr_nl from = {};
	unsigned char *buf = NULL;
	struct nlmsghdr *message;
	int err = 0;
	int n;

	n = nl_recv(sock, &from, &buf, NULL);
	if (n == 0 || n == -NLE_AGAIN)
		return -EAGAIN;
	if (n == -nl_syserr2nlerr(ENOBUFS))
		return -ENOBUFS;
	if (n < 0)
		return laya_nl_fail(nl, -EIO, "netlink: %s", nl_geterror(n));

	/* Any process may send to the port; only the kernel is heard. */
	if (from.nl_pid == 0) {
		message = (struct nlmsghdr *)buf;
		for (; !err && nlmsg_ok(message, n);
		     message = nlmsg_next(message, &n))
			err = laya_nl_messages_add(messages, message);
	}
	free(buf);
	if (err)
		return laya_nl_fail(nl, err, "netlink: out of memory");
	return 0;
}

/**
 * laya_nl_drain() - move the events that have arrived into the queue
 * @nl: the connection
 *
 * Before a request goes out over the event socket this makes room for the
 * answer to it.
 *
 * Return: 0 or a negative errno.
 */
int laya_nl_drain(struct laya_nl *nl)
{
	/* A kernel that sends faster than this reads must not keep it here. */
	unsigned int budget = 4096;
	int err = 0;

	while (budget--) {
		struct laya_nl_messages messages = {};
		struct nlmsghdr *message;
		int len;

		err = laya_nl_read(nl, nl->events, &messages);
		message = (struct nlmsghdr *)messages.data;
		len = messages.len;
		for (; nlmsg_ok(message, len);
		     message = nlmsg_next(message, &len))
			if (message->nlmsg_type == nl->family)
				laya_nl_event_queue(nl, message);
		laya_nl_messages_free(&messages);
		if (err == -ENOBUFS) {
			nl->overrun = true;
			continue;
		}
		if (err)
			break;
	}
	return err == -EAGAIN || err == -ENOBUFS ? 0 : err;
}

/* The name of the attribute at @offset of a request, or NULL */
static const char *attr_at(const struct nlmsghdr *request, uint32_t offset,
			   int set)
{
	const uint8_t *base = (const uint8_t *)request;
	uint32_t at = NLMSG_HDRLEN + GENL_HDRLEN;

	while (at + NLA_HDRLEN <= request->nlmsg_len) {
		const struct nlattr *a = (const struct nlattr *)(base + at);

		if (at == offset)
			return laya_nl_attr_name(set, nla_type(a));
		at += NLA_ALIGN(a->nla_len ? a->nla_len : NLA_HDRLEN);
	}
	return NULL;
}

/* Put into words what the kernel said; @attrs: of the extended acknowledgement */
static int explain(struct laya_nl *nl, int err, const void *attrs, int len,
		   const struct nlmsghdr *request, const char *what, int set)
{
	const char *missing = "";
	const char *name = NULL;
	const struct nlattr *a;
	const char *text = NULL;
	int rest;

	nla_for_each_attr(a, (struct nlattr *)attrs, len, rest) {
		bool is_u32 = nla_len(a) == sizeof(uint32_t);

		switch (nla_type(a)) {
		case NLMSGERR_ATTR_MSG:
			if (strnlen(nla_data(a), nla_len(a)) <
			    (size_t)nla_len(a))
				text = nla_data(a);
			break;
		case NLMSGERR_ATTR_OFFS:
			if (is_u32 && set >= 0)
				name = attr_at(request, nla_get_u32(a), set);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			if (is_u32 && set >= 0) {
				name = laya_nl_attr_name(set, nla_get_u32(a));
				missing = "missing ";
			}
			break;
		}
	}
	if (!text && err == -EPERM)
		text = "not permitted: this needs CAP_NET_ADMIN, run it as root";
	if (!text)
		text = strerror(-err);
	if (name && !strstr(text, name))
		return laya_nl_fail(nl, err, "%s: %s (%s%s)", what, text,
				    missing, name);
	return laya_nl_fail(nl, err, "%s: %s", what, text);
}

/*
 * The end of an exchange: an acknowledgement, an error or the end of a dump.
 * All begin with an errno; the attributes are behind it, or behind the
 * (capped) copy of the request.
 */
static int finish(struct laya_nl *nl, const struct nlmsghdr *message,
		  const struct nlmsghdr *request, const char *what, int set)
{
	const uint8_t *data = nlmsg_data(message);
	int len = nlmsg_datalen(message);
	int skip = sizeof(int);
	int err = 0;

	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = nlmsg_data(message);

		if (len < (int)sizeof(*e))
			return laya_nl_fail(nl, -EBADMSG,
					    "%s: truncated answer", what);
		skip = sizeof(*e);
		if (!(message->nlmsg_flags & NLM_F_CAPPED))
			skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (len >= (int)sizeof(err))
		memcpy(&err, data, sizeof(err));
	if (err >= 0)
		return 0;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || skip > len)
		skip = len;
	return explain(nl, err, data + skip, len - skip, request, what, set);
}

/* Return: 1 when the exchange has ended well, 0 when more is to come */
static int take(struct laya_nl *nl, const struct laya_nl_messages *messages,
		const struct nlmsghdr *request, const char *what, int set,
		struct laya_nl_messages *replies)
{
	struct nlmsghdr *message = (struct nlmsghdr *)messages->data;
	int len = messages->len;
	int result = 0;
	int err;

	for (; nlmsg_ok(message, len); message = nlmsg_next(message, &len)) {
		bool mine = message->nlmsg_seq == request->nlmsg_seq &&
			    message->nlmsg_pid == request->nlmsg_pid;

		if (mine && !result &&
		    (message->nlmsg_type == NLMSG_ERROR ||
		     message->nlmsg_type == NLMSG_DONE)) {
			err = finish(nl, message, request, what, set);
			result = err ? err : 1;
		} else if (mine && message->nlmsg_type == request->nlmsg_type) {
			if (replies && laya_nl_messages_add(replies, message))
				result = laya_nl_fail(nl, -ENOMEM,
						      "%s: out of memory",
						      what);
		} else if (message->nlmsg_type == nl->family &&
			   message->nlmsg_seq == 0 && nl->events) {
			laya_nl_event_queue(nl, message);
		}
	}
	return result;
}

/**
 * laya_nl_transact() - send a request and wait for the end of its answer
 * @nl: the connection
 * @sock: over this socket
 * @msg: the request; freed, and wiped since it may hold keys
 * @what: what to call it in an error
 * @set: attribute set of the request, or -1
 * @replies: where to put the messages of the answer, or NULL
 *
 * Return: 0, or the negative errno that the kernel answered; -ETIMEDOUT if it
 * did not.
 */
int laya_nl_transact(struct laya_nl *nl, struct nl_sock *sock,
		     struct nl_msg *msg, const char *what, int set,
		     struct laya_nl_messages *replies)
{
	struct pollfd pfd = { nl_socket_get_fd(sock), POLLIN, 0 };
	struct nlmsghdr *request = nlmsg_hdr(msg);
	int err;

	if (sock == nl->events) {
		err = laya_nl_drain(nl);
		if (err)
			goto out;
	}
	errno = 0;
	err = nl_send_auto(sock, msg);
	if (err < 0) {
		int saved = errno ? errno : EIO;

		err = laya_nl_fail(nl, -saved, "%s: %s", what,
				   strerror(saved));
		goto out;
	}

	do {
		struct laya_nl_messages messages = {};

		err = laya_nl_read(nl, sock, &messages);
		if (err == -EAGAIN) {
			err = poll(&pfd, 1, ANSWER_MS);
			if (err == 0)
				err = laya_nl_fail(nl, -ETIMEDOUT,
						   "%s: the kernel does not answer",
						   what);
			else if (err > 0 || errno == EINTR)
				err = 0;
			else
				err = laya_nl_fail(nl, -errno, "%s: poll: %s",
						   what, strerror(errno));
		} else if (err == -ENOBUFS && sock == nl->events) {
			nl->overrun = true;
			err = 0;
		} else if (err == -ENOBUFS) {
			laya_nl_fail(nl, err, "%s: answer lost", what);
		} else if (!err) {
			err = take(nl, &messages, request, what, set, replies);
		}
		laya_nl_messages_free(&messages);
	} while (!err);
	if (err > 0)
		err = 0;
out:
	explicit_bzero(nlmsg_data(request), nlmsg_datalen(request));
	nlmsg_free(msg);
	return err;
}
